//! Confusion matrix, and the checks and counts that it shares with the report.

use ndarray::{Array2, ArrayView2};

use crate::count;
use crate::error::{Error, Result, Role};

/// What a share in [`ConfusionMatrix::normalized`] is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareOf {
    /// The images of the true class: rows add up to 1.
    True,
    /// The images that were given the predicted class: columns add up to 1.
    Predicted,
    /// All images.
    All,
}

/// How much a disagreement counts in [`ConfusionMatrix::cohen_kappa`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KappaWeights {
    /// Each as much as any other.
    Equal,
    /// As the distance of the classes: `weights="linear"`.
    Linear,
    /// As its square: `weights="quadratic"`.
    Quadratic,
}

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
        check_lengths(true_labels.len(), predicted_labels.len())?;
        if n_classes > Self::MAX_CLASSES {
            return Err(Error::TooManyClasses {
                n_classes,
                limit: Self::MAX_CLASSES,
            });
        }
        let counts = count::pairs(true_labels, predicted_labels, n_classes)
            .ok_or_else(|| label_out_of_range(true_labels, predicted_labels, n_classes))?;
        let shape = (n_classes, n_classes);
        let counts = Array2::from_shape_fn(shape, |(t, p)| counts[t * n_classes + p]);
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

    /// The matrix as shares: of each true class, of each predicted class, or of all images.
    ///
    /// It is `normalize="true"`, `"pred"` and `"all"` of `sklearn.metrics.confusion_matrix`: a row or column of zeros stays one.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::{ConfusionMatrix, ShareOf};
    /// use ndarray::array;
    ///
    /// let matrix = ConfusionMatrix::new(&[0, 1, 1, 1], &[0, 0, 1, 1], 2)?;
    /// assert_eq!(matrix.normalized(ShareOf::Predicted), array![[0.5, 0.0], [0.5, 1.0]]);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn normalized(&self, share_of: ShareOf) -> Array2<f64> {
        let n_samples = self.n_samples();
        let (_, truth, predicted) = self.margins();
        Array2::from_shape_fn(self.counts.dim(), |(t, p)| {
            let whole = match share_of {
                ShareOf::True => truth[t],
                ShareOf::Predicted => predicted[p],
                ShareOf::All => n_samples as f64,
            };
            self.counts[[t, p]] as f64 / whole.max(1.0)
        })
    }

    /// Mean recall of the classes that have images, in `[0, 1]`: `sklearn.metrics.balanced_accuracy_score`.
    pub fn balanced_accuracy(&self) -> f64 {
        let rows = self.counts.outer_iter().enumerate();
        let recalls: Vec<f64> = rows
            .map(|(class, row)| (row[class], row.sum()))
            .filter(|&(_, support)| support > 0)
            .map(|(correct, support)| correct as f64 / support as f64)
            .collect();
        recalls.iter().sum::<f64>() / recalls.len() as f64
    }

    /// Cohen's κ: agreement beyond chance, 1 where all agree and 0 where as many do as by chance. Cohen 1960 and 1968;
    /// `sklearn.metrics.cohen_kappa_score`.
    ///
    /// # Errors
    ///
    /// [`Error::UndefinedScore`] when every image has and is given the same class, where scikit-learn returns NaN.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::{ConfusionMatrix, KappaWeights};
    ///
    /// let matrix = ConfusionMatrix::new(&[0, 0, 1, 1], &[0, 1, 1, 1], 2)?;
    /// assert_eq!(matrix.cohen_kappa(KappaWeights::Equal)?, 0.5);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn cohen_kappa(&self, weights: KappaWeights) -> Result<f64> {
        let (n_samples, truth, predicted) = self.margins();
        let (mut observed, mut expected) = (0.0, 0.0);
        for ((t, p), &count) in self.counts.indexed_iter() {
            let distance = t.abs_diff(p) as f64;
            let weight = match weights {
                KappaWeights::Equal => f64::from(u8::from(t != p)),
                KappaWeights::Linear => distance,
                KappaWeights::Quadratic => distance * distance,
            };
            observed += weight * count as f64;
            expected += weight * (truth[t] * predicted[p] / n_samples);
        }
        if expected == 0.0 {
            return Err(Error::UndefinedScore {
                metric: "Cohen's kappa",
                reason: "all true and predicted labels are of one class",
            });
        }
        Ok(1.0 - observed / expected)
    }

    /// Matthews' correlation coefficient of any number of classes, in `[-1, 1]`; 0 where the true or the predicted labels are all of one
    /// class. Gorodkin 2004; `sklearn.metrics.matthews_corrcoef`.
    pub fn matthews_corrcoef(&self) -> f64 {
        let (n_samples, truth, predicted) = self.margins();
        let dot = |xs: &[f64], ys: &[f64]| xs.iter().zip(ys).map(|(x, y)| x * y).sum::<f64>();
        let correct = self.counts.diag().sum() as f64;
        let covariance = correct * n_samples - dot(&truth, &predicted);
        let square = n_samples * n_samples;
        let variances = (square - dot(&truth, &truth)) * (square - dot(&predicted, &predicted));
        if variances == 0.0 {
            0.0
        } else {
            covariance / variances.sqrt()
        }
    }

    /// The number of images, and how many have and are given each class.
    fn margins(&self) -> (f64, Vec<f64>, Vec<f64>) {
        let rows = self.counts.outer_iter().map(|row| row.sum() as f64);
        let columns = self.counts.columns().into_iter();
        let columns = columns.map(|column| column.sum() as f64);
        (self.n_samples() as f64, rows.collect(), columns.collect())
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

/// Names the first label that is no class, of the truth or else of the predictions. There must be one.
pub(crate) fn label_out_of_range(
    true_labels: &[usize],
    predicted_labels: &[usize],
    n_classes: usize,
) -> Error {
    let first = |labels: &[usize]| labels.iter().position(|&label| label >= n_classes);
    let (labels, role, position) = match first(true_labels) {
        Some(position) => (true_labels, Role::Truth, position),
        None => {
            let position = first(predicted_labels).unwrap_or(0);
            (predicted_labels, Role::Prediction, position)
        }
    };
    Error::LabelOutOfRange {
        labels: role,
        position,
        found: labels[position],
        n_classes,
    }
}

/// Sums the weights of the images of each class that were predicted to be of each class: rows are true, columns predicted.
///
/// It is `sklearn.metrics.confusion_matrix` with `labels=range(n_classes), sample_weight=weights` (scikit-learn 1.9); weights are added in
/// the order of the labels.
///
/// # Errors
///
/// Those of [`ConfusionMatrix::new`], [`Error::WeightCount`] where there are not as many weights as labels,
/// [`Error::NonFiniteValue`] for a weight that is NaN or infinite, and [`Error::ZeroWeights`] where all are zero.
///
/// # Examples
///
/// ```
/// use juggle_metrics::weighted_confusion_matrix;
/// use ndarray::array;
///
/// let matrix = weighted_confusion_matrix(&[0, 1, 1], &[0, 0, 1], &[1.0, 0.5, 2.0], 2)?;
/// assert_eq!(matrix, array![[1.0, 0.0], [0.5, 2.0]]);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn weighted_confusion_matrix(
    true_labels: &[usize],
    predicted_labels: &[usize],
    weights: &[f64],
    n_classes: usize,
) -> Result<Array2<f64>> {
    // Finds labels that are no class, and too many of them.
    ConfusionMatrix::new(true_labels, predicted_labels, n_classes)?;
    check_weights(weights, true_labels.len())?;
    let mut sums = Array2::zeros((n_classes, n_classes));
    for ((&t, &p), weight) in true_labels.iter().zip(predicted_labels).zip(weights) {
        sums[[t, p]] += weight;
    }
    Ok(sums)
}

/// Refuses weights that are not one finite number for each label, or all zero.
pub(crate) fn check_weights(weights: &[f64], n_labels: usize) -> Result<()> {
    if weights.len() != n_labels {
        return Err(Error::WeightCount {
            found: weights.len(),
            n_labels,
        });
    }
    if let Some(position) = weights.iter().position(|weight| !weight.is_finite()) {
        return Err(Error::NonFiniteValue {
            position,
            value: weights[position],
        });
    }
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(Error::ZeroWeights);
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
