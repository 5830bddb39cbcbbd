//! What predicted probabilities are worth, beyond which one is the largest.

use ndarray::{ArrayView1, ArrayView2};

use crate::confusion::{check_lengths, label_out_of_range};
use crate::error::{Error, Result};
use crate::pixel::{Pixel, Real};

/// Mean negative logarithm of the probability that was given to the true class, in nats: `sklearn.metrics.log_loss` with
/// `labels=range(n_classes)`, scikit-learn 1.9.
///
/// `probabilities` are N×C; as there, each is first clipped to `[ε, 1 − ε]` where ε is the machine epsilon of `T`, so that the loss
/// of a certain mistake is finite.
///
/// # Errors
///
/// [`LengthMismatch`](Error::LengthMismatch), [`NoLabels`](Error::NoLabels), [`LabelOutOfRange`](Error::LabelOutOfRange),
/// [`NotProbability`](Error::NotProbability), and [`ProbabilitySum`](Error::ProbabilitySum), of which scikit-learn only warns.
///
/// # Examples
///
/// ```
/// use ndarray::array;
///
/// let loss = juggle_metrics::log_loss(&[0, 1], array![[0.5, 0.5], [0.75, 0.25]].view())?;
/// assert!((loss - 1.5 * 2_f64.ln()).abs() < 1e-15);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn log_loss<T: Pixel + Real>(
    labels: &[usize],
    probabilities: ArrayView2<'_, T>,
) -> Result<f64> {
    check_probabilities(labels, probabilities)?;
    let epsilon = epsilon::<T>();
    let rows = labels.iter().zip(probabilities.outer_iter());
    let losses = rows.map(|(&label, row)| -row[label].to_f64().clamp(epsilon, 1.0 - epsilon).ln());
    Ok(losses.sum::<f64>() / labels.len() as f64)
}

/// Share of the images whose true class is among the `k` of the greatest scores: `sklearn.metrics.top_k_accuracy_score` with
/// `labels=range(n_classes)`, and its rule for equal scores, of which the class with the greater index comes first.
///
/// `scores` are N×C: probabilities, or numbers of any size.
///
/// # Errors
///
/// [`LengthMismatch`](Error::LengthMismatch), [`NoLabels`](Error::NoLabels), [`LabelOutOfRange`](Error::LabelOutOfRange),
/// [`NonFiniteValue`](Error::NonFiniteValue) with the row-major position, and [`Zero`](Error::Zero) for `k` = 0.
///
/// # Examples
///
/// ```
/// use ndarray::array;
///
/// let scores = array![[0.5, 0.2, 0.3], [0.1, 0.2, 0.7]];
/// assert_eq!(juggle_metrics::top_k_accuracy(&[2, 0], scores.view(), 2)?, 0.5);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn top_k_accuracy<T: Pixel>(
    labels: &[usize],
    scores: ArrayView2<'_, T>,
    k: usize,
) -> Result<f64> {
    check_scores(labels, scores)?;
    if k == 0 {
        return Err(Error::Zero { what: "k" });
    }
    let hits = labels
        .iter()
        .zip(scores.outer_iter())
        .filter(|(label, row)| {
            let own = row[**label].to_f64();
            let before = row.iter().enumerate().filter(|(class_idx, score)| {
                let score = score.to_f64();
                score > own || (score == own && class_idx > *label)
            });
            before.count() < k
        });
    Ok(hits.count() as f64 / labels.len() as f64)
}

/// Expected calibration error: how far the probability of the predicted class is from the share of predictions that are right, as a mean
/// over `n_bins` bins of equal width, in `[0, 1]`. Guo et al. 2017; `multiclass_calibration_error(norm="l1")` of torchmetrics 1.9.
///
/// `probabilities` are N×C. A bin holds its lower end; a probability of exactly 1 has a bin of its own, as in torchmetrics, which
/// computes in single precision: the two agree within 1e-6 where no probability is the end of a bin.
///
/// # Errors
///
/// Those of [`log_loss`], and [`Zero`](Error::Zero) for `n_bins` = 0.
///
/// # Examples
///
/// ```
/// use ndarray::array;
///
/// // Sure of both and right once: 0.9 against a half.
/// let error = juggle_metrics::expected_calibration_error(&[0, 1], array![[0.9, 0.1], [0.9, 0.1]].view(), 15)?;
/// assert!((error - 0.4_f64).abs() < 1e-15);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn expected_calibration_error<T: Pixel + Real>(
    labels: &[usize],
    probabilities: ArrayView2<'_, T>,
    n_bins: usize,
) -> Result<f64> {
    check_probabilities(labels, probabilities)?;
    if n_bins == 0 {
        return Err(Error::Zero {
            what: "the number of bins",
        });
    }
    // Sorted, so that memory depends on the number of images and not on that of bins.
    let rows = labels.iter().zip(probabilities.outer_iter());
    let mut binned: Vec<(u64, f64, bool)> = rows
        .map(|(&label, row)| {
            let (predicted, confidence) = greatest(row);
            (bin(confidence, n_bins), confidence, predicted == label)
        })
        .collect();
    binned.sort_by_key(|&(bin, ..)| bin);
    let gaps = binned.chunk_by(|a, b| a.0 == b.0).map(|bin| {
        let confidence: f64 = bin.iter().map(|(_, confidence, _)| confidence).sum();
        let correct = bin.iter().filter(|(.., is_correct)| *is_correct).count();
        (correct as f64 - confidence).abs()
    });
    Ok(gaps.sum::<f64>() / labels.len() as f64)
}

/// The machine epsilon of `T`.
fn epsilon<T: Real>() -> f64 {
    if size_of::<T>() == size_of::<f32>() {
        f64::from(f32::EPSILON)
    } else {
        f64::EPSILON
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number from 0 to the number of bins, rounded down"
)]
fn bin(confidence: f64, n_bins: usize) -> u64 {
    (confidence.min(1.0) * n_bins as f64) as u64
}

/// The first of the greatest values, and where it is.
fn greatest<T: Pixel>(row: ArrayView1<'_, T>) -> (usize, f64) {
    let mut values = row.iter().map(|x| x.to_f64()).enumerate();
    let first = values.next().unwrap_or_default();
    values.fold(
        first,
        |best, next| if next.1 > best.1 { next } else { best },
    )
}

/// Refuses labels that are no column of the scores, and scores that are not finite.
pub(crate) fn check_scores<T: Pixel>(labels: &[usize], scores: ArrayView2<'_, T>) -> Result<()> {
    let (n_rows, n_classes) = scores.dim();
    check_lengths(labels.len(), n_rows)?;
    if labels.iter().any(|&label| label >= n_classes) {
        return Err(label_out_of_range(labels, labels, n_classes));
    }
    let mut values = scores.iter().map(|x| x.to_f64()).enumerate();
    match values.find(|(_, value)| !value.is_finite()) {
        Some((position, value)) => Err(Error::NonFiniteValue { position, value }),
        None => Ok(()),
    }
}

/// Refuses what [`check_scores`] does, and what is no probability distribution within the rounding of `T`.
fn check_probabilities<T: Pixel + Real>(
    labels: &[usize],
    probabilities: ArrayView2<'_, T>,
) -> Result<()> {
    // scikit-learn's tolerance: the square root of the machine epsilon.
    let epsilon = epsilon::<T>();
    let (n_rows, n_classes) = probabilities.dim();
    check_lengths(labels.len(), n_rows)?;
    if labels.iter().any(|&label| label >= n_classes) {
        return Err(label_out_of_range(labels, labels, n_classes));
    }
    for ((row, class_idx), value) in probabilities.indexed_iter() {
        let found = value.to_f64();
        if !(0.0..=1.0).contains(&found) {
            return Err(Error::NotProbability {
                row,
                class_idx,
                found,
            });
        }
    }
    for (row, values) in probabilities.outer_iter().enumerate() {
        let found: f64 = values.iter().map(|x| x.to_f64()).sum();
        if (found - 1.0).abs() > epsilon.sqrt() {
            return Err(Error::ProbabilitySum { row, found });
        }
    }
    Ok(())
}
