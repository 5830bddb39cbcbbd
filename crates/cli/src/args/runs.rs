//! The flags of `juggle runs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const LIST_HELP: &str = "\
Under each run stand the settings that are not the same in all runs of its kind.
The metrics are those of the epoch with the lowest validation loss, `best`.

Status: running      a process works on it
        finished     complete
        interrupted  stopped by Ctrl-C, a request or its time limit; can go on
        failed       the loss was no finite number
        died         the process ended without a word: killed, or an error
        unreadable   events.jsonl has a line that is no event

Examples:
  juggle runs list
  juggle runs list sweeps/ runs/tuned --csv > runs.csv
  juggle runs list --json | jq '.[] | select(.status == \"died\") | .run'";

const SHOW_HELP: &str = "\
Curves are drawn from their lowest to their highest value, those of losses on a
logarithmic scale.

Examples:
  juggle runs show runs/classifier-1
  juggle runs show runs/classifier-1 --csv       one line an epoch";

const COMPARE_HELP: &str = "\
The best value of a row is marked with a star, among runs of one kind.

Examples:
  juggle runs compare                            all runs under runs/
  juggle runs compare runs/tuned runs/plain --json";

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// A table of runs: how they stand, what they reached, where their settings differ
    #[command(after_help = LIST_HELP)]
    List(ListArgs),
    /// One run: its best and last epoch, its curves, its settings
    #[command(after_help = SHOW_HELP)]
    Show(ShowArgs),
    /// Runs side by side: what they reached, and the settings that differ
    #[command(after_help = COMPARE_HELP)]
    Compare(ListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Run folders, or folders that hold run folders
    #[arg(value_name = "RUN", default_value = crate::run::DEFAULT_PARENT)]
    pub(crate) runs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The run folder
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) format: FormatArgs,
}

#[derive(Clone, Copy, Debug, Args)]
#[group(multiple = false)]
pub(crate) struct FormatArgs {
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// Print comma-separated values with a line of headings
    #[arg(long)]
    pub(crate) csv: bool,
}
