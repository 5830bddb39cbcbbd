//! The autoencoder: what skip connections do (task 5), and the next frame (task 6).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::outputs::Epoch;
use super::super::results::{AutoencoderResults, Run, Spread};
use super::super::stages::{AUTOENCODER_RECIPES, Plan, ROLL_OUT_PICTURES, ROLLED_OUT};
use super::super::stamp::Freshness;
use super::{Told, frames_group, over_seeds, table};

const ARMS: [(&str, &str); 2] = [("with skips", "original"), ("without skips", "no-skip")];

/// Task 5: convergence, gradients, results, with and without skip connections.
pub(super) fn skips(told: &Told<'_>) -> Option<Value> {
    let [with, without] = ARMS.map(|(_, recipe)| told.autoencoder(recipe));
    let (with, without) = (with?, without?);
    let lines: Vec<Value> = ARMS
        .iter()
        .zip([with, without])
        .map(|((name, _), recipe)| convergence(name, recipe))
        .collect();
    let mut charts = vec![json!({
        "title": "Validation PSNR by epoch: mean over the seeds, whiskers from the lowest to the highest",
        "x_label": "epoch", "y_label": "PSNR, dB", "lines": lines,
    })];
    let layers = layers(told);
    let arms = [with, without].into_iter().zip(ARMS);
    charts.extend(arms.filter_map(|(recipe, (name, _))| gradients(name, recipe, &layers)));
    let questions = [
        ("Are the frames nearer to the truth by PSNR?", "psnr_db"),
        ("Are they nearer by SSIM?", "ssim"),
    ];
    let questions = questions
        .map(|(question, metric)| told.asked_of_frames(question, "no-skip", "original", metric));
    let questions: Vec<Value> = questions.into_iter().flatten().collect();
    let mut paragraphs = vec![
        "The coursework argues in words that skip connections help. Here the same network is trained with and without them: same recipe, \
         same seeds, same number of epochs. The network without them has fewer weights, since its decoder reads no copies of the encoder."
            .to_owned(),
    ];
    paragraphs.extend(speed(with, without));
    paragraphs.extend(first_layer(with, without, &layers));
    let mut tables = vec![results_table(with, without)];
    tables.extend(norms_table(with, without, &layers));
    Some(json!({
        "heading": "What skip connections do",
        "task": "autoencoder",
        "paragraphs": paragraphs,
        "questions": questions,
        "charts": charts,
        "tables": tables,
    }))
}

/// The mean curve over the seeds.
fn convergence(name: &str, recipe: &AutoencoderResults) -> Value {
    let epochs = recipe
        .runs
        .iter()
        .map(|run| run.epochs.len())
        .min()
        .unwrap_or(0);
    let at = |i: usize| {
        Spread::of(
            recipe
                .runs
                .iter()
                .filter_map(|run| run.epochs[i].val.psnr_db),
        )
    };
    let points: Vec<(u64, Option<Spread>)> = (0..epochs)
        .map(|i| (recipe.runs[0].epochs[i].epoch, at(i)))
        .collect();
    json!({
        "name": name,
        "x": points.iter().map(|(epoch, _)| epoch).collect::<Vec<_>>(),
        "y": points.iter().map(|(_, spread)| spread.map(|spread| spread.mean)).collect::<Vec<_>>(),
        "intervals": points
            .iter()
            .map(|(_, spread)| spread.map_or([0.0; 2], |spread| [spread.min, spread.max]))
            .collect::<Vec<_>>(),
    })
}

/// Epochs until the better half-way mark: how soon each reaches what the other ends with.
fn speed(with: &AutoencoderResults, without: &AutoencoderResults) -> Option<String> {
    let end = without.spreads.get("psnr_db_prediction")?.mean;
    let first_above = |run: &Run<_>| {
        let found = run
            .epochs
            .iter()
            .find(|epoch| epoch.val.psnr_db.is_some_and(|psnr| psnr >= end));
        found.map(|epoch| epoch.epoch as f64)
    };
    let reached = Spread::of(with.runs.iter().filter_map(first_above));
    Some(match reached {
        Some(spread) if spread.n == with.runs.len() => format!(
            "What the network without skips reaches at the end ({end:.2} dB on average) the network with skips has after {}.",
            over_seeds(&spread, 0, "epochs")
        ),
        _ => format!(
            "Not every run with skips reaches what the network without skips has at the end ({end:.2} dB on average)."
        ),
    })
}

/// The weights of the layers that have any, from input to output.
fn layers(told: &Told<'_>) -> Vec<String> {
    let summary = told.results.summaries.get("autoencoder");
    let layers = summary.into_iter().flat_map(|summary| &summary.layers);
    layers
        .filter(|layer| layer.parameters > 0)
        .map(|layer| format!("{}.weight", layer.name))
        .collect()
}

/// The norm of each weight's gradient, mean over the seeds.
fn norms(epochs: &[&Epoch]) -> BTreeMap<String, f64> {
    let mut sums: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for epoch in epochs {
        for (name, norm) in &epoch.gradient_norms {
            if name.ends_with("weight")
                && let Some(norm) = norm.finite()
            {
                sums.entry(name.clone()).or_default().push(norm);
            }
        }
    }
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    sums.into_iter()
        .map(|(name, values)| (name, mean(values)))
        .collect()
}

fn epoch_of<E>(recipe: &[Run<E>], i: usize) -> Vec<&Epoch> {
    recipe.iter().filter_map(|run| run.epochs.get(i)).collect()
}

fn gradients(name: &str, recipe: &AutoencoderResults, layers: &[String]) -> Option<Value> {
    let n_epochs = recipe.runs.iter().map(|run| run.epochs.len()).max()?;
    let by_epoch: Vec<BTreeMap<String, f64>> = (0..n_epochs)
        .map(|i| norms(&epoch_of(&recipe.runs, i)))
        .collect();
    let first = by_epoch.first()?;
    let lines: Vec<Value> = layers
        .iter()
        .filter(|layer| first.contains_key(*layer))
        .map(|layer| {
            let values = by_epoch.iter().map(|epoch| epoch.get(layer).copied());
            json!({
                "name": layer.trim_end_matches(".weight"),
                "x": (1..=n_epochs).collect::<Vec<_>>(),
                "y": values.collect::<Vec<_>>(),
            })
        })
        .collect();
    (!lines.is_empty()).then(|| json!({
        "title": format!("Norm of the gradient by layer, {name}: last step of each epoch, mean over the seeds"),
        "x_label": "epoch", "y_label": "norm of the gradient", "lines": lines,
    }))
}

/// The first layer's gradient, which has the longest way without skips.
fn first_layer(
    with: &AutoencoderResults,
    without: &AutoencoderResults,
    layers: &[String],
) -> Option<String> {
    let name = layers.first()?;
    let mean = |recipe: &AutoencoderResults| {
        let n = recipe.runs.iter().map(|run| run.epochs.len()).max()?;
        let all: Vec<&Epoch> = (0..n).flat_map(|i| epoch_of(&recipe.runs, i)).collect();
        norms(&all).get(name).copied()
    };
    let (with, without) = (mean(with)?, mean(without)?);
    let ratio = with / without;
    let verdict = if ratio > 1.1 {
        format!("{ratio:.1} times as large with skips as without")
    } else if ratio < 1.0 / 1.1 {
        format!("{:.1} times as large without skips as with", 1.0 / ratio)
    } else {
        "about the same with and without skips".to_owned()
    };
    Some(format!(
        "The gradient that reaches the first layer ({}) is {verdict}: its norm is {} with skips and {} without, mean over epochs and seeds.",
        name.trim_end_matches(".weight"),
        digits(with),
        digits(without)
    ))
}

/// Two digits that say something, without an exponent.
fn digits(value: f64) -> String {
    if value <= 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let decimals = (0..8)
        .find(|&n| value * 10_f64.powi(n) >= 10.0)
        .unwrap_or(8);
    format!("{value:.*}", usize::try_from(decimals).unwrap_or(0))
}

fn results_table(with: &AutoencoderResults, without: &AutoencoderResults) -> Value {
    let numbers = [
        ("PSNR, dB", "psnr_db_prediction", 2),
        ("SSIM", "ssim_prediction", 4),
        ("validation loss", "val_loss", 5),
    ];
    let row = |label: &str, key: &str, decimals: usize| {
        let mut row = vec![label.to_owned()];
        for recipe in [with, without] {
            let spread = recipe.spreads.get(key);
            row.extend(cells(spread, decimals));
        }
        row
    };
    table(
        &format!(
            "At the end, over {} and {} seeds",
            with.runs.len(),
            without.runs.len()
        ),
        &[
            "number",
            "with skips, mean",
            "lowest",
            "highest",
            "without, mean",
            "lowest",
            "highest",
        ],
        numbers
            .map(|(label, key, decimals)| row(label, key, decimals))
            .to_vec(),
    )
}

/// Norms at the first and at the last epoch, layer by layer.
fn norms_table(
    with: &AutoencoderResults,
    without: &AutoencoderResults,
    layers: &[String],
) -> Option<Value> {
    let ends = |recipe: &AutoencoderResults| {
        let last = recipe
            .runs
            .iter()
            .map(|run| run.epochs.len())
            .min()?
            .checked_sub(1)?;
        Some([0, last].map(|i| norms(&epoch_of(&recipe.runs, i))))
    };
    let (with, without) = (ends(with)?, ends(without)?);
    let number = |norms: &BTreeMap<String, f64>, layer: &str| {
        norms
            .get(layer)
            .map_or_else(|| "–".to_owned(), |norm| digits(*norm))
    };
    let rows: Vec<Vec<String>> = layers
        .iter()
        .filter(|layer| with[0].contains_key(*layer))
        .map(|layer| {
            let mut row = vec![layer.trim_end_matches(".weight").to_owned()];
            row.extend(
                with.iter()
                    .chain(&without)
                    .map(|norms| number(norms, layer)),
            );
            row
        })
        .collect();
    (!rows.is_empty()).then(|| {
        table(
            "Norm of the gradient by layer, mean over the seeds",
            &[
                "layer",
                "with skips, first epoch",
                "with skips, last epoch",
                "without, first epoch",
                "without, last epoch",
            ],
            rows,
        )
    })
}

/// Task 6: three rows a recipe, and frames predicted from predictions.
pub(super) fn next_frame(told: &Told<'_>) -> Option<Value> {
    let rows: Vec<Vec<String>> = AUTOENCODER_RECIPES
        .iter()
        .filter_map(|recipe| told.autoencoder(recipe.name))
        .flat_map(three_rows)
        .collect();
    if rows.is_empty() {
        return None;
    }
    let done = |name: &str| {
        let mut stages = told.results.stages.iter();
        stages.any(|stage| stage.name == name && stage.freshness != Freshness::Missing)
    };
    let mut pictures = vec![];
    for recipe in ROLLED_OUT {
        if !done(&Plan::roll_out_stage(recipe)) {
            continue;
        }
        let name = frames_group(recipe);
        let texts = [
            format!(
                "{name}, in motion: four true frames, then ten predicted ones, each from those before, beside the true ones"
            ),
            format!("{name}: truth, prediction and error of the ten frames"),
        ];
        for (file, caption) in ROLL_OUT_PICTURES.into_iter().zip(texts) {
            let path = told.plan.figures("roll-out", recipe).join(file);
            let path = path
                .strip_prefix(&told.plan.out)
                .unwrap_or(&path)
                .display()
                .to_string();
            pictures.push(json!({"file": path, "caption": caption, "alt": caption}));
        }
    }
    Some(json!({
        "heading": "Next frame: three comparisons",
        "task": "autoencoder",
        "paragraphs": [
            "Whether a network merely copies its last input shows in the second row of each recipe: it would be high then. For a good \
             prediction it lies near the third row, which compares the true frame with the last input and knows no network. SSIM is scikit-image's \
             default, a uniform window of 7×7. The validation clips chose nothing: every recipe is measured after its last epoch, and the settings of \
             the search were chosen on clips held out of the training clips (docs/frames-recipe.md)."
        ],
        "tables": [table(
            "Means over the validation windows and the seeds",
            &["recipe", "what is compared", "PSNR, dB", "lowest", "highest", "SSIM", "lowest", "highest"],
            rows,
        )],
        "pictures": pictures,
    }))
}

/// Mean, lowest and highest, or dashes.
fn cells(spread: Option<&Spread>, decimals: usize) -> [String; 3] {
    let values = [
        spread.map(|s| s.mean),
        spread.map(|s| s.min),
        spread.map(|s| s.max),
    ];
    values.map(|value| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}")))
}

fn three_rows(recipe: &AutoencoderResults) -> Vec<Vec<String>> {
    let rows = [
        ("prediction and truth", "prediction"),
        ("prediction and last input", "prediction_vs_last_frame"),
        ("truth and last input", "last_frame"),
    ];
    rows.map(|(label, key)| {
        let mut row = vec![frames_group(recipe.recipe), label.to_owned()];
        for (metric, decimals) in [("psnr_db", 2), ("ssim", 4)] {
            let spread = recipe.spreads.get(format!("{metric}_{key}").as_str());
            row.extend(cells(spread, decimals));
        }
        row
    })
    .to_vec()
}
