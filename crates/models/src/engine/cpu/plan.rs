//! From a network to a list of operations on values that have their places.
//!
//! - ReLU joins the convolution, linear layer or normalisation before it, when nothing else reads that. For inference a
//!   batch normalisation joins the convolution before it likewise.
//! - Concatenation is free: the layers before it write into its buffer, each at its channels. Where one cannot (it already
//!   lies elsewhere, or would read from the buffer that it writes to), its output is copied.
//! - A buffer has the border of zeros that its readers need, in both directions: a convolution's padding for the values,
//!   the rest of the kernel for the gradients.

use std::ops::Range;

use juggle_kernels::conv::winograd::{self, Scale, large};
use juggle_kernels::{LANES, View};

use super::layout::{Shape, Slots, Value};
use crate::network::{Layer, Network, Source};

/// What an operation does with its input.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Convolution {
        side: usize,
        stride: usize,
        padding: usize,
        weight: Range<usize>,
        bias: Range<usize>,
        /// Whether the bias has a gradient: before batch normalisation it is zero but for rounding.
        bias_learns: bool,
        /// Whether it is computed by Winograd's algorithm.
        is_winograd: bool,
    },
    Linear {
        weight: Range<usize>,
        bias: Range<usize>,
    },
    /// Batch normalisation number `index`.
    BatchNorm {
        index: usize,
    },
    MaxPool {
        side: usize,
    },
    Upsample {
        side: usize,
    },
    /// A flattening, a part of a concatenation that lies elsewhere, or a ReLU of its own.
    Copy,
}

/// Some of the channels that an operation reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) value: usize,
    /// Whether the operation upsamples it first.
    pub(super) scale: Scale,
}

/// One operation: from values to a value.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) kind: Kind,
    /// One, or the two that a Winograd convolution concatenates.
    pub(super) inputs: Vec<Part>,
    pub(super) output: usize,
    /// Whether ReLU is applied to the output.
    pub(super) relu: bool,
    /// Whether the output is then max-pooled by 2: a Winograd convolution going forward only.
    pub(super) pools: bool,
    /// Whether a Winograd convolution takes tiles of 4×4: going forward only.
    pub(super) large_tiles: bool,
}

impl Operation {
    pub(super) fn new(kind: Kind, input: usize, output: usize, relu: bool) -> Self {
        let input = Part {
            value: input,
            scale: Scale::Same,
        };
        Self {
            kind,
            inputs: vec![input],
            output,
            relu,
            pools: false,
            large_tiles: false,
        }
    }

    /// The value read, or the first of two.
    pub(super) fn input(&self) -> usize {
        self.inputs[0].value
    }

    pub(super) fn reads(&self, value: usize) -> bool {
        self.inputs.iter().any(|part| part.value == value)
    }

    /// Whether it is a convolution by Winograd's algorithm.
    pub(super) fn is_winograd(&self) -> bool {
        matches!(
            self.kind,
            Kind::Convolution {
                is_winograd: true,
                ..
            }
        )
    }
}

/// A batch normalisation and its tensors.
#[derive(Debug, Clone)]
pub(super) struct BatchNorm {
    /// The layer's name.
    pub(super) name: String,
    /// In the parameters.
    pub(super) weight: Range<usize>,
    pub(super) bias: Range<usize>,
    /// In the running statistics.
    pub(super) mean: Range<usize>,
    pub(super) variance: Range<usize>,
    /// For inference: the convolution that it joins, by its weights and bias in the parameters.
    pub(super) joins: Option<(Range<usize>, Range<usize>)>,
}

/// What is to be prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Training,
    Inference,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) values: Vec<Value>,
    /// The size of each buffer for one image.
    pub(super) buffers: Vec<usize>,
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) operations: Vec<Operation>,
    pub(super) batch_norms: Vec<BatchNorm>,
    pub(super) parameters: Slots,
    pub(super) running: Slots,
}

impl Plan {
    pub(super) fn new(network: &Network, purpose: Purpose) -> Self {
        let mut builder = Builder {
            network,
            purpose,
            shapes: vec![Shape::input(network)],
            value_of: Vec::new(),
            operations: Vec::new(),
            concatenations: Vec::new(),
            batch_norms: Vec::new(),
            parameters: Slots::default(),
            running: Slots::default(),
        };
        for i in 0..network.nodes().len() {
            builder.node(i);
        }
        builder.fuse_upsampling();
        if purpose == Purpose::Inference {
            builder.fuse_pooling();
            builder.enlarge_tiles();
        }
        builder.finish()
    }

    /// Whether each image can be worked on alone, from the first layer to the loss.
    pub(super) fn is_by_image(&self) -> bool {
        self.operations.iter().all(|operation| {
            !matches!(operation.kind, Kind::Linear { .. } | Kind::BatchNorm { .. })
        })
    }

    /// Scratch memory that any of the convolutions needs.
    pub(super) fn scratch_len(&self) -> usize {
        let convolutions = self.operations.iter().filter(|o| o.is_winograd());
        let lens = convolutions.map(|operation| {
            let y = self.values[operation.output].view;
            let by = if operation.pools { 2 } else { 1 };
            let size = (by * y.height, by * y.width);
            let scratch_len = match operation.large_tiles {
                true => large::scratch_len,
                false => winograd::scratch_len,
            };
            scratch_len(size, self.in_channels(operation), y.channels)
        });
        lens.max().unwrap_or(0)
    }

    /// Channels that an operation reads.
    pub(super) fn in_channels(&self, operation: &Operation) -> usize {
        let parts = operation.inputs.iter();
        parts
            .map(|part| self.values[part.value].view.channels)
            .sum()
    }

    /// Where the value of image `slot` of a chunk lies.
    pub(super) fn view(&self, value: usize, slot: usize) -> View {
        let value = &self.values[value];
        value.view.shifted(slot * self.buffers[value.buffer])
    }

    /// A vector's value for the first `slots` images of a chunk, as the pixels of one row.
    pub(super) fn rows(&self, value: usize, slots: usize) -> View {
        let value = &self.values[value];
        let pixel = self.buffers[value.buffer];
        View {
            row: slots * pixel,
            pixel,
            height: 1,
            width: slots,
            ..value.view
        }
    }
}

/// Values are numbered; 0 is the input. Shapes come first, places at the end.
pub(super) struct Builder<'a> {
    pub(super) network: &'a Network,
    pub(super) purpose: Purpose,
    pub(super) shapes: Vec<Shape>,
    pub(super) value_of: Vec<usize>,
    pub(super) operations: Vec<Operation>,
    /// Each concatenation's value and its parts.
    pub(super) concatenations: Vec<(usize, Vec<usize>)>,
    pub(super) batch_norms: Vec<BatchNorm>,
    pub(super) parameters: Slots,
    pub(super) running: Slots,
}

impl Builder<'_> {
    fn source(&self, source: Source) -> usize {
        match source {
            Source::Input => 0,
            Source::Node(i) => self.value_of[i],
        }
    }

    /// The operation that a layer can join: that of its input, when nobody else reads it.
    fn only_producer(&self, source: Source) -> Option<usize> {
        let Source::Node(node) = source else {
            return None;
        };
        let nodes = self.network.nodes().iter();
        let readers = nodes
            .flat_map(|reader| &reader.inputs)
            .filter(|&&input| input == source);
        let is_only = readers.count() == 1;
        let value = self.value_of[node];
        let at = self
            .operations
            .iter()
            .position(|operation| operation.output == value);
        at.filter(|_| is_only)
    }

    fn node(&mut self, i: usize) {
        let node = &self.network.nodes()[i];
        let sources = node.inputs.iter();
        let inputs: Vec<usize> = sources.map(|&source| self.source(source)).collect();
        let shapes: Vec<&Shape> = inputs.iter().map(|&input| &self.shapes[input]).collect();
        let shape = Shape::of(node, &shapes);
        let producer = self.only_producer(node.inputs[0]);
        let kind = match &node.layer {
            Layer::Relu if producer.is_some_and(|producer| self.takes_relu(producer)) => {
                self.operations[producer.expect("there is one")].relu = true;
                None
            }
            Layer::BatchNorm2d { .. } => self.batch_norm(i, producer, &shape),
            Layer::Concat => {
                let value = self.push_value(shape);
                self.concatenations.push((value, inputs));
                return;
            }
            layer => Some(self.kind(i, layer, &shape)),
        };
        let Some(kind) = kind else {
            // The layer joined the operation before it.
            self.value_of.push(inputs[0]);
            return;
        };
        let output = self.push_value(shape);
        let relu = matches!(node.layer, Layer::Relu);
        self.operations
            .push(Operation::new(kind, inputs[0], output, relu));
    }

    /// The operation of a layer that is always one of its own.
    fn kind(&mut self, i: usize, layer: &Layer, output: &Shape) -> Kind {
        match layer {
            Layer::Conv2d {
                kernel_size,
                stride,
                padding,
                ..
            } => {
                let (weight, bias) = self.weight_and_bias(i, *kernel_size, output);
                Kind::Convolution {
                    side: *kernel_size,
                    stride: *stride,
                    padding: *padding,
                    weight,
                    bias,
                    bias_learns: !self.network.feeds_only_batch_norm(i),
                    is_winograd: self.suits_winograd(i, (*kernel_size, *stride, *padding)),
                }
            }
            Layer::Linear { .. } => {
                let (weight, bias) = self.weight_and_bias(i, 1, output);
                Kind::Linear { weight, bias }
            }
            Layer::MaxPool2d { kernel_size } => Kind::MaxPool { side: *kernel_size },
            Layer::UpsampleNearest2d { scale_factor } => Kind::Upsample {
                side: *scale_factor,
            },
            Layer::Relu | Layer::Flatten | Layer::BatchNorm2d { .. } | Layer::Concat => Kind::Copy,
        }
    }

    /// Whether Winograd's algorithm computes convolution `i`: it takes even sizes and vectors of channels.
    fn suits_winograd(&self, i: usize, window: (usize, usize, usize)) -> bool {
        let input = &self.shapes[self.source(self.network.nodes()[i].inputs[0])];
        window == (3, 1, 1)
            && input.height.is_multiple_of(2)
            && input.width.is_multiple_of(2)
            && input.channels.is_multiple_of(LANES)
    }

    fn push_value(&mut self, shape: Shape) -> usize {
        self.shapes.push(shape);
        self.value_of.push(self.shapes.len() - 1);
        self.shapes.len() - 1
    }

    fn takes_relu(&self, producer: usize) -> bool {
        let operation = &self.operations[producer];
        let kind = &operation.kind;
        let is_fit = matches!(
            kind,
            Kind::Convolution { .. } | Kind::Linear { .. } | Kind::BatchNorm { .. }
        );
        is_fit && !operation.relu
    }

    fn weight_and_bias(
        &mut self,
        i: usize,
        side: usize,
        output: &Shape,
    ) -> (Range<usize>, Range<usize>) {
        let node = &self.network.nodes()[i];
        let specs = self.network.tensors_of(node);
        let input = &self.shapes[self.source(node.inputs[0])];
        let weight = self.parameters.push_weight(
            specs[0].name.clone(),
            specs[0].shape.clone(),
            side,
            (input, output),
        );
        let bias = self.parameters.push_channels(specs[1].name.clone(), output);
        (weight, bias)
    }

    /// Adds the layer's tensors; nothing where it joined the operation before it.
    fn batch_norm(&mut self, i: usize, producer: Option<usize>, shape: &Shape) -> Option<Kind> {
        let name = self.network.nodes()[i].name.clone();
        let joins = match producer.map(|producer| &self.operations[producer]) {
            Some(Operation {
                kind: Kind::Convolution { weight, bias, .. },
                relu: false,
                ..
            }) if self.purpose == Purpose::Inference => Some((weight.clone(), bias.clone())),
            _ => None,
        };
        // A convolution joined once already would be scaled twice: two normalisations in a row stay apart.
        let joins = joins.filter(|joins| {
            self.batch_norms
                .iter()
                .all(|other| other.joins.as_ref() != Some(joins))
        });
        let (index, is_joined) = (self.batch_norms.len(), joins.is_some());
        let named = |tensor: &str| format!("{name}.{tensor}");
        self.batch_norms.push(BatchNorm {
            weight: self.parameters.push_channels(named("weight"), shape),
            bias: self.parameters.push_channels(named("bias"), shape),
            mean: self.running.push_channels(named("running_mean"), shape),
            variance: self.running.push_channels(named("running_var"), shape),
            joins,
            name,
        });
        (!is_joined).then_some(Kind::BatchNorm { index })
    }
}
