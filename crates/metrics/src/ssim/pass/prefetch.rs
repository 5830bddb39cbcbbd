//! Asks the memory for pixels a row or more before they are read, while there is arithmetic to do.
//!
//! The processor foresees reads that follow each other. Rows of a tile lie apart, and rows of two images alternate, so of a large image it waited
//! for an eighth to a fifth of the time. A request changes no value, and needs no address that is valid.

use std::ops::Range;

use ndarray::{ArrayView2, Axis};

use super::lanes::Sight;

const CACHE_LINE: usize = 64;

/// Shorter rows are read before a request would come back.
const LEAST_WIDTH: usize = 256;

/// The pixels of row `i` of what the windows see, from the first position to the end of the row; none where they do not lie side by side.
#[inline]
pub(super) fn ahead<'a, T>(sight: Sight, image: ArrayView2<'a, T>, i: usize) -> &'a [T] {
    let (height, width) = image.dim();
    if width < LEAST_WIDTH {
        return &[];
    }
    let i = sight.border.source(i, sight.n_taps, height);
    let row = image.index_axis_move(Axis(0), i.min(height - 1));
    let row = row.to_slice().unwrap_or_default();
    let first = sight.first.saturating_sub(sight.inner(width).start);
    row.get(first..).unwrap_or_default()
}

/// Asks for some of the pixels, as far as there are so many. Called often with few of them, it never has to wait itself.
#[inline(always)]
pub(super) fn ask_for<T>(pixels: &[T], range: Range<usize>) {
    for i in range.step_by(const { CACHE_LINE / size_of::<T>() }) {
        if i < pixels.len() {
            prefetch_index::prefetch_index(pixels, i);
        }
    }
}
