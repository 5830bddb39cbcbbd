//! What an engine is asked for, and what it answers. [`cpu`] and [`candle`] hold the two engines.

pub mod candle;
pub mod cpu;

use std::collections::BTreeMap;

use crate::{Error, Loss, Network, Optimizer, Result, State, Targets};

/// A network with its weights, ready to train and to predict.
///
/// Images go in as NCHW slices of any batch size, values in [0, 1] by convention; outputs come back as row-major slices.
pub trait Engine: std::fmt::Debug {
    /// One optimisation step on one batch; the outputs and the loss are those before the weights moved.
    ///
    /// A loss that is not finite is returned like any other, after the weights moved; the caller decides.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Label`] or [`Error::Targets`] when the slices do not fit; the weights are then untouched.
    fn train_step(
        &mut self,
        inputs: &[f32],
        targets: Targets<'_>,
        learning_rate: f64,
    ) -> Result<StepOutput<'_>>;

    /// The loss and the gradients of one batch in training mode; nothing moves, running statistics included.
    ///
    /// # Errors
    /// As [`Engine::train_step`].
    fn gradients(&self, inputs: &[f32], targets: Targets<'_>) -> Result<Gradients>;

    /// The outputs of a batch in evaluation mode: running statistics, and the averaged weights where
    /// [`TrainingOptions::ema_decay`] is on.
    ///
    /// # Errors
    /// [`Error::Length`] when the slice holds no whole number of images.
    fn forward(&self, inputs: &[f32]) -> Result<Vec<f32>>;

    /// The weights and buffers that [`Engine::forward`] uses.
    ///
    /// # Errors
    /// [`Error::Candle`] when they cannot be read back from the device.
    fn state(&self) -> Result<State>;
}

/// One batch's gradients, before any optimiser sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// The mean loss of the batch.
    pub loss: f64,
    /// The outputs of the batch in training mode, row-major.
    pub outputs: Vec<f32>,
    /// The gradient of the loss by each parameter, by name, in the parameter's layout.
    pub parameters: BTreeMap<String, Vec<f32>>,
}

/// What a training step minimises and how it moves the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingOptions {
    /// What is minimised.
    pub loss: Loss,
    /// How a gradient moves a parameter.
    pub optimizer: Optimizer,
    /// When given, evaluation and saving use an exponential moving average of the weights and running statistics:
    /// after every step, average = decay · average + (1 − decay) · weights, begun at the weights after the first step.
    pub ema_decay: Option<f64>,
}

/// What one training step saw, before it moved the weights. The engine's own memory, so that a step allocates none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepOutput<'a> {
    /// The mean loss of the batch.
    pub loss: f64,
    /// The outputs of the batch in training mode, row-major: logits, or images NCHW.
    pub outputs: &'a [f32],
}

/// The arithmetic's precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// `f32`, for training and inference.
    #[default]
    F32,
    /// `f64`, to check gradients against other implementations. Slow.
    F64,
}

/// Checks that the options are in range.
fn check_options(options: &TrainingOptions) -> Result<()> {
    options.optimizer.check()?;
    let share = |what, value: f64, expected: &str| Error::Config {
        what,
        found: value.to_string(),
        expected: expected.to_owned(),
    };
    if let Loss::CrossEntropy { label_smoothing } = options.loss
        && !(0.0..=1.0).contains(&label_smoothing)
    {
        return Err(share("the label smoothing", label_smoothing, "0 to 1"));
    }
    match options.ema_decay {
        Some(decay) if !(0.0..1.0).contains(&decay) => Err(share(
            "the decay of the weight average",
            decay,
            "at least 0 and below 1",
        )),
        _ => Ok(()),
    }
}

/// The number of images in a batch of inputs, which holds at least one and no part of one.
fn check_images(network: &Network, inputs: &[f32]) -> Result<usize> {
    let [c, h, w] = network.input_shape();
    let image = c * h * w;
    if inputs.is_empty() || !inputs.len().is_multiple_of(image) {
        let expected = format!("a multiple of {image} ({c}×{h}×{w})");
        return Err(Error::Length {
            what: "the inputs",
            found: inputs.len(),
            expected,
        });
    }
    Ok(inputs.len() / image)
}
