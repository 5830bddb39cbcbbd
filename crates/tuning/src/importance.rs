//! Which parameters matter: PED-ANOVA.
//!
//! S. Watanabe, A. Bansal, F. Hutter, "PED-ANOVA: efficiently quantifying hyperparameter importance in arbitrary subspaces",
//! 2023, with the regimes of conditional parameters of K. Ito and others, 2026: the numbers of Optuna 5.0's
//! `PedAnovaImportanceEvaluator`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::distribution::{Distribution, FloatScale, IntScale, to_index};
use crate::record::{Direction, TrialRecord, TrialState};
use crate::sampler::{Kernels, Mixture, Support};

/// Floats, and ints of more values, fall into so many cells.
const MAX_CELLS: usize = 50;
/// A kind of trials with fewer members has no density.
const MIN_TRIALS: usize = 2;

/// Which trials to compare; the default is Optuna's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImportanceOptions {
    /// The share of trials that count as good, above 0 and below `region_quantile`.
    pub target_quantile: f64,
    /// The share of trials to tell them from; 1 for all.
    pub region_quantile: f64,
}

impl Default for ImportanceOptions {
    fn default() -> Self {
        Self {
            target_quantile: 0.1,
            region_quantile: 1.0,
        }
    }
}

/// How much each parameter decides whether a trial is among the good ones, in shares that add up to 1, the greatest first.
///
/// Only complete trials with a finite value count. Where nothing tells them apart, all shares are equal.
///
/// ```
/// use std::sync::Arc;
///
/// use juggle_tuning::{Direction, ImportanceOptions, MemoryStorage, Sampler, Space, Study};
/// use juggle_tuning::{StudyOptions, importances};
///
/// let space = Space::from_toml(
///     "x = { type = 'float', low = 0, high = 1 }\ny = { type = 'float', low = 0, high = 1 }",
/// )?;
/// let options = StudyOptions { sampler: Sampler::Random, ..StudyOptions::new(space) };
/// let study = Study::open(Arc::new(MemoryStorage::new()), "x decides", options)?;
/// for _ in 0..100 {
///     let trial = study.ask()?.expect("only a grid ends");
///     let value = trial.float("x")? + 0.01 * trial.float("y")?;
///     trial.complete(value)?;
/// }
/// let shares = importances(&study.trials()?, Direction::Minimize, ImportanceOptions::default());
/// assert_eq!(shares[0].0, "x");
/// assert!(shares[0].1 > 0.8);
/// # Ok::<(), juggle_tuning::Error>(())
/// ```
#[must_use]
pub fn importances(
    trials: &[Arc<TrialRecord>],
    direction: Direction,
    options: ImportanceOptions,
) -> Vec<(String, f64)> {
    let complete: Vec<&TrialRecord> = trials
        .iter()
        .map(Arc::as_ref)
        .filter(|trial| trial.content.state == TrialState::Complete)
        .collect();
    let mut names: Vec<&String> = complete
        .iter()
        .flat_map(|trial| trial.content.params.keys())
        .collect();
    names.sort_unstable();
    names.dedup();
    let finite: Vec<_> = complete
        .into_iter()
        .filter(|trial| trial.content.value().is_some_and(f64::is_finite))
        .collect();
    let raw: Vec<f64> = if finite.len() <= 1 {
        vec![0.0; names.len()]
    } else {
        let target = best(&finite, direction, options.target_quantile);
        let region = best(&finite, direction, options.region_quantile);
        let divergence = |name: &&String| divergence(name, &target, &region);
        names.iter().map(divergence).collect()
    };
    let sum: f64 = raw.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "parameters are few")]
    let equal = 1.0 / names.len() as f64;
    let share = |x: f64| if sum > 0.0 { x / sum } else { equal };
    let mut shares: Vec<_> = names
        .into_iter()
        .cloned()
        .zip(raw.into_iter().map(share))
        .collect();
    shares.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    shares
}

/// The trials that are no worse than the last of the best share.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of far fewer than 2^53 trials"
)]
fn best<'a>(trials: &[&'a TrialRecord], direction: Direction, share: f64) -> Vec<&'a TrialRecord> {
    let loss = |trial: &TrialRecord| {
        trial
            .content
            .value()
            .map_or(f64::NAN, |v| direction.loss(v))
    };
    let mut losses: Vec<f64> = trials.iter().map(|trial| loss(trial)).collect();
    losses.sort_by(f64::total_cmp);
    let n_best = (share * losses.len() as f64).ceil() as usize;
    let limit = losses[n_best.clamp(1, losses.len()) - 1];
    let is_good = |trial: &&&TrialRecord| loss(trial) <= limit;
    trials.iter().filter(is_good).copied().collect()
}

/// The Pearson divergence of the good trials from the region, summed over the parameter's distributions.
#[expect(
    clippy::cast_precision_loss,
    reason = "shares of far fewer than 2^53 trials"
)]
fn divergence(name: &str, target: &[&TrialRecord], region: &[&TrialRecord]) -> f64 {
    let (n_target, n_region) = (target.len() as f64, region.len() as f64);
    let mut regimes: BTreeMap<String, Vec<&TrialRecord>> = BTreeMap::new();
    for trial in region {
        if let Some(param) = trial.content.params.get(name) {
            let regime = regimes.entry(param.distribution.to_json()).or_default();
            regime.push(trial);
        }
    }
    let mut sum = 0.0;
    for regime in regimes.values().filter(|regime| regime.len() >= MIN_TRIALS) {
        let distribution = &regime[0].content.params[name].distribution;
        let is_target = |trial: &&&TrialRecord| target.iter().any(|good| good.id == trial.id);
        let good: Vec<&TrialRecord> = regime.iter().filter(is_target).copied().collect();
        if distribution.is_single() || good.is_empty() {
            continue;
        }
        let good_share = good.len() as f64 / n_target;
        let region_share = regime.len() as f64 / n_region;
        let top = cell_densities(name, distribution, &good);
        let local = cell_densities(name, distribution, regime);
        let pearson: f64 = top
            .iter()
            .zip(&local)
            .map(|(top, local)| local * (top / local - 1.0).powi(2))
            .sum();
        sum += good_share.powi(2) / region_share * pearson;
    }
    sum * (n_target / n_region).powi(2)
}

/// The density of a parameter's values over its cells.
fn cell_densities(name: &str, distribution: &Distribution, trials: &[&TrialRecord]) -> Vec<f64> {
    let values = trials
        .iter()
        .map(|trial| trial.content.params[name].internal);
    let counts = match Cells::of(distribution) {
        Cells::Choices(n) => count(n, values.map(to_index)),
        Cells::Numbers {
            low,
            high,
            n,
            is_log,
        } => {
            let scaled = |x: f64| if is_log { x.ln() } else { x };
            count(
                n,
                values.map(|x| cell(scaled(x), scaled(low), scaled(high), n)),
            )
        }
    };
    let mixture = estimate(distribution, &counts);
    #[expect(clippy::cast_precision_loss, reason = "cells are few")]
    let density = |cell: usize| mixture.log_density(&[cell as f64]).exp() + 1e-12;
    (0..counts.len()).map(density).collect()
}

fn count(n_cells: usize, cells: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut counts = vec![0; n_cells];
    for cell in cells {
        counts[cell] += 1;
    }
    counts
}

/// How a distribution falls into cells.
enum Cells {
    Choices(usize),
    Numbers {
        low: f64,
        high: f64,
        n: usize,
        is_log: bool,
    },
}

impl Cells {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ints have at most 53 bits, and cells are few: larger counts saturate and are cut"
    )]
    fn of(distribution: &Distribution) -> Self {
        let steps =
            |low: f64, high: f64, step: f64| ((high - low) / step).round_ties_even() as usize + 1;
        let (low, high, n, is_log) = match *distribution {
            Distribution::Categorical { ref choices } => return Self::Choices(choices.len()),
            Distribution::Float { low, high, scale } => match scale {
                FloatScale::Linear => (low, high, MAX_CELLS, false),
                FloatScale::Log => (low, high, MAX_CELLS, true),
                FloatScale::Step(step) => (low, high, steps(low, high, step), false),
            },
            Distribution::Int { low, high, scale } => {
                let (low, high) = (low as f64, high as f64);
                match scale {
                    IntScale::Step(step) => (low, high, steps(low, high, step as f64), false),
                    IntScale::Log => {
                        let bits = (high - low + 1.0).ln() / 2.0_f64.ln();
                        (low, high, bits.ceil() as usize + 1, true)
                    }
                }
            }
        };
        let n = n.min(MAX_CELLS);
        Self::Numbers {
            low,
            high,
            n,
            is_log,
        }
    }
}

/// The nearest cell; of two, the lower.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cells are few, and a negative number becomes 0"
)]
fn cell(x: f64, low: f64, high: f64, n: usize) -> usize {
    let width = (high - low) / (n - 1) as f64;
    (((x - low) / width - 0.5).ceil() as usize).min(n - 1)
}

/// A kernel at each cell that has trials, as wide as Scott's rule says, and the prior.
#[expect(clippy::cast_precision_loss, reason = "cells are few")]
fn estimate(distribution: &Distribution, counts: &[u32]) -> Mixture {
    let occupied: Vec<usize> = (0..counts.len()).filter(|&cell| counts[cell] > 0).collect();
    let observations: Vec<f64> = occupied.iter().map(|&cell| cell as f64).collect();
    let weights: Vec<f64> = occupied
        .iter()
        .map(|&cell| f64::from(counts[cell]))
        .collect();
    let sum: f64 = weights.iter().sum();
    let kernels = match distribution {
        Distribution::Categorical { choices } => {
            Kernels::choices(choices.len(), &observations, 1.0)
        }
        Distribution::Float { .. } | Distribution::Int { .. } => {
            let width = scott_width(&observations, &weights, sum);
            let last = counts.len() as f64 - 1.0;
            let mut sigmas = vec![width; observations.len()];
            sigmas.push(last + 1.0);
            let mut means = observations;
            means.push(last / 2.0);
            Kernels::Normal {
                means,
                sigmas,
                support: Support {
                    low: 0.0,
                    high: last,
                    step: Some(1.0),
                    is_log: false,
                },
            }
        }
    };
    let with_prior = weights.into_iter().chain([1.0]);
    Mixture {
        weights: with_prior.map(|weight| weight / (sum + 1.0)).collect(),
        axes: vec![kernels],
    }
}

/// D. W. Scott, "Multivariate density estimation", 1992, with the quartiles' distance where that is narrower.
fn scott_width(cells: &[f64], weights: &[f64], sum: f64) -> f64 {
    let weighted =
        |f: &dyn Fn(f64) -> f64| -> f64 { cells.iter().zip(weights).map(|(&x, w)| f(x) * w).sum() };
    let mean = weighted(&|x| x) / sum;
    let deviation = (weighted(&|x| (x - mean).powi(2)) / (sum - 1.0).max(1.0)).sqrt();
    let cumulated: Vec<f64> = weights
        .iter()
        .scan(0.0, |so_far, weight| {
            *so_far += weight;
            Some(*so_far)
        })
        .collect();
    let (first, third) = ((sum / 4.0).floor(), (sum * 3.0 / 4.0).floor());
    let lower = cumulated.partition_point(|&so_far| so_far < first);
    let upper = cumulated.partition_point(|&so_far| so_far <= third);
    let range = cells[upper.min(cells.len() - 1)] - cells[lower];
    let width = 1.059 * (range / 1.34).min(deviation) * sum.powf(-0.2);
    // A kernel that is narrower than a cell would not be seen between cells.
    width.max(0.5 / 1.64)
}
