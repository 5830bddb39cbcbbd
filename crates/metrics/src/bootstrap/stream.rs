//! Random numbers from a counter: replicate r of a seed is a stream of its own, wherever and whenever it is drawn.

/// Draws whole numbers below a limit, each equally likely.
///
/// The generator is Philox4x32-10 (Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC
/// 2011): the key is the seed, the counter is the stream's number and the block within it.
#[derive(Debug)]
pub(super) struct Indices {
    key: [u32; 2],
    stream: u64,
    block: u64,
    words: [u32; 4],
    n_used: usize,
    limit: u32,
}

impl Indices {
    /// Stream `stream` of `seed`, drawing below `limit`, which is not zero.
    pub(super) fn new(seed: u64, stream: u64, limit: u32) -> Self {
        Self {
            key: halves(seed),
            stream,
            block: 0,
            words: [0; 4],
            n_used: 4,
            limit,
        }
    }

    /// Lemire, Fast random integer generation in an interval, ACM TOMACS 29, 2019: the upper half of a product, drawn
    /// again where the lower half is one of the few that would favour some results.
    #[inline]
    pub(super) fn next(&mut self) -> usize {
        let (mut low, mut high) = self.multiply();
        if low < self.limit {
            let threshold = self.limit.wrapping_neg() % self.limit;
            while low < threshold {
                (low, high) = self.multiply();
            }
        }
        high as usize
    }

    #[inline]
    fn multiply(&mut self) -> (u32, u32) {
        if self.n_used == 4 {
            let ([a, b], [c, d]) = (halves(self.block), halves(self.stream));
            self.words = philox([a, b, c, d], self.key);
            self.block = self.block.wrapping_add(1);
            self.n_used = 0;
        }
        let word = self.words[self.n_used];
        self.n_used += 1;
        let [low, high] = halves(u64::from(word) * u64::from(self.limit));
        (low, high)
    }
}

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let [low_0, high_0] = halves(0xD251_1F53 * u64::from(counter[0]));
        let [low_1, high_1] = halves(0xCD9E_8D57 * u64::from(counter[2]));
        counter = [
            high_1 ^ counter[1] ^ key[0],
            low_1,
            high_0 ^ counter[3] ^ key[1],
            low_0,
        ];
        key[0] = key[0].wrapping_add(0x9E37_79B9);
        key[1] = key[1].wrapping_add(0xBB67_AE85);
    }
    counter
}

/// The lower half, then the upper one.
#[expect(clippy::cast_possible_truncation, reason = "each half has 32 bits")]
fn halves(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that come with the authors' Random123.
    #[test]
    fn philox_gives_the_known_answers() {
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn every_index_is_drawn_equally_often() {
        // χ² with 6 degrees of freedom is below 22.5 with a probability of 0.999.
        let (limit, n_draws) = (7, 70_000);
        let mut counts = [0_u32; 7];
        let mut indices = Indices::new(1, 2, limit);
        for _ in 0..n_draws {
            counts[indices.next()] += 1;
        }
        let expected = f64::from(n_draws) / 7.0;
        let deviations = counts.map(|count| (f64::from(count) - expected).powi(2) / expected);
        assert!(deviations.iter().sum::<f64>() < 22.5, "{counts:?}");
    }

    /// With a limit of 3·2^30 a product's upper half alone would give every third index twice as often.
    #[test]
    fn large_limits_are_not_biased() {
        let limit = 3 << 30;
        let mut indices = Indices::new(3, 4, limit);
        let mut by_remainder = [0_u32; 3];
        for _ in 0..30_000 {
            by_remainder[indices.next() % 3] += 1;
        }
        for count in by_remainder {
            // Five standard deviations.
            assert!(count.abs_diff(10_000) < 410, "{by_remainder:?}");
        }
    }

    #[test]
    fn streams_and_seeds_differ() {
        let first = |seed, stream| {
            let mut indices = Indices::new(seed, stream, u32::MAX);
            [(); 4].map(|()| indices.next())
        };
        let all = [
            first(0, 0),
            first(0, 1),
            first(1, 0),
            first(1 << 32, 0),
            first(0, 1 << 32),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[..i].iter().all(|other| other != one), "{i}");
        }
    }
}
