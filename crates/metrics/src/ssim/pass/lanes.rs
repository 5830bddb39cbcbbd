//! Pixels in the order in which vectors take them without shuffles.
//!
//! A vector holds one column of each of eight *lanes*: runs of columns of one row that follow each other, or one row of each of eight
//! images. Neighbours along a row are then whole vectors, like neighbours down a column, and no load crosses a cache line.
//!
//! ```text
//! lane 0: columns 0 … S − 1 and what the window sees beyond       S: the strip, a multiple of 4
//! lane 1: columns S … 2·S − 1, likewise
//!   …
//! stored: [column mod 4][column div 4][lane]                      four neighbouring positions at once from nearly the same loads
//! ```
//!
//! Positions that lie beyond the end of a row are computed on its last pixel, and left out of the sums.

use std::ops::Range;

use multiversion::multiversion;
use multiversion::target::match_target;
use ndarray::{ArrayView2, Axis, s};

use super::prefetch::ahead;
use super::transpose::transpose;
#[cfg(target_arch = "x86_64")]
use super::transpose::{transpose_by_256, transpose_by_512};
use crate::pixel::{Pixel, minus_one};
use crate::ssim::map::Border;

/// Values in a vector, of 512 bits where there are such.
pub(super) const LANES: usize = 8;

/// Positions that are computed at once along a row.
pub(super) const PHASES: usize = 4;

/// The most positions in a strip. Longer ones need more memory than a second-level cache has, shorter ones compute more of what the window sees beyond
/// them twice.
pub(super) const MAX_STRIP: usize = 120;

/// The most positions in a tile of one image.
pub(in crate::ssim) const TILE: usize = LANES * MAX_STRIP;

/// Vectors beyond a strip in each phase that the window of so many taps sees.
pub(super) const fn halo(n_taps: usize) -> usize {
    (PHASES - 1 + n_taps - 1) / PHASES
}

/// Values in a row of so many positions in a strip.
pub(super) const fn row_length(strip: usize, n_taps: usize) -> usize {
    (strip / PHASES + halo(n_taps)) * PHASES * LANES
}

/// Values in a cache line of 64 bytes.
const LINE: usize = 8;

/// A buffer for `n` values, to be taken with [`aligned`].
pub(super) fn zeros(n: usize) -> Vec<f64> {
    vec![0.0; n + LINE - 1]
}

/// The values from the first cache line on, so that vectors do not cross lines.
pub(super) fn aligned(values: &mut [f64]) -> &mut [f64] {
    let skipped = values.as_ptr().align_offset(LINE * size_of::<f64>());
    &mut values[skipped.min(LINE - 1)..]
}

/// Positions in a strip, if there are so many in a row of one image or of each of [`LANES`].
pub(super) fn strip(n_positions: usize, n_planes: usize) -> usize {
    let n_strips = if n_planes == 1 {
        n_positions.div_ceil(TILE) * LANES
    } else {
        1
    };
    n_positions.div_ceil(n_strips).next_multiple_of(PHASES)
}

/// What the windows of a tile see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// [`Border::Valid`] or [`Border::Mirror`].
    pub(super) border: Border,
    pub(super) n_taps: usize,
    /// The first position along a row.
    pub(super) first: usize,
}

impl Sight {
    /// The image's own pixels among those that the windows see along a row.
    pub(super) fn inner(self, width: usize) -> Range<usize> {
        let before = match self.border {
            Border::Valid => 0,
            Border::Symmetric | Border::Mirror => self.n_taps / 2,
        };
        before..before + width
    }

    /// Those of `n` pixels seen from the first position on that are the image's own: where they are seen.
    fn own(self, width: usize, n: usize) -> Range<usize> {
        let inner = self.inner(width);
        let start = inner.start.saturating_sub(self.first).min(n);
        start..(inner.end - self.first).clamp(start, n)
    }

    /// Where in a row pixel `j` of them lies; beyond the end it is the last one.
    fn source(self, j: usize, width: usize) -> usize {
        let last = self.border.n_seen(self.n_taps, width) - 1;
        let seen = (self.first + j).min(last);
        self.border.source(seen, self.n_taps, width)
    }
}

/// One tile of an image, or [`LANES`] small images.
pub(super) struct Block<'a, T> {
    /// Truth and prediction of the one image or of each.
    pub(super) planes: &'a [[ArrayView2<'a, T>; 2]],
    pub(super) sight: Sight,
    /// Positions from the first one to the end of a row.
    pub(super) n_positions: usize,
    pub(super) strip: usize,
}

impl<T: Pixel> Block<'_, T> {
    /// Row `i` of truth and prediction, to ask for; none of several images, which are small.
    pub(super) fn ahead(&self, i: usize) -> [&[T]; 2] {
        match self.planes {
            [images] => images.map(|image| ahead(self.sight, image, i)),
            _ => [&[]; 2],
        }
    }

    /// Vectors in each phase.
    pub(super) fn n_columns(&self) -> usize {
        self.strip / PHASES + halo(self.sight.n_taps)
    }

    /// Adds up what was found in each column, `[phase][column][lane]` with phases `stride` values apart: for all lanes together or for each.
    pub(super) fn add(&self, totals: &[f64], stride: usize, sums: &mut [f64; LANES]) {
        for lane in 0..LANES {
            let (before, to) = if self.planes.len() == 1 {
                (lane * self.strip, 0)
            } else {
                (0, lane)
            };
            for column in 0..self.strip.min(self.n_positions.saturating_sub(before)) {
                let at = column % PHASES * stride + column / PHASES * LANES + lane;
                sums[to] += totals[at];
            }
        }
    }
}

/// Sums and differences of a row of a block, in the order of the pixels.
#[derive(Debug, Default)]
pub(super) struct Reader {
    moments: [Vec<f64>; 2],
}

impl Reader {
    /// Sums and differences of row `i` of the block's images, counted from the first that a window sees, as the head of this file says.
    pub(super) fn read<T: Pixel, const W: usize>(
        &mut self,
        block: &Block<'_, T>,
        i: usize,
        to: &mut [[f64; W]; 2],
    ) {
        let n_lines = block.planes.len();
        let n_squares = (block.n_columns() * PHASES).div_ceil(LANES);
        let n = (LANES / n_lines - 1) * block.strip + n_squares * LANES;
        let between = if n_lines == 1 { block.strip } else { n };
        for moment in &mut self.moments {
            moment.resize(n_lines * n + LINE - 1, 0.0);
        }
        let [sums, differences] = self.moments.each_mut().map(|moment| aligned(moment));
        for (l, images) in block.planes.iter().enumerate() {
            let values = l * n..(l + 1) * n;
            let to = [&mut sums[values.clone()], &mut differences[values]];
            add_and_subtract_line(block.sight, images, i, to);
        }
        for (from, to) in [sums, differences].into_iter().zip(to) {
            let lane = |l: usize| from[l * between..][..n_squares * LANES].as_chunks().0;
            to_lanes(std::array::from_fn(lane), phases(to));
        }
    }
}

/// Sums and differences of row `i` of what the windows see in two images, from the first position on.
fn add_and_subtract_line<T: Pixel>(
    sight: Sight,
    images: &[ArrayView2<'_, T>; 2],
    i: usize,
    [sums, differences]: [&mut [f64]; 2],
) {
    let n = sums.len();
    let (height, width) = images[0].dim();
    let i = sight.border.source(i, sight.n_taps, height);
    let [xs, ys] = images.each_ref().map(|image| image.row(i));
    let own = sight.own(width, n);
    for j in (0..own.start).chain(own.end..n) {
        let from = sight.source(j, width);
        let (x, y) = (xs[from].to_f64(), ys[from].to_f64());
        (sums[j], differences[j]) = (x + y, x - y);
    }
    let first = sight.source(own.start, width);
    let from = first..first + own.len();
    let (sums, differences) = (&mut sums[own.clone()], &mut differences[own]);
    match (xs.as_slice(), ys.as_slice()) {
        (Some(xs), Some(ys)) => {
            add_and_subtract([&xs[from.clone()], &ys[from]], [sums, differences]);
        }
        _ => {
            let (xs, ys) = (xs.slice(s![from.clone()]), ys.slice(s![from]));
            for (j, (x, y)) in xs.iter().zip(ys).enumerate() {
                let (x, y) = (x.to_f64(), y.to_f64());
                (sums[j], differences[j]) = (x + y, x - y);
            }
        }
    }
}

/// In vectors of 256 bits, for the reason that [`minus_one`] gives.
#[multiversion(targets("x86_64+avx2+fma"))]
fn add_and_subtract<T: Pixel>([xs, ys]: [&[T]; 2], [sums, differences]: [&mut [f64]; 2]) {
    let n = xs.len();
    let (ys, sums, differences) = (&ys[..n], &mut sums[..n], &mut differences[..n]);
    let minus = minus_one();
    for j in 0..n {
        let (x, y) = (xs[j].to_f64(), ys[j].to_f64());
        sums[j] = x + y;
        differences[j] = minus.mul_add(y, x);
    }
}

/// Lanes of values in their order to `[phase][column][lane]`. What is made by closures is handed over, since they are not inlined here.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn to_lanes(
    [a, b, c, d, e, f, g, h]: [&[[f64; LANES]]; LANES],
    [p0, p1, p2, p3]: [&mut [[f64; LANES]]; PHASES],
) {
    let n_squares = a.len();
    let (b, c, d) = (&b[..n_squares], &c[..n_squares], &d[..n_squares]);
    let (e, f) = (&e[..n_squares], &f[..n_squares]);
    let (g, h) = (&g[..n_squares], &h[..n_squares]);
    // The last square may be half a one.
    let mut beyond = [[0.0; LANES]; PHASES];
    for i in 0..n_squares {
        let rows = [&a[i], &b[i], &c[i], &d[i], &e[i], &f[i], &g[i], &h[i]];
        let [b0, b1, b2, b3] = beyond.each_mut();
        let ([to_0, to_4], [to_1, to_5]) = (two(p0, i, b0), two(p1, i, b1));
        let ([to_2, to_6], [to_3, to_7]) = (two(p2, i, b2), two(p3, i, b3));
        let columns = [to_0, to_1, to_2, to_3, to_4, to_5, to_6, to_7];
        match_target! {
            "x86_64+avx512f+avx512bw+avx512vl+avx512dq" => transpose_by_512(rows, columns),
            "x86_64+avx2+fma" => transpose_by_256(rows, columns),
            _ => transpose(rows, columns),
        }
    }
}

/// Vectors 2·i and 2·i + 1 of a phase, or what stands for the second where the phase ends.
#[inline(always)]
fn two<'a>(
    phase: &'a mut [[f64; LANES]],
    i: usize,
    beyond: &'a mut [f64; LANES],
) -> [&'a mut [f64; LANES]; 2] {
    match &mut phase[2 * i..] {
        [near, far, ..] => [near, far],
        [near] => [near, beyond],
        [] => unreachable!("a row has room for the columns of its strip"),
    }
}

/// The phases of a row, in vectors.
#[inline(always)]
fn phases<const W: usize>(row: &mut [f64; W]) -> [&mut [[f64; LANES]]; PHASES] {
    let mut phases = row.chunks_exact_mut(const { W / PHASES });
    std::array::from_fn(|_| {
        let phase = phases.next().expect("there are four");
        phase.as_chunks_mut().0
    })
}

/// Row `i` of what the windows see, `n` pixels from their first position on, if they lie in the image side by side.
#[inline]
pub(super) fn line_in_place<T>(
    sight: Sight,
    image: ArrayView2<'_, T>,
    i: usize,
    n: usize,
) -> Option<&[T]> {
    let (height, width) = image.dim();
    let inner = sight.inner(width);
    if sight.first < inner.start || sight.first + n > inner.end {
        return None;
    }
    let row = image.index_axis_move(Axis(0), sight.border.source(i, sight.n_taps, height));
    Some(&row.to_slice()?[sight.first - inner.start..][..n])
}

/// The same row, where it lies or else in the buffer. Beyond its end are copies of its last pixel.
pub(super) fn read_line<'b, T: Pixel>(
    sight: Sight,
    image: ArrayView2<'b, T>,
    i: usize,
    buffer: &'b mut [T],
) -> &'b [T] {
    let n = buffer.len();
    if let Some(pixels) = line_in_place(sight, image, i, n) {
        return pixels;
    }
    let (height, width) = image.dim();
    let row = image.index_axis_move(Axis(0), sight.border.source(i, sight.n_taps, height));
    let own = sight.own(width, n);
    for j in (0..own.start).chain(own.end..n) {
        buffer[j] = row[sight.source(j, width)];
    }
    let first = sight.source(own.start, width);
    let from = row.slice(s![first..first + own.len()]);
    let to = &mut buffer[own];
    match from.to_slice() {
        Some(pixels) => to.copy_from_slice(pixels),
        None => to.iter_mut().zip(from).for_each(|(to, pixel)| *to = *pixel),
    }
    buffer
}
