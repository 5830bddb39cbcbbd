//! What an engine is asked for, and what it answers. [`candle`] holds the engine itself.

pub mod candle;

use crate::{Loss, Optimizer};

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

/// What one training step saw, before it moved the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutput {
    /// The mean loss of the batch.
    pub loss: f64,
    /// The outputs of the batch in training mode, row-major: logits, or images NCHW.
    pub outputs: Vec<f32>,
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
