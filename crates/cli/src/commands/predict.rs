//! `juggle predict`: a trained run on images of the user's own.

mod classifier;
mod clip;
mod explain;
mod film;
mod frames;
mod overlay;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use juggle_dataset::{Image, ImageShape, Limits, read_png};

use crate::args::predict::{ExplainArgs, PredictArgs, RollOutArgs};
use crate::config::{NetworkConfig, RunConfig};
use crate::failure::Usage;
use crate::model;
use crate::output::Messages;

pub(crate) fn run(args: &PredictArgs, messages: Messages) -> Result<()> {
    let trained = model::open(&args.run, args.weights, &args.machine)?;
    match &trained.config.network {
        NetworkConfig::Classifier(_) => {
            check_classifier(args)?;
            classifier::predict(&trained, args)
        }
        NetworkConfig::Autoencoder(network) => {
            check_autoencoder(&args.explain)?;
            frames::predict(&trained, network.input_frames, args, messages)
        }
    }
}

fn check_classifier(args: &PredictArgs) -> Result<(), Usage> {
    let RollOutArgs { steps, start } = args.roll_out;
    if steps.is_some() || start.is_some() {
        return Err(Usage::new("--steps and --start are for autoencoders"));
    }
    if !args.explain.explain && (args.out.is_some() || args.overwrite) {
        return Err(Usage::new(
            "a classifier writes pictures with --explain alone: --out and --overwrite need it",
        ));
    }
    Ok(())
}

fn check_autoencoder(args: &ExplainArgs) -> Result<(), Usage> {
    if args.explain {
        return Err(Usage::new("--explain is for classifiers"));
    }
    Ok(())
}

/// Refuses to write over a file before anything is computed, and makes the folder.
fn prepare(out: &Path, files: &[PathBuf], overwrite: Overwrite) -> Result<()> {
    if overwrite == Overwrite::No
        && let Some(file) = files.iter().find(|file| file.exists())
    {
        bail!(
            "{} exists: choose another --out, or replace it with --overwrite",
            file.display()
        );
    }
    std::fs::create_dir_all(out)
        .with_context(|| format!("cannot create the folder {}", out.display()))
}

/// Whether files that exist are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overwrite {
    No,
    Yes,
}

impl Overwrite {
    fn of(args: &PredictArgs) -> Self {
        if args.overwrite { Self::Yes } else { Self::No }
    }
}

/// Where pictures go.
fn out(args: &PredictArgs) -> &Path {
    args.out.as_deref().unwrap_or(Path::new("."))
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
