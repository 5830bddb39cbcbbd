//! How far a training has come: with the engine's state all that its next steps depend on.

use anyhow::{Context as _, Result, bail};
use juggle_models::{State, TrainingState};
use juggle_tracking::{Checkpoint, Checkpoints, checkpoint};
use serde::{Deserialize, Serialize};

use crate::exact;
use crate::examples::Tally;

/// Random numbers need no place here: they are functions of the seed, the epoch and the index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// Steps taken so far.
    pub(super) step: u64,
    /// The epoch in progress, from 1.
    pub(super) epoch: usize,
    /// Batches of it that were trained on.
    pub(super) batches: usize,
    /// What they added up to.
    pub(super) tally: Tally,
    /// That of the last step.
    #[serde(with = "exact")]
    pub(super) learning_rate: f64,
    /// The epoch with the lowest validation loss so far.
    pub(super) best: Option<Best>,
    /// The validation of the epoch before.
    pub(super) val: Option<Tally>,
    /// Epochs in a row without a lower validation loss.
    pub(super) stale_epochs: usize,
    /// Steps in a row that moved nothing.
    pub(super) skipped_in_a_row: u32,
    /// Time spent so far, which no result depends on.
    pub(super) elapsed_s: f64,
    /// The part of it in the epoch in progress, and the part of that in the engine.
    pub(super) epoch_s: f64,
    pub(super) engine_s: f64,
    /// Of the list of data files.
    pub(super) data_sha256: String,
    /// Of the part of the configuration that may not change.
    pub(super) config_sha256: String,
    /// What did the arithmetic; checkpoints of before do not say it.
    #[serde(default)]
    pub(super) machine: String,
}

/// The epoch with the lowest validation loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Best {
    pub(super) epoch: usize,
    #[serde(with = "exact")]
    pub(super) loss: f64,
    /// Steps taken when it ended: its checkpoint.
    pub(super) step: u64,
}

/// A position with the engine's state, on its way to the disk or from it.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) position: Position,
    pub(super) state: TrainingState,
}

impl Snapshot {
    /// As a checkpoint, when the run's event log has `events` bytes.
    pub(super) fn to_checkpoint(&self, log: &str, events: u64) -> Result<Checkpoint> {
        Ok(Checkpoint {
            step: self.position.step,
            model: self.state.model.to_bytes(),
            optimizer: self.state.optimizer.to_bytes(),
            training: serde_json::to_value(&self.position)
                .context("cannot write the position as JSON")?,
            logs: vec![(log.to_owned(), events)],
        })
    }

    /// What is in a checkpoint that has its hashes right.
    pub(super) fn of(checkpoint: &Checkpoint, checkpoints: &Checkpoints) -> Result<Self> {
        let folder = checkpoints.path(checkpoint.step);
        let file = |name: &str| folder.join(name);
        let position: Position = serde_json::from_value(checkpoint.training.clone())
            .with_context(|| format!("{} is not as expected", file(checkpoint::STATE).display()))?;
        if position.step != checkpoint.step {
            bail!(
                "{} is at step {}, expected {}",
                file(checkpoint::STATE).display(),
                position.step,
                checkpoint.step
            );
        }
        Ok(Self {
            position,
            state: TrainingState {
                model: State::from_bytes(&checkpoint.model, &file(checkpoint::MODEL))?,
                optimizer: State::from_bytes(&checkpoint.optimizer, &file(checkpoint::OPTIMIZER))?,
            },
        })
    }
}
