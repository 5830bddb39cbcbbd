//! How well scores put images of a class before all others.

use ndarray::ArrayView2;

use crate::confusion::check_lengths;
use crate::error::{Error, Result};
use crate::pixel::Pixel;
use crate::probability::check_scores;

/// Area under the receiver operating characteristic: the probability that a positive image has a greater score than a negative one, equal
/// scores counting half, in `[0, 1]`. `sklearn.metrics.roc_auc_score` of two classes, scikit-learn 1.9.
///
/// `scores` may be of any size; only their order counts. The result is one division of exact integers.
///
/// # Errors
///
/// [`LengthMismatch`](Error::LengthMismatch), [`NoLabels`](Error::NoLabels), [`NonFiniteValue`](Error::NonFiniteValue), and
/// [`UndefinedScore`](Error::UndefinedScore) where all images are of one class.
///
/// # Examples
///
/// ```
/// let is_cat = [false, false, true, true];
/// assert_eq!(juggle_metrics::roc_auc(&is_cat, &[0.1, 0.4, 0.35, 0.8])?, 0.75);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn roc_auc<T: Pixel>(is_positive: &[bool], scores: &[T]) -> Result<f64> {
    let ranked = ranked(is_positive, scores)?;
    let n_positive = is_positive
        .iter()
        .filter(|is_positive| **is_positive)
        .count() as u128;
    let n_negative = is_positive.len() as u128 - n_positive;
    if n_positive == 0 || n_negative == 0 {
        return Err(Error::UndefinedScore {
            metric: "ROC-AUC",
            reason: "all images are positive, or all negative",
        });
    }
    // Twice the area, in pairs of images.
    let (mut area, mut above) = (0, 0);
    for same in ranked.chunk_by(|a, b| a.0 == b.0) {
        let positive = same.iter().filter(|(_, is_positive)| *is_positive).count() as u128;
        area += (same.len() as u128 - positive) * (2 * above + positive);
        above += positive;
    }
    Ok(area as f64 / (2 * n_positive * n_negative) as f64)
}

/// [`roc_auc`] of each class against all others, by the class's column of the N×C scores. The mean of these is
/// `roc_auc_score(multi_class="ovr", average="macro")` of scikit-learn.
///
/// # Errors
///
/// [`LengthMismatch`](Error::LengthMismatch), [`NoLabels`](Error::NoLabels), [`LabelOutOfRange`](Error::LabelOutOfRange),
/// [`NonFiniteValue`](Error::NonFiniteValue) with the row-major position, and [`UndefinedScore`](Error::UndefinedScore) where a class has no
/// image, or all.
///
/// # Examples
///
/// ```
/// use ndarray::array;
///
/// let scores = array![[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.2, 0.3, 0.5]];
/// assert_eq!(juggle_metrics::roc_auc_one_vs_rest(&[0, 1, 2], scores.view())?, [1.0, 1.0, 1.0]);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn roc_auc_one_vs_rest<T: Pixel>(
    labels: &[usize],
    scores: ArrayView2<'_, T>,
) -> Result<Vec<f64>> {
    check_scores(labels, scores)?;
    let columns = scores.columns().into_iter().enumerate();
    let areas = columns.map(|(class_idx, scores)| {
        let is_positive: Vec<bool> = labels.iter().map(|&label| label == class_idx).collect();
        roc_auc(&is_positive, &scores.to_vec())
    });
    areas.collect()
}

/// Mean precision over the positive images, each at the threshold of its own score: Σ (Rₙ − Rₙ₋₁) Pₙ, in `[0, 1]`.
/// `sklearn.metrics.average_precision_score`, which does not interpolate.
///
/// # Errors
///
/// [`LengthMismatch`](Error::LengthMismatch), [`NoLabels`](Error::NoLabels), [`NonFiniteValue`](Error::NonFiniteValue), and
/// [`UndefinedScore`](Error::UndefinedScore) without a positive image, where scikit-learn returns 0 with a warning.
///
/// # Examples
///
/// ```
/// let is_cat = [false, false, true, true];
/// let precision = juggle_metrics::average_precision(&is_cat, &[0.1, 0.4, 0.35, 0.8])?;
/// assert!((precision - 5.0 / 6.0).abs() < 1e-15);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn average_precision<T: Pixel>(is_positive: &[bool], scores: &[T]) -> Result<f64> {
    let ranked = ranked(is_positive, scores)?;
    let n_positive = is_positive
        .iter()
        .filter(|is_positive| **is_positive)
        .count();
    if n_positive == 0 {
        return Err(Error::UndefinedScore {
            metric: "average precision",
            reason: "no image is positive",
        });
    }
    let (mut n_above, mut n_found, mut sum) = (0, 0, 0.0);
    for same in ranked.chunk_by(|a, b| a.0 == b.0) {
        let found = same.iter().filter(|(_, is_positive)| *is_positive).count();
        n_above += same.len();
        n_found += found;
        sum += found as f64 * (n_found as f64 / n_above as f64);
    }
    Ok(sum / n_positive as f64)
}

/// Scores from the greatest on, each with whether its image is positive.
fn ranked<T: Pixel>(is_positive: &[bool], scores: &[T]) -> Result<Vec<(f64, bool)>> {
    check_lengths(is_positive.len(), scores.len())?;
    let values = scores.iter().map(|score| score.to_f64());
    let mut ranked: Vec<(f64, bool)> = values.zip(is_positive.iter().copied()).collect();
    if let Some(position) = ranked.iter().position(|(value, _)| !value.is_finite()) {
        let value = ranked[position].0;
        return Err(Error::NonFiniteValue { position, value });
    }
    ranked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    Ok(ranked)
}
