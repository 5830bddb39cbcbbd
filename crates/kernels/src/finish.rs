//! What happens to a value on its way into an output, the same choices for every kernel.

use crate::View;
use crate::simd::Vector;

/// What becomes of a sum.
#[derive(Debug, Clone, Copy)]
pub enum Finish<'a> {
    /// It is the output.
    Keep,
    /// Its positive part is.
    Relu,
    /// It is kept where the value in this view of this slice, of the output's shape, is positive: ReLU's gradient.
    Mask(&'a [f32], View),
}

/// Whether an output is replaced or added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accumulate {
    /// What was there is lost.
    Write,
    /// What was there is the first term of the sum.
    Add,
}

impl Finish<'_> {
    /// # Panics
    /// When the mask's view leaves its slice or is of another shape than the output.
    pub(crate) fn check(&self, output: &View) {
        if let Finish::Mask(mask, view) = self {
            view.check(mask.len());
            view.check_same(output);
        }
    }

    /// The output from its value; (`row`, `column`) is its pixel and `channel` its first channel.
    #[inline(always)]
    pub(crate) fn apply<V: Vector>(
        &self,
        value: V,
        row: usize,
        column: usize,
        channel: usize,
    ) -> V {
        let zero = V::splat(0.0);
        match self {
            Finish::Keep => value,
            Finish::Relu => value.relu(),
            Finish::Mask(mask, view) => {
                V::load(&mask[view.at(row, column) + channel..]).select_gt(zero, value, zero)
            }
        }
    }
}

impl Accumulate {
    /// `value`, on top of what is at the beginning of `there` when that counts.
    #[inline(always)]
    pub(crate) fn onto<V: Vector>(self, there: &[f32], value: V) -> V {
        match self {
            Self::Write => value,
            Self::Add => V::load(there).add(value),
        }
    }
}
