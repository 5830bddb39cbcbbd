//! A trial in the hands of its worker.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{HISTORY_KEY, Study};
use crate::error::{Error, Result};
use crate::pruner::Report;
use crate::record::{AttrKind, TrialId, TrialRecord, TrialState};
use crate::sampler::Assignment;

/// A running trial, from [`Study::ask`].
///
/// It ends by [`complete`](Self::complete), [`prune`](Self::prune), [`fail`](Self::fail) or [`repeat`](Self::repeat); one that is dropped
/// fails.
#[derive(Debug)]
pub struct Trial<'a> {
    study: &'a Study,
    id: TrialId,
    number: u64,
    params: BTreeMap<String, Value>,
    /// The trials that this one repeats, the first first.
    repeats: Vec<u64>,
    has_ended: bool,
}

impl<'a> Trial<'a> {
    pub(super) fn new(study: &'a Study, record: &TrialRecord, params: Assignment) -> Self {
        let history = record.content.system_attrs.get(HISTORY_KEY);
        let history = history.and_then(Value::as_array).into_iter().flatten();
        Self {
            study,
            id: record.id,
            number: record.number,
            params: params
                .into_iter()
                .map(|(name, internal, distribution)| (name, distribution.value(internal)))
                .collect(),
            repeats: history.filter_map(Value::as_u64).collect(),
            has_ended: false,
        }
    }

    /// Its number in the study, from 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its number in the storage.
    #[must_use]
    pub fn id(&self) -> TrialId {
        self.id
    }

    /// The numbers of the failed trials that this one tries again, the first first; their checkpoints hold its values.
    #[must_use]
    pub fn repeats(&self) -> &[u64] {
        &self.repeats
    }

    /// The parameters that are there, by name.
    #[must_use]
    pub fn params(&self) -> &BTreeMap<String, Value> {
        &self.params
    }

    /// The value of a parameter; `None` when its conditions do not hold.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.params.get(name)
    }

    /// The number that a parameter is.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchParameter`] when it is not there; [`Error::Value`] when it is no number.
    pub fn float(&self, name: &str) -> Result<f64> {
        self.read(name, Value::as_f64, "a number")
    }

    /// The integer that a parameter is.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchParameter`] when it is not there; [`Error::Value`] when it is no integer.
    pub fn int(&self, name: &str) -> Result<i64> {
        self.read(name, Value::as_i64, "an integer")
    }

    /// The text that a parameter is.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchParameter`] when it is not there; [`Error::Value`] when it is no text.
    pub fn text(&self, name: &str) -> Result<&str> {
        self.read(name, Value::as_str, "a text")
    }

    /// Whether a parameter is true.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchParameter`] when it is not there; [`Error::Value`] when it is no boolean.
    pub fn flag(&self, name: &str) -> Result<bool> {
        self.read(name, Value::as_bool, "true or false")
    }

    /// Reports the value after a step, such as an epoch, from 0; it may be NaN.
    ///
    /// # Errors
    ///
    /// [`Error::TrialFinished`] when another process has marked the trial as failed; what the storage returns.
    pub fn report(&self, step: i64, value: f64) -> Result<()> {
        self.study.storage.set_intermediate(self.id, step, value)
    }

    /// Whether the study's pruner would stop the trial after what it has reported last.
    ///
    /// # Errors
    ///
    /// What the storage returns.
    pub fn should_prune(&self) -> Result<bool> {
        let trials = self.study.trials()?;
        let trial = match trials.iter().find(|trial| trial.id == self.id) {
            Some(trial) => trial.clone(),
            None => self.study.storage.trial(self.id)?,
        };
        let options = &self.study.options;
        let verdict = options.pruner.judge(&Report {
            study_name: &self.study.name,
            direction: options.direction,
            trial: &trial,
            trials: &trials,
        });
        for (key, value) in verdict.rungs {
            self.set_attr(AttrKind::System, &key, value.into())?;
        }
        Ok(verdict.is_pruned)
    }

    /// Sets an attribute that users and dashboards see.
    ///
    /// # Errors
    ///
    /// What the storage returns.
    pub fn set_user_attr(&self, key: &str, value: impl Into<Value>) -> Result<()> {
        self.set_attr(AttrKind::User, key, value.into())
    }

    /// Sets an attribute that programs see.
    ///
    /// # Errors
    ///
    /// What the storage returns.
    pub fn set_system_attr(&self, key: &str, value: impl Into<Value>) -> Result<()> {
        self.set_attr(AttrKind::System, key, value.into())
    }

    /// Ends the trial with a value. NaN is no value: the trial fails, as with Optuna.
    ///
    /// # Errors
    ///
    /// [`Error::TrialFinished`] when another process has marked the trial as failed; what the storage returns.
    pub fn complete(self, value: f64) -> Result<TrialState> {
        if value.is_nan() {
            return self.end(TrialState::Fail, &[]);
        }
        self.end(TrialState::Complete, &[value])
    }

    /// Ends the trial where its pruner stopped it; its value is the last that was reported.
    ///
    /// # Errors
    ///
    /// As [`complete`](Self::complete).
    pub fn prune(self) -> Result<TrialState> {
        let record = self.study.storage.trial(self.id)?;
        let last = record.content.last_intermediate();
        let value = last.map(|(_, value)| value).filter(|value| !value.is_nan());
        self.end(TrialState::Pruned, value.as_slice())
    }

    /// Ends the trial without a value.
    ///
    /// # Errors
    ///
    /// As [`complete`](Self::complete).
    pub fn fail(self) -> Result<TrialState> {
        self.end(TrialState::Fail, &[])
    }

    /// Fails the trial and has it tried again with the same values, for a worker that must stop.
    ///
    /// # Errors
    ///
    /// What the storage returns.
    pub fn repeat(mut self) -> Result<()> {
        self.has_ended = true;
        self.study.heartbeat.end(self.id);
        let record = self.study.storage.trial(self.id)?;
        self.study.fail_and_repeat(&record).map(drop)
    }

    /// Leaves the trial running, as a killed process does.
    #[cfg(test)]
    pub(super) fn abandon(&mut self) {
        self.has_ended = true;
        self.study.heartbeat.end(self.id);
    }

    fn end(mut self, state: TrialState, values: &[f64]) -> Result<TrialState> {
        self.has_ended = true;
        self.study.heartbeat.end(self.id);
        self.study.storage.set_state(self.id, state, values)?;
        Ok(state)
    }

    fn set_attr(&self, kind: AttrKind, key: &str, value: Value) -> Result<()> {
        self.study.storage.set_trial_attr(self.id, kind, key, value)
    }

    fn read<'s, T>(
        &'s self,
        name: &str,
        read: impl Fn(&'s Value) -> Option<T>,
        expected: &str,
    ) -> Result<T> {
        let Some(value) = self.params.get(name) else {
            let names: Vec<_> = self.params.keys().map(String::as_str).collect();
            return Err(Error::NoSuchParameter {
                parameter: name.to_owned(),
                expected: names.join(", "),
            });
        };
        read(value).ok_or_else(|| Error::Value {
            parameter: name.to_owned(),
            found: value.to_string(),
            expected: expected.to_owned(),
        })
    }
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.study.heartbeat.end(self.id);
            // There is nobody to tell of a storage that does not answer; then the trial ends with this process.
            let _ = self.study.storage.set_state(self.id, TrialState::Fail, &[]);
        }
    }
}
