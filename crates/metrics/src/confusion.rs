//! Confusion matrix, and the checks and counts that it shares with the report.

use ndarray::{Array2, ArrayView2};

use crate::error::{Error, Result, Role};

/// How many images of each class were predicted to be of each class: rows are true, columns
/// predicted.
///
/// With the feature `serde` it serialises as its rows, `[[…], …]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    counts: Array2<u64>,
}

impl ConfusionMatrix {
    /// The largest number of classes: 16,384, whose counts take 2 GiB.
    pub const MAX_CLASSES: usize = 1 << 14;

    /// Counts pairs of labels, each an index below `n_classes`.
    ///
    /// `counts()[[t, p]]` is the number of positions with true label `t` and predicted label `p`.
    /// The matrix is that of `sklearn.metrics.confusion_matrix(true_labels, predicted_labels,
    /// labels=range(n_classes))` (scikit-learn 1.9): classes without a label keep a row and a
    /// column of zeros.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`], [`Error::NoLabels`], [`Error::LabelOutOfRange`], and
    /// [`Error::TooManyClasses`] beyond [`MAX_CLASSES`](Self::MAX_CLASSES).
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::ConfusionMatrix;
    /// use ndarray::array;
    ///
    /// let matrix = ConfusionMatrix::new(&[0, 1, 2, 2], &[0, 2, 2, 1], 3)?;
    /// assert_eq!(matrix.counts(), array![[1, 0, 0], [0, 0, 1], [0, 1, 1]]);
    /// assert_eq!(matrix.accuracy(), 0.5);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn new(
        true_labels: &[usize],
        predicted_labels: &[usize],
        n_classes: usize,
    ) -> Result<Self> {
        check_labels(true_labels, predicted_labels, n_classes)?;
        if n_classes > Self::MAX_CLASSES {
            return Err(Error::TooManyClasses {
                n_classes,
                limit: Self::MAX_CLASSES,
            });
        }
        let mut counts = Array2::zeros((n_classes, n_classes));
        for (&t, &p) in true_labels.iter().zip(predicted_labels) {
            counts[[t, p]] += 1;
        }
        Ok(Self { counts })
    }

    /// The counts, `n_classes`×`n_classes`: rows are true, columns predicted.
    pub fn counts(&self) -> ArrayView2<'_, u64> {
        self.counts.view()
    }

    /// Number of classes: the side of the matrix.
    pub fn n_classes(&self) -> usize {
        self.counts.nrows()
    }

    /// Number of labelled images: the sum of the matrix, at least one.
    pub fn n_samples(&self) -> u64 {
        self.counts.sum()
    }

    /// Share of correct predictions, in `[0, 1]`: the diagonal over the sum.
    pub fn accuracy(&self) -> f64 {
        self.counts.diag().sum() as f64 / self.n_samples() as f64
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for ConfusionMatrix {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.counts.outer_iter().map(|row| row.to_vec()))
    }
}

/// Refuses labels that cannot be counted; truth is checked before prediction.
pub(crate) fn check_labels(
    true_labels: &[usize],
    predicted_labels: &[usize],
    n_classes: usize,
) -> Result<()> {
    check_lengths(true_labels.len(), predicted_labels.len())?;
    for (labels, role) in [
        (true_labels, Role::Truth),
        (predicted_labels, Role::Prediction),
    ] {
        if let Some(position) = labels.iter().position(|&label| label >= n_classes) {
            return Err(Error::LabelOutOfRange {
                labels: role,
                position,
                found: labels[position],
                n_classes,
            });
        }
    }
    Ok(())
}

/// Refuses labels that do not come in pairs, and no labels at all.
pub(crate) fn check_lengths(truth: usize, prediction: usize) -> Result<()> {
    if truth != prediction {
        return Err(Error::LengthMismatch { truth, prediction });
    }
    if truth == 0 {
        return Err(Error::NoLabels);
    }
    Ok(())
}
