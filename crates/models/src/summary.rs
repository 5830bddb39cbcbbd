//! The table of layers, output shapes and parameters that the coursework opens with.

use std::fmt;

use serde::Serialize;

use crate::network::{Layer, Network, Node, Source};

/// One row of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerSummary {
    /// The layer's name in the state dictionary.
    pub name: String,
    /// The layer's kind, as in `torch.nn`.
    pub kind: String,
    /// What the layer does, such as `1→16, 3×3` for a convolution; empty where the kind says it all.
    pub detail: String,
    /// The names of the layers that it reads, `input` for the network's input.
    pub inputs: Vec<String>,
    /// The output's shape, without the batch dimension.
    pub output_shape: Vec<usize>,
    /// The number of values that the optimiser updates.
    pub parameters: usize,
    /// Multiplications with an addition that one image takes, in convolutions and linear layers.
    pub multiply_adds: usize,
}

/// A network's layers, output shapes, parameters and multiply-adds. Its [`fmt::Display`] is a table.
///
/// # Examples
///
/// ```
/// use juggle_models::{CnnConfig, cnn};
///
/// let network = cnn(&CnnConfig { n_classes: 3, in_channels: 1, height: 32, width: 32, batch_norm: false })?;
/// let summary = network.summary();
/// assert_eq!((summary.layers[2].kind.as_str(), summary.layers[2].parameters), ("Conv2d", 4640));
/// # Ok::<(), juggle_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// `[channels, height, width]` of an image that goes in.
    pub input_shape: [usize; 3],
    /// The layers, in order.
    pub layers: Vec<LayerSummary>,
    /// The sum over the layers.
    pub parameters: usize,
    /// The sum over the layers, for one image.
    pub multiply_adds: usize,
}

impl Network {
    /// The table of this network's layers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let layers: Vec<_> = self.nodes().iter().map(|node| self.row(node)).collect();
        Summary {
            input_shape: self.input_shape(),
            parameters: self.n_parameters(),
            multiply_adds: layers.iter().map(|layer| layer.multiply_adds).sum(),
            layers,
        }
    }

    fn row(&self, node: &Node) -> LayerSummary {
        let name = |source: &Source| match *source {
            Source::Input => "input".to_owned(),
            Source::Node(i) => self.nodes()[i].name.clone(),
        };
        LayerSummary {
            name: node.name.clone(),
            kind: node.layer.kind().to_owned(),
            detail: detail(&node.layer),
            inputs: node.inputs.iter().map(name).collect(),
            output_shape: node.output_shape.clone(),
            parameters: self.n_parameters_of(node),
            multiply_adds: multiply_adds(node),
        }
    }
}

/// Sizes that neither the kind nor the output's shape says.
fn detail(layer: &Layer) -> String {
    match *layer {
        Layer::Conv2d {
            in_channels,
            out_channels,
            kernel_size,
            stride,
            ..
        } => {
            let stride = match stride {
                1 => String::new(),
                stride => format!(" by {stride}"),
            };
            format!("{in_channels}→{out_channels}, {kernel_size}×{kernel_size}{stride}")
        }
        Layer::MaxPool2d { kernel_size } => format!("{kernel_size}×{kernel_size}"),
        Layer::UpsampleNearest2d { scale_factor } => format!("×{scale_factor}"),
        Layer::Linear {
            in_features,
            out_features,
        } => format!("{in_features}→{out_features}"),
        Layer::BatchNorm2d { .. } | Layer::Relu | Layer::Concat | Layer::Flatten => String::new(),
    }
}

fn multiply_adds(node: &Node) -> usize {
    let outputs: usize = node.output_shape.iter().product();
    match node.layer {
        Layer::Conv2d {
            in_channels,
            kernel_size,
            ..
        } => outputs * in_channels * kernel_size * kernel_size,
        Layer::Linear { in_features, .. } => outputs * in_features,
        _ => 0,
    }
}

impl fmt::Display for Summary {
    /// One line a layer. What a layer reads is said where it is not the layer above alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: usize| match n {
            0 => "–".to_owned(),
            n => thousands(n),
        };
        let head = ["name", "layer", "output", "parameters", "multiply-adds"];
        let mut rows = vec![head.map(str::to_owned)];
        let mut above = "input";
        for layer in &self.layers {
            let mut what = [layer.kind.as_str(), layer.detail.as_str()]
                .join(" ")
                .trim_end()
                .to_owned();
            if layer.inputs != [above] {
                what = format!("{what} {}", layer.inputs.join(" "));
            }
            rows.push([
                layer.name.clone(),
                what,
                shape(&layer.output_shape),
                count(layer.parameters),
                count(layer.multiply_adds),
            ]);
            above = &layer.name;
        }
        rows.push([
            "total".to_owned(),
            String::new(),
            String::new(),
            thousands(self.parameters),
            thousands(self.multiply_adds),
        ]);
        let mut widths = [0; 5];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let [name, what, output, parameters, multiply_adds] = widths;
        let last = rows.len() - 1;
        for (i, row) in rows.iter().enumerate() {
            if i == 1 || i == last {
                let gaps = 2 * (widths.len() - 1);
                writeln!(f, "{}", "─".repeat(widths.iter().sum::<usize>() + gaps))?;
            }
            writeln!(
                f,
                "{:name$}  {:what$}  {:>output$}  {:>parameters$}  {:>multiply_adds$}",
                row[0], row[1], row[2], row[3], row[4]
            )?;
        }
        write!(
            f,
            "\ninput {}; the weights take {} bytes",
            shape(&self.input_shape),
            thousands(self.parameters * size_of::<f32>())
        )
    }
}

fn shape(sizes: &[usize]) -> String {
    let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
    sizes.join("×")
}

/// `77539` as `77,539`.
fn thousands(value: usize) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
