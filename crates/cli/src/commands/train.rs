//! `juggle train`: read the folder, build the network, train, write the run.

mod begin;
mod board;
mod epochs;
mod fingerprint;
mod position;
mod saving;
mod stop;
mod timed;
mod training;

use std::time::Instant;

use anyhow::{Result, bail};
use juggle_dataset::{ClipFolder, ImageFolder};
use juggle_tracking::Disk;

use crate::args::MachineArgs;
use crate::args::train::{RunArgs, TrainCommand};
use crate::commands::report;
use crate::config::{NetworkConfig, RunConfig, resolve_autoencoder, resolve_classifier};
use crate::examples::Examples;
use crate::model::{self, Machine};
use crate::output::{self, Messages};
use crate::progress::describe;
use crate::run::{self, Existing};
pub(super) use begin::{Begin, DataChange};
pub(super) use fingerprint::DataHashes;
pub(super) use stop::Stop;
pub(super) use training::Training;

pub(crate) fn run(command: &TrainCommand, messages: Messages) -> Result<()> {
    let (args, config) = match command {
        TrainCommand::Classifier(args) => {
            (&args.run, resolve_classifier(&args.run, &args.settings)?)
        }
        TrainCommand::Autoencoder(args) => {
            (&args.run, resolve_autoencoder(&args.run, &args.settings)?)
        }
    };
    match &config.network {
        NetworkConfig::Classifier(_) => classifier(args, config, messages),
        NetworkConfig::Autoencoder(network) => {
            autoencoder(args, network.input_frames, config, messages)
        }
    }
}

fn classifier(args: &RunArgs, mut config: RunConfig, messages: Messages) -> Result<()> {
    prepare(args, &config)?;
    let folder = read_images(&mut config)?;
    let path = config.data.path.display();
    messages.note(format_args!("{path}: {}", folder.origin));
    let (train, val) = (
        Examples::Images(&folder.train),
        Examples::Images(&folder.val),
    );
    train_on(args, &config, &train, &val, messages)
}

fn autoencoder(
    args: &RunArgs,
    input_frames: usize,
    mut config: RunConfig,
    messages: Messages,
) -> Result<()> {
    prepare(args, &config)?;
    let folder = read_clips(&mut config)?;
    let path = &config.data.path;
    messages.note(format_args!("{}: {}", path.display(), folder.origin));
    let train = Examples::windows(&folder.train, input_frames, path)?;
    let val = Examples::windows(&folder.val, input_frames, path)?;
    train_on(args, &config, &train, &val, messages)
}

/// The images of a classifier's data folder; the configuration then says what was found.
pub(super) fn read_images(config: &mut RunConfig) -> Result<ImageFolder> {
    let path = config.data.path.clone();
    let started = Instant::now();
    let folder = ImageFolder::read(&path, &config.data.read_options())?;
    tracing::info!("read {} in {:.2?}", path.display(), started.elapsed());
    config
        .data
        .settle(folder.train.shape, &folder.train.classes)?;
    if folder.train.classes.len() < 2 {
        bail!(
            "{} has one class ({}): a classifier needs two or more",
            path.display(),
            folder.train.classes.join("")
        );
    }
    Ok(folder)
}

/// The clips of an autoencoder's data folder; the configuration then says what was found.
pub(super) fn read_clips(config: &mut RunConfig) -> Result<ClipFolder> {
    let path = config.data.path.clone();
    let started = Instant::now();
    let folder = ClipFolder::read(&path, &config.data.read_options())?;
    tracing::info!("read {} in {:.2?}", path.display(), started.elapsed());
    config.data.settle(folder.train.shape, &[])?;
    Ok(folder)
}

/// What can fail at once does, before the data are read.
fn prepare(args: &RunArgs, config: &RunConfig) -> Result<()> {
    if let Some(path) = &args.run {
        run::check(path, existing(args))?;
    }
    Machine::of(config)?;
    model::use_threads(config.threads)
}

fn existing(args: &RunArgs) -> Existing {
    match (args.resume, args.overwrite) {
        (true, _) => Existing::Resume,
        (_, true) => Existing::Replace,
        _ => Existing::Refuse,
    }
}

fn train_on(
    args: &RunArgs,
    config: &RunConfig,
    train: &Examples<'_>,
    val: &Examples<'_>,
    messages: Messages,
) -> Result<()> {
    let begin = Begin {
        existing: existing(args),
        data: if args.allow_changed_data {
            DataChange::Allowed
        } else {
            DataChange::Refused
        },
        hashes: DataHashes::read(&config.data.path, &[train, val])?,
        disk: Disk::default(),
        stop: Stop::on_signals(&config.saving)?,
        messages,
    };
    let training = begin.open(args.run.as_deref(), config, train, val)?;
    let metrics = training.run()?;
    output::print(format_args!(
        "run    {}\ntrain  {}\nval    {}\nbest   epoch {} of {}",
        metrics.run.display(),
        describe(metrics.train),
        describe(metrics.val),
        metrics.best_epoch,
        metrics.epochs
    ))?;
    let machine = MachineArgs {
        threads: Some(config.threads),
        device: Some(config.device.clone()),
        engine: Some(config.engine),
    };
    report::after_training(&metrics.run, &machine, messages);
    Ok(())
}

#[cfg(test)]
mod tests;
