//! The uniform window of 7×7.
//!
//! ```text
//! for every row
//!   columns += s, d, s², d² of this row − those of the row that the window leaves
//!   from row 6 on:
//!     totals += SSIM(columns, summed along the row)              `sevens.rs`
//! ```
//!
//! The running sums carry their rounding errors along. They begin anew with each band, so an error of one part in 2⁵³ grows by the root of 128 at
//! most, and a pixel that is larger than the others by orders of magnitude spoils no other band. Along the row, sums are made anew. The row that the
//! window leaves is read and multiplied a second time, which costs less than keeping its moments. Pixels stay in their order: with so
//! few taps, lanes as in `lanes.rs` cost more than they save.

use std::ops::Range;

use multiversion::multiversion;
use multiversion::target::match_target;
use ndarray::ArrayView2;

use super::lanes::{LANES, Sight, aligned, line_in_place, read_line, zeros};
use super::prefetch::ahead;
use super::{MOMENTS, Measure, Similarity, sevens};
use crate::pixel::Pixel;

/// Pixels on each side of the window.
pub(super) const SIZE: usize = 7;

/// Positions in a tile: their moments fit the second-level cache, and most rows come from the memory as they lie there. Buffers whose length is a
/// power of two are slower.
const TILE: usize = 4000;

/// Buffers, used again for each band.
#[derive(Debug)]
pub(super) struct Scratch<T> {
    /// The last rows of truth and prediction, where they cannot be read where they are.
    lines: [[Vec<T>; 2]; SIZE + 1],
    columns: [Vec<f64>; MOMENTS],
    totals: Vec<f64>,
}

impl<T: Pixel> Scratch<T> {
    /// Buffers for so many positions in a row.
    pub(super) fn new(n_positions: usize) -> Self {
        let n = n_positions.min(TILE);
        Self {
            lines: std::array::from_fn(|_| [vec![], vec![]]),
            columns: std::array::from_fn(|_| zeros(sevens::n_read(n))),
            totals: zeros(n.next_multiple_of(LANES)),
        }
    }

    /// The sum over some rows of positions in an image.
    pub(super) fn sum(
        &mut self,
        measure: Measure<'_>,
        images: [ArrayView2<'_, T>; 2],
        positions: Range<usize>,
        n_positions: usize,
    ) -> f64 {
        let mut sum = 0.0;
        for first in (0..n_positions).step_by(TILE) {
            let n = TILE.min(n_positions - first);
            let sight = Sight {
                border: measure.border,
                n_taps: SIZE,
                first,
            };
            for line in self.lines.as_flattened_mut() {
                line.resize(n + SIZE - 1, images[0][[0, 0]]);
            }
            add_tile(measure.similarity, sight, images, positions.clone(), self);
            sum += aligned(&mut self.totals)[..n].iter().sum::<f64>();
        }
        sum
    }
}

/// Leaves the sums down the columns in the totals.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn add_tile<T: Pixel>(
    similarity: Similarity,
    sight: Sight,
    images: [ArrayView2<'_, T>; 2],
    positions: Range<usize>,
    scratch: &mut Scratch<T>,
) {
    let width = scratch.lines[0][0].len();
    let mut columns = scratch.columns.each_mut().map(|column| aligned(column));
    let n = width - (SIZE - 1);
    // Vectors of 512 bits are summed whole.
    let totals = &mut aligned(&mut scratch.totals)[..n.next_multiple_of(LANES)];
    totals.fill(0.0);
    columns.iter_mut().for_each(|column| column.fill(0.0));
    for i in positions.start..positions.end + SIZE - 1 {
        let slots = [i % (SIZE + 1), (i + 1) % (SIZE + 1)];
        let lines = scratch.lines.get_disjoint_mut(slots);
        let [[x_line, y_line], [old_x_line, old_y_line]] = lines.expect("they are neighbours");
        let new = [
            read_line(sight, images[0], i, x_line),
            read_line(sight, images[1], i, y_line),
        ];
        let old = (i >= positions.start + SIZE).then(|| {
            let i = i - SIZE;
            [
                line_in_place(sight, images[0], i, width).unwrap_or(old_x_line),
                line_in_place(sight, images[1], i, width).unwrap_or(old_y_line),
            ]
        });
        slide(new, old, &mut columns);
        if i + 1 >= positions.start + SIZE {
            let [s, d, ss, dd] = &columns;
            let columns: [&[f64]; MOMENTS] = [s, d, ss, dd];
            let ahead = images.map(|image| ahead(sight, image, i + 1));
            match_target! {
                "x86_64+avx512f+avx512bw+avx512vl+avx512dq" => sevens::add_by_512(similarity, columns, totals, ahead),
                _ => sevens::add(similarity, columns, totals, ahead),
            }
        }
    }
}

/// Slides the window down by a row: adds the moments of a row of pixels, and takes away those of the row that it leaves.
#[inline(always)]
fn slide<T: Pixel>(
    [xs, ys]: [&[T]; 2],
    old: Option<[&[T]; 2]>,
    [s, d, ss, dd]: &mut [&mut [f64]; MOMENTS],
) {
    let n = xs.len();
    let (ys, s, d) = (&ys[..n], &mut s[..n], &mut d[..n]);
    let (ss, dd) = (&mut ss[..n], &mut dd[..n]);
    if let Some([old_xs, old_ys]) = old {
        let (old_xs, old_ys) = (&old_xs[..n], &old_ys[..n]);
        for j in 0..n {
            let (x, y) = (xs[j].to_f64(), ys[j].to_f64());
            let (u, v) = (old_xs[j].to_f64(), old_ys[j].to_f64());
            let (sum, difference) = (x + y, x - y);
            let (old_sum, old_difference) = (u + v, u - v);
            s[j] += sum - old_sum;
            d[j] += difference - old_difference;
            ss[j] += sum * sum - old_sum * old_sum;
            dd[j] += difference * difference - old_difference * old_difference;
        }
    } else {
        for j in 0..n {
            let (x, y) = (xs[j].to_f64(), ys[j].to_f64());
            let (sum, difference) = (x + y, x - y);
            s[j] += sum;
            d[j] += difference;
            ss[j] += sum * sum;
            dd[j] += difference * difference;
        }
    }
}
