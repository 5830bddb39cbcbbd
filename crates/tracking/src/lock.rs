//! One writer at a time: a lock that the operating system holds, and lets go when the process ends in whatever way.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::{Error, Result};

/// The file in the run folder that is locked; it stays, since a lock on a removed file locks nobody out.
pub(crate) const FILE: &str = ".lock";

/// The right to write into a run folder, until it is dropped or the process ends.
///
/// # Examples
///
/// ```
/// use juggle_tracking::RunLock;
///
/// let folder = std::env::temp_dir().join(format!("juggle-lock-doctest-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// let lock = RunLock::acquire(&folder)?;
/// assert!(RunLock::is_held(&folder));
/// assert!(RunLock::acquire(&folder).is_err());
/// drop(lock);
/// assert!(!RunLock::is_held(&folder));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock of a folder that is there.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it, [`Error::Io`].
    pub fn acquire(folder: &Path) -> Result<Self> {
        const ATTEMPTS: usize = 10;
        let path = folder.join(FILE);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                // Somebody may only be looking whether it is held.
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::Error(source)) if is_unsupported(&source) => {
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::Error(source)) => return Err(Error::io("lock", &path)(source)),
            }
        }
        Err(Error::Locked {
            path: folder.to_owned(),
        })
    }

    /// Whether a process that is alive is writing into the folder.
    #[must_use]
    pub fn is_held(folder: &Path) -> bool {
        let Ok(file) = File::open(folder.join(FILE)) else {
            return false;
        };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

/// A file system without locks should not keep anybody from training.
fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}
