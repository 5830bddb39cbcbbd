//! The files and JSON documents that `juggle` writes, as far as the report reads them.
//!
//! Unknown keys are ignored: the binary may write more than is read here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `juggle summary --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) layers: Vec<Layer>,
    pub(crate) parameters: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) output_shape: Vec<u64>,
    pub(crate) parameters: u64,
}

/// A line of a run's `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Epoch {
    pub(crate) epoch: u64,
    pub(crate) train: Scores,
    pub(crate) val: Scores,
    /// Of the epoch's last step, by parameter.
    #[serde(default)]
    pub(crate) gradient_norms: BTreeMap<String, Number>,
}

/// A number, or the text that stands for one that JSON does not have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Finite(f64),
    Other(String),
}

impl Number {
    pub(crate) fn finite(&self) -> Option<f64> {
        match self {
            Self::Finite(value) => Some(*value),
            Self::Other(_) => None,
        }
    }
}

/// An image of `juggle predict --explain --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Explanation {
    pub(crate) file: String,
    pub(crate) class: String,
    pub(crate) occlusion: OcclusionDrop,
}

/// How the probability of the class falls with a patch at each place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OcclusionDrop {
    pub(crate) probability: f64,
    #[serde(skip_serializing)]
    pub(crate) drop: Vec<Vec<f64>>,
}

/// Loss, with accuracy for a classifier and PSNR for an autoencoder's validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scores {
    pub(crate) loss: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accuracy: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) psnr_db: Option<f64>,
}

/// A run's `metrics.json`: last weights, evaluation mode, whole splits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Metrics {
    pub(crate) epochs: u64,
    pub(crate) train: Scores,
    pub(crate) val: Scores,
    pub(crate) elapsed_s: f64,
}

/// `juggle evaluate --json` of a classifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClassifierEvaluation {
    pub(crate) n: u64,
    pub(crate) loss: f64,
    pub(crate) accuracy: f64,
    pub(crate) report: BTreeMap<String, Value>,
    pub(crate) report_text: String,
    /// Rows true, columns predicted.
    pub(crate) confusion_matrix: Vec<Vec<u64>>,
    pub(crate) classes: Vec<String>,
}

impl ClassifierEvaluation {
    /// A cell of the report of one class, such as the recall of class `2`.
    pub(crate) fn of_class(&self, class: &str, metric: &str) -> Option<f64> {
        self.report.get(class)?.get(metric)?.as_f64()
    }

    /// Images of one class that were taken for another; classes by their names.
    pub(crate) fn errors(&self, actual: &str, predicted: &str) -> Option<u64> {
        let index = |class: &str| self.classes.iter().position(|name| name == class);
        self.confusion_matrix
            .get(index(actual)?)?
            .get(index(predicted)?)
            .copied()
    }
}

/// `juggle evaluate --json` of an autoencoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AutoencoderEvaluation {
    pub(crate) n: u64,
    pub(crate) loss: f64,
    pub(crate) psnr_db: Comparisons,
    pub(crate) ssim: Comparisons,
    pub(crate) ssim_gaussian: Comparisons,
}

/// One metric, three ways.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Comparisons {
    /// Output against truth.
    pub(crate) prediction: f64,
    /// Output against the last input frame: near the baseline, or the network merely copies.
    pub(crate) prediction_vs_last_frame: f64,
    /// Truth against the last input frame: the copy baseline, without a model.
    pub(crate) last_frame: f64,
}

/// Reads one JSON document.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

/// Reads the epochs among the events of a run.
pub(crate) fn read_epochs(path: &Path) -> Result<Vec<Epoch>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| is_epoch(line));
    lines
        .map(|(number, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("{}:{} is not as expected", path.display(), number + 1))
        })
        .collect()
}

/// Whether a line of events is an epoch: its kind says so, or there is none, as in a line that is no event either.
pub(crate) fn is_epoch(line: &str) -> bool {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    serde_json::from_str::<Kind>(line).map_or(true, |event| event.kind == "epoch")
}
