//! The table of layers, output shapes and parameters that the coursework opens with.

use std::fmt;

use serde::Serialize;

use crate::network::{Network, Node};

/// One row of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerSummary {
    /// The layer's name in the state dictionary.
    pub name: String,
    /// The layer's kind, as in `torch.nn`.
    pub kind: String,
    /// The output's shape, without the batch dimension.
    pub output_shape: Vec<usize>,
    /// The number of values that the optimiser updates.
    pub parameters: usize,
}

/// A network's layers, output shapes and parameters. Its [`fmt::Display`] is a table.
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
    /// The layers, in order.
    pub layers: Vec<LayerSummary>,
    /// The sum over the layers.
    pub parameters: usize,
}

impl Network {
    /// The table of this network's layers.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let row = |node: &Node| LayerSummary {
            name: node.name.clone(),
            kind: node.layer.kind().to_owned(),
            output_shape: node.output_shape.clone(),
            parameters: self.n_parameters_of(node),
        };
        Summary {
            layers: self.nodes().iter().map(row).collect(),
            parameters: self.n_parameters(),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = |layer: &LayerSummary| {
            layer
                .output_shape
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join("×")
        };
        let width = self
            .layers
            .iter()
            .map(|layer| layer.name.len())
            .max()
            .unwrap_or(0)
            .max(4);
        writeln!(
            f,
            "{:width$}  {:11}  {:>12}  {:>10}",
            "name", "kind", "output shape", "parameters"
        )?;
        for layer in &self.layers {
            let (name, kind) = (&layer.name, &layer.kind);
            writeln!(
                f,
                "{name:width$}  {kind:11}  {:>12}  {:>10}",
                shape(layer),
                thousands(layer.parameters)
            )?;
        }
        write!(
            f,
            "{:width$}  {:11}  {:>12}  {:>10}",
            "total",
            "",
            "",
            thousands(self.parameters)
        )
    }
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
