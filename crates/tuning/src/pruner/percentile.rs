//! Optuna's `PercentilePruner`, and with 50 percent its `MedianPruner`.

use super::{Report, setting};
use crate::error::Result;
use crate::record::Direction;

/// When the median and the percentile pruner look; the default is Optuna's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PercentileOptions {
    /// No trial is pruned before so many are complete.
    pub n_startup_trials: usize,
    /// No trial is pruned before this step.
    pub n_warmup_steps: i64,
    /// Steps between two looks, from the end of the warm-up.
    pub interval_steps: i64,
    /// No trial is pruned at a step that fewer complete trials have reported.
    pub n_min_trials: usize,
}

impl Default for PercentileOptions {
    fn default() -> Self {
        Self {
            n_startup_trials: 5,
            n_warmup_steps: 0,
            interval_steps: 1,
            n_min_trials: 1,
        }
    }
}

impl PercentileOptions {
    pub(super) fn check(&self) -> Result<()> {
        if self.n_warmup_steps < 0 {
            return Err(setting(
                "n_warmup_steps",
                &self.n_warmup_steps,
                "at least 0",
            ));
        }
        if self.interval_steps < 1 {
            return Err(setting(
                "interval_steps",
                &self.interval_steps,
                "at least 1",
            ));
        }
        if self.n_min_trials < 1 {
            return Err(setting("n_min_trials", &self.n_min_trials, "at least 1"));
        }
        Ok(())
    }

    pub(super) fn is_worse_than(&self, percentile: f64, report: &Report<'_>) -> bool {
        let Some((step, _)) = report.trial.content.last_intermediate() else {
            return false;
        };
        let n_complete = report.complete().count();
        if n_complete == 0 || n_complete < self.n_startup_trials || step < self.n_warmup_steps {
            return false;
        }
        if !self.is_first_look(step, report) {
            return false;
        }
        let losses = report.trial.content.intermediate.values();
        let losses = losses.map(|&value| report.direction.loss(value));
        // NaN is passed over unless there is nothing else.
        let Some(best) = losses.filter(|loss| !loss.is_nan()).reduce(f64::min) else {
            return true;
        };
        let at_step = |trial: &crate::TrialRecord| trial.content.intermediate.get(&step).copied();
        let others: Vec<f64> = report.complete().filter_map(at_step).collect();
        if others.len() < self.n_min_trials {
            return false;
        }
        let share = match report.direction {
            Direction::Minimize => percentile,
            Direction::Maximize => 100.0 - percentile,
        };
        quantile(others, share / 100.0).is_some_and(|limit| best > report.direction.loss(limit))
    }

    /// Whether the trial reports for the first time since the last look was due.
    fn is_first_look(&self, step: i64, report: &Report<'_>) -> bool {
        let (first, interval) = (self.n_warmup_steps, self.interval_steps);
        let due = (step - first) / interval * interval + first;
        let steps = report.trial.content.intermediate.keys();
        let before = steps.copied().filter(|&other| other != step).max();
        before.unwrap_or(-1) < due
    }
}

/// numpy's `nanpercentile` with its default interpolation; nothing when all are NaN.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index into a vector"
)]
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.retain(|value| !value.is_nan());
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let position = share * last as f64;
    let index = (position.floor() as usize).min(last);
    let (a, b) = (values[index], values[(index + 1).min(last)]);
    let part = position - index as f64;
    if a == b {
        return Some(a);
    }
    // The end that is nearer is the one to begin with, so that a share of 1 gives the greatest value exactly.
    Some(if part >= 0.5 {
        b - (b - a) * (1.0 - part)
    } else {
        a + (b - a) * part
    })
}
