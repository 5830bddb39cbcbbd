//! The two searches for a weight decay, and what their winners do on images that nothing was chosen by.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::Spread;
use crate::reproduce::outputs::{ClassifierEvaluation, read};
use crate::reproduce::stages::{Plan, SEARCHES};

/// One search.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SearchResults {
    pub(crate) name: &'static str,
    /// How its trials were judged, in the words of `juggle tune --show`.
    pub(crate) judged: String,
    pub(crate) trials: usize,
    pub(crate) pruned: usize,
    pub(crate) epochs: u64,
    /// The weight decay that won, and the value that it was judged by.
    pub(crate) weight_decay: f64,
    pub(crate) value: f64,
    /// Trials with the very same value.
    pub(crate) ties: usize,
    /// Weight decay and value of each complete trial.
    pub(crate) curve: Vec<(f64, f64)>,
    /// The winner's accuracy over the seeds.
    pub(crate) test: Option<Spread>,
    pub(crate) fresh: Option<Spread>,
    /// Of seed 0 alone: the network that the search on the test images chose.
    pub(crate) first: Option<First>,
}

/// A single network.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct First {
    pub(crate) test_errors: f64,
    pub(crate) test_images: u64,
    pub(crate) fresh_accuracy: f64,
    pub(crate) fresh_images: u64,
}

/// `juggle tune --show --json`, as far as it is read here.
#[derive(Debug, Deserialize)]
struct Shown {
    judged: String,
    best: u64,
    trials: Vec<Trial>,
}

#[derive(Debug, Deserialize)]
struct Trial {
    number: u64,
    state: String,
    value: Option<f64>,
    params: Params,
}

#[derive(Debug, Deserialize)]
struct Params {
    weight_decay: Option<f64>,
}

pub(super) fn collect(plan: &Plan, done: impl Fn(&str) -> bool) -> Result<Vec<SearchResults>> {
    let mut found = vec![];
    for search in &SEARCHES {
        if !done(&Plan::search_stage(search.name)) {
            continue;
        }
        let shown: Shown = read(&plan.search_file(search.name))?;
        let Some(best) = shown.trials.iter().find(|trial| trial.number == shown.best) else {
            continue;
        };
        let (Some(value), Some(weight_decay)) = (best.value, best.params.weight_decay) else {
            continue;
        };
        let complete = || {
            shown
                .trials
                .iter()
                .filter(|trial| trial.state == "COMPLETE")
        };
        let seeds = plan.classifier_seeds.iter().copied();
        let seeds = seeds.filter(|&seed| done(&Plan::winner_stage(search.name, seed)));
        let mut runs = vec![];
        for seed in seeds {
            let test: ClassifierEvaluation =
                read(&plan.evaluation(&Plan::winner_stage(search.name, seed)))?;
            let fresh: ClassifierEvaluation = read(&plan.fresh_evaluation_of(search.name, seed))?;
            runs.push((seed, test, fresh));
        }
        let first = runs.iter().find(|(seed, ..)| *seed == 0);
        found.push(SearchResults {
            name: search.name,
            judged: shown.judged.clone(),
            trials: shown.trials.len(),
            pruned: shown
                .trials
                .iter()
                .filter(|trial| trial.state == "PRUNED")
                .count(),
            epochs: plan.search_size().1,
            weight_decay,
            value,
            ties: complete()
                .filter(|trial| trial.value == Some(value))
                .count(),
            curve: complete()
                .filter_map(|trial| Some((trial.params.weight_decay?, trial.value?)))
                .collect(),
            test: Spread::of(runs.iter().map(|(_, test, _)| test.accuracy)),
            fresh: Spread::of(runs.iter().map(|(.., fresh)| fresh.accuracy)),
            first: first.map(|(_, test, fresh)| First {
                test_errors: ((1.0 - test.accuracy) * test.n as f64).round(),
                test_images: test.n,
                fresh_accuracy: fresh.accuracy,
                fresh_images: fresh.n,
            }),
        });
    }
    Ok(found)
}
