//! What a journal and a memory share: calls become operations of a [`Ledger`].

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;

use super::Storage;
use super::ledger::{Applied, Attr, Ledger, Operation};
use crate::distribution::Distribution;
use crate::error::Result;
use crate::record::{
    AttrKind, Direction, ParamRecord, StudyId, StudyRecord, TrialContent, TrialId, TrialRecord,
    TrialState,
};

/// A place that runs operations in order.
pub(super) trait Replay {
    /// Runs them all, one after the other with nothing between; the error is the first of theirs.
    fn run(&self, operations: &[Operation]) -> Result<Applied>;

    /// Looks at the state that all operations so far led to.
    fn read<T>(&self, look: impl FnOnce(&Ledger) -> Result<T>) -> Result<T>;
}

impl<R: Replay + fmt::Debug + Send + Sync> Storage for R {
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId> {
        let (name, directions) = (name.to_owned(), directions.to_vec());
        match self.run(&[Operation::CreateStudy { name, directions }])? {
            Applied::Study(id) => Ok(id),
            other => unreachable!("creating a study gave {other:?}"),
        }
    }

    fn delete_study(&self, study: StudyId) -> Result<()> {
        self.run(&[Operation::DeleteStudy { study }]).map(drop)
    }

    fn find_study(&self, name: &str) -> Result<Option<StudyRecord>> {
        self.read(|ledger| Ok(ledger.studies().find(|study| study.name == name).cloned()))
    }

    fn studies(&self) -> Result<Vec<StudyRecord>> {
        self.read(|ledger| Ok(ledger.studies().cloned().collect()))
    }

    fn set_study_attr(
        &self,
        study: StudyId,
        kind: AttrKind,
        key: &str,
        value: Value,
    ) -> Result<()> {
        let attr = attr(kind, key, value);
        self.run(&[Operation::SetStudyAttr { study, attr }])
            .map(drop)
    }

    fn create_trial(&self, study: StudyId, content: &TrialContent) -> Result<TrialId> {
        let content = content.clone();
        match self.run(&[Operation::CreateTrial { study, content }])? {
            Applied::Trial(id) => Ok(id),
            other => unreachable!("creating a trial gave {other:?}"),
        }
    }

    fn set_params(
        &self,
        trial: TrialId,
        params: &[(String, f64, Arc<Distribution>)],
    ) -> Result<()> {
        let set = |(name, internal, distribution): &(String, f64, Arc<Distribution>)| {
            let (name, internal) = (name.clone(), *internal);
            let distribution = Arc::clone(distribution);
            let param = ParamRecord {
                internal,
                distribution,
            };
            Operation::SetParam { trial, name, param }
        };
        let operations: Vec<_> = params.iter().map(set).collect();
        self.run(&operations).map(drop)
    }

    fn set_state(&self, trial: TrialId, state: TrialState, values: &[f64]) -> Result<bool> {
        let applied = self.run(&[Operation::SetState {
            trial,
            state,
            values: (!values.is_empty()).then(|| values.to_vec()),
            at: (state != TrialState::Waiting).then(SystemTime::now),
        }])?;
        Ok(applied != Applied::Taken)
    }

    fn set_intermediate(&self, trial: TrialId, step: i64, value: f64) -> Result<()> {
        self.run(&[Operation::SetIntermediate { trial, step, value }])
            .map(drop)
    }

    fn set_trial_attr(
        &self,
        trial: TrialId,
        kind: AttrKind,
        key: &str,
        value: Value,
    ) -> Result<()> {
        let attr = attr(kind, key, value);
        self.run(&[Operation::SetTrialAttr { trial, attr }])
            .map(drop)
    }

    fn trial(&self, trial: TrialId) -> Result<Arc<TrialRecord>> {
        self.read(|ledger| ledger.trial(trial).cloned())
    }

    fn trials(&self, study: StudyId) -> Result<Vec<Arc<TrialRecord>>> {
        self.read(|ledger| ledger.trials(study))
    }
}

fn attr(kind: AttrKind, key: &str, value: Value) -> Attr {
    let key = key.to_owned();
    Attr { kind, key, value }
}
