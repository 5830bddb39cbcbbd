//! What ends a training between two steps: a signal, or the time that it was given.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use juggle_tracking::events::StopReason;

use crate::config::SavingConfig;

/// Asked before every step.
#[derive(Clone, Debug, Default)]
pub(in crate::commands) struct Stop {
    interrupted: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// Stops at the first Ctrl-C or request to terminate, after which a second one ends the process at once, and when the
    /// minutes of this process are over.
    pub(in crate::commands) fn on_signals(saving: &SavingConfig) -> Result<Self> {
        let minutes = saving.max_minutes;
        let stop = Self {
            // A time beyond the clock's range is no limit.
            deadline: (minutes > 0.0)
                .then(|| Duration::try_from_secs_f64(minutes * 60.0).ok())
                .flatten()
                .and_then(|limit| Instant::now().checked_add(limit)),
            ..Self::default()
        };
        let flag = Arc::clone(&stop.interrupted);
        ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        })
        .context("cannot watch for Ctrl-C")?;
        Ok(stop)
    }

    /// Asks all that share this one to stop, as Ctrl-C does.
    pub(in crate::commands) fn request(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Why the training should end here, if it should.
    pub(in crate::commands) fn reason(&self) -> Option<StopReason> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Some(StopReason::Interrupted);
        }
        let is_over = self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline);
        is_over.then_some(StopReason::TimeLimit)
    }
}
