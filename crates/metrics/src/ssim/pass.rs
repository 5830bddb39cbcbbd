//! One pass over a pair of images that filters four moments and sums SSIM.
//!
//! ```text
//! for each band of rows, in parallel             bounds what rounding and parallelism can do
//!   for each tile of columns                     bounds the memory, whatever the width
//!     for each row
//!       uniform window:
//!         columns              += moments of this row − moments of the row that the window leaves
//!       Gaussian window:
//!         ring[row mod K + 1]   = moments of this row
//!         columns               = ring, filtered down the columns, for two rows of positions at once
//!       from row K − 1 on:
//!         totals               += SSIM(columns, filtered along the row)
//!
//! moments: x, y, x² + y², x·y
//! ```
//!
//! Departures from the formula in [`Ssim`](super::Ssim):
//! 1. σx² and σy² only occur as a sum, so x² + y² is one moment rather than two.
//! 2. The uniform window has taps of 1, not 1/7, and both fractions of SSIM are multiplied by NP²:
//!    integer pixels then have exact moments, and a constant image has a variance of exactly zero.
//! 3. The uniform window keeps running sums down the columns, which carry their rounding errors along. They begin
//!    anew with each band, so an error of one part in 2⁵³ grows by the root of 128 at most, and a pixel that is
//!    larger than the others by orders of magnitude spoils no other band. Along the row, sums are made anew. The row that the window
//!    leaves is read and multiplied a second time, which costs less than keeping its moments.
//! 4. Every loop over columns is over slices of one length with the taps unrolled inside, which is the form that the compiler turns into
//!    vectors without shuffles; lanes written out by hand were five times slower. The body is compiled for AVX-512, for AVX2 and for
//!    the baseline, with the same operations in the same order for each column, whatever the vectors.

use multiversion::multiversion;
use ndarray::{ArrayView1, ArrayView2, s};

use super::window::Window;
use crate::pixel::{Pixel, read_row};

/// x, y, x² + y², x·y.
const MOMENTS: usize = 4;

/// Rows of positions of the window in a band.
pub(super) const BAND: usize = 128;

/// Positions of the window in a tile. The buffers of one, 0.4 MiB for a Gaussian of 11, fit the second-level cache; narrower tiles that fit the
/// first one were slower, since each reads pieces of rows that lie far apart in memory. Rows of a power of two were slower, too.
pub(super) const TILE: usize = 1000;

/// What makes SSIM of moments, multiplied through by the squared weight of the window.
#[derive(Clone, Copy)]
pub(super) struct Similarity {
    pub(super) weight: f64,
    pub(super) covariance_norm: f64,
    pub(super) c1: f64,
    pub(super) c2: f64,
}

impl Similarity {
    /// SSIM of one position.
    ///
    /// Written so that equal images give a numerator and a denominator of equal bits.
    #[inline(always)]
    fn of(self, [x, y, squares, products]: [f64; MOMENTS]) -> f64 {
        let xy = x * y;
        let xx_plus_yy = x * x + y * y;
        let covariance = self.covariance_norm * (self.weight * products - xy);
        let variances = self.covariance_norm * (self.weight * squares - xx_plus_yy);
        let numerator = (2.0 * xy + self.c1) * (2.0 * covariance + self.c2);
        let denominator = (xx_plus_yy + self.c1) * (variances + self.c2);
        numerator / denominator
    }
}

/// Buffers for images of some width and one window, used again for each band.
pub(super) struct Scratch {
    /// Moments filtered down the columns for a second row of positions; pixels that do not lie side by side, side by side.
    rows: [Vec<f64>; MOMENTS],
    /// Moments of the rows under two rows of positions, `[row][moment][column]`, or pixels, `[row][image][column]`.
    ring: Vec<f64>,
    /// Moments filtered down the columns.
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
        let n = TILE.min(width - (n_taps - 1));
        let zeros = |n: usize| vec![0.0; n + LINE - 1];
        let four = |n| [zeros(n), zeros(n), zeros(n), zeros(n)];
        Self {
            rows: four(n + n_taps - 1),
            ring: zeros((n_taps + 1) * MOMENTS * (n + n_taps - 1)),
            columns: four(n + n_taps - 1),
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
    for first in (0..n_positions).step_by(TILE) {
        let n = TILE.min(n_positions - first);
        let under = s![.., first..first + n + n_taps - 1];
        let (truth, prediction) = (truth.slice_move(under), prediction.slice_move(under));
        buffers.totals[..n].fill(0.0);
        for column in &mut buffers.columns {
            column[..n + n_taps - 1].fill(0.0);
        }
        let rows = || truth.rows().into_iter().zip(prediction.rows());
        let mut old_rows = rows();
        for (i, new) in rows().enumerate() {
            let old = if i < n_taps { None } else { old_rows.next() };
            slide_rows(new, old, i % n_taps, &mut buffers);
            if i + 1 < n_taps {
                continue;
            }
            let add = |x: f64, _: usize, sum: f64| sum + x;
            let totals = &mut buffers.totals[..n];
            add_positions::<K>(n_taps, add, similarity, &buffers.columns, totals);
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
    // One more row than the window has: two rows of positions are filtered from the same loads.
    let n_slots = n_taps + 1;
    let n_positions = truth.ncols() - (n_taps - 1);
    let buffers = scratch.buffers();
    let mut sum = 0.0;
    for first in (0..n_positions).step_by(TILE) {
        let n = TILE.min(n_positions - first);
        let width = n + n_taps - 1;
        buffers.totals[..n].fill(0.0);
        for i in 0..truth.nrows() {
            let slot = &mut buffers.ring[i % n_slots * MOMENTS * width..][..MOMENTS * width];
            read(truth, prediction, i, first, slot);
            let Some(position) = (i + 1).checked_sub(n_taps) else {
                continue;
            };
            let is_second = position % 2 == 1;
            if !is_second && i + 1 < truth.nrows() {
                continue;
            }
            let oldest = (position - usize::from(is_second)) % n_slots;
            for m in 0..MOMENTS {
                let ring = (&buffers.ring[m * width..], oldest, MOMENTS * width);
                let (sums, next) = (
                    &mut buffers.columns[m][..width],
                    &mut buffers.rows[m][..width],
                );
                weigh_rows::<K>(taps, ring, sums, is_second.then_some(next));
            }
            let totals = &mut buffers.totals[..n];
            let weigh = |x: f64, k: usize, sum: f64| taps[k].mul_add(x, sum);
            add_positions::<K>(n_taps, weigh, similarity, &buffers.columns, totals);
            if is_second {
                add_positions::<K>(n_taps, weigh, similarity, &buffers.rows, totals);
            }
        }
        sum += buffers.totals[..n].iter().sum::<f64>();
    }
    sum
}

/// Slides the window down by a row: adds the moments of a row of pixels to the columns, and takes away those of the row that it leaves.
#[inline(always)]
fn slide_rows<T: Pixel>(
    new: (ArrayView1<'_, T>, ArrayView1<'_, T>),
    old: Option<(ArrayView1<'_, T>, ArrayView1<'_, T>)>,
    slot: usize,
    buffers: &mut Buffers<'_>,
) {
    if let Some(pixels) = slices(new) {
        slide(pixels, old.and_then(slices), &mut buffers.columns);
        return;
    }
    // Pixels that do not lie side by side are written so once, and kept in the ring until the window leaves them.
    let n = new.0.len();
    let [xs, ys, ..] = &mut buffers.rows;
    let (xs, ys) = (&mut xs[..n], &mut ys[..n]);
    read_row(new.0, xs);
    read_row(new.1, ys);
    let (old_xs, old_ys) = buffers.ring[slot * 2 * n..][..2 * n].split_at_mut(n);
    let kept = old.map(|_| [&*old_xs, &*old_ys]);
    slide([&*xs, &*ys], kept, &mut buffers.columns);
    old_xs.copy_from_slice(xs);
    old_ys.copy_from_slice(ys);
}

#[inline(always)]
fn slices<'a, T>((x, y): (ArrayView1<'a, T>, ArrayView1<'a, T>)) -> Option<[&'a [T]; 2]> {
    Some([x.to_slice()?, y.to_slice()?])
}

#[inline(always)]
fn slide<T: Pixel>(
    [xs, ys]: [&[T]; 2],
    old: Option<[&[T]; 2]>,
    [x_sums, y_sums, squares, products]: &mut [&mut [f64]; MOMENTS],
) {
    let n = xs.len();
    let (ys, x_sums, y_sums) = (&ys[..n], &mut x_sums[..n], &mut y_sums[..n]);
    let (squares, products) = (&mut squares[..n], &mut products[..n]);
    if let Some([old_xs, old_ys]) = old {
        let (old_xs, old_ys) = (&old_xs[..n], &old_ys[..n]);
        for j in 0..n {
            let (x, y) = (xs[j].to_f64(), ys[j].to_f64());
            let (u, v) = (old_xs[j].to_f64(), old_ys[j].to_f64());
            x_sums[j] += x - u;
            y_sums[j] += y - v;
            squares[j] += (x * x + y * y) - (u * u + v * v);
            products[j] += x * y - u * v;
        }
    } else {
        for j in 0..n {
            let (x, y) = (xs[j].to_f64(), ys[j].to_f64());
            x_sums[j] += x;
            y_sums[j] += y;
            squares[j] += x * x + y * y;
            products[j] += x * y;
        }
    }
}

/// Weighted sums down the columns of a ring of rows that lie `stride` apart, beginning with row `oldest`; and those of the position
/// below, if asked for.
#[inline(always)]
fn weigh_rows<const K: usize>(
    taps: &[f64],
    (ring, oldest, stride): (&[f64], usize, usize),
    sums: &mut [f64],
    next: Option<&mut [f64]>,
) {
    let n = sums.len();
    let row = |k: usize| &ring[(oldest + k) % (taps.len() + 1) * stride..][..n];
    if K == 0 {
        for (below, sums) in [Some(sums), next].into_iter().flatten().enumerate() {
            sums.fill(0.0);
            for (k, tap) in taps.iter().enumerate() {
                for (sum, x) in sums.iter_mut().zip(row(k + below)) {
                    *sum = tap.mul_add(*x, *sum);
                }
            }
        }
        return;
    }
    let mut weighted = [(0.0, ring); K];
    for (k, weighted) in weighted.iter_mut().enumerate() {
        *weighted = (taps[k], row(k));
    }
    let Some(next) = next else {
        for j in 0..n {
            let mut sum = 0.0;
            for (tap, xs) in &weighted {
                sum = tap.mul_add(xs[j], sum);
            }
            sums[j] = sum;
        }
        return;
    };
    let (next, last) = (&mut next[..n], row(K));
    for j in 0..n {
        let (mut sum, mut next_sum) = (0.0, 0.0);
        for k in 0..K {
            let (tap, xs) = weighted[k];
            sum = tap.mul_add(xs[j], sum);
            let below = if k + 1 < K {
                weighted[k + 1].1[j]
            } else {
                last[j]
            };
            next_sum = tap.mul_add(below, next_sum);
        }
        sums[j] = sum;
        next[j] = next_sum;
    }
}

/// Reads the pixels of row `i` from column `first` on, and multiplies them: as many as fit in `moments` four times.
#[inline(always)]
fn read<T: Pixel>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    i: usize,
    first: usize,
    moments: &mut [f64],
) {
    let n = moments.len() / MOMENTS;
    let (pixels, moments) = moments.split_at_mut(2 * n);
    let (xs, ys) = pixels.split_at_mut(n);
    let (squares, products) = moments.split_at_mut(n);
    read_row(truth.slice(s![i, first..first + n]), xs);
    read_row(prediction.slice(s![i, first..first + n]), ys);
    for j in 0..n {
        let (x, y) = (xs[j], ys[j]);
        squares[j] = x * x + y * y;
        products[j] = x * y;
    }
}

/// Adds SSIM of each position, whose moments are sums of `n_taps` neighbours, times `weigh` of the tap's number.
///
/// All four moments are summed in one loop: what it saves in storing and loading is a seventh of the time.
#[inline(always)]
fn add_positions<const K: usize>(
    n_taps: usize,
    weigh: impl Fn(f64, usize, f64) -> f64,
    similarity: Similarity,
    columns: &[&mut [f64]; MOMENTS],
    totals: &mut [f64],
) {
    let n = totals.len();
    let columns = columns.each_ref().map(|column| &column[..n + n_taps - 1]);
    for j in 0..n {
        let mut moments = [0.0; MOMENTS];
        for (moment, column) in moments.iter_mut().zip(&columns) {
            if K == 0 {
                for (k, x) in column[j..j + n_taps].iter().enumerate() {
                    *moment = weigh(*x, k, *moment);
                }
            } else {
                for k in 0..K {
                    *moment = weigh(column[j + k], k, *moment);
                }
            }
        }
        totals[j] += similarity.of(moments);
    }
}
