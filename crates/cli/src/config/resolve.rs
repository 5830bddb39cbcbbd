//! Flags on top of the file and the defaults, and the check of what comes out.

use anyhow::{Context as _, Result, anyhow, bail};
use juggle_tracking::run::CONFIG;

use super::{Kind, NetworkConfig, OptimizerKind, RunConfig, SavingConfig, ScheduleName, layers};
use crate::args::data::SplitArgs;
use crate::args::train::{AutoencoderSettings, ClassifierSettings, RunArgs, TrainingArgs};
use crate::args::{MachineArgs, values};
use crate::failure::Usage;

pub(crate) fn resolve_classifier(run: &RunArgs, args: &ClassifierSettings) -> Result<RunConfig> {
    let mut config = base(Kind::Classifier, run)?;
    let (training, split, machine) = (&args.training, &args.split, &args.machine);
    apply(&mut config, run, training, split, machine);
    set(&mut config.training.epochs, args.epochs);
    set(&mut config.training.batch_size, args.batch_size);
    set(&mut config.training.label_smoothing, args.label_smoothing);
    if let NetworkConfig::Classifier(network) = &mut config.network {
        set(&mut network.batch_norm, training.batch_norm);
    }
    finish(config, run, training)
}

pub(crate) fn resolve_autoencoder(run: &RunArgs, args: &AutoencoderSettings) -> Result<RunConfig> {
    let mut config = base(Kind::Autoencoder, run)?;
    let (training, split, machine) = (&args.training, &args.split, &args.machine);
    apply(&mut config, run, training, split, machine);
    set(&mut config.training.epochs, args.epochs);
    set(&mut config.training.batch_size, args.batch_size);
    if let NetworkConfig::Autoencoder(network) = &mut config.network {
        set(&mut network.batch_norm, training.batch_norm);
        set(&mut network.input_frames, args.input_frames);
        let widths = args.widths.clone().map(|widths| widths.0);
        set(&mut network.widths, widths);
        set(&mut network.skip, args.no_skip.map(|no_skip| !no_skip));
    }
    finish(config, run, training)
}

/// What the flags come on top of: the file that is named, the configuration of the run that is resumed, or the defaults.
fn base(kind: Kind, args: &RunArgs) -> Result<RunConfig> {
    if let Some(path) = &args.config {
        return layers::read_over_defaults(kind, path);
    }
    match args.run.as_ref().map(|run| run.join(CONFIG)) {
        Some(path) if args.resume && path.exists() => layers::read_over_defaults(kind, &path),
        _ => Ok(RunConfig::defaults(kind)),
    }
}

fn apply(
    config: &mut RunConfig,
    run: &RunArgs,
    training: &TrainingArgs,
    split: &SplitArgs,
    machine: &MachineArgs,
) {
    if let Some(path) = &run.data {
        config.data.path.clone_from(path);
        // What the file records of another folder does not bind this one.
        (config.data.height, config.data.width) = (0, 0);
        config.data.classes.clear();
    }
    set(&mut config.data.channels, run.channels);
    set(&mut config.data.val_fraction, split.val_fraction);
    set(&mut config.data.test_fraction, split.test_fraction);
    set(&mut config.data.split_seed, split.split_seed);
    set(&mut config.seed, training.seed);
    set(&mut config.threads, machine.threads);
    set(&mut config.device, machine.device.clone());
    set(&mut config.engine, machine.engine);

    let to = &mut config.training;
    set(&mut to.optimizer, training.optimizer);
    set(&mut to.learning_rate, training.lr);
    set(&mut to.weight_decay, training.weight_decay);
    set(&mut to.momentum, training.momentum);
    set(&mut to.schedule, training.schedule);
    set(&mut to.warmup_epochs, training.warmup_epochs);
    set(&mut to.step_epochs, training.step_epochs);
    set(&mut to.step_gamma, training.step_gamma);
    set(&mut to.ema, training.ema);
    set(&mut to.augment, training.augment.clone());
    set(&mut to.clip_norm, training.clip_norm);
    set(&mut to.on_nan, training.on_nan);
    set(&mut to.patience, training.patience);

    let (to, saving) = (&mut config.saving, &training.saving);
    set(&mut to.checkpoint_steps, saving.checkpoint_steps);
    set(&mut to.checkpoint_minutes, saving.checkpoint_minutes);
    set(&mut to.keep_checkpoints, saving.keep_checkpoints);
    set(&mut to.log_steps, saving.log_steps);
    set(&mut to.max_minutes, saving.max_minutes);
    set(
        &mut to.tensorboard,
        saving.no_tensorboard.map(|no_tensorboard| !no_tensorboard),
    );
}

fn set<T>(target: &mut T, flag: Option<T>) {
    if let Some(value) = flag {
        *target = value;
    }
}

fn finish(mut config: RunConfig, run: &RunArgs, flags: &TrainingArgs) -> Result<RunConfig> {
    if run.resume && run.run.is_none() {
        return Err(Usage::new("--resume needs --run DIR: the run to go on with").into());
    }
    if config.data.path.as_os_str().is_empty() {
        return Err(Usage::new("--data DIR is needed: the folder with the training images").into());
    }
    if flags.momentum.is_some() && config.training.optimizer != OptimizerKind::Sgd {
        return Err(Usage::new("--momentum is for --optimizer sgd").into());
    }
    let step_flags = flags.step_epochs.is_some() || flags.step_gamma.is_some();
    if step_flags && config.training.schedule != ScheduleName::Step {
        return Err(Usage::new("--step-epochs and --step-gamma are for --schedule step").into());
    }
    if let Err(error) = check(&config) {
        return match &run.config {
            Some(path) => Err(error.context(format!("in {} or the flags", path.display()))),
            None => Err(Usage::new(error.to_string()).into()),
        };
    }
    // Absolute, so that the run can be evaluated and repeated from any folder.
    config.data.path = std::fs::canonicalize(&config.data.path)
        .with_context(|| format!("cannot read the data folder {}", config.data.path.display()))?;
    Ok(config)
}

/// Whether all values are within their ranges. The flags' own parsers are the one definition of each range, so that a
/// value from a file is held to the same.
pub(crate) fn check(config: &RunConfig) -> Result<()> {
    let training = &config.training;
    within("training.epochs", &training.epochs, values::parse_count)?;
    within(
        "training.batch_size",
        &training.batch_size,
        values::parse_count,
    )?;
    within(
        "training.learning_rate",
        &training.learning_rate,
        values::parse_positive,
    )?;
    within(
        "training.weight_decay",
        &training.weight_decay,
        values::parse_non_negative,
    )?;
    within(
        "training.momentum",
        &training.momentum,
        values::parse_fraction,
    )?;
    within(
        "training.warmup_epochs",
        &training.warmup_epochs,
        values::parse_non_negative,
    )?;
    within(
        "training.step_epochs",
        &training.step_epochs,
        values::parse_count,
    )?;
    within(
        "training.step_gamma",
        &training.step_gamma,
        values::parse_factor,
    )?;
    within(
        "training.label_smoothing",
        &training.label_smoothing,
        values::parse_fraction,
    )?;
    within("training.ema", &training.ema, values::parse_fraction)?;
    within("training.augment", &training.augment, values::parse_augment)?;
    within(
        "training.clip_norm",
        &training.clip_norm,
        values::parse_non_negative,
    )?;
    check_saving(&config.saving)?;
    within("device", &config.device, values::parse_device)?;
    within("threads", &config.threads, values::parse_threads)?;
    within(
        "data.val_fraction",
        &config.data.val_fraction,
        values::parse_inner_fraction,
    )?;
    within(
        "data.test_fraction",
        &config.data.test_fraction,
        values::parse_fraction,
    )?;
    if config.data.val_fraction + config.data.test_fraction >= 1.0 {
        bail!(
            "val_fraction and test_fraction leave nothing to train on: their sum must be below 1"
        );
    }
    if let NetworkConfig::Autoencoder(network) = &config.network {
        within(
            "network.input_frames",
            &network.input_frames,
            values::parse_count,
        )?;
        let widths = network
            .widths
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join(",");
        within("network.widths", &widths, values::parse_widths)?;
        if training.label_smoothing != 0.0 {
            bail!("training.label_smoothing is for classifiers");
        }
    }
    Ok(())
}

fn check_saving(saving: &SavingConfig) -> Result<()> {
    within(
        "saving.checkpoint_minutes",
        &saving.checkpoint_minutes,
        values::parse_non_negative,
    )?;
    within(
        "saving.keep_checkpoints",
        &saving.keep_checkpoints,
        values::parse_count,
    )?;
    within(
        "saving.max_minutes",
        &saving.max_minutes,
        values::parse_non_negative,
    )
}

fn within<T: ToString, U>(
    key: &str,
    value: &T,
    parse: impl Fn(&str) -> Result<U, String>,
) -> Result<()> {
    let text = value.to_string();
    parse(&text)
        .map(drop)
        .map_err(|expected| anyhow!("{key} is {text}: {expected}"))
}
