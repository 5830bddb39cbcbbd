//! What a network is trained and measured on: labelled images, or windows of frames. One type for both,
//! so that there is one training loop and one evaluation loop.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use juggle_dataset::{Augment, Clips, ImageShape, LabelledImages, Window};
use juggle_metrics::psnr_batch;
use juggle_models::{Engine, Loss, Targets, loss_value};
use juggle_tracking::{Metrics, Number};
use ndarray::{ArrayView, ArrayView4};
use serde::{Deserialize, Serialize, Serializer};

use crate::exact;
use crate::output::json_number;

/// One split of a data folder, as examples with an index each.
#[derive(Debug)]
pub(crate) enum Examples<'a> {
    Images(&'a LabelledImages),
    Windows {
        clips: &'a Clips,
        windows: Vec<Window>,
        input_frames: usize,
    },
}

/// Network inputs with their targets. The buffers are filled again for each batch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// N×C×H×W in [0, 1]; for windows C is all channels of all input frames, oldest first.
    pub(crate) inputs: Vec<f32>,
    /// One class index an image; empty for windows.
    pub(crate) labels: Vec<u32>,
    /// N×C×H×W, the next frames; empty for labelled images.
    pub(crate) frames: Vec<f32>,
}

/// The mean over examples of what a network achieved on them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Score {
    pub(crate) loss: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accuracy: Option<f64>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "psnr_for_json"
    )]
    pub(crate) psnr_db: Option<f64>,
}

/// The random changes to the examples of one epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Augmentation<'a> {
    pub(crate) augment: &'a Augment,
    pub(crate) seed: u64,
    pub(crate) epoch: u64,
}

impl<'a> Examples<'a> {
    /// Every window of `input_frames` frames and a target. `folder` names the source in an error.
    pub(crate) fn windows(clips: &'a Clips, input_frames: usize, folder: &Path) -> Result<Self> {
        let windows = clips
            .windows(input_frames)
            .with_context(|| folder.display().to_string())?;
        Ok(Self::Windows {
            clips,
            windows,
            input_frames,
        })
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Images(images) => images.len(),
            Self::Windows { windows, .. } => windows.len(),
        }
    }

    /// The files, relative to the data folder.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Images(images) => images.paths.iter().map(PathBuf::as_path).collect(),
            Self::Windows { clips, .. } => {
                let paths = clips.clips.iter().flat_map(|clip| &clip.paths);
                paths.map(PathBuf::as_path).collect()
            }
        }
    }

    /// Shape of one image, or of one frame.
    pub(crate) fn shape(&self) -> ImageShape {
        match self {
            Self::Images(images) => images.shape,
            Self::Windows { clips, .. } => clips.shape,
        }
    }

    /// Whether these examples can be transformed.
    pub(crate) fn check_augment(&self, augment: &Augment) -> Result<()> {
        match self {
            Self::Images(images) => images.check_augment(augment)?,
            Self::Windows { clips, .. } => clips.check_augment(augment)?,
        }
        Ok(())
    }

    pub(crate) fn fill(&self, indices: &[usize], batch: &mut Batch) {
        match self {
            Self::Images(images) => {
                images.fill_batch(indices, &mut batch.inputs, &mut batch.labels);
            }
            Self::Windows {
                clips,
                windows,
                input_frames,
            } => {
                let chosen: Vec<_> = indices.iter().map(|&i| windows[i]).collect();
                clips.fill_batch(&chosen, *input_frames, &mut batch.inputs, &mut batch.frames);
            }
        }
    }

    pub(crate) fn fill_augmented(
        &self,
        indices: &[usize],
        by: Augmentation<'_>,
        batch: &mut Batch,
    ) -> Result<()> {
        let Augmentation {
            augment,
            seed,
            epoch,
        } = by;
        let Batch {
            inputs,
            labels,
            frames,
        } = batch;
        match self {
            Self::Images(images) => {
                images.fill_augmented_batch(indices, augment, seed, epoch, inputs, labels)?;
            }
            Self::Windows {
                clips,
                windows,
                input_frames,
            } => {
                let windows: Vec<_> = indices.iter().map(|&i| windows[i]).collect();
                let k = *input_frames;
                clips.fill_augmented_batch(&windows, k, augment, seed, epoch, inputs, frames)?;
            }
        }
        Ok(())
    }

    /// Runs the network over all examples in order, in evaluation mode, and hands each batch with its
    /// outputs to `visit`, which may stop it with an error.
    pub(crate) fn forward(
        &self,
        engine: &dyn Engine,
        mut visit: impl FnMut(&[usize], &Batch, &[f32]) -> Result<()>,
    ) -> Result<()> {
        let indices: Vec<usize> = (0..self.len()).collect();
        let mut batch = Batch::default();
        for chunk in indices.chunks(evaluation_batch_size(self.shape())) {
            self.fill(chunk, &mut batch);
            let outputs = engine.forward(&batch.inputs)?;
            visit(chunk, &batch, &outputs)?;
        }
        Ok(())
    }
}

impl Batch {
    pub(crate) fn targets(&self) -> Targets<'_> {
        if self.labels.is_empty() {
            Targets::Images(&self.frames)
        } else {
            Targets::Labels(&self.labels)
        }
    }
}

/// Sums over batches, to be divided at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tally {
    n: usize,
    #[serde(with = "exact")]
    loss: f64,
    correct: usize,
    #[serde(with = "exact")]
    psnr_db: f64,
    labelled: bool,
    compared: bool,
}

impl Tally {
    /// Adds a training batch, whose loss the engine has computed.
    pub(crate) fn add_step(&mut self, loss: f64, outputs: &[f32], batch: &Batch, n: usize) {
        let weight = n as f64;
        self.n += n;
        self.loss += loss * weight;
        self.labelled = !batch.labels.is_empty();
        for (logits, &label) in outputs.chunks_exact(outputs.len() / n).zip(&batch.labels) {
            self.correct += usize::from(argmax(logits) == label as usize);
        }
    }

    /// Adds a batch of an evaluation: loss, and accuracy or PSNR.
    pub(crate) fn add_evaluation(
        &mut self,
        loss: Loss,
        outputs: &[f32],
        batch: &Batch,
        (n, shape): (usize, ImageShape),
    ) -> Result<()> {
        self.add_step(
            loss_value(loss, outputs, batch.targets())?,
            outputs,
            batch,
            n,
        );
        if batch.labels.is_empty() {
            let clamped = clamp_to_unit(outputs);
            let values = psnr_batch(images(&batch.frames, shape), images(&clamped, shape), 1.0)?;
            self.psnr_db += values.iter().sum::<f64>();
            self.compared = true;
        }
        Ok(())
    }

    pub(crate) fn score(&self) -> Score {
        let (n, correct) = (self.n as f64, self.correct as f64);
        Score {
            loss: self.loss / n,
            accuracy: self.labelled.then_some(correct / n),
            psnr_db: self.compared.then_some(self.psnr_db / n),
        }
    }
}

impl Score {
    /// By the names that the event log uses.
    pub(crate) fn metrics(&self) -> Metrics {
        let values = [
            ("loss", Some(self.loss)),
            ("accuracy", self.accuracy),
            ("psnr_db", self.psnr_db),
        ];
        let known = values
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        known
            .map(|(name, value)| (name.to_owned(), Number(value)))
            .collect()
    }
}

/// The class with the largest logit; of equal ones the first, as in PyTorch.
pub(crate) fn argmax(logits: &[f32]) -> usize {
    let mut best = 0;
    for (class_idx, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = class_idx;
        }
    }
    best
}

/// The autoencoder's head is linear, so its outputs leave the range of pixels now and then.
pub(crate) fn clamp_to_unit(outputs: &[f32]) -> Vec<f32> {
    outputs.iter().map(|x| x.clamp(0.0, 1.0)).collect()
}

/// The nearest 8-bit value of a pixel in [0, 1].
pub(crate) fn byte_from_unit(x: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 0..=255 before")]
    let byte = (x.clamp(0.0, 1.0) * 255.0).round() as u8;
    byte
}

/// A flat batch as N×C×H×W.
pub(crate) fn images(pixels: &[f32], shape: ImageShape) -> ArrayView4<'_, f32> {
    let n = pixels.len() / shape.len();
    ArrayView::from_shape((n, shape.channels, shape.height, shape.width), pixels)
        .expect("a batch is a whole number of images")
}

/// 256 images of the size that the networks are made for, and fewer larger ones: memory stays bounded.
fn evaluation_batch_size(shape: ImageShape) -> usize {
    const IMAGES: usize = 256;
    const PIXELS: usize = IMAGES * 64 * 64;
    (PIXELS / (shape.height * shape.width).max(1)).clamp(1, IMAGES)
}

fn psnr_for_json<S: Serializer>(psnr_db: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    psnr_db.map(json_number).serialize(serializer)
}
