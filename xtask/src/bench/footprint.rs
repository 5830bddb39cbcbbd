//! What a run takes besides time in the engine: memory, start-up, and the share of an epoch outside the engine.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use super::measure::BALLS;
use super::neighbours::Meter;
use super::process::{self, FOLDER, Pinning};
use super::statistics::median;
use crate::reproduce::{FRAMES, is_epoch};

/// Enough for the training and both evaluations; memory does not grow with the epochs.
const EPOCHS: &str = "4";
const STARTS: usize = 50;

/// What one kind of training took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Footprint {
    pub(crate) kind: String,
    pub(crate) threads: usize,
    pub(crate) peak_bytes: Option<u64>,
    /// The share of its epochs that was not spent in the engine, 0 to 1.
    pub(crate) outside_engine: f64,
}

pub(crate) fn footprints(
    juggle: &Path,
    pinning: Pinning,
    threads: usize,
) -> Result<Vec<Footprint>> {
    [("classifier", BALLS), ("autoencoder", FRAMES)]
        .into_iter()
        .map(|(kind, data)| {
            let run = format!("{FOLDER}/{kind}-run");
            let mut command = pinning.command(juggle, threads);
            command
                .args(["train", kind, "--data", data, "--epochs", EPOCHS])
                .args(["--threads", &threads.to_string(), "--device", "cpu"])
                .args(["--run", &run])
                .args(["--quiet", "--overwrite"]);
            let meter = Meter::start(pinning, threads);
            let finished = process::run(&mut command, kind, meter)?;
            Ok(Footprint {
                kind: kind.to_owned(),
                threads,
                peak_bytes: finished.peak_bytes,
                outside_engine: outside_engine(&run)?,
            })
        })
        .collect()
}

/// Read from the events of a run.
fn outside_engine(run: &str) -> Result<f64> {
    let path = Path::new(run).join("events.jsonl");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    share_outside(&text).with_context(|| format!("{} is not as expected", path.display()))
}

fn share_outside(events: &str) -> Result<f64> {
    #[derive(Deserialize)]
    struct Event {
        epoch_s: f64,
        engine_s: f64,
    }
    let events = events
        .lines()
        .filter(|line| is_epoch(line))
        .map(serde_json::from_str)
        .collect::<Result<Vec<Event>, _>>()?;
    let epochs: f64 = events.iter().map(|event| event.epoch_s).sum();
    let engine: f64 = events.iter().map(|event| event.engine_s).sum();
    ensure!(epochs > 0.0, "no time passed");
    Ok(1.0 - engine / epochs)
}

/// Median wall time of `juggle --version`, in seconds.
pub(crate) fn start_up(juggle: &Path) -> Result<f64> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_outside_is_over_all_epochs() {
        let events = concat!(
            r#"{"epoch": 1, "epoch_s": 3.0, "engine_s": 2.5}"#,
            "\n",
            r#"{"kind": "step", "step": 10, "loss": 0.5}"#,
            "\n",
            r#"{"kind": "epoch", "epoch": 2, "epoch_s": 1.0, "engine_s": 0.5}"#,
            "\n"
        );
        assert!((share_outside(events).unwrap() - 0.25).abs() < 1e-12);
        assert!(share_outside("").is_err());
        assert!(share_outside("{}").is_err());
    }
}
