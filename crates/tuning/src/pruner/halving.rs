//! Optuna's `SuccessiveHalvingPruner`: L. Li and others, "A system for massively parallel hyperparameter tuning", 2020.
//!
//! A trial that reaches a rung notes its value there (`completed_rung_N` in its system attributes) and goes on if it is among
//! the best of all who have been there so far; nobody waits for anybody.

use std::sync::Arc;

use super::{Report, Verdict, setting};
use crate::error::Result;
use crate::json;
use crate::record::{Direction, TrialRecord};

/// Settings of successive halving; the default is Optuna's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalvingOptions {
    /// The step of the first rung, at least 1; `None` is a hundredth of the longest complete trial's steps, at least 1.
    pub min_resource: Option<u32>,
    /// One of so many goes on, and the next rung is so many times as far; at least 2.
    pub reduction_factor: u32,
    /// How many rungs are left out at the beginning.
    pub min_early_stopping_rate: u32,
    /// At a rung that no more than so many have reached, nobody goes on. Needs `min_resource`.
    pub bootstrap_count: usize,
}

impl Default for HalvingOptions {
    fn default() -> Self {
        Self {
            min_resource: None,
            reduction_factor: 4,
            min_early_stopping_rate: 0,
            bootstrap_count: 0,
        }
    }
}

impl HalvingOptions {
    pub(super) fn check(&self) -> Result<()> {
        if self.min_resource == Some(0) {
            return Err(setting("min_resource", &0, "at least 1"));
        }
        if self.reduction_factor < 2 {
            let found = self.reduction_factor;
            return Err(setting("reduction_factor", &found, "at least 2"));
        }
        if self.bootstrap_count > 0 && self.min_resource.is_none() {
            let expected = "0 where min_resource is not given";
            return Err(setting("bootstrap_count", &self.bootstrap_count, expected));
        }
        Ok(())
    }

    pub(super) fn judge(&self, report: &Report<'_>) -> Verdict {
        let rivals: Vec<_> = report.trials.iter().collect();
        self.judge_among(&rivals, report)
    }

    /// Judges by the values of these trials only.
    pub(super) fn judge_among(&self, rivals: &[&Arc<TrialRecord>], report: &Report<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        let trial = report.trial;
        let Some((step, value)) = trial.content.last_intermediate() else {
            return verdict;
        };
        let min_resource = self.min_resource.map(i64::from);
        let Some(min_resource) = min_resource.or_else(|| shortest(report)) else {
            return verdict;
        };
        let is_noted = |rung: &u32| trial.content.system_attrs.contains_key(&rung_key(*rung));
        let mut rung = (0..).take_while(is_noted).count();
        loop {
            let index = u32::try_from(rung).unwrap_or(u32::MAX);
            let exponent = self.min_early_stopping_rate.saturating_add(index);
            let factor = i64::from(self.reduction_factor).saturating_pow(exponent);
            if step < min_resource.saturating_mul(factor) {
                return verdict;
            }
            if value.is_nan() {
                verdict.is_pruned = true;
                return verdict;
            }
            let key = rung_key(index);
            let of_rival = |rival: &&Arc<TrialRecord>| {
                // What this trial noted a moment ago is counted below.
                let attrs = &rival.content.system_attrs;
                attrs.get(&key).and_then(json::as_float)
            };
            let mut competing: Vec<f64> = rivals.iter().filter_map(of_rival).collect();
            competing.push(value);
            verdict.rungs.push((key, value));
            if competing.len() <= self.bootstrap_count
                || !self.is_among_best(value, competing, report.direction)
            {
                verdict.is_pruned = true;
                return verdict;
            }
            rung += 1;
        }
    }

    fn is_among_best(&self, value: f64, competing: Vec<f64>, direction: Direction) -> bool {
        let mut losses: Vec<f64> = competing.into_iter().map(|v| direction.loss(v)).collect();
        losses.sort_by(f64::total_cmp);
        let factor = usize::try_from(self.reduction_factor).unwrap_or(usize::MAX);
        let last = (losses.len() / factor).saturating_sub(1);
        direction.loss(value) <= losses[last]
    }
}

/// A hundredth of the longest complete trial's steps.
fn shortest(report: &Report<'_>) -> Option<i64> {
    let steps = report
        .complete()
        .filter_map(|trial| trial.content.last_intermediate());
    let longest = steps.map(|(step, _)| step).max()?;
    Some((longest / 100).max(1))
}

fn rung_key(rung: u32) -> String {
    format!("completed_rung_{rung}")
}
