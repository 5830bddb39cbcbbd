//! What a run saves and when, and when it stops by itself.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// None of it changes what the weights become.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
// Runs of before there was one of the keys do not name it.
#[serde(deny_unknown_fields, default)]
pub(crate) struct SavingConfig {
    /// Training steps between two checkpoints within an epoch; 0 is off. The end of an epoch has one in any case.
    pub(crate) checkpoint_steps: usize,
    /// Minutes between two checkpoints within an epoch; 0 is off.
    pub(crate) checkpoint_minutes: f64,
    /// Checkpoints that are kept besides the one of the best epoch.
    pub(crate) keep_checkpoints: usize,
    /// Training steps between two lines of the event log; 0 is off. Epochs are always recorded.
    pub(crate) log_steps: usize,
    /// Minutes after which the training stops, to be resumed; 0 is off.
    pub(crate) max_minutes: f64,
    /// Whether an event file for TensorBoard is written.
    pub(crate) tensorboard: bool,
}

impl Default for SavingConfig {
    fn default() -> Self {
        Self {
            checkpoint_steps: 0,
            checkpoint_minutes: 5.0,
            keep_checkpoints: 3,
            log_steps: 10,
            max_minutes: 0.0,
            tensorboard: true,
        }
    }
}

/// What a loss that is no finite number does. Its step moves no weight in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnNan {
    /// End the training and name the last checkpoint
    #[default]
    Stop,
    /// Go on with the next batch, unless many fail in a row
    Skip,
}
