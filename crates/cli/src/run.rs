//! The run folder: what is in it, when it may be written, and how it is opened again.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::config::{Kind, RunConfig};
use crate::suggest::{closest, did_you_mean};

pub(crate) const BEST_WEIGHTS: &str = "best.safetensors";
pub(crate) const LAST_WEIGHTS: &str = "last.safetensors";
const CONFIG: &str = "config.toml";
const EVENTS: &str = "events.jsonl";
const METRICS: &str = "metrics.json";

/// Where `--run` is not given, runs go here.
const DEFAULT_PARENT: &str = "runs";

/// A folder that holds, or will hold, one run.
#[derive(Clone, Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
}

/// Whether a run that is already in the folder may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

impl RunFolder {
    /// Refuses a folder that holds a run, or anything else, before time is spent on reading data.
    ///
    /// A folder counts as a run folder when it has the `config.toml` of a run; `Existing::Replace` applies to run
    /// folders alone, so that a mistyped path cannot cost somebody's files.
    pub(crate) fn check(path: &Path, existing: Existing) -> Result<()> {
        let shown = path.display();
        if RunConfig::is_at(&path.join(CONFIG)) {
            if existing == Existing::Keep {
                bail!(
                    "{shown} already holds a run: \
                     choose another --run, or replace it with --overwrite"
                );
            }
            return Ok(());
        }
        if !path.exists() {
            return Ok(());
        }
        let mut entries =
            fs::read_dir(path).with_context(|| format!("cannot use {shown} as a run folder"))?;
        if entries.next().is_some() {
            bail!(
                "{shown} is not empty and is not a run folder (no {CONFIG} of a run in it): \
                 choose another --run"
            );
        }
        Ok(())
    }

    /// Makes the folder at `path`, or the next free `runs/KIND-N`, and writes its configuration.
    pub(crate) fn create(
        path: Option<&Path>,
        config: &RunConfig,
        existing: Existing,
    ) -> Result<Self> {
        let path = match path {
            Some(path) => {
                Self::check(path, existing)?;
                fs::create_dir_all(path)
                    .with_context(|| format!("cannot create the run folder {}", path.display()))?;
                path.to_owned()
            }
            None => next_free(config.kind)?,
        };
        let run = Self { path };
        for name in [METRICS, EVENTS, BEST_WEIGHTS, LAST_WEIGHTS] {
            let file = run.file(name);
            if file.exists() {
                fs::remove_file(&file)
                    .with_context(|| format!("cannot remove {}", file.display()))?;
            }
        }
        run.replace(CONFIG, config.to_toml()?.as_bytes())?;
        Ok(run)
    }

    /// Opens a run that was written before.
    pub(crate) fn open(path: &Path) -> Result<(Self, RunConfig)> {
        let run = Self {
            path: path.to_owned(),
        };
        if !path.is_dir() {
            bail!(
                "there is no run folder {}{}",
                path.display(),
                neighbour(path)
            );
        }
        if !run.file(CONFIG).exists() {
            bail!("{} is not a run folder: it has no {CONFIG}", path.display());
        }
        let config = RunConfig::load(&run.file(CONFIG))?;
        Ok((run, config))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Appends one line to `events.jsonl`.
    pub(crate) fn append_event(&self, event: &impl Serialize) -> Result<()> {
        let path = self.file(EVENTS);
        let mut line = serde_json::to_string(event).context("cannot write an event as JSON")?;
        line.push('\n');
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    pub(crate) fn write_metrics(&self, metrics: &impl Serialize) -> Result<()> {
        let mut text =
            serde_json::to_string_pretty(metrics).context("cannot write the metrics as JSON")?;
        text.push('\n');
        self.replace(METRICS, text.as_bytes())
    }

    /// Writes a file by renaming, so that a reader sees the old bytes or the new ones.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let (path, temporary) = (self.file(name), self.file(&format!(".{name}.tmp")));
        fs::write(&temporary, bytes)
            .and_then(|()| fs::rename(&temporary, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The offer of a run beside the folder that is not there, for a mistyped name.
fn neighbour(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let parent = path.parent().unwrap_or(Path::new(""));
    let listed = if parent.as_os_str().is_empty() {
        fs::read_dir(".")
    } else {
        fs::read_dir(parent)
    };
    let runs: Vec<_> = listed
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join(CONFIG).exists())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let closest = closest(&name, runs.iter().map(String::as_str));
    did_you_mean(closest.map(|name| parent.join(name).display().to_string()))
}

/// Creates `runs/KIND-N` with the smallest N that is free. Creating the folder takes the number, so
/// that two runs started together do not share one.
fn next_free(kind: Kind) -> Result<PathBuf> {
    fs::create_dir_all(DEFAULT_PARENT)
        .with_context(|| format!("cannot create the folder {DEFAULT_PARENT}"))?;
    for n in 1_u32.. {
        let path = Path::new(DEFAULT_PARENT).join(format!("{kind}-{n}"));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot create the run folder {}", path.display()));
            }
        }
    }
    bail!("{DEFAULT_PARENT} has no free number left")
}
