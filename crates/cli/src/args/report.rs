//! The flags of `report`.

use std::path::PathBuf;

use clap::Args;

use super::{MachineArgs, SplitName, Weights};

pub(crate) const REPORT_EXAMPLES: &str = "\
Examples:
  juggle report runs/classifier-1                     write runs/classifier-1/report.html
  juggle report runs/plain runs/tuned --out both.html two runs side by side, compared image by image
  juggle report runs/classifier-1 --split val --weights last
  juggle report --study study.json --out report.html  recipes, seeds and published numbers";

/// What to show, and where to write it.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run folders that `juggle train` wrote; the first is compared with the others
    #[arg(value_name = "RUN", required_unless_present = "study")]
    pub(crate) runs: Vec<PathBuf>,
    /// A JSON file that groups runs by recipe and names published numbers (docs/report.md)
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["runs", "data", "split", "weights"], requires = "out")]
    pub(crate) study: Option<PathBuf>,
    /// The file to write [default: report.html in the run folder, or in this folder for several runs]
    #[arg(long, short, value_name = "FILE.html")]
    pub(crate) out: Option<PathBuf>,
    /// Data folder [default: the one each run was trained on]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Which images [default: test for a classifier, or val where there are none; val for an autoencoder]
    #[arg(long)]
    pub(crate) split: Option<SplitName>,
    /// Which weights of the runs
    #[arg(long, default_value = "best")]
    pub(crate) weights: Weights,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}
