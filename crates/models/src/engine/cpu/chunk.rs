//! A part of the batch: its values, its gradients, and what one thread does with them.

use std::mem;
use std::ops::Range;

use juggle_kernels::conv::{self, Start};
use juggle_kernels::{Accumulate, Buffer, Finish, Level, View, copy, loss, norm, pool};

use super::backward::spread;
use super::plan::{Kind, Plan};
use super::prepared::{Prepared, n_products};
use super::program::{Item, runs};
use crate::{Loss, Targets};

/// What all chunks read during a phase.
pub(super) struct Context<'a> {
    pub(super) plan: &'a Plan,
    pub(super) level: Level,
    pub(super) parameters: &'a [f32],
    /// Of each operation.
    pub(super) prepared: &'a [Prepared],
    pub(super) norms: &'a [Norm],
    pub(super) inputs: &'a [f32],
    /// The targets with the loss, when there is one.
    pub(super) training: Option<(Loss, Targets<'a>)>,
    /// Images in the batch.
    pub(super) n: usize,
    /// [`Program::transient`](super::program::Program); nothing where there are no gradients.
    pub(super) transient: &'a [bool],
}

impl Context<'_> {
    /// Where the gradient of a value of image `slot` lies.
    pub(super) fn gradient_view(&self, value: usize, slot: usize) -> View {
        let buffer = self.plan.values[value].buffer;
        self.plan.view(value, self.gradient_slot(buffer, slot))
    }

    fn gradient_slot(&self, buffer: usize, slot: usize) -> usize {
        if self.transient[buffer] { 0 } else { slot }
    }
}

/// A batch normalisation's numbers for one step, one value a channel each.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    pub(super) mean: Vec<f32>,
    pub(super) variance: Vec<f32>,
    pub(super) rstd: Vec<f32>,
    pub(super) scale: Vec<f32>,
    pub(super) shift: Vec<f32>,
    pub(super) mean_dy: Vec<f32>,
    pub(super) mean_product: Vec<f32>,
}

impl Norm {
    pub(super) fn new(channels: usize) -> Self {
        let zeros = || vec![0.0; channels];
        Self {
            mean: zeros(),
            variance: zeros(),
            rstd: zeros(),
            scale: zeros(),
            shift: zeros(),
            mean_dy: zeros(),
            mean_product: zeros(),
        }
    }

    /// What the gradient of the input needs.
    pub(super) fn gradient(&self) -> norm::BatchGradient<'_> {
        norm::BatchGradient {
            mean: &self.mean,
            rstd: &self.rstd,
            scale: &self.scale,
            mean_dy: &self.mean_dy,
            mean_product: &self.mean_product,
        }
    }
}

/// Memory for some images. Values of image i of the chunk lie in slot i, or all in slot 0 where images are independent.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The chunk's images in the batch.
    pub(super) range: Range<usize>,
    slots: usize,
    pub(super) values: Vec<Buffer>,
    pub(super) gradients: Vec<Buffer>,
    pub(super) parameter_gradient: Buffer,
    /// Of each operation, the gradient of a Winograd convolution's transformed weights.
    pub(super) product_gradients: Vec<Buffer>,
    /// Of each operation, the gradient of a strided convolution's output as [`spread`](super::backward::spread) says.
    pub(super) spread: Vec<Buffer>,
    /// What the kernels use between their beginning and their end.
    pub(super) scratch: Buffer,
    /// For each batch normalisation two values a channel for each image: moments going forward, sums going back.
    pub(super) statistics: Vec<Vec<f32>>,
    pub(super) losses: Vec<f64>,
    /// Row-major, as the network's user wants them.
    pub(super) outputs: Vec<f32>,
}

impl Chunk {
    /// Makes room; memory only ever grows, so that steps of one size allocate once.
    pub(super) fn prepare(&mut self, plan: &Plan, range: Range<usize>, transient: Option<&[bool]>) {
        let backward = transient.is_some();
        let n = range.len();
        let slots = if plan.is_by_image() { n.min(1) } else { n };
        if self.slots < slots {
            let sizes = plan.buffers.iter();
            self.values = sizes.clone().map(|n| Buffer::zeros(n * slots)).collect();
            if let Some(transient) = transient {
                let sizes = sizes.zip(transient);
                let lens = sizes.map(|(n, &transient)| if transient { *n } else { n * slots });
                self.gradients = lens.map(Buffer::zeros).collect();
            }
            self.slots = slots;
        }
        if self.scratch.is_empty() {
            self.scratch = Buffer::zeros(plan.scratch_len());
        }
        self.range = range;
        let output = &plan.values[plan.output];
        let row = output.positions.len() * output.view.height * output.view.width;
        self.outputs.resize(n * row, 0.0);
        if backward {
            self.losses.resize(n, 0.0);
            if self.parameter_gradient.is_empty() {
                self.parameter_gradient = Buffer::zeros(plan.parameters.len);
                let sizes = plan.operations.iter().map(n_products);
                self.product_gradients = sizes.map(Buffer::zeros).collect();
                let views = plan.operations.iter().map(|o| spread(plan, o));
                let sizes = views.map(|view| view.map_or(0, |(_, reached)| reached.end()));
                self.spread = sizes.map(Buffer::zeros).collect();
            }
            self.parameter_gradient.fill(0.0);
            for products in &mut self.product_gradients {
                products.fill(0.0);
            }
            self.statistics.resize(plan.batch_norms.len(), Vec::new());
            for (statistics, norm) in self.statistics.iter_mut().zip(&plan.batch_norms) {
                statistics.resize(n * 2 * norm.weight.len(), 0.0);
            }
        }
    }

    /// Does the items in order. Consecutive items that concern single images are done image by image, so that an image
    /// stays in the cache.
    pub(super) fn run(&mut self, context: &Context<'_>, items: &[Item]) {
        let n = self.range.len();
        if n == 0 {
            // A batch smaller than the number of chunks leaves some without memory.
            return;
        }
        let by_image = context.plan.is_by_image();
        for run in runs(context.plan, items) {
            if run[0].is_for_chunk(context.plan) {
                for &item in run {
                    match item {
                        Item::Untransform(i) => self.untransform(context, i),
                        item => self.linear_item(context, item),
                    }
                }
                continue;
            }
            for image in 0..n {
                let slot = if by_image { 0 } else { image };
                for &item in run {
                    self.image_item(context, item, image, slot);
                }
            }
        }
    }

    fn image_item(&mut self, context: &Context<'_>, item: Item, image: usize, slot: usize) {
        match item {
            Item::Load => self.load(context, image, slot),
            Item::Forward(i) if context.plan.operations[i].is_winograd() => {
                self.winograd_forward(context, i, slot);
            }
            Item::Forward(i) => self.forward(context, i, slot),
            Item::Moments(i) => self.moments(context, i, image, slot),
            Item::Loss => self.loss(context, image, slot),
            Item::Clear(buffer) => {
                let size = context.plan.buffers[buffer];
                let slot = context.gradient_slot(buffer, slot);
                self.gradients[buffer][slot * size..][..size].fill(0.0);
            }
            Item::Mask(i) => {
                let value = context.plan.operations[i].output;
                let (buffer, view) = (
                    context.plan.values[value].buffer,
                    context.plan.view(value, slot),
                );
                let gradient = context.gradient_view(value, slot);
                let gradient = (&mut *self.gradients[buffer], gradient);
                copy::mask(context.level, (&self.values[buffer], view), gradient);
            }
            Item::Sums(i) => self.sums(context, i, image, slot),
            Item::ParameterGradient(i) if context.plan.operations[i].is_winograd() => {
                self.winograd_gradient(context, i, slot);
            }
            Item::ParameterGradient(i) => self.convolution_gradient(context, i, slot),
            Item::InputGradient { operation, into } => {
                if context.plan.operations[operation].is_winograd() {
                    self.winograd_input_gradient(context, operation, into, slot);
                } else {
                    self.input_gradient(context, operation, into[0], slot);
                }
            }
            Item::Untransform(_) => unreachable!("done once for the chunk"),
        }
    }

    fn load(&mut self, context: &Context<'_>, image: usize, slot: usize) {
        let plan = context.plan;
        let input = &plan.values[plan.input];
        let size = input.positions.len() * input.view.height * input.view.width;
        let pixels = &context.inputs[(self.range.start + image) * size..][..size];
        let to = (&mut *self.values[input.buffer], plan.view(plan.input, slot));
        copy::from_nchw(pixels, &input.positions, to);
    }

    /// Brings the output of an image out of its place.
    fn unload(&mut self, context: &Context<'_>, image: usize, slot: usize) {
        let plan = context.plan;
        let output = &plan.values[plan.output];
        let row = output.positions.len() * output.view.height * output.view.width;
        let from = (&*self.values[output.buffer], plan.view(plan.output, slot));
        copy::to_nchw(
            from,
            &output.positions,
            &mut self.outputs[image * row..][..row],
        );
    }

    fn loss(&mut self, context: &Context<'_>, image: usize, slot: usize) {
        self.unload(context, image, slot);
        let Some((loss, targets)) = context.training else {
            return;
        };
        let plan = context.plan;
        let output = &plan.values[plan.output];
        let view = plan.view(plan.output, slot);
        let row = output.positions.len() * view.height * view.width;
        let gradient = &mut self.gradients[output.buffer];
        let gradient_view = context.gradient_view(plan.output, slot);
        let in_batch = self.range.start + image;
        self.losses[image] = match (loss, targets) {
            (Loss::CrossEntropy { label_smoothing }, Targets::Labels(labels)) => {
                loss::cross_entropy(
                    &self.outputs[image * row..][..row],
                    labels[in_batch] as usize,
                    label_smoothing,
                    1.0 / context.n as f64,
                    &mut gradient[gradient_view.offset..][..view.channels],
                )
            }
            (_, Targets::Images(images)) => {
                let count = context.n * row;
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "rounding to f32 is the point"
                )]
                let weight = (1.0 / count as f64) as f32;
                let sum = loss::squared_error(
                    (&self.values[output.buffer], view),
                    &output.positions,
                    &images[in_batch * row..][..row],
                    weight,
                    (gradient, gradient_view),
                );
                sum / row as f64
            }
            _ => unreachable!("the loss and its targets were checked before the pass"),
        };
    }

    fn forward(&mut self, context: &Context<'_>, i: usize, slot: usize) {
        let (plan, level) = (context.plan, context.level);
        let operation = &plan.operations[i];
        let (x, y) = (
            plan.view(operation.input(), slot),
            plan.view(operation.output, slot),
        );
        let to = plan.values[operation.output].buffer;
        let mut ys = mem::take(&mut self.values[to]);
        let xs = &*self.values[plan.values[operation.input()].buffer];
        let finish = if operation.relu {
            Finish::Relu
        } else {
            Finish::Keep
        };
        match &operation.kind {
            Kind::Convolution {
                side,
                stride,
                padding,
                weight,
                bias,
                ..
            } => {
                let x = x.padded(*padding).covered(*side, *stride);
                let weight = &context.parameters[weight.clone()];
                let bias = Start::Bias(&context.parameters[bias.clone()]);
                let (xs, ys) = ((xs, x), (&mut *ys, y));
                conv::strided(level, *stride, xs, weight, ys, bias, finish);
            }
            Kind::BatchNorm { index } => {
                let numbers = if context.training.is_some() {
                    let norm = &context.norms[*index];
                    (&*norm.scale, &*norm.shift)
                } else {
                    // For inference the weight and bias are already scale and shift.
                    let norm = &plan.batch_norms[*index];
                    let of = |range: &Range<usize>| &context.parameters[range.clone()];
                    (of(&norm.weight), of(&norm.bias))
                };
                norm::normalize(level, (xs, x), numbers, (&mut ys, y), finish);
            }
            Kind::MaxPool { side } => pool::max_pool(level, *side, (xs, x), (&mut ys, y)),
            Kind::Upsample { side } => pool::upsample(level, *side, (xs, x), (&mut ys, y)),
            Kind::Copy => copy::copy(level, (xs, x), (&mut ys, y), Accumulate::Write, finish),
            Kind::Linear { .. } => unreachable!("linear layers work on the chunk"),
        }
        self.values[to] = ys;
    }

    fn moments(&mut self, context: &Context<'_>, i: usize, image: usize, slot: usize) {
        let operation = &context.plan.operations[i];
        let Kind::BatchNorm { index } = operation.kind else {
            return;
        };
        let view = context.plan.view(operation.input(), slot);
        let statistics =
            &mut self.statistics[index][image * 2 * view.channels..][..2 * view.channels];
        let (mean, squares) = statistics.split_at_mut(view.channels);
        let xs = &self.values[context.plan.values[operation.input()].buffer];
        norm::moments(context.level, (xs, view), mean, squares);
    }
}
