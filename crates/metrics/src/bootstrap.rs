//! Bootstrap intervals for any metric.

mod end_points;
mod stream;

use rayon::prelude::*;

use crate::error::{Error, Result, Sample};
use crate::interval::{Interval, check_confidence_level};
use end_points::{bca_of_influences, check_finite};
use stream::Indices;

pub use end_points::{bca_interval, percentile_interval};

/// The largest number of replicates, whose values take 2 GiB.
pub(crate) const MAX_REPLICATES: usize = 1 << 28;
/// The largest number of items, whose indices take 2 GiB.
pub(crate) const MAX_ITEMS: usize = 1 << 28;

/// How to get from replicates to an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BootstrapMethod {
    /// Quantiles of the replicates: simple, and defined for every statistic, but off where the statistic is biased or
    /// skew. See [`percentile_interval`].
    Percentile,
    /// Bias-corrected and accelerated: the error of its coverage goes with 1/n instead of 1/√n. It computes the
    /// statistic once more for each item. See [`bca_interval`].
    #[default]
    Bca,
}

/// The settings of a bootstrap: how many replicates, which method, which confidence level, which seed.
///
/// A replicate is the statistic of as many items as there are, drawn with replacement. Replicate r draws from a
/// stream of its own, which depends on `seed` and r alone (Philox4x32-10): the result has the same bits for any number
/// of threads. Replicates are spread over [`rayon`]'s threads; one buffer of indices for each thread is all they
/// allocate.
///
/// Intervals are defined as those of `scipy.stats.bootstrap` (scipy 1.17), whose defaults the ones here are: for the
/// same draws they are equal within 1e-12. The draws themselves are our own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Number of replicates, between 2 and 2^28; 9,999 by default.
    pub n_replicates: usize,
    /// Probability that the interval is meant to contain the true value with, above 0 and below 1; 0.95 by default.
    pub confidence_level: f64,
    /// How the interval is computed; [`BootstrapMethod::Bca`] by default.
    pub method: BootstrapMethod,
    /// Which random numbers to draw; 0 by default.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            n_replicates: 9_999,
            confidence_level: 0.95,
            method: BootstrapMethod::Bca,
            seed: 0,
        }
    }
}

/// A statistic, and how far it may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct BootstrapInterval {
    /// The statistic of all items, each once.
    pub estimate: f64,
    /// The standard deviation of the replicates, divided by one less than their number.
    pub standard_error: f64,
    /// The interval for the statistic's true value. It need not contain the estimate.
    pub interval: Interval,
}

/// The difference of the means of two models on the same images.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PairedDifference {
    /// The mean of the first model's values less that of the second's.
    pub estimate: f64,
    /// The standard deviation of the replicates, divided by one less than their number.
    pub standard_error: f64,
    /// The interval for the difference on more images of the same kind.
    pub interval: Interval,
    /// How probable a difference at least as large would be, in either direction, if the models were equally good.
    pub p_value: f64,
    /// Number of images on which the first model's value is larger.
    pub first_larger: u64,
    /// Number of images on which the second model's value is larger.
    pub second_larger: u64,
    /// Number of images on which both values are equal.
    pub equal: u64,
}

impl Bootstrap {
    /// The interval of any statistic of `n_items` items.
    ///
    /// `statistic` gets the indices of the drawn items, each below `n_items`, and returns the metric of those items:
    /// the accuracy of these images, the median of their errors. It is called from several threads, once for each
    /// replicate, once for all items, and, for [`BootstrapMethod::Bca`], once for each item, without it.
    ///
    /// If all replicates are equal, both ends of the interval are that number, and the standard error is 0.
    ///
    /// # Errors
    ///
    /// [`Error::ItemCount`] and [`Error::ReplicateCount`] outside of 2 to 2^28, [`Error::ConfidenceLevel`],
    /// [`Error::NonFiniteStatistic`] if the statistic is NaN or infinite for any sample (the first of them is named),
    /// and [`Error::BcaUndefined`] as [`bca_interval`] says.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::{Bootstrap, ConfusionMatrix};
    ///
    /// // The balanced accuracy of a classifier, with the interval that no formula gives.
    /// let truth: Vec<usize> = (0..60).map(|i| usize::from(i % 3 == 0)).collect();
    /// let predicted: Vec<usize> = (0..60).map(|i| usize::from(i % 3 == 0 && i % 4 > 0)).collect();
    /// let balanced_accuracy = |drawn: &[usize]| {
    ///     let recall = |class: usize| {
    ///         let of_class = || drawn.iter().filter(|&&i| truth[i] == class);
    ///         of_class().filter(|&&i| predicted[i] == class).count() as f64 / of_class().count() as f64
    ///     };
    ///     (recall(0) + recall(1)) / 2.0
    /// };
    /// let found = Bootstrap::default().interval(truth.len(), balanced_accuracy)?;
    /// assert_eq!(found.estimate, 0.875);
    /// assert!(found.interval.low > 0.7 && found.interval.high < 1.0);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn interval<F>(&self, n_items: usize, statistic: F) -> Result<BootstrapInterval>
    where
        F: Fn(&[usize]) -> f64 + Sync,
    {
        let limit = self.check(n_items)?;
        let all: Vec<usize> = (0..n_items).collect();
        let estimate = statistic(&all);
        check_finite(&[estimate], |_| Sample::Original)?;
        let mut replicates = vec![0.0; self.n_replicates];
        evaluate(&mut replicates, n_items, &statistic, |r, drawn| {
            let mut indices = Indices::new(self.seed, r as u64, limit);
            drawn.fill_with(|| indices.next());
        });
        check_finite(&replicates, Sample::Replicate)?;
        let interval = match self.method {
            BootstrapMethod::Percentile => percentile_interval(&replicates, self.confidence_level),
            BootstrapMethod::Bca => {
                let mut jackknife = vec![0.0; n_items];
                evaluate(&mut jackknife, n_items - 1, &statistic, |left_out, kept| {
                    kept[..left_out].copy_from_slice(&all[..left_out]);
                    kept[left_out..].copy_from_slice(&all[left_out + 1..]);
                });
                bca_interval(estimate, &replicates, &jackknife, self.confidence_level)
            }
        };
        Ok(BootstrapInterval {
            estimate,
            standard_error: standard_deviation(&replicates),
            interval: interval?,
        })
    }

    /// The interval of the mean of one value for each image, such as [`Ssim::batch`](crate::Ssim::batch) returns.
    ///
    /// It draws what [`interval`](Self::interval) with a mean would draw, faster and without its buffers: nothing is
    /// allocated but one number for each replicate and each value.
    ///
    /// # Errors
    ///
    /// As [`interval`](Self::interval), and [`Error::NonFiniteValue`]: the PSNR of identical images, +∞, has no mean
    /// either.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::Bootstrap;
    ///
    /// let ssim: Vec<f64> = (0..100).map(|i| 0.9 + 0.05 * f64::from(i).sin()).collect();
    /// let found = Bootstrap::default().mean(&ssim)?;
    /// assert!(found.interval.contains(0.9) && found.interval.width() < 0.02);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn mean(&self, values: &[f64]) -> Result<BootstrapInterval> {
        Ok(self.mean_and_replicates(values)?.0)
    }

    /// The interval and the test of the difference of two models' means, from one value of each model for each image.
    ///
    /// Images are drawn in pairs: with dᵢ = `first[i] − second[i]`, the estimate is the mean of d and the interval
    /// that of [`mean`](Self::mean) of d, as of `scipy.stats.bootstrap((first, second), …, paired=True)`.
    ///
    /// The p-value is two-sided: with B replicates θ*ᵣ of the estimate θ, it is
    /// (1 + number of r with |θ*ᵣ − θ| ≥ |θ|) / (B + 1). Drawing from d moved to a mean of zero, which is the
    /// hypothesis, gives θ*ᵣ − θ (Efron and Tibshirani, An introduction to the bootstrap, 1993, section 16.4; so do
    /// Berg-Kirkpatrick, Burkett and Klein, EMNLP 2012); the 1 counts the sample itself, so that a p-value is never 0
    /// (Davison and Hinkley, Bootstrap methods and their application, 1997, section 4.2).
    ///
    /// # Errors
    ///
    /// [`Error::PairMismatch`], and as [`mean`](Self::mean).
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::Bootstrap;
    ///
    /// let without_skips: Vec<f64> = (0..50).map(|i| 24.0 + f64::from(i).sin()).collect();
    /// let with_skips: Vec<f64> = (0..50).map(|i| 24.1 + f64::from(i).sin() + 0.1 * f64::from(i * i).cos()).collect();
    /// // Images differ more from each other than the models do, but the models see the same ones.
    /// let found = Bootstrap::default().mean_difference(&with_skips, &without_skips)?;
    /// assert!(found.interval.low > 0.05 && found.p_value < 0.001);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn mean_difference(&self, first: &[f64], second: &[f64]) -> Result<PairedDifference> {
        if first.len() != second.len() {
            return Err(Error::PairMismatch {
                first: first.len(),
                second: second.len(),
            });
        }
        check_values(first)?;
        check_values(second)?;
        let differences: Vec<f64> = first.iter().zip(second).map(|(x, y)| x - y).collect();
        let (found, replicates) = self.mean_and_replicates(&differences)?;
        let n_as_large = replicates
            .iter()
            .filter(|&replicate| (replicate - found.estimate).abs() >= found.estimate.abs())
            .count();
        let count = |keep: fn(&f64) -> bool| differences.iter().filter(|d| keep(d)).count() as u64;
        Ok(PairedDifference {
            estimate: found.estimate,
            standard_error: found.standard_error,
            interval: found.interval,
            p_value: (n_as_large + 1) as f64 / (replicates.len() + 1) as f64,
            first_larger: count(|&d| d > 0.0),
            second_larger: count(|&d| d < 0.0),
            equal: count(|&d| d == 0.0),
        })
    }

    fn mean_and_replicates(&self, values: &[f64]) -> Result<(BootstrapInterval, Vec<f64>)> {
        let limit = self.check(values.len())?;
        check_values(values)?;
        let n = values.len() as f64;
        let estimate = values.iter().sum::<f64>() / n;
        check_finite(&[estimate], |_| Sample::Original)?;
        let mut replicates = vec![0.0; self.n_replicates];
        replicates
            .par_iter_mut()
            .enumerate()
            .for_each(|(r, replicate)| {
                let mut indices = Indices::new(self.seed, r as u64, limit);
                *replicate = values.iter().map(|_| values[indices.next()]).sum::<f64>() / n;
            });
        let interval = match self.method {
            BootstrapMethod::Percentile => percentile_interval(&replicates, self.confidence_level),
            BootstrapMethod::Bca => {
                // Leaving out xᵢ moves the mean by (mean − xᵢ)/(n − 1).
                let influences: Vec<f64> = values.iter().map(|x| x - estimate).collect();
                bca_of_influences(estimate, &replicates, &influences, self.confidence_level)
            }
        };
        let found = BootstrapInterval {
            estimate,
            standard_error: standard_deviation(&replicates),
            interval: interval?,
        };
        Ok((found, replicates))
    }

    /// The number of items as the random streams take it.
    fn check(&self, n_items: usize) -> Result<u32> {
        check_confidence_level(self.confidence_level)?;
        if !(2..=MAX_REPLICATES).contains(&self.n_replicates) {
            return Err(Error::ReplicateCount {
                found: self.n_replicates,
                limit: MAX_REPLICATES,
            });
        }
        let refused = Error::ItemCount {
            found: n_items,
            limit: MAX_ITEMS,
        };
        if !(2..=MAX_ITEMS).contains(&n_items) {
            return Err(refused);
        }
        u32::try_from(n_items).map_err(|_| refused)
    }
}

/// Computes the statistic of one sample for each value, on as many buffers of indices as there are threads.
fn evaluate<S, D>(values: &mut [f64], sample_len: usize, statistic: &S, draw: D)
where
    S: Fn(&[usize]) -> f64 + Sync,
    D: Fn(usize, &mut [usize]) + Sync,
{
    let chunk_len = values.len().div_ceil(rayon::current_num_threads());
    values
        .par_chunks_mut(chunk_len)
        .enumerate()
        .for_each(|(chunk, values)| {
            let mut sample = vec![0; sample_len];
            for (i, value) in values.iter_mut().enumerate() {
                draw(chunk * chunk_len + i, &mut sample);
                *value = statistic(&sample);
            }
        });
}

fn check_values(values: &[f64]) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => Err(Error::NonFiniteValue {
            position,
            value: values[position],
        }),
    }
}

/// Of at least two values, divided by one less than their number.
fn standard_deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (squares / (n - 1.0)).sqrt()
}
