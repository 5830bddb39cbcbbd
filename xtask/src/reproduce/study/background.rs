//! Checks that hold exactly, times beside PyTorch's, and origins.

use serde_json::{Value, json};

use super::super::published;
use super::super::report::{exact_checks, thousands};
use super::super::results::{RecipeResults, Results};
use super::super::stages::{AUTOENCODER_RECIPES, CLASSIFIER_RECIPES};
use super::{Told, frames_group, table};
use crate::bench::ratios::Ratios;
use crate::provenance::{WorkTree, duration};

pub(super) fn checks(told: &Told<'_>) -> Value {
    let rows = exact_checks(told.results).into_iter().map(|check| {
        let dash = || "–".to_owned();
        let holds = match check.holds {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "not run",
        };
        vec![
            check.label.to_owned(),
            check.expected,
            check.found.unwrap_or_else(dash),
            holds.to_owned(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let mut tables = vec![table(
        "Checks",
        &["check", "expected", "found", "holds"],
        rows,
    )];
    tables.extend(layers(told));
    json!({
        "heading": "What must hold exactly",
        "paragraphs": [
            "Where no seed and no rounding takes part, numbers must be equal. The copy baseline compares the true next frame with the last input \
             frame; expected is what scikit-image gives on the same files."
        ],
        "tables": tables,
    })
}

/// Task 1: parameters of the layers that have any, published beside ours.
fn layers(told: &Told<'_>) -> Option<Value> {
    let summary = told.results.summaries.get("classifier")?;
    let ours = summary.layers.iter().filter(|layer| layer.parameters > 0);
    let mut published = published::LAYER_PARAMETERS.into_iter();
    let rows = ours.map(|layer| {
        let expected = published.next();
        let holds = if expected == Some(layer.parameters) {
            "yes"
        } else {
            "NO"
        };
        vec![
            format!("{} {}", layer.name, layer.kind),
            expected.map_or_else(|| "–".to_owned(), thousands),
            thousands(layer.parameters),
            holds.to_owned(),
        ]
    });
    Some(table(
        "Task 1: parameters of the classifier's layers",
        &["layer", "published", "ours", "equal"],
        rows.collect(),
    ))
}

/// Training time of a recipe: ours, and what PyTorch would need.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainingTime {
    pub(crate) recipe: String,
    pub(crate) runs: usize,
    /// All runs, one after another on one thread.
    pub(crate) ours_s: f64,
    /// How many times as fast we are at these steps, where that was measured.
    pub(crate) ratio: Option<f64>,
}

impl TrainingTime {
    pub(crate) fn pytorch_s(&self) -> Option<f64> {
        self.ratio.map(|ratio| ratio * self.ours_s)
    }
}

/// Every recipe that was trained.
pub(crate) fn training_times(results: &Results, ratios: Option<&Ratios>) -> Vec<TrainingTime> {
    let ratio = |row: &str| Some(ratios?.find(row, 1)?.median);
    let mut times = vec![];
    for (recipe, found) in CLASSIFIER_RECIPES.iter().zip(&results.classifier) {
        let row = if recipe.has_batch_norm() {
            "train-classifier-batch-norm"
        } else {
            "train-classifier"
        };
        times.extend(time(recipe.name.to_owned(), found, ratio(row)));
    }
    for (recipe, found) in AUTOENCODER_RECIPES.iter().zip(&results.autoencoder) {
        times.extend(time(
            frames_group(recipe.name),
            found,
            ratio("train-autoencoder"),
        ));
    }
    times
}

fn time<E>(recipe: String, found: &RecipeResults<E>, ratio: Option<f64>) -> Option<TrainingTime> {
    (!found.runs.is_empty()).then(|| TrainingTime {
        recipe,
        runs: found.runs.len(),
        ours_s: found.runs.iter().map(|run| run.metrics.elapsed_s).sum(),
        ratio,
    })
}

/// Time per recipe beside PyTorch's, and per stage.
pub(super) fn times(told: &Told<'_>) -> Vec<Value> {
    let trained = training_times(told.results, told.ratios);
    let ours: f64 = trained.iter().map(|time| time.ours_s).sum();
    let theirs: Option<f64> = trained.iter().map(TrainingTime::pytorch_s).sum();
    let dash = || "–".to_owned();
    let mut rows: Vec<Vec<String>> = trained
        .iter()
        .map(|time| {
            vec![
                time.recipe.clone(),
                time.runs.to_string(),
                duration(time.ours_s),
                time.ratio.map_or_else(dash, |ratio| format!("{ratio:.2}")),
                time.pytorch_s().map_or_else(dash, duration),
            ]
        })
        .collect();
    rows.push(vec![
        "all".to_owned(),
        trained
            .iter()
            .map(|time| time.runs)
            .sum::<usize>()
            .to_string(),
        duration(ours),
        dash(),
        theirs.map_or_else(dash, duration),
    ]);
    let stages: Vec<Vec<String>> = told
        .results
        .stages
        .iter()
        .map(|stage| vec![stage.name.clone(), stage.wall_s.map_or_else(dash, duration)])
        .collect();
    let run = &told.results.invocation;
    let paragraphs = vec![
        format!(
            "Stages run {} at a time, each on one thread; this call took {}, where stages that are up to date are skipped.",
            run.jobs,
            duration(run.wall_s)
        ),
        times_source(told.ratios),
    ];
    vec![json!({
        "heading": "Time",
        "task": "background",
        "paragraphs": paragraphs,
        "tables": [
            table(
                "Training, all runs of a recipe one after another on one thread",
                &["recipe", "runs", "here", "times as fast as PyTorch", "PyTorch would need"],
                rows,
            ),
            table("Wall time of each stage", &["stage", "time"], stages),
        ],
    })]
}

/// Where PyTorch's times come from.
pub(crate) fn times_source(ratios: Option<&Ratios>) -> String {
    let Some(ratios) = ratios else {
        return "PyTorch's times are not known: docs/performance.json is not there; `cargo xtask bench` writes it.".to_owned();
    };
    format!(
        "PyTorch did not run here. Its times are ours, multiplied by how many times as fast juggle was than PyTorch {} in its fastest \
         configuration at the same training steps on one thread, by docs/performance.json: measured {} on {} by `cargo xtask bench` at commit {}. \
         The row of the autoencoder is without batch normalisation and of batches of 32, here used for all of its recipes.",
        ratios.torch,
        ratios.date,
        ratios.cpu,
        ratios.commit.get(..12).unwrap_or(&ratios.commit)
    )
}

pub(super) fn provenance(told: &Told<'_>) -> Vec<[String; 2]> {
    let results = told.results;
    let source = &results.provenance;
    let changed = match source.work_tree {
        WorkTree::Clean => "",
        WorkTree::Changed => ", with changes that are not committed",
        WorkTree::Unknown => ", state of the work tree unknown",
    };
    let rows = [
        ("reproduced", source.date.clone()),
        ("commit", format!("{}{changed}", source.commit)),
        (
            "machine",
            format!("{}, {} cores", source.cpu, source.n_cores),
        ),
        ("its system", source.system.clone()),
        ("compiler", source.rustc.clone()),
        ("the program's SHA-256", results.binary_sha256.clone()),
        ("data/SHA256SUMS, SHA-256", results.data_sha256.clone()),
        ("seeds", format!("{}, from 0 on", results.seeds_in_words())),
    ];
    rows.map(|(name, value)| [name.to_owned(), value]).to_vec()
}
