//! The two losses, as configuration and as plain numbers for evaluation.

use crate::{Error, Result};

/// What training minimises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Cross-entropy over logits and class labels, the mean over the batch.
    CrossEntropy {
        /// The share of the target spread evenly over all classes, 0 to 1, as in `torch.nn.CrossEntropyLoss`.
        label_smoothing: f64,
    },
    /// The mean squared error over all values of the batch.
    MeanSquaredError,
}

/// What the outputs of a batch should have been.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// One class index an image.
    Labels(&'a [u32]),
    /// Images of the outputs' shape, NCHW.
    Images(&'a [f32]),
}

impl Targets<'_> {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Labels(_) => "labels",
            Self::Images(_) => "images",
        }
    }
}

impl Loss {
    pub(crate) fn kind(self) -> (&'static str, &'static str) {
        match self {
            Self::CrossEntropy { .. } => ("cross-entropy", "labels"),
            Self::MeanSquaredError => ("mean squared error", "images"),
        }
    }

    /// Checks that the targets fit outputs of `n` rows of `row` values.
    pub(crate) fn check(self, n: usize, row: usize, targets: &Targets<'_>) -> Result<()> {
        match (self, targets) {
            (Self::CrossEntropy { .. }, Targets::Labels(labels)) => {
                if labels.len() != n {
                    return Err(Error::Length {
                        what: "the labels",
                        found: labels.len(),
                        expected: n.to_string(),
                    });
                }
                match labels.iter().position(|&label| label as usize >= row) {
                    Some(position) => Err(Error::Label {
                        position,
                        found: labels[position],
                        last: row - 1,
                    }),
                    None => Ok(()),
                }
            }
            (Self::MeanSquaredError, Targets::Images(images)) => {
                if images.len() == n * row {
                    return Ok(());
                }
                let expected = format!("{n} images of {row}");
                Err(Error::Length {
                    what: "the target images",
                    found: images.len(),
                    expected,
                })
            }
            _ => {
                let (loss, expected) = self.kind();
                Err(Error::Targets {
                    loss,
                    found: targets.kind(),
                    expected,
                })
            }
        }
    }
}

/// The loss of a batch of outputs, in f64 and in the order of the values: the mean over the batch, as in PyTorch.
///
/// # Errors
/// [`Error::Targets`], [`Error::Length`] or [`Error::Label`] when the targets do not fit the outputs.
///
/// # Examples
///
/// ```
/// use juggle_models::{Loss, Targets, loss_value};
///
/// let loss = loss_value(Loss::CrossEntropy { label_smoothing: 0.0 }, &[0.0, 0.0], Targets::Labels(&[1]))?;
/// assert!((loss - 2_f64.ln()).abs() < 1e-15);
/// # Ok::<(), juggle_models::Error>(())
/// ```
pub fn loss_value(loss: Loss, outputs: &[f32], targets: Targets<'_>) -> Result<f64> {
    let (n, row) = match targets {
        Targets::Labels(labels) if !labels.is_empty() => {
            (labels.len(), outputs.len() / labels.len())
        }
        Targets::Images(_) if !outputs.is_empty() => (1, outputs.len()),
        _ => {
            return Err(Error::Length {
                what: "the targets",
                found: 0,
                expected: "at least 1".to_owned(),
            });
        }
    };
    if n * row != outputs.len() || row == 0 {
        let expected = format!("the same number for each of {n} labels");
        return Err(Error::Length {
            what: "the outputs",
            found: outputs.len(),
            expected,
        });
    }
    loss.check(n, row, &targets)?;
    let sum: f64 = match (loss, targets) {
        (Loss::CrossEntropy { label_smoothing }, Targets::Labels(labels)) => {
            let rows = outputs.chunks_exact(row).zip(labels);
            rows.map(|(logits, &label)| cross_entropy(logits, label as usize, label_smoothing))
                .sum()
        }
        (_, Targets::Images(images)) => {
            let differences = outputs
                .iter()
                .zip(images)
                .map(|(&x, &y)| f64::from(x) - f64::from(y));
            return Ok(differences.map(|d| d * d).sum::<f64>() / outputs.len() as f64);
        }
        _ => unreachable!("the check above refuses other pairs"),
    };
    Ok(sum / n as f64)
}

/// The probabilities of one image's logits; they sum to 1.
///
/// # Examples
///
/// ```
/// assert_eq!(juggle_models::softmax(&[3.0, 3.0]), [0.5, 0.5]);
/// ```
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to f32 is the point"
)]
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let log_sum = log_sum_exp(logits);
    logits
        .iter()
        .map(|&x| (f64::from(x) - log_sum).exp() as f32)
        .collect()
}

fn cross_entropy(logits: &[f32], label: usize, label_smoothing: f64) -> f64 {
    let log_sum = log_sum_exp(logits);
    let nll = log_sum - f64::from(logits[label]);
    let mean = logits.iter().map(|&x| log_sum - f64::from(x)).sum::<f64>() / logits.len() as f64;
    (1.0 - label_smoothing) * nll + label_smoothing * mean
}

fn log_sum_exp(logits: &[f32]) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let max = f64::from(max);
    max + logits
        .iter()
        .map(|&x| (f64::from(x) - max).exp())
        .sum::<f64>()
        .ln()
}
