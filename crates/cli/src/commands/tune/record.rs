//! What a study's storage holds of it: how it was begun, its trials counted and put into words.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use juggle_tuning::{StudyRecord, TrialRecord, TrialState};
use serde_json::Value;

use crate::config::RunConfig;

/// The study's attributes: how it is judged, and what all trials have in common.
pub(super) const ABOUT: &str = "juggle:about";
pub(super) const CONFIG: &str = "juggle:config";
/// What the best settings achieved on the images that are looked at in the end.
pub(super) const WINNER: &str = "juggle:winner";
/// A trial's attribute: the value of each of its networks.
pub(super) const PARTS: &str = "juggle:parts";
/// Optuna's attribute of a trial that takes up failed ones.
const RETRIES: &str = "retry_history";

/// The trials of a study by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) complete: usize,
    pub(super) pruned: usize,
    /// Those that nobody has taken up again.
    pub(super) failed: usize,
    pub(super) running: usize,
    pub(super) waiting: usize,
}

impl Counts {
    pub(super) fn of(trials: &[Arc<TrialRecord>]) -> Self {
        let retried: HashSet<u64> = trials
            .iter()
            .filter_map(|trial| trial.content.system_attrs.get(RETRIES)?.as_array())
            .flatten()
            .filter_map(Value::as_u64)
            .collect();
        let mut counts = Self::default();
        for trial in trials {
            *match trial.content.state {
                TrialState::Complete => &mut counts.complete,
                TrialState::Pruned => &mut counts.pruned,
                TrialState::Running => &mut counts.running,
                TrialState::Waiting => &mut counts.waiting,
                TrialState::Fail if retried.contains(&trial.number) => continue,
                TrialState::Fail => &mut counts.failed,
            } += 1;
        }
        counts
    }

    /// Trials that have ended.
    pub(super) fn done(self) -> usize {
        self.complete + self.pruned + self.failed
    }

    /// Trials that have ended or that somebody works on; one that waits is still to be taken.
    pub(super) fn taken(self) -> usize {
        self.done() + self.running
    }
}

/// What all trials of a study have in common.
pub(super) fn base(study: &StudyRecord) -> Result<RunConfig> {
    let text = study.user_attrs.get(CONFIG).and_then(Value::as_str);
    let text = text.with_context(|| {
        format!(
            "the study {:?} does not hold the configuration of its trials: `juggle tune` has not begun it",
            study.name
        )
    })?;
    toml::from_str(text).with_context(|| format!("the configuration in the study {:?}", study.name))
}

/// The values of a trial's parameters.
pub(super) fn params(trial: &TrialRecord) -> BTreeMap<String, Value> {
    let params = trial.content.params.iter();
    params
        .map(|(name, param)| (name.clone(), param.value()))
        .collect()
}

/// `learning_rate 0.00123, batch_norm true`: short numbers.
pub(super) fn params_in_words(params: &BTreeMap<String, Value>) -> String {
    let words = params
        .iter()
        .map(|(name, value)| format!("{name} {}", value_in_words(value)));
    words.collect::<Vec<_>>().join(", ")
}

/// A value with at most four digits that count.
pub(super) fn value_in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(x)) if x != 0.0 && (x.abs() < 1e-3 || x.abs() >= 1e5) => format!("{x:.3e}"),
            (None, Some(x)) => {
                let text = format!("{x:.5}");
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// The values of the trial's networks, where it says them.
pub(super) fn parts(trial: &TrialRecord) -> Vec<f64> {
    let parts = trial
        .content
        .user_attrs
        .get(PARTS)
        .and_then(Value::as_array);
    let numbers = parts.into_iter().flatten().filter_map(Value::as_f64);
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use juggle_tuning::{TrialContent, TrialId};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failed_trial_counts_unless_it_was_taken_up_again() {
        let trial = |number: u64, state| {
            let content = TrialContent::new(state);
            let id = TrialId(i64::try_from(number).unwrap());
            TrialRecord {
                id,
                number,
                content,
            }
        };
        let mut again = trial(3, TrialState::Waiting);
        again
            .content
            .system_attrs
            .insert(RETRIES.to_owned(), json!([1]));
        let trials = [
            trial(0, TrialState::Complete),
            trial(1, TrialState::Fail),
            trial(2, TrialState::Fail),
            again,
            trial(4, TrialState::Running),
        ];
        let counts = Counts::of(&trials.map(Arc::new));
        assert_eq!((counts.done(), counts.taken(), counts.waiting), (2, 3, 1));
    }

    #[test]
    fn values_are_short() {
        for (value, words) in [
            (json!(0.00123456), "0.00123"),
            (json!(0.000123456), "1.235e-4"),
            (json!(0.5), "0.5"),
            (json!(32), "32"),
            (json!(true), "true"),
            (json!("none"), "none"),
            (json!(0.0), "0"),
        ] {
            assert_eq!(value_in_words(&value), words);
        }
    }
}
