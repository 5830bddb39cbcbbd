//! Where studies are kept.
//!
//! [`Storage`] is what all three kinds can do; [`open`] picks one by its address. They mean the same by every call,
//! since [`MemoryStorage`] and [`JournalStorage`] replay the same operations and the proxy's server is Optuna's.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::distribution::Distribution;
use crate::error::{Error, Result};
use crate::record::{
    AttrKind, Direction, StudyId, StudyRecord, TrialContent, TrialId, TrialRecord, TrialState,
};

#[cfg(feature = "grpc")]
mod grpc;
mod journal;
mod ledger;
mod memory;
mod replay;

#[cfg(feature = "grpc")]
pub use grpc::GrpcStorage;
pub use journal::{JournalStorage, LockKind, LockOptions};
pub use memory::MemoryStorage;

/// A place that holds studies and trials, shared by any number of threads and, but for memory, processes.
///
/// Every call that changes something returns after the change is safe: on disk in a journal, answered by the proxy.
pub trait Storage: fmt::Debug + Send + Sync {
    /// Makes a study.
    ///
    /// # Errors
    ///
    /// [`Error::StudyExists`] when the name is taken.
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId>;

    /// Removes a study and its trials.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchStudy`].
    fn delete_study(&self, study: StudyId) -> Result<()>;

    /// The study of this name, if there is one.
    ///
    /// # Errors
    ///
    /// When the storage cannot be read, as all of these.
    fn find_study(&self, name: &str) -> Result<Option<StudyRecord>>;

    /// All studies.
    ///
    /// # Errors
    ///
    /// When the storage cannot be read.
    fn studies(&self) -> Result<Vec<StudyRecord>>;

    /// Sets an attribute of a study.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchStudy`].
    fn set_study_attr(&self, study: StudyId, kind: AttrKind, key: &str, value: Value)
    -> Result<()>;

    /// Adds a trial that begins with this content; its number is the next of the study.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchStudy`].
    fn create_trial(&self, study: StudyId, content: &TrialContent) -> Result<TrialId>;

    /// Sets parameters of a trial.
    ///
    /// # Errors
    ///
    /// [`Error::TrialFinished`], and [`Error::Incompatible`] when an earlier trial holds a parameter of another kind.
    fn set_params(&self, trial: TrialId, params: &[(String, f64, Arc<Distribution>)])
    -> Result<()>;

    /// Changes a trial's state, with its values where it has any.
    ///
    /// The answer is false when the state asked for is [`TrialState::Running`] and another worker has the trial
    /// already: of all who ask, one gets true.
    ///
    /// # Errors
    ///
    /// [`Error::TrialFinished`].
    fn set_state(&self, trial: TrialId, state: TrialState, values: &[f64]) -> Result<bool>;

    /// Reports a value on the way.
    ///
    /// # Errors
    ///
    /// [`Error::TrialFinished`].
    fn set_intermediate(&self, trial: TrialId, step: i64, value: f64) -> Result<()>;

    /// Sets an attribute of a trial.
    ///
    /// # Errors
    ///
    /// [`Error::TrialFinished`].
    fn set_trial_attr(&self, trial: TrialId, kind: AttrKind, key: &str, value: Value)
    -> Result<()>;

    /// One trial as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchTrial`].
    fn trial(&self, trial: TrialId) -> Result<Arc<TrialRecord>>;

    /// The trials of a study as they are now, by number.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchStudy`].
    fn trials(&self, study: StudyId) -> Result<Vec<Arc<TrialRecord>>>;
}

/// Opens the storage at an address: `journal:PATH`, `grpc://HOST:PORT` or `memory:`.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let address = format!("journal:{}", folder.path().join("search.log").display());
/// let storage = juggle_tuning::open(&address)?;
/// assert!(storage.studies()?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Error::Address`] for any other address; what opening the kind of storage returns.
pub fn open(address: &str) -> Result<Arc<dyn Storage>> {
    if let Some(path) = address
        .strip_prefix("journal:")
        .filter(|path| !path.is_empty())
    {
        return Ok(Arc::new(JournalStorage::open(path)?));
    }
    #[cfg(feature = "grpc")]
    if let Some(place) = address.strip_prefix("grpc://") {
        return Ok(Arc::new(GrpcStorage::connect(place)?));
    }
    if address == "memory:" {
        return Ok(Arc::new(MemoryStorage::new()));
    }
    let found = address.to_owned();
    Err(Error::Address { found })
}
