//! `cargo xtask`: the chores of this repository, as code instead of shell scripts.
//!
//! One file per command:
//! - `reproduce` runs the whole published coursework and writes the report,
//! - `tidy` checks the rules that no compiler checks,
//! - `ci` runs every check, here as on a server,
//! - `alone` builds a new project that depends on `juggle-metrics` only,
//! - `bench` times juggle and PyTorch side by side,
//! - `interop` compares with PyTorch, scikit-image and scikit-learn, kills runs, and opens reports in a browser,
//! - `verify` checks kernels and metrics with tools that are not everywhere.
//!
//! It links no crate of the workspace and drives the `juggle` binary as a process: it is what a
//! newcomer waits for first, and it measures what a user would run.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program: results go to stdout, progress to stderr"
)]

mod alone;
mod bench;
mod ci;
mod interop;
mod juggle;
mod provenance;
mod python;
mod reproduce;
mod tidy;
mod verify;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

/// The chores of this repository. Relative paths are taken from the repository's root.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Re-create the published coursework stage by stage and write report.md and results.json
    Reproduce(reproduce::Options),
    /// Check the rules of the repository: who may know whom, file sizes, names, forbidden words
    Tidy,
    /// Run every check: format, lints, tests, documentation, tidy, and the quick reproduction
    Ci(ci::Options),
    /// Build and run a new project that depends on `juggle-metrics` only, and count what it brings
    Alone,
    /// Compare with PyTorch, scikit-image and scikit-learn, kill runs and resume them, open reports in Chromium (python3 and node;
    /// downloads the peers)
    Interop(interop::Options),
    /// Check kernels and metrics with miri, AddressSanitizer, fuzzers and on aarch64, as far as the tools are here
    Verify(verify::Options),
    /// Time juggle and PyTorch on this machine, side by side (needs python3 and downloads PyTorch)
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask lies in a folder of the repository")?;
    std::env::set_current_dir(root)
        .with_context(|| format!("cannot enter the repository's root {}", root.display()))?;
    match command {
        Command::Reproduce(options) => reproduce::run(&options),
        Command::Tidy => tidy::run(),
        Command::Ci(options) => ci::run(&options),
        Command::Alone => alone::run(),
        Command::Interop(options) => interop::run(&options),
        Command::Verify(options) => verify::run(&options),
        Command::Bench(options) => bench::run(&options),
    }
}
