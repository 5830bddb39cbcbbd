//! The operations on files that a run is written with, each of which can be made to fail.
//!
//! Everything that writes into a run folder goes through a [`Disk`], so that a test can let the n-th operation fail, or let
//! the process die there as far as the files can tell, for every n. A build without the feature `faults` has the operating
//! system's disk only.

#[cfg(feature = "faults")]
mod faults;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::{Error, Result};

#[cfg(feature = "faults")]
pub use faults::{Fault, Faults};

/// The operating system's disk, or in tests one with faults. Clones share the faults.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    #[cfg(feature = "faults")]
    faults: Option<std::sync::Arc<Faults>>,
}

impl Disk {
    /// A disk on which one operation fails.
    #[cfg(feature = "faults")]
    #[must_use]
    pub fn with_faults(faults: std::sync::Arc<Faults>) -> Self {
        Self {
            faults: Some(faults),
        }
    }

    /// Puts `bytes` at `path` by a rename, so that a reader or a crash meets the old file or the new one.
    ///
    /// The file is on the disk before it takes its name, and the name before this returns.
    ///
    /// # Errors
    /// [`Error::Io`]; an older file is then untouched.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.tmp"));
        let written = self
            .write_file(&temporary, bytes)
            .and_then(|()| self.rename(&temporary, path))
            .map_err(|error| error.of("write", path));
        if written.is_err() {
            // The first failure is the one to report; what is left over is hidden and overwritten by the next attempt.
            let _ = self.remove_file(&temporary);
        }
        written
    }

    /// Writes a new file, or over an old one, and waits until it is on the disk.
    ///
    /// # Errors
    /// [`Error::Io`]; a part of the file may be there.
    pub fn write_file(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let file = self.attempt(|| File::create(path));
        let mut file = file.map_err(Error::io("create", path))?;
        self.append(&mut file, bytes)
            .map_err(Error::io("write", path))?;
        self.sync(&file).map_err(Error::io("flush", path))
    }

    /// Adds `bytes` to an open file with one write.
    pub(crate) fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        #[cfg(feature = "faults")]
        if let Some(faults) = &self.faults {
            return faults.write(file, bytes);
        }
        file.write_all(bytes)
    }

    pub(crate) fn sync(&self, file: &File) -> io::Result<()> {
        self.attempt(|| self.wait_for(file))
    }

    /// A disk with faults does not wait: the machine does not lose its power in a test, and thousands of flushes take minutes.
    fn wait_for(&self, file: &File) -> io::Result<()> {
        #[cfg(feature = "faults")]
        if self.faults.is_some() {
            return Ok(());
        }
        file.sync_all()
    }

    pub(crate) fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.attempt(|| file.set_len(length))
    }

    /// Renames a file or a folder within one folder, and waits until the new name is on the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.attempt(|| fs::rename(from, to))
            .map_err(Error::io("rename", from))?;
        self.sync_folder(to.parent().unwrap_or(Path::new(".")))
    }

    /// Waits until the names in a folder are on the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync_folder(&self, folder: &Path) -> Result<()> {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        // A folder cannot be opened as a file everywhere.
        let synced =
            self.attempt(|| File::open(folder).map_or(Ok(()), |folder| self.wait_for(&folder)));
        synced.map_err(Error::io("flush", folder))
    }

    /// Makes one folder, whose parent is there.
    ///
    /// # Errors
    /// [`Error::Io`], also when it is there already.
    pub fn create_folder(&self, folder: &Path) -> Result<()> {
        self.attempt(|| fs::create_dir(folder))
            .map_err(Error::io("create", folder))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`Error::Io`], not when there is none.
    pub fn remove_file(&self, path: &Path) -> Result<()> {
        present(self.attempt(|| fs::remove_file(path))).map_err(Error::io("remove", path))
    }

    /// Removes a folder with what is in it.
    ///
    /// # Errors
    /// [`Error::Io`], not when there is none.
    pub fn remove_folder(&self, path: &Path) -> Result<()> {
        present(self.attempt(|| fs::remove_dir_all(path))).map_err(Error::io("remove", path))
    }

    #[cfg(feature = "faults")]
    fn attempt<T>(&self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if let Some(faults) = &self.faults {
            faults.before_an_operation()?;
        }
        operation()
    }

    #[cfg(not(feature = "faults"))]
    fn attempt<T>(&self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        operation()
    }
}

/// What is gone need not be removed.
fn present(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
