//! Convolutions by Winograd's algorithm: one or two inputs, gathered from where they lie.

use std::mem;

use juggle_kernels::conv::winograd::large::{self, Pool};
use juggle_kernels::conv::winograd::{self, Input, Output, Scale, Square};
use juggle_kernels::conv::{self, Start};
use juggle_kernels::{Buffer, Finish};

use super::backward::start;
use super::chunk::{Chunk, Context};
use super::plan::{Kind, Operation, Part, Plan};
use super::program::PartGradient;

/// The inputs of a convolution with their padding; the second repeats the first where there is one.
fn inputs<'a>(
    plan: &Plan,
    operation: &Operation,
    slot: usize,
    values: &'a [Buffer],
) -> ([Input<'a>; 2], usize) {
    let input = |i: usize| {
        let part = operation.inputs[i];
        Input {
            values: &values[plan.values[part.value].buffer],
            view: plan.view(part.value, slot).padded(1),
            scale: part.scale,
        }
    };
    let n = operation.inputs.len();
    ([input(0), input(n - 1)], n)
}

fn finish(operation: &Operation) -> Finish<'static> {
    if operation.relu {
        Finish::Relu
    } else {
        Finish::Keep
    }
}

impl Chunk {
    pub(super) fn winograd_forward(&mut self, context: &Context<'_>, i: usize, slot: usize) {
        let plan = context.plan;
        let operation = &plan.operations[i];
        let Kind::Convolution { bias, .. } = &operation.kind else {
            return;
        };
        let to = plan.values[operation.output].buffer;
        let mut ys = mem::take(&mut self.values[to]);
        let (inputs, n) = inputs(plan, operation, slot, &self.values);
        if operation.large_tiles {
            let pool = if operation.pools {
                Pool::Maximum
            } else {
                Pool::None
            };
            large::convolve(
                context.level,
                &inputs[..n],
                &context.prepared[i].products,
                (&context.parameters[bias.clone()], finish(operation)),
                (&mut ys, plan.view(operation.output, slot), pool),
                &mut self.scratch,
            );
            self.values[to] = ys;
            return;
        }
        let output = Output {
            values: &mut ys,
            view: plan.view(operation.output, slot),
            square: if operation.pools {
                Square::Maximum
            } else {
                Square::Pixels
            },
            start: Start::Bias(&context.parameters[bias.clone()]),
            finish: finish(operation),
        };
        winograd::convolve(
            context.level,
            &inputs[..n],
            &context.prepared[i].products,
            &mut [output],
            &mut self.scratch,
        );
        self.values[to] = ys;
    }

    /// Adds to the gradient of the products; [`Chunk::untransform`] makes that of the weights of it.
    pub(super) fn winograd_gradient(&mut self, context: &Context<'_>, i: usize, slot: usize) {
        let (plan, level) = (context.plan, context.level);
        let operation = &plan.operations[i];
        let Kind::Convolution {
            bias, bias_learns, ..
        } = &operation.kind
        else {
            return;
        };
        let dy = context.gradient_view(operation.output, slot);
        let dys = (&*self.gradients[plan.values[operation.output].buffer], dy);
        let (inputs, n) = inputs(plan, operation, slot, &self.values);
        let products = &mut self.product_gradients[i];
        winograd::weight_gradient(level, &inputs[..n], dys, products, &mut self.scratch);
        if *bias_learns {
            conv::bias_gradient(level, dys, &mut self.parameter_gradient[bias.clone()]);
        }
    }

    pub(super) fn untransform(&mut self, context: &Context<'_>, i: usize) {
        if let Kind::Convolution { weight, .. } = &context.plan.operations[i].kind {
            let gradient = &mut self.parameter_gradient[weight.clone()];
            winograd::untransform_gradient(context.level, &self.product_gradients[i], gradient);
        }
    }

    pub(super) fn winograd_input_gradient(
        &mut self,
        context: &Context<'_>,
        i: usize,
        into: [PartGradient; 2],
        slot: usize,
    ) {
        let plan = context.plan;
        let operation = &plan.operations[i];
        let n = operation.inputs.len();
        // The parts differ in size, so they never share a buffer.
        let parts = [operation.inputs[0], operation.inputs[n - 1]];
        let buffers = parts.map(|part| plan.values[part.value].buffer);
        let mut first = mem::take(&mut self.gradients[buffers[0]]);
        let mut second = mem::take(&mut self.gradients[buffers[n - 1]]);
        let values = &self.values;
        let output = |dxs, part: Part, into: PartGradient| Output {
            values: dxs,
            view: context.gradient_view(part.value, slot),
            square: match part.scale {
                Scale::Same => Square::Pixels,
                Scale::Half => Square::Sum,
            },
            start: start(into.accumulate),
            finish: if into.masked {
                let mask = &values[plan.values[part.value].buffer];
                Finish::Mask(mask, plan.view(part.value, slot))
            } else {
                Finish::Keep
            },
        };
        let mut outputs = [
            output(&mut *first, parts[0], into[0]),
            output(&mut *second, parts[1], into[1]),
        ];
        let input = Input {
            values: &self.gradients[plan.values[operation.output].buffer],
            view: context.gradient_view(operation.output, slot).padded(1),
            scale: Scale::Same,
        };
        winograd::convolve(
            context.level,
            &[input],
            &context.prepared[i].turned,
            &mut outputs[..n],
            &mut self.scratch,
        );
        if n == 2 {
            self.gradients[buffers[1]] = second;
        }
        self.gradients[buffers[0]] = first;
    }
}
