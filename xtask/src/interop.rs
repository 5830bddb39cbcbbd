//! `cargo xtask interop`: our numbers and files against PyTorch, onnxruntime, scikit-image, torchmetrics, pytorch-msssim, scikit-learn,
//! scipy, statsmodels, imagehash and tensorboard; studies shared with Optuna; our runs against being killed; and the reports in a browser.
//!
//! Python is needed here and nowhere else. The versions are pinned in
//! `xtask/interop/requirements.txt` and `xtask/interop/tuning/`, in virtual environments of our own.

mod browser;
mod kill;
mod onnx;
mod tuning;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use crate::juggle::{build, cargo, copy_clips};
use crate::python::{self, call, environment};
use crate::reproduce::{BALLS, FRAMES};

const REQUIREMENTS: &str = "xtask/interop/requirements.txt";
const LOAD_STATE_DICT: &str = "xtask/interop/load_state_dict.py";
const READ_TENSORBOARD: &str = "xtask/interop/read_tensorboard.py";
const FOLDER: &str = "target/interop";
const BOARD_FOLDER: &str = "target/interop-tensorboard";
const TRAIN_CLIPS: usize = 8;

/// The golden files that the tests of the crates compare with; their scripts check themselves.
const GOLDEN_SCRIPTS: [&str; 9] = [
    "crates/dataset/tests/golden/generate_audit.py",
    "crates/metrics/tests/golden/generate_images.py",
    "crates/metrics/tests/golden/generate_labels.py",
    "crates/metrics/tests/golden/generate_report_options.py",
    "crates/metrics/tests/golden/generate_reports.py",
    "crates/metrics/tests/golden/generate_uncertainty.py",
    "crates/models/tests/golden/generate.py",
    "crates/models/tests/golden/onnx/generate.py",
    "crates/tracking/tests/golden/generate_tensorboard.py",
];

/// Those of them that draw other cases from another seed, and the file or folder to write below the one that `JUGGLE_GOLDEN` gives to the tests.
const FRESH: [(&str, &str); 3] = [
    ("crates/metrics/tests/golden/generate_images.py", "."),
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

/// Compare with PyTorch, onnxruntime, scikit-image and scikit-learn; share studies with Optuna.
///
/// `$PYTHON` names the interpreter that makes the virtual environment; `python3` otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The virtual environment, made when it is not there
    #[arg(long, value_name = "DIR", default_value = python::VENV)]
    venv: PathBuf,
    /// Where the fresh random cases of the metrics and the moments of the kills begin; the seconds of the clock otherwise
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Check only this; may be repeated
    #[arg(long, value_name = "PART")]
    only: Vec<Part>,
    /// Runs that are killed
    #[arg(long, value_name = "N", default_value_t = 200)]
    runs: usize,
    /// Workers of a shared study that are killed
    #[arg(long, value_name = "N", default_value_t = 100)]
    kills: u32,
}

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The committed golden values are still what the peers compute
    Golden,
    /// The metrics of images and labels on cases drawn anew
    Fresh,
    /// PyTorch loads our weights with strict=True, onnxruntime our exports, and both compute the same
    Load,
    /// The tensorboard package reads our event files
    Tensorboard,
    /// Studies shared with three versions of Optuna, its dashboard and its storage proxy; their workers killed
    Tuning,
    /// Runs that are killed at random moments end with the same bytes
    Kill,
    /// The reports in Chromium
    Browser,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = options.seed.unwrap_or(seconds?.as_secs());
    let wanted = |part: Part| options.only.is_empty() || options.only.contains(&part);
    if [Part::Golden, Part::Fresh, Part::Load, Part::Tensorboard]
        .into_iter()
        .any(wanted)
    {
        let python = environment(&options.venv, REQUIREMENTS)?;
        if wanted(Part::Golden) {
            for script in GOLDEN_SCRIPTS {
                call(Command::new(&python).args([script, "--check"]))?;
            }
        }
        if wanted(Part::Fresh) {
            fresh_cases(&python, seed)?;
        }
        if wanted(Part::Load) {
            load(&python)?;
        }
        if wanted(Part::Tensorboard) {
            tensorboard(&python)?;
        }
    }
    if wanted(Part::Tuning) {
        tuning::run(options.kills)?;
    }
    if wanted(Part::Kill) {
        kill::run(&build()?, options.runs, seed)?;
    }
    if wanted(Part::Browser) {
        open_reports(options)?;
    }
    println!("interop: everything that was run agrees");
    Ok(())
}

fn open_reports(options: &Options) -> Result<()> {
    match browser::check(&build()?)? {
        browser::Outcome::Passed => println!("interop: the reports pass in the browser"),
        // Who asks for the check by name must not take its absence for success.
        browser::Outcome::NotRun(reason) if !options.only.is_empty() => {
            bail!("the reports were not opened in a browser: {reason}")
        }
        browser::Outcome::NotRun(reason) => {
            println!("interop: NOT RUN: the reports in a browser: {reason}");
        }
    }
    Ok(())
}

/// Short runs, of which one is resumed after its end and one within an epoch, for tensorboard to read.
fn tensorboard(python: &Path) -> Result<()> {
    let juggle = build()?;
    let folder = Path::new(BOARD_FOLDER);
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {BOARD_FOLDER}"))?;
    }
    let (frames, runs) = (folder.join("frames"), folder.join("runs"));
    copy_clips(Path::new(FRAMES), &frames, [TRAIN_CLIPS, TRAIN_CLIPS])?;
    let frames = frames.display();
    for (name, arguments) in [
        ("resumed", format!("classifier --data {BALLS} --epochs 1")),
        ("resumed", "classifier --epochs 2 --resume".to_owned()),
        (
            "stopped",
            format!(
                "classifier --data {BALLS} --epochs 3 --batch-norm --log-steps 1 --max-minutes 0.02"
            ),
        ),
        ("stopped", "classifier --resume --max-minutes 0".to_owned()),
        ("frames", format!("autoencoder --data {frames} --epochs 2")),
    ] {
        let mut train = Command::new(&juggle);
        train.arg("train").args(arguments.split(' '));
        call(train.arg("--run").arg(runs.join(name)))?;
    }
    call(
        Command::new(python)
            .arg(READ_TENSORBOARD)
            .arg("--runs")
            .arg(&runs),
    )
}

/// Trains a network of each kind for PyTorch to load.
fn load(python: &Path) -> Result<()> {
    let juggle = build()?;
    let folder = Path::new(FOLDER);
    let frames = folder.join("frames");
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {FOLDER}"))?;
    }
    copy_clips(Path::new(FRAMES), &frames, [TRAIN_CLIPS, usize::MAX])?;
    for (name, arguments) in CASES {
        let data = if name.starts_with("classifier") {
            Path::new(BALLS)
        } else {
            &frames
        };
        train_and_evaluate(&juggle, &folder.join(name), arguments, data)?;
    }
    call(
        Command::new(python)
            .args([LOAD_STATE_DICT, "--runs", FOLDER, "--balls", BALLS])
            .arg("--frames")
            .arg(&frames),
    )?;
    onnx::check(
        python,
        &juggle,
        folder,
        &frames,
        &CASES.map(|(name, _)| name),
    )
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
    println!("interop: fresh cases of images and labels from seed {seed} agree");
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
