//! Checkpoints: folders that are whole or not there, and whose every byte is checked before it is used.
//!
//! `checkpoints/step-N/` holds `model.safetensors`, `optimizer.safetensors`, `state.json` and their hashes in `SHA256SUMS`,
//! which `sha256sum --check` reads. They are written into a hidden folder, flushed, and committed by one rename, after which
//! the parent is flushed; a process that dies before leaves a hidden folder, which the next one sweeps away.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Disk, Error, Result, manifest};

/// The weights.
pub const MODEL: &str = "model.safetensors";
/// What the optimiser remembers.
pub const OPTIMIZER: &str = "optimizer.safetensors";
/// Everything else.
pub const STATE: &str = "state.json";
const MANIFEST: &str = "SHA256SUMS";
const FOLDER: &str = "checkpoints";
const PREFIX: &str = "step-";
const REFUSED: &str = "refused-";
/// Of `state.json`. A file of another format is of another version of the program.
const FORMAT: u32 = 1;

/// What a checkpoint holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Training steps that were taken.
    pub step: u64,
    /// The bytes of `model.safetensors`.
    pub model: Vec<u8>,
    /// The bytes of `optimizer.safetensors`.
    pub optimizer: Vec<u8>,
    /// What the training itself remembers, the value of `training` in `state.json`.
    pub training: Value,
    /// Length in bytes of each append-only file of the run, `events.jsonl` first among them, when the checkpoint was
    /// written. What lies behind belongs to steps that are taken again.
    pub logs: Vec<(String, u64)>,
}

/// A folder that looks like a checkpoint and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The folder.
    pub path: PathBuf,
    /// What is wrong, as the end of a sentence that begins with the folder.
    pub reason: String,
}

/// `state.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    format: u32,
    step: u64,
    logs: Vec<(String, u64)>,
    training: Value,
}

/// The checkpoints of one run.
///
/// # Examples
///
/// ```
/// use juggle_tracking::{Checkpoint, Checkpoints, Disk};
///
/// let run = std::env::temp_dir().join(format!("juggle-checkpoint-doctest-{}", std::process::id()));
/// std::fs::create_dir_all(&run)?;
/// let checkpoints = Checkpoints::new(&run, Disk::default());
/// checkpoints.prepare()?;
/// let mut checkpoint = Checkpoint {
///     step: 10,
///     model: b"weights".to_vec(),
///     optimizer: b"moments".to_vec(),
///     training: serde_json::json!({"epoch": 1}),
///     logs: vec![("events.jsonl".to_owned(), 0)],
/// };
/// checkpoints.write(&checkpoint)?;
/// checkpoint.step = 20;
/// checkpoints.write(&checkpoint)?;
/// std::fs::write(run.join("checkpoints/step-20/model.safetensors"), "bits that rot")?;
///
/// let (newest, refused) = checkpoints.newest()?;
/// assert_eq!(newest.map(|checkpoint| checkpoint.step), Some(10));
/// assert!(refused[0].path.ends_with("checkpoints/step-20"));
/// # std::fs::remove_dir_all(&run)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    disk: Disk,
}

impl Checkpoints {
    /// The checkpoints of the run in `run`, written through `disk`.
    #[must_use]
    pub fn new(run: &Path, disk: Disk) -> Self {
        Self {
            folder: run.join(FOLDER),
            disk,
        }
    }

    /// Makes their folder when there is none, and removes what interrupted writes and removals left. For the one process
    /// that holds the run's lock.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn prepare(&self) -> Result<()> {
        if !self.folder.is_dir() {
            self.disk.create_folder(&self.folder)?;
            return self
                .disk
                .sync_folder(self.folder.parent().unwrap_or(Path::new(".")));
        }
        for name in self.names()?.iter().filter(|name| name.starts_with('.')) {
            self.disk.remove_folder(&self.folder.join(name))?;
        }
        Ok(())
    }

    /// Removes all checkpoints.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn clear(&self) -> Result<()> {
        self.disk.remove_folder(&self.folder)
    }

    /// Writes a checkpoint; returns when it is on the disk. One of the same step that is there already is kept, since the
    /// step decides what it holds.
    ///
    /// # Errors
    /// [`Error::Io`]; the checkpoints before are then untouched.
    pub fn write(&self, checkpoint: &Checkpoint) -> Result<()> {
        let path = self.path(checkpoint.step);
        if path.is_dir() {
            return Ok(());
        }
        let temporary = self.hidden(checkpoint.step);
        let written = self
            .write_files(&temporary, checkpoint)
            .and_then(|()| self.disk.rename(&temporary, &path));
        if written.is_err() {
            // The first failure is the one to report; the next start sweeps what is left.
            let _ = self.disk.remove_folder(&temporary);
        }
        written
    }

    fn write_files(&self, folder: &Path, checkpoint: &Checkpoint) -> Result<()> {
        let state = StateFile {
            format: FORMAT,
            step: checkpoint.step,
            logs: checkpoint.logs.clone(),
            training: checkpoint.training.clone(),
        };
        let state = serde_json::to_vec_pretty(&state).map_err(std::io::Error::from);
        let state = state.map_err(Error::io("write", &folder.join(STATE)))?;
        let files = [
            (MODEL, &checkpoint.model),
            (OPTIMIZER, &checkpoint.optimizer),
            (STATE, &state),
        ];
        self.disk.remove_folder(folder)?;
        self.disk.create_folder(folder)?;
        let mut sums = String::new();
        for (name, bytes) in files {
            self.disk.write_file(&folder.join(name), bytes)?;
            sums += &manifest::line(name, bytes);
        }
        self.disk
            .write_file(&folder.join(MANIFEST), sums.as_bytes())?;
        self.disk.sync_folder(folder)
    }

    /// The newest checkpoint that is whole, and the newer ones that are not.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be listed; without a folder there is no checkpoint.
    pub fn newest(&self) -> Result<(Option<Checkpoint>, Vec<Refused>)> {
        let mut refused = Vec::new();
        for step in self.steps()?.into_iter().rev() {
            match self.read(step) {
                Ok(checkpoint) => return Ok((Some(checkpoint), refused)),
                Err(reason) => refused.push(Refused {
                    path: self.path(step),
                    reason,
                }),
            }
        }
        Ok((None, refused))
    }

    /// Gives a refused checkpoint another name, `refused-step-N`, so that its steps can be taken again and whoever wants to
    /// know what happened to it still can.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn set_aside(&self, refused: &Refused) -> Result<()> {
        let name = refused
            .path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let aside = self.folder.join(format!("{REFUSED}{name}"));
        self.disk.remove_folder(&aside)?;
        self.disk.rename(&refused.path, &aside)
    }

    /// Removes all but the `last` newest checkpoints and the one of step `best`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keep(&self, last: usize, best: Option<u64>) -> Result<()> {
        let steps = self.steps()?;
        let old = steps.len().saturating_sub(last.max(1));
        for &step in steps[..old].iter().filter(|&&step| Some(step) != best) {
            // Under its own name it is never there in part.
            let hidden = self.hidden(step);
            self.disk.rename(&self.path(step), &hidden)?;
            self.disk.remove_folder(&hidden)?;
        }
        Ok(())
    }

    /// The steps of the folders that look like checkpoints, ascending.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be listed; without a folder there is none.
    pub fn steps(&self) -> Result<Vec<u64>> {
        let names = self.names()?;
        let numbers = names.iter().filter_map(|name| name.strip_prefix(PREFIX));
        let mut steps: Vec<u64> = numbers.filter_map(|number| number.parse().ok()).collect();
        steps.sort_unstable();
        Ok(steps)
    }

    /// The folder of the checkpoint of a step.
    #[must_use]
    pub fn path(&self, step: u64) -> PathBuf {
        self.folder.join(format!("{PREFIX}{step}"))
    }

    fn hidden(&self, step: u64) -> PathBuf {
        self.folder.join(format!(".{PREFIX}{step}"))
    }

    fn names(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("list", &self.folder)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(Error::io("list", &self.folder))?;
            names.extend(entry.file_name().into_string());
        }
        Ok(names)
    }

    /// Reads a checkpoint, or says what is wrong with it.
    fn read(&self, step: u64) -> Result<Checkpoint, String> {
        let folder = self.path(step);
        let read = |name: &str| {
            let bytes = fs::read(folder.join(name));
            bytes.map_err(|error| format!("its {name} cannot be read: {error}"))
        };
        let (model, optimizer, state) = (read(MODEL)?, read(OPTIMIZER)?, read(STATE)?);
        let sums = read(MANIFEST)?;
        let files = [(MODEL, &model), (OPTIMIZER, &optimizer), (STATE, &state)];
        let lines = files.map(|(name, bytes)| manifest::line(name, bytes));
        if sums != lines.concat().as_bytes() {
            let listed = String::from_utf8_lossy(&sums);
            let wrong = lines
                .iter()
                .position(|line| !listed.contains(line.as_str()));
            let name = wrong.map_or(MANIFEST, |i| files[i].0);
            return Err(format!("its {name} does not match its hash"));
        }
        let state: StateFile = serde_json::from_slice(&state)
            .map_err(|error| format!("its {STATE} is not as expected: {error}"))?;
        if state.format != FORMAT {
            let found = state.format;
            return Err(format!("its format is {found}, expected {FORMAT}"));
        }
        if state.step != step {
            let found = state.step;
            return Err(format!("it is that of step {found}"));
        }
        Ok(Checkpoint {
            step,
            model,
            optimizer,
            training: state.training,
            logs: state.logs,
        })
    }
}
