//! The lock of a journal, which Optuna's processes take too: a file `PATH.lock` that one process at a time can make.
//!
//! A process that dies while it holds the lock leaves the file. Whoever waits and sees the same file, beside a journal
//! that does not change, for a grace period takes it away.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::failure;
use crate::error::{Error, Result};
use crate::worker::unique_name;

const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// Optuna pauses up to a second; a writer holds the lock for a few milliseconds, and those who wait here come to no harm.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How the lock file is made. Both kinds exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// As a symbolic link, `JournalFileSymlinkLock`: works on NFS of version 2 and later.
    Symlink,
    /// As a new file, `JournalFileOpenLock`: works on NFS of version 3 and later, and where there are no links.
    Open,
}

/// The lock of a journal.
#[derive(Clone, Copy, Debug)]
pub struct LockOptions {
    /// How its file is made.
    pub kind: LockKind,
    /// When a lock that nobody gives back is taken away.
    pub grace_period: Duration,
}

impl Default for LockOptions {
    /// Optuna's: a symbolic link where there are such, 30 seconds.
    fn default() -> Self {
        let kind = if cfg!(unix) {
            LockKind::Symlink
        } else {
            LockKind::Open
        };
        let grace_period = Duration::from_secs(30);
        Self { kind, grace_period }
    }
}

/// A lock that is held until it is released or dropped.
#[derive(Debug)]
pub(super) struct Held {
    file: PathBuf,
    /// What was made, so that another's lock is never given back.
    made: Option<Sighting>,
}

/// What tells one lock file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sighting {
    inode: u64,
    modified: Option<SystemTime>,
}

impl LockOptions {
    /// Waits for the lock of a journal.
    pub(super) fn acquire(&self, journal: &Path) -> Result<Held> {
        let mut file = journal.as_os_str().to_owned();
        file.push(".lock");
        let file = PathBuf::from(file);
        let mut pause = FIRST_PAUSE;
        let mut seen = None;
        let mut since = Instant::now();
        loop {
            match self.make(journal, &file) {
                Ok(()) => {
                    let made = sight(&file);
                    return Ok(Held { file, made });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => {
                    let action = "make the lock";
                    return Err(Error::Io {
                        path: file,
                        action,
                        source,
                    });
                }
            }
            let now = (sight(&file), modified(journal));
            if seen != Some(now) {
                seen = Some(now);
                since = Instant::now();
            } else if since.elapsed() > self.grace_period {
                remove(&file, now.0).map_err(failure(&file, "take away the lock"))?;
                (seen, pause) = (None, FIRST_PAUSE);
                continue;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn make(&self, journal: &Path, file: &Path) -> io::Result<()> {
        match self.kind {
            #[cfg(unix)]
            LockKind::Symlink => {
                // Optuna links to the path that it was given and looks at the time of what the link leads to. With
                // the name alone the link leads to the journal from any working directory.
                std::os::unix::fs::symlink(journal.file_name().unwrap_or_default(), file)
            }
            #[cfg(not(unix))]
            LockKind::Symlink => Err(io::Error::from(io::ErrorKind::Unsupported)),
            LockKind::Open => OpenOptions::new()
                .create_new(true)
                .write(true)
                .open(file)
                .map(drop),
        }
    }
}

impl Held {
    /// Gives the lock back.
    pub(super) fn release(self) {
        drop(self);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // What cannot be removed goes after its grace period, and what another took away is no more ours.
        let _ = remove(&self.file, self.made);
    }
}

/// Removes a lock file if it is the one that was seen, as Optuna does: by another name first, so that of several who
/// try one succeeds.
fn remove(file: &Path, seen: Option<Sighting>) -> io::Result<()> {
    if seen.is_none() || sight(file) != seen {
        return Ok(());
    }
    let mut aside = file.as_os_str().to_owned();
    aside.push(unique_name());
    aside.push(".rename");
    let removed = fs::rename(file, &aside).and_then(|()| fs::remove_file(&aside));
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn sight(file: &Path) -> Option<Sighting> {
    let metadata = fs::symlink_metadata(file).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    let modified = metadata.modified().ok();
    Some(Sighting { inode, modified })
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}
