//! `cargo xtask bench --part search`: a search of settings by `juggle tune`, and the same by Optuna with PyTorch, in turns.
//!
//! Both work on a study of their own, ten trials at a time while the other one waits: two networks are trained at once, on one thread
//! each. Juggle's process is started anew for each turn, Optuna's two stay.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::process::{FOLDER, error_file, tail};
use super::rows::Part;
use super::table::replace_between_markers;
use super::{Options, REQUIREMENTS, command_line};
use crate::juggle::build;
use crate::provenance::provenance;
use crate::python::environment;
use crate::reproduce::BALLS;

const SCRIPT: &str = "xtask/bench/search.py";
const DOCUMENT: &str = "docs/performance.md";
const WORKERS: usize = 2;
const EPOCHS: usize = 10;
const PARTS: usize = 3;
const TURN: usize = 10;

/// What a side has done and how long it took.
#[derive(Debug, Default, Clone, Deserialize)]
struct Side {
    /// Of its workers, added up.
    seconds: f64,
    /// The part of them in which networks were trained and judged.
    training_s: f64,
    /// Epochs of single networks.
    epochs: usize,
    #[serde(default)]
    wall_s: f64,
    best: Option<f64>,
    pruned: usize,
    trials: usize,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let trials = if options.quick { 2 * TURN } else { 100 };
    let python = environment(&options.venv, REQUIREMENTS)?;
    let juggle = build()?;
    let folder = std::path::absolute(FOLDER)?.join("search");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    let (mut ours, mut theirs) = (Side::default(), Side::default());
    let mut peers: Vec<Peer> = (0..WORKERS)
        .map(|seed| Peer::start(&python, &folder, seed))
        .collect::<Result<_>>()?;
    for n in (TURN..=trials).step_by(TURN) {
        let began = Instant::now();
        turn(&juggle, &folder, n, &mut ours)?;
        ours.wall_s += began.elapsed().as_secs_f64();
        let began = Instant::now();
        let wall_s = theirs.wall_s;
        theirs = answers(&mut peers, n)?;
        theirs.wall_s = wall_s + began.elapsed().as_secs_f64();
        eprintln!(
            "{n} trials: juggle {:.1} s, Optuna and PyTorch {:.1} s",
            ours.wall_s, theirs.wall_s
        );
    }
    let shown = show(&juggle, &folder)?;
    ours.best = shown["trials"].as_array().and_then(|trials| {
        let best = usize::try_from(shown["best"].as_u64()?).ok()?;
        trials.get(best)?["value"].as_f64()
    });
    ours.pruned = usize::try_from(shown["counts"]["pruned"].as_u64().unwrap_or(0))?;
    ours.trials = shown["trials"].as_array().map_or(0, Vec::len);
    ours.epochs = epochs(&shown);
    let text = words(&ours, &theirs, trials);
    println!("{text}");
    if options.quick || options.no_write {
        eprintln!("{DOCUMENT} was left as it is: a limited run writes no claim");
        return Ok(());
    }
    let document =
        fs::read_to_string(DOCUMENT).with_context(|| format!("cannot read {DOCUMENT}"))?;
    let document = replace_between_markers(&document, Part::Search, &text).context(DOCUMENT)?;
    fs::write(DOCUMENT, document).with_context(|| format!("cannot write {DOCUMENT}"))
}

/// Epochs of single networks in a study.
fn epochs(shown: &Value) -> usize {
    let trials = shown["trials"].as_array().into_iter().flatten();
    let of_trial = |trial: &Value| trial["intermediate"].as_array().map_or(0, Vec::len);
    trials.map(of_trial).sum::<usize>() * PARTS
}

/// Our trials up to `n`.
fn turn(juggle: &Path, folder: &Path, n: usize, side: &mut Side) -> Result<()> {
    let mut command = Command::new(juggle);
    command.args([
        "tune",
        "classifier",
        "--data",
        BALLS,
        "--progress",
        "json",
        "--out",
    ]);
    command.arg(folder.join("juggle"));
    for (flag, value) in [
        ("--trials", n),
        ("--epochs", EPOCHS),
        ("--folds", PARTS),
        ("--workers", WORKERS),
        ("--threads", WORKERS),
        ("--winner-seeds", 0),
    ] {
        command.args([flag, &value.to_string()]);
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("cannot start juggle")?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("`juggle tune` ended with {}: {told}", output.status);
    }
    for line in told.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        if line["kind"] == "trial" {
            side.seconds += line["seconds"].as_f64().unwrap_or(0.0);
            side.training_s += line["training_s"].as_f64().unwrap_or(0.0);
        }
    }
    Ok(())
}

fn show(juggle: &Path, folder: &Path) -> Result<Value> {
    let mut command = Command::new(juggle);
    command.args(["tune", "--show", "classifier", "--json", "--out"]);
    let output = command
        .arg(folder.join("juggle"))
        .output()
        .context("cannot start juggle")?;
    serde_json::from_slice(&output.stdout).context("`juggle tune --show` is not JSON")
}

/// A process of Optuna and PyTorch that waits for work.
struct Peer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    errors: std::path::PathBuf,
}

impl Peer {
    fn start(python: &Path, folder: &Path, seed: usize) -> Result<Self> {
        let (file, errors) = error_file(&format!("search-{seed}"))?;
        let mut command = Command::new(python);
        command.arg(SCRIPT).args(["--data", BALLS, "--storage"]);
        command.arg(folder.join("optuna.log"));
        for (flag, value) in [
            ("--epochs", EPOCHS),
            ("--parts", PARTS),
            ("--threads", 1),
            ("--seed", seed),
        ] {
            command.args([flag, &value.to_string()]);
        }
        command.env("OMP_NUM_THREADS", "1").stderr(file);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {SCRIPT}"))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let mut peer = Self {
            child,
            stdin: stdin.context("its input is a pipe")?,
            stdout: BufReader::new(stdout.context("its output is a pipe")?),
            errors,
        };
        peer.line()?;
        Ok(peer)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            bail!("{SCRIPT} ended: {}", tail(&self.errors));
        }
        Ok(line)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Optuna's trials up to `n`.
fn answers(peers: &mut [Peer], n: usize) -> Result<Side> {
    for peer in peers.iter_mut() {
        writeln!(peer.stdin, "{n}").and_then(|()| peer.stdin.flush())?;
    }
    let mut sum = Side::default();
    for peer in peers {
        let line = peer.line()?;
        let one: Side =
            serde_json::from_str(&line).with_context(|| format!("{SCRIPT} said {line}"))?;
        sum.seconds += one.seconds;
        sum.training_s += one.training_s;
        sum.epochs += one.epochs;
        (sum.best, sum.pruned, sum.trials) = (one.best, one.pruned, one.trials);
    }
    Ok(sum)
}

fn words(ours: &Side, theirs: &Side, trials: usize) -> String {
    let source = provenance();
    let overhead = |side: &Side| 100.0 * (1.0 - side.training_s / side.seconds);
    let row = |name: &str, side: &Side| {
        format!(
            "| {name} | {:.0} | {} | {} | {} | {:.1} | {:.2} | {} |\n",
            side.wall_s,
            side.trials,
            side.pruned,
            side.epochs,
            1000.0 * side.training_s / side.epochs as f64,
            overhead(side),
            side.best
                .map_or("–".to_owned(), |best| format!("{best:.4}")),
        )
    };
    let per_epoch = |side: &Side| side.wall_s / side.epochs as f64;
    let mut text = format!(
        "Measured {}: {}, {} cores; commit {}. `{}`: {trials} trials of the usual space of `juggle tune classifier`, {PARTS} networks a trial, \
         up to {EPOCHS} epochs, median pruner, {WORKERS} trials at once on one thread each, in turns of {TURN} trials.\n\n",
        source.date,
        source.cpu,
        source.n_cores,
        source.commit.get(..12).unwrap_or(&source.commit),
        command_line(),
    );
    text += "| | wall time, s | trials | pruned | epochs of single networks | ms an epoch, training | search's own share, % | best loss |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|\n";
    text += &row("juggle tune", ours);
    text += &row("Optuna and PyTorch", theirs);
    text += &format!(
        "\nThe whole search: {:.2} times as fast. By the epoch, since the two draw and prune other trials: {:.2} times.\n",
        theirs.wall_s / ours.wall_s,
        per_epoch(theirs) / per_epoch(ours)
    );
    text
}
