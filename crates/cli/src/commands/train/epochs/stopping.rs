//! What ends a training before its last epoch: numbers that are none, a signal, the time.

use anyhow::{Error, Result};
use juggle_models::Engine as _;
use juggle_tracking::events::{StopReason, Stopped};
use juggle_tracking::run::LAST_WEIGHTS;
use juggle_tracking::{Event, Number, Step};

use super::super::timed::Timed;
use super::Trainer;
use crate::config::OnNan;
use crate::failure::{Interrupted, NotFinite, TimeIsUp};

/// Steps in a row without a finite loss after which even `--on-nan skip` gives up: the weights are beyond repair.
const SKIPPED_IN_A_ROW: u32 = 20;

impl Trainer<'_> {
    /// After a step that moved nothing, since its loss or its gradient is no finite number.
    pub(super) fn skip_or_stop(&mut self, step: Step, gradient_norm: Option<f64>) -> Result<()> {
        self.position.skipped_in_a_row += 1;
        let (skipped, Number(loss)) = (self.position.skipped_in_a_row, step.loss);
        let what = match gradient_norm {
            Some(norm) if loss.is_finite() => format!("the norm of the gradient is {norm}"),
            _ => format!("the loss is {loss}"),
        };
        if self.config.training.on_nan == OnNan::Skip && skipped < SKIPPED_IN_A_ROW {
            tracing::warn!("{what} at step {}, which is skipped", step.step);
            return self.saving.record(Event::Skipped(step));
        }
        let in_a_row = if skipped > 1 {
            format!(", for the {skipped}th step in a row")
        } else {
            String::new()
        };
        Err(self.stop_for_good(&format!("{what}{in_a_row} at")))
    }

    /// Ends the run with the error of a number that is none. `what` comes before the position.
    pub(super) fn stop_for_good(&mut self, what: &str) -> Error {
        let (epoch, step) = (self.position.epoch, self.position.step);
        let stopped = self.stop_because(StopReason::NotFinite);
        if let Err(error) = stopped {
            return error;
        }
        let kept = match self.saving.newest() {
            Some(path) => format!("the last good checkpoint is {}", path.display()),
            None => "there is no checkpoint yet".to_owned(),
        };
        Error::new(NotFinite(format!(
            "{what} step {step} (epoch {epoch}) with learning rate {:?}: try a lower --lr; {kept}",
            self.position.learning_rate
        )))
    }

    /// Records why the run ends here and waits until everything is on the disk.
    pub(in crate::commands::train) fn stop_because(&mut self, reason: StopReason) -> Result<()> {
        self.record_stop(reason)?;
        self.saving.finish()
    }

    fn record_stop(&mut self, reason: StopReason) -> Result<()> {
        let (epoch, step) = (self.position.epoch, self.position.step);
        self.saving.record(Event::Stopped(Stopped {
            reason,
            epoch,
            step,
        }))
    }

    /// Between two steps: puts everything away and ends with the reason, when there is one.
    pub(super) fn stop_if_asked(&mut self, engine: &mut Timed) -> Result<()> {
        let Some(reason) = self.stop.reason() else {
            return Ok(());
        };
        self.count_time(engine);
        self.record_stop(reason)?;
        let (epoch, step) = (self.position.epoch, self.position.step);
        let (snapshot, weights) = (self.snapshot(engine)?, engine.state()?);
        self.saving.write(move |writer| {
            writer.run.replace(LAST_WEIGHTS, &weights.to_bytes())?;
            writer.checkpoint(&snapshot)
        })?;
        self.saving.finish()?;
        self.progress.finish();
        let place = format!(
            "in epoch {epoch} after step {step}; to continue: juggle train {} --run {} --resume",
            self.config.kind,
            self.run.path().display()
        );
        Err(match reason {
            StopReason::TimeLimit => TimeIsUp(place).into(),
            _ => Interrupted(place).into(),
        })
    }
}
