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
//! 4. Every loop over columns is over slices of one length with the taps unrolled inside, which is the form that the compiler turns into
//!    vectors without shuffles; lanes written out by hand were five times slower. The body is compiled for AVX-512, for AVX2 and for
//!    the baseline, with the same operations in the same order for each column, whatever the vectors.

use multiversion::multiversion;
use ndarray::{ArrayView2, s};

use super::window::Window;
use crate::pixel::{Pixel, read_row};

/// x, y, x² + y², x·y.
const MOMENTS: usize = 4;

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
    /// One row of pixels and their products.
    rows: [Vec<f64>; MOMENTS],
    /// As many rows of filtered moments as the window has, `[row][moment][column]`.
    ring: Vec<f64>,
    /// Moments filtered in both directions.
    columns: [Vec<f64>; MOMENTS],
    /// SSIM summed down the columns.
    totals: Vec<f64>,
}

/// The buffers of [`Scratch`], each from the beginning of a cache line on, so that vectors do not cross lines where they need not.
struct Buffers<'a> {
    rows: [&'a mut [f64]; MOMENTS],
    ring: &'a mut [f64],
    columns: [&'a mut [f64]; MOMENTS],
    totals: &'a mut [f64],
}

/// Values in a cache line of 64 bytes.
const LINE: usize = 8;

fn aligned(values: &mut [f64]) -> &mut [f64] {
    let skipped = values.as_ptr().align_offset(LINE * size_of::<f64>());
    &mut values[skipped.min(LINE - 1)..]
}

impl Scratch {
    /// Buffers for images of so many pixels in a row, which the window fits.
    pub(super) fn new(window: &Window, width: usize) -> Self {
        let n_taps = window.size();
        let n = tile(window).min(width - (n_taps - 1));
        let zeros = |n: usize| vec![0.0; n + LINE - 1];
        let four = |n| [zeros(n), zeros(n), zeros(n), zeros(n)];
        Self {
            rows: four(n + n_taps - 1),
            ring: zeros(n_taps * MOMENTS * n),
            columns: four(n),
            totals: zeros(n),
        }
    }

    fn buffers(&mut self) -> Buffers<'_> {
        Buffers {
            rows: self.rows.each_mut().map(|row| aligned(row)),
            ring: aligned(&mut self.ring),
            columns: self.columns.each_mut().map(|row| aligned(row)),
            totals: aligned(&mut self.totals),
        }
    }
}

impl Buffers<'_> {
    /// Clears what a tile of `n` columns begins with.
    fn begin(&mut self, n_taps: usize, n: usize) {
        self.ring[..n_taps * MOMENTS * n].fill(0.0);
        self.totals[..n].fill(0.0);
        for column in &mut self.columns {
            column[..n].fill(0.0);
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
    let mut buffers = scratch.buffers();
    let mut sum = 0.0;
    for first in (0..n_positions).step_by(UNIFORM_TILE) {
        let n = UNIFORM_TILE.min(n_positions - first);
        buffers.begin(n_taps, n);
        for i in 0..truth.nrows() {
            read(
                truth,
                prediction,
                i,
                first,
                n + n_taps - 1,
                &mut buffers.rows,
            );
            let slot = i % n_taps * MOMENTS * n;
            let old = buffers.ring[slot..][..MOMENTS * n].chunks_exact_mut(n);
            let rows = buffers.rows.iter().zip(buffers.columns.iter_mut());
            for (old, (row, column)) in old.zip(rows) {
                slide::<K>(n_taps, row, old, &mut column[..n]);
            }
            if i + 1 >= n_taps {
                add_similarity(similarity, &buffers.columns, &mut buffers.totals[..n]);
            }
        }
        sum += buffers.totals[..n].iter().sum::<f64>();
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
    let mut buffers = scratch.buffers();
    let mut sum = 0.0;
    for first in (0..n_positions).step_by(GAUSSIAN_TILE) {
        let n = GAUSSIAN_TILE.min(n_positions - first);
        buffers.begin(n_taps, n);
        for i in 0..truth.nrows() {
            read(
                truth,
                prediction,
                i,
                first,
                n + n_taps - 1,
                &mut buffers.rows,
            );
            let slot = i % n_taps * MOMENTS * n;
            let filtered = buffers.ring[slot..][..MOMENTS * n].chunks_exact_mut(n);
            for (filtered, row) in filtered.zip(buffers.rows.iter()) {
                // Neighbours along a row lie one value apart.
                weigh::<K>(taps, row, (0, 1), filtered);
            }
            if i + 1 < n_taps {
                continue;
            }
            // The oldest row of the ring is the one that the next row replaces.
            let oldest = (i + 1) % n_taps;
            for (m, column) in buffers.columns.iter_mut().enumerate() {
                let ring = &buffers.ring[m * n..];
                weigh::<K>(taps, ring, (oldest, MOMENTS * n), &mut column[..n]);
            }
            add_similarity(similarity, &buffers.columns, &mut buffers.totals[..n]);
        }
        sum += buffers.totals[..n].iter().sum::<f64>();
    }
    sum
}

/// The sums of `n_taps` neighbours take the place of those `n_taps` rows ago, and the sums down the columns follow.
#[inline(always)]
fn slide<const K: usize>(n_taps: usize, xs: &[f64], old: &mut [f64], columns: &mut [f64]) {
    let n = old.len();
    let columns = &mut columns[..n];
    let mut neighbours = [xs; K];
    for (k, neighbours) in neighbours.iter_mut().enumerate() {
        *neighbours = &xs[k..][..n];
    }
    for j in 0..n {
        let mut sum = 0.0;
        if K == 0 {
            for x in &xs[j..j + n_taps] {
                sum += x;
            }
        }
        for neighbours in &neighbours {
            sum += neighbours[j];
        }
        columns[j] += sum - old[j];
        old[j] = sum;
    }
}

/// Weighted sums of `taps.len()` values that lie `stride` apart, of which the first is number `oldest` in a ring of as many.
#[inline(always)]
fn weigh<const K: usize>(
    taps: &[f64],
    xs: &[f64],
    (oldest, stride): (usize, usize),
    sums: &mut [f64],
) {
    let n = sums.len();
    let n_taps = taps.len();
    let place = |k: usize| match oldest + k {
        place if place < n_taps => place * stride,
        place => (place - n_taps) * stride,
    };
    if K == 0 {
        sums.fill(0.0);
        for (k, tap) in taps.iter().enumerate() {
            for (sum, x) in sums.iter_mut().zip(&xs[place(k)..][..n]) {
                *sum = tap.mul_add(*x, *sum);
            }
        }
        return;
    }
    let mut weighted = [(0.0, xs); K];
    for (k, weighted) in weighted.iter_mut().enumerate() {
        *weighted = (taps[k], &xs[place(k)..][..n]);
    }
    for j in 0..n {
        let mut sum = 0.0;
        for (tap, xs) in &weighted {
            sum = tap.mul_add(xs[j], sum);
        }
        sums[j] = sum;
    }
}

/// Reads `n` pixels of row `i` from column `first` on, and multiplies them.
#[inline(always)]
fn read<T: Pixel>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    i: usize,
    first: usize,
    n: usize,
    [xs, ys, squares, products]: &mut [&mut [f64]; MOMENTS],
) {
    for (image, to) in [(truth, &mut **xs), (prediction, &mut **ys)] {
        read_row(image.slice(s![i, first..first + n]), &mut to[..n]);
    }
    let outputs = squares[..n].iter_mut().zip(&mut products[..n]);
    for ((x, y), (square, product)) in xs[..n].iter().zip(&ys[..n]).zip(outputs) {
        *square = x * x + y * y;
        *product = x * y;
    }
}

/// Adds SSIM of each position.
///
/// Written so that equal images give a numerator and a denominator of equal bits.
#[inline(always)]
fn add_similarity(
    similarity: Similarity,
    [xs, ys, squares, products]: &[&mut [f64]; MOMENTS],
    totals: &mut [f64],
) {
    let Similarity {
        weight,
        covariance_norm,
        c1,
        c2,
    } = similarity;
    let n = totals.len();
    let (xs, ys, squares, products) = (&xs[..n], &ys[..n], &squares[..n], &products[..n]);
    for j in 0..n {
        let (x, y) = (xs[j], ys[j]);
        let xy = x * y;
        let xx_plus_yy = x * x + y * y;
        let covariance = covariance_norm * (weight * products[j] - xy);
        let variances = covariance_norm * (weight * squares[j] - xx_plus_yy);
        let numerator = (2.0 * xy + c1) * (2.0 * covariance + c2);
        let denominator = (xx_plus_yy + c1) * (variances + c2);
        totals[j] += numerator / denominator;
    }
}
