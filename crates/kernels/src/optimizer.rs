//! What moves the weights: all of a network's parameters as one slice, a multiple of 16 long.
//!
//! The arithmetic is that of `torch.optim` in f32, each multiply-add rounded once.

use crate::simd::{Kernel, Vector};
use crate::{LANES, Level};

/// Parameters and first moments below this size become zero.
///
/// L2 shrinks the weights of a dead unit geometrically, in the end to subnormal numbers. Adam's ε of 1e-8 lets a moment of
/// this size move a weight by 1e-12 learning rates, far below the rounding of any live weight.
const NEGLIGIBLE: f32 = 1e-20;

/// One step of Adam or AdamW: Kingma and Ba, "Adam" (2015), algorithm 1; Loshchilov and Hutter (2019) for the decoupled decay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// β₁.
    pub beta1: f32,
    /// 1 − β₁, rounded from its exact value.
    pub one_minus_beta1: f32,
    /// β₂.
    pub beta2: f32,
    /// 1 − β₂, rounded from its exact value.
    pub one_minus_beta2: f32,
    /// ε, added to the corrected root of the second moment.
    pub eps: f32,
    /// The learning rate divided by 1 − β₁ᵗ.
    pub step_size: f32,
    /// √(1 − β₂ᵗ).
    pub correction: f32,
    /// Added to the gradient, times the parameter: Adam's L2 penalty.
    pub penalty: f32,
    /// What the parameter is multiplied by first: AdamW's decay, 1 for Adam.
    pub shrink: f32,
}

/// Moves the parameters and both moments by one step.
///
/// # Panics
/// When the slices differ in length, or their length is no multiple of 16.
pub fn adam(
    level: Level,
    step: Adam,
    parameters: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    check(
        parameters.len(),
        &[gradient.len(), first.len(), second.len()],
    );
    level.run(AdamStep {
        step,
        parameters,
        gradient,
        first,
        second,
    });
}

/// One step of SGD: `momentum ← factor · momentum + gradient + penalty · parameter; parameter −= learning_rate · momentum`.
///
/// # Panics
/// As [`adam`].
pub fn sgd(
    level: Level,
    (learning_rate, factor, penalty): (f32, f32, f32),
    parameters: &mut [f32],
    gradient: &[f32],
    momentum: &mut [f32],
) {
    check(parameters.len(), &[gradient.len(), momentum.len()]);
    level.run(SgdStep {
        learning_rate,
        factor,
        penalty,
        parameters,
        gradient,
        momentum,
    });
}

/// `average ← kept · average + share · newest`.
///
/// # Panics
/// As [`adam`].
pub fn average(level: Level, (kept, share): (f32, f32), average: &mut [f32], newest: &[f32]) {
    check(average.len(), &[newest.len()]);
    level.run(Average {
        kept,
        share,
        average,
        newest,
    });
}

/// `total ← total + part`.
///
/// # Panics
/// As [`adam`].
pub fn add(level: Level, total: &mut [f32], part: &[f32]) {
    check(total.len(), &[part.len()]);
    level.run(Add { total, part });
}

fn check(len: usize, others: &[usize]) {
    assert!(len.is_multiple_of(LANES), "{len} values are whole vectors");
    assert!(
        others.iter().all(|&other| other == len),
        "slices of one length"
    );
}

struct AdamStep<'a> {
    step: Adam,
    parameters: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Kernel for AdamStep<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let of = V::splat;
        let step = self.step;
        let lanes = V::LANES;
        let moments = self
            .first
            .chunks_exact_mut(lanes)
            .zip(self.second.chunks_exact_mut(lanes));
        let values = self
            .parameters
            .chunks_exact_mut(lanes)
            .zip(self.gradient.chunks_exact(lanes));
        for ((x_at, gradient), (first_at, second_at)) in values.zip(moments) {
            let x = V::load(x_at);
            let gradient = x.mul_add(of(step.penalty), V::load(gradient));
            let first =
                V::load(first_at).mul_add(of(step.beta1), gradient.mul(of(step.one_minus_beta1)));
            let square = gradient.mul(gradient).mul(of(step.one_minus_beta2));
            let second = V::load(second_at).mul_add(of(step.beta2), square);
            let denominator = second.sqrt().div(of(step.correction)).add(of(step.eps));
            let direction = first.div(denominator);
            let moved = direction.mul_add(of(-step.step_size), x.mul(of(step.shrink)));
            flushed(moved, NEGLIGIBLE).store(x_at);
            flushed(first, NEGLIGIBLE).store(first_at);
            flushed(second, f32::MIN_POSITIVE).store(second_at);
        }
    }
}

/// Zero where a value's size is below `least`; NaN stays. A moment whose gradient is zero for good shrinks to a subnormal
/// number and stays there, and processors take many times as long over those.
#[inline(always)]
fn flushed<V: Vector>(x: V, least: f32) -> V {
    let zero = V::splat(0.0);
    let size = x.select_gt(zero, x, zero.sub(x));
    V::splat(least).select_gt(size, zero, x)
}

struct SgdStep<'a> {
    learning_rate: f32,
    factor: f32,
    penalty: f32,
    parameters: &'a mut [f32],
    gradient: &'a [f32],
    momentum: &'a mut [f32],
}

impl Kernel for SgdStep<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let lanes = V::LANES;
        let values = self
            .parameters
            .chunks_exact_mut(lanes)
            .zip(self.gradient.chunks_exact(lanes));
        for ((x_at, gradient), momentum_at) in values.zip(self.momentum.chunks_exact_mut(lanes)) {
            let x = V::load(x_at);
            let gradient = x.mul_add(V::splat(self.penalty), V::load(gradient));
            let momentum = V::load(momentum_at).mul_add(V::splat(self.factor), gradient);
            let moved = momentum.mul_add(V::splat(-self.learning_rate), x);
            flushed(moved, NEGLIGIBLE).store(x_at);
            flushed(momentum, NEGLIGIBLE).store(momentum_at);
        }
    }
}

struct Average<'a> {
    kept: f32,
    share: f32,
    average: &'a mut [f32],
    newest: &'a [f32],
}

impl Kernel for Average<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let newest = self.newest.chunks_exact(V::LANES);
        for (average, newest) in self.average.chunks_exact_mut(V::LANES).zip(newest) {
            let share = V::load(newest).mul(V::splat(self.share));
            V::load(average)
                .mul_add(V::splat(self.kept), share)
                .store(average);
        }
    }
}

struct Add<'a> {
    total: &'a mut [f32],
    part: &'a [f32],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let parts = self.part.chunks_exact(V::LANES);
        for (total, part) in self.total.chunks_exact_mut(V::LANES).zip(parts) {
            V::load(total).add(V::load(part)).store(total);
        }
    }
}
