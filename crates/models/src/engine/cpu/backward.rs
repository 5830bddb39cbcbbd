//! What one thread does with a chunk on the way back, image by image.

use std::mem;

use juggle_kernels::conv::{self, Start};
use juggle_kernels::{Accumulate, Finish, View, copy, norm, pool};

use super::chunk::{Chunk, Context};
use super::plan::{Kind, Operation, Plan};
use super::program::PartGradient;

impl Chunk {
    pub(super) fn sums(&mut self, context: &Context<'_>, i: usize, image: usize, slot: usize) {
        let plan = context.plan;
        let operation = &plan.operations[i];
        let Kind::BatchNorm { index } = operation.kind else {
            return;
        };
        let (x, dy) = (
            plan.view(operation.input(), slot),
            context.gradient_view(operation.output, slot),
        );
        let statistics = &mut self.statistics[index][image * 2 * x.channels..][..2 * x.channels];
        let norm = &context.norms[index];
        norm::gradient_sums(
            context.level,
            (&self.values[plan.values[operation.input()].buffer], x),
            (&self.gradients[plan.values[operation.output].buffer], dy),
            (&norm.mean, &norm.rstd),
            statistics.split_at_mut(x.channels),
        );
    }

    pub(super) fn convolution_gradient(&mut self, context: &Context<'_>, i: usize, slot: usize) {
        let (plan, level) = (context.plan, context.level);
        let operation = &plan.operations[i];
        let Kind::Convolution {
            side,
            stride,
            padding,
            weight,
            bias,
            bias_learns,
            ..
        } = &operation.kind
        else {
            return;
        };
        let x = plan.view(operation.input(), slot);
        let x = x.padded(*padding).covered(*side, *stride);
        let xs = (&*self.values[plan.values[operation.input()].buffer], x);
        let dy = context.gradient_view(operation.output, slot);
        let dys = (&*self.gradients[plan.values[operation.output].buffer], dy);
        let gradient = &mut self.parameter_gradient[weight.clone()];
        conv::strided_weight_gradient(level, *stride, xs, dys, gradient);
        if *bias_learns {
            conv::bias_gradient(level, dys, &mut self.parameter_gradient[bias.clone()]);
        }
    }

    pub(super) fn input_gradient(
        &mut self,
        context: &Context<'_>,
        i: usize,
        into: PartGradient,
        slot: usize,
    ) {
        let (plan, level) = (context.plan, context.level);
        let operation = &plan.operations[i];
        let x = plan.view(operation.input(), slot);
        let dx = context.gradient_view(operation.input(), slot);
        let dy = context.gradient_view(operation.output, slot);
        let to = plan.values[operation.input()].buffer;
        let mut dxs = mem::take(&mut self.gradients[to]);
        let dys = &*self.gradients[plan.values[operation.output].buffer];
        let xs = &*self.values[to];
        let accumulate = into.accumulate;
        let finish = if into.masked {
            Finish::Mask(xs, x)
        } else {
            Finish::Keep
        };
        match &operation.kind {
            Kind::Convolution { side, padding, .. } => {
                let dys = match spread(plan, operation) {
                    None => (dys, reached(dy, *side, *padding)),
                    Some((pixels, reached)) => {
                        let to = (&mut *self.spread[i], pixels);
                        copy::copy(level, (dys, dy), to, Accumulate::Write, Finish::Keep);
                        (&*self.spread[i], reached)
                    }
                };
                let weight = &context.prepared[i].turned;
                let into = (&mut *dxs, dx);
                conv::forward(level, dys, weight, into, start(accumulate), finish);
            }
            Kind::BatchNorm { index } => {
                let batch = context.norms[*index].gradient();
                let (xs, dys, dxs) = ((xs, x), (dys, dy), (&mut *dxs, dx));
                norm::input_gradient(level, xs, dys, batch, dxs, accumulate, finish);
            }
            Kind::MaxPool { side } => {
                let into = (&mut *dxs, dx);
                pool::max_pool_gradient(level, *side, (xs, x), (dys, dy), into, accumulate, finish);
            }
            Kind::Upsample { side } => {
                pool::upsample_gradient(
                    level,
                    *side,
                    (dys, dy),
                    (&mut dxs, dx),
                    accumulate,
                    finish,
                );
            }
            Kind::Copy => copy::copy(level, (dys, dy), (&mut dxs, dx), accumulate, finish),
            Kind::Linear { .. } => unreachable!("linear layers work on the chunk"),
        }
        self.gradients[to] = dxs;
    }
}

/// A convolution's output as its input's gradient sees it: it reaches `side − 1` pixels around, and what padding caught is
/// cut off again.
fn reached(dy: View, side: usize, padding: usize) -> View {
    match (side - 1).checked_sub(padding) {
        Some(border) => dy.padded(border),
        None => dy.cropped(padding + 1 - side),
    }
}

/// The gradient of a strided convolution's output as it would be at a stride of 1, in memory of its own: the pixels that it has,
/// between which are zeros, and all that its input's gradient sees.
pub(super) fn spread(plan: &Plan, operation: &Operation) -> Option<(View, View)> {
    let Kind::Convolution {
        side,
        stride: stride @ 2..,
        padding,
        ..
    } = operation.kind
    else {
        return None;
    };
    let (x, y) = (
        plan.values[operation.input()].view,
        plan.values[operation.output].view,
    );
    let full = |pixels: usize| pixels + 2 * padding + 1 - side;
    let border = (side - 1).saturating_sub(padding);
    let whole = View::bordered(full(x.height), full(x.width), y.channels, border);
    Some((whole.every(stride), reached(whole, side, padding)))
}

/// Whether a convolution's sums begin with what is there.
pub(super) fn start(accumulate: Accumulate) -> Start<'static> {
    match accumulate {
        Accumulate::Write => Start::Zero,
        Accumulate::Add => Start::Existing,
    }
}
