//! `cargo xtask interop`: our numbers and files against PyTorch, onnxruntime, scikit-image, torchmetrics, pytorch-msssim, scikit-learn,
//! scipy and statsmodels.
//!
//! Python is needed here and nowhere else. The versions are pinned in
//! `xtask/interop/requirements.txt`, in a virtual environment of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

use crate::juggle::{build, cargo, copy_clips};
use crate::python::{self, call, environment};
use crate::reproduce::{BALLS, FRAMES};

const REQUIREMENTS: &str = "xtask/interop/requirements.txt";
const LOAD_STATE_DICT: &str = "xtask/interop/load_state_dict.py";
const CHECK_ONNX: &str = "xtask/interop/check_onnx.py";
const TUTORIAL: &str = "docs/tutorial.md";
const FOLDER: &str = "target/interop";
const NETWORKS_FOLDER: &str = "target/interop-onnx";
const TRAIN_CLIPS: usize = 8;

/// The golden files that the tests of the crates compare with; their scripts check themselves.
const GOLDEN_SCRIPTS: [&str; 7] = [
    "crates/metrics/tests/golden/generate_images.py",
    "crates/metrics/tests/golden/generate_labels.py",
    "crates/metrics/tests/golden/generate_report_options.py",
    "crates/metrics/tests/golden/generate_reports.py",
    "crates/metrics/tests/golden/generate_uncertainty.py",
    "crates/models/tests/golden/generate.py",
    "crates/models/tests/golden/onnx/generate.py",
];

/// Those of them that draw other cases from another seed, which `JUGGLE_GOLDEN` gives to the tests.
const FRESH: [(&str, &str); 2] = [
    (
        "crates/metrics/tests/golden/generate_labels.py",
        "labels.json",
    ),
    (
        "crates/metrics/tests/golden/generate_report_options.py",
        "report_options.json",
    ),
];
const FRESH_FOLDER: &str = "target/interop-fresh";

/// Networks that PyTorch loads; the check script knows each by its name.
const CASES: [(&str, &str); 5] = [
    ("classifier", "classifier"),
    ("classifier-batch-norm", "classifier --batch-norm"),
    ("autoencoder", "autoencoder"),
    ("autoencoder-batch-norm", "autoencoder --batch-norm"),
    ("autoencoder-no-skip", "autoencoder --no-skip"),
];

/// Compare with PyTorch, onnxruntime, scikit-image and scikit-learn.
///
/// `$PYTHON` names the interpreter that makes the virtual environment; `python3` otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The virtual environment, made when it is not there
    #[arg(long, value_name = "DIR", default_value = python::VENV)]
    venv: PathBuf,
    /// Where the fresh random cases of the metrics begin; the seconds of the clock otherwise
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let python = environment(&options.venv, REQUIREMENTS)?;
    for script in GOLDEN_SCRIPTS {
        call(Command::new(&python).args([script, "--check"]))?;
    }
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH);
    fresh_cases(&python, options.seed.unwrap_or(seconds?.as_secs()))?;
    let juggle = build()?;
    let folder = Path::new(FOLDER);
    let frames = folder.join("frames");
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {FOLDER}"))?;
    }
    copy_clips(Path::new(FRAMES), &frames, TRAIN_CLIPS)?;
    for (name, arguments) in CASES {
        let data = if name.starts_with("classifier") {
            Path::new(BALLS)
        } else {
            &frames
        };
        train_and_evaluate(&juggle, &folder.join(name), arguments, data)?;
    }
    call(
        Command::new(&python)
            .args([LOAD_STATE_DICT, "--runs", FOLDER, "--balls", BALLS])
            .arg("--frames")
            .arg(&frames),
    )?;
    check_onnx(&python, &juggle, folder, &frames)?;
    println!("interop: everything agrees");
    Ok(())
}

/// The tests of the metrics on cases that nobody has seen before.
fn fresh_cases(python: &Path, seed: u64) -> Result<()> {
    let folder = std::path::absolute(FRESH_FOLDER)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {FRESH_FOLDER}"))?;
    for (script, name) in FRESH {
        let mut generate = Command::new(python);
        generate.args([script, "--seed", &seed.to_string(), "--output"]);
        call(generate.arg(folder.join(name)))?;
    }
    let mut test = Command::new(cargo());
    test.args(["test", "-p", "juggle-metrics", "--all-features", "--locked"])
        .args(["--test", "it", "agree", "--quiet"])
        .env("JUGGLE_GOLDEN", &folder);
    let again = format!("this was seed {seed}; to repeat it: cargo xtask interop --seed {seed}");
    call(&mut test).context(again)?;
    println!("interop: fresh cases of labels from seed {seed} agree");
    Ok(())
}

/// One epoch is enough: weights and running statistics have moved away from where they began.
fn train_and_evaluate(juggle: &Path, run: &Path, arguments: &str, data: &Path) -> Result<()> {
    let mut train = Command::new(juggle);
    train
        .arg("train")
        .args(arguments.split(' '))
        .arg("--data")
        .arg(data)
        .arg("--run")
        .arg(run);
    call(train.args(["--epochs", "1", "--device", "cpu"]))?;
    let mut evaluate = Command::new(juggle);
    evaluate
        .arg("evaluate")
        .arg(run)
        .args(["--weights", "last", "--json"]);
    save(&mut evaluate, &run.join("evaluation.json"))?;
    if arguments.starts_with("classifier") {
        let mut predict = Command::new(juggle);
        predict
            .arg("predict")
            .arg(run)
            .args(["--weights", "last", "--json"]);
        save(
            predict.args(test_images(data)?),
            &run.join("predictions.json"),
        )?;
    }
    Ok(())
}

/// The networks of the models' tests, and every run exported, in onnxruntime.
fn check_onnx(python: &Path, juggle: &Path, runs: &Path, frames: &Path) -> Result<()> {
    let networks = std::path::absolute(NETWORKS_FOLDER)?;
    if networks.exists() {
        fs::remove_dir_all(&networks)
            .with_context(|| format!("cannot remove {NETWORKS_FOLDER}"))?;
    }
    fs::create_dir_all(&networks).with_context(|| format!("cannot create {NETWORKS_FOLDER}"))?;
    let mut test = Command::new(cargo());
    test.args(["test", "-p", "juggle-models", "--locked", "--test", "it"])
        .args(["--quiet", "other_programs"])
        .env("JUGGLE_ONNX", &networks);
    call(&mut test)?;
    for (name, _) in CASES {
        let run = runs.join(name);
        let mut export = Command::new(juggle);
        export
            .arg("export")
            .arg(&run)
            .args(["--weights", "last", "--out"]);
        call(export.arg(run.join("model.onnx")))?;
        if name.starts_with("autoencoder") {
            roll_out(juggle, &run, frames)?;
        }
    }
    call(
        Command::new(python)
            .args([CHECK_ONNX, "--balls", BALLS, "--tutorial", TUTORIAL])
            .arg("--networks")
            .arg(&networks)
            .arg("--runs")
            .arg(runs)
            .arg("--frames")
            .arg(frames),
    )
}

/// Five frames of the first validation clip, each fed back for the next, in `RUN/next`.
fn roll_out(juggle: &Path, run: &Path, frames: &Path) -> Result<()> {
    let validation = frames.join("val");
    let mut clips = vec![];
    let entries = fs::read_dir(&validation)
        .with_context(|| format!("cannot list {}", validation.display()))?;
    for entry in entries {
        clips.push(entry?.path());
    }
    clips.sort();
    let first = clips.first().context("the validation split has clips")?;
    let mut predict = Command::new(juggle);
    predict.arg("predict").arg(run).arg(first).args([
        "--weights",
        "last",
        "--start",
        "1",
        "--steps",
        "5",
        "--out",
    ]);
    call(predict.arg(run.join("next")))
}

fn test_images(data: &Path) -> Result<Vec<PathBuf>> {
    let mut images = vec![];
    for class in ["1", "2", "3"] {
        let folder = data.join("test").join(class);
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            images.push(entry?.path());
        }
    }
    images.sort();
    Ok(images)
}

/// Runs a command with its stdout in a file.
fn save(command: &mut Command, path: &Path) -> Result<()> {
    let file =
        fs::File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    call(command.stdout(file))
}
