//! One pass over a pair of images that filters four moments and sums SSIM.
//!
//! ```text
//! for each tile of columns                       bounds the scratch, whatever the width
//!   for each row
//!     x, y, x² + y², x·y       ← pixels
//!     ring[row mod K]          ← the four, filtered along the row
//!     from row K − 1 on:
//!       m_x, m_y, m_2, m_xy    ← ring, filtered down the columns
//!       totals                 += SSIM(m_x, m_y, m_2, m_xy)
//! ```
//!
//! Departures from the formula in [`ssim`](super::ssim):
//! 1. σx² and σy² only occur as a sum, so x² + y² is one moment rather than two.
//! 2. The uniform window has taps of 1, not 1/7, and both fractions of SSIM are multiplied by NP²:
//!    integer pixels then have exact moments, and a constant image has a variance of exactly zero.
//! 3. Each output is a fresh sum of K terms. A running sum needs fewer operations, but carries its
//!    rounding error along the row, and one large pixel would spoil all that follow it.
//! 4. Columns go in lanes of eight, which the compiler turns into vectors. Lanes beyond the last
//!    column filter zeros, and are not added up.

use ndarray::{ArrayView2, s};

use crate::error::{Result, Role};
use crate::pixel::{Pixel, read_row};

/// A square window of K×K pixels, as one row of taps used in both directions.
pub(super) struct Window<const K: usize> {
    pub(super) taps: [f64; K],
    /// Sum of all K×K weights.
    pub(super) weight: f64,
    /// Factor from population to the wanted covariance.
    pub(super) covariance_norm: f64,
}

/// scikit-image's default.
pub(super) const UNIFORM: Window<7> = Window {
    taps: [1.0; 7],
    weight: 49.0,
    covariance_norm: 49.0 / 48.0,
};

/// `exp(−d²/2σ²)` with σ = 1.5, scaled to sum to one. Literals, because `exp` may differ in its
/// last bit between platforms.
pub(super) const GAUSSIAN: Window<11> = Window {
    taps: [
        0.001_028_380_084_479_11,
        0.007_598_758_135_239_185,
        0.036_000_772_128_430_83,
        0.109_360_689_509_700_02,
        0.213_005_537_711_253_7,
        0.266_011_724_861_794_36,
        0.213_005_537_711_253_7,
        0.109_360_689_509_700_02,
        0.036_000_772_128_430_83,
        0.007_598_758_135_239_185,
        0.001_028_380_084_479_11,
    ],
    weight: 1.0,
    covariance_norm: 1.0,
};

/// K1 and K2 of Wang et al. 2004.
const K1: f64 = 0.01;
const K2: f64 = 0.03;

/// Columns that the compiler treats as a vector.
const LANES: usize = 8;
type Lane = [f64; LANES];

/// Window positions in a tile: the ring of the 11×11 window then takes 88 KiB, which the
/// second-level cache holds.
pub(super) const TILE: usize = 256;

/// x, y, x² + y², x·y.
const MOMENTS: usize = 4;

/// Buffers for one pair of images of some width, reused over rows, channels and images.
pub(super) struct Scratch<const K: usize> {
    /// The moments of one row of pixels, padded with zeros to whole lanes.
    row: [Vec<f64>; MOMENTS],
    /// K rows of moments filtered along the row: `[row mod K][moment][lane]`.
    ring: Vec<Lane>,
    /// SSIM summed down the columns.
    totals: Vec<Lane>,
}

impl<const K: usize> Scratch<K> {
    /// Buffers for images of `width ≥ K` pixels.
    pub(super) fn new(width: usize) -> Self {
        let n_lanes = TILE.min(width - (K - 1)).div_ceil(LANES);
        Self {
            row: std::array::from_fn(|_| vec![0.0; n_lanes * LANES + K - 1]),
            ring: vec![[0.0; LANES]; K * MOMENTS * n_lanes],
            totals: vec![[0.0; LANES]; n_lanes],
        }
    }
}

/// The sum of SSIM over all positions of the window in a pair of images of H×W ≥ K×K pixels.
pub(super) fn sum_of_ssim<T: Pixel, const K: usize>(
    window: &Window<K>,
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    data_range: f64,
    scratch: &mut Scratch<K>,
) -> Result<f64> {
    let n_positions = truth.ncols() - (K - 1);
    let mut sum = 0.0;
    for first in (0..n_positions).step_by(TILE) {
        let tile = Tile {
            first,
            n_positions: TILE.min(n_positions - first),
        };
        sum += tile.sum_of_ssim(window, truth, prediction, data_range, scratch)?;
    }
    Ok(sum)
}

/// A band of columns.
struct Tile {
    /// First column, of the window and of the pixels under it.
    first: usize,
    /// Number of positions of the window along a row.
    n_positions: usize,
}

impl Tile {
    fn sum_of_ssim<T: Pixel, const K: usize>(
        &self,
        window: &Window<K>,
        truth: ArrayView2<'_, T>,
        prediction: ArrayView2<'_, T>,
        data_range: f64,
        scratch: &mut Scratch<K>,
    ) -> Result<f64> {
        let Scratch { row, ring, totals } = scratch;
        let n_lanes = self.n_positions.div_ceil(LANES);
        let row = row
            .each_mut()
            .map(|moment| &mut moment[..n_lanes * LANES + K - 1]);
        let totals = &mut totals[..n_lanes];
        totals.fill([0.0; LANES]);
        let similarity = Similarity::new(window, data_range);

        let [xs, ys, squares, products] = row;
        for i in 0..truth.nrows() {
            self.read(truth, Role::Truth, i, xs, K)?;
            self.read(prediction, Role::Prediction, i, ys, K)?;
            multiply(xs, ys, squares, products);
            let slot = i % K;
            let filtered = &mut ring[slot * MOMENTS * n_lanes..][..MOMENTS * n_lanes];
            let moments = [&*xs, &*ys, &*squares, &*products];
            for (moment, filtered) in moments.into_iter().zip(filtered.chunks_exact_mut(n_lanes)) {
                filter_row(&window.taps, moment, filtered);
            }
            if i + 1 >= K {
                // The oldest row of the ring is the one that the next row replaces.
                let oldest = (i + 1) % K;
                add_ssim(&window.taps, &similarity, ring, oldest, totals);
            }
        }
        let positions = totals.as_flattened().iter().take(self.n_positions);
        Ok(positions.sum())
    }

    /// Reads the pixels under the tile in row `i`.
    fn read<T: Pixel>(
        &self,
        image: ArrayView2<'_, T>,
        role: Role,
        i: usize,
        xs: &mut [f64],
        window: usize,
    ) -> Result<()> {
        let n_pixels = self.n_positions + window - 1;
        let pixels = image.slice(s![i, self.first..self.first + n_pixels]);
        let (xs, padding) = xs.split_at_mut(n_pixels);
        padding.fill(0.0);
        read_row(pixels, role, i, self.first, xs)
    }
}

/// The moments of second order.
fn multiply(xs: &[f64], ys: &[f64], squares: &mut [f64], products: &mut [f64]) {
    let outputs = squares.iter_mut().zip(products);
    for ((x, y), (square, product)) in xs.iter().zip(ys).zip(outputs) {
        *square = x * x + y * y;
        *product = x * y;
    }
}

/// Weighted sums of K neighbours along a row.
fn filter_row<const K: usize>(taps: &[f64; K], xs: &[f64], filtered: &mut [Lane]) {
    for (lane, filtered) in filtered.iter_mut().enumerate() {
        let xs = &xs[lane * LANES..][..LANES + K - 1];
        let mut sums = [0.0; LANES];
        for (k, tap) in taps.iter().enumerate() {
            for (l, sum) in sums.iter_mut().enumerate() {
                *sum += tap * xs[l + k];
            }
        }
        *filtered = sums;
    }
}

/// Filters the ring, whose row `oldest` comes first, down the columns, and adds SSIM to `totals`.
fn add_ssim<const K: usize>(
    taps: &[f64; K],
    similarity: &Similarity,
    ring: &[Lane],
    oldest: usize,
    totals: &mut [Lane],
) {
    let n_lanes = totals.len();
    for (lane, total) in totals.iter_mut().enumerate() {
        let moments: [Lane; MOMENTS] = std::array::from_fn(|moment| {
            let mut sums = [0.0; LANES];
            for (k, tap) in taps.iter().enumerate() {
                let slot = if oldest + k < K {
                    oldest + k
                } else {
                    oldest + k - K
                };
                let xs = &ring[(slot * MOMENTS + moment) * n_lanes + lane];
                for (sum, x) in sums.iter_mut().zip(xs) {
                    *sum += tap * x;
                }
            }
            sums
        });
        for (l, total) in total.iter_mut().enumerate() {
            *total += similarity.at(moments.map(|moment| moment[l]));
        }
    }
}

/// The formula, multiplied through by the squared weight of the window.
struct Similarity {
    weight: f64,
    covariance_norm: f64,
    c1: f64,
    c2: f64,
}

impl Similarity {
    fn new<const K: usize>(window: &Window<K>, data_range: f64) -> Self {
        let weight_squared = window.weight * window.weight;
        Self {
            weight: window.weight,
            covariance_norm: window.covariance_norm,
            c1: (K1 * data_range) * (K1 * data_range) * weight_squared,
            c2: (K2 * data_range) * (K2 * data_range) * weight_squared,
        }
    }

    /// SSIM from the weighted sums of x, y, x² + y² and x·y.
    ///
    /// Written so that equal images give a numerator and a denominator of equal bits.
    #[inline]
    fn at(&self, [x, y, squares, products]: [f64; MOMENTS]) -> f64 {
        let xy = x * y;
        let xx_plus_yy = x * x + y * y;
        let covariance = self.covariance_norm * (self.weight * products - xy);
        let variances = self.covariance_norm * (self.weight * squares - xx_plus_yy);
        let numerator = (2.0 * xy + self.c1) * (2.0 * covariance + self.c2);
        let denominator = (xx_plus_yy + self.c1) * (variances + self.c2);
        numerator / denominator
    }
}
