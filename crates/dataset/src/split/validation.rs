//! Validation images other than those that a folder offers: parts of its training images, for choosing between settings without
//! a look at what the chosen one will be measured on.

use std::path::Path;

use super::{Parts, Split, SplitOptions, SplitOrigin, Stratum, assign, name_key};
use crate::error::{Error, Result};
use crate::natural::natural_cmp;
use crate::stream::{Purpose, Stream};

/// Which images are for validation.
///
/// With [`Fold`](Self::Fold) and [`Share`](Self::Share) the images that would be trained on are divided again, class by class and
/// with clips kept whole by the rule of the [module](super); the validation images of the folder are then left out, and its test
/// images stay what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Validation {
    /// The folder's own, or those that the rule of the [module](super) takes.
    #[default]
    AsGiven,
    /// One of several parts of the training images, for cross-validation: every image is in one part.
    Fold {
        /// Which part, from 0.
        index: usize,
        /// Into how many the images are divided, 2 or more.
        of: usize,
        /// Chooses the shuffle.
        seed: u64,
    },
    /// A random share of the training images.
    Share {
        /// Above 0 and below 1.
        fraction: f64,
        /// Chooses the shuffle.
        seed: u64,
    },
    /// The test images. What is chosen by them cannot be measured on them any more.
    Test,
}

impl Validation {
    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// [`Error::FoldOutOfRange`] and [`Error::FractionOutOfRange`].
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Fold { index, of, .. } if of < 2 || index >= of => {
                Err(Error::FoldOutOfRange { index, of })
            }
            Self::Share { fraction, .. } if !(fraction > 0.0 && fraction < 1.0) => {
                Err(Error::FractionOutOfRange {
                    name: "validation share",
                    found: fraction,
                    expected: "above 0 and below 1",
                })
            }
            _ => Ok(()),
        }
    }

    /// The rule that made the splits; `None` for [`AsGiven`](Self::AsGiven), where another one did.
    pub(crate) fn origin(self, grouped: bool) -> Option<SplitOrigin> {
        match self {
            Self::AsGiven => None,
            Self::Fold { index, of, seed } => Some(SplitOrigin::Fold {
                index,
                of,
                seed,
                grouped,
            }),
            Self::Share { seed, .. } => Some(SplitOrigin::Share { seed, grouped }),
            Self::Test => Some(SplitOrigin::Test),
        }
    }
}

/// The test items as validation items of the folder at `dir`.
pub(crate) fn test_items<T: Clone>(dir: &Path, test: &[T]) -> Result<Vec<T>> {
    if test.is_empty() {
        let path = dir.to_path_buf();
        return Err(Error::NoTestSplit { path });
    }
    Ok(test.to_vec())
}

/// Whether each training item is held out for validation; `units[i]` names the unit that item `i` belongs to, and items of one unit stay
/// together. The answer depends on the names alone.
pub(crate) fn hold_out(
    stratum: Stratum<'_>,
    units: &[&str],
    validation: Validation,
) -> Result<Vec<bool>> {
    match validation {
        Validation::AsGiven | Validation::Test => Ok(vec![false; units.len()]),
        Validation::Share { fraction, seed } => {
            let options = SplitOptions {
                val_fraction: fraction,
                test_fraction: 0.0,
                seed,
            };
            let splits = assign(stratum, units, Parts::TrainVal, &options)?;
            Ok(splits
                .into_iter()
                .map(|split| split == Split::Val)
                .collect())
        }
        Validation::Fold { index, of, seed } => fold(stratum, units, (index, of), seed),
    }
}

fn fold(
    stratum: Stratum<'_>,
    units: &[&str],
    (index, of): (usize, usize),
    seed: u64,
) -> Result<Vec<bool>> {
    let mut distinct = units.to_vec();
    distinct.sort_unstable_by(|a, b| natural_cmp(a, b));
    distinct.dedup();
    if distinct.len() < of {
        return Err(Error::TooFewToSplit {
            path: stratum.dir.to_path_buf(),
            what: stratum.what(),
            found: distinct.len(),
            unit: stratum.unit,
            needed: of,
            splits: "all parts",
        });
    }
    let key = name_key(stratum.class.unwrap_or_default());
    Stream::new(seed, Purpose::Fold, key, 0).shuffle(&mut distinct);
    let mut held_out: Vec<&str> = distinct.into_iter().skip(index).step_by(of).collect();
    held_out.sort_unstable();
    Ok(units
        .iter()
        .map(|unit| held_out.binary_search(unit).is_ok())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum() -> Stratum<'static> {
        Stratum {
            dir: Path::new("animals"),
            class: Some("cat"),
            unit: "images",
        }
    }

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("clip{i}")).collect()
    }

    #[test]
    fn every_unit_is_in_one_part_and_parts_are_of_equal_size() {
        let names = names(11);
        // Two images a clip.
        let units: Vec<&str> = names.iter().flat_map(|name| [name.as_str(); 2]).collect();
        let mut times = vec![0; units.len()];
        for index in 0..3 {
            let fold = Validation::Fold {
                index,
                of: 3,
                seed: 5,
            };
            let held_out = hold_out(stratum(), &units, fold).unwrap();
            for pair in held_out.chunks_exact(2) {
                assert_eq!(pair[0], pair[1], "a clip is torn");
            }
            let n = held_out.iter().filter(|held_out| **held_out).count();
            assert!([6, 8].contains(&n), "{n}");
            for (times, held_out) in times.iter_mut().zip(held_out) {
                *times += usize::from(held_out);
            }
        }
        assert_eq!(times, vec![1; units.len()]);
    }

    #[test]
    fn the_seed_chooses_and_too_few_are_refused() {
        let names = names(30);
        let units: Vec<&str> = names.iter().map(String::as_str).collect();
        let of_seed = |seed| {
            let fold = Validation::Fold {
                index: 0,
                of: 3,
                seed,
            };
            hold_out(stratum(), &units, fold).unwrap()
        };
        assert_eq!(of_seed(1), of_seed(1));
        assert_ne!(of_seed(1), of_seed(2));
        let fold = Validation::Fold {
            index: 0,
            of: 31,
            seed: 0,
        };
        let error = hold_out(stratum(), &units, fold).unwrap_err().to_string();
        assert!(error.contains("class cat"), "{error}");
        assert!(error.contains("30, expected at least 31"), "{error}");
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let fold = |index, of| Validation::Fold { index, of, seed: 0 }.check();
        let share = |fraction| Validation::Share { fraction, seed: 0 }.check();
        assert!(fold(0, 2).is_ok() && fold(1, 2).is_ok() && share(0.3).is_ok());
        for refused in [
            fold(2, 2),
            fold(0, 1),
            share(0.0),
            share(1.0),
            share(f64::NAN),
        ] {
            assert!(refused.is_err());
        }
    }
}
