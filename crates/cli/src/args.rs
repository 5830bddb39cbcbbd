//! The command line as clap reads it: raw flags, their help texts and their ranges.
//!
//! Nothing is resolved here. `config.rs` lays the flags of `train` over the configuration file; the
//! other commands use their flags as they are.

pub(crate) mod metrics;
pub(crate) mod train;
pub(crate) mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use juggle_dataset::Split;

use crate::config::{Channels, EngineName};
use metrics::MetricsCommand;
use train::TrainCommand;
use values::{ImageSize, parse_image_size, parse_threads, parse_widths};

const EXAMPLES: &str = "\
Examples:
  juggle data synth --out data                 write the example data
  juggle train classifier --data data/balls    learn from a folder of PNG images, one folder a class
  juggle evaluate runs/classifier-1            measure it on the test images
  juggle predict runs/classifier-1 photo.png   classify an image

`juggle COMMAND --help` explains each command. Results go to standard output, everything else to
standard error. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

/// Train, evaluate and use small vision models on folders of PNG files.
#[derive(Debug, Parser)]
#[command(name = "juggle", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Heading of the flags that all commands share.
pub(crate) const MESSAGES: &str = "Messages";

#[derive(Debug, Args)]
#[command(next_help_heading = MESSAGES)]
pub(crate) struct GlobalArgs {
    /// Log more: -v what is being done, -vv details (the variable RUST_LOG overrides it)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// No progress and no notes: only results, and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Colour in messages; `auto` means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorWhen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the example data set, or look at a data folder
    #[command(subcommand)]
    Data(DataCommand),
    /// Train a model on a data folder
    #[command(subcommand)]
    Train(TrainCommand),
    /// Measure a trained model on a data split
    #[command(after_help = EVALUATE_EXAMPLES)]
    Evaluate(EvaluateArgs),
    /// Classify images, or predict the next frames of a clip
    #[command(after_help = PREDICT_EXAMPLES)]
    Predict(PredictArgs),
    /// Show the layers of a network, their output shapes and parameters
    #[command(subcommand)]
    Summary(SummaryCommand),
    /// Compare images, or score predicted labels, without any model
    #[command(subcommand)]
    Metrics(MetricsCommand),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  juggle completions bash > ~/.local/share/bash-completion/completions/juggle"
    )]
    Completions(CompletionsArgs),
    /// Print the manual page, for `man -l -`
    Man,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Write the example data set: balls to count, and clips whose next frame is to be predicted
    Synth(SynthArgs),
    /// Print counts, sizes, class balance and duplicates of a data folder
    Inspect(InspectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SynthArgs {
    /// Folder to write; it must be empty or not exist yet
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Another seed gives other images of the same kind
    #[arg(long, value_name = "N", default_value_t = juggle_dataset::synth::DEFAULT_SEED)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The data folder: images in class folders, or clips of frames, with or without train/val/test
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Read the images as gray or as colour; `auto` is gray when every file is
    #[arg(long, value_name = "KIND", default_value = "auto")]
    pub(crate) channels: Channels,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
    #[command(flatten)]
    pub(crate) split: SplitArgs,
}

/// How a folder without train, val and test folders is split.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Splitting (only for a folder without train, val and test folders)")]
pub(crate) struct SplitArgs {
    /// Share of the images used for validation [default: 0.15]
    #[arg(long, value_name = "X", value_parser = values::parse_inner_fraction)]
    pub(crate) val_fraction: Option<f64>,
    /// Share of the images kept for the test [default: 0.15]
    #[arg(long, value_name = "X", value_parser = values::parse_fraction)]
    pub(crate) test_fraction: Option<f64>,
    /// Seed of the split [default: 0]
    #[arg(long, value_name = "N", value_parser = values::parse_seed)]
    pub(crate) split_seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct JsonArgs {
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the arithmetic runs.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Machine")]
pub(crate) struct MachineArgs {
    /// CPU threads; 0 means all [default: 0]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<usize>,
    /// auto, cpu, cuda, cuda:N or metal; the last three need a build with that feature [default: auto]
    #[arg(long, value_name = "D", value_parser = values::parse_device)]
    pub(crate) device: Option<String>,
    /// What does the arithmetic [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(crate) engine: Option<EngineName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Weights {
    /// The weights of the epoch with the lowest validation loss
    Best,
    /// The weights of the last epoch
    Last,
}

impl Weights {
    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Self::Best => crate::run::BEST_WEIGHTS,
            Self::Last => crate::run::LAST_WEIGHTS,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitName {
    Train,
    Val,
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Self::Train,
            SplitName::Val => Self::Val,
            SplitName::Test => Self::Test,
        }
    }
}

const EVALUATE_EXAMPLES: &str = "\
Examples:
  juggle evaluate runs/classifier-1
  juggle evaluate runs/classifier-1 --data other/images --split val --json
  juggle evaluate runs/autoencoder-1 --pictures grid.png";

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// The run folder that `juggle train` wrote
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Data folder [default: the one the run was trained on]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Which images [default: test for a classifier, val for an autoencoder]
    #[arg(long)]
    pub(crate) split: Option<SplitName>,
    /// Which weights of the run
    #[arg(long, default_value = "best")]
    pub(crate) weights: Weights,
    /// Autoencoder only: write a PNG with eight true frames above their predictions
    #[arg(long, value_name = "FILE.png")]
    pub(crate) pictures: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

const PREDICT_EXAMPLES: &str = "\
Examples:
  juggle predict runs/classifier-1 a.png b.png --json
  juggle predict runs/autoencoder-1 clip/frame_00.png clip/frame_01.png clip/frame_02.png clip/frame_03.png
  juggle predict runs/autoencoder-1 clip --frames 8 --out next";

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// The run folder that `juggle train` wrote
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Classifier: PNG images. Autoencoder: the input frames, oldest first, or one folder of frames,
    /// of which the last are used
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<PathBuf>,
    /// Which weights of the run
    #[arg(long, default_value = "best")]
    pub(crate) weights: Weights,
    /// Autoencoder only: how many frames to predict, each from the ones before [default: 1]
    #[arg(long, value_name = "N", value_parser = values::parse_count)]
    pub(crate) frames: Option<usize>,
    /// Autoencoder only: folder for prediction.png, or prediction_01.png and so on [default: .]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Autoencoder only: replace files that exist
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SummaryCommand {
    /// The convolutional network that classifies images
    Classifier(ClassifierSummaryArgs),
    /// The network with skip connections that predicts the next frame
    Autoencoder(AutoencoderSummaryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ClassifierSummaryArgs {
    /// Number of classes
    #[arg(long, value_name = "N", default_value = "3", value_parser = values::parse_classes)]
    pub(crate) classes: usize,
    #[command(flatten)]
    pub(crate) shape: ShapeArgs,
    /// Batch normalisation after each convolution
    #[arg(long)]
    pub(crate) batch_norm: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AutoencoderSummaryArgs {
    /// Number of input frames
    #[arg(long, value_name = "K", default_value = "4", value_parser = values::parse_count)]
    pub(crate) input_frames: usize,
    #[command(flatten)]
    pub(crate) shape: ShapeArgs,
    /// Channels of each level, from the top to the bottleneck
    #[arg(long, value_name = "LIST", default_value = "16,32,64", value_parser = parse_widths)]
    pub(crate) widths: values::Widths,
    /// Leave out the skip connections
    #[arg(long)]
    pub(crate) no_skip: bool,
    /// Batch normalisation after each convolution
    #[arg(long)]
    pub(crate) batch_norm: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShapeArgs {
    /// Gray images or colour
    #[arg(long, value_name = "KIND", default_value = "gray", value_parser = values::parse_color_mode)]
    pub(crate) channels: juggle_dataset::ColorMode,
    /// Image size in pixels, height first
    #[arg(long, value_name = "HxW", default_value = "32x32", value_parser = parse_image_size)]
    pub(crate) size: ImageSize,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}
