//! The classification report.

mod encode;
mod options;
#[cfg(feature = "serde")]
mod output_dict;
mod sums;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

use crate::error::{Error, Result};
pub use options::{ReportOptions, ZeroDivision};
use sums::{Sums, mean, sum};

/// One row of the report: a class, or an average over classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Share of the predictions of a class that are right, in `[0, 1]`: tp / (tp + fp).
    pub precision: f64,
    /// Share of the images of a class that are found, in `[0, 1]`: tp / (tp + fn).
    pub recall: f64,
    /// Harmonic mean of precision and recall, in `[0, 1]`: 2·tp / (2·tp + fp + fn).
    pub f1_score: f64,
    /// Number of images whose true label is the class, or the sum of their weights; for an average, of all rows.
    pub support: f64,
}

/// Fβ scores of each row of a report, and their averages.
#[derive(Clone, Debug, PartialEq)]
pub struct FBeta {
    /// Of each class, in the order of [`ClassificationReport::classes`].
    pub classes: Vec<f64>,
    /// Of all rows taken together.
    pub micro_avg: f64,
    /// Mean over rows.
    pub macro_avg: f64,
    /// Mean over rows, weighted by support.
    pub weighted_avg: f64,
}

/// Precision, recall, F1 score and support of each class, their averages, and the accuracy.
///
/// Numbers, text and JSON are those of `sklearn.metrics.classification_report` (scikit-learn 1.9):
/// - a score whose denominator is zero (a class never predicted, or without an image) is **0** and
///   counts in the averages (`zero_division=0`, which is also what scikit-learn's default `"warn"`
///   returns); [`ReportOptions`] has the others, sample weights, and a choice of rows;
/// - `macro avg` is the mean over classes, `weighted avg` the mean weighted by support;
/// - [`to_text`](Self::to_text) returns the same bytes as the function with `digits=…`, oddities
///   included: without a single correct prediction, support prints as `10.0`;
/// - with the feature `serde` it serialises as `output_dict=True` does, keys in the same order:
///   every class name, `accuracy`, `macro avg`, `weighted avg`. Support is a float there. Where
///   names collide the later entry replaces the earlier one in its place, as in a Python `dict`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassificationReport {
    class_names: Vec<String>,
    classes: Vec<Scores>,
    accuracy: f64,
    micro_avg: Scores,
    macro_avg: Scores,
    weighted_avg: Scores,
    sums: Sums,
    zero_division: f64,
    /// Whether the rows have every class that occurs: the micro average is then the accuracy, and printed as such.
    is_complete: bool,
    /// Whether scikit-learn's supports are floats, and print so.
    float_supports: bool,
}

impl ClassificationReport {
    /// Scores predictions given as class indices; `class_names[i]` is the name of class `i`.
    ///
    /// It is the report of scikit-learn with `labels=range(n_classes), target_names=class_names`: a
    /// class that no label mentions has a row too, with a support of zero.
    ///
    /// # Errors
    ///
    /// [`LengthMismatch`](crate::Error::LengthMismatch), [`NoLabels`](crate::Error::NoLabels), and
    /// [`LabelOutOfRange`](crate::Error::LabelOutOfRange) for a label without a name.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::ClassificationReport;
    ///
    /// let report = ClassificationReport::new(
    ///     &[0, 1, 2, 2, 2],
    ///     &[0, 0, 2, 2, 1],
    ///     &["class 0", "class 1", "class 2"],
    /// )?;
    /// assert_eq!(report.accuracy(), 0.6);
    /// assert_eq!(report.to_text(2), "              \
    ///               precision    recall  f1-score   support
    ///
    ///      class 0       0.50      1.00      0.67         1
    ///      class 1       0.00      0.00      0.00         1
    ///      class 2       1.00      0.67      0.80         3
    ///
    ///     accuracy                           0.60         5
    ///    macro avg       0.50      0.56      0.49         5
    /// weighted avg       0.70      0.60      0.61         5
    /// ");
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn new<S: AsRef<str>>(
        true_labels: &[usize],
        predicted_labels: &[usize],
        class_names: &[S],
    ) -> Result<Self> {
        ReportOptions::new().report(true_labels, predicted_labels, class_names)
    }

    /// Scores predictions given as integers of any type, such as class ids with gaps or below zero, or as strings.
    ///
    /// Classes are the labels that occur, true or predicted, in their order: integers by value, strings by code points, digits or not.
    /// That is scikit-learn's report of arrays of integers and of strings. It prints Python's `False` and `True` for booleans; give these
    /// as strings.
    ///
    /// # Errors
    ///
    /// [`LengthMismatch`](crate::Error::LengthMismatch) and [`NoLabels`](crate::Error::NoLabels).
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::ClassificationReport;
    ///
    /// let report = ClassificationReport::from_labels(&[-1_i8, 10, 9], &[-1, 10, 10])?;
    /// assert_eq!(report.class_names(), ["-1", "9", "10"]);
    /// let report = ClassificationReport::from_labels(&["9", "10"], &["9", "9"])?;
    /// assert_eq!(report.class_names(), ["10", "9"]);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn from_labels<L: Ord + fmt::Display>(
        true_labels: &[L],
        predicted_labels: &[L],
    ) -> Result<Self> {
        ReportOptions::new().report_of_labels(true_labels, predicted_labels)
    }

    /// Scores predictions given as text, such as two columns of a CSV file.
    ///
    /// Classes are the labels that occur, true or predicted, sorted as scikit-learn sorts them:
    /// when every label is an integer (one that [`i64`] parses: an optional sign, then digits),
    /// they are compared and named as integers, so that 9 precedes 10 and `07` is 7, as if a CSV
    /// reader had converted the columns; otherwise they are text, exactly as given, in the order of
    /// code points, which is Python's.
    ///
    /// # Errors
    ///
    /// [`LengthMismatch`](crate::Error::LengthMismatch) and [`NoLabels`](crate::Error::NoLabels).
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::ClassificationReport;
    ///
    /// let report = ClassificationReport::from_text_labels(&["10", "9", "9"], &["10", "9", "10"])?;
    /// assert_eq!(report.class_names(), ["9", "10"]);
    /// assert_eq!(report.classes()[0].recall, 0.5);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn from_text_labels<S: AsRef<str>>(
        true_labels: &[S],
        predicted_labels: &[S],
    ) -> Result<Self> {
        ReportOptions::new().report_of_text(true_labels, predicted_labels)
    }

    /// Names of the classes, in the order of [`classes`](Self::classes).
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Scores of each class.
    pub fn classes(&self) -> &[Scores] {
        &self.classes
    }

    /// Share of correct predictions among all, in `[0, 1]`, whichever rows were chosen.
    pub fn accuracy(&self) -> f64 {
        self.accuracy
    }

    /// Scores of all rows taken together. Where the rows have every class that occurs, each of them is the accuracy.
    pub fn micro_avg(&self) -> Scores {
        self.micro_avg
    }

    /// Mean of the scores over classes, each counting the same.
    pub fn macro_avg(&self) -> Scores {
        self.macro_avg
    }

    /// Mean of the scores over classes, weighted by support.
    pub fn weighted_avg(&self) -> Scores {
        self.weighted_avg
    }

    /// The report as text, byte for byte that of scikit-learn with `digits=digits`.
    ///
    /// Columns are aligned by code points, as in Python. The text ends in a line feed.
    pub fn to_text(&self, digits: u16) -> String {
        text::to_text(self, digits)
    }

    /// Fβ of each row and of their averages: (1 + β²)·tp / ((1 + β²)·tp + β²·fn + fp), in which recall counts β times as much as
    /// precision. van Rijsbergen 1979; `sklearn.metrics.fbeta_score`.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] where `beta` is negative or not a number; ∞ gives the recall, as in scikit-learn.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::ClassificationReport;
    ///
    /// let report = ClassificationReport::new(&[0, 1, 1, 1], &[0, 0, 0, 1], &["no", "yes"])?;
    /// let f2 = report.f_beta(2.0)?;
    /// assert!((f2.classes[1] - 5.0 / 13.0).abs() < 1e-15);
    /// assert_eq!(report.f_beta(1.0)?.classes[1], report.classes()[1].f1_score);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn f_beta(&self, beta: f64) -> Result<FBeta> {
        if beta.is_nan() || beta < 0.0 {
            return Err(Error::Setting {
                name: "beta",
                found: beta,
                expected: "0 or more",
            });
        }
        let classes = self.sums.f_beta(beta, self.zero_division);
        Ok(FBeta {
            micro_avg: self.sums.total().f_beta(beta, self.zero_division)[0],
            macro_avg: mean(&classes, None),
            weighted_avg: mean(&classes, Some(&self.sums.truth)),
            classes,
        })
    }

    /// The report of the rows in `sums`; `all` are those of every class.
    fn from_sums(class_names: Vec<String>, sums: Sums, all: &Sums, zero_division: f64) -> Self {
        let classes = sums.scores(zero_division);
        let support = sum(&sums.truth);
        let average = |weights: Option<&[f64]>| {
            let of = |score: fn(&Scores) -> f64| {
                let scores: Vec<f64> = classes.iter().map(score).collect();
                mean(&scores, weights)
            };
            Scores {
                precision: of(|class| class.precision),
                recall: of(|class| class.recall),
                f1_score: of(|class| class.f1_score),
                support,
            }
        };
        Self {
            accuracy: all.total().scores(zero_division)[0].recall,
            micro_avg: sums.total().scores(zero_division)[0],
            macro_avg: average(None),
            weighted_avg: average(Some(&sums.truth)),
            class_names,
            classes,
            sums,
            zero_division,
            is_complete: true,
            float_supports: false,
        }
    }
}

/// The text with two digits, scikit-learn's default.
impl fmt::Display for ClassificationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(2))
    }
}
