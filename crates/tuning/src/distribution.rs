//! What a parameter may be, in Optuna's terms.
//!
//! Optuna stores a parameter as one float, the *internal* value, beside its distribution: a float and an int as
//! themselves, a category as the index of its choice. Samplers work on internal values; the value that a user
//! sees is JSON ([`serde_json::Value`]).

use serde_json::Value;

use crate::error::{Error, Result};

mod decimal;
mod record;
mod unit;

pub(crate) use unit::on_grid;

/// The largest size of an int that a float holds exactly, 2⁵³.
const MAX_INT: i64 = 1 << 53;

/// The values that a parameter may have.
///
/// Made by [`float`](Self::float) and its siblings, which check the bounds.
///
/// ```
/// use juggle_tuning::Distribution;
///
/// let learning_rate = Distribution::log_float(1e-4, 1e-1)?;
/// let batch_size = Distribution::categorical([16, 32, 64])?;
/// assert_eq!(batch_size.value(1.0), 32);
/// assert_eq!(batch_size.internal(&64.into()), Some(2.0));
/// assert!(Distribution::float(2.0, 1.0).is_err());
/// # Ok::<(), juggle_tuning::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// A real number from `low` to `high`, both included.
    #[non_exhaustive]
    Float {
        /// The least value.
        low: f64,
        /// The greatest value; `low` plus a whole number of steps where there are steps.
        high: f64,
        /// How the values between lie.
        scale: FloatScale,
    },
    /// A whole number from `low` to `high`, both included.
    #[non_exhaustive]
    Int {
        /// The least value.
        low: i64,
        /// The greatest value; `low` plus a whole number of steps.
        high: i64,
        /// How the values between lie.
        scale: IntScale,
    },
    /// One of several values without an order.
    #[non_exhaustive]
    Categorical {
        /// At least one.
        choices: Vec<Value>,
    },
}

/// How the values of a float lie between its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FloatScale {
    /// Evenly.
    Linear,
    /// Evenly in their logarithms.
    Log,
    /// At whole numbers of this step from the least.
    Step(f64),
}

/// How the values of an int lie between its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntScale {
    /// At whole numbers of this step from the least.
    Step(i64),
    /// Evenly in their logarithms.
    Log,
}

/// What is wrong with a distribution: a key, what it holds, what it should.
#[derive(Debug)]
pub(crate) struct Flaw {
    pub(crate) key: &'static str,
    pub(crate) found: String,
    pub(crate) expected: &'static str,
}

impl Distribution {
    /// Real numbers from `low` to `high`, all as likely at first.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when a bound is not finite or `low` exceeds `high`.
    pub fn float(low: f64, high: f64) -> Result<Self> {
        let scale = FloatScale::Linear;
        Self::Float { low, high, scale }.checked()
    }

    /// Real numbers from `low` to `high`, evenly in their logarithms.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] as of [`float`](Self::float), and when `low` is not above 0.
    pub fn log_float(low: f64, high: f64) -> Result<Self> {
        let scale = FloatScale::Log;
        Self::Float { low, high, scale }.checked()
    }

    /// `low`, `low + step`, … `high`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] as of [`float`](Self::float), when `step` is not above 0, and when `high` is not among them,
    /// in decimal arithmetic.
    pub fn stepped_float(low: f64, high: f64, step: f64) -> Result<Self> {
        let scale = FloatScale::Step(step);
        Self::Float { low, high, scale }.checked()
    }

    /// Whole numbers from `low` to `high`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when `low` exceeds `high`, or one of them the 53 bits that a float holds.
    pub fn int(low: i64, high: i64) -> Result<Self> {
        Self::stepped_int(low, high, 1)
    }

    /// Whole numbers from `low` to `high`, evenly in their logarithms.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] as of [`int`](Self::int), and when `low` is below 1.
    pub fn log_int(low: i64, high: i64) -> Result<Self> {
        let scale = IntScale::Log;
        Self::Int { low, high, scale }.checked()
    }

    /// `low`, `low + step`, … `high`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] as of [`int`](Self::int), when `step` is below 1, and when `high` is not among them.
    pub fn stepped_int(low: i64, high: i64, step: i64) -> Result<Self> {
        let scale = IntScale::Step(step);
        Self::Int { low, high, scale }.checked()
    }

    /// One of these.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] when there is none, one is there twice, or one is a list or an object.
    pub fn categorical<T: Into<Value>>(choices: impl IntoIterator<Item = T>) -> Result<Self> {
        let choices = choices.into_iter().map(Into::into).collect();
        Self::Categorical { choices }.checked()
    }

    /// The value that an internal value stands for.
    ///
    /// # Panics
    ///
    /// When the value is none of this distribution's.
    #[must_use]
    pub fn value(&self, internal: f64) -> Value {
        match self {
            Self::Float { .. } => Value::from(internal),
            Self::Int { .. } => Value::from(to_int(internal)),
            Self::Categorical { choices } => choices[to_index(internal)].clone(),
        }
    }

    /// The internal value of a value; nothing when it is none of this distribution's.
    #[must_use]
    pub fn internal(&self, value: &Value) -> Option<f64> {
        let internal = match self {
            Self::Categorical { choices } => {
                #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 choices")]
                let index = choices.iter().position(|choice| choice == value)? as f64;
                index
            }
            Self::Float { .. } | Self::Int { .. } => value.as_f64()?,
        };
        self.contains(internal).then_some(internal)
    }

    /// Whether an internal value is one of this distribution's.
    #[must_use]
    pub fn contains(&self, internal: f64) -> bool {
        match *self {
            Self::Float { low, high, scale } => {
                let is_on_grid = match scale {
                    FloatScale::Step(step) => {
                        let steps = (internal - low) / step;
                        (steps - steps.round_ties_even()).abs() < 1e-8
                    }
                    FloatScale::Linear | FloatScale::Log => true,
                };
                (low..=high).contains(&internal) && is_on_grid
            }
            Self::Int { low, high, scale } => {
                let step = match scale {
                    IntScale::Step(step) => step,
                    IntScale::Log => 1,
                };
                internal.fract() == 0.0
                    && (low..=high).contains(&to_int(internal))
                    && (to_int(internal) - low) % step == 0
            }
            Self::Categorical { ref choices } => {
                internal.fract() == 0.0 && internal >= 0.0 && to_index(internal) < choices.len()
            }
        }
    }

    /// Whether there is nothing to choose.
    #[must_use]
    pub fn is_single(&self) -> bool {
        match self {
            Self::Float { low, high, .. } => low == high,
            Self::Int { low, high, .. } => low == high,
            Self::Categorical { choices } => choices.len() == 1,
        }
    }

    /// Whether a study may hold both for one parameter: the same kind, the same logarithm, the same choices.
    pub(crate) fn is_compatible(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float { scale: a, .. }, Self::Float { scale: b, .. }) => {
                (*a == FloatScale::Log) == (*b == FloatScale::Log)
            }
            (Self::Int { scale: a, .. }, Self::Int { scale: b, .. }) => {
                (*a == IntScale::Log) == (*b == IntScale::Log)
            }
            (Self::Categorical { choices: a }, Self::Categorical { choices: b }) => a == b,
            _ => false,
        }
    }

    fn checked(self) -> Result<Self> {
        match self.flaw() {
            None => Ok(self),
            Some(flaw) => Err(Error::Setting {
                what: flaw.key,
                found: flaw.found,
                expected: flaw.expected,
            }),
        }
    }

    /// What is wrong with it, if something is.
    pub(crate) fn flaw(&self) -> Option<Flaw> {
        let flaw = |key, found: &dyn ToString, expected| {
            let found = found.to_string();
            Some(Flaw {
                key,
                found,
                expected,
            })
        };
        match self {
            Self::Float { low, high, scale } => match scale {
                _ if !low.is_finite() => flaw("low", low, "a finite number"),
                _ if !high.is_finite() => flaw("high", high, "a finite number"),
                _ if low > high => flaw("high", high, "at least `low`"),
                FloatScale::Log if *low <= 0.0 => flaw("low", low, "above 0 for a log scale"),
                FloatScale::Step(step) if !(step.is_finite() && *step > 0.0) => {
                    flaw("step", step, "a finite number above 0")
                }
                FloatScale::Step(step) if decimal::last_step(*low, *high, *step) != *high => {
                    flaw("high", high, "`low` plus a whole number of steps")
                }
                FloatScale::Linear | FloatScale::Log | FloatScale::Step(_) => None,
            },
            Self::Int { low, high, scale } => match scale {
                _ if low.abs() > MAX_INT => flaw("low", low, "an integer of at most 53 bits"),
                _ if high.abs() > MAX_INT => flaw("high", high, "an integer of at most 53 bits"),
                _ if low > high => flaw("high", high, "at least `low`"),
                IntScale::Log if *low < 1 => flaw("low", low, "at least 1 for a log scale"),
                IntScale::Step(step) if *step < 1 => flaw("step", step, "at least 1"),
                IntScale::Step(step) if (high - low) % step != 0 => {
                    flaw("high", high, "`low` plus a whole number of steps")
                }
                IntScale::Step(_) | IntScale::Log => None,
            },
            Self::Categorical { choices } => {
                let is_repeated = |(index, choice)| choices[..index].contains(choice);
                match choices.iter().enumerate().find(|&pair| is_repeated(pair)) {
                    _ if choices.is_empty() => flaw("choices", &"empty", "at least one choice"),
                    Some((_, choice)) => {
                        flaw("choices", &format!("{choice} twice"), "different choices")
                    }
                    None => choices
                        .iter()
                        .find(|choice| choice.is_array() || choice.is_object())
                        .and_then(|choice| flaw("choices", choice, "booleans, numbers and texts")),
                }
            }
        }
    }
}

/// Cuts the fraction off, as Python's `int` does.
#[expect(
    clippy::cast_possible_truncation,
    reason = "an internal value of an int has at most 53 bits; others saturate"
)]
fn to_int(internal: f64) -> i64 {
    internal as i64
}

/// The index that an internal value of a categorical parameter is.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index is a small whole number; others saturate and fail the bounds check"
)]
pub(crate) fn to_index(internal: f64) -> usize {
    internal as usize
}

#[cfg(test)]
mod tests;
