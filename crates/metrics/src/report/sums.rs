//! What a report is computed from: three sums for each row, and averages of scores, added in numpy's order.

use super::Scores;
use crate::count::Counts;

/// Counts of images, or sums of their weights, one of each for every row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sums {
    pub(super) correct: Vec<f64>,
    pub(super) predicted: Vec<f64>,
    pub(super) truth: Vec<f64>,
}

impl Sums {
    pub(super) fn of_counts(counts: &Counts) -> Self {
        let floats = |counts: &[u64]| counts.iter().map(|&n| n as f64).collect();
        Self {
            correct: floats(&counts.correct),
            predicted: floats(&counts.predicted),
            truth: floats(&counts.truth),
        }
    }

    /// Sums of weights of labels that are all below `n_classes`, in the order of the labels.
    pub(super) fn of_weights(
        truth: &[usize],
        predicted: &[usize],
        weights: &[f64],
        n_classes: usize,
    ) -> Self {
        let zeros = || vec![0.0; n_classes];
        let mut sums = Self {
            correct: zeros(),
            predicted: zeros(),
            truth: zeros(),
        };
        for ((&t, &p), weight) in truth.iter().zip(predicted).zip(weights) {
            sums.truth[t] += weight;
            sums.predicted[p] += weight;
            if t == p {
                sums.correct[t] += weight;
            }
        }
        // scikit-learn makes false positives and negatives of the sums, and the sums of those again.
        for (sums_of, correct) in [&mut sums.predicted, &mut sums.truth]
            .into_iter()
            .flat_map(|sums_of| sums_of.iter_mut().zip(&sums.correct))
        {
            *sums_of = correct + (*sums_of - correct);
        }
        sums
    }

    /// The rows of some classes; those of a class that is none are zero.
    pub(super) fn select(&self, rows: &[Option<usize>]) -> Self {
        let of = |sums: &[f64]| {
            rows.iter()
                .map(|row| row.map_or(0.0, |row| sums[row]))
                .collect()
        };
        Self {
            correct: of(&self.correct),
            predicted: of(&self.predicted),
            truth: of(&self.truth),
        }
    }

    /// All rows as one.
    pub(super) fn total(&self) -> Self {
        Self {
            correct: vec![sum(&self.correct)],
            predicted: vec![sum(&self.predicted)],
            truth: vec![sum(&self.truth)],
        }
    }

    pub(super) fn scores(&self, zero_division: f64) -> Vec<Scores> {
        let f1_scores = self.f_beta(1.0, zero_division);
        self.rows()
            .zip(f1_scores)
            .map(|((correct, predicted, truth), f1_score)| Scores {
                precision: divide(correct, predicted, zero_division),
                recall: divide(correct, truth, zero_division),
                f1_score,
                support: truth,
            })
            .collect()
    }

    pub(super) fn f_beta(&self, beta: f64, zero_division: f64) -> Vec<f64> {
        let square = beta * beta;
        let of = |(correct, predicted, truth): (f64, f64, f64)| {
            if square == f64::INFINITY {
                divide(correct, truth, zero_division)
            } else {
                let whole = square * truth + predicted;
                divide((1.0 + square) * correct, whole, zero_division)
            }
        };
        self.rows().map(of).collect()
    }

    fn rows(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let rows = self.correct.iter().zip(&self.predicted).zip(&self.truth);
        rows.map(|((&correct, &predicted), &truth)| (correct, predicted, truth))
    }
}

/// A share; a share of nothing is what the caller says.
fn divide(part: f64, whole: f64, zero_division: f64) -> f64 {
    if whole == 0.0 {
        zero_division
    } else {
        part / whole
    }
}

/// Mean of the scores that are numbers, with equal weights or the given ones; NaN where none is. Weights that add up to zero count
/// as equal ones.
pub(super) fn mean(scores: &[f64], weights: Option<&[f64]>) -> f64 {
    let n = scores.iter().filter(|score| !score.is_nan()).count();
    let Some(weights) = weights else {
        let zeroed = scores
            .iter()
            .map(|&score| if score.is_nan() { 0.0 } else { score });
        return sum(&zeroed.collect::<Vec<_>>()) / n as f64;
    };
    let kept = scores
        .iter()
        .zip(weights)
        .filter(|(score, _)| !score.is_nan());
    let (scores, weights): (Vec<f64>, Vec<f64>) = kept.unzip();
    let whole = sum(&weights);
    if whole == 0.0 {
        return sum(&scores) / n as f64;
    }
    let weighted: Vec<f64> = scores.iter().zip(&weights).map(|(s, w)| s * w).collect();
    sum(&weighted) / whole
}

/// Adds in numpy's order (pairwise, with eight accumulators in the leaves), so that averages equal
/// scikit-learn's in every bit and no last digit is rounded the other way.
pub(super) fn sum(xs: &[f64]) -> f64 {
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
