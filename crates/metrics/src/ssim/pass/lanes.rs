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
use ndarray::{ArrayView2, Axis, s};

use crate::pixel::Pixel;
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

/// Vectors of pixels in a phase, with what the window sees beyond a strip, in whole blocks of the transposition.
const MAX_COLUMNS: usize = 40;

/// Vectors beyond a strip in each phase that the window of so many taps sees.
pub(super) const fn halo(n_taps: usize) -> usize {
    (PHASES - 1 + n_taps - 1) / PHASES
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
    fn inner(self, width: usize) -> Range<usize> {
        let before = match self.border {
            Border::Valid => 0,
            Border::Symmetric | Border::Mirror => self.n_taps / 2,
        };
        before..before + width
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

/// Reads rows of a block.
#[derive(Debug)]
pub(super) struct Reader<T> {
    /// Rows that cannot be read where they are.
    lines: Vec<T>,
    /// Every fourth pixel of them.
    phases: Vec<T>,
    /// Pixels of the truth and the prediction, as the head of this file says.
    pixels: [Vec<T>; 2],
}

impl<T> Default for Reader<T> {
    fn default() -> Self {
        Self {
            lines: vec![],
            phases: vec![],
            pixels: [vec![], vec![]],
        }
    }
}

impl<T: Pixel> Reader<T> {
    /// Values from one phase to the next in what [`read`](Self::read) returns.
    pub(super) const STRIDE: usize = MAX_COLUMNS * LANES;

    /// Row `i` of the block's images, counted from the first that a window sees.
    pub(super) fn read(&mut self, block: &Block<'_, T>, i: usize) -> [&[T]; 2] {
        let n_lines = block.planes.len();
        let n_strips = LANES / n_lines;
        let n = (n_strips - 1) * block.strip + block.n_columns() * PHASES;
        for (image, pixels) in self.pixels.iter_mut().enumerate() {
            let any = block.planes[0][image][[0, 0]];
            pixels.resize(PHASES * Self::STRIDE, any);
            self.lines.resize(n_lines * n, any);
            self.phases
                .resize(PHASES * (n_lines * n / PHASES + LANES), any);
            let mut lines: [&[T]; LANES] = [&[]; LANES];
            let buffers = self.lines.chunks_exact_mut(n);
            for ((line, planes), buffer) in lines.iter_mut().zip(block.planes).zip(buffers) {
                *line = read_line(block.sight, planes[image], i, buffer);
            }
            let between = if n_lines == 1 { block.strip } else { n };
            interleave(
                &lines[..n_lines],
                between / PHASES,
                block.n_columns(),
                &mut self.phases,
                pixels,
            );
        }
        let [xs, ys] = &self.pixels;
        [xs, ys]
    }
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
    let Sight {
        border,
        n_taps,
        first,
    } = sight;
    let (height, width) = image.dim();
    let row = image.index_axis_move(Axis(0), border.source(i, n_taps, height));
    let inner = sight.inner(width);
    let end = border.n_seen(n_taps, width);
    let copied = inner.start.max(first)..inner.end.min(first + n);
    for j in (0..n).filter(|j| !copied.contains(&(first + j))) {
        buffer[j] = row[border.source((first + j).min(end - 1), n_taps, width)];
    }
    if !copied.is_empty() {
        let from = row.slice(s![copied.start - inner.start..copied.end - inner.start]);
        let to = &mut buffer[copied.start - first..copied.end - first];
        match from.to_slice() {
            Some(pixels) => to.copy_from_slice(pixels),
            None => to.iter_mut().zip(from).for_each(|(to, pixel)| *to = *pixel),
        }
    }
    buffer
}

/// Lines to `[phase][column][lane]`; of one line, lanes begin `lane_columns` of each phase apart.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn interleave<T: Pixel>(
    lines: &[&[T]],
    lane_columns: usize,
    n_columns: usize,
    phases: &mut [T],
    pixels: &mut [T],
) {
    let stride = phases.len() / PHASES;
    for (l, line) in lines.iter().enumerate() {
        let (line, _) = line.as_chunks::<PHASES>();
        let n = line.len();
        let mut parts = phases.chunks_exact_mut(stride);
        let mut next = || &mut parts.next().expect("there are four")[l * lane_columns..][..n];
        let [a, b, c, d] = [next(), next(), next(), next()];
        for q in 0..n {
            let pixels = line[q];
            a[q] = pixels[0];
            b[q] = pixels[1];
            c[q] = pixels[2];
            d[q] = pixels[3];
        }
    }
    // In whole blocks, so that no column is moved pixel by pixel; what is beyond is anything.
    let n = n_columns.next_multiple_of(LANES);
    let phases = phases.chunks_exact(stride);
    for (phase, pixels) in phases.zip(pixels.chunks_exact_mut(MAX_COLUMNS * LANES)) {
        let (pixels, _) = pixels[..n * LANES].as_chunks_mut::<LANES>();
        let lanes: [&[T]; LANES] = std::array::from_fn(|l| &phase[l * lane_columns..][..n]);
        for column in 0..n {
            for l in 0..LANES {
                pixels[column][l] = lanes[l][column];
            }
        }
    }
}
