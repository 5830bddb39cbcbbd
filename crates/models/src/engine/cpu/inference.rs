//! Forward passes with running statistics: weights with batch normalisation folded in, and memory that is used again.

use std::sync::{Mutex, PoisonError};

use juggle_kernels::{Buffer, Level};
use rayon::prelude::*;

use super::chunk::{Chunk, Context, Norm};
use super::plan::{Kind, Plan};
use super::prepared::Prepared;
use super::program::Item;
use super::step::scale_and_shift;

/// Images that one task takes: enough for linear layers to work on several rows at once.
const GROUP: usize = 8;

/// How to run the network forwards; knows no weights.
#[derive(Debug)]
pub(super) struct Inference {
    pub(super) plan: Plan,
    items: Vec<Item>,
    /// Memory that no task uses at the moment.
    idle: Mutex<Vec<Chunk>>,
}

/// Weights as a forward pass wants them.
#[derive(Debug)]
pub(super) struct Folded {
    parameters: Buffer,
    prepared: Vec<Prepared>,
}

impl Inference {
    pub(super) fn new(plan: Plan) -> Self {
        let mut items = vec![Item::Load];
        items.extend((0..plan.operations.len()).map(Item::Forward));
        items.push(Item::Loss);
        Self {
            plan,
            items,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// The parameters with each batch normalisation in the convolution before it, or as its scale and shift.
    pub(super) fn fold(&self, level: Level, parameters: &[f32], running: &[f32]) -> Folded {
        let mut folded = Buffer::zeros(parameters.len());
        folded.copy_from_slice(parameters);
        for tensors in &self.plan.batch_norms {
            let mut norm = Norm::new(tensors.weight.len());
            norm.mean.copy_from_slice(&running[tensors.mean.clone()]);
            norm.variance
                .copy_from_slice(&running[tensors.variance.clone()]);
            let (weight, bias) = (
                &parameters[tensors.weight.clone()],
                &parameters[tensors.bias.clone()],
            );
            scale_and_shift(&mut norm, weight, bias);
            let Some((weight, bias)) = &tensors.joins else {
                folded[tensors.weight.clone()].copy_from_slice(&norm.scale);
                folded[tensors.bias.clone()].copy_from_slice(&norm.shift);
                continue;
            };
            for row in folded[weight.clone()].chunks_exact_mut(norm.scale.len()) {
                for (weight, scale) in row.iter_mut().zip(&norm.scale) {
                    *weight *= scale;
                }
            }
            for (c, bias) in folded[bias.clone()].iter_mut().enumerate() {
                *bias = bias.mul_add(norm.scale[c], norm.shift[c]);
            }
        }
        let mut prepared = Prepared::for_plan(&self.plan, &[]);
        Prepared::update(&mut prepared, &self.plan, level, &folded);
        Folded {
            parameters: folded,
            prepared,
        }
    }

    /// The outputs of a batch, row-major.
    pub(super) fn forward(
        &self,
        level: Level,
        folded: &Folded,
        inputs: &[f32],
        n: usize,
    ) -> Vec<f32> {
        let (image, norms) = (inputs.len() / n, []);
        let output = &self.plan.values[self.plan.output];
        let row = output.positions.len() * output.view.height * output.view.width;
        let group = if self.by_image() { 1 } else { GROUP };
        let run = |inputs: &[f32], outputs: &mut [f32]| {
            let mut chunk = self.idle().pop().unwrap_or_default();
            let n = inputs.len() / image;
            let context = Context {
                plan: &self.plan,
                level,
                parameters: &folded.parameters,
                prepared: &folded.prepared,
                norms: &norms,
                inputs,
                training: None,
                n,
                transient: &[],
            };
            chunk.prepare(&self.plan, 0..n, None);
            chunk.run(&context, &self.items);
            outputs.copy_from_slice(&chunk.outputs);
            self.idle().push(chunk);
        };
        let mut outputs = vec![0.0; n * row];
        if n <= group {
            // One task needs no other thread, and waking one costs more than a small image.
            run(inputs, &mut outputs);
        } else {
            let tasks = outputs
                .par_chunks_mut(group * row)
                .zip(inputs.par_chunks(group * image));
            tasks.for_each(|(outputs, inputs)| run(inputs, outputs));
        }
        outputs
    }

    fn by_image(&self) -> bool {
        let mut operations = self.plan.operations.iter();
        operations.all(|operation| !matches!(operation.kind, Kind::Linear { .. }))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Chunk>> {
        // Memory that a panicking task left behind is as good as any.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
