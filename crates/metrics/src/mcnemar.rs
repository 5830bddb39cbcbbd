//! McNemar's test: whether two classifiers differ in accuracy on the same images.

use crate::distribution::beta::{fair_binomial_at_most, fair_binomial_is};
use crate::error::{Error, Result};
use crate::interval::MAX_TRIALS;

/// On how many images both of two classifiers are right, one of them, and none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PairedCounts {
    /// Number of images on which both are right.
    pub both_right: u64,
    /// Number of images on which the first is right and the second wrong.
    pub only_first: u64,
    /// Number of images on which the first is wrong and the second right.
    pub only_second: u64,
    /// Number of images on which both are wrong.
    pub both_wrong: u64,
}

impl PairedCounts {
    /// Counts from two slices that say which images each classifier got right.
    ///
    /// # Errors
    ///
    /// [`Error::PairMismatch`] if one slice is longer. Empty slices give counts of zero.
    pub fn from_correctness(first: &[bool], second: &[bool]) -> Result<Self> {
        if first.len() != second.len() {
            return Err(Error::PairMismatch {
                first: first.len(),
                second: second.len(),
            });
        }
        Ok(Self::count(
            first.iter().copied().zip(second.iter().copied()),
        ))
    }

    /// Counts from the true labels and two slices of predictions, of any type that can be compared.
    ///
    /// # Errors
    ///
    /// [`Error::PairMismatch`] if there are not as many predictions of one model as of the other, and
    /// [`Error::LengthMismatch`] if there are not as many as true labels. Empty slices give counts of zero.
    pub fn from_predictions<T: PartialEq>(
        true_labels: &[T],
        first: &[T],
        second: &[T],
    ) -> Result<Self> {
        if first.len() != second.len() {
            return Err(Error::PairMismatch {
                first: first.len(),
                second: second.len(),
            });
        }
        if true_labels.len() != first.len() {
            return Err(Error::LengthMismatch {
                truth: true_labels.len(),
                prediction: first.len(),
            });
        }
        let predictions = first.iter().zip(second);
        Ok(Self::count(
            true_labels
                .iter()
                .zip(predictions)
                .map(|(t, (x, y))| (t == x, t == y)),
        ))
    }

    fn count(pairs: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for pair in pairs {
            *match pair {
                (true, true) => &mut counts.both_right,
                (true, false) => &mut counts.only_first,
                (false, true) => &mut counts.only_second,
                (false, false) => &mut counts.both_wrong,
            } += 1;
        }
        counts
    }

    /// McNemar's exact test of the hypothesis that both classifiers have the same accuracy.
    ///
    /// Images on which both are right or both wrong say nothing about it. Under the hypothesis each of the other
    /// m = `only_first + only_second` is equally likely to be won by either, so with k the smaller of the two counts
    /// and X binomial with m trials and share 1/2,
    ///
    /// - `p_value` = min(1, 2·P(X ≤ k));
    /// - `mid_p_value` = 2·P(X ≤ k) − P(X = k), and 1 − P(X = k)/2 if the counts are equal.
    ///
    /// Without such an image both are 1.
    ///
    /// Source: McNemar, Note on the sampling error of the difference between correlated proportions or percentages,
    /// Psychometrika 12, 1947; `p_value` is that of `statsmodels.stats.contingency_tables.mcnemar(table, exact=True)`
    /// within 1e-12, relative. Mid-p: Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91, 2013.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyTrials`] if more than 2^40 images are right for one classifier only.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::PairedCounts;
    ///
    /// let labels = [1, 2, 3, 1, 2, 3, 1, 2];
    /// let first = [1, 2, 3, 1, 2, 3, 1, 1];
    /// let second = [1, 2, 3, 2, 3, 1, 2, 3];
    /// let test = PairedCounts::from_predictions(&labels, &first, &second)?.mcnemar()?;
    /// assert_eq!((test.counts.only_first, test.counts.only_second), (4, 0));
    /// assert!((test.p_value - 0.125).abs() < 1e-15); // 2/2⁴
    /// assert!((test.mid_p_value - 0.0625).abs() < 1e-15);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn mcnemar(self) -> Result<McNemar> {
        let n = self.only_first.saturating_add(self.only_second);
        if n > MAX_TRIALS {
            return Err(Error::TooManyTrials {
                n,
                limit: MAX_TRIALS,
            });
        }
        let smaller = self.only_first.min(self.only_second);
        let (p_value, mid_p_value) = if n == 0 {
            (1.0, 1.0)
        } else if self.only_first == self.only_second {
            (1.0, 1.0 - fair_binomial_is(smaller, n) / 2.0)
        } else {
            let at_most = 2.0 * fair_binomial_at_most(smaller, n);
            (at_most.min(1.0), at_most - fair_binomial_is(smaller, n))
        };
        Ok(McNemar {
            counts: self,
            p_value,
            mid_p_value,
        })
    }
}

/// What [`PairedCounts::mcnemar`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct McNemar {
    /// What was counted.
    pub counts: PairedCounts,
    /// The exact two-sided p-value, in `[0, 1]`: never below the nominal level by chance more often than it says.
    pub p_value: f64,
    /// The mid-p-value, in `[0, 1]`: less cautious and more powerful, close to the nominal level.
    pub mid_p_value: f64,
}
