//! Intervals for a number that was measured a few times, such as a test accuracy over seeds.

use std::f64::consts::{FRAC_PI_2, PI};

use crate::error::{Error, Result};
use crate::interval::{Interval, check_confidence_level};

/// Student's interval for the mean of what `values` are a sample of: mean ± t·s/√n, with s the standard deviation of the
/// sample (divisor n − 1) and t the quantile of (1 + `confidence_level`)/2 with n − 1 degrees of freedom.
///
/// It is exact for normal values, and near it for the mean of any few values that are not very skew.
///
/// Source: Student, The probable error of a mean, Biometrika 6, 1908; the numbers are those of
/// `scipy.stats.ttest_1samp(values, 0).confidence_interval(confidence_level)` within 1e-9, relative.
///
/// # Errors
///
/// [`Error::ItemCount`] below two values, [`Error::NonFiniteValue`], and [`Error::ConfidenceLevel`] for a level that is
/// not above 0 and below 1.
///
/// # Examples
///
/// ```
/// use juggle_metrics::mean_interval;
///
/// let interval = mean_interval(&[0.83, 0.85, 0.84, 0.82, 0.86], 0.95)?;
/// assert_eq!(format!("{interval:.3}"), "[0.820, 0.860]");
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn mean_interval(values: &[f64], confidence_level: f64) -> Result<Interval> {
    let sample = Sample::of(values, confidence_level)?;
    let reach = quantile(sample.n - 1, confidence_level) * sample.variance_of_mean().sqrt();
    Ok(around(sample.mean, reach))
}

/// The interval for one value more of what `values` are a sample of: mean ± t·s·√(1 + 1/n).
///
/// Where [`mean_interval`] says how well the mean is known, this says where a single further run is to be expected: what to
/// hold another's single result against.
///
/// Source: Whitmore, Prediction limits for a univariate normal observation, The American Statistician 40, 1986.
///
/// # Errors
///
/// As [`mean_interval`].
///
/// # Examples
///
/// ```
/// use juggle_metrics::prediction_interval;
///
/// let interval = prediction_interval(&[0.83, 0.85, 0.84, 0.82, 0.86], 0.95)?;
/// assert_eq!(format!("{interval:.3}"), "[0.792, 0.888]");
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn prediction_interval(values: &[f64], confidence_level: f64) -> Result<Interval> {
    let sample = Sample::of(values, confidence_level)?;
    let spread = (sample.variance + sample.variance_of_mean()).sqrt();
    Ok(around(
        sample.mean,
        quantile(sample.n - 1, confidence_level) * spread,
    ))
}

/// Welch's interval for the mean of what `first` is a sample of less that of `second`, whose variances may differ.
///
/// Its degrees of freedom are those of Welch and Satterthwaite, rounded down to a whole number, at least 1: the interval
/// is a little wider than with the fraction. Where no value differs from its mean, both ends are the difference.
///
/// Source: Welch, The generalization of “Student's” problem when several different population variances are involved,
/// Biometrika 34, 1947.
///
/// # Errors
///
/// As [`mean_interval`], for either sample.
///
/// # Examples
///
/// ```
/// use juggle_metrics::mean_difference_interval;
///
/// let (tuned, original) = ([0.96, 0.97, 0.95], [0.83, 0.85, 0.84]);
/// let interval = mean_difference_interval(&tuned, &original, 0.95)?;
/// assert_eq!(format!("{interval:.3}"), "[0.097, 0.143]");
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn mean_difference_interval(
    first: &[f64],
    second: &[f64],
    confidence_level: f64,
) -> Result<Interval> {
    let first = Sample::of(first, confidence_level)?;
    let second = Sample::of(second, confidence_level)?;
    let (a, b) = (first.variance_of_mean(), second.variance_of_mean());
    let difference = first.mean - second.mean;
    if a + b == 0.0 {
        return Ok(around(difference, 0.0));
    }
    let share = |variance: f64, n: usize| (variance / (a + b)).powi(2) / (n as f64 - 1.0);
    let degrees = 1.0 / (share(a, first.n) + share(b, second.n));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded down, and at most the number of values"
    )]
    // The exact number for equal variances would fall below itself by rounding.
    let degrees = ((degrees * (1.0 + 1e-12)) as usize).max(1);
    Ok(around(
        difference,
        quantile(degrees, confidence_level) * (a + b).sqrt(),
    ))
}

struct Sample {
    n: usize,
    mean: f64,
    variance: f64,
}

impl Sample {
    /// Checks the arguments of the functions above and sums the values up.
    fn of(values: &[f64], confidence_level: f64) -> Result<Self> {
        check_confidence_level(confidence_level)?;
        if !(2..=MAX_VALUES).contains(&values.len()) {
            return Err(Error::ItemCount {
                found: values.len(),
                limit: MAX_VALUES,
            });
        }
        if let Some(position) = values.iter().position(|value| !value.is_finite()) {
            let value = values[position];
            return Err(Error::NonFiniteValue { position, value });
        }
        let n = values.len() as f64;
        // The mean of equal values is that value, whatever their sum is rounded to.
        let mean = values[0] + values.iter().map(|x| x - values[0]).sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        Ok(Self {
            n: values.len(),
            mean,
            variance: squares / (n - 1.0),
        })
    }

    fn variance_of_mean(&self) -> f64 {
        self.variance / self.n as f64
    }
}

/// The time of a quantile goes with the number of values.
const MAX_VALUES: usize = 1 << 28;

fn around(middle: f64, reach: f64) -> Interval {
    Interval {
        low: middle - reach,
        high: middle + reach,
    }
}

/// The t with P(|T| ≤ t) = `probability` for Student's T with `degrees` of freedom.
///
/// By bisection on θ = atan(t/√degrees), in which the probability grows from 0 to 1 along [0, π/2].
fn quantile(degrees: usize, probability: f64) -> f64 {
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return (degrees as f64).sqrt() * middle.tan();
        }
        if probability_within(degrees, middle) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// P(|T| ≤ √degrees·tan θ), a finite sum: Abramowitz and Stegun, 26.7.3 and 26.7.4.
fn probability_within(degrees: usize, theta: f64) -> f64 {
    let (sin, cos) = theta.sin_cos();
    let is_odd = !degrees.is_multiple_of(2);
    let (mut term, mut k) = if is_odd { (cos, 3.0) } else { (1.0, 2.0) };
    let n_terms = if is_odd {
        (degrees - 1) / 2
    } else {
        degrees / 2
    };
    let mut sum = 0.0;
    for _ in 0..n_terms {
        sum += term;
        term *= cos * cos * (k - 1.0) / k;
        if term < sum * f64::EPSILON * 1e-3 {
            break;
        }
        k += 2.0;
    }
    if is_odd {
        (theta + sin * sum) * 2.0 / PI
    } else {
        sin * sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (degrees, level, expected) in [
            (1, 0.95, 12.706_204_736_432_095),
            (2, 0.95, 4.302_652_729_911_275),
            (4, 0.95, 2.776_445_105_198_793),
            (29, 0.99, 2.756_385_903_670_574),
            (1_000_000, 0.95, 1.959_966_356_804_131),
        ] {
            let found = quantile(degrees, level);
            assert!((found / expected - 1.0).abs() < 1e-9, "{degrees}: {found}");
        }
    }

    #[test]
    fn one_degree_of_freedom_is_cauchy_s_and_two_has_a_root() {
        for t in [0.1_f64, 1.0, 3.0, 50.0] {
            let cauchy = 2.0 / PI * t.atan();
            assert!((probability_within(1, t.atan()) - cauchy).abs() < 1e-15);
            let two = t / (2.0 + t * t).sqrt();
            let theta = (t / 2.0_f64.sqrt()).atan();
            assert!((probability_within(2, theta) - two).abs() < 1e-15);
        }
    }
}
