//! What a run achieves on a split of a data folder, with the images that show it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use juggle_dataset::{Clips, Split};
use sha2::{Digest as _, Sha256};

use super::run::hex;
use crate::args::{MachineArgs, Weights};
use crate::config::{NetworkConfig, RunConfig};
use crate::evaluation::classifier::{self, ClassifierEvaluation};
use crate::evaluation::frames::{self, FramesEvaluation, Rows};
use crate::evaluation::rollout::{Rollout, roll_out};
use crate::examples::{Batch, Examples, clamp_to_unit};
use crate::model::{self, Trained};
use juggle_tracking::RunFolder;

/// What is to be measured of a run.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    pub(crate) weights: Weights,
    /// None: the data that the run was trained on.
    pub(crate) data: Option<&'a Path>,
    /// None: for a classifier the test images where there are any, else the validation images; for an autoencoder the
    /// validation clips.
    pub(crate) split: Option<Split>,
    pub(crate) machine: &'a MachineArgs,
}

/// What a run achieves, and on what.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) folder: PathBuf,
    /// SHA-256 of the split's pixels, in file order.
    pub(crate) pixels_sha256: String,
    pub(crate) found: Found,
}

#[derive(Debug)]
pub(crate) enum Found {
    Classifier(ClassifierEvaluation),
    Frames(FramesFound),
}

/// The evaluation of an autoencoder, with windows to look at.
#[derive(Debug)]
pub(crate) struct FramesFound {
    pub(crate) evaluation: FramesEvaluation,
    /// The clip of each window, by its index.
    pub(crate) clip_of_window: Vec<usize>,
    pub(crate) shape: juggle_dataset::ImageShape,
    /// The best, the median and the worst window by PSNR.
    pub(crate) shown: Vec<ShownWindow>,
    pub(crate) rollout: Option<Rollout>,
}

/// A window with its prediction; frames are CHW in [0, 1].
#[derive(Debug)]
pub(crate) struct ShownWindow {
    /// `best`, `median`, `worst`.
    pub(crate) rank: &'static str,
    pub(crate) index: usize,
    pub(crate) clip: String,
    /// The file of the true next frame.
    pub(crate) target: String,
    pub(crate) last: Vec<f32>,
    pub(crate) truth: Vec<f32>,
    pub(crate) prediction: Vec<f32>,
}

impl Outcome {
    /// Loads the weights and evaluates them; the threads must have been chosen before.
    pub(crate) fn measure(
        folder: &RunFolder,
        config: &RunConfig,
        wanted: &Wanted<'_>,
    ) -> Result<Self> {
        let data = wanted.data.unwrap_or(&config.data.path);
        if !data.is_dir() {
            bail!(
                "the data folder {} is not there, so nothing was measured; name it with --data",
                data.display()
            );
        }
        let stored = model::load(folder.path(), wanted.weights)?;
        let trained = model::with_engine(stored, wanted.machine)?;
        match &config.network {
            NetworkConfig::Classifier(_) => {
                let evaluation = classifier::evaluate(&trained, data, wanted.split)?;
                Ok(Self::of_classifier(evaluation, data))
            }
            NetworkConfig::Autoencoder(network) => {
                let split = wanted.split.unwrap_or(Split::Val);
                let clips = frames::read_clips(&trained, data, split)?;
                let examples = Examples::windows(&clips, network.input_frames, data)?;
                let evaluation = frames::measure(&trained, &examples, split)?;
                Self::of_frames(&trained, evaluation, &examples, data)
            }
        }
    }

    pub(crate) fn of_classifier(evaluation: ClassifierEvaluation, data: &Path) -> Self {
        Self {
            folder: data.to_owned(),
            pixels_sha256: hex(&Sha256::digest(&evaluation.images.pixels)),
            found: Found::Classifier(evaluation),
        }
    }

    /// Adds the windows to look at and the roll-out to an evaluation of `examples`, which are windows.
    pub(crate) fn of_frames(
        trained: &Trained,
        evaluation: FramesEvaluation,
        examples: &Examples<'_>,
        data: &Path,
    ) -> Result<Self> {
        let Examples::Windows {
            clips,
            windows,
            input_frames,
        } = examples
        else {
            bail!("an autoencoder is measured on windows of frames");
        };
        let shown = show(trained, &evaluation, examples, clips)?;
        let rollout = roll_out(trained, clips, *input_frames)?;
        Ok(Self {
            folder: data.to_owned(),
            pixels_sha256: hex(&Sha256::digest(&clips.pixels)),
            found: Found::Frames(FramesFound {
                clip_of_window: windows.iter().map(|window| window.clip).collect(),
                shape: clips.shape,
                shown,
                rollout,
                evaluation,
            }),
        })
    }

    pub(crate) fn split(&self) -> Split {
        match &self.found {
            Found::Classifier(found) => found.split,
            Found::Frames(found) => found.evaluation.split,
        }
    }

    pub(crate) fn n(&self) -> usize {
        match &self.found {
            Found::Classifier(found) => found.images.len(),
            Found::Frames(found) => found.evaluation.n,
        }
    }

    /// A number by its name: `loss`; `accuracy`, `recall:CLASS`, `precision:CLASS`; `psnr_db`, `ssim` and `ssim_gaussian`, which may be followed by
    /// `_vs_last_frame` or `_last_frame`.
    pub(crate) fn number(&self, metric: &str) -> Option<f64> {
        match &self.found {
            Found::Classifier(found) => match metric {
                "loss" => Some(found.loss),
                "accuracy" => Some(found.report.accuracy()),
                _ => of_class(found, metric),
            },
            Found::Frames(found) if metric == "loss" => Some(found.evaluation.loss),
            Found::Frames(found) => found.values(metric).map(mean),
        }
    }
}

impl FramesFound {
    /// One value a window, by the name of the metric.
    pub(crate) fn values(&self, metric: &str) -> Option<&[f64]> {
        let evaluation = &self.evaluation;
        let of = |rows: &'_ Option<Rows>| rows.is_some();
        let (rows, rest) = [
            ("ssim_gaussian", &evaluation.ssim_gaussian),
            ("psnr_db", &evaluation.psnr_db),
            ("ssim", &evaluation.ssim),
        ]
        .into_iter()
        .filter(|(_, rows)| of(rows))
        .find_map(|(name, rows)| Some((rows.as_ref()?, metric.strip_prefix(name)?)))?;
        match rest {
            "" => Some(&rows.prediction),
            "_vs_last_frame" => Some(&rows.prediction_vs_last_frame),
            "_last_frame" => Some(&rows.last_frame),
            _ => None,
        }
    }
}

/// A cell of the classification report.
fn of_class(found: &ClassifierEvaluation, metric: &str) -> Option<f64> {
    let (column, class) = metric.split_once(':')?;
    let i = found.images.classes.iter().position(|name| name == class)?;
    let row = found.report.classes().get(i)?;
    match column {
        "precision" => Some(row.precision),
        "recall" => Some(row.recall),
        _ => None,
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Predicts the best, the median and the worst window once more, to show them.
fn show(
    trained: &Trained,
    evaluation: &FramesEvaluation,
    examples: &Examples<'_>,
    clips: &Clips,
) -> Result<Vec<ShownWindow>> {
    let Examples::Windows {
        windows,
        input_frames,
        ..
    } = examples
    else {
        return Ok(vec![]);
    };
    let Some(rows) = &evaluation.psnr_db else {
        return Ok(vec![]);
    };
    let mut order: Vec<usize> = (0..examples.len()).collect();
    order.sort_by(|&a, &b| {
        rows.prediction[b]
            .total_cmp(&rows.prediction[a])
            .then(a.cmp(&b))
    });
    let mut ranks = vec![("best", order[0])];
    if order.len() > 2 {
        ranks.push(("median", order[order.len() / 2]));
    }
    if order.len() > 1 {
        ranks.push(("worst", order[order.len() - 1]));
    }
    let mut batch = Batch::default();
    ranks
        .into_iter()
        .map(|(rank, index)| {
            examples.fill(&[index], &mut batch);
            let window = windows[index];
            let clip = &clips.clips[window.clip];
            let target = window.first - clip.first + input_frames;
            Ok(ShownWindow {
                rank,
                index,
                clip: clip.name.clone(),
                target: clip.paths[target].display().to_string(),
                last: frames::last_frames(&batch.inputs, 1, clips.shape),
                truth: batch.frames.clone(),
                prediction: clamp_to_unit(&trained.engine.forward(&batch.inputs)?),
            })
        })
        .collect()
}
