//! What a report may be told beyond the labels.

use std::fmt::Display;

use super::encode::{encode, encode_in_order};
use super::{ClassificationReport, Sums};
use crate::confusion::{check_lengths, check_weights, label_out_of_range};
use crate::count::Counts;
use crate::error::{Error, Result};

/// The score whose denominator is zero: of a class never predicted, or without an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZeroDivision {
    /// 0, which counts in the averages: scikit-learn's default, there with a warning.
    #[default]
    Zero,
    /// 1, which counts in the averages.
    One,
    /// NaN, which averages leave out; an average of nothing but NaN is NaN.
    Nan,
}

/// What [`ClassificationReport`] may be told beyond the labels: the parameters `labels`, `zero_division` and `sample_weight` of
/// `sklearn.metrics.classification_report`.
///
/// # Examples
///
/// ```
/// use juggle_metrics::{ReportOptions, ZeroDivision};
///
/// let report = ReportOptions::new()
///     .labels(["two", "three"])
///     .zero_division(ZeroDivision::One)
///     .sample_weight(&[1.0, 0.5, 2.0])
///     .report(&[0, 1, 1], &[0, 1, 0], &["one", "two", "three"])?;
/// assert_eq!(report.class_names(), ["two", "three"]);
/// assert_eq!(report.classes()[0].recall, 0.2);
/// assert_eq!(report.classes()[1].recall, 1.0); // of no image
/// assert!(report.to_text(2).contains("micro avg"));
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportOptions {
    labels: Option<Vec<String>>,
    zero_division: ZeroDivision,
    sample_weight: Option<Vec<f64>>,
}

impl ReportOptions {
    /// scikit-learn's defaults: a row for every class, a weight of one for every image, and 0 for what has no value.
    pub fn new() -> Self {
        Self::default()
    }

    /// The classes that get a row, by name, in this order. Averages are over these rows; unless every class that occurs is among
    /// them, `micro avg` takes the place of `accuracy`.
    #[must_use]
    pub fn labels<S: Into<String>>(mut self, class_names: impl IntoIterator<Item = S>) -> Self {
        self.labels = Some(class_names.into_iter().map(Into::into).collect());
        self
    }

    /// The score of a class whose denominator is zero.
    #[must_use]
    pub fn zero_division(mut self, zero_division: ZeroDivision) -> Self {
        self.zero_division = zero_division;
        self
    }

    /// How much each image counts, one finite number for each label, not all zero.
    #[must_use]
    pub fn sample_weight(mut self, weights: &[f64]) -> Self {
        self.sample_weight = Some(weights.to_vec());
        self
    }

    /// The report of [`ClassificationReport::new`] with these options.
    ///
    /// # Errors
    ///
    /// Those of [`ClassificationReport::new`]; [`Error::UnknownClass`] for a row that is not among `class_names`,
    /// [`Error::NoClasses`] for no rows, [`Error::WeightCount`], [`Error::NonFiniteValue`] and
    /// [`Error::ZeroWeights`] for weights.
    pub fn report<S: AsRef<str>>(
        &self,
        true_labels: &[usize],
        predicted_labels: &[usize],
        class_names: &[S],
    ) -> Result<ClassificationReport> {
        let names: Vec<_> = class_names
            .iter()
            .map(|name| name.as_ref().to_owned())
            .collect();
        if let Some(name) = self
            .labels
            .iter()
            .flatten()
            .find(|name| !names.contains(name))
        {
            return Err(Error::UnknownClass { name: name.clone() });
        }
        self.report_of(true_labels, predicted_labels, names)
    }

    /// The report of [`ClassificationReport::from_labels`] with these options. A row for a label that does not occur has a support of
    /// zero, as in scikit-learn.
    ///
    /// # Errors
    ///
    /// As [`report_of_text`](Self::report_of_text).
    pub fn report_of_labels<L: Ord + Display>(
        &self,
        true_labels: &[L],
        predicted_labels: &[L],
    ) -> Result<ClassificationReport> {
        check_lengths(true_labels.len(), predicted_labels.len())?;
        let (names, true_labels, predicted_labels) = encode_in_order(true_labels, predicted_labels);
        self.report_of(&true_labels, &predicted_labels, names)
    }

    /// The report of [`ClassificationReport::from_text_labels`] with these options. A row for a label that does not occur has a
    /// support of zero, as in scikit-learn.
    ///
    /// # Errors
    ///
    /// Those of [`ClassificationReport::from_text_labels`], [`Error::NoClasses`] for no rows, [`Error::WeightCount`],
    /// [`Error::NonFiniteValue`] and [`Error::ZeroWeights`] for weights.
    pub fn report_of_text<S: AsRef<str>>(
        &self,
        true_labels: &[S],
        predicted_labels: &[S],
    ) -> Result<ClassificationReport> {
        check_lengths(true_labels.len(), predicted_labels.len())?;
        let (names, true_labels, predicted_labels) = encode(true_labels, predicted_labels);
        self.report_of(&true_labels, &predicted_labels, names)
    }

    fn report_of(
        &self,
        truth: &[usize],
        predicted: &[usize],
        names: Vec<String>,
    ) -> Result<ClassificationReport> {
        check_lengths(truth.len(), predicted.len())?;
        let n_classes = names.len();
        let counts = Counts::new(truth, predicted, n_classes)
            .ok_or_else(|| label_out_of_range(truth, predicted, n_classes))?;
        let all = match &self.sample_weight {
            None => Sums::of_counts(&counts),
            Some(weights) => {
                check_weights(weights, truth.len())?;
                Sums::of_weights(truth, predicted, weights, n_classes)
            }
        };
        let zero_division = match self.zero_division {
            ZeroDivision::Zero => 0.0,
            ZeroDivision::One => 1.0,
            ZeroDivision::Nan => f64::NAN,
        };
        let rows: Vec<_> = match &self.labels {
            None => (0..n_classes).map(Some).collect(),
            Some(labels) if labels.is_empty() => return Err(Error::NoClasses),
            Some(labels) => {
                let place = |label| names.iter().position(|name| name == label);
                labels.iter().map(place).collect()
            }
        };
        let occurs = |class: &usize| counts.truth[*class] > 0 || counts.predicted[*class] > 0;
        let mut chosen = vec![false; n_classes];
        for &row in rows.iter().flatten() {
            chosen[row] = true;
        }
        let is_complete = (0..n_classes).filter(occurs).all(|class| chosen[class]);
        let float_supports = self.sample_weight.is_some() || counts.correct.iter().all(|&n| n == 0);
        let report = ClassificationReport::from_sums(
            self.labels.clone().unwrap_or(names),
            all.select(&rows),
            &all,
            zero_division,
        );
        Ok(ClassificationReport {
            is_complete,
            float_supports,
            ..report
        })
    }
}
