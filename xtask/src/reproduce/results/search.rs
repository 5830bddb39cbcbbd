//! The two searches for a weight decay, and what their winners do on images that nothing was chosen by; and the search for the autoencoder's settings.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Spread;
use crate::reproduce::outputs::{ClassifierEvaluation, read};
use crate::reproduce::stages::{FRAMES_SEARCH, FRAMES_STUDY, Plan, SEARCHES};

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

/// The search for the autoencoder's settings.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FramesSearch {
    /// How its trials were judged, in the words of `juggle tune --show`.
    pub(crate) judged: String,
    pub(crate) trials: usize,
    pub(crate) pruned: usize,
    pub(crate) epochs: u64,
    /// Complete trials, the best first.
    pub(crate) best: Vec<Candidate>,
    /// How much of the differences each setting explains, the greatest first.
    pub(crate) importances: Vec<Importance>,
}

/// A trial and its value, a PSNR in dB.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Candidate {
    pub(crate) number: u64,
    pub(crate) psnr_db: f64,
    pub(crate) settings: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Importance {
    pub(crate) name: String,
    pub(crate) share: f64,
}

/// `juggle tune --show --json`, as far as it is read here.
#[derive(Debug, Deserialize)]
struct Shown {
    judged: String,
    best: u64,
    #[serde(default)]
    importances: Option<Vec<Importance>>,
    trials: Vec<Trial>,
}

impl Shown {
    fn n(&self, state: &str) -> usize {
        self.trials
            .iter()
            .filter(|trial| trial.state == state)
            .count()
    }

    fn complete(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.state == "COMPLETE")
    }
}

#[derive(Debug, Deserialize)]
struct Trial {
    number: u64,
    state: String,
    value: Option<f64>,
    params: BTreeMap<String, Value>,
}

impl Trial {
    fn weight_decay(&self) -> Option<f64> {
        self.params.get("weight_decay")?.as_f64()
    }
}

pub(super) fn collect_frames(
    plan: &Plan,
    done: impl Fn(&str) -> bool,
) -> Result<Option<FramesSearch>> {
    if !done(FRAMES_SEARCH) {
        return Ok(None);
    }
    let shown: Shown = read(&plan.search_file(FRAMES_STUDY))?;
    let candidate = |trial: &Trial| {
        Some(Candidate {
            number: trial.number,
            psnr_db: trial.value?,
            settings: trial.params.clone(),
        })
    };
    let mut best: Vec<Candidate> = shown.complete().filter_map(candidate).collect();
    best.sort_by(|a, b| b.psnr_db.total_cmp(&a.psnr_db));
    Ok(Some(FramesSearch {
        trials: shown.trials.len(),
        pruned: shown.n("PRUNED"),
        epochs: plan.frames_search_size().1,
        best,
        importances: shown.importances.unwrap_or_default(),
        judged: shown.judged,
    }))
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
        let (Some(value), Some(weight_decay)) = (best.value, best.weight_decay()) else {
            continue;
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
            pruned: shown.n("PRUNED"),
            epochs: plan.search_size().1,
            weight_decay,
            value,
            ties: shown
                .complete()
                .filter(|trial| trial.value == Some(value))
                .count(),
            curve: shown
                .complete()
                .filter_map(|trial| Some((trial.weight_decay()?, trial.value?)))
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
