//! One training pass over a batch: chunks in parallel, meetings in between, partial gradients summed in their order.

use juggle_kernels::{Buffer, Level, norm, optimizer};
use rayon::prelude::*;

use super::chunk::{Chunk, Context, Norm};
use super::plan::{Kind, Operation, Plan};
use super::prepared::Prepared;
use super::program::{Meeting, Program};
use crate::network::BATCH_NORM_EPS;
use crate::{Loss, Targets};

/// Parts that a batch is cut into, whatever the number of threads.
const CHUNKS: usize = 8;
/// Values of the parameters that one task works on.
pub(super) const BLOCK: usize = 4096;

/// What a pass needs besides the weights; kept from step to step.
#[derive(Debug)]
pub(super) struct Workspace {
    chunks: Vec<Chunk>,
    pub(super) norms: Vec<Norm>,
    prepared: Vec<Prepared>,
    /// The gradient of the mean loss by the parameters.
    pub(super) gradient: Buffer,
    /// Whether that is a training step's.
    pub(super) holds_a_step: bool,
    /// The batch's outputs, row-major.
    pub(super) outputs: Vec<f32>,
    /// What a meeting gathers from the chunks.
    statistics: Vec<f32>,
}

/// What a pass is made on.
pub(super) struct Batch<'a> {
    pub(super) inputs: &'a [f32],
    pub(super) loss: Loss,
    pub(super) targets: Targets<'a>,
    pub(super) n: usize,
}

impl Workspace {
    pub(super) fn new(plan: &Plan, program: &Program) -> Self {
        Self {
            chunks: (0..CHUNKS).map(|_| Chunk::default()).collect(),
            norms: plan
                .batch_norms
                .iter()
                .map(|norm| Norm::new(norm.weight.len()))
                .collect(),
            prepared: Prepared::for_plan(plan, &program.turned),
            gradient: Buffer::zeros(plan.parameters.len),
            holds_a_step: false,
            outputs: Vec::new(),
            statistics: Vec::new(),
        }
    }

    /// A placeholder without memory.
    pub(super) fn empty() -> Self {
        Self {
            chunks: Vec::new(),
            norms: Vec::new(),
            prepared: Vec::new(),
            gradient: Buffer::default(),
            holds_a_step: false,
            outputs: Vec::new(),
            statistics: Vec::new(),
        }
    }

    /// Forward, loss and backward; leaves the gradient and the outputs, and gives back the mean loss.
    pub(super) fn pass(
        &mut self,
        (plan, program, level): (&Plan, &Program, Level),
        parameters: &[f32],
        batch: &Batch<'_>,
    ) -> f64 {
        let n = batch.n;
        self.chunks
            .par_iter_mut()
            .enumerate()
            .for_each(|(i, chunk)| {
                let range = i * n / CHUNKS..(i + 1) * n / CHUNKS;
                chunk.prepare(plan, range, Some(&program.transient));
            });
        Prepared::update(&mut self.prepared, plan, level, parameters);
        for phase in &program.phases {
            let context = Context {
                plan,
                level,
                parameters,
                prepared: &self.prepared,
                norms: &self.norms,
                inputs: batch.inputs,
                training: Some((batch.loss, batch.targets)),
                n,
                transient: &program.transient,
            };
            self.chunks
                .par_iter_mut()
                .for_each(|chunk| chunk.run(&context, &phase.items));
            if let Some(meeting) = phase.then {
                self.meet(plan, parameters, meeting);
            }
        }
        self.sum_gradients(level);
        self.norm_gradients(plan, n);
        let losses = self
            .chunks
            .iter()
            .flat_map(|chunk| &chunk.losses[..chunk.range.len()]);
        let loss = losses.sum::<f64>() / n as f64;
        self.outputs.clear();
        for chunk in &self.chunks {
            self.outputs.extend_from_slice(&chunk.outputs);
        }
        loss
    }

    /// Pixels of an image in a batch normalisation.
    pub(super) fn area(&self, plan: &Plan, index: usize) -> usize {
        let operation = plan
            .operations
            .iter()
            .find(|operation| is_norm(operation, index));
        operation.map_or(1, |operation| {
            let view = plan.values[operation.input()].view;
            view.height * view.width
        })
    }

    fn meet(&mut self, plan: &Plan, parameters: &[f32], meeting: Meeting) {
        let (Meeting::Moments(i) | Meeting::Sums(i)) = meeting;
        let Kind::BatchNorm { index } = plan.operations[i].kind else {
            return;
        };
        let area = self.area(plan, index);
        self.statistics.clear();
        for chunk in &self.chunks {
            self.statistics.extend_from_slice(&chunk.statistics[index]);
        }
        let images = &self.statistics;
        let norm = &mut self.norms[index];
        match meeting {
            Meeting::Moments(_) => {
                norm::batch_moments(images, area, &mut norm.mean, &mut norm.variance);
                let tensors = &plan.batch_norms[index];
                scale_and_shift(
                    norm,
                    &parameters[tensors.weight.clone()],
                    &parameters[tensors.bias.clone()],
                );
            }
            Meeting::Sums(_) => {
                let channels = norm.mean.len();
                let count = (images.len() / (2 * channels) * area) as f64;
                for c in 0..channels {
                    let sum = |first: usize| {
                        let values = images.iter().skip(first).step_by(2 * channels);
                        values.map(|&x| f64::from(x)).sum::<f64>()
                    };
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "rounding to f32 is the point"
                    )]
                    {
                        norm.mean_dy[c] = (sum(c) / count) as f32;
                        norm.mean_product[c] = (sum(channels + c) / count) as f32;
                    }
                }
            }
        }
    }

    /// The gradients of batch normalisations' weights and biases: the sums whose means the input's gradient needed.
    fn norm_gradients(&mut self, plan: &Plan, n: usize) {
        for (index, norm) in plan.batch_norms.iter().enumerate() {
            let count = (n * self.area(plan, index)) as f64;
            let sums = [
                (&norm.weight, &self.norms[index].mean_product),
                (&norm.bias, &self.norms[index].mean_dy),
            ];
            for (range, means) in sums {
                for (gradient, &mean) in self.gradient[range.clone()].iter_mut().zip(means) {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "rounding to f32 is the point"
                    )]
                    let sum = (f64::from(mean) * count) as f32;
                    *gradient = sum;
                }
            }
        }
    }

    fn sum_gradients(&mut self, level: Level) {
        let chunks = &self.chunks;
        self.gradient
            .par_chunks_mut(BLOCK)
            .enumerate()
            .for_each(|(block, total)| {
                total.fill(0.0);
                for chunk in chunks.iter().filter(|chunk| !chunk.range.is_empty()) {
                    let part = &chunk.parameter_gradient[block * BLOCK..][..total.len()];
                    optimizer::add(level, total, part);
                }
            });
    }
}

fn is_norm(operation: &Operation, index: usize) -> bool {
    matches!(operation.kind, Kind::BatchNorm { index: other } if other == index)
}

/// From mean and variance to the factor and the summand of the normalisation.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to f32 is the point"
)]
pub(super) fn scale_and_shift(norm: &mut Norm, weight: &[f32], bias: &[f32]) {
    for c in 0..weight.len() {
        let rstd = 1.0 / (f64::from(norm.variance[c]) + BATCH_NORM_EPS).sqrt();
        let scale = f64::from(weight[c]) * rstd;
        norm.rstd[c] = rstd as f32;
        norm.scale[c] = scale as f32;
        norm.shift[c] = (f64::from(bias[c]) - f64::from(norm.mean[c]) * scale) as f32;
    }
}
