//! One pass over a pair of images that filters four moments and sums SSIM.
//!
//! ```text
//! for each band of rows, in parallel             bounds what rounding and parallelism can do
//!   for each tile of columns                     bounds the memory, whatever the width
//!     for each row
//!       x, y, x² + y², x·y     ← pixels
//!       h                      ← the four, filtered along the row
//!       uniform window:
//!         columns              += h − ring[row mod K];   ring[row mod K] = h
//!       Gaussian window:
//!         ring[row mod K]       = h
//!         columns               = ring, filtered down the columns
//!       from row K − 1 on:
//!         totals               += SSIM(columns)
//! ```
//!
//! Departures from the formula in [`Ssim`](super::Ssim):
//! 1. σx² and σy² only occur as a sum, so x² + y² is one moment rather than two.
//! 2. The uniform window has taps of 1, not 1/7, and both fractions of SSIM are multiplied by NP²:
//!    integer pixels then have exact moments, and a constant image has a variance of exactly zero.
//! 3. The uniform window keeps running sums down the columns, which carry their rounding errors along. They begin
//!    anew with each band, so an error of one part in 2⁵³ grows by the root of 128 at most, and a pixel that is
//!    larger than the others by orders of magnitude spoils no other band. Along the row, sums are made anew.
//! 4. Columns go in lanes of eight, which the compiler turns into vectors; the body is compiled for AVX-512, for AVX2 and for
//!    the baseline, with the same operations. Lanes beyond the last column filter zeros, and are not added up.

use multiversion::multiversion;
use ndarray::{ArrayView2, s};

use super::window::Window;
use crate::pixel::{Pixel, read_row};

/// Columns that the compiler treats as a vector.
const LANES: usize = 8;
type Lane = [f64; LANES];

/// x, y, x² + y², x·y.
const MOMENTS: usize = 4;
type Moments = [Lane; MOMENTS];

/// Rows of positions of the window in a band.
pub(super) const BAND: usize = 128;

/// Positions of the window in a tile. The uniform window reads one row of its ring for each row of pixels, which the second-level cache
/// serves; the Gaussian window reads the whole ring, and 34 KiB of it fit the first.
pub(super) const UNIFORM_TILE: usize = 256;
pub(super) const GAUSSIAN_TILE: usize = 96;

/// What makes SSIM of moments, multiplied through by the squared weight of the window.
#[derive(Clone, Copy)]
pub(super) struct Similarity {
    pub(super) weight: f64,
    pub(super) covariance_norm: f64,
    pub(super) c1: f64,
    pub(super) c2: f64,
}

/// Buffers for images of some width and one window, used again for each band.
pub(super) struct Scratch {
    /// One row of pixels and their products, padded with zeros to whole lanes.
    rows: [Vec<f64>; MOMENTS],
    /// As many rows of filtered moments as the window has.
    ring: Vec<Moments>,
    columns: Vec<Moments>,
    /// SSIM summed down the columns.
    totals: Vec<Lane>,
}

impl Scratch {
    /// Buffers for images of so many pixels in a row, which the window fits.
    pub(super) fn new(window: &Window, width: usize) -> Self {
        let n_taps = window.size();
        let n_lanes = tile(window).min(width - (n_taps - 1)).div_ceil(LANES);
        let row = || vec![0.0; n_lanes * LANES + n_taps - 1];
        let zero = [[0.0; LANES]; MOMENTS];
        Self {
            rows: [row(), row(), row(), row()],
            ring: vec![zero; n_taps * n_lanes],
            columns: vec![zero; n_lanes],
            totals: vec![[0.0; LANES]; n_lanes],
        }
    }
}

fn tile(window: &Window) -> usize {
    match window {
        Window::Uniform(_) => UNIFORM_TILE,
        Window::Gaussian(_) => GAUSSIAN_TILE,
    }
}

/// Bands in an image with so many rows of positions.
pub(super) fn n_bands(n_positions: usize) -> usize {
    n_positions.div_ceil(BAND)
}

/// The sum of SSIM over the positions of the window in band `band`.
pub(super) fn sum_of_band<T: Pixel>(
    window: &Window,
    similarity: Similarity,
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    band: usize,
    scratch: &mut Scratch,
) -> f64 {
    let n_taps = window.size();
    let first = band * BAND;
    // The rows of pixels under the band's positions.
    let last = truth.nrows().min(first + BAND + n_taps - 1);
    let truth = truth.slice_move(s![first..last, ..]);
    let prediction = prediction.slice_move(s![first..last, ..]);
    match window {
        Window::Uniform(7) => uniform::<T, 7>(7, similarity, truth, prediction, scratch),
        Window::Uniform(n) => uniform::<T, 0>(*n, similarity, truth, prediction, scratch),
        Window::Gaussian(taps) if n_taps == 11 => {
            gaussian::<T, 11>(taps, similarity, truth, prediction, scratch)
        }
        Window::Gaussian(taps) => gaussian::<T, 0>(taps, similarity, truth, prediction, scratch),
    }
}

/// `K` is the window's size where it is known when compiling, or 0.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn uniform<T: Pixel, const K: usize>(
    n_taps: usize,
    similarity: Similarity,
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    scratch: &mut Scratch,
) -> f64 {
    let n_taps = if K == 0 { n_taps } else { K };
    let n_positions = truth.ncols() - (n_taps - 1);
    let mut sum = 0.0;
    for first in (0..n_positions).step_by(UNIFORM_TILE) {
        let n = UNIFORM_TILE.min(n_positions - first);
        let n_lanes = n.div_ceil(LANES);
        scratch.ring[..n_taps * n_lanes].fill([[0.0; LANES]; MOMENTS]);
        scratch.columns[..n_lanes].fill([[0.0; LANES]; MOMENTS]);
        scratch.totals[..n_lanes].fill([0.0; LANES]);
        for i in 0..truth.nrows() {
            read(truth, prediction, i, first, n + n_taps - 1, scratch);
            let Scratch {
                rows,
                ring,
                columns,
                totals,
            } = &mut *scratch;
            let slot = &mut ring[i % n_taps * n_lanes..][..n_lanes];
            let is_whole = i + 1 >= n_taps;
            let state = slot.iter_mut().zip(&mut *columns).zip(&mut *totals);
            for (lane, ((old, column), total)) in state.enumerate() {
                for m in 0..MOMENTS {
                    let xs = &rows[m][lane * LANES..][..LANES + n_taps - 1];
                    let mut sums = [0.0; LANES];
                    for k in 0..n_taps {
                        for l in 0..LANES {
                            sums[l] += xs[l + k];
                        }
                    }
                    for l in 0..LANES {
                        column[m][l] += sums[l] - old[m][l];
                    }
                    old[m] = sums;
                }
                if is_whole {
                    add_similarity(similarity, column, total);
                }
            }
        }
        sum += scratch.totals.as_flattened()[..n].iter().sum::<f64>();
    }
    sum
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn gaussian<T: Pixel, const K: usize>(
    taps: &[f64],
    similarity: Similarity,
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    scratch: &mut Scratch,
) -> f64 {
    let n_taps = if K == 0 { taps.len() } else { K };
    let taps = &taps[..n_taps];
    let n_positions = truth.ncols() - (n_taps - 1);
    let mut sum = 0.0;
    for first in (0..n_positions).step_by(GAUSSIAN_TILE) {
        let n = GAUSSIAN_TILE.min(n_positions - first);
        let n_lanes = n.div_ceil(LANES);
        scratch.totals[..n_lanes].fill([0.0; LANES]);
        for i in 0..truth.nrows() {
            read(truth, prediction, i, first, n + n_taps - 1, scratch);
            let Scratch {
                rows, ring, totals, ..
            } = &mut *scratch;
            let slot = &mut ring[i % n_taps * n_lanes..][..n_lanes];
            for (lane, filtered) in slot.iter_mut().enumerate() {
                for m in 0..MOMENTS {
                    let xs = &rows[m][lane * LANES..][..LANES + n_taps - 1];
                    let mut sums = [0.0; LANES];
                    for (k, tap) in taps.iter().enumerate() {
                        for l in 0..LANES {
                            sums[l] = tap.mul_add(xs[l + k], sums[l]);
                        }
                    }
                    filtered[m] = sums;
                }
            }
            if i + 1 < n_taps {
                continue;
            }
            // The oldest row of the ring is the one that the next row replaces.
            let oldest = (i + 1) % n_taps;
            for (lane, total) in totals[..n_lanes].iter_mut().enumerate() {
                let mut column = [[0.0; LANES]; MOMENTS];
                for (k, tap) in taps.iter().enumerate() {
                    let slot = if oldest + k < n_taps {
                        oldest + k
                    } else {
                        oldest + k - n_taps
                    };
                    let filtered = &ring[slot * n_lanes + lane];
                    for m in 0..MOMENTS {
                        for l in 0..LANES {
                            column[m][l] = tap.mul_add(filtered[m][l], column[m][l]);
                        }
                    }
                }
                add_similarity(similarity, &column, total);
            }
        }
        sum += scratch.totals.as_flattened()[..n].iter().sum::<f64>();
    }
    sum
}

/// Reads `n` pixels of row `i` from column `first` on, and multiplies them.
#[inline(always)]
fn read<T: Pixel>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    i: usize,
    first: usize,
    n: usize,
    scratch: &mut Scratch,
) {
    let [xs, ys, squares, products] = &mut scratch.rows;
    for (image, to) in [(truth, &mut *xs), (prediction, &mut *ys)] {
        let (to, padding) = to.split_at_mut(n);
        read_row(image.slice(s![i, first..first + n]), to);
        padding.fill(0.0);
    }
    let outputs = squares.iter_mut().zip(products);
    for ((x, y), (square, product)) in xs.iter().zip(&*ys).zip(outputs) {
        *square = x * x + y * y;
        *product = x * y;
    }
}

/// Adds SSIM of eight positions.
///
/// Written so that equal images give a numerator and a denominator of equal bits.
#[inline(always)]
fn add_similarity(similarity: Similarity, [xs, ys, squares, products]: &Moments, total: &mut Lane) {
    let Similarity {
        weight,
        covariance_norm,
        c1,
        c2,
    } = similarity;
    for l in 0..LANES {
        let (x, y) = (xs[l], ys[l]);
        let xy = x * y;
        let xx_plus_yy = x * x + y * y;
        let covariance = covariance_norm * (weight * products[l] - xy);
        let variances = covariance_norm * (weight * squares[l] - xx_plus_yy);
        let numerator = (2.0 * xy + c1) * (2.0 * covariance + c2);
        let denominator = (xx_plus_yy + c1) * (variances + c2);
        total[l] += numerator / denominator;
    }
}
