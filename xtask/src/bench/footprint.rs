//! What a run takes besides time in the engine: memory, start-up, and the share of an epoch outside the engine.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::measure::BALLS;
use super::neighbours::Meter;
use super::process::{self, FOLDER, Pinning};
use super::statistics::median;
use crate::reproduce::FRAMES;

/// Enough for the training and both evaluations; memory does not grow with the epochs.
const EPOCHS: &str = "2";
const STARTS: usize = 50;

/// What one kind of training took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Footprint {
    pub(crate) kind: String,
    pub(crate) threads: usize,
    pub(crate) peak_bytes: Option<u64>,
}

pub(crate) fn footprints(
    juggle: &std::path::Path,
    pinning: Pinning,
    threads: usize,
) -> Result<Vec<Footprint>> {
    [("classifier", BALLS), ("autoencoder", FRAMES)]
        .into_iter()
        .map(|(kind, data)| {
            let mut command = pinning.command(juggle, threads);
            command
                .args(["train", kind, "--data", data, "--epochs", EPOCHS])
                .args(["--threads", &threads.to_string(), "--device", "cpu"])
                .args(["--run", &format!("{FOLDER}/{kind}-run")])
                .args(["--quiet", "--overwrite"]);
            let meter = Meter::start(pinning, threads);
            let finished = process::run(&mut command, kind, meter)?;
            Ok(Footprint {
                kind: kind.to_owned(),
                threads,
                peak_bytes: finished.peak_bytes,
            })
        })
        .collect()
}

/// Median wall time of `juggle --version`, in seconds.
pub(crate) fn start_up(juggle: &std::path::Path) -> Result<f64> {
    let mut times = vec![];
    for _ in 0..STARTS {
        let started = Instant::now();
        let status = Command::new(juggle)
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        status.with_context(|| format!("cannot start {}", juggle.display()))?;
        times.push(started.elapsed().as_secs_f64());
    }
    median(&times).context("it was started more than once")
}
