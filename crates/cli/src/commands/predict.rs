//! `juggle predict`: a trained run on images of the user's own.

mod classifier;
mod frames;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use juggle_dataset::{Image, ImageShape, Limits, read_png};

use crate::args::PredictArgs;
use crate::config::{NetworkConfig, RunConfig};
use crate::failure::Usage;
use crate::model;
use crate::output::Messages;

pub(crate) fn run(args: &PredictArgs, messages: Messages) -> Result<()> {
    let trained = model::open(&args.run, args.weights, &args.machine)?;
    match &trained.config.network {
        NetworkConfig::Classifier(_) => {
            if args.frames.is_some() || args.out.is_some() || args.overwrite {
                return Err(
                    Usage::new("--frames, --out and --overwrite are for autoencoders").into(),
                );
            }
            classifier::predict(&trained, &args.images, args.json)
        }
        NetworkConfig::Autoencoder(network) => {
            frames::predict(&trained, network.input_frames, args, messages)
        }
    }
}

/// Reads images in the channels of the run; their size must be the run's.
fn read_images(paths: &[PathBuf], config: &RunConfig) -> Result<Vec<f32>> {
    let expected = config.data.image_shape();
    let mut inputs = Vec::with_capacity(paths.len() * expected.len());
    for path in paths {
        let image = read_image(path, config, expected)?;
        inputs.extend(image.pixels.iter().map(|&byte| unit_from_u8(byte)));
    }
    Ok(inputs)
}

fn read_image(path: &Path, config: &RunConfig, expected: ImageShape) -> Result<Image> {
    if path.is_dir() {
        bail!("{} is a folder, expected PNG files", path.display());
    }
    let color = config.data.color_mode();
    let image = read_png(path, color, &Limits::default())?;
    if image.shape != expected {
        bail!(
            "{} is {}×{} pixels, but the run was trained on {}×{} (height×width)",
            path.display(),
            image.shape.height,
            image.shape.width,
            expected.height,
            expected.width
        );
    }
    Ok(image)
}

/// The network's inputs are in [0, 1], as in training.
fn unit_from_u8(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}
