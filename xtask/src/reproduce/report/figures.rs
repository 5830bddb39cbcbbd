//! The figures: which curves are drawn, where they are written, and where the report shows them.

use std::path::PathBuf;

use anyhow::Result;

use super::super::document::Block;
use super::super::outputs::{Epoch, Scores};
use super::super::plot::{Chart, Scale, Series, Stroke, svg};
use super::super::results::{AutoencoderResults, ClassifierResults, Results, Run};

/// A chart with its file name.
struct Figure {
    file: String,
    chart: Chart,
}

impl Figure {
    fn path(&self) -> String {
        format!("figures/{}.svg", self.file)
    }

    /// A figure without a point is neither drawn nor shown.
    fn block(&self) -> Option<Block> {
        let any = self
            .chart
            .series
            .iter()
            .any(|series| !series.points.is_empty());
        any.then(|| Block::Image {
            shows: self.chart.title.clone(),
            path: self.path(),
        })
    }
}

/// Every figure as its path, relative to the report, and its SVG.
pub(super) fn draw(results: &Results) -> Result<Vec<(PathBuf, String)>> {
    let mut figures: Vec<Figure> = results
        .classifier
        .iter()
        .flat_map(classifier_figures)
        .collect();
    figures.extend(results.autoencoder.iter().map(autoencoder_figure));
    let recipe = |name: &str| {
        results
            .autoencoder
            .iter()
            .find(|recipe| recipe.recipe == name)
    };
    if let (Some(original), Some(no_skip)) = (recipe("original"), recipe("no-skip")) {
        figures.push(ablation_figure(original, no_skip));
    }
    let mut drawn = vec![];
    for figure in figures {
        if let Some(svg) = svg(&figure.chart)? {
            drawn.push((figure.path().into(), svg));
        }
    }
    Ok(drawn)
}

pub(super) fn of_classifier(recipe: &ClassifierResults) -> Vec<Block> {
    classifier_figures(recipe)
        .iter()
        .filter_map(Figure::block)
        .collect()
}

/// The loss curve, and the picture of truth over prediction of every seed.
pub(super) fn of_autoencoder(recipe: &AutoencoderResults) -> Vec<Block> {
    let name = recipe.recipe;
    let mut blocks: Vec<_> = autoencoder_figure(recipe).block().into_iter().collect();
    blocks.extend(recipe.runs.iter().map(|run| Block::Image {
        shows: format!(
            "autoencoder, {name}, seed {}: truth over prediction",
            run.seed
        ),
        path: format!("figures/autoencoder-{name}-seed-{}.png", run.seed),
    }));
    blocks
}

pub(super) fn of_ablation(
    original: &AutoencoderResults,
    no_skip: &AutoencoderResults,
) -> Vec<Block> {
    ablation_figure(original, no_skip)
        .block()
        .into_iter()
        .collect()
}

fn classifier_figures(recipe: &ClassifierResults) -> [Figure; 2] {
    let name = recipe.recipe;
    [
        Figure {
            file: format!("classifier-{name}-loss"),
            chart: Chart {
                title: format!("Classifier, {name}: loss"),
                y_label: "cross-entropy",
                scale: Scale::Logarithmic,
                series: train_and_validation(&recipe.runs, |scores| Some(scores.loss)),
            },
        },
        Figure {
            file: format!("classifier-{name}-accuracy"),
            chart: Chart {
                title: format!("Classifier, {name}: accuracy"),
                y_label: "accuracy",
                scale: Scale::Linear,
                series: train_and_validation(&recipe.runs, |scores| scores.accuracy),
            },
        },
    ]
}

fn autoencoder_figure(recipe: &AutoencoderResults) -> Figure {
    Figure {
        file: format!("autoencoder-{}-loss", recipe.recipe),
        chart: Chart {
            title: format!("Autoencoder, {}: loss", recipe.recipe),
            y_label: "mean squared error",
            scale: Scale::Logarithmic,
            series: train_and_validation(&recipe.runs, |scores| Some(scores.loss)),
        },
    }
}

/// Validation PSNR with and without skips in one chart; a colour is a recipe.
fn ablation_figure(original: &AutoencoderResults, no_skip: &AutoencoderResults) -> Figure {
    let recipes = [("with skips", original), ("without skips", no_skip)];
    let series = recipes
        .iter()
        .enumerate()
        .flat_map(|(color, (label, recipe))| {
            recipe.runs.iter().map(move |run| Series {
                label: format!("{label}, seed {}", run.seed),
                color,
                stroke: Stroke::Solid,
                points: points(&run.epochs, |epoch| epoch.val.psnr_db),
            })
        });
    Figure {
        file: "autoencoder-skips-psnr".into(),
        chart: Chart {
            title: "Autoencoder: validation PSNR with and without skips".into(),
            y_label: "PSNR in dB",
            scale: Scale::Linear,
            series: series.collect(),
        },
    }
}

/// Two lines a seed in one colour: training dashed, validation solid.
fn train_and_validation<E>(runs: &[Run<E>], of: fn(&Scores) -> Option<f64>) -> Vec<Series> {
    let training = runs.iter().enumerate().map(|(color, run)| Series {
        label: format!("training, seed {}", run.seed),
        color,
        stroke: Stroke::Dashed,
        points: points(&run.epochs, |epoch| of(&epoch.train)),
    });
    let validation = runs.iter().enumerate().map(|(color, run)| Series {
        label: format!("validation, seed {}", run.seed),
        color,
        stroke: Stroke::Solid,
        points: points(&run.epochs, |epoch| of(&epoch.val)),
    });
    training.chain(validation).collect()
}

fn points(epochs: &[Epoch], of: impl Fn(&Epoch) -> Option<f64>) -> Vec<(u64, f64)> {
    epochs
        .iter()
        .filter_map(|epoch| Some((epoch.epoch, of(epoch)?)))
        .collect()
}
