//! The command line as clap reads it: raw flags, their help texts and their ranges.
//!
//! Nothing is resolved here. `config.rs` lays the flags of `train` over the configuration file; the
//! other commands use their flags as they are.

pub(crate) mod data;
pub(crate) mod export;
pub(crate) mod metrics;
pub(crate) mod predict;
pub(crate) mod report;
pub(crate) mod runs;
pub(crate) mod summary;
pub(crate) mod train;
pub(crate) mod tune;
pub(crate) mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{
    Args, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum,
    ValueHint,
};
use clap_complete::Shell;
use juggle_dataset::Split;

use crate::config::EngineName;
use data::DataCommand;
use export::ExportArgs;
use metrics::MetricsCommand;
use predict::PredictArgs;
use report::{REPORT_EXAMPLES, ReportArgs};
use runs::RunsCommand;
use summary::SummaryCommand;
use train::TrainCommand;
use tune::{TUNE_EXAMPLES, TuneArgs};
use values::parse_threads;

const EXAMPLES: &str = "\
Examples:
  juggle data synth --out data                 write the example data
  juggle train classifier --data data/balls    learn from one folder a class
  juggle tune classifier --data data/balls     search better settings
  juggle evaluate runs/classifier-1            measure it on the test images
  juggle predict runs/classifier-1 photo.png   classify an image
  juggle export runs/classifier-1 --out m.onnx give it to other programs

`juggle COMMAND --help` explains each command. Results go to standard output,
everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage,
130 interrupted.";

/// The colours of help and of wrong usage.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Train, evaluate and use small vision models on folders of PNG files.
#[derive(Debug, Parser)]
#[command(name = "juggle", version, after_help = EXAMPLES, styles = STYLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Reads the command line. Its help and its errors heed `--color` like everything else, although that flag is read only
    /// while they arise.
    pub(crate) fn from_command_line() -> Result<Self, clap::Error> {
        let words: Vec<_> = std::env::args_os().collect();
        let matches = Self::command()
            .color(color_choice(&words))
            .try_get_matches_from(words)?;
        Self::from_arg_matches(&matches)
    }
}

/// The last `--color` among the words, right or wrong as the rest may be.
fn color_choice(words: &[OsString]) -> ColorChoice {
    let mut choice = ColorChoice::Auto;
    for (i, word) in words.iter().enumerate() {
        let word = word.to_string_lossy();
        let next = || words.get(i + 1).map(|next| next.to_string_lossy());
        let when = match word.strip_prefix("--color") {
            Some("") => next(),
            Some(rest) => rest.strip_prefix('=').map(Into::into),
            None => None,
        };
        choice = match when.as_deref() {
            Some("always") => ColorChoice::Always,
            Some("never") => ColorChoice::Never,
            Some("auto") => ColorChoice::Auto,
            _ => choice,
        };
    }
    choice
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

/// How a training run is told on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressWhen {
    /// Fancy on a terminal, else plain
    Auto,
    /// A line an epoch
    Plain,
    /// Bars, metrics and a loss curve, drawn in place
    Fancy,
    /// A JSON object a line, notes and errors included
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the example data set, or look at a data folder
    #[command(subcommand)]
    Data(DataCommand),
    /// Train a model on a data folder
    #[command(subcommand)]
    Train(TrainCommand),
    /// Search good settings: many short trainings, judged on held-out images
    #[command(after_help = TUNE_EXAMPLES)]
    Tune(Box<TuneArgs>),
    /// Measure a trained model on a data split
    #[command(after_help = EVALUATE_EXAMPLES)]
    Evaluate(EvaluateArgs),
    /// Write a page that shows runs: curves, results, images, certainty, origins
    #[command(after_help = REPORT_EXAMPLES)]
    Report(ReportArgs),
    /// Classify images, or predict the next frames of a clip
    Predict(PredictArgs),
    /// Write a trained model for other programs: ONNX, or weights for PyTorch
    Export(ExportArgs),
    /// Show the layers of a network, their output shapes and parameters
    #[command(subcommand)]
    Summary(SummaryCommand),
    /// Compare images, or score predicted labels, without any model
    #[command(subcommand)]
    Metrics(MetricsCommand),
    /// List, show and compare the runs that were trained
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the manual page, for `man -l -`
    #[command(after_help = MAN_EXAMPLES)]
    Man,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples (a new shell then completes commands, flags and their values):
  juggle completions bash > ~/.local/share/bash-completion/completions/juggle
  juggle completions zsh > ~/.zfunc/_juggle     # with ~/.zfunc in $fpath
  juggle completions fish > ~/.config/fish/completions/juggle.fish
  juggle completions powershell >> $PROFILE";

const MAN_EXAMPLES: &str = "\
Examples:
  juggle man | man -l -
  juggle man > ~/.local/share/man/man1/juggle.1";

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
            Self::Best => juggle_tracking::run::BEST_WEIGHTS,
            Self::Last => juggle_tracking::run::LAST_WEIGHTS,
        }
    }

    /// The name that the flag takes.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
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
A classifier gets its loss, its accuracy, scikit-learn's classification report,
the confusion matrix and the images that it gets wrong. An autoencoder gets its
loss, and PSNR and SSIM of its frames beside those of copying the last frame.

Examples:
  juggle evaluate runs/classifier-1
  juggle evaluate runs/classifier-1 --data other/images --split val --json
  juggle evaluate runs/classifier-1 --predictions test.csv
  juggle evaluate runs/autoencoder-1 --pictures grid.png";

#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// The run folder that `juggle train` wrote
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
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
    /// Classifier only: write a line an image: file, true and predicted class, probabilities
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) predictions: Option<PathBuf>,
    /// Leave the run's report.html as it is
    #[arg(long)]
    pub(crate) no_report: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_choice_of_colour_counts_wherever_it_stands() {
        let choice = |line: &str| {
            let words: Vec<_> = line.split(' ').map(OsString::from).collect();
            color_choice(&words)
        };
        for (line, expected) in [
            ("juggle", ColorChoice::Auto),
            ("juggle --color never frobnicate", ColorChoice::Never),
            ("juggle frobnicate --color=always", ColorChoice::Always),
            (
                "juggle --color=always man --color never",
                ColorChoice::Never,
            ),
            ("juggle --color", ColorChoice::Auto),
            ("juggle --color maybe", ColorChoice::Auto),
            ("juggle --colors always", ColorChoice::Auto),
        ] {
            assert_eq!(choice(line), expected, "{line}");
        }
    }
}
