//! What a core does at most: the yardstick of the benches.

use std::hint::black_box;

use crate::Level;
use crate::simd::{Kernel, Vector};

/// Independent sums, enough for two multiply-adds a cycle that take four cycles each, and few enough for 16 registers.
const SUMS: usize = 12;

/// Runs so many rounds of fused multiply-adds that wait for nothing and touch no memory; gives back the floating-point
/// operations that were done, two for each multiply-add.
///
/// # Examples
///
/// ```
/// use juggle_kernels::{Level, peak};
///
/// let start = std::time::Instant::now();
/// let operations = peak::multiply_adds(Level::best(), 1000);
/// println!("{:.1} GFLOP/s", operations as f64 / start.elapsed().as_secs_f64() / 1e9);
/// ```
pub fn multiply_adds(level: Level, rounds: usize) -> usize {
    level.run(MultiplyAdds { rounds })
}

struct MultiplyAdds {
    rounds: usize,
}

impl Kernel for MultiplyAdds {
    type Output = usize;

    #[inline(always)]
    fn run<V: Vector>(self) -> usize {
        // Sums that stay near 1, of numbers that the compiler does not know.
        let (factor, addend) = (V::splat(black_box(0.5)), V::splat(black_box(0.5)));
        let mut sums = [V::splat(black_box(1.0)); SUMS];
        for _ in 0..self.rounds {
            for sum in &mut sums {
                *sum = sum.mul_add(factor, addend);
            }
        }
        let total = sums.into_iter().fold(V::splat(0.0), V::add);
        let mut lanes = [0.0; crate::LANES];
        total.store(&mut lanes);
        black_box(lanes);
        2 * self.rounds * SUMS * V::LANES
    }
}
