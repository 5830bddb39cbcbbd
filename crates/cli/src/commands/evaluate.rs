//! `juggle evaluate`: a trained run on one split of a data folder.

mod classifier;
mod frames;
mod pictures;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use juggle_dataset::{ImageShape, Split};

use crate::args::EvaluateArgs;
use crate::config::{NetworkConfig, RunConfig, list};
use crate::failure::Usage;
use crate::model::{self, Trained};
use crate::output::Messages;

pub(crate) fn run(args: &EvaluateArgs, messages: Messages) -> Result<()> {
    let trained = model::open(&args.run, args.weights, &args.machine)?;
    let folder = data_folder(args, &trained.config)?;
    match &trained.config.network {
        NetworkConfig::Classifier(_) => {
            if args.pictures.is_some() {
                return Err(Usage::new("--pictures is for autoencoders").into());
            }
            let split = args.split.map_or(Split::Test, Split::from);
            note(&trained, args, &folder, split, messages);
            classifier::evaluate(&trained, &folder, split, args.json)
        }
        NetworkConfig::Autoencoder(network) => {
            let split = args.split.map_or(Split::Val, Split::from);
            note(&trained, args, &folder, split, messages);
            frames::evaluate(&trained, network.input_frames, &folder, split, args)
        }
    }
}

fn data_folder(args: &EvaluateArgs, config: &RunConfig) -> Result<PathBuf> {
    match &args.data {
        Some(path) => Ok(path.clone()),
        None if config.data.path.is_dir() => Ok(config.data.path.clone()),
        None => bail!(
            "the run was trained on {}, which is not there any more: name the data folder with --data",
            config.data.path.display()
        ),
    }
}

fn note(trained: &Trained, args: &EvaluateArgs, folder: &Path, split: Split, messages: Messages) {
    messages.note(format_args!(
        "evaluating {} on the {split} split of {}",
        trained.folder.file(args.weights.file_name()).display(),
        folder.display()
    ));
}

/// The data must be what the run was trained on: same channels, same size.
fn check_shape(found: ImageShape, config: &RunConfig, folder: &Path) -> Result<()> {
    let expected = config.data.image_shape();
    if found != expected {
        bail!(
            "{} has images of {found}, but the run was trained on {expected}",
            folder.display()
        );
    }
    Ok(())
}

fn check_classes(found: &[String], config: &RunConfig, folder: &Path) -> Result<()> {
    let expected = &config.data.classes;
    if found != expected {
        bail!(
            "{} has {} classes ({}), but the run was trained on {} ({})",
            folder.display(),
            found.len(),
            list(found),
            expected.len(),
            list(expected)
        );
    }
    Ok(())
}

/// The sentence for a split that the folder does not have.
fn no_split(folder: &Path, split: Split) -> anyhow::Error {
    anyhow::anyhow!(
        "{} has no {split} split: choose another with --split",
        folder.display()
    )
}
