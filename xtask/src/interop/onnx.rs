//! Our exports in onnxruntime.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::juggle::cargo;
use crate::python::call;
use crate::reproduce::BALLS;

const CHECK_ONNX: &str = "xtask/interop/check_onnx.py";
const TUTORIAL: &str = "docs/tutorial.md";
const NETWORKS_FOLDER: &str = "target/interop-onnx";

/// The networks of the models' tests, and every run exported, in onnxruntime.
pub(super) fn check(
    python: &Path,
    juggle: &Path,
    runs: &Path,
    frames: &Path,
    names: &[&str],
) -> Result<()> {
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
    for name in names {
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
