//! Studies shared between juggle-tuning, the command `juggle tune`, and three versions of Optuna: `cargo xtask interop --only tuning`.
//!
//! Each version has a virtual environment of its own, since two cannot live in one.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::juggle::{build, cargo};
use crate::python::{call, environment};
use crate::reproduce::BALLS;

const VERSIONS: [&str; 3] = ["3.6.2", "4.5.0", NEWEST];
/// The version that made the golden files, and whose server and dashboard are used.
const NEWEST: &str = "5.0.0";
const SCRIPTS: &str = "xtask/interop/tuning";
const GOLDEN_SCRIPTS: [&str; 2] = [
    "crates/tuning/tests/golden/generate.py",
    "crates/tuning/tests/golden/generate_tpe.py",
];

/// Compares the golden files and runs all shared studies, with workers killed so often.
pub(super) fn run(kills: u32) -> Result<()> {
    let mut pythons = vec![];
    for version in VERSIONS {
        let venv = format!("target/venv-optuna-{version}");
        let requirements = format!("{SCRIPTS}/requirements-{version}.txt");
        pythons.push((version, environment(Path::new(&venv), &requirements)?));
    }
    let (_, newest) = pythons.last().context("there are versions")?;
    for script in GOLDEN_SCRIPTS {
        call(Command::new(newest).args([script, "--check"]))?;
    }
    let worker = worker()?;
    let mut check = Command::new(newest);
    check.arg(format!("{SCRIPTS}/check.py")).arg("--worker");
    check.arg(worker).args(["--kills", &kills.to_string()]);
    for (version, python) in &pythons {
        check.args(["--python", &format!("{version}={}", python.display())]);
    }
    call(&mut check)?;
    let mut command = Command::new(newest);
    command.arg(format!("{SCRIPTS}/command.py")).arg("--juggle");
    command.arg(build()?).args(["--data", BALLS]);
    for (version, python) in &pythons {
        command.args(["--python", &format!("{version}={}", python.display())]);
    }
    call(&mut command)
}

/// The crate's example that works on a shared study.
fn worker() -> Result<PathBuf> {
    let mut build = Command::new(cargo());
    build.args(["build", "-p", "juggle-tuning", "--example", "worker"]);
    call(build.arg("--locked"))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let worker = Path::new(&target).join("debug/examples/worker");
    std::path::absolute(&worker).with_context(|| format!("cannot find {}", worker.display()))
}
