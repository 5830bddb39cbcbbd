//! Linear layers, which work on all images of a chunk at once, so that each weight is read once a chunk.
//!
//! The chunk's images are the pixels of a 1×1 convolution.

use std::mem;
use std::ops::Range;

use juggle_kernels::conv::{self, Start};
use juggle_kernels::{Finish, View};

use super::backward::start;
use super::chunk::{Chunk, Context};
use super::plan::{Kind, Plan};
use super::program::{Item, PartGradient};

/// A linear layer's tensors, and its input and output as the rows of a chunk.
struct Linear {
    weight: Range<usize>,
    bias: Range<usize>,
    relu: bool,
    /// The buffers of input and output, and where in them.
    input: (usize, View),
    output: (usize, View),
}

impl Linear {
    fn new(plan: &Plan, operation: usize, images: usize) -> Option<Self> {
        let operation = &plan.operations[operation];
        let Kind::Linear { weight, bias } = &operation.kind else {
            return None;
        };
        let rows = |value: usize| (plan.values[value].buffer, plan.rows(value, images));
        Some(Self {
            weight: weight.clone(),
            bias: bias.clone(),
            relu: operation.relu,
            input: rows(operation.input()),
            output: rows(operation.output),
        })
    }
}

impl Chunk {
    /// Does an item of a linear layer.
    pub(super) fn linear_item(&mut self, context: &Context<'_>, item: Item) {
        let (Item::Forward(i)
        | Item::ParameterGradient(i)
        | Item::InputGradient { operation: i, .. }) = item
        else {
            return;
        };
        let Some(linear) = Linear::new(context.plan, i, self.range.len()) else {
            return;
        };
        match item {
            Item::ParameterGradient(_) => self.linear_gradient(context, &linear),
            Item::InputGradient { into, .. } => {
                self.linear_input_gradient(context, i, &linear, into[0]);
            }
            _ => self.linear_forward(context, &linear),
        }
    }

    fn linear_forward(&mut self, context: &Context<'_>, linear: &Linear) {
        let ((from, x), (to, y)) = (linear.input, linear.output);
        let mut ys = mem::take(&mut self.values[to]);
        let finish = if linear.relu {
            Finish::Relu
        } else {
            Finish::Keep
        };
        conv::forward(
            context.level,
            (&self.values[from], x),
            &context.parameters[linear.weight.clone()],
            (&mut ys, y),
            Start::Bias(&context.parameters[linear.bias.clone()]),
            finish,
        );
        self.values[to] = ys;
    }

    fn linear_gradient(&mut self, context: &Context<'_>, linear: &Linear) {
        let ((from, x), (to, y)) = (linear.input, linear.output);
        let (xs, dys) = ((&*self.values[from], x), (&*self.gradients[to], y));
        let weight = &mut self.parameter_gradient[linear.weight.clone()];
        conv::weight_gradient(context.level, xs, dys, weight);
        let bias = &mut self.parameter_gradient[linear.bias.clone()];
        conv::bias_gradient(context.level, dys, bias);
    }

    fn linear_input_gradient(
        &mut self,
        context: &Context<'_>,
        i: usize,
        linear: &Linear,
        into: PartGradient,
    ) {
        let ((from, x), (to, y)) = (linear.input, linear.output);
        let mut dxs = mem::take(&mut self.gradients[from]);
        let finish = if into.masked {
            Finish::Mask(&self.values[from], x)
        } else {
            Finish::Keep
        };
        conv::forward(
            context.level,
            (&self.gradients[to], y),
            &context.prepared[i].turned,
            (&mut dxs, x),
            start(into.accumulate),
            finish,
        );
        self.gradients[from] = dxs;
    }
}
