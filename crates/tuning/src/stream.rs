//! Counter-based random numbers.
//!
//! Every random choice of a sampler comes from a ChaCha8 stream whose key is made of (seed, purpose, index). No state is
//! carried from one trial to the next, so what is drawn for trial 17 does not depend on who drew for trial 16, or when.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A stream of random numbers.
#[derive(Debug)]
pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of a purpose, such as a parameter's name, and an index, such as a trial's number.
    pub(crate) fn new(seed: u64, purpose: &str, index: u64) -> Self {
        let words = [seed, fnv1a(purpose), purpose.len() as u64, index];
        let mut key = [0; 32];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits fit an f64 exactly, and 2^53 is a power of two"
    )]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in 0..n by the high half of a 64×64-bit product; its bias is below n / 2⁶⁴.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let product = u128::from(self.0.next_u64()) * (n as u128);
        usize::try_from(product >> 64).expect("the high half is below n")
    }

    /// Fisher–Yates, from the last position down.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i + 1);
            items.swap(i, j);
        }
    }
}

/// FNV-1a, 64 bits; the names of one space do not collide by chance.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_every_part_of_their_key() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).unit();
        let base = first(1, "x", 0);
        assert_eq!(base, first(1, "x", 0));
        assert_ne!(base, first(2, "x", 0));
        assert_ne!(base, first(1, "y", 0));
        assert_ne!(base, first(1, "x", 1));
    }

    #[test]
    fn numbers_are_uniform() {
        let mut stream = Stream::new(0, "uniform", 0);
        let mut counts = [0_u32; 10];
        for _ in 0..10_000 {
            counts[stream.below(10)] += 1;
        }
        // Chi-squared with 9 degrees of freedom exceeds 27.9 once in a thousand seeds.
        let chi: f64 = counts
            .iter()
            .map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0)
            .sum();
        assert!(chi < 27.9, "{chi}");
        let mean = (0..10_000).map(|_| stream.unit()).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
    }
}
