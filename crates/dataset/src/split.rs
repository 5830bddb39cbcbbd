//! Dividing images or clips into train, val and test.
//!
//! The rule for data that comes without split folders:
//!
//! 1. Within a class, the *units* are the images; or, when every file name of the data carries a clip
//!    prefix (`clip07_frame12.png`: `clip`, digits, `_` or `-`), the clips (`clip07`), because frames of
//!    one clip resemble each other and a clip on both sides of a split would leak. For clip folders the
//!    units are the clips.
//! 2. The units are put in natural order and then shuffled by a stream keyed by the seed and the class
//!    name; neither the order of a directory listing nor the other classes have any influence.
//! 3. Of `n` units, the first `round(n · test_fraction)` are test, the next `round(n · val_fraction)`
//!    val, the rest train; a split whose fraction is above zero gets at least one unit, and train too.
//!    A class with fewer units than that is an error, never an empty split.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::natural::natural_cmp;
use crate::stream::{Purpose, Stream};

#[cfg(test)]
mod tests;
mod validation;

pub use validation::Validation;
pub(crate) use validation::{hold_out, test_items};

/// One of the three parts of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What the parameters are fitted to.
    Train,
    /// What decides between runs and epochs.
    Val,
    /// What is looked at once, at the end.
    Test,
}

impl Split {
    /// All splits, in the usual order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// The split that a folder name stands for: `train`, `val` (also `valid`, `validation`), `test`, in
    /// any case.
    pub(crate) fn from_folder_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "train" => Some(Self::Train),
            "val" | "valid" | "validation" => Some(Self::Val),
            "test" => Some(Self::Test),
            _ => None,
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        })
    }
}

impl FromStr for Split {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        match s {
            "train" => Ok(Self::Train),
            "val" => Ok(Self::Val),
            "test" => Ok(Self::Test),
            _ => Err(Error::UnknownSplit {
                found: s.to_owned(),
            }),
        }
    }
}

/// How data without split folders is divided. See the [module](self) for the rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SplitOptions {
    /// Share of each class that becomes validation, above 0 and below 1. Default 0.15.
    pub val_fraction: f64,
    /// Share of each class that becomes test, from 0 (no test split) to below 1. Default 0.15. Unused
    /// where the data has a train folder: a test split is never carved out of that.
    pub test_fraction: f64,
    /// Chooses the shuffle. Default 0.
    pub seed: u64,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self {
            val_fraction: 0.15,
            test_fraction: 0.15,
            seed: 0,
        }
    }
}

impl SplitOptions {
    /// Checks the fractions.
    ///
    /// # Errors
    ///
    /// [`Error::FractionOutOfRange`] unless `0 < val_fraction < 1`, `0 <= test_fraction < 1` and their
    /// sum is below 1.
    pub fn check(&self) -> Result<()> {
        let out_of_range = |name, found, expected| {
            Err(Error::FractionOutOfRange {
                name,
                found,
                expected,
            })
        };
        if !(self.val_fraction > 0.0 && self.val_fraction < 1.0) {
            return out_of_range("val fraction", self.val_fraction, "above 0 and below 1");
        }
        if !(self.test_fraction >= 0.0 && self.test_fraction < 1.0) {
            return out_of_range("test fraction", self.test_fraction, "from 0 to below 1");
        }
        let sum = self.val_fraction + self.test_fraction;
        if sum >= 1.0 {
            return out_of_range("the sum of val and test fraction", sum, "below 1");
        }
        Ok(())
    }
}

/// Which rule made the splits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum SplitOrigin {
    /// The folders `train` and `val` (and `test`, if any).
    Folders,
    /// There is a `train` folder but no `val`: validation was carved out of train.
    ValFromTrain {
        /// The seed of the shuffle.
        seed: u64,
        /// Whether whole clips, rather than single images, were moved.
        grouped: bool,
    },
    /// No split folders: everything was divided by the seeded rule.
    Seeded {
        /// The seed of the shuffle.
        seed: u64,
        /// Whether whole clips, rather than single images, were moved.
        grouped: bool,
    },
    /// [`Validation::Fold`]: val is one of several parts of the training images.
    Fold {
        /// Which, from 0.
        index: usize,
        /// Of how many.
        of: usize,
        /// The seed of the shuffle.
        seed: u64,
        /// Whether whole clips, rather than single images, were moved.
        grouped: bool,
    },
    /// [`Validation::Share`]: val is a random share of the training images.
    Share {
        /// The seed of the shuffle.
        seed: u64,
        /// Whether whole clips, rather than single images, were moved.
        grouped: bool,
    },
    /// [`Validation::Test`]: val is test.
    Test,
}

impl fmt::Display for SplitOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = |grouped: bool| if grouped { "clip" } else { "image" };
        match *self {
            Self::Folders => write!(f, "split by folders"),
            Self::ValFromTrain { seed, grouped } => {
                write!(f, "val taken from train by {}, seed {seed}", unit(grouped))
            }
            Self::Seeded { seed, grouped } => {
                write!(f, "split by {}, stratified, seed {seed}", unit(grouped))
            }
            Self::Fold {
                index,
                of,
                seed,
                grouped,
            } => write!(
                f,
                "val is part {} of {of} of train, divided by {}, seed {seed}",
                index + 1,
                unit(grouped)
            ),
            Self::Share { seed, grouped } => {
                write!(f, "val held out of train by {}, seed {seed}", unit(grouped))
            }
            Self::Test => write!(f, "val is the test split"),
        }
    }
}

/// The clip prefix of a file stem: `clip07` of `clip07_frame12`. Letter case does not matter.
pub(crate) fn clip_prefix(stem: &str) -> Option<&str> {
    let word = stem.get(..4)?;
    if !word.eq_ignore_ascii_case("clip") {
        return None;
    }
    let digits = stem[4..].bytes().take_while(u8::is_ascii_digit).count();
    let (prefix, rest) = stem.split_at(4 + digits);
    (digits > 0 && rest.len() > 1 && rest.starts_with(['_', '-'])).then_some(prefix)
}

/// Which parts the units are divided into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parts {
    TrainVal,
    TrainValTest,
}

/// What is divided, for the error message and for the key of the shuffle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stratum<'a> {
    pub(crate) dir: &'a Path,
    /// The class, or `None` for a list of clips.
    pub(crate) class: Option<&'a str>,
    /// What the units are, in the plural.
    pub(crate) unit: &'static str,
}

impl Stratum<'_> {
    /// For an error message.
    fn what(&self) -> String {
        self.class.map_or_else(
            || "the clip list".to_owned(),
            |name| format!("class {name}"),
        )
    }
}

/// Gives each item its split; `units[i]` names the unit that item `i` belongs to, and items of one unit
/// stay together. The answer depends on the names alone, not on their order.
pub(crate) fn assign(
    stratum: Stratum<'_>,
    units: &[&str],
    parts: Parts,
    options: &SplitOptions,
) -> Result<Vec<Split>> {
    let mut distinct = units.to_vec();
    distinct.sort_unstable_by(|a, b| natural_cmp(a, b));
    distinct.dedup();
    let n = distinct.len();

    let test_fraction = match parts {
        Parts::TrainVal => 0.0,
        Parts::TrainValTest => options.test_fraction,
    };
    let needed = if test_fraction > 0.0 { 3 } else { 2 };
    if n < needed {
        return Err(Error::TooFewToSplit {
            path: stratum.dir.to_path_buf(),
            what: stratum.what(),
            found: n,
            unit: stratum.unit,
            needed,
            splits: if needed == 3 {
                "train, val and test"
            } else {
                "train and val"
            },
        });
    }
    let (n_val, n_test) = counts(n, options.val_fraction, test_fraction);

    let key = name_key(stratum.class.unwrap_or_default());
    Stream::new(options.seed, Purpose::Split, key, 0).shuffle(&mut distinct);
    let split_of: BTreeMap<&str, Split> = distinct
        .iter()
        .enumerate()
        .map(|(i, &unit)| {
            let split = if i < n_test {
                Split::Test
            } else if i < n_test + n_val {
                Split::Val
            } else {
                Split::Train
            };
            (unit, split)
        })
        .collect();
    Ok(units.iter().map(|unit| split_of[unit]).collect())
}

/// Numbers of val and test units among `n`, leaving at least one for train.
fn counts(n: usize, val_fraction: f64, test_fraction: f64) -> (usize, usize) {
    let mut n_val = share(n, val_fraction);
    let mut n_test = share(n, test_fraction);
    // Rounding up both shares, or the minimum of one unit, may leave nothing for train.
    while n_val + n_test >= n {
        if n_val > n_test {
            n_val -= 1;
        } else {
            n_test -= 1;
        }
    }
    (n_val, n_test)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of files is far below 2^53, and a fraction of it lies in 0..=n"
)]
fn share(n: usize, fraction: f64) -> usize {
    if fraction > 0.0 {
        ((n as f64 * fraction).round() as usize).max(1)
    } else {
        0
    }
}

/// FNV-1a, 64 bits: a fixed, platform-independent number for a class name.
fn name_key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
