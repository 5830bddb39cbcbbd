//! From a network to a list of operations on values that have their places.
//!
//! - ReLU joins the convolution, linear layer or normalisation before it, when nothing else reads that. For inference a
//!   batch normalisation joins the convolution before it likewise.
//! - Concatenation is free: the layers before it write into its buffer, each at its channels. Where one cannot (it already
//!   lies elsewhere, or would read from the buffer that it writes to), its output is copied.
//! - A buffer has the border of zeros that its readers need, in both directions: a convolution's padding for the values,
//!   the rest of the kernel for the gradients.

use std::ops::Range;

use juggle_kernels::View;

use super::layout::{Shape, Slots, Value};
use crate::network::{Layer, Network, Source};

/// What an operation does with its input.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Convolution {
        side: usize,
        padding: usize,
        weight: Range<usize>,
        bias: Range<usize>,
        /// Whether the bias has a gradient: before batch normalisation it is zero but for rounding.
        bias_learns: bool,
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

/// One operation: from a value to a value.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) input: usize,
    pub(super) output: usize,
    /// Whether ReLU is applied to the output.
    pub(super) relu: bool,
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
        builder.finish()
    }

    /// Whether each image can be worked on alone, from the first layer to the loss.
    pub(super) fn is_by_image(&self) -> bool {
        self.operations.iter().all(|operation| {
            !matches!(operation.kind, Kind::Linear { .. } | Kind::BatchNorm { .. })
        })
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
struct Builder<'a> {
    network: &'a Network,
    purpose: Purpose,
    shapes: Vec<Shape>,
    value_of: Vec<usize>,
    operations: Vec<Operation>,
    /// Each concatenation's value and its parts.
    concatenations: Vec<(usize, Vec<usize>)>,
    batch_norms: Vec<BatchNorm>,
    parameters: Slots,
    running: Slots,
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
        let inputs: Vec<usize> = node
            .inputs
            .iter()
            .map(|&source| self.source(source))
            .collect();
        let producer = self.only_producer(node.inputs[0]);
        let shape = {
            let shapes: Vec<&Shape> = inputs.iter().map(|&input| &self.shapes[input]).collect();
            Shape::of(node, &shapes)
        };
        let kind = match &node.layer {
            Layer::Conv2d {
                kernel_size,
                padding,
                ..
            } => self.convolution(i, *kernel_size, *padding, &shape),
            Layer::Linear { .. } => {
                let (weight, bias) = self.weight_and_bias(i, 1, &shape);
                Kind::Linear { weight, bias }
            }
            Layer::BatchNorm2d { .. } => {
                let joined = self.batch_norm(i, producer, &shape);
                if joined {
                    self.value_of.push(inputs[0]);
                    return;
                }
                Kind::BatchNorm {
                    index: self.batch_norms.len() - 1,
                }
            }
            Layer::Relu => {
                if let Some(producer) = producer.filter(|&producer| self.takes_relu(producer)) {
                    self.operations[producer].relu = true;
                    self.value_of.push(inputs[0]);
                    return;
                }
                Kind::Copy
            }
            Layer::MaxPool2d { kernel_size } => Kind::MaxPool { side: *kernel_size },
            Layer::UpsampleNearest2d { scale_factor } => Kind::Upsample {
                side: *scale_factor,
            },
            Layer::Flatten => Kind::Copy,
            Layer::Concat => {
                let value = self.push_value(shape);
                self.concatenations.push((value, inputs));
                return;
            }
        };
        let output = self.push_value(shape);
        self.operations.push(Operation {
            kind,
            input: inputs[0],
            output,
            relu: matches!(node.layer, Layer::Relu),
        });
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

    fn convolution(&mut self, i: usize, side: usize, padding: usize, output: &Shape) -> Kind {
        let (weight, bias) = self.weight_and_bias(i, side, output);
        Kind::Convolution {
            side,
            padding,
            weight,
            bias,
            bias_learns: !self.network.feeds_only_batch_norm(i),
        }
    }

    /// Adds the layer's tensors; whether it joined the operation before it.
    fn batch_norm(&mut self, i: usize, producer: Option<usize>, shape: &Shape) -> bool {
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
        let is_joined = joins.is_some();
        let named = |tensor: &str| format!("{name}.{tensor}");
        self.batch_norms.push(BatchNorm {
            weight: self.parameters.push_channels(named("weight"), shape),
            bias: self.parameters.push_channels(named("bias"), shape),
            mean: self.running.push_channels(named("running_mean"), shape),
            variance: self.running.push_channels(named("running_var"), shape),
            joins,
            name,
        });
        is_joined
    }

    fn finish(mut self) -> Plan {
        let homes = self.homes();
        let output = self.value_of.last().copied().unwrap_or(0);
        let borders = self.borders(&homes);
        let mut buffers = Vec::new();
        let mut buffer_of = vec![usize::MAX; self.shapes.len()];
        let mut whole = vec![None; self.shapes.len()];
        for (value, shape) in self.shapes.iter().enumerate() {
            if homes[value].is_none() {
                let border = borders[value];
                buffer_of[value] = buffers.len();
                let (height, width) = (shape.height + 2 * border, shape.width + 2 * border);
                buffers.push(height * width * shape.channels);
                whole[value] = Some(View::bordered(
                    shape.height,
                    shape.width,
                    shape.channels,
                    border,
                ));
            }
        }
        let mut values: Vec<Value> = Vec::with_capacity(self.shapes.len());
        for (value, shape) in self.shapes.iter().enumerate() {
            let (owner, first) = homes[value].unwrap_or((value, 0));
            let view = whole[owner].expect("an owner has a buffer of its own");
            values.push(Value {
                buffer: buffer_of[owner],
                view: view.part(first, shape.channels),
                positions: shape.positions.clone(),
            });
        }
        self.add_copies(&homes, &mut values);
        Plan {
            values,
            buffers,
            input: 0,
            output,
            operations: self.operations,
            batch_norms: self.batch_norms,
            parameters: self.parameters,
            running: self.running,
        }
    }

    /// For each value that lies inside a concatenation: which, and from which channel on.
    fn homes(&self) -> Vec<Option<(usize, usize)>> {
        let mut homes = vec![None; self.shapes.len()];
        for (concatenation, parts) in &self.concatenations {
            let mut first = 0;
            for &part in parts {
                let is_once = parts.iter().filter(|&&other| other == part).count() == 1;
                if is_once && self.may_live_in(part, *concatenation, &homes) {
                    homes[part] = Some((*concatenation, first));
                }
                first += self.shapes[part].channels;
            }
        }
        homes
    }

    /// Whether the part can lie in the concatenation's buffer. No operation may read and write one buffer.
    fn may_live_in(
        &self,
        part: usize,
        concatenation: usize,
        homes: &[Option<(usize, usize)>],
    ) -> bool {
        let lives_there =
            |value: usize| homes[value].is_some_and(|(home, _)| home == concatenation);
        let is_output = self
            .operations
            .iter()
            .any(|operation| operation.output == part);
        let clashes = self.operations.iter().any(|operation| {
            (operation.output == part && lives_there(operation.input))
                || (operation.input == part && lives_there(operation.output))
        });
        is_output && homes[part].is_none() && !clashes
    }

    /// The border that each owner of a buffer needs, for values and gradients alike.
    fn borders(&self, homes: &[Option<(usize, usize)>]) -> Vec<usize> {
        let owner = |value: usize| homes[value].map_or(value, |(home, _)| home);
        let mut borders = vec![0; self.shapes.len()];
        for operation in &self.operations {
            if let Kind::Convolution { side, padding, .. } = operation.kind {
                let input = &mut borders[owner(operation.input)];
                *input = padding.max(*input);
                let output = &mut borders[owner(operation.output)];
                *output = (side - 1).saturating_sub(padding).max(*output);
            }
        }
        borders
    }

    /// The copies of parts that lie elsewhere, before the first reader of each concatenation; and flattened images seen
    /// as the images they were, so that a flattening is a copy from image to image.
    fn add_copies(&mut self, homes: &[Option<(usize, usize)>], values: &mut Vec<Value>) {
        for operation in &mut self.operations {
            let (from, to) = (&values[operation.input], &values[operation.output]);
            if matches!(operation.kind, Kind::Copy)
                && from.view.height * from.view.width > to.view.height * to.view.width
            {
                let View {
                    height,
                    width,
                    channels,
                    ..
                } = from.view;
                let image = Value {
                    buffer: to.buffer,
                    view: View::bordered(height, width, channels, 0),
                    positions: Vec::new(),
                };
                operation.output = values.len();
                values.push(image);
            }
        }
        // The last first: a copy of one concatenation into another is a reader of the former.
        for (concatenation, parts) in std::mem::take(&mut self.concatenations).into_iter().rev() {
            let mut first = 0;
            for part in parts {
                let channels = self.shapes[part].channels;
                if homes[part] != Some((concatenation, first)) {
                    let whole = values[concatenation].clone();
                    let copy = Operation {
                        kind: Kind::Copy,
                        input: part,
                        output: values.len(),
                        relu: false,
                    };
                    values.push(Value {
                        buffer: whole.buffer,
                        view: whole.view.part(first, channels),
                        positions: Vec::new(),
                    });
                    let reads = |operation: &Operation| operation.input == concatenation;
                    let at = self
                        .operations
                        .iter()
                        .position(reads)
                        .unwrap_or(self.operations.len());
                    self.operations.insert(at, copy);
                }
                first += channels;
            }
        }
    }
}
