//! What a run folder says of itself: configuration, curves, weights, and how the run ended.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use juggle_models::Summary;
use juggle_tracking::events::{
    Epoch, Event, FinishReason, Metrics, Record, Started, StopReason, read_events,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::outcome::{Outcome, Wanted};
use super::recorded_number;
use crate::args::Weights;
use crate::config::RunConfig;
use crate::model;
use juggle_tracking::RunFolder;

/// One run, read.
#[derive(Debug)]
pub(crate) struct Run {
    /// The folder's name, or what a study calls it.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) config: RunConfig,
    pub(crate) summary: Summary,
    pub(crate) log: Log,
    pub(crate) weights: Option<WeightsFile>,
    /// What it achieves, or the sentence that says why that is not known.
    pub(crate) outcome: Result<Outcome, String>,
    /// What `juggle evaluate --json` printed of it before.
    pub(crate) recorded: Option<Value>,
    /// What a reader must know of this run.
    pub(crate) notes: Vec<String>,
}

/// What the event log holds, as far as a report shows it.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) started: Option<Started>,
    /// When the first and the last line were written, in seconds since 1970; 0 where that was not recorded.
    pub(crate) unix_time_s: (f64, f64),
    pub(crate) epochs: Vec<Epoch>,
    /// Steps whose loss was no finite number.
    pub(crate) skipped: usize,
    /// How often the run went on after a stop.
    pub(crate) resumed: usize,
    pub(crate) ending: Ending,
    /// Metrics of the last weights in evaluation mode, over all training and validation examples; empty before the end.
    pub(crate) finals: [Metrics; 2],
    /// Why there is less than there might be.
    pub(crate) trouble: Option<String>,
}

/// How a run ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The log does not say: it is of before this was recorded, the run goes on, or it was killed.
    #[default]
    Unknown,
    Finished(FinishReason),
    Stopped(StopReason),
}

/// The file of weights that was measured.
#[derive(Debug, Clone)]
pub(crate) struct WeightsFile {
    pub(crate) name: &'static str,
    pub(crate) bytes: usize,
    pub(crate) sha256: String,
}

impl Run {
    /// Reads the folder and measures the run as `wanted`. What is missing beside the configuration leaves a gap.
    pub(crate) fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Self> {
        let (folder, config) = crate::run::open(path)?;
        let outcome =
            Outcome::measure(&folder, &config, wanted).map_err(|error| format!("{error:#}"));
        Self::with_outcome(&folder, config, wanted.weights, outcome)
    }

    /// Reads the folder of a run that was measured already.
    pub(crate) fn with_outcome(
        folder: &RunFolder,
        config: RunConfig,
        weights: Weights,
        outcome: Result<Outcome, String>,
    ) -> Result<Self> {
        let network = model::network(&config)
            .with_context(|| format!("the configuration of {}", folder.path().display()))?;
        Ok(Self {
            name: name_of(folder.path()),
            path: folder.path().to_owned(),
            summary: network.summary(),
            log: Log::read(&folder.file("events.jsonl")),
            weights: WeightsFile::read(folder, weights),
            config,
            outcome,
            recorded: None,
            notes: vec![],
        })
    }

    /// Adds what was printed of the run before. Where it was measured as well, both must agree.
    pub(crate) fn with_recorded(mut self, file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let document: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not JSON", file.display()))?;
        for metric in ["accuracy", "loss", "psnr_db", "ssim"] {
            let measured = self
                .outcome
                .as_ref()
                .ok()
                .and_then(|found| found.number(metric));
            let (Some(now), Some(then)) = (measured, recorded_number(&document, metric)) else {
                continue;
            };
            if (now - then).abs() > 1e-6 * now.abs().max(1e-3) {
                self.notes.push(format!(
                    "{} says {metric} {then}, but these weights give {now}",
                    file.display()
                ));
            }
        }
        self.recorded = Some(document);
        Ok(self)
    }

    /// Seconds of training, as far as the log goes.
    pub(crate) fn elapsed_s(&self) -> Option<f64> {
        self.log.epochs.last().map(|epoch| epoch.elapsed_s)
    }

    /// A named number of the run: `accuracy`, `loss`, `psnr_db`, `ssim` on the measured split, and others under the
    /// names that [`Outcome::number`] and [`Log::number`] know.
    pub(crate) fn number(&self, metric: &str) -> Option<f64> {
        let measured = self.outcome.as_ref().ok();
        measured
            .and_then(|outcome| outcome.number(metric))
            .or_else(|| recorded_number(self.recorded.as_ref()?, metric))
            .or_else(|| self.log.number(metric))
    }
}

impl Log {
    pub(super) fn read(path: &Path) -> Self {
        if !path.exists() {
            let trouble = Some("the run has no event log".to_owned());
            return Self {
                trouble,
                ..Self::default()
            };
        }
        let events = match read_events(path) {
            Ok(events) => events,
            Err(error) => {
                let error = anyhow::Error::new(error);
                return Self {
                    trouble: Some(format!("the event log cannot be read: {error:#}")),
                    ..Self::default()
                };
            }
        };
        let time = |record: Option<&Record>| record.map_or(0.0, |record| record.unix_time_s);
        let mut log = Self {
            unix_time_s: (time(events.records.first()), time(events.records.last())),
            ..Self::default()
        };
        for record in events.records {
            match record.event {
                Event::Started(started) => log.started = Some(started),
                Event::Resumed(_) => {
                    log.resumed += 1;
                    log.ending = Ending::Unknown;
                }
                Event::Skipped(_) => log.skipped += 1,
                Event::Epoch(epoch) => log.epochs.push(epoch),
                Event::Stopped(stopped) => log.ending = Ending::Stopped(stopped.reason),
                Event::Finished(finished) => {
                    log.ending = Ending::Finished(finished.reason);
                    log.finals = [finished.train, finished.val];
                }
                _ => {}
            }
        }
        if log.epochs.is_empty() {
            log.trouble = Some("no epoch was completed".to_owned());
        } else if events.torn_bytes > 0 {
            log.trouble =
                Some("the last line of the event log is torn and was left out".to_owned());
        }
        log
    }

    /// A metric at the last epoch, as `train_loss` or `val_accuracy`; as `final_train_loss` that of the last weights in
    /// evaluation mode.
    pub(crate) fn number(&self, metric: &str) -> Option<f64> {
        let [train, val] = match metric.strip_prefix("final_") {
            Some(_) => [&self.finals[0], &self.finals[1]],
            None => {
                let last = self.epochs.last()?;
                [&last.train, &last.val]
            }
        };
        let metric = metric.strip_prefix("final_").unwrap_or(metric);
        let (metrics, name) = match metric.split_once('_')? {
            ("train", name) => (train, name),
            ("val", name) => (val, name),
            _ => return None,
        };
        metrics.get(name).map(|number| number.0)
    }

    /// The epoch with the lowest validation loss, of equal ones the first.
    pub(crate) fn best_epoch(&self) -> Option<usize> {
        let losses = self.epochs.iter().filter_map(|epoch| {
            let loss = epoch.val.get("loss")?.0;
            loss.is_finite().then_some((epoch.epoch, loss))
        });
        losses
            .reduce(|best, found| if found.1 < best.1 { found } else { best })
            .map(|(epoch, _)| epoch)
    }
}

impl Ending {
    /// How it ended, in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Unknown => "the log does not say how it ended",
            Self::Finished(FinishReason::Epochs) => "complete: all epochs were trained",
            Self::Finished(FinishReason::Patience) => {
                "complete: the validation loss had stopped falling"
            }
            Self::Finished(_) => "complete",
            Self::Stopped(StopReason::Interrupted) => "interrupted; it can be resumed",
            Self::Stopped(StopReason::TimeLimit) => "stopped at its time limit; it can be resumed",
            Self::Stopped(StopReason::NotFinite) => "stopped: the loss was no finite number",
            Self::Stopped(StopReason::Pruned) => "pruned by a search; it can be resumed",
            Self::Stopped(_) => "stopped before its end",
        }
    }
}

impl WeightsFile {
    fn read(folder: &RunFolder, weights: Weights) -> Option<Self> {
        let name = weights.file_name();
        let bytes = std::fs::read(folder.file(name)).ok()?;
        Some(Self {
            name,
            bytes: bytes.len(),
            sha256: hex(&Sha256::digest(&bytes)),
        })
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The last part of a path that has a name.
fn name_of(path: &Path) -> String {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = full.file_name().unwrap_or(full.as_os_str());
    name.to_string_lossy().into_owned()
}
