//! The state that a sequence of operations leads to, as Optuna's `JournalStorageReplayResult` computes it.
//!
//! Every process that reads a journal must come to the same state, so an operation that cannot apply, such as a value
//! for a trial that has ended, is refused here and by every other reader; only its author learns of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use crate::distribution::Distribution;
use crate::error::{Error, Result};
use crate::record::{
    AttrKind, Direction, ParamRecord, StudyId, StudyRecord, TrialContent, TrialId, TrialRecord,
    TrialState,
};

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operation {
    CreateStudy {
        name: String,
        directions: Vec<Direction>,
    },
    DeleteStudy {
        study: StudyId,
    },
    SetStudyAttr {
        study: StudyId,
        attr: Attr,
    },
    CreateTrial {
        study: StudyId,
        content: TrialContent,
    },
    SetParam {
        trial: TrialId,
        name: String,
        param: ParamRecord,
    },
    SetState {
        trial: TrialId,
        state: TrialState,
        values: Option<Vec<f64>>,
        at: Option<SystemTime>,
    },
    SetIntermediate {
        trial: TrialId,
        step: i64,
        value: f64,
    },
    SetTrialAttr {
        trial: TrialId,
        attr: Attr,
    },
    /// Rustuna's `DISCARD_TRIALS`, which Optuna ignores.
    Discard,
}

/// An attribute to set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Attr {
    pub(super) kind: AttrKind,
    pub(super) key: String,
    pub(super) value: Value,
}

/// What an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    Study(StudyId),
    Trial(TrialId),
    Done,
    /// Another worker has the trial already.
    Taken,
}

/// All studies and trials.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    studies: BTreeMap<StudyId, (StudyRecord, Vec<TrialId>)>,
    /// By id; the trials of deleted studies stay, since ids count on.
    trials: Vec<(StudyId, Arc<TrialRecord>)>,
    next_study: i64,
}

impl Ledger {
    /// Applies an operation; an error means that it changed nothing.
    pub(super) fn apply(&mut self, operation: Operation) -> Result<Applied> {
        match operation {
            Operation::CreateStudy { name, directions } => self.create_study(name, directions),
            Operation::DeleteStudy { study } => {
                self.study_mut(study)?;
                self.studies.remove(&study);
                Ok(Applied::Done)
            }
            Operation::SetStudyAttr { study, attr } => {
                let (record, _) = self.study_mut(study)?;
                let attrs = match attr.kind {
                    AttrKind::User => &mut record.user_attrs,
                    AttrKind::System => &mut record.system_attrs,
                };
                attrs.insert(attr.key, attr.value);
                Ok(Applied::Done)
            }
            Operation::CreateTrial { study, content } => self.create_trial(study, content),
            Operation::SetParam { trial, name, param } => self.set_param(trial, name, param),
            Operation::SetState {
                trial,
                state,
                values,
                at,
            } => self.set_state(trial, state, values, at),
            Operation::SetIntermediate { trial, step, value } => {
                let content = self.open_trial(trial)?;
                content.intermediate.insert(step, value);
                Ok(Applied::Done)
            }
            Operation::SetTrialAttr { trial, attr } => {
                let content = self.open_trial(trial)?;
                content.attrs_mut(attr.kind).insert(attr.key, attr.value);
                Ok(Applied::Done)
            }
            Operation::Discard => Ok(Applied::Done),
        }
    }

    pub(super) fn studies(&self) -> impl Iterator<Item = &StudyRecord> {
        self.studies.values().map(|(record, _)| record)
    }

    pub(super) fn trial(&self, trial: TrialId) -> Result<&Arc<TrialRecord>> {
        let index = usize::try_from(trial.0).ok();
        let found = index.and_then(|index| self.trials.get(index));
        let (_, record) = found.ok_or(Error::NoSuchTrial { id: trial.0 })?;
        Ok(record)
    }

    pub(super) fn trials(&self, study: StudyId) -> Result<Vec<Arc<TrialRecord>>> {
        let (_, ids) = self.studies.get(&study).ok_or_else(|| no_study(study))?;
        ids.iter().map(|&id| self.trial(id).cloned()).collect()
    }

    fn study_mut(&mut self, study: StudyId) -> Result<&mut (StudyRecord, Vec<TrialId>)> {
        self.studies.get_mut(&study).ok_or_else(|| no_study(study))
    }

    /// A trial that can still change.
    fn open_trial(&mut self, trial: TrialId) -> Result<&mut TrialContent> {
        let record = self.trial(trial)?;
        if record.content.state.is_finished() {
            let number = record.number;
            return Err(Error::TrialFinished { number });
        }
        let index = usize::try_from(trial.0).expect("the trial was found by this id");
        // Readers may hold the record as it was; then it is copied.
        Ok(&mut Arc::make_mut(&mut self.trials[index].1).content)
    }

    fn create_study(&mut self, name: String, directions: Vec<Direction>) -> Result<Applied> {
        if self.studies().any(|study| study.name == name) {
            return Err(Error::StudyExists { name });
        }
        let id = StudyId(self.next_study);
        self.next_study += 1;
        let record = StudyRecord {
            id,
            name,
            directions,
            user_attrs: serde_json::Map::new(),
            system_attrs: serde_json::Map::new(),
        };
        self.studies.insert(id, (record, vec![]));
        Ok(Applied::Study(id))
    }

    fn create_trial(&mut self, study: StudyId, content: TrialContent) -> Result<Applied> {
        let next = i64::try_from(self.trials.len()).expect("memory holds fewer trials");
        let (_, ids) = self.study_mut(study)?;
        let id = TrialId(next);
        let record = TrialRecord {
            id,
            number: ids.len() as u64,
            content,
        };
        ids.push(id);
        self.trials.push((study, Arc::new(record)));
        Ok(Applied::Trial(id))
    }

    fn set_param(&mut self, trial: TrialId, name: String, param: ParamRecord) -> Result<Applied> {
        self.open_trial(trial)?;
        let index = usize::try_from(trial.0).expect("the trial was found by this id");
        let study = self.trials[index].0;
        if let Some(earlier) = self.first_distribution(study, &name)
            && !earlier.is_compatible(&param.distribution)
        {
            return Err(Error::Incompatible {
                parameter: name,
                found: param.distribution.to_json(),
                expected: earlier.to_json(),
            });
        }
        let content = self.open_trial(trial)?;
        content.params.insert(name, param);
        Ok(Applied::Done)
    }

    /// The distribution of the study's first trial that has the parameter.
    fn first_distribution(&self, study: StudyId, name: &str) -> Option<&Distribution> {
        let (_, ids) = self.studies.get(&study)?;
        let mut trials = ids.iter().filter_map(|&id| self.trial(id).ok());
        let param = trials.find_map(|trial| trial.content.params.get(name))?;
        Some(&param.distribution)
    }

    fn set_state(
        &mut self,
        trial: TrialId,
        state: TrialState,
        values: Option<Vec<f64>>,
        at: Option<SystemTime>,
    ) -> Result<Applied> {
        let content = self.open_trial(trial)?;
        if state == TrialState::Running {
            if content.state == TrialState::Running {
                return Ok(Applied::Taken);
            }
            content.started = at;
        }
        if state.is_finished() {
            content.completed = at;
        }
        content.state = state;
        if let Some(values) = values {
            content.values = values;
        }
        Ok(Applied::Done)
    }
}

fn no_study(study: StudyId) -> Error {
    let study = format!("with the storage's number {study}");
    Error::NoSuchStudy { study }
}
