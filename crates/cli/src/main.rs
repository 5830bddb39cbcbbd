//! `juggle`: train, evaluate and use small vision models on folders of PNG files.
//!
//! This crate is glue. `args.rs` has the raw flags, `config.rs` the resolved run, `commands/` one file
//! for each command, and `failure.rs` the exit codes; the work is done by the library crates, which
//! know nothing of one another.

mod args;
mod commands;
mod config;
mod evaluation;
mod exact;
mod examples;
mod failure;
mod model;
mod output;
mod picture;
mod progress;
mod report;
mod run;
mod sparkline;
mod suggest;

use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use args::{Cli, Command, GlobalArgs};
use output::Messages;

fn main() -> ExitCode {
    let cli = match Cli::from_command_line() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version arrive here too; a closed pipe is no reason to fail.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let mut messages = Messages::new(&cli.global);
    match &cli.command {
        Command::Train(command) => messages = messages.with_progress(command.progress()),
        Command::Tune(args) => messages = messages.with_progress(args.progress()),
        _ => {}
    }
    start_logging(&cli.global, messages);
    match commands::run(&cli.command, messages) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error, &messages),
    }
}

/// Logs go to standard error; `RUST_LOG` decides where it is set, else `-v` and `-q`.
fn start_logging(global: &GlobalArgs, messages: Messages) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, 2) => "debug",
        (false, _) => "trace",
    };
    let wish = std::env::var("RUST_LOG").unwrap_or_default();
    let filter = if wish.is_empty() {
        EnvFilter::new(level)
    } else {
        EnvFilter::try_new(&wish).unwrap_or_else(|error| {
            messages.note(format_args!("warning: RUST_LOG is ignored: {error}"));
            EnvFilter::new(level)
        })
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(messages.color)
        .with_target(false)
        .without_time()
        .init();
}
