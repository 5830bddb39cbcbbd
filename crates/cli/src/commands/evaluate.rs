//! `juggle evaluate`: a trained run on one split of a data folder.

mod classifier;
mod frames;
mod pictures;
mod predictions;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use juggle_dataset::Split;

use super::report::after_evaluation;
use crate::args::EvaluateArgs;
use crate::config::{NetworkConfig, RunConfig};
use crate::evaluation;
use crate::examples::Examples;
use crate::failure::Usage;
use crate::model::{self, Trained};
use crate::output::Messages;
use crate::report::outcome::Outcome;

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
            let found = evaluation::classifier::evaluate(&trained, &folder, Some(split))?;
            if let Some(file) = &args.predictions {
                predictions::write(&found, file)?;
            }
            classifier::print(&found, args.json)?;
            if args.no_report {
                return Ok(());
            }
            let outcome = Outcome::of_classifier(found, &folder);
            after_evaluation(&trained, args.weights, outcome, messages)
        }
        NetworkConfig::Autoencoder(network) => {
            if args.predictions.is_some() {
                return Err(Usage::new("--predictions is for classifiers").into());
            }
            let split = args.split.map_or(Split::Val, Split::from);
            note(&trained, args, &folder, split, messages);
            let clips = evaluation::frames::read_clips(&trained, &folder, split)?;
            let examples = Examples::windows(&clips, network.input_frames, &folder)?;
            let found = evaluation::frames::measure(&trained, &examples, split)?;
            if let Some(file) = &args.pictures {
                pictures::write(&trained, &examples, file)?;
            }
            frames::print(&found, args.json)?;
            if args.no_report {
                return Ok(());
            }
            let outcome = Outcome::of_frames(&trained, found, &examples, &folder)?;
            after_evaluation(&trained, args.weights, outcome, messages)
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
