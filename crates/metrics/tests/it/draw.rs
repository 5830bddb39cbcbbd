//! Sizes, pixels and settings out of bytes, for the tests and the fuzzers.

/// Numbers from bytes; zeros when they are used up.
pub(crate) struct Draw<'a>(pub(crate) &'a [u8]);

impl Draw<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        byte
    }

    /// A number below `n`, which is at most 256.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// An ordinary number, mostly; sometimes any at all.
    pub(crate) fn number(&mut self) -> f64 {
        match self.below(16) {
            0 => f64::from_bits(u64::from_le_bytes(std::array::from_fn(|_| self.byte()))),
            1 => self.pick(&[
                0.0,
                -0.0,
                1e77,
                -1e154,
                5e-324,
                f64::NAN,
                f64::INFINITY,
                f64::MAX,
            ]),
            _ => f64::from(self.byte()) / 64.0 - 1.0,
        }
    }
}
