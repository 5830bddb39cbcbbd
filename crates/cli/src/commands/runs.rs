//! `juggle runs`: what became of runs, read from their folders.

mod compare;
mod folder;
mod list;
mod show;
mod words;

use anyhow::{Context as _, Result};

use crate::args::runs::RunsCommand;
use crate::output::{self, Messages};

pub(crate) fn run(command: &RunsCommand, messages: Messages) -> Result<()> {
    match command {
        RunsCommand::List(args) => list::run(args, messages),
        RunsCommand::Show(args) => show::run(args, messages),
        RunsCommand::Compare(args) => compare::run(args, messages),
    }
}

/// Prints rows as comma-separated values, the headings first.
fn print_csv(rows: impl IntoIterator<Item = Vec<String>>) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).context("cannot write CSV")?;
    }
    let bytes = writer.into_inner().context("cannot write CSV")?;
    output::print(String::from_utf8_lossy(&bytes))
}
