//! A training from outside: epoch by epoch, so that whoever holds several can train them in turns.

use anyhow::Result;
use juggle_models::Engine;
use juggle_tracking::RunLock;
use juggle_tracking::events::StopReason;

use super::epochs::{Metrics, Trainer};
use super::timed::Timed;
use crate::examples::Score;

/// A training in its run folder, which nobody else can write meanwhile.
pub(in crate::commands) struct Training<'a> {
    trainer: Trainer<'a>,
    engine: Timed,
    _lock: RunLock,
}

impl<'a> Training<'a> {
    /// `engine` is where `trainer` is.
    pub(super) fn new(trainer: Trainer<'a>, engine: Box<dyn Engine>, lock: RunLock) -> Self {
        Self {
            trainer,
            engine: Timed::new(engine),
            _lock: lock,
        }
    }

    /// Trains to the end.
    pub(in crate::commands) fn run(mut self) -> Result<Metrics> {
        while self.next_epoch()?.is_some() {}
        self.finish()
    }

    /// Trains on one epoch, or on the rest of one, and validates; nothing when the training is over.
    pub(in crate::commands) fn next_epoch(&mut self) -> Result<Option<Score>> {
        self.trainer.next_epoch(&mut self.engine)
    }

    /// Measures and writes what a training that is over has come to.
    pub(in crate::commands) fn finish(mut self) -> Result<Metrics> {
        self.trainer.finish(&mut self.engine)
    }

    /// Ends it between two epochs, for now or for good.
    pub(in crate::commands) fn stop(mut self, reason: StopReason) -> Result<()> {
        self.trainer.stop_because(reason)
    }
}
