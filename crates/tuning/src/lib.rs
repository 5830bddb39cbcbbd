//! Hyper-parameter search in Optuna's terms and file formats.
//!
//! A study that this crate writes can be opened, continued and shown by `optuna` of PyPI (3.6 to 5.0) and
//! `optuna-dashboard`, and a study that Python wrote can be continued here; both may work on it at the same time.
//!
//! # Example
//!
//! ```
//! use juggle_tuning::{Space, Study, StudyOptions, open};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("search.log");
//! let space = Space::from_toml(
//!     r#"
//!     learning_rate = { type = "float", low = 1e-4, high = 1e-1, log = true }
//!     layers = { type = "int", low = 1, high = 4 }
//!     "#,
//! )?;
//! // Run this in as many processes as you like.
//! let storage = open(&format!("journal:{}", path.display()))?;
//! let study = Study::open(storage, "search", StudyOptions::new(space))?;
//! for _ in 0..20 {
//!     let trial = study.ask()?.expect("only a grid ends");
//!     let (learning_rate, layers) = (trial.float("learning_rate")?, trial.int("layers")?);
//!     // … train, and say after each epoch how far it is:
//!     let loss = (learning_rate.ln() + 5.0).powi(2) + layers as f64;
//!     trial.report(0, loss)?;
//!     if trial.should_prune()? {
//!         trial.prune()?;
//!     } else {
//!         trial.complete(loss)?;
//!     }
//! }
//! println!("{:?}", study.best()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Map
//!
//! | for | see |
//! |---|---|
//! | what to search | [`Space`], [`Parameter`], [`Distribution`] |
//! | asking and telling | [`Study`], [`StudyOptions`], [`Trial`] |
//! | which values a trial gets | [`Sampler`], [`TpeOptions`] |
//! | stopping trials early | [`Pruner`] |
//! | where studies are kept | [`open`], [`Storage`]: [`JournalStorage`], `GrpcStorage`, [`MemoryStorage`] |
//! | what a storage holds | [`StudyRecord`], [`TrialRecord`] |
//! | which parameters matter | [`importances`] |
//!
//! # Features
//!
//! - `grpc` (default): the storage `grpc://HOST:PORT`, which brings tonic and tokio.

mod distribution;
mod error;
mod importance;
mod json;
mod pruner;
mod record;
mod sampler;
mod space;
mod storage;
mod stream;
mod study;
mod timestamp;
mod worker;

pub use distribution::{Distribution, FloatScale, IntScale};
pub use error::{Error, Result};
pub use importance::{ImportanceOptions, importances};
pub use pruner::{HalvingOptions, HyperbandOptions, PercentileOptions, Pruner};
pub use record::{
    AttrKind, Direction, ParamRecord, StudyId, StudyRecord, TrialContent, TrialId, TrialRecord,
    TrialState,
};
pub use sampler::{Sampler, TpeOptions};
pub use space::{Condition, Parameter, Space};
#[cfg(feature = "grpc")]
pub use storage::GrpcStorage;
pub use storage::{JournalStorage, LockKind, LockOptions, MemoryStorage, Storage, open};
pub use study::{Study, StudyOptions, Trial};

/// The values of parameters and attributes.
pub use serde_json::Value;
