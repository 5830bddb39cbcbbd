//! What an engine is asked for, and what it answers. [`cpu`] and [`candle`] hold the two engines.

pub mod candle;
pub mod cpu;

use std::collections::BTreeMap;

use crate::{Error, Loss, Network, Optimizer, Result, State, Targets, TrainingState};

/// A network with its weights, ready to train and to predict.
///
/// Images go in as NCHW slices of any batch size, values in [0, 1] by convention; outputs come back as row-major slices.
pub trait Engine: std::fmt::Debug {
    /// One optimisation step on one batch; the outputs and the loss are those before the weights moved.
    ///
    /// A step whose loss, or whose gradient's norm under [`TrainingOptions::clip_norm`], is not finite moves nothing; the
    /// caller sees it in [`StepOutput::is_finite`] and decides.
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

    /// The gradient of the last training step by each parameter, by name, in the parameter's layout: as the optimiser saw it,
    /// clipped and without weight decay. None before the first step of this engine and, where their memory is one, after
    /// [`Engine::gradients`]. It costs a copy.
    ///
    /// # Errors
    /// [`Error::Candle`] when it cannot be read back from the device.
    fn last_gradients(&self) -> Result<Option<BTreeMap<String, Vec<f32>>>>;

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

    /// Everything that the next steps depend on: an engine that [`Engine::restore`]s it goes on with the same bits.
    ///
    /// # Errors
    /// [`Error::Candle`] when it cannot be read back from the device.
    fn training_state(&self) -> Result<TrainingState>;

    /// Goes on from where [`Engine::training_state`] was asked, by an engine of the same network and options. Exact in
    /// [`Precision::F32`].
    ///
    /// # Errors
    /// [`Error::State`] that names the first tensor that does not fit; nothing has changed then.
    fn restore(&mut self, state: &TrainingState) -> Result<()>;
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
    /// When given, a gradient whose Euclidean norm over all parameters is larger is scaled down to it, as
    /// `torch.nn.utils.clip_grad_norm_` does.
    pub clip_norm: Option<f64>,
}

/// What one training step saw, before it moved the weights. The engine's own memory, so that a step allocates none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepOutput<'a> {
    /// The mean loss of the batch.
    pub loss: f64,
    /// The outputs of the batch in training mode, row-major: logits, or images NCHW.
    pub outputs: &'a [f32],
    /// The Euclidean norm of the gradient over all parameters before it was clipped, where
    /// [`TrainingOptions::clip_norm`] is on.
    pub gradient_norm: Option<f64>,
}

impl StepOutput<'_> {
    /// Whether the loss, and the gradient's norm where it was computed, are finite: if not, nothing moved.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.gradient_norm.is_none_or(f64::is_finite)
    }
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
    if let Some(norm) = options.clip_norm
        && !(norm.is_finite() && norm > 0.0)
    {
        let what = "the norm that gradients are clipped to";
        return Err(share(what, norm, "a number above 0"));
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

/// What a gradient of this norm is multiplied by, in the arithmetic of `torch.nn.utils.clip_grad_norm_`.
fn clip_factor(clip_norm: f64, norm: f64) -> f64 {
    (clip_norm / (norm + 1e-6)).min(1.0)
}
