//! The folder of a training run: its event log, crash-safe checkpoints and TensorBoard files.

mod error;

pub use error::{Error, Result};
