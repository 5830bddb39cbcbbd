//! The classification report.

mod encode;
#[cfg(feature = "serde")]
mod output_dict;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

use crate::confusion::{check_lengths, label_out_of_range};
use crate::count::Counts;
use crate::error::Result;
use encode::encode;

/// One row of the report: a class, or an average over classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Share of the predictions of a class that are right, in `[0, 1]`: tp / (tp + fp).
    pub precision: f64,
    /// Share of the images of a class that are found, in `[0, 1]`: tp / (tp + fn).
    pub recall: f64,
    /// Harmonic mean of precision and recall, in `[0, 1]`: 2·tp / (2·tp + fp + fn).
    pub f1_score: f64,
    /// Number of images whose true label is the class; for an average, of all images.
    pub support: u64,
}

/// Precision, recall, F1 score and support of each class, their averages, and the accuracy.
///
/// Numbers, text and JSON are those of `sklearn.metrics.classification_report` (scikit-learn 1.9):
/// - a score whose denominator is zero (a class never predicted, or without an image) is **0** and
///   counts in the averages (`zero_division=0`, which is also what scikit-learn's default `"warn"`
///   returns);
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
    macro_avg: Scores,
    weighted_avg: Scores,
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
        let n_classes = class_names.len();
        check_lengths(true_labels.len(), predicted_labels.len())?;
        let counts = Counts::new(true_labels, predicted_labels, n_classes)
            .ok_or_else(|| label_out_of_range(true_labels, predicted_labels, n_classes))?;
        let class_names = class_names.iter().map(|name| name.as_ref().to_owned());
        Ok(Self::from_counts(&counts, class_names.collect()))
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
        check_lengths(true_labels.len(), predicted_labels.len())?;
        let (class_names, true_labels, predicted_labels) = encode(true_labels, predicted_labels);
        let n_classes = class_names.len();
        let counts = Counts::new(&true_labels, &predicted_labels, n_classes)
            .ok_or_else(|| label_out_of_range(&true_labels, &predicted_labels, n_classes))?;
        Ok(Self::from_counts(&counts, class_names))
    }

    /// Names of the classes, in the order of [`classes`](Self::classes).
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Scores of each class.
    pub fn classes(&self) -> &[Scores] {
        &self.classes
    }

    /// Share of correct predictions, in `[0, 1]`.
    pub fn accuracy(&self) -> f64 {
        self.accuracy
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

    fn from_counts(counts: &Counts, class_names: Vec<String>) -> Self {
        let classes: Vec<Scores> = counts.scores().collect();
        let supports: Vec<f64> = counts.truth.iter().map(|&n| n as f64).collect();
        let n_samples: u64 = counts.truth.iter().sum();
        let average = |weights: Option<&[f64]>| {
            let of = |score: fn(&Scores) -> f64| {
                let scores: Vec<f64> = classes.iter().map(score).collect();
                mean(&scores, weights)
            };
            Scores {
                precision: of(|class| class.precision),
                recall: of(|class| class.recall),
                f1_score: of(|class| class.f1_score),
                support: n_samples,
            }
        };
        let correct: u64 = counts.correct.iter().sum();
        Self {
            accuracy: ratio(correct, n_samples),
            macro_avg: average(None),
            weighted_avg: average(Some(&supports)),
            class_names,
            classes,
        }
    }
}

/// The text with two digits, scikit-learn's default.
impl fmt::Display for ClassificationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(2))
    }
}

impl Counts {
    fn scores(&self) -> impl Iterator<Item = Scores> {
        let classes = self.correct.iter().zip(&self.predicted).zip(&self.truth);
        classes.map(|((&correct, &predicted), &truth)| Scores {
            precision: ratio(correct, predicted),
            recall: ratio(correct, truth),
            f1_score: ratio(2 * correct, predicted + truth),
            support: truth,
        })
    }
}

/// A share; nothing of nothing is zero.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// Mean of the scores, with equal weights or the given ones, whose sum is not zero.
fn mean(scores: &[f64], weights: Option<&[f64]>) -> f64 {
    match weights {
        None => sum(scores) / scores.len() as f64,
        Some(weights) => {
            let weighted: Vec<f64> = scores.iter().zip(weights).map(|(s, w)| s * w).collect();
            sum(&weighted) / sum(weights)
        }
    }
}

/// Adds in numpy's order (pairwise, with eight accumulators in the leaves), so that averages equal
/// scikit-learn's in every bit and no last digit is rounded the other way.
fn sum(xs: &[f64]) -> f64 {
    const LANES: usize = 8;
    if xs.len() < LANES {
        return xs.iter().sum();
    }
    if xs.len() > 128 {
        let half = xs.len() / 2;
        let (left, right) = xs.split_at(half - half % LANES);
        return sum(left) + sum(right);
    }
    let (chunks, rest) = xs.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += x;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    rest.iter().fold(sum, |sum, x| sum + x)
}
