//! What the stages left, read and aggregated: the content of `results.json`.
//!
//! Nothing here words or draws anything; a report of another shape starts from [`Results`].

pub(crate) mod fresh;
pub(crate) mod hashes;
pub(crate) mod search;

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use fresh::Fresh;
use hashes::Hashes;
use search::{FramesSearch, SearchResults};

use super::execute::Context;
use super::outputs::{
    AutoencoderEvaluation, ClassifierEvaluation, Epoch, Explanation, Metrics, Summary, read,
    read_epochs,
};
use super::published::{self, Band, Verdict};
use super::stages::{
    AUTOENCODER_EPOCHS, AUTOENCODER_RECIPES, CLASSIFIER_EPOCHS, CLASSIFIER_RECIPES, EXPLAINED,
    Plan, SUMMARIES, Size, Stage, Step,
};
use super::stamp::Freshness;
use crate::provenance::{Provenance, provenance};

/// Everything a report needs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Results {
    pub(crate) quick: bool,
    pub(crate) provenance: Provenance,
    pub(crate) invocation: Invocation,
    /// SHA-256 of the binary and of the data set's SHA256SUMS.
    pub(crate) binary_sha256: String,
    pub(crate) data_sha256: String,
    pub(crate) epochs: Epochs,
    pub(crate) data: BTreeMap<&'static str, Value>,
    pub(crate) summaries: BTreeMap<&'static str, Summary>,
    pub(crate) classifier: Vec<ClassifierResults>,
    pub(crate) autoencoder: Vec<AutoencoderResults>,
    pub(crate) bands: Vec<BandResult>,
    pub(crate) fresh: Option<Fresh>,
    pub(crate) searches: Vec<SearchResults>,
    pub(crate) frames_search: Option<FramesSearch>,
    /// By recipe, one an image.
    pub(crate) explanations: BTreeMap<&'static str, Vec<Explanation>>,
    pub(crate) stages: Vec<StageRecord>,
    pub(crate) hashes: Hashes,
}

impl Results {
    /// How many seeds each network has, at most.
    pub(crate) fn seeds_in_words(&self) -> String {
        fn most<E>(recipes: &[RecipeResults<E>]) -> String {
            let most = recipes.iter().map(|recipe| recipe.runs.len()).max();
            most.map_or_else(|| "–".to_owned(), |n| n.to_string())
        }
        format!(
            "classifier {}, autoencoder {}",
            most(&self.classifier),
            most(&self.autoencoder)
        )
    }
}

/// The run of `cargo xtask reproduce` that wrote the results.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Invocation {
    pub(crate) command: String,
    pub(crate) jobs: usize,
    pub(crate) wall_s: f64,
}

/// Epochs trained beside the published ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Epochs {
    pub(crate) classifier: u64,
    pub(crate) classifier_published: u64,
    pub(crate) autoencoder: u64,
    pub(crate) autoencoder_published: u64,
}

/// One stage: whether its results are current, how long it took, and the lines that repeat it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StageRecord {
    pub(crate) name: String,
    pub(crate) freshness: Freshness,
    pub(crate) wall_s: Option<f64>,
    pub(crate) finished: Option<String>,
    pub(crate) commands: Vec<String>,
}

/// A recipe's runs, one a seed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RecipeResults<E> {
    pub(crate) recipe: &'static str,
    pub(crate) runs: Vec<Run<E>>,
    /// Mean, lowest and highest of the main numbers over the runs.
    pub(crate) spreads: BTreeMap<&'static str, Spread>,
}

pub(crate) type ClassifierResults = RecipeResults<ClassifierEvaluation>;
pub(crate) type AutoencoderResults = RecipeResults<AutoencoderEvaluation>;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Run<E> {
    pub(crate) stage: String,
    pub(crate) seed: u64,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) metrics: Metrics,
    pub(crate) evaluation: E,
}

impl<E> RecipeResults<E> {
    /// A number over the runs; nothing when no run has it.
    pub(crate) fn spread(&self, number: impl Fn(&Run<E>) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.runs.iter().filter_map(number))
    }
}

/// Mean, lowest and highest of a number over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) n: usize,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let n = values.len();
        (n > 0).then(|| Self {
            mean: values.iter().sum::<f64>() / n as f64,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            n,
        })
    }
}

impl Spread {
    /// In another unit.
    pub(crate) fn scaled(self, factor: f64) -> Self {
        Self {
            mean: factor * self.mean,
            min: factor * self.min,
            max: factor * self.max,
            n: self.n,
        }
    }
}

/// A mean of ours against PyTorch's band.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BandResult {
    pub(crate) band: Band,
    pub(crate) ours: Option<Spread>,
    /// Nothing where there is no measurement, or one of fewer or more epochs.
    pub(crate) verdict: Option<Verdict>,
}

/// Reads what there is. A stage that was not run, or was run with other commands or data, leaves
/// a gap; one that another build of the binary ran is read, and its record says so.
pub(crate) fn collect(
    plan: &Plan,
    stages: &[Stage],
    context: &Context,
    invocation: Invocation,
) -> Result<Results> {
    let records: Vec<_> = stages.iter().map(|stage| record(stage, context)).collect();
    let done = |name: &str| {
        let mut found = records.iter().filter(|record| record.name == name);
        found
            .next()
            .is_some_and(|record| record.freshness != Freshness::Missing)
    };
    let mut data = BTreeMap::new();
    if done("data/inspect") {
        for folder in ["balls", "frames"] {
            data.insert(folder, read(&plan.inspection(folder))?);
        }
    }
    let mut summaries = BTreeMap::new();
    if done("summary") {
        for (network, _) in SUMMARIES {
            summaries.insert(network, read(&plan.summary(network))?);
        }
    }
    let mut classifier = vec![];
    for recipe in &CLASSIFIER_RECIPES {
        let stages = plan.classifier_seeds.iter();
        let stages = stages.map(|&seed| (plan.classifier_stage(recipe.name, seed), seed));
        classifier.push(classifier_results(recipe.name, runs(plan, stages, done)?));
    }
    let mut autoencoder = vec![];
    for recipe in &AUTOENCODER_RECIPES {
        let stages = plan.autoencoder_seeds.iter();
        let stages = stages.map(|&seed| (plan.autoencoder_stage(recipe.name, seed), seed));
        autoencoder.push(autoencoder_results(recipe.name, runs(plan, stages, done)?));
    }
    let mut explanations = BTreeMap::new();
    for recipe in EXPLAINED {
        if done(&Plan::explain_stage(recipe)) {
            explanations.insert(recipe, read(&plan.explanation(recipe))?);
        }
    }
    let mut hashes = Hashes::new();
    for stage in stages.iter().filter(|stage| done(&stage.name)) {
        hashes.insert(stage.name.clone(), hashes::of_stage(stage, &plan.out)?);
    }
    let epochs = Epochs {
        classifier: plan.classifier_epochs,
        classifier_published: CLASSIFIER_EPOCHS,
        autoencoder: plan.autoencoder_epochs,
        autoencoder_published: AUTOENCODER_EPOCHS,
    };
    Ok(Results {
        quick: plan.size == Size::Quick,
        provenance: provenance(),
        invocation,
        binary_sha256: context.binary().to_owned(),
        data_sha256: context.data().to_owned(),
        epochs,
        data,
        summaries,
        bands: bands(plan.size, epochs, &classifier, &autoencoder),
        classifier,
        autoencoder,
        fresh: fresh::collect(plan, done)?,
        searches: search::collect(plan, done)?,
        frames_search: search::collect_frames(plan, done)?,
        explanations,
        stages: records,
        hashes,
    })
}

fn record(stage: &Stage, context: &Context) -> StageRecord {
    let freshness = context.freshness(stage);
    let stamp = context
        .stamp(&stage.name)
        .filter(|_| freshness != Freshness::Missing);
    StageRecord {
        name: stage.name.clone(),
        freshness,
        wall_s: stamp.as_ref().map(|stamp| stamp.wall_s),
        finished: stamp.map(|stamp| stamp.finished),
        commands: stage.steps.iter().map(Step::line).collect(),
    }
}

fn runs<E: DeserializeOwned>(
    plan: &Plan,
    stages: impl Iterator<Item = (String, u64)>,
    done: impl Fn(&str) -> bool,
) -> Result<Vec<Run<E>>> {
    stages
        .filter(|(stage, _)| done(stage))
        .map(|(stage, seed)| {
            let folder = plan.run_folder(&stage);
            Ok(Run {
                seed,
                epochs: read_epochs(&folder.join("events.jsonl"))?,
                metrics: read(&folder.join("metrics.json"))?,
                evaluation: read(&plan.evaluation(&stage))?,
                stage,
            })
        })
        .collect()
}

pub(crate) fn classifier_results(
    recipe: &'static str,
    runs: Vec<Run<ClassifierEvaluation>>,
) -> ClassifierResults {
    let mut results = RecipeResults {
        recipe,
        runs,
        spreads: BTreeMap::new(),
    };
    let spreads = [
        (
            "train_loss",
            results.spread(|run| Some(run.metrics.train.loss)),
        ),
        (
            "train_accuracy",
            results.spread(|run| run.metrics.train.accuracy),
        ),
        ("val_loss", results.spread(|run| Some(run.metrics.val.loss))),
        (
            "val_accuracy",
            results.spread(|run| run.metrics.val.accuracy),
        ),
        ("test_loss", results.spread(|run| Some(run.evaluation.loss))),
        (
            "test_accuracy",
            results.spread(|run| Some(run.evaluation.accuracy)),
        ),
        (
            "errors_3_as_2",
            results.spread(|run| count(run.evaluation.errors("3", "2"))),
        ),
        (
            "errors_2_as_1",
            results.spread(|run| count(run.evaluation.errors("2", "1"))),
        ),
    ];
    results.spreads = some(spreads);
    results
}

pub(crate) fn autoencoder_results(
    recipe: &'static str,
    runs: Vec<Run<AutoencoderEvaluation>>,
) -> AutoencoderResults {
    let mut results = RecipeResults {
        recipe,
        runs,
        spreads: BTreeMap::new(),
    };
    type Number = fn(&AutoencoderEvaluation) -> f64;
    let numbers: [(&'static str, Number); 10] = [
        ("val_loss", |e| e.loss),
        ("psnr_db_prediction", |e| e.psnr_db.prediction),
        ("psnr_db_prediction_vs_last_frame", |e| {
            e.psnr_db.prediction_vs_last_frame
        }),
        ("psnr_db_last_frame", |e| e.psnr_db.last_frame),
        ("ssim_prediction", |e| e.ssim.prediction),
        ("ssim_prediction_vs_last_frame", |e| {
            e.ssim.prediction_vs_last_frame
        }),
        ("ssim_last_frame", |e| e.ssim.last_frame),
        ("ssim_gaussian_prediction", |e| e.ssim_gaussian.prediction),
        ("ssim_gaussian_prediction_vs_last_frame", |e| {
            e.ssim_gaussian.prediction_vs_last_frame
        }),
        ("ssim_gaussian_last_frame", |e| e.ssim_gaussian.last_frame),
    ];
    results.spreads = some(
        numbers.map(|(name, number)| (name, results.spread(|run| Some(number(&run.evaluation))))),
    );
    results
}

fn some<const N: usize>(
    spreads: [(&'static str, Option<Spread>); N],
) -> BTreeMap<&'static str, Spread> {
    spreads
        .into_iter()
        .filter_map(|(name, spread)| Some((name, spread?)))
        .collect()
}

fn count(errors: Option<u64>) -> Option<f64> {
    errors.map(|n| n as f64)
}

pub(crate) fn bands(
    size: Size,
    epochs: Epochs,
    classifier: &[ClassifierResults],
    autoencoder: &[AutoencoderResults],
) -> Vec<BandResult> {
    published::BANDS
        .iter()
        .map(|&band| {
            let key = match band.metric {
                published::PSNR => "psnr_db_prediction",
                published::SSIM => "ssim_prediction",
                _ => "test_accuracy",
            };
            let (spreads, comparable) = match band.network {
                "classifier" => (
                    classifier
                        .iter()
                        .find(|r| r.recipe == band.recipe)
                        .map(|r| &r.spreads),
                    epochs.classifier == epochs.classifier_published,
                ),
                _ => (
                    autoencoder
                        .iter()
                        .find(|r| r.recipe == band.recipe)
                        .map(|r| &r.spreads),
                    epochs.autoencoder == epochs.autoencoder_published,
                ),
            };
            let ours = spreads.and_then(|spreads| spreads.get(key)).copied();
            let comparable = comparable && size == Size::Full;
            let verdict = ours
                .filter(|_| comparable)
                .map(|spread| band.verdict(spread.mean));
            BandResult {
                band,
                ours,
                verdict,
            }
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests;
