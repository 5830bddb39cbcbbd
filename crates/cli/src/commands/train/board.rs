//! What TensorBoard is shown of a training.
//!
//! Everything of an epoch is one record at the epoch's last step, so that all charts share the axis of the steps and a crash leaves
//! an epoch whole or not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use juggle_dataset::{Image, encode_png};
use juggle_models::{Engine, State};
use juggle_tracking::run::TENSORBOARD;
use juggle_tracking::tensorboard::{Experiment, HParam, Histogram, Outcome, Summary, Writer};
use juggle_tracking::{Disk, Epoch, Step, settings};
use serde_json::Value;

use crate::config::{Kind, RunConfig};
use crate::examples::{Batch, Examples, argmax, clamp_to_unit};
use crate::output::Messages;
use crate::picture::{evenly_spaced, grid, verdicts};

const BUCKETS: usize = 64;
/// Examples that are shown, at most.
const SHOWN: usize = 8;
/// Pixels that the larger side of a shown image has, if it can be had by enlarging.
const IMAGE: usize = 64;

/// The run's event file.
#[derive(Debug)]
pub(super) struct Board {
    writer: Writer,
}

/// What an epoch shows beside its numbers.
#[derive(Debug)]
pub(super) struct View {
    pub(super) images_per_s: f64,
    /// Of the epoch's last step.
    pub(super) gradients: Option<BTreeMap<String, Vec<f32>>>,
    pub(super) predictions: Predictions,
}

/// A few examples of the validation split with what the network makes of them.
#[derive(Debug)]
pub(super) struct Predictions {
    picture: Image,
    /// The classes as a table; none for frames.
    table: Option<String>,
}

impl Board {
    /// Begins the file of a new run.
    pub(super) fn create(run: &Path, config: &RunConfig, disk: Disk) -> Result<Self> {
        let now = SystemTime::now();
        let writer = Writer::create(&run.join(TENSORBOARD), now, disk)?;
        let mut board = Self { writer };
        board.introduce(config, 0, now)?;
        Ok(board)
    }

    /// Goes on after the checkpoint of `step`.
    pub(super) fn resume(
        (run, step): (&Path, u64),
        config: &RunConfig,
        disk: Disk,
        messages: Messages,
    ) -> Result<Self> {
        let resumed = Writer::resume(&run.join(TENSORBOARD), step, disk)?;
        let mut board = Self {
            writer: resumed.writer,
        };
        if resumed.damaged {
            messages.line(format_args!(
                "warning: {} was damaged after step {} and is cut there: {} bytes are lost",
                board.writer.path().display(),
                resumed.last_step,
                resumed.n_cut
            ));
        }
        if resumed.is_new {
            board.introduce(config, step, SystemTime::now())?;
        }
        Ok(board)
    }

    /// The configuration, as a text and as a row of the HParams page.
    fn introduce(&mut self, config: &RunConfig, step: u64, now: SystemTime) -> Result<()> {
        let columns = columns()?;
        let hparams = hparams(config)?;
        let hparams = hparams
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()));
        let summary = Summary::new()
            .experiment(&columns)
            .session_start(hparams, now)
            .text("config", &format!("```toml\n{}```", config.to_toml()?));
        Ok(self.writer.write(step, summary)?)
    }

    pub(super) fn step(&mut self, step: &Step) -> Result<()> {
        let summary = Summary::new().scalar("loss/step", step.loss.0);
        Ok(self.writer.write(step.step, summary)?)
    }

    pub(super) fn epoch(&mut self, epoch: &Epoch, weights: &State, view: &View) -> Result<()> {
        let mut summary = Summary::new()
            .scalar("learning_rate", epoch.learning_rate)
            .scalar("images_per_s", view.images_per_s);
        for (split, metrics) in [("train", &epoch.train), ("val", &epoch.val)] {
            for (name, value) in metrics {
                summary = summary.scalar(&format!("{name}/{split}"), value.0);
            }
        }
        summary = summary.image("predictions", &encode_png(&view.predictions.picture))?;
        if let Some(table) = &view.predictions.table {
            summary = summary.text("predicted_classes", table);
        }
        for (name, _) in weights.iter() {
            if let Some(values) = weights.floats(name) {
                let histogram = Histogram::of(values, BUCKETS);
                summary = summary.histogram(&format!("weights/{name}"), &histogram);
            }
        }
        for (name, values) in view.gradients.iter().flatten() {
            let histogram = Histogram::of(values, BUCKETS);
            summary = summary.histogram(&format!("gradients/{name}"), &histogram);
        }
        Ok(self.writer.write(epoch.step, summary)?)
    }

    /// Waits until everything is on the disk.
    pub(super) fn sync(&self) -> Result<()> {
        Ok(self.writer.sync()?)
    }

    /// The run has ended, well or not; a run that can go on has not.
    pub(super) fn end(&mut self, step: u64, outcome: Outcome) -> Result<()> {
        let summary = Summary::new().session_end(outcome, SystemTime::now());
        Ok(self.writer.write(step, summary)?)
    }
}

impl Predictions {
    /// Of the examples that are shown, the same in every epoch.
    pub(super) fn of(
        engine: &dyn Engine,
        examples: &Examples<'_>,
        config: &RunConfig,
    ) -> Result<Self> {
        let chosen = evenly_spaced(examples.len(), SHOWN);
        let mut batch = Batch::default();
        examples.fill(&chosen, &mut batch);
        let outputs = engine.forward(&batch.inputs)?;
        let shape = examples.shape();
        // Small images are enlarged; drawing costs time by the pixel.
        let scale = (IMAGE / shape.height.max(shape.width)).clamp(1, 4);
        Ok(match config.kind {
            Kind::Classifier => Self {
                picture: verdicts(&batch.inputs, (&batch.labels, &outputs), shape, scale),
                table: Some(table(
                    &chosen,
                    &batch.labels,
                    &outputs,
                    &config.data.classes,
                )),
            },
            Kind::Autoencoder => Self {
                picture: grid(&[&batch.frames, &clamp_to_unit(&outputs)], shape, scale),
                table: None,
            },
        })
    }
}

/// The class of each image and the one that the network finds most probable, in Markdown.
fn table(chosen: &[usize], labels: &[u32], logits: &[f32], classes: &[String]) -> String {
    let mut text = "image | class | predicted | probability\n---|---|---|---\n".to_owned();
    let images = chosen.iter().zip(labels);
    for ((i, &label), logits) in images.zip(logits.chunks_exact(classes.len())) {
        let predicted = argmax(logits);
        let sum: f32 = logits.iter().map(|x| (x - logits[predicted]).exp()).sum();
        let (class, found) = (&classes[label as usize], &classes[predicted]);
        text += &format!("{i} | {class} | {found} | {:.3}\n", 1.0 / sum);
    }
    text
}

/// The columns of the HParams page: the settings of both kinds of model, for a folder of runs may hold both and TensorBoard takes the
/// columns of any one of them.
fn columns() -> Result<Experiment> {
    let mut names = BTreeMap::new();
    for kind in [Kind::Classifier, Kind::Autoencoder] {
        let hparams = hparams(&RunConfig::defaults(kind))?;
        names.extend(
            hparams
                .into_iter()
                .map(|(name, value)| (name, value.kind())),
        );
    }
    let metric = |tag: &str, heading: &str| (tag.to_owned(), heading.to_owned());
    Ok(Experiment {
        hparams: names.into_iter().collect(),
        metrics: vec![
            metric("loss/val", "validation loss"),
            metric("accuracy/val", "validation accuracy"),
            metric("psnr_db/val", "validation PSNR in dB"),
        ],
    })
}

/// What may be tuned. The page shows the first few of them until others are chosen, so what only says where and on what is left out.
fn hparams(config: &RunConfig) -> Result<BTreeMap<String, HParam>> {
    let config = serde_json::to_value(config).context("the configuration as JSON")?;
    let mut settings = settings(&config);
    settings.retain(|key, _| {
        let tables = ["network.", "training."];
        key == "kind" || key == "seed" || tables.iter().any(|table| key.starts_with(table))
    });
    Ok(settings
        .into_iter()
        .map(|(key, value)| {
            let hparam = match value {
                Value::Bool(flag) => HParam::Flag(flag),
                Value::Number(number) => HParam::Number(number.as_f64().unwrap_or(f64::NAN)),
                Value::String(text) => HParam::Text(text),
                other => HParam::Text(other.to_string()),
            };
            (key, hparam)
        })
        .collect())
}
