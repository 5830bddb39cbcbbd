//! A network as data: a small directed graph of layers with PyTorch's parameter names.
//!
//! Everything else reads it: the summary, the initialisation, the engine, the file of weights. Shapes are checked
//! once, while the graph is built, so that an engine never meets a layer that does not fit.

mod layer;

use crate::{Error, Result};

pub use layer::{Initial, Layer};

/// Added to the variance before the square root, as in `torch.nn.BatchNorm2d`.
pub const BATCH_NORM_EPS: f64 = 1e-5;
/// The weight of the newest batch in the running statistics, as in `torch.nn.BatchNorm2d`.
pub const BATCH_NORM_MOMENTUM: f64 = 0.1;

/// One tensor of a network's state.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSpec {
    /// The name in PyTorch's state dictionary, such as `0.weight`.
    pub name: String,
    /// The shape, PyTorch's layout.
    pub shape: Vec<usize>,
    /// What the tensor is and how it begins.
    pub initial: Initial,
}

/// Where a layer's input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The network's input.
    Input,
    /// The output of the layer at this position.
    Node(usize),
}

/// One layer in its place in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The prefix of the layer's tensors in the state dictionary.
    pub name: String,
    /// The layer.
    pub layer: Layer,
    /// Its inputs, each an earlier layer or the network's input.
    pub inputs: Vec<Source>,
    /// The output's shape, without the batch dimension.
    pub output_shape: Vec<usize>,
}

/// A network: layers in an order in which each comes after its inputs. The last one is the output.
///
/// # Examples
///
/// ```
/// use juggle_models::{Layer, Network, Source};
///
/// let mut network = Network::new([1, 8, 8]);
/// let xs = network.push("0", Layer::Conv2d { in_channels: 1, out_channels: 4, kernel_size: 3, stride: 1, padding: 1 }, &[Source::Input])?;
/// let xs = network.push("1", Layer::Relu, &[xs])?;
/// network.push("2", Layer::MaxPool2d { kernel_size: 2 }, &[xs])?;
/// assert_eq!(network.output_shape(), [4, 4, 4]);
/// assert_eq!(network.n_parameters(), 4 * 9 + 4);
/// # Ok::<(), juggle_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    input_shape: [usize; 3],
    nodes: Vec<Node>,
}

impl Network {
    /// A network without layers for images of `[channels, height, width]`.
    #[must_use]
    pub fn new(input_shape: [usize; 3]) -> Self {
        Self {
            input_shape,
            nodes: Vec::new(),
        }
    }

    /// Appends a layer and returns its output, to be an input of later ones.
    ///
    /// # Errors
    /// [`Error::Layer`] when the inputs do not fit, an input comes later, or the name is taken.
    pub fn push(&mut self, name: &str, layer: Layer, inputs: &[Source]) -> Result<Source> {
        let misfit = |found: Vec<usize>, expected: String| Error::Layer {
            layer: name.to_owned(),
            kind: layer.kind(),
            found,
            expected,
        };
        if self.nodes.iter().any(|node| node.name == name) {
            return Err(misfit(vec![], "a name that no other layer has".to_owned()));
        }
        let mut shapes = Vec::with_capacity(inputs.len());
        for &source in inputs {
            match source {
                Source::Node(i) if i >= self.nodes.len() => {
                    return Err(misfit(
                        vec![i],
                        "the position of an earlier layer".to_owned(),
                    ));
                }
                _ => shapes.push(self.shape_of(source)),
            }
        }
        let output_shape = layer.output_shape(&shapes).map_err(|expected| {
            misfit(
                shapes.last().map_or(vec![], |shape| shape.to_vec()),
                expected,
            )
        })?;
        self.nodes.push(Node {
            name: name.to_owned(),
            layer,
            inputs: inputs.to_vec(),
            output_shape,
        });
        Ok(Source::Node(self.nodes.len() - 1))
    }

    /// `[channels, height, width]` of an input image.
    #[must_use]
    pub fn input_shape(&self) -> [usize; 3] {
        self.input_shape
    }

    /// The output's shape without the batch dimension: `[classes]` or `[channels, height, width]`.
    #[must_use]
    pub fn output_shape(&self) -> &[usize] {
        self.nodes
            .last()
            .map_or(&self.input_shape, |node| &node.output_shape)
    }

    /// The layers, each after its inputs.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The tensors of one layer, with their full names.
    #[must_use]
    pub fn tensors_of(&self, node: &Node) -> Vec<TensorSpec> {
        let named = |(name, shape, initial)| TensorSpec {
            name: format!("{}.{name}", node.name),
            shape,
            initial,
        };
        node.layer.tensors().into_iter().map(named).collect()
    }

    /// Every tensor of the state, in the order of PyTorch's state dictionary.
    #[must_use]
    pub fn tensors(&self) -> Vec<TensorSpec> {
        self.nodes
            .iter()
            .flat_map(|node| self.tensors_of(node))
            .collect()
    }

    /// The number of values that the optimiser updates.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        self.nodes
            .iter()
            .map(|node| self.n_parameters_of(node))
            .sum()
    }

    /// The number of values of one layer that the optimiser updates.
    #[must_use]
    pub fn n_parameters_of(&self, node: &Node) -> usize {
        let parameters = self
            .tensors_of(node)
            .into_iter()
            .filter(|tensor| tensor.initial.is_parameter());
        parameters
            .map(|tensor| tensor.shape.iter().product::<usize>())
            .sum()
    }

    /// Whether nothing but batch normalisation reads the layer's output. A bias there has a true gradient of zero,
    /// and the rounding noise in its place must not reach the optimiser.
    #[must_use]
    pub fn feeds_only_batch_norm(&self, node: usize) -> bool {
        let mut readers = self
            .nodes
            .iter()
            .filter(|reader| reader.inputs.contains(&Source::Node(node)))
            .peekable();
        readers.peek().is_some()
            && readers.all(|reader| matches!(reader.layer, Layer::BatchNorm2d { .. }))
    }

    fn shape_of(&self, source: Source) -> &[usize] {
        match source {
            Source::Input => &self.input_shape,
            Source::Node(i) => &self.nodes[i].output_shape,
        }
    }
}
