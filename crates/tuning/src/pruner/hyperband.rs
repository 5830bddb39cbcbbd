//! Optuna's `HyperbandPruner`: L. Li and others, "Hyperband: a novel bandit-based approach to hyperparameter optimization", 2018.
//!
//! Each trial belongs to one bracket, which its number and the study's name decide; a bracket is a successive halving of its
//! own that leaves out more rungs the later it is.

use std::sync::Arc;

use super::halving::HalvingOptions;
use super::{Report, Verdict, setting};
use crate::error::Result;
use crate::record::TrialRecord;

/// Settings of Hyperband; the default is Optuna's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HyperbandOptions {
    /// The step of the first rung, at least 1.
    pub min_resource: u32,
    /// The step at which trials end, at least `min_resource`; `None` is one more than the longest complete trial's last step.
    pub max_resource: Option<u32>,
    /// One of so many goes on; at least 2.
    pub reduction_factor: u32,
    /// At a rung that no more than so many have reached, nobody goes on. Needs `max_resource`.
    pub bootstrap_count: usize,
}

impl Default for HyperbandOptions {
    fn default() -> Self {
        Self {
            min_resource: 1,
            max_resource: None,
            reduction_factor: 3,
            bootstrap_count: 0,
        }
    }
}

impl HyperbandOptions {
    pub(super) fn check(&self) -> Result<()> {
        if self.min_resource == 0 {
            return Err(setting("min_resource", &0, "at least 1"));
        }
        if self.max_resource.is_some_and(|max| max < self.min_resource) {
            let found = self.max_resource.unwrap_or(0);
            return Err(setting("max_resource", &found, "at least min_resource"));
        }
        if self.reduction_factor < 2 {
            let found = self.reduction_factor;
            return Err(setting("reduction_factor", &found, "at least 2"));
        }
        if self.bootstrap_count > 0 && self.max_resource.is_none() {
            let expected = "0 where max_resource is not given";
            return Err(setting("bootstrap_count", &self.bootstrap_count, expected));
        }
        Ok(())
    }

    pub(super) fn judge(&self, report: &Report<'_>) -> Verdict {
        let longest = || {
            let steps = report
                .complete()
                .filter_map(|trial| trial.content.last_intermediate());
            steps.map(|(step, _)| step + 1).max()
        };
        let Some(max_resource) = self.max_resource.map(i64::from).or_else(longest) else {
            return Verdict::default();
        };
        let budgets = self.budgets(max_resource);
        let bracket_of = |trial: &TrialRecord| bracket(report.study_name, trial.number, &budgets);
        let bracket = bracket_of(report.trial);
        let in_bracket = |trial: &&Arc<TrialRecord>| bracket_of(trial) == bracket;
        let rivals: Vec<_> = report.trials.iter().filter(in_bracket).collect();
        let halving = HalvingOptions {
            min_resource: Some(self.min_resource),
            reduction_factor: self.reduction_factor,
            min_early_stopping_rate: u32::try_from(bracket).unwrap_or(u32::MAX),
            bootstrap_count: self.bootstrap_count,
        };
        halving.judge_among(&rivals, report)
    }

    /// Each bracket's share of the trials.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "Optuna counts brackets in floats, and they are few"
    )]
    fn budgets(&self, max_resource: i64) -> Vec<u64> {
        let factor = f64::from(self.reduction_factor);
        let range = max_resource as f64 / f64::from(self.min_resource);
        // Python's math.log(x, base) is a quotient of natural logarithms.
        let n_brackets = (range.ln() / factor.ln()).floor().max(0.0) as u32 + 1;
        let budget = |bracket| {
            let s = n_brackets - 1 - bracket;
            let n_trials = f64::from(n_brackets) * factor.powi(s as i32) / f64::from(s + 1);
            n_trials.ceil() as u64
        };
        (0..n_brackets).map(budget).collect()
    }
}

fn bracket(study_name: &str, number: u64, budgets: &[u64]) -> usize {
    let hash = crc32fast::hash(format!("{study_name}_{number}").as_bytes());
    let mut rest = u64::from(hash) % budgets.iter().sum::<u64>();
    for (bracket, &budget) in budgets.iter().enumerate() {
        if rest < budget {
            return bracket;
        }
        rest -= budget;
    }
    unreachable!("the remainder is below the sum of the budgets")
}
