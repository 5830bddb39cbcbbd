//! The flags of `tune`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::train::{AutoencoderSettings, ClassifierSettings};
use super::{MESSAGES, ProgressWhen, values};
use crate::config::Channels;

pub(crate) const TUNE_EXAMPLES: &str = "\
Examples:
  juggle tune classifier --data data/balls      50 trials over the usual settings
  juggle tune classifier --data data/balls --batch-norm --fix optimizer=adamw
  juggle tune --show classifier                 best trials, importances, history
  juggle tune --show classifier --html search.html --export best.toml
  juggle train classifier --data data/balls --config best.toml

The same command again goes on with the study, also after a kill, also from
several processes and machines at once. A trial is judged on clips (or images)
held out of the training images: never on those that the winner is measured on
in the end. docs/tuning.md has the whole story.";

const CLASSIFIER_EXAMPLES: &str = "\
Examples:
  juggle tune classifier --data data/balls
  juggle tune classifier --data data/balls --trials 100 --workers 2 --epochs 10
  juggle tune classifier --data data/balls --study decay --batch-norm \\
    --only weight_decay=1e-6..1e-1:log
  juggle tune classifier --data data/balls --space space.toml \\
    --storage grpc://head:13000";

const AUTOENCODER_EXAMPLES: &str = "\
Examples:
  juggle tune autoencoder --data data/frames --epochs 10 --repeats 1
  juggle tune autoencoder --data data/frames --objective psnr \\
    --search widths='16,32,64;32,32,64'";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct TuneArgs {
    #[command(subcommand)]
    pub(crate) search: Option<TuneCommand>,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TuneCommand {
    /// Search the settings of a classifier
    #[command(after_help = CLASSIFIER_EXAMPLES, allow_negative_numbers = true)]
    Classifier(Box<TuneClassifierArgs>),
    /// Search the settings of an autoencoder
    #[command(after_help = AUTOENCODER_EXAMPLES, allow_negative_numbers = true)]
    Autoencoder(Box<TuneAutoencoderArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct TuneClassifierArgs {
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) settings: ClassifierSettings,
}

#[derive(Debug, Args)]
pub(crate) struct TuneAutoencoderArgs {
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) settings: AutoencoderSettings,
}

const STUDY: &str = "Study";
const SPACE: &str = "What is searched (a setting that has its own flag is not)";
const JUDGING: &str = "How a trial is judged";

/// Where a study is kept.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = STUDY)]
pub(crate) struct PlaceArgs {
    /// journal:FILE or grpc://HOST:PORT, in Optuna's formats [default: journal:OUT/journal.log]
    #[arg(long, value_name = "URL")]
    pub(crate) storage: Option<String>,
    /// Folder of the study: trials, the winner, the journal [default: studies/STUDY]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// The search itself.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// The data folder (needed unless the configuration file names it)
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// TOML file with settings, such as a run's config.toml; flags come on top
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Read the images as gray or as colour [default: auto, which is gray when every file is]
    #[arg(long, value_name = "KIND")]
    pub(crate) channels: Option<Channels>,
    /// How the search is told on standard error: json is an object a trial
    #[arg(long, value_name = "HOW", default_value = "auto", help_heading = MESSAGES)]
    pub(crate) progress: ProgressWhen,

    /// Name of the study [default: classifier or autoencoder]
    #[arg(long, value_name = "NAME", help_heading = STUDY)]
    pub(crate) study: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Trials of the study in all, whoever runs them and when
    #[arg(long, value_name = "N", default_value = "50", value_parser = values::parse_count, help_heading = STUDY)]
    pub(crate) trials: usize,
    /// Trials side by side in this process, each on its share of the threads. With one the study repeats exactly; with several
    /// a tpe or a pruner learns from whichever ended first
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::parse_count, help_heading = STUDY)]
    pub(crate) workers: usize,
    /// How the settings of a trial are chosen
    #[arg(long, value_name = "NAME", default_value = "tpe", help_heading = STUDY)]
    pub(crate) sampler: SamplerName,
    /// Trials that are drawn by chance before tpe begins
    #[arg(long, value_name = "N", default_value = "10", help_heading = STUDY)]
    pub(crate) startup_trials: usize,
    /// For grid: values of a setting that has a range
    #[arg(long, value_name = "N", default_value = "4", value_parser = values::parse_count, help_heading = STUDY)]
    pub(crate) grid_points: usize,
    /// Which trials are ended early, by what they report after each epoch
    #[arg(long, value_name = "NAME", default_value = "median", help_heading = STUDY)]
    pub(crate) pruner: PrunerName,
    /// Epochs before which median and percentile prune no trial
    #[arg(long, value_name = "N", default_value = "2", help_heading = STUDY)]
    pub(crate) prune_after: u32,
    /// For the percentile pruner: trials beyond this percentile end
    #[arg(long, value_name = "X", default_value = "25", value_parser = parse_percentile, help_heading = STUDY)]
    pub(crate) percentile: f64,

    /// TOML file with the space: a table for each setting (docs/tuning.md); it takes the place of the usual space
    #[arg(long, value_name = "FILE.toml", help_heading = SPACE)]
    pub(crate) space: Option<PathBuf>,
    /// Search NAME too, or in another range: 16..64, 1e-4..1e-1:log, 0..0.5:step=0.1, or a list such as adam,sgd with commas
    /// between (`;` where a value has commas)
    #[arg(long, value_name = "NAME=RANGE", help_heading = SPACE)]
    pub(crate) search: Vec<String>,
    /// Search this and nothing else of the usual space
    #[arg(long, value_name = "NAME=RANGE", conflicts_with = "space", help_heading = SPACE)]
    pub(crate) only: Vec<String>,
    /// Give NAME this value in all trials
    #[arg(long, value_name = "NAME=VALUE", help_heading = SPACE)]
    pub(crate) fix: Vec<String>,

    /// The images that judge a trial
    #[arg(long, value_name = "WHICH", default_value = "held-out", help_heading = JUDGING)]
    pub(crate) judge: Judge,
    /// Divide the training images into K parts; a trial trains K networks, each judged on the part that it has not seen
    /// [default: 3]
    #[arg(long, value_name = "K", conflicts_with = "repeats", value_parser = parse_folds, help_heading = JUDGING)]
    pub(crate) folds: Option<usize>,
    /// Instead of parts: hold out a random share, so many times with other seeds; with --judge val or test, train so many seeds
    #[arg(long, value_name = "N", value_parser = values::parse_count, help_heading = JUDGING)]
    pub(crate) repeats: Option<usize>,
    /// For --repeats: the share that is held out
    #[arg(long, value_name = "X", default_value = "0.25", value_parser = values::parse_inner_fraction, help_heading = JUDGING)]
    pub(crate) held_out: f64,
    /// What a trial is judged by, in its last epoch
    #[arg(long, value_name = "METRIC", default_value = "loss", help_heading = JUDGING)]
    pub(crate) objective: Objective,
    /// Allow to judge by the images that the result is measured on; the study and its report say so ever after
    #[arg(long, help_heading = JUDGING)]
    pub(crate) i_know_this_overfits: bool,
    /// Train the best settings on all training images with so many fresh seeds and measure them; 0 leaves it out
    #[arg(long, value_name = "N", default_value = "3", help_heading = JUDGING)]
    pub(crate) winner_seeds: u64,
}

/// What is shown of a study.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Show this study: best trials, importances, history
    #[arg(long, value_name = "STUDY")]
    pub(crate) show: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    /// Print one JSON document
    #[arg(long, requires = "show")]
    pub(crate) json: bool,
    /// Also write a page with the plots
    #[arg(long, value_name = "FILE.html", requires = "show")]
    pub(crate) html: Option<PathBuf>,
    /// Also write the best settings, for `juggle train --config`
    #[arg(long, value_name = "FILE.toml", requires = "show")]
    pub(crate) export: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SamplerName {
    /// By a model of which settings did well (tree-structured Parzen estimator, as Optuna's)
    Tpe,
    /// By chance
    Random,
    /// Evenly spread
    Halton,
    /// All combinations
    Grid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrunerName {
    /// Trials worse than the median of those before, at the same epoch
    Median,
    /// Trials beyond a percentile
    Percentile,
    /// All but the best quarter at epochs 1, 4, 16, …
    Halving,
    /// Successive halving in several brackets
    Hyperband,
    /// No trial
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Judge {
    /// Clips or images held out of the training images
    HeldOut,
    /// The folder's validation images (those that an autoencoder is measured on)
    Val,
    /// The test images
    Test,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Objective {
    /// The loss, to be low
    Loss,
    /// The accuracy of a classifier, to be high
    Accuracy,
    /// The PSNR of an autoencoder's frames in dB, to be high
    Psnr,
}

fn parse_folds(text: &str) -> Result<usize, String> {
    values::parse_classes(text)
}

fn parse_percentile(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(x) if (0.0..=100.0).contains(&x) => Ok(x),
        _ => Err("expected a number from 0 to 100".to_owned()),
    }
}

impl TuneArgs {
    /// How a search is to be told.
    pub(crate) fn progress(&self) -> ProgressWhen {
        match &self.search {
            Some(TuneCommand::Classifier(args)) => args.search.progress,
            Some(TuneCommand::Autoencoder(args)) => args.search.progress,
            None => ProgressWhen::Auto,
        }
    }
}
