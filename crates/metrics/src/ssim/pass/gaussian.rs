//! The Gaussian window of 11×11.
//!
//! ```text
//! ring    = s, d of the last 24 rows
//! for every eighth row
//!   columns = s, d, s², d² filtered down the columns, for eight rows of positions from the same eighteen loads
//!   for each of the eight
//!     totals += SSIM(columns filtered along the row, for four positions from the same fourteen loads)
//! ```
//!
//! The window is symmetric: the two pixels that a tap meets are added first, which leaves five multiply-adds and five additions for each moment
//! and direction. Squares are made again for each eight rows of positions, which costs less than storing and loading them.
//!
//! Rows have a length that is known when compiling, so that all of them have addresses at a fixed distance from one.

use std::ops::Range;

use multiversion::multiversion;

use super::lanes::{Block, LANES, MAX_STRIP, PHASES, Reader, aligned, halo, row_length, zeros};
use super::prefetch::ask_for;
use super::{MOMENTS, Similarity};
use crate::pixel::Pixel;
use crate::ssim::window::Window;

/// Taps of the window.
pub(super) const SIZE: usize = 11;

/// Taps on either side of the middle.
const RADIUS: usize = SIZE / 2;

/// Rows of positions that are filtered from the same loads.
const ROWS: usize = 8;

/// Rows of pixels that they see, in whole steps.
const RING: usize = 24;

/// Chunks of a row, in which moments and then their squares are filtered.
const CHUNKS: usize = 12;

/// Values in a row of one moment, for so many positions in a strip.
const LARGE: usize = row_length(MAX_STRIP, SIZE);

/// The same for small images, which would otherwise wait for memory that they do not need.
const SMALL: usize = row_length(SMALL_STRIP, SIZE);
const SMALL_STRIP: usize = 24;

/// Positions of each phase between which the memory is asked for pixels. With six times as many it does not keep up.
const PIECE: usize = 8;

/// Buffers, used again for each band.
#[derive(Debug)]
pub(super) enum Scratch {
    Small(Rows<SMALL>),
    Large(Rows<LARGE>),
}

/// Buffers for rows of `W` values.
#[derive(Debug)]
pub(super) struct Rows<const W: usize> {
    /// The taps before the middle one, which is 1.
    outer: [f64; RADIUS],
    ring: Vec<f64>,
    columns: Vec<f64>,
    totals: Vec<f64>,
}

impl Scratch {
    /// Buffers for a window of [`SIZE`] and so many positions in a strip.
    pub(super) fn new(window: &Window, strip: usize) -> Self {
        let taps = window.taps_of_middle_one();
        let outer = std::array::from_fn(|k| taps[k]);
        if strip <= SMALL_STRIP {
            Self::Small(Rows::new(outer))
        } else {
            Self::Large(Rows::new(outer))
        }
    }

    /// Adds the values of some rows of positions of a block to the sums.
    pub(super) fn add<T: Pixel>(
        &mut self,
        similarity: Similarity,
        (reader, block): (&mut Reader, &Block<'_, T>),
        positions: Range<usize>,
        sums: &mut [f64; LANES],
    ) {
        match self {
            Self::Small(rows) => rows.add(similarity, (reader, block), positions, sums),
            Self::Large(rows) => rows.add(similarity, (reader, block), positions, sums),
        }
    }
}

impl<const W: usize> Rows<W> {
    fn new(outer: [f64; RADIUS]) -> Self {
        Self {
            outer,
            ring: zeros(RING * 2 * W),
            columns: zeros(ROWS * MOMENTS * W),
            totals: zeros(W),
        }
    }

    fn add<T: Pixel>(
        &mut self,
        similarity: Similarity,
        (reader, block): (&mut Reader, &Block<'_, T>),
        positions: Range<usize>,
        sums: &mut [f64; LANES],
    ) {
        const EXPECTED: &str = "the buffers were made of this size";
        let outer = &self.outer;
        let ring = aligned(&mut self.ring).as_chunks_mut::<W>().0;
        let ring = ring.as_chunks_mut::<2>().0.as_chunks_mut::<RING>().0;
        let ring = ring.first_mut().expect(EXPECTED);
        let columns = aligned(&mut self.columns).as_chunks_mut::<W>().0;
        let columns = columns
            .as_chunks_mut::<MOMENTS>()
            .0
            .as_chunks_mut::<ROWS>()
            .0;
        let columns = columns.first_mut().expect(EXPECTED);
        let totals = aligned(&mut self.totals).as_chunks_mut::<W>().0;
        let totals = totals.first_mut().expect(EXPECTED);
        totals.fill(0.0);
        let n_columns = block.n_columns() * LANES;
        let n_positions = block.strip / PHASES * LANES;
        let n_pixel_rows = positions.len() + SIZE - 1;
        for i in 0..n_pixel_rows {
            reader.read(block, positions.start + i, &mut ring[i % RING]);
            let n_done = (i + 1).saturating_sub(SIZE - 1);
            if n_done == 0 || !(n_done.is_multiple_of(ROWS) || n_done == positions.len()) {
                continue;
            }
            let first = (n_done - 1) / ROWS * ROWS;
            match first % RING {
                0 => filter_columns::<0, W>(outer, ring, n_columns, columns),
                8 => filter_columns::<8, W>(outer, ring, n_columns, columns),
                _ => filter_columns::<16, W>(outer, ring, n_columns, columns),
            }
            for (k, columns) in columns[..n_done - first].iter().enumerate() {
                let ahead = block.ahead(positions.start + i + 1 + k);
                add_positions(outer, similarity, columns, n_positions, totals, ahead);
            }
        }
        block.add(totals, W / PHASES, sums);
    }
}

/// Filters the moments down the columns, for the rows of positions whose first pixels are in row `FIRST` of the ring and the seven after.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn filter_columns<const FIRST: usize, const W: usize>(
    outer: &[f64; RADIUS],
    ring: &[[[f64; W]; 2]; RING],
    n_columns: usize,
    columns: &mut [[[f64; W]; MOMENTS]; ROWS],
) {
    // A chunk has a length that is known when compiling, at the price of computing on some values that nobody asks for.
    let chunk = const { W / CHUNKS };
    let weigh = |pixels: &[f64; SIZE + ROWS - 1], row: usize| {
        let mut sum = pixels[row + RADIUS];
        for (k, tap) in outer.iter().enumerate() {
            sum = tap.mul_add(pixels[row + k] + pixels[row + SIZE - 1 - k], sum);
        }
        sum
    };
    for moment in 0..2 {
        for first in (0..W).step_by(chunk) {
            if first % (W / PHASES) >= n_columns {
                continue;
            }
            for j in first..first + chunk {
                let pixels = std::array::from_fn(|k| ring[(k + FIRST) % RING][moment][j]);
                for (row, columns) in columns.iter_mut().enumerate() {
                    columns[moment][j] = weigh(&pixels, row);
                }
            }
            for j in first..first + chunk {
                let squares = std::array::from_fn(|k| {
                    let pixel = ring[(k + FIRST) % RING][moment][j];
                    pixel * pixel
                });
                for (row, columns) in columns.iter_mut().enumerate() {
                    columns[moment + 2][j] = weigh(&squares, row);
                }
            }
        }
    }
}

/// Adds the values of a row of positions, and meanwhile asks the memory for rows of both images.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn add_positions<T: Pixel, const W: usize>(
    outer: &[f64; RADIUS],
    similarity: Similarity,
    columns: &[[f64; W]; MOMENTS],
    n_positions: usize,
    totals: &mut [f64; W],
    ahead: [&[T]; 2],
) {
    let phase = const { W / PHASES };
    let n_pieces = const {
        let most = W / PHASES - halo(SIZE) * LANES;
        assert!(most.is_multiple_of(PIECE), "pieces fill a row");
        most / PIECE
    };
    for piece in 0..n_positions.div_ceil(PIECE).min(n_pieces) {
        let first = piece * PIECE;
        for pixels in ahead {
            ask_for(pixels, first * PHASES..(first + PIECE) * PHASES);
        }
        for j in first..first + PIECE {
            let mut moments = [[0.0; MOMENTS]; PHASES];
            for (i, column) in columns.iter().enumerate() {
                let at = |column_idx: usize| {
                    column[column_idx % PHASES * phase + column_idx / PHASES * LANES + j]
                };
                for (p, moments) in moments.iter_mut().enumerate() {
                    let mut sum = at(p + RADIUS);
                    for (k, tap) in outer.iter().enumerate() {
                        sum = tap.mul_add(at(p + k) + at(p + SIZE - 1 - k), sum);
                    }
                    moments[i] = sum;
                }
            }
            for (p, moments) in moments.into_iter().enumerate() {
                totals[p * phase + j] += similarity.of(moments);
            }
        }
    }
}
