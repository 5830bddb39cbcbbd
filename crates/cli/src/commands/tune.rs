//! `juggle tune`: search the settings of a network, judged on images that the result is not measured on.

mod judging;
mod page;
mod pool;
mod record;
mod search;
mod settings;
mod show;
mod space;
mod trial;
mod winner;

use anyhow::Result;

use crate::args::ProgressWhen;
use crate::args::train::{RunArgs, TrainingArgs};
use crate::args::tune::{SearchArgs, TuneArgs, TuneCommand};
use crate::config::{RunConfig, resolve_autoencoder, resolve_classifier};
use crate::output::Messages;

pub(crate) fn run(args: &TuneArgs, messages: Messages) -> Result<()> {
    let (search, mut config, given, training) = match &args.search {
        None => return show::run(&args.show),
        Some(TuneCommand::Classifier(args)) => {
            let settings = &args.settings;
            let config = resolve_classifier(&run_args(&args.search), settings)?;
            let mut given = given(&settings.training);
            given.extend(named("batch_size", settings.batch_size.is_some()));
            given.extend(named("label_smoothing", settings.label_smoothing.is_some()));
            (&args.search, config, given, &settings.training)
        }
        Some(TuneCommand::Autoencoder(args)) => {
            let settings = &args.settings;
            let config = resolve_autoencoder(&run_args(&args.search), settings)?;
            let mut given = given(&settings.training);
            given.extend(named("batch_size", settings.batch_size.is_some()));
            given.extend(named("input_frames", settings.input_frames.is_some()));
            given.extend(named("widths", settings.widths.is_some()));
            given.extend(named("skip", settings.no_skip.is_some()));
            (&args.search, config, given, &settings.training)
        }
    };
    save_little(&mut config, training);
    search::run(search, config, &given, messages)
}

/// The flags of a training, as far as a search has them.
fn run_args(args: &SearchArgs) -> RunArgs {
    RunArgs {
        data: args.data.clone(),
        run: None,
        config: args.config.clone(),
        overwrite: false,
        resume: false,
        allow_changed_data: false,
        channels: args.channels,
        progress: ProgressWhen::Auto,
    }
}

/// The settings that have flags on the command line.
fn given(args: &TrainingArgs) -> Vec<&'static str> {
    [
        ("batch_norm", args.batch_norm.is_some()),
        ("optimizer", args.optimizer.is_some()),
        ("learning_rate", args.lr.is_some()),
        ("weight_decay", args.weight_decay.is_some()),
        ("momentum", args.momentum.is_some()),
        ("schedule", args.schedule.is_some()),
        ("warmup_epochs", args.warmup_epochs.is_some()),
        ("step_epochs", args.step_epochs.is_some()),
        ("step_gamma", args.step_gamma.is_some()),
        ("ema", args.ema.is_some()),
        ("augment", args.augment.is_some()),
        ("clip_norm", args.clip_norm.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_given)| named(name, is_given))
    .collect()
}

fn named(name: &'static str, is_given: bool) -> Option<&'static str> {
    is_given.then_some(name)
}

/// What a trial saves, where the flags do not say it: enough to go on after a kill.
fn save_little(config: &mut RunConfig, flags: &TrainingArgs) {
    let (saving, flags) = (&mut config.saving, &flags.saving);
    if flags.no_tensorboard.is_none() {
        saving.tensorboard = false;
    }
    if flags.keep_checkpoints.is_none() {
        saving.keep_checkpoints = 1;
    }
    if flags.log_steps.is_none() {
        saving.log_steps = 0;
    }
}
