//! The files of a run folder, by name, and writing them.

use std::path::{Path, PathBuf};

use crate::{Checkpoints, Disk, EventLog, Result, RunLock};

/// The resolved configuration.
pub const CONFIG: &str = "config.toml";
/// The event log.
pub const EVENTS: &str = "events.jsonl";
/// The final metrics.
pub const METRICS: &str = "metrics.json";
/// The weights of the epoch with the lowest validation loss.
pub const BEST_WEIGHTS: &str = "best.safetensors";
/// The weights of the last epoch.
pub const LAST_WEIGHTS: &str = "last.safetensors";
/// The page that shows the run.
pub const REPORT: &str = "report.html";
/// The folder of event files for TensorBoard.
pub const TENSORBOARD: &str = "tensorboard";
/// The hashes of the data files.
pub const DATA_HASHES: &str = "data.sha256";

/// What belongs to a training and not to whoever put something else into the folder; the configuration comes last.
const TRAINED: [&str; 6] = [
    METRICS,
    EVENTS,
    BEST_WEIGHTS,
    LAST_WEIGHTS,
    REPORT,
    DATA_HASHES,
];

/// A folder that holds, or will hold, one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    path: PathBuf,
    disk: Disk,
}

impl RunFolder {
    /// The folder at `path`, written through `disk`; nothing is touched.
    #[must_use]
    pub fn new(path: &Path, disk: Disk) -> Self {
        Self {
            path: path.to_owned(),
            disk,
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether there is nothing in it but what a run that died at its very beginning leaves: hidden files.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when it cannot be listed.
    pub fn is_blank(&self) -> Result<bool> {
        let list = crate::Error::io("list", &self.path);
        let entries = std::fs::read_dir(&self.path).map_err(list)?;
        let ours = [crate::lock::FILE, ".config.toml.tmp"];
        let mut names = entries.flatten().map(|entry| entry.file_name());
        Ok(names.all(|name| ours.iter().any(|ours| name == *ours)))
    }

    /// Takes the right to write into it.
    ///
    /// # Errors
    /// As [`RunLock::acquire`].
    pub fn lock(&self) -> Result<RunLock> {
        RunLock::acquire(&self.path)
    }

    /// Puts `bytes` at the file `name`, whole.
    ///
    /// # Errors
    /// As [`Disk::replace`].
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        self.disk.replace(&self.file(name), bytes)
    }

    /// Its checkpoints.
    #[must_use]
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(&self.path, self.disk.clone())
    }

    /// Its event log, opened for appending.
    ///
    /// # Errors
    /// As [`EventLog::open`].
    pub fn open_events(&self) -> Result<EventLog> {
        EventLog::open_on(&self.file(EVENTS), self.disk.clone())
    }

    /// Removes what the training of before left, checkpoints first: a configuration never stands beside another training's
    /// checkpoints.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn clear(&self) -> Result<()> {
        self.checkpoints().clear()?;
        crate::tensorboard::remove(&self.file(TENSORBOARD), &self.disk)?;
        for name in TRAINED {
            self.disk.remove_file(&self.file(name))?;
        }
        Ok(())
    }
}
