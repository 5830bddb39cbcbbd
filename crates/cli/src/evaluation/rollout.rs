//! An autoencoder fed on its own output: how fast its predictions wear off.

use anyhow::Result;
use juggle_dataset::{Clips, ImageShape};
use juggle_metrics::Convention;

use super::frames::Metric;
use crate::examples::{clamp_to_unit, images};
use crate::model::Trained;

/// Frames that a roll-out predicts, where a clip is long enough.
pub(crate) const HORIZON: usize = 10;

/// Clips that are rolled out at most, all at once.
pub(crate) const MAX_CLIPS: usize = 64;

/// One roll-out a clip, from its first frames, which are true.
#[derive(Debug)]
pub(crate) struct Rollout {
    pub(crate) steps: Vec<Step>,
    /// What the first clip showed and what was predicted for it: `steps` frames each, CHW in [0, 1].
    pub(crate) truth: Vec<Vec<f32>>,
    pub(crate) prediction: Vec<Vec<f32>>,
}

/// One horizon, with a value for each clip.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) psnr_db: Vec<f64>,
    /// None when the frames are smaller than the window.
    pub(crate) ssim: Option<Vec<f64>>,
    /// Of the last true input frame held still.
    pub(crate) copy_psnr_db: Vec<f64>,
    pub(crate) copy_ssim: Option<Vec<f64>>,
}

/// Rolls out the first clips that have `input_frames` and [`HORIZON`] frames; nothing when no clip has.
pub(crate) fn roll_out(
    trained: &Trained,
    clips: &Clips,
    input_frames: usize,
) -> Result<Option<Rollout>> {
    let chosen: Vec<usize> = clips
        .clips
        .iter()
        .filter(|clip| clip.frames >= input_frames + HORIZON)
        .take(MAX_CLIPS)
        .map(|clip| clip.first)
        .collect();
    if chosen.is_empty() {
        return Ok(None);
    }
    let frame = |i: usize| clips.frame(i).iter().map(|&byte| f32::from(byte) / 255.0);
    let mut windows: Vec<f32> = chosen
        .iter()
        .flat_map(|&first| (first..first + input_frames).flat_map(frame))
        .collect();
    let last: Vec<f32> = chosen
        .iter()
        .flat_map(|&first| frame(first + input_frames - 1))
        .collect();
    let (size, mut rollout) = (
        clips.shape.len(),
        Rollout {
            steps: vec![],
            truth: vec![],
            prediction: vec![],
        },
    );
    for step in 0..HORIZON {
        let predicted = clamp_to_unit(&trained.engine.forward(&windows)?);
        let truth: Vec<f32> = chosen
            .iter()
            .flat_map(|&first| frame(first + input_frames + step))
            .collect();
        rollout
            .steps
            .push(compare(&truth, &predicted, &last, clips.shape)?);
        rollout.truth.push(truth[..size].to_vec());
        rollout.prediction.push(predicted[..size].to_vec());
        windows = windows
            .chunks_exact(size * input_frames)
            .zip(predicted.chunks_exact(size))
            .flat_map(|(window, next)| window[size..].iter().chain(next))
            .copied()
            .collect();
    }
    Ok(Some(rollout))
}

fn compare(truth: &[f32], predicted: &[f32], last: &[f32], shape: ImageShape) -> Result<Step> {
    let (truth, predicted, last) = (
        images(truth, shape),
        images(predicted, shape),
        images(last, shape),
    );
    let ssim = |other| match Metric::Ssim(Convention::ScikitImage).of(truth, other) {
        Err(juggle_metrics::Error::ImageTooSmall { .. }) => Ok(None),
        found => found.map(Some),
    };
    Ok(Step {
        psnr_db: Metric::Psnr.of(truth, predicted)?,
        ssim: ssim(predicted)?,
        copy_psnr_db: Metric::Psnr.of(truth, last)?,
        copy_ssim: ssim(last)?,
    })
}
