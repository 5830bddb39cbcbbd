//! When a run folder may be written, and how it is opened.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use juggle_tracking::run::CONFIG;
use juggle_tracking::{Disk, RunFolder};

use crate::config::{Kind, RunConfig};
use crate::suggest::{closest, did_you_mean};

/// Where `--run` is not given, runs go here.
pub(crate) const DEFAULT_PARENT: &str = "runs";

/// What is done with a run that is already in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Replace,
    Resume,
}

/// Whether there is a run in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    Run,
}

/// Refuses a folder that holds a run which is not to be touched, or anything else, before time is spent on reading data.
///
/// A folder counts as a run folder when it has the `config.toml` of a run; nothing else is ever replaced, so that a
/// mistyped path cannot cost somebody's files.
pub(crate) fn check(path: &Path, existing: Existing) -> Result<Found> {
    let shown = path.display();
    if RunConfig::is_at(&path.join(CONFIG)) {
        if existing == Existing::Refuse {
            bail!(
                "{shown} already holds a run: continue it with --resume, replace it with --overwrite, \
                 or choose another --run"
            );
        }
        return Ok(Found::Run);
    }
    if path.exists() {
        let blank = RunFolder::new(path, Disk::default()).is_blank();
        if !blank.with_context(|| format!("cannot use {shown} as a run folder"))? {
            bail!(
                "{shown} is not empty and is not a run folder (no {CONFIG} of a run in it): \
                 choose another --run"
            );
        }
    }
    Ok(Found::Nothing)
}

/// Makes the folder at `path`, or the next free `runs/KIND-N`.
pub(crate) fn create(path: Option<&Path>, kind: Kind) -> Result<PathBuf> {
    let Some(path) = path else {
        return next_free(kind);
    };
    fs::create_dir_all(path)
        .with_context(|| format!("cannot create the run folder {}", path.display()))?;
    Ok(path.to_owned())
}

/// Opens a run that was written before.
pub(crate) fn open(path: &Path) -> Result<(RunFolder, RunConfig)> {
    let run = RunFolder::new(path, Disk::default());
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
