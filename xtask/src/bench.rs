//! `cargo xtask bench`: juggle and PyTorch timed on the same machine, taking turns.
//!
//! Two long-lived programs wait for work, one of our crates and one of PyTorch; in each round each of
//! them works for a moment while the other one waits, and the ratio is taken round by round.
//!
//! Module map: [`mod@rows`] is the table of what is compared, [`mod@measure`] times a row, [`peer`] talks to the programs,
//! [`process`] starts and watches them, [`neighbours`] sees who else was busy, [`statistics`] makes ratios, [`table`] writes them down, [`ratios`] keeps them as data, [`footprint`] is
//! memory and start-up, [`search`] a search of settings.

mod document;
mod footprint;
mod measure;
mod neighbours;
mod peer;
mod process;
pub(crate) mod ratios;
mod rows;
mod search;
mod statistics;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use footprint::{Footprint, footprints, start_up};
use measure::{Bench, Effort, Outcome};
use peer::{Paths, Peers, Program};
use process::{FOLDER, Pinning};
use rows::{Part, Row, png_folder, rows};

use crate::juggle::{build, build_targets, cargo};
use crate::provenance::{Provenance, n_cores, provenance};
use crate::python::{self, call, environment};

const REQUIREMENTS: &str = "xtask/bench/requirements.txt";
const FOLDERS: &str = "xtask/bench/folders.py";
const RIVALS: &str = "xtask/bench/rivals/Cargo.toml";

/// Built in one call, so that what they share is built once.
const EXAMPLES: [&str; 12] = [
    "--package",
    "juggle-metrics",
    "--example",
    "measure",
    "--package",
    "juggle-models",
    "--package",
    "juggle-dataset",
    "--example",
    "throughput",
    "--example",
    "read_folder",
];

const FULL: Effort = Effort {
    rounds: 7,
    seconds: 0.7,
    command_rounds: 3,
    epochs: 25,
    compile: true,
};

const QUICK: Effort = Effort {
    rounds: 3,
    seconds: 0.3,
    command_rounds: 1,
    epochs: 3,
    compile: false,
};

/// Time juggle and PyTorch side by side.
///
/// `$PYTHON` names the interpreter that makes the virtual environment; `python3` otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Few and short rounds, and no torch.compile: for a look, not for a claim
    #[arg(long)]
    quick: bool,
    /// Measure only this row; may be repeated
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// Measure and write only this part
    #[arg(long, value_name = "PART")]
    part: Option<Part>,
    /// List the rows, and measure nothing
    #[arg(long)]
    list: bool,
    /// Numbers of threads to measure with
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1, 2])]
    threads: Vec<usize>,
    /// Rounds of each row
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// Seconds of each side in each round
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// Leave docs/performance.md as it is
    #[arg(long)]
    no_write: bool,
    /// The virtual environment, made when it is not there
    #[arg(long, value_name = "DIR", default_value = python::VENV)]
    venv: PathBuf,
}

impl Options {
    fn measures(&self, part: Part) -> bool {
        self.part.is_none_or(|only| only == part)
    }
}

/// `results.json`.
#[derive(Debug, Serialize)]
struct Results {
    provenance: Provenance,
    /// Versions and instruction level, as the programs told them.
    facts: std::collections::BTreeMap<String, String>,
    command: String,
    effort: Effort,
    rows: Vec<Outcome>,
    footprints: Vec<Footprint>,
    start_up_s: Option<f64>,
    not_run: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.part == Some(Part::Search) {
        return search::run(options);
    }
    let effort = effort(options)?;
    let (selected, mut not_run) = select(options)?;
    if options.list {
        for row in &selected {
            println!("{:36}{} thread(s)  {}", row.id, row.threads, row.title);
        }
        return Ok(());
    }
    if !effort.compile {
        not_run.push("every configuration with torch.compile: left out by --quick".to_owned());
    }
    let pinning = Pinning::detect();
    if pinning == Pinning::None {
        not_run.push("pinning to processors: there is no taskset here".to_owned());
    }
    let python = environment(&options.venv, REQUIREMENTS)?;
    let juggle = build()?;
    let [engine, folder, metrics] =
        build_targets(&EXAMPLES, ["throughput", "read_folder", "measure"])?;
    let has_rivals = selected.iter().any(|row| row.needs(Program::Rivals));
    let rivals = if has_rivals {
        Some(build_rivals()?)
    } else {
        None
    };
    let paths = Paths {
        juggle,
        engine,
        folder,
        metrics,
        rivals,
        python,
    };
    make_folders(&paths.python, &selected)?;
    let mut results = Results {
        provenance: provenance(),
        facts: Default::default(),
        command: command_line(),
        effort,
        rows: vec![],
        footprints: vec![],
        start_up_s: None,
        not_run,
    };
    measure(&selected, &paths, pinning, &mut results)?;
    if options.only.is_empty() && options.measures(Part::Engine) {
        results.start_up_s = Some(start_up(&paths.juggle)?);
        for threads in available(&options.threads) {
            results
                .footprints
                .extend(footprints(&paths.juggle, pinning, threads)?);
        }
    }
    save(&results)?;
    document::publish(options, &results)
}

/// Other people's crates, in a project of their own.
fn build_rivals() -> Result<PathBuf> {
    let target = std::path::absolute(FOLDER)?.join("rivals");
    call(
        Command::new(cargo())
            .args(["build", "--release", "--locked", "--manifest-path", RIVALS])
            .arg("--target-dir")
            .arg(&target),
    )?;
    let name = format!("rivals{}", std::env::consts::EXE_SUFFIX);
    Ok(target.join("release").join(name))
}

fn effort(options: &Options) -> Result<Effort> {
    let base = if options.quick { QUICK } else { FULL };
    let effort = Effort {
        rounds: options.rounds.unwrap_or(base.rounds),
        seconds: options.seconds.unwrap_or(base.seconds),
        ..base
    };
    if effort.rounds == 0 || !(effort.seconds > 0.0 && effort.seconds <= 60.0) {
        bail!("--rounds must be 1 or more, and --seconds above 0 and at most 60");
    }
    if options.threads.contains(&0) {
        bail!("--threads takes numbers from 1");
    }
    Ok(effort)
}

fn available(threads: &[usize]) -> impl Iterator<Item = usize> {
    let n_cores = n_cores();
    threads.iter().copied().filter(move |&n| n <= n_cores)
}

/// The rows to measure, and what cannot be measured here.
fn select(options: &Options) -> Result<(Vec<Row>, Vec<String>)> {
    let all: Vec<Row> = options.threads.iter().flat_map(|&n| rows(n)).collect();
    if let Some(unknown) = options
        .only
        .iter()
        .find(|&name| all.iter().all(|row| row.id != name))
    {
        let mut names: Vec<_> = all.iter().map(|row| row.id).collect();
        names.sort_unstable();
        names.dedup();
        bail!(
            "no row is named `{unknown}`; there are {}",
            names.join(", ")
        );
    }
    let wanted = |row: &Row| {
        options.measures(Part::of(row.id))
            && (options.only.is_empty() || options.only.iter().any(|name| name == row.id))
    };
    let cores: Vec<_> = available(&options.threads).collect();
    let missing = options.threads.iter().filter(|n| !cores.contains(n));
    let not_run = missing.map(|n| {
        format!(
            "rows with {n} threads: this machine has {} cores",
            n_cores()
        )
    });
    let rows = all
        .into_iter()
        .filter(|row| wanted(row) && cores.contains(&row.threads));
    Ok((rows.collect(), not_run.collect()))
}

fn make_folders(python: &Path, rows: &[Row]) -> Result<()> {
    for kind in ["gray", "rgb"] {
        let folder = PathBuf::from(png_folder(kind));
        if folder.exists() || rows.iter().all(|row| !row.id.ends_with(kind)) {
            continue;
        }
        // Under another name until it is whole.
        let partial = folder.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        call(Command::new(python).arg(FOLDERS).arg(&partial).arg(kind))?;
        fs::rename(&partial, &folder)
            .with_context(|| format!("cannot rename {}", partial.display()))?;
    }
    Ok(())
}

fn measure(rows: &[Row], paths: &Paths, pinning: Pinning, results: &mut Results) -> Result<()> {
    let mut bench = Bench {
        peers: Peers::new(paths, pinning),
        paths,
        pinning,
        effort: results.effort,
    };
    for (index, row) in rows.iter().enumerate() {
        let outcome = bench.measure(row)?;
        eprintln!("[{}/{}] {}", index + 1, rows.len(), table::line(&outcome));
        for (config, reason) in &outcome.failed {
            eprintln!("      not run: `{config}`: {reason}");
        }
        results.rows.push(outcome);
        results.facts.clone_from(&bench.peers.facts);
        // After every row, so that an interrupted run leaves what it measured.
        save(results)?;
    }
    Ok(())
}

fn save(results: &Results) -> Result<()> {
    let path = Path::new(FOLDER).join("results.json");
    let text = serde_json::to_string_pretty(results)?;
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The command as it was typed.
fn command_line() -> String {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    format!("cargo xtask {}", arguments.join(" "))
}
