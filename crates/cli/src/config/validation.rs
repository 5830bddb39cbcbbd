//! Validation images other than those that the data folder offers.

use juggle_dataset::Validation;
use serde::{Deserialize, Serialize};

/// `data.validation`: parts of the training images, or the test images; absent where the folder's own are used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum ValidationConfig {
    /// One of several parts of the training images; `index` is from 0.
    Fold { index: usize, of: usize, seed: u64 },
    /// A random share of the training images.
    Share { fraction: f64, seed: u64 },
    /// The test images.
    Test,
}

impl From<ValidationConfig> for Validation {
    fn from(config: ValidationConfig) -> Self {
        match config {
            ValidationConfig::Fold { index, of, seed } => Self::Fold { index, of, seed },
            ValidationConfig::Share { fraction, seed } => Self::Share { fraction, seed },
            ValidationConfig::Test => Self::Test,
        }
    }
}
