//! The tree-structured Parzen estimator, as Optuna 5.0 has it.
//!
//! J. Bergstra and others, "Algorithms for hyper-parameter optimization", 2011; S. Watanabe, "Tree-structured Parzen estimator:
//! understanding its algorithm components and their roles for better empirical performance", 2023. In short:
//! 1. the ended trials are split into the few best, `below`, and the rest, `above`;
//! 2. each side becomes a Parzen estimator;
//! 3. of some candidates drawn from `below`'s, the one with the greatest ratio of the two densities is taken.
//!
//! Multivariate, all parameters that every ended trial has are one joint density; the others, such as conditional ones, are drawn
//! each on its own. Trials that still run count as bad ones ("constant liar"), so that workers do not crowd.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::parzen::ParzenOptions;
use super::{Assignment, Mixture, Situation, random, setting};
use crate::distribution::Distribution;
use crate::error::Result;
use crate::record::{Direction, TrialContent, TrialRecord, TrialState};
use crate::stream::Stream;

/// Settings of the estimator; the default is Optuna 5.0's.
#[derive(Clone, Debug, PartialEq)]
pub struct TpeOptions {
    /// How many trials are drawn by chance before the estimator begins.
    pub n_startup_trials: usize,
    /// How many candidates are drawn for a value.
    pub n_candidates: usize,
    /// The share of ended trials that count as good.
    pub gamma: f64,
    /// The most trials that count as good.
    pub max_good: usize,
    /// The weight of the prior beside one observation's.
    pub prior_weight: f64,
    /// Whether no kernel is narrower than the range divided by the number of observations.
    pub magic_clip: bool,
    /// Whether parameters are drawn together.
    pub multivariate: bool,
    /// Whether running trials count as bad ones.
    pub constant_liar: bool,
}

impl Default for TpeOptions {
    fn default() -> Self {
        Self {
            n_startup_trials: 10,
            n_candidates: 24,
            gamma: 0.1,
            max_good: 25,
            prior_weight: 1.0,
            magic_clip: true,
            multivariate: true,
            constant_liar: true,
        }
    }
}

/// The trials to learn from, oldest first.
#[derive(Debug)]
struct Split<'a> {
    below: Vec<&'a TrialRecord>,
    above: Vec<&'a TrialRecord>,
}

impl TpeOptions {
    pub(super) fn check(&self) -> Result<()> {
        if self.n_candidates == 0 {
            return Err(setting("n_candidates", &0, "at least 1"));
        }
        if !(self.gamma > 0.0 && self.gamma < 1.0) {
            return Err(setting("gamma", &self.gamma, "above 0 and below 1"));
        }
        if !(self.prior_weight > 0.0 && self.prior_weight.is_finite()) {
            let expected = "a finite number above 0";
            return Err(setting("prior_weight", &self.prior_weight, expected));
        }
        Ok(())
    }

    pub(super) fn draw(&self, situation: &Situation<'_>) -> Assignment {
        if situation.finished().count() < self.n_startup_trials.max(1) {
            return random(situation);
        }
        let split = self.split(situation);
        let joint = if self.multivariate {
            self.draw_joint(situation, &split)
        } else {
            BTreeMap::new()
        };
        situation.space.assign(|parameter| {
            joint.get(&parameter.name).copied().unwrap_or_else(|| {
                let names = [parameter.name.as_str()];
                let distributions = [Arc::clone(&parameter.distribution)];
                let stream = Stream::new(situation.seed, &parameter.name, situation.number);
                self.best_candidate(&names, &distributions, &split, stream)[0]
            })
        })
    }

    /// Values of the parameters that every ended trial has, drawn as the space has them now.
    fn draw_joint(&self, situation: &Situation<'_>, split: &Split<'_>) -> BTreeMap<String, f64> {
        let parameters = situation.space.parameters().iter();
        let mut shared: Vec<_> = parameters
            .filter(|parameter| {
                parameter.fixed.is_none()
                    && !parameter.distribution.is_single()
                    && situation.finished().all(|trial| {
                        let param = trial.content.params.get(&parameter.name);
                        param.is_some_and(|param| param.distribution == parameter.distribution)
                    })
            })
            .collect();
        if shared.is_empty() {
            return BTreeMap::new();
        }
        shared.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<_> = shared.iter().map(|p| p.name.as_str()).collect();
        let distributions: Vec<_> = shared.iter().map(|p| Arc::clone(&p.distribution)).collect();
        let stream = Stream::new(situation.seed, "all parameters together", situation.number);
        let best = self.best_candidate(&names, &distributions, split, stream);
        names.into_iter().map(str::to_owned).zip(best).collect()
    }

    fn best_candidate(
        &self,
        names: &[&str],
        distributions: &[Arc<Distribution>],
        split: &Split<'_>,
        mut stream: Stream,
    ) -> Vec<f64> {
        if let [distribution] = distributions
            && distribution.is_single()
        {
            return vec![distribution.at(0.0)];
        }
        let options = ParzenOptions {
            prior_weight: self.prior_weight,
            magic_clip: self.magic_clip,
        };
        let row = |trial: &&TrialRecord| {
            let internal = |name: &&str| Some(trial.content.params.get(*name)?.internal);
            names.iter().map(internal).collect::<Option<Vec<f64>>>()
        };
        let estimate = |trials: &[&TrialRecord]| {
            let rows: Vec<_> = trials.iter().filter_map(row).collect();
            Mixture::estimate(distributions, &rows, options)
        };
        let (below, above) = (estimate(&split.below), estimate(&split.above));
        let mut best = below.sample(&mut stream);
        let mut best_score = below.log_density(&best) - above.log_density(&best);
        for _ in 1..self.n_candidates {
            let candidate = below.sample(&mut stream);
            let score = below.log_density(&candidate) - above.log_density(&candidate);
            if score > best_score {
                (best, best_score) = (candidate, score);
            }
        }
        best
    }

    /// The good and the bad: complete trials by value, then pruned ones by how far they came and their value there.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of far fewer than 2^53 trials"
    )]
    fn split<'a>(&self, situation: &Situation<'a>) -> Split<'a> {
        let in_state = |state| {
            let trials = situation.trials.iter().map(Arc::as_ref);
            trials.filter(move |trial| trial.content.state == state)
        };
        let direction = situation.direction;
        let mut complete: Vec<_> = in_state(TrialState::Complete).collect();
        complete.sort_by(|a, b| loss(direction, a).total_cmp(&loss(direction, b)));
        let mut pruned: Vec<_> = in_state(TrialState::Pruned).collect();
        pruned.sort_by(|a, b| by_progress(direction, &a.content, &b.content));
        let n_finished = complete.len() + pruned.len();
        let n_below = ((self.gamma * n_finished as f64).ceil() as usize).min(self.max_good);
        complete.append(&mut pruned);
        let mut above = complete.split_off(n_below.min(complete.len()));
        let mut below = complete;
        if self.constant_liar {
            let others = in_state(TrialState::Running);
            above.extend(others.filter(|trial| trial.number != situation.number));
        }
        below.sort_by_key(|trial| trial.number);
        above.sort_by_key(|trial| trial.number);
        Split { below, above }
    }
}

fn loss(direction: Direction, trial: &TrialRecord) -> f64 {
    trial
        .content
        .value()
        .map_or(f64::INFINITY, |value| direction.loss(value))
}

fn by_progress(direction: Direction, a: &TrialContent, b: &TrialContent) -> Ordering {
    let key = |trial: &TrialContent| match trial.last_intermediate() {
        None => (1, 0.0),
        Some((step, value)) if value.is_nan() => (-step, f64::INFINITY),
        Some((step, value)) => (-step, direction.loss(value)),
    };
    let ((a_step, a_loss), (b_step, b_loss)) = (key(a), key(b));
    a_step.cmp(&b_step).then(a_loss.total_cmp(&b_loss))
}
