//! The optimisers over the flat parameters, block by block on all threads: every value on its own, so no order matters.

use juggle_kernels::{Buffer, Level, optimizer};
use rayon::prelude::*;

use super::step::BLOCK;
use crate::Optimizer;
use crate::optimizer::{ADAM_BETA1, ADAM_BETA2, ADAM_EPS};

/// What the optimiser remembers between steps.
#[derive(Debug)]
pub(super) struct Moments {
    pub(super) steps: i32,
    /// Adam's first moments, or the momentum.
    pub(super) first: Buffer,
    /// Adam's second moments; unused by SGD.
    pub(super) second: Buffer,
}

impl Moments {
    pub(super) fn new(len: usize) -> Self {
        Self {
            steps: 0,
            first: Buffer::zeros(len),
            second: Buffer::zeros(len),
        }
    }

    /// Moves every parameter by its gradient.
    pub(super) fn update(
        &mut self,
        level: Level,
        optimizer: Optimizer,
        (parameters, gradient): (&mut [f32], &[f32]),
        learning_rate: f64,
    ) {
        self.steps = self.steps.saturating_add(1);
        let step = adam_step(optimizer, self.steps, learning_rate);
        let blocks = parameters
            .par_chunks_mut(BLOCK)
            .zip(gradient.par_chunks(BLOCK))
            .zip(self.first.par_chunks_mut(BLOCK))
            .zip(self.second.par_chunks_mut(BLOCK));
        blocks.for_each(
            |(((parameters, gradient), first), second)| match optimizer {
                Optimizer::Adam { .. } | Optimizer::AdamW { .. } => {
                    optimizer::adam(level, step, parameters, gradient, first, second);
                }
                Optimizer::Sgd {
                    momentum,
                    weight_decay,
                } => {
                    let factors = (
                        rounded(learning_rate),
                        rounded(momentum),
                        rounded(weight_decay),
                    );
                    optimizer::sgd(level, factors, parameters, gradient, first);
                }
            },
        );
    }
}

/// The Euclidean norm of all values, in f64. Eight chains of sums, each over every eighth value, which are then added in
/// their order: the same bits whatever the processor and the number of threads.
pub(super) fn norm(values: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let (vectors, rest) = values.as_chunks::<8>();
    for vector in vectors {
        for (sum, &x) in sums.iter_mut().zip(vector) {
            *sum += f64::from(x) * f64::from(x);
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum += f64::from(x) * f64::from(x);
    }
    sums.iter().sum::<f64>().sqrt()
}

fn adam_step(optimizer: Optimizer, t: i32, learning_rate: f64) -> optimizer::Adam {
    let (penalty, decay) = match optimizer {
        Optimizer::Adam { weight_decay } => (weight_decay, 0.0),
        Optimizer::AdamW { weight_decay } => (0.0, weight_decay),
        Optimizer::Sgd { .. } => (0.0, 0.0),
    };
    optimizer::Adam {
        beta1: rounded(ADAM_BETA1),
        one_minus_beta1: rounded(1.0 - ADAM_BETA1),
        beta2: rounded(ADAM_BETA2),
        one_minus_beta2: rounded(1.0 - ADAM_BETA2),
        eps: rounded(ADAM_EPS),
        step_size: rounded(learning_rate / (1.0 - power(ADAM_BETA1, t))),
        correction: rounded((1.0 - power(ADAM_BETA2, t)).sqrt()),
        penalty: rounded(penalty),
        shrink: rounded(1.0 - learning_rate * decay),
    }
}

/// `base` to the power of `t` ≥ 0 by squaring: the standard library leaves the precision of `powi` to the platform.
fn power(base: f64, t: i32) -> f64 {
    let (mut result, mut square, mut left) = (1.0, base, t);
    while left > 0 {
        if left % 2 == 1 {
            result *= square;
        }
        square *= square;
        left /= 2;
    }
    result
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to f32 is the point"
)]
pub(super) fn rounded(x: f64) -> f32 {
    x as f32
}
