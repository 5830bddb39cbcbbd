//! The flags of `juggle train`. Every one is optional: what is not given comes from the configuration
//! file, or else from the defaults in `config.rs`, which the help texts repeat.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::data::SplitArgs;
use super::values::{self, Widths};
use super::{MESSAGES, MachineArgs, ProgressWhen};
use crate::config::{Channels, OnNan, OptimizerKind, ScheduleName};

const CLASSIFIER_HELP: &str = "\
The data folder holds one folder of PNG images for each class, either directly (DIR/cat/1.png) or inside
train, val and, if there is one, test (DIR/train/cat/1.png). All images have the same size.

Examples:
  juggle train classifier --data data/balls
  juggle train classifier --data data/balls --run runs/tuned --batch-norm --weight-decay 0.001
  juggle train classifier --run runs/tuned --resume              goes on where that run was stopped
  juggle train classifier --config runs/tuned/config.toml        repeats that run in a new folder";

const AUTOENCODER_HELP: &str = "\
The data folder holds clips, each a folder of PNG frames, inside train and val (DIR/train/clip1/frame1.png).
The network sees K frames and predicts the next one.

Examples:
  juggle train autoencoder --data data/frames
  juggle train autoencoder --data data/frames --lr 5e-4 --batch-norm --run runs/tuned
  juggle train autoencoder --run runs/tuned --resume             goes on where that run was stopped
  juggle train autoencoder --config runs/tuned/config.toml       repeats that run in a new folder";

#[derive(Debug, Subcommand)]
pub(crate) enum TrainCommand {
    /// Learn to tell the classes of images apart
    #[command(after_help = CLASSIFIER_HELP, allow_negative_numbers = true)]
    Classifier(Box<ClassifierArgs>),
    /// Learn to predict the next frame of a clip
    #[command(after_help = AUTOENCODER_HELP, allow_negative_numbers = true)]
    Autoencoder(Box<AutoencoderArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct ClassifierArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) settings: ClassifierSettings,
}

#[derive(Debug, Args)]
pub(crate) struct AutoencoderArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) settings: AutoencoderSettings,
}

/// What a classifier is trained with.
#[derive(Debug, Args)]
pub(crate) struct ClassifierSettings {
    /// Number of passes over the training images [default: 25]
    #[arg(long, value_name = "N", value_parser = values::parse_count, help_heading = TRAINING)]
    pub(crate) epochs: Option<usize>,
    /// Images in one training step [default: 32]
    #[arg(long, value_name = "N", value_parser = values::parse_count, help_heading = TRAINING)]
    pub(crate) batch_size: Option<usize>,
    /// Share of each target that is spread over all classes, like 0.05 [default: 0]
    #[arg(long, value_name = "X", value_parser = values::parse_fraction, help_heading = TRAINING)]
    pub(crate) label_smoothing: Option<f64>,
    #[command(flatten)]
    pub(crate) training: TrainingArgs,
    #[command(flatten)]
    pub(crate) split: SplitArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

/// What an autoencoder is trained with.
#[derive(Debug, Args)]
pub(crate) struct AutoencoderSettings {
    /// Number of input frames [default: 4]
    #[arg(long, value_name = "K", value_parser = values::parse_count, help_heading = NETWORK)]
    pub(crate) input_frames: Option<usize>,
    /// Channels of each level, from the top to the bottleneck [default: 16,32,64]
    #[arg(long, value_name = "LIST", value_parser = values::parse_widths, help_heading = NETWORK)]
    pub(crate) widths: Option<Widths>,
    /// Leave out the skip connections (=false puts back what the configuration file left out)
    #[arg(long, value_name = "BOOL", help_heading = NETWORK, num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub(crate) no_skip: Option<bool>,
    /// Number of passes over the training windows [default: 30]
    #[arg(long, value_name = "N", value_parser = values::parse_count, help_heading = TRAINING)]
    pub(crate) epochs: Option<usize>,
    /// Windows in one training step [default: 16]
    #[arg(long, value_name = "N", value_parser = values::parse_count, help_heading = TRAINING)]
    pub(crate) batch_size: Option<usize>,
    #[command(flatten)]
    pub(crate) training: TrainingArgs,
    #[command(flatten)]
    pub(crate) split: SplitArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

const TRAINING: &str = "Training";
const NETWORK: &str = "Network";

/// Where to read and where to write.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The data folder (needed unless the configuration file names it)
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Folder to write the run to [default: the next free runs/KIND-N]
    #[arg(long, value_name = "DIR")]
    pub(crate) run: Option<PathBuf>,
    /// TOML file with settings, such as another run's config.toml; flags come on top
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Replace the run that is in the run folder
    #[arg(long, conflicts_with = "resume")]
    pub(crate) overwrite: bool,
    /// Go on with the run that is in the run folder, from its newest checkpoint; what is not given is as it was. A run that
    /// has not begun yet is started
    #[arg(long)]
    pub(crate) resume: bool,
    /// Go on although the data are not those that the run began with
    #[arg(long, requires = "resume")]
    pub(crate) allow_changed_data: bool,
    /// Read the images as gray or as colour [default: auto, which is gray when every file is]
    #[arg(long, value_name = "KIND")]
    pub(crate) channels: Option<Channels>,
    /// How the training is told on standard error
    #[arg(long, value_name = "HOW", default_value = "auto", help_heading = MESSAGES)]
    pub(crate) progress: ProgressWhen,
}

impl TrainCommand {
    /// How it is to be told.
    pub(crate) fn progress(&self) -> ProgressWhen {
        match self {
            Self::Classifier(args) => args.run.progress,
            Self::Autoencoder(args) => args.run.progress,
        }
    }
}

/// What both kinds of model have in common.
#[derive(Debug, Args)]
#[command(next_help_heading = TRAINING)]
pub(crate) struct TrainingArgs {
    /// Batch normalisation after each convolution (=false turns off what the configuration file has on)
    #[arg(long, value_name = "BOOL", help_heading = NETWORK, num_args = 0..=1, require_equals = true,
        default_missing_value = "true")]
    pub(crate) batch_norm: Option<bool>,
    /// How the weights are updated [default: adam]
    #[arg(long, value_name = "NAME")]
    pub(crate) optimizer: Option<OptimizerKind>,
    /// Learning rate [default: 0.001]
    #[arg(long, value_name = "X", value_parser = values::parse_positive)]
    pub(crate) lr: Option<f64>,
    /// Weight decay: L2 for adam and sgd, decoupled for adamw [default: 0]
    #[arg(long, value_name = "X", value_parser = values::parse_non_negative)]
    pub(crate) weight_decay: Option<f64>,
    /// Momentum, for sgd [default: 0.9]
    #[arg(long, value_name = "X", value_parser = values::parse_fraction)]
    pub(crate) momentum: Option<f64>,
    /// How the learning rate changes [default: constant]
    #[arg(long, value_name = "NAME")]
    pub(crate) schedule: Option<ScheduleName>,
    /// The learning rate rises over so many epochs first [default: 0]
    #[arg(long, value_name = "X", value_parser = values::parse_non_negative)]
    pub(crate) warmup_epochs: Option<f64>,
    /// For the step schedule: epochs between two steps [default: 10]
    #[arg(long, value_name = "N", value_parser = values::parse_count)]
    pub(crate) step_epochs: Option<usize>,
    /// For the step schedule: factor of each step [default: 0.1]
    #[arg(long, value_name = "X", value_parser = values::parse_factor)]
    pub(crate) step_gamma: Option<f64>,
    /// Evaluate a moving average of the weights with this decay, like 0.98; 0 is off [default: 0]
    #[arg(long, value_name = "X", value_parser = values::parse_fraction)]
    pub(crate) ema: Option<f64>,
    /// Random changes to the training images, like hflip,vflip,transpose,shift=2,gain=0.3,zoom=0.2, or none; where class names
    /// are counts, compose=0.5 makes half of them of images of class 1 [default: none]
    #[arg(long, value_name = "LIST", value_parser = values::parse_augment)]
    pub(crate) augment: Option<String>,
    /// Scale gradients down to this norm over all weights where theirs is larger; 0 is off [default: 0]
    #[arg(long, value_name = "X", value_parser = values::parse_non_negative)]
    pub(crate) clip_norm: Option<f64>,
    /// What a loss that is not a number, or infinite, does [default: stop]
    #[arg(long, value_name = "WHAT")]
    pub(crate) on_nan: Option<OnNan>,
    /// End after so many epochs in a row without a lower validation loss; 0 is off [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) patience: Option<usize>,
    /// Seed of the weights, the order of the images and the augmentation [default: 0]
    #[arg(long, value_name = "N", value_parser = values::parse_seed)]
    pub(crate) seed: Option<u64>,
    #[command(flatten)]
    pub(crate) saving: SavingArgs,
}

/// What is saved and when.
#[derive(Debug, Args)]
#[command(next_help_heading = "Saving and stopping")]
pub(crate) struct SavingArgs {
    /// Training steps between checkpoints within an epoch, besides the one at its end; 0 is off [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) checkpoint_steps: Option<usize>,
    /// Minutes between checkpoints within an epoch, besides the one at its end; 0 is off [default: 5]
    #[arg(long, value_name = "X", value_parser = values::parse_non_negative)]
    pub(crate) checkpoint_minutes: Option<f64>,
    /// Newest checkpoints to keep besides the one of the best epoch [default: 3]
    #[arg(long, value_name = "N", value_parser = values::parse_count)]
    pub(crate) keep_checkpoints: Option<usize>,
    /// Training steps between lines of the event log, besides the epochs; 0 is off [default: 10]
    #[arg(long, value_name = "N")]
    pub(crate) log_steps: Option<usize>,
    /// Stop after so many minutes and say how to resume; 0 is off [default: 0]
    #[arg(long, value_name = "X", value_parser = values::parse_non_negative)]
    pub(crate) max_minutes: Option<f64>,
    /// Write no event file for TensorBoard (=false puts back what the configuration file left out)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) no_tensorboard: Option<bool>,
}
