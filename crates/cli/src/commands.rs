//! One module for each command; here only the dispatch.

mod data;
mod evaluate;
mod export;
mod metrics;
mod predict;
pub(crate) mod report;
mod runs;
mod shell;
mod summary;
mod train;
mod tune;

use anyhow::Result;

use crate::args::Command;
use crate::output::Messages;

pub(crate) fn run(command: &Command, messages: Messages) -> Result<()> {
    let trains = match command {
        Command::Train(_) | Command::Evaluate(_) | Command::Report(_) => true,
        Command::Tune(args) => args.search.is_some(),
        _ => false,
    };
    if cfg!(debug_assertions) && trains {
        messages
            .note("warning: this debug build is much slower than one of `cargo build --release`");
    }
    match command {
        Command::Data(command) => data::run(command, messages),
        Command::Train(command) => train::run(command, messages),
        Command::Tune(args) => tune::run(args, messages),
        Command::Evaluate(args) => evaluate::run(args, messages),
        Command::Report(args) => report::run(args, messages),
        Command::Predict(args) => predict::run(args, messages),
        Command::Summary(command) => summary::run(command),
        Command::Metrics(command) => metrics::run(command, messages),
        Command::Export(args) => export::run(args),
        Command::Runs(command) => runs::run(command, messages),
        Command::Completions(args) => shell::completions(args),
        Command::Man => shell::man(),
    }
}
