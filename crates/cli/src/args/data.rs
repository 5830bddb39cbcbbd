//! The flags of `juggle data`, and those that say how a folder is split.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use juggle_dataset::synth::{FRESH_SEED, Ranges};

use super::{JsonArgs, values};
use crate::config::Channels;

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Write the example data set: balls to count, and clips whose next frame is to be predicted
    Synth(SynthArgs),
    /// Write further images of balls, as many as wanted, to measure classifiers on
    #[command(after_help = FRESH_EXAMPLES)]
    Fresh(FreshArgs),
    /// Audit a data folder: leaks between splits, duplicates, shifts, balance, damaged files
    #[command(after_help = INSPECT_EXAMPLES)]
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

const FRESH_EXAMPLES: &str = "\
The images lie in DIR/test/CLASS; DIR/images.csv says of each how large, how
bright and how near its balls are. No image of `juggle data synth` is among them.

Examples:
  juggle data fresh --out fresh                          20,000 like the test images
  juggle data fresh --out wide --ranges wide             smaller, larger, fainter, closer
  juggle evaluate runs/classifier-1 --data fresh --predictions fresh.csv";

#[derive(Debug, Args)]
pub(crate) struct FreshArgs {
    /// Folder to write; it must be empty or not exist yet
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How many images; the classes take turns
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = values::parse_fresh)]
    pub(crate) images: usize,
    /// Another seed gives other images
    #[arg(long, value_name = "N", default_value_t = FRESH_SEED, value_parser = values::parse_seed)]
    pub(crate) seed: u64,
    /// What the balls are like
    #[arg(long, value_name = "NAME", default_value = "test")]
    pub(crate) ranges: RangesName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RangesName {
    /// As in the test images
    Test,
    /// Beyond all images of the data set; the balls of an image are alike
    Wide,
}

impl From<RangesName> for Ranges {
    fn from(name: RangesName) -> Self {
        match name {
            RangesName::Test => Self::Test,
            RangesName::Wide => Self::Wide,
        }
    }
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  juggle data inspect photos                      what was found, in words
  juggle data inspect photos --html audit.html    with charts and pictures
  juggle data inspect photos --json --strict      for scripts and CI

docs/audit.md says what is measured, by which rules, and what it cannot see.";

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The data folder: images in class folders, or clips of frames, with or without train/val/test
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Read the images as gray or as colour; `auto` is gray when every file is
    #[arg(long, value_name = "KIND", default_value = "auto")]
    pub(crate) channels: Channels,
    /// Also write the audit as one HTML file, which needs no network and no JavaScript
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Exit with 1 when there is a problem or a warning (notes do not count)
    #[arg(long)]
    pub(crate) strict: bool,
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
