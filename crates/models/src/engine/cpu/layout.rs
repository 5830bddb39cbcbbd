//! Where everything lies: images inside buffers, tensors inside one flat slice of parameters.
//!
//! A *value* is what a layer gives, for one image of the batch. Values are NHWC with their channels padded to whole
//! vectors; channels that padding added hold zeros and meet zero weights, so nothing outside ever sees them. A vector is
//! an image of one pixel.

use std::ops::Range;

use juggle_kernels::{Buffer, LANES, View};

use crate::State;
use crate::network::{Layer, Network, Node, Source};

/// One layer's output, or a part of one.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// Which buffer holds it.
    pub(super) buffer: usize,
    /// Where in the buffer.
    pub(super) view: View,
    /// The position among the view's channels of each channel that the network knows.
    pub(super) positions: Vec<usize>,
}

/// The shape of a value, before it has a place.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Channels with the padding.
    pub(super) channels: usize,
    pub(super) positions: Vec<usize>,
}

impl Shape {
    fn image(channels: usize, height: usize, width: usize, padded: usize) -> Self {
        Self {
            height,
            width,
            channels: padded,
            positions: (0..channels).collect(),
        }
    }

    /// The network's input. Only convolutions can read channels that are no whole vectors.
    pub(super) fn input(network: &Network) -> Self {
        let [channels, height, width] = network.input_shape();
        let mut readers = network.nodes().iter();
        let only_convolutions = readers.all(|node| {
            !node.inputs.contains(&Source::Input) || matches!(node.layer, Layer::Conv2d { .. })
        });
        let padded = if only_convolutions && !network.nodes().is_empty() {
            channels
        } else {
            whole_vectors(channels)
        };
        Self::image(channels, height, width, padded)
    }

    /// The output of a layer whose inputs have these shapes.
    pub(super) fn of(node: &Node, inputs: &[&Self]) -> Self {
        match (&node.layer, node.output_shape.as_slice()) {
            (Layer::Concat, &[_, height, width]) => {
                let mut concatenated = Self::image(0, height, width, 0);
                for part in inputs {
                    let first = concatenated.channels;
                    let positions = part.positions.iter().map(|position| first + position);
                    concatenated.positions.extend(positions);
                    concatenated.channels += part.channels;
                }
                concatenated
            }
            (Layer::Flatten, _) => inputs[0].flattened(),
            (Layer::Linear { .. }, &[features]) => {
                Self::image(features, 1, 1, whole_vectors(features))
            }
            // What works channel by channel keeps the input's.
            (Layer::Conv2d { .. }, &[channels, height, width]) => {
                Self::image(channels, height, width, whole_vectors(channels))
            }
            (_, &[_, height, width]) => Self {
                height,
                width,
                ..inputs[0].clone()
            },
            _ => inputs[0].clone(),
        }
    }

    /// All values of the image as channels of one pixel, in the order in which they lie.
    fn flattened(&self) -> Self {
        let area = self.height * self.width;
        let mut positions = Vec::with_capacity(self.positions.len() * area);
        for &channel in &self.positions {
            positions.extend((0..area).map(|pixel| pixel * self.channels + channel));
        }
        Self {
            height: 1,
            width: 1,
            channels: area * self.channels,
            positions,
        }
    }
}

fn whole_vectors(channels: usize) -> usize {
    channels.next_multiple_of(LANES)
}

/// One tensor of the state inside a flat slice.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// Where it lies, padding included.
    pub(super) range: Range<usize>,
    /// The place inside the range of each value, in the state's order.
    places: Vec<usize>,
}

impl Slot {
    /// Puts the state's values into their places.
    pub(super) fn pack(&self, values: &[f32], flat: &mut [f32]) {
        let to = &mut flat[self.range.clone()];
        for (&place, &value) in self.places.iter().zip(values) {
            to[place] = value;
        }
    }

    /// The values in the state's order.
    pub(super) fn unpack(&self, flat: &[f32]) -> Vec<f32> {
        let from = &flat[self.range.clone()];
        self.places.iter().map(|&place| from[place]).collect()
    }
}

/// Tensors that lie in one flat slice, one after another and each at the beginning of a vector.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    pub(super) slots: Vec<Slot>,
    /// Values of all slots.
    pub(super) len: usize,
}

impl Slots {
    /// Adds a tensor of `len` values with the padding, and gives back where it lies.
    fn push(
        &mut self,
        name: String,
        shape: Vec<usize>,
        len: usize,
        places: Vec<usize>,
    ) -> Range<usize> {
        let range = self.len..self.len + len;
        self.len = range.end.next_multiple_of(LANES);
        self.slots.push(Slot {
            name,
            shape,
            range: range.clone(),
            places,
        });
        range
    }

    /// A tensor of one value a channel.
    pub(super) fn push_channels(&mut self, name: String, shape: &Shape) -> Range<usize> {
        let n = shape.positions.len();
        self.push(name, vec![n], shape.channels, shape.positions.clone())
    }

    /// Weights as the kernels want them: `[kernel row][kernel column][input channel][output channel]`, from OIHW.
    pub(super) fn push_weight(
        &mut self,
        name: String,
        tensor_shape: Vec<usize>,
        side: usize,
        (input, output): (&Shape, &Shape),
    ) -> Range<usize> {
        let area = side * side;
        let mut places = Vec::with_capacity(tensor_shape.iter().product());
        for &o in &output.positions {
            for &i in &input.positions {
                places.extend((0..area).map(|k| (k * input.channels + i) * output.channels + o));
            }
        }
        let len = area * input.channels * output.channels;
        self.push(name, tensor_shape, len, places)
    }

    /// The state's tensors in their places, zeros in between.
    pub(super) fn pack(&self, state: &State) -> Buffer {
        let mut flat = Buffer::zeros(self.len);
        for slot in &self.slots {
            if let Some(values) = state.floats(&slot.name) {
                slot.pack(values, &mut flat);
            }
        }
        flat
    }
}
