//! An autoencoder on the windows of one split: how near its frames are to the true ones, beside two comparisons that
//! say what the number means: with the last frame it saw (does it merely copy?) and between the truth
//! and that last frame (what would copying score?).

use std::path::Path;

use anyhow::Result;
use juggle_dataset::{ClipFolder, Clips, ImageShape, Split};
use juggle_metrics::{Convention, Ssim, psnr_batch};
use juggle_models::loss_value;
use ndarray::ArrayView4;

use super::{check_shape, no_split};
use crate::config::Kind;
use crate::examples::{Examples, clamp_to_unit, images};
use crate::model::{self, Trained};

/// One metric of every window, for the three pairs of frames.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    /// Prediction against truth.
    pub(crate) prediction: Vec<f64>,
    pub(crate) prediction_vs_last_frame: Vec<f64>,
    /// Truth against the last input frame: what copying would score.
    pub(crate) last_frame: Vec<f64>,
}

/// What the predictions for a split come to.
#[derive(Debug)]
pub(crate) struct FramesEvaluation {
    pub(crate) split: Split,
    pub(crate) n: usize,
    /// The mean squared error.
    pub(crate) loss: f64,
    pub(crate) psnr_db: Option<Rows>,
    /// None when the frames are smaller than the window, as is `ssim_gaussian`.
    pub(crate) ssim: Option<Rows>,
    pub(crate) ssim_gaussian: Option<Rows>,
}

#[derive(Clone, Copy)]
pub(crate) enum Metric {
    Psnr,
    Ssim(Convention),
}

impl Metric {
    /// One value an image.
    pub(crate) fn of(
        self,
        truth: ArrayView4<'_, f32>,
        prediction: ArrayView4<'_, f32>,
    ) -> juggle_metrics::Result<Vec<f64>> {
        match self {
            Self::Psnr => psnr_batch(truth, prediction, DATA_RANGE),
            Self::Ssim(convention) => Ssim::new(convention, DATA_RANGE).batch(truth, prediction),
        }
    }
}

const METRICS: [Metric; 3] = [
    Metric::Psnr,
    Metric::Ssim(Convention::ScikitImage),
    Metric::Ssim(Convention::ScikitImageGaussian),
];

/// The pixels are in [0, 1].
const DATA_RANGE: f64 = 1.0;

/// Reads the clips of the split, which must be those that the run was trained for.
pub(crate) fn read_clips(trained: &Trained, folder: &Path, split: Split) -> Result<Clips> {
    let clips = ClipFolder::read(folder, &trained.config.data.read_options())?;
    let clips = clips.split(split).ok_or_else(|| no_split(folder, split))?;
    check_shape(clips.shape, &trained.config, folder)?;
    Ok(clips.clone())
}

/// Predicts every window and compares.
pub(crate) fn measure(
    trained: &Trained,
    examples: &Examples<'_>,
    split: Split,
) -> Result<FramesEvaluation> {
    let shape = examples.shape();
    let loss = model::evaluation_loss(Kind::Autoencoder);
    let mut total_loss = 0.0;
    // None for a metric whose window is larger than the frames.
    let mut values = [const { Some([Vec::new(), Vec::new(), Vec::new()]) }; METRICS.len()];
    examples.forward(&*trained.engine, |indices, batch, outputs| {
        total_loss += loss_value(loss, outputs, batch.targets())? * indices.len() as f64;
        let prediction = clamp_to_unit(outputs);
        let last = last_frames(&batch.inputs, indices.len(), shape);
        let pairs = [
            (&batch.frames, &prediction),
            (&last, &prediction),
            (&batch.frames, &last),
        ];
        for (metric, values) in METRICS.iter().zip(&mut values) {
            for (i, (truth, prediction)) in pairs.into_iter().enumerate() {
                let found = metric.of(images(truth, shape), images(prediction, shape));
                match (found, &mut *values) {
                    (Ok(found), Some(values)) => values[i].extend(found),
                    (Err(juggle_metrics::Error::ImageTooSmall { .. }), _) | (Ok(_), None) => {
                        *values = None;
                    }
                    (Err(error), _) => return Err(error.into()),
                }
            }
        }
        Ok(())
    })?;
    let n = examples.len();
    let [psnr_db, ssim, ssim_gaussian] = values.map(|values| {
        values.map(|[prediction, prediction_vs_last_frame, last_frame]| Rows {
            prediction,
            prediction_vs_last_frame,
            last_frame,
        })
    });
    Ok(FramesEvaluation {
        split,
        n,
        loss: total_loss / n as f64,
        psnr_db,
        ssim,
        ssim_gaussian,
    })
}

/// The newest input frame of each window: the last channels of N×(K·C)×H×W.
pub(crate) fn last_frames(inputs: &[f32], n: usize, shape: ImageShape) -> Vec<f32> {
    inputs
        .chunks_exact(inputs.len() / n)
        .flat_map(|window| &window[window.len() - shape.len()..])
        .copied()
        .collect()
}
