//! The Gaussian window of 11×11.
//!
//! ```text
//! ring    = s, d of the last twenty rows
//! for every tenth row
//!   columns = s, d, s² + κ, d² filtered down the columns, for ten rows of positions from the same twenty loads
//!   for each of the ten
//!     totals += SSIM(columns filtered along the row, for four positions from the same fourteen loads)
//! ```
//!
//! The window is symmetric: the two pixels that a tap meets are added first, which leaves five multiply-adds and five additions for each moment
//! and direction. Squares are made again for each ten rows of positions, which costs less than storing and loading them. κ is C2 divided by what
//! the filters make of a one: a multiply-add where the square is made, in place of an addition in the formula.
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
pub(super) const ROWS: usize = 10;

/// The same where so few are left.
const HALF: usize = ROWS / 2;

/// Rows of pixels that they see.
const RING: usize = ROWS + SIZE - 1;

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

/// The window along a row.
///
/// Its alignment is for [`Taps::on_the_stack`].
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Taps {
    /// Before the middle one, which is 1.
    outer: [f64; RADIUS],
    /// Of all.
    sum: f64,
}

impl Taps {
    /// A copy in memory, for which the compiler aligns the stack to cache lines.
    ///
    /// Otherwise the vectors for which there are no registers lie across two lines or not, as the callers' frames happen to be: with AVX2 that made
    /// a sixth of the whole time.
    #[inline(always)]
    fn on_the_stack(self) -> Self {
        std::hint::black_box(self)
    }
}

/// Buffers for rows of `W` values.
#[derive(Debug)]
pub(super) struct Rows<const W: usize> {
    taps: Taps,
    ring: Vec<f64>,
    columns: Vec<f64>,
    totals: Vec<f64>,
}

impl Scratch {
    /// Buffers for a window of [`SIZE`] and so many positions in a strip.
    pub(super) fn new(window: &Window, strip: usize) -> Self {
        let taps = window.taps_of_middle_one();
        let taps = Taps {
            outer: std::array::from_fn(|k| taps[k]),
            sum: taps.iter().sum(),
        };
        if strip <= SMALL_STRIP {
            Self::Small(Rows::new(taps))
        } else {
            Self::Large(Rows::new(taps))
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
    fn new(taps: Taps) -> Self {
        Self {
            taps,
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
        let taps = &self.taps;
        let kappa = similarity.c2 / (similarity.weight * (taps.sum * taps.sum));
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
            let n = n_done - first;
            let filter = match (first.is_multiple_of(RING), n > HALF) {
                (true, true) => filter_columns::<0, ROWS, W>,
                (true, false) => filter_columns::<0, HALF, W>,
                (false, true) => filter_columns::<ROWS, ROWS, W>,
                (false, false) => filter_columns::<ROWS, HALF, W>,
            };
            filter(taps, kappa, ring, n_columns, columns);
            for (k, columns) in columns[..n].iter().enumerate() {
                let ahead = block.ahead(positions.start + i + 1 + k);
                add_positions(taps, similarity, columns, n_positions, totals, ahead);
            }
        }
        block.add(totals, W / PHASES, sums);
    }
}

/// Filters the moments down the columns for `N` rows of positions. The pixels of the first begin in row `FIRST` of the ring.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn filter_columns<const FIRST: usize, const N: usize, const W: usize>(
    taps: &Taps,
    kappa: f64,
    ring: &[[[f64; W]; 2]; RING],
    n_columns: usize,
    columns: &mut [[[f64; W]; MOMENTS]; ROWS],
) {
    let Taps { outer, .. } = taps.on_the_stack();
    // A chunk has a length that is known when compiling, at the price of computing on some values that nobody asks for.
    let chunk = const { W / CHUNKS };
    let weigh = |pixels: &[f64; SIZE + ROWS - 1], row: usize| {
        let mut sum = pixels[row + RADIUS];
        for (k, tap) in outer.iter().enumerate() {
            sum = tap.mul_add(pixels[row + k] + pixels[row + SIZE - 1 - k], sum);
        }
        sum
    };
    for (moment, kappa) in [kappa, 0.0].into_iter().enumerate() {
        for first in (0..W).step_by(chunk) {
            if first % (W / PHASES) >= n_columns {
                continue;
            }
            for j in first..first + chunk {
                let pixels = std::array::from_fn(|k| ring[(k + FIRST) % RING][moment][j]);
                for (row, columns) in columns[..N].iter_mut().enumerate() {
                    columns[moment][j] = weigh(&pixels, row);
                }
            }
            for j in first..first + chunk {
                let squares = std::array::from_fn(|k| {
                    let pixel = ring[(k + FIRST) % RING][moment][j];
                    pixel.mul_add(pixel, kappa)
                });
                for (row, columns) in columns[..N].iter_mut().enumerate() {
                    columns[moment + 2][j] = weigh(&squares, row);
                }
            }
        }
    }
}

/// Adds the values of a row of positions, and meanwhile asks the memory for rows of both images.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn add_positions<T: Pixel, const W: usize>(
    taps: &Taps,
    similarity: Similarity,
    columns: &[[f64; W]; MOMENTS],
    n_positions: usize,
    totals: &mut [f64; W],
    ahead: [&[T]; 2],
) {
    let Taps { outer, .. } = taps.on_the_stack();
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
                totals[p * phase + j] += similarity.of_raised(moments);
            }
        }
    }
}
