//! Parzen estimators: a density that has a kernel around each observation, and a wide one as prior.

use std::sync::Arc;

use super::normal;
use crate::distribution::{Distribution, FloatScale, IntScale, on_grid, to_index};
use crate::stream::Stream;

/// A weighted sum of products of kernels, one kernel a parameter.
#[derive(Debug)]
pub(crate) struct Mixture {
    /// Of the components, the prior the last; they add up to 1.
    pub(crate) weights: Vec<f64>,
    /// For each parameter, as many kernels as components.
    pub(crate) axes: Vec<Kernels>,
}

/// The kernels of one parameter.
#[derive(Debug)]
pub(crate) enum Kernels {
    /// A normal distribution for each component, cut to the bounds.
    Normal {
        means: Vec<f64>,
        sigmas: Vec<f64>,
        support: Support,
    },
    /// The probability of each choice for each component.
    Choices(Vec<Vec<f64>>),
}

/// Where numbers may lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Support {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The distance of neighbours where there are such.
    pub(crate) step: Option<f64>,
    pub(crate) is_log: bool,
}

/// How observations become kernels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParzenOptions {
    pub(crate) prior_weight: f64,
    pub(crate) magic_clip: bool,
}

impl Mixture {
    /// Optuna's estimator of observations, each a row with a value for every parameter, the oldest first.
    pub(crate) fn estimate(
        distributions: &[Arc<Distribution>],
        observations: &[Vec<f64>],
        options: ParzenOptions,
    ) -> Self {
        let mut weights = age_weights(observations.len());
        weights.push(if observations.is_empty() {
            1.0
        } else {
            options.prior_weight
        });
        let column = |axis: usize| observations.iter().map(move |row| row[axis]);
        let axes = distributions
            .iter()
            .enumerate()
            .map(|(axis, distribution)| {
                Kernels::around(distribution, column(axis).collect(), options)
            });
        Self {
            axes: axes.collect(),
            weights: normalized(weights),
        }
    }

    /// Draws a row.
    pub(crate) fn sample(&self, stream: &mut Stream) -> Vec<f64> {
        let component = pick(&self.weights, stream.unit());
        let draw = |kernels: &Kernels| kernels.sample(component, stream.unit());
        self.axes.iter().map(draw).collect()
    }

    /// The logarithm of the density at a row; of the probability where the parameters have steps or choices.
    pub(crate) fn log_density(&self, row: &[f64]) -> f64 {
        let mut logs: Vec<f64> = self.weights.iter().map(|weight| weight.ln()).collect();
        for (kernels, &x) in self.axes.iter().zip(row) {
            kernels.add_log_densities(x, &mut logs);
        }
        let max = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if max == f64::NEG_INFINITY {
            return max;
        }
        max + logs.iter().map(|log| (log - max).exp()).sum::<f64>().ln()
    }
}

impl Kernels {
    fn around(distribution: &Distribution, observations: Vec<f64>, options: ParzenOptions) -> Self {
        match Support::of(distribution) {
            Ok(support) => Self::normal(support, observations, options),
            Err(n_choices) => Self::choices(n_choices, &observations, options.prior_weight),
        }
    }

    /// A normal distribution around each observation, as wide as the gap to its farther neighbour.
    #[expect(
        clippy::cast_precision_loss,
        reason = "far fewer than 2^53 observations"
    )]
    fn normal(support: Support, observations: Vec<f64>, options: ParzenOptions) -> Self {
        let (low, high) = support.bounds();
        let mut means: Vec<f64> = observations
            .into_iter()
            .map(|x| if support.is_log { x.ln() } else { x })
            .collect();
        let n = means.len();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| means[a].total_cmp(&means[b]));
        let sorted: Vec<f64> = order.iter().map(|&i| means[i]).collect();
        let mut sigmas = vec![0.0; n];
        for (rank, &i) in order.iter().enumerate() {
            // With a single observation the bounds are its neighbours; with more, those at the ends have one.
            let left = match rank {
                0 if n > 1 => 0.0,
                0 => sorted[0] - low,
                _ => sorted[rank] - sorted[rank - 1],
            };
            let right = match n - 1 - rank {
                0 if n > 1 => 0.0,
                0 => high - sorted[rank],
                _ => sorted[rank + 1] - sorted[rank],
            };
            sigmas[i] = left.max(right);
        }
        let widest = high - low;
        let narrowest = if options.magic_clip {
            widest / (n as f64 + 2.0).min(100.0)
        } else {
            1e-12
        };
        for sigma in &mut sigmas {
            *sigma = sigma.max(narrowest).min(widest);
        }
        means.push(0.5 * (low + high));
        sigmas.push(widest);
        Self::Normal {
            means,
            sigmas,
            support,
        }
    }

    /// The observed choice nearly for certain, each other one with a share of the prior.
    #[expect(
        clippy::cast_precision_loss,
        reason = "far fewer than 2^53 observations"
    )]
    pub(crate) fn choices(n_choices: usize, observations: &[f64], prior_weight: f64) -> Self {
        let share = prior_weight / (observations.len() as f64 + 1.0);
        let around = |&observation: &f64| {
            let mut row = vec![share; n_choices];
            row[to_index(observation)] += 1.0;
            normalized(row)
        };
        let mut rows: Vec<_> = observations.iter().map(around).collect();
        rows.push(vec![1.0 / n_choices as f64; n_choices]);
        Self::Choices(rows)
    }

    #[expect(clippy::cast_precision_loss, reason = "an index is small")]
    fn sample(&self, component: usize, unit: f64) -> f64 {
        match self {
            Self::Choices(rows) => pick(&rows[component], unit) as f64,
            Self::Normal {
                means,
                sigmas,
                support,
            } => {
                let (low, high) = support.bounds();
                let (mean, sigma) = (means[component], sigmas[component]);
                let z = normal::quantile(unit, (low - mean) / sigma, (high - mean) / sigma);
                let x = mean + sigma * z;
                let x = if support.is_log { x.exp() } else { x };
                match support.step {
                    Some(step) => on_grid(x, support.low, support.high, step),
                    None => x.clamp(support.low, support.high),
                }
            }
        }
    }

    fn add_log_densities(&self, x: f64, logs: &mut [f64]) {
        match self {
            Self::Choices(rows) => {
                for (log, row) in logs.iter_mut().zip(rows) {
                    *log += row[to_index(x)].ln();
                }
            }
            Self::Normal {
                means,
                sigmas,
                support,
            } => {
                let (low, high) = support.bounds();
                let scaled = |x: f64| if support.is_log { x.ln() } else { x };
                let (left, right) = match support.step {
                    Some(step) => (scaled(x - step / 2.0), scaled(x + step / 2.0)),
                    None => (scaled(x), scaled(x)),
                };
                for ((log, mean), sigma) in logs.iter_mut().zip(means).zip(sigmas) {
                    let z = |x: f64| (x - mean) / sigma;
                    *log -= normal::log_between(z(low), z(high));
                    *log += match support.step {
                        Some(_) => normal::log_between(z(left), z(right)),
                        None => normal::log_density(z(left)) - sigma.ln(),
                    };
                }
            }
        }
    }
}

impl Support {
    /// Of a float or an int; of a categorical parameter its number of choices.
    #[expect(clippy::cast_precision_loss, reason = "ints have at most 53 bits")]
    fn of(distribution: &Distribution) -> Result<Self, usize> {
        let (low, high, step, is_log) = match *distribution {
            Distribution::Float { low, high, scale } => match scale {
                FloatScale::Linear => (low, high, None, false),
                FloatScale::Log => (low, high, None, true),
                FloatScale::Step(step) => (low, high, Some(step), false),
            },
            Distribution::Int { low, high, scale } => match scale {
                IntScale::Log => (low as f64, high as f64, Some(1.0), true),
                IntScale::Step(step) => (low as f64, high as f64, Some(step as f64), false),
            },
            Distribution::Categorical { ref choices } => return Err(choices.len()),
        };
        Ok(Self {
            low,
            high,
            step,
            is_log,
        })
    }

    /// The bounds of the kernels: half a step farther out, and in logarithms where the scale is.
    fn bounds(&self) -> (f64, f64) {
        let half = self.step.unwrap_or(0.0) / 2.0;
        let (low, high) = (self.low - half, self.high + half);
        if self.is_log {
            (low.ln(), high.ln())
        } else {
            (low, high)
        }
    }
}

/// The latest 25 observations count fully, those before them the less the older they are.
#[expect(
    clippy::cast_precision_loss,
    reason = "far fewer than 2^53 observations"
)]
fn age_weights(n: usize) -> Vec<f64> {
    let n_ramp = n.saturating_sub(25);
    let ramp = (0..n_ramp).map(|i| {
        let first = 1.0 / n as f64;
        // A ramp of one step is its beginning, as numpy's linspace has it.
        if n_ramp == 1 {
            first
        } else {
            first + (1.0 - first) * (i as f64 / (n_ramp - 1) as f64)
        }
    });
    ramp.chain((n_ramp..n).map(|_| 1.0)).collect()
}

fn normalized(mut weights: Vec<f64>) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= sum;
    }
    weights
}

/// The index in whose share of [0, 1) a number falls.
fn pick(shares: &[f64], unit: f64) -> usize {
    let mut sum = 0.0;
    let reached = |share: &f64| {
        sum += share;
        unit < sum
    };
    let last = shares.len() - 1;
    shares.iter().position(reached).unwrap_or(last)
}

#[cfg(test)]
mod tests;
