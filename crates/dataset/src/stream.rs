//! Counter-based random streams.
//!
//! Every random choice of the crate (outside the simulator, which has its own specified generator) comes
//! from a ChaCha8 stream whose 256-bit key is the four numbers (seed, purpose, epoch, index). No state
//! is carried from one choice to the next, so any step of a run can be recomputed on its own, in any
//! order and on any number of threads.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is for. The numbers are part of every result: never renumber.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Split = 1,
    EpochOrder = 2,
    Augment = 3,
    Compose = 4,
    Fold = 5,
}

#[derive(Debug)]
pub(crate) struct Stream(ChaCha8Rng);

impl Stream {
    pub(crate) fn new(seed: u64, purpose: Purpose, epoch: u64, index: u64) -> Self {
        let mut key = [0; 32];
        let words = [seed, purpose as u64, epoch, index];
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
