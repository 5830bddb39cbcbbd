//! From replicates to an interval.

use super::MAX_REPLICATES;
use crate::distribution::normal;
use crate::error::{Error, Result, Sample};
use crate::interval::{Interval, check_confidence_level};

/// The percentile interval of bootstrap replicates: their quantiles at (1 ∓ `confidence_level`)/2.
///
/// For replicates that were drawn elsewhere, in a way that [`Bootstrap`](crate::Bootstrap) does not know, such as
/// whole clips instead of frames. Quantiles are interpolated linearly between the sorted replicates (Hyndman and
/// Fan's definition 7, numpy's default). If all replicates are equal, both ends are that number.
///
/// Source: Efron and Tibshirani, An introduction to the bootstrap, 1993, section 13.3; the ends are those of
/// `scipy.stats.bootstrap(…, method="percentile")` (scipy 1.17) of the same replicates within 1e-12.
///
/// # Errors
///
/// [`Error::ReplicateCount`] below 2, [`Error::NonFiniteStatistic`], [`Error::ConfidenceLevel`].
///
/// # Examples
///
/// ```
/// use juggle_metrics::percentile_interval;
///
/// let replicates: Vec<f64> = (0..=100).map(f64::from).collect();
/// assert_eq!(percentile_interval(&replicates, 0.9)?.to_string(), "[5.0000, 95.0000]");
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn percentile_interval(replicates: &[f64], confidence_level: f64) -> Result<Interval> {
    check_confidence_level(confidence_level)?;
    let sorted = sorted(replicates)?;
    let tail = (1.0 - confidence_level) / 2.0;
    Ok(interval_at(&sorted, tail, 1.0 - tail))
}

/// The bias-corrected and accelerated interval (BCa) of bootstrap replicates: two of their quantiles, moved by how
/// far the replicates are off the estimate and by how skew the influence of the items is.
///
/// `estimate` is the statistic of all items, `jackknife` that of all items but one, for each item. With
/// z₀ = Φ⁻¹(share of replicates below the estimate, ties counting half), z = Φ⁻¹((1 − `confidence_level`)/2),
/// uᵢ = mean(jackknife) − jackknifeᵢ and a = Σuᵢ³ / (6·(Σuᵢ²)^(3/2)), the ends are the quantiles at
/// Φ(z₀ + (z₀ ± z)/(1 − a(z₀ ± z))). If all replicates are equal, both ends are that number (scipy: NaN).
///
/// Source: Efron, Better bootstrap confidence intervals, JASA 82, 1987; Efron and Tibshirani 1993, equations 14.9 to
/// 14.15. The ends are those of `scipy.stats.bootstrap(…, method="BCa")` (scipy 1.17) of the same replicates within
/// 1e-12.
///
/// # Errors
///
/// As [`percentile_interval`]; [`Error::ItemCount`] for fewer than two items, and [`Error::BcaUndefined`] where the
/// formula has no value: all replicates are on one side of the estimate, as for a minimum; the jackknife values are
/// all equal; or a correction so large that a denominator is not positive.
///
/// # Examples
///
/// ```
/// use juggle_metrics::bca_interval;
///
/// let replicates: Vec<f64> = (0..=100).map(f64::from).collect();
/// // Neither bias nor skewness: the percentile interval.
/// let interval = bca_interval(50.0, &replicates, &[49.0, 50.0, 51.0], 0.9)?;
/// assert_eq!(interval.to_string(), "[5.0000, 95.0000]");
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn bca_interval(
    estimate: f64,
    replicates: &[f64],
    jackknife: &[f64],
    confidence_level: f64,
) -> Result<Interval> {
    check_confidence_level(confidence_level)?;
    check_finite(&[estimate], |_| Sample::Original)?;
    check_finite(jackknife, Sample::Without)?;
    if jackknife.len() < 2 {
        return Err(Error::ItemCount {
            found: jackknife.len(),
            limit: super::MAX_ITEMS,
        });
    }
    let mean = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    let influences: Vec<f64> = jackknife.iter().map(|without| mean - without).collect();
    bca_of_influences(estimate, replicates, &influences, confidence_level)
}

/// [`bca_interval`] from the influences uᵢ, of which only the ratios matter.
pub(super) fn bca_of_influences(
    estimate: f64,
    replicates: &[f64],
    influences: &[f64],
    confidence_level: f64,
) -> Result<Interval> {
    let sorted = sorted(replicates)?;
    let (smallest, largest) = (sorted[0], sorted[sorted.len() - 1]);
    if smallest == largest {
        return Ok(Interval {
            low: smallest,
            high: largest,
        });
    }
    let n_below = sorted.partition_point(|&replicate| replicate < estimate);
    let n_at_most = sorted.partition_point(|&replicate| replicate <= estimate);
    let share_below = (n_below + n_at_most) as f64 / (2 * sorted.len()) as f64;
    let bias_correction = normal::quantile(share_below);
    let acceleration = acceleration(influences);
    let z = normal::quantile((1.0 - confidence_level) / 2.0);
    let [low, high] = [z, -z].map(|z| {
        let moved = bias_correction + z;
        let denominator = 1.0 - acceleration * moved;
        (denominator > 0.0)
            .then(|| normal::probability_below(bias_correction + moved / denominator))
    });
    match (low, high) {
        (Some(low), Some(high)) if bias_correction.is_finite() => {
            Ok(interval_at(&sorted, low, high))
        }
        _ => Err(Error::BcaUndefined {
            bias_correction,
            acceleration,
        }),
    }
}

/// A sixth of Σu³ / (Σu²)^(3/2); NaN if no item has any influence.
fn acceleration(influences: &[f64]) -> f64 {
    // Of the largest influence, so that no power overflows.
    let largest = influences.iter().fold(0.0, |max: f64, u| max.max(u.abs()));
    let (squares, cubes) = influences.iter().fold((0.0, 0.0), |(squares, cubes), u| {
        let u = u / largest;
        (squares + u * u, cubes + u * u * u)
    });
    cubes / (6.0 * squares.powf(1.5))
}

fn interval_at(sorted: &[f64], low: f64, high: f64) -> Interval {
    let low = quantile(sorted, low);
    Interval {
        low,
        // The same replicate twice may be rounded apart.
        high: quantile(sorted, high).max(low),
    }
}

/// Interpolates between order statistics as scipy does, to the operation: position p·n + (1 − p), counted from 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position in the slice"
)]
fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let position = probability * sorted.len() as f64 + (1.0 - probability);
    let share = position.fract();
    let below = (position as usize).clamp(1, sorted.len());
    let above = (below + 1).min(sorted.len());
    (1.0 - share) * sorted[below - 1] + share * sorted[above - 1]
}

fn sorted(replicates: &[f64]) -> Result<Vec<f64>> {
    if !(2..=MAX_REPLICATES).contains(&replicates.len()) {
        return Err(Error::ReplicateCount {
            found: replicates.len(),
            limit: MAX_REPLICATES,
        });
    }
    check_finite(replicates, Sample::Replicate)?;
    let mut sorted = replicates.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(sorted)
}

/// Refuses the first statistic that is NaN or infinite.
pub(super) fn check_finite(values: &[f64], sample: impl Fn(usize) -> Sample) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => Err(Error::NonFiniteStatistic {
            sample: sample(position),
            value: values[position],
        }),
    }
}
