//! `journal:PATH`, the file of Optuna's `JournalStorage`.
//!
//! One JSON object a line, each an operation; the state is what replaying them gives, and ids are implied by their order.
//! A line is appended under a lock that Optuna's own processes take too, and is on the disk before the call returns.
//!
//! What happens when a process dies:
//! 1. before the line is complete: the torn line is no record for any reader. The next writer cuts it off before it
//!    appends, since a torn line with another behind it can never be read again, by Optuna or by us;
//! 2. while it holds the lock: the others take the lock away after its grace period;
//! 3. at any other time: nothing is lost.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ledger::{Applied, Ledger, Operation};
use super::replay::Replay;
use crate::error::{Error, Result};
use crate::worker::unique_name;

mod line;
mod lock;

pub use lock::{LockKind, LockOptions};

/// Studies in a journal, shared with any number of processes.
#[derive(Debug)]
pub struct JournalStorage {
    path: PathBuf,
    lock: LockOptions,
    /// What marks our lines, so that we learn what became of them.
    worker_id: String,
    replayed: Mutex<Replayed>,
}

/// How far the file was read, and what it said.
#[derive(Debug, Default)]
struct Replayed {
    ledger: Ledger,
    /// Bytes of the lines that were read.
    offset: u64,
    n_lines: u64,
}

impl JournalStorage {
    /// Opens a journal, which is made when it is not there, with Optuna's default lock.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and [`Error::Journal`] when a line is no record.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, LockOptions::default())
    }

    /// Opens a journal with another lock; all processes that share it must use the same.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, lock: LockOptions) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let created = OpenOptions::new().create_new(true).write(true).open(&path);
        match created {
            Ok(_) => sync_folder(&path)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failure(&path, "create")(source)),
        }
        let worker_id = unique_name();
        let journal = Self {
            path,
            lock,
            worker_id,
            replayed: Mutex::default(),
        };
        journal.catch_up(&mut journal.replayed())?;
        Ok(journal)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn replayed(&self) -> MutexGuard<'_, Replayed> {
        // An operation changes the ledger at its end only, so a panic leaves it whole.
        self.replayed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the complete lines that others and we have appended, and returns what our own did.
    fn catch_up(&self, replayed: &mut Replayed) -> Result<Vec<Result<Applied>>> {
        let mut file = File::open(&self.path).map_err(failure(&self.path, "open"))?;
        let length = file
            .metadata()
            .map_err(failure(&self.path, "examine"))?
            .len();
        if length < replayed.offset {
            return Err(Error::JournalShrank {
                path: self.path.clone(),
                found: length,
                expected: replayed.offset,
            });
        }
        let mut bytes = vec![];
        if length > replayed.offset {
            file.seek(SeekFrom::Start(replayed.offset))
                .and_then(|_| file.read_to_end(&mut bytes))
                .map_err(failure(&self.path, "read"))?;
        }
        let mut own = vec![];
        let mut rest = bytes.as_slice();
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let (line, after) = rest.split_at(end + 1);
            let record = match line::read(line) {
                Ok(record) => record,
                // The last line may be torn and yet have its end, when another wrote on behind a torn line: a record
                // of two pieces. Until one follows it, everyone passes over it, and the next writer cuts it off.
                Err(flaw) if flaw.is_torn && after.is_empty() => break,
                Err(flaw) => {
                    return Err(Error::Journal {
                        path: self.path.clone(),
                        line: replayed.n_lines + 1,
                        found: flaw.found,
                        expected: flaw.expected,
                    });
                }
            };
            let applied = replayed.ledger.apply(record.operation);
            if record.worker_id == self.worker_id {
                own.push(applied);
            }
            replayed.offset += line.len() as u64;
            replayed.n_lines += 1;
            rest = after;
        }
        Ok(own)
    }

    /// Appends lines under the lock, behind the last line that is a record.
    fn append(&self, replayed: &mut Replayed, lines: &str) -> Result<()> {
        let lock = self.lock.acquire(&self.path)?;
        self.catch_up(replayed)?;
        let mut file = OpenOptions::new()
            .append(true)
            .open(&self.path)
            .map_err(failure(&self.path, "open"))?;
        let length = file
            .metadata()
            .map_err(failure(&self.path, "examine"))?
            .len();
        if length > replayed.offset {
            file.set_len(replayed.offset)
                .map_err(failure(&self.path, "cut the torn last line off"))?;
        }
        file.write_all(lines.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failure(&self.path, "append to"))?;
        lock.release();
        Ok(())
    }
}

impl Replay for JournalStorage {
    fn run(&self, operations: &[Operation]) -> Result<Applied> {
        let write = |operation| line::write(&self.worker_id, operation);
        let lines: String = operations.iter().map(write).collect();
        let mut replayed = self.replayed();
        self.append(&mut replayed, &lines)?;
        let mut applied = Applied::Done;
        for own in self.catch_up(&mut replayed)? {
            applied = own?;
        }
        Ok(applied)
    }

    fn read<T>(&self, look: impl FnOnce(&Ledger) -> Result<T>) -> Result<T> {
        let mut replayed = self.replayed();
        self.catch_up(&mut replayed)?;
        look(&replayed.ledger)
    }
}

/// Makes the name of a new file survive a loss of power.
fn sync_folder(path: &Path) -> Result<()> {
    // Elsewhere a folder cannot be opened, and need not be.
    if cfg!(unix) {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failure(folder, "sync"))?;
    }
    Ok(())
}

fn failure(path: &Path, action: &'static str) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io {
        path: path.to_owned(),
        action,
        source,
    }
}
