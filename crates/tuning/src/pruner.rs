//! Whether a trial that reports on the way should go on.
//!
//! Each pruner decides as Optuna's of the same name does, over the same records; golden files replay Optuna's decisions.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::record::{Direction, TrialRecord, TrialState};

mod halving;
mod hyperband;
mod percentile;

pub use halving::HalvingOptions;
pub use hyperband::HyperbandOptions;
pub use percentile::PercentileOptions;

/// A rule that stops trials.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Pruner {
    /// Never.
    None,
    /// When the best value so far is worse than the median of the complete trials at this step.
    Median(PercentileOptions),
    /// When the best value so far is not within the best share of the complete trials at this step.
    Percentile {
        /// The share that goes on, in percent from 0 to 100: 25 keeps the best quarter.
        percentile: f64,
        /// When to look.
        options: PercentileOptions,
    },
    /// Asynchronous successive halving: at each rung of steps the best `1 / reduction_factor` of those who came so far go on.
    SuccessiveHalving(HalvingOptions),
    /// Several successive halvings side by side, from patient to impatient.
    Hyperband(HyperbandOptions),
}

/// What a pruner may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report<'a> {
    pub(crate) study_name: &'a str,
    pub(crate) direction: Direction,
    /// The trial that has just reported.
    pub(crate) trial: &'a TrialRecord,
    /// All trials of the study.
    pub(crate) trials: &'a [Arc<TrialRecord>],
}

/// What a pruner decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) is_pruned: bool,
    /// Values to note in the trial's system attributes, where others compete with them.
    pub(crate) rungs: Vec<(String, f64)>,
}

impl Pruner {
    /// Says what is wrong with the settings.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Median(options) => options.check(),
            Self::Percentile {
                percentile,
                options,
            } => {
                if !(0.0..=100.0).contains(percentile) {
                    return Err(setting("percentile", percentile, "from 0 to 100"));
                }
                options.check()
            }
            Self::SuccessiveHalving(options) => options.check(),
            Self::Hyperband(options) => options.check(),
        }
    }

    pub(crate) fn judge(&self, report: &Report<'_>) -> Verdict {
        let only = |is_pruned| Verdict {
            is_pruned,
            rungs: vec![],
        };
        match self {
            Self::None => Verdict::default(),
            Self::Median(options) => only(options.is_worse_than(50.0, report)),
            Self::Percentile {
                percentile,
                options,
            } => only(options.is_worse_than(*percentile, report)),
            Self::SuccessiveHalving(options) => options.judge(report),
            Self::Hyperband(options) => options.judge(report),
        }
    }
}

impl<'a> Report<'a> {
    fn complete(&self) -> impl Iterator<Item = &'a TrialRecord> {
        let trials = self.trials.iter().map(Arc::as_ref);
        trials.filter(|trial| trial.content.state == TrialState::Complete)
    }
}

fn setting(what: &'static str, found: &dyn ToString, expected: &'static str) -> Error {
    let found = found.to_string();
    Error::Setting {
        what,
        found,
        expected,
    }
}
