//! Writing the files of an epoch while the next one is trained.
//!
//! A file of weights is on the disk before it takes its name, and waiting for a disk took 2 to 5 % of a classifier's epoch.

use std::cell::Cell;
use std::thread::JoinHandle;

use anyhow::Result;

/// At most one set of files is on its way, so that files come into their places in the order of the epochs.
#[derive(Default)]
pub(super) struct Saving {
    running: Cell<Option<JoinHandle<Result<()>>>>,
}

impl Saving {
    /// Waits for the files before, then begins to write the next ones.
    ///
    /// # Errors
    ///
    /// What the files before ended with.
    pub(super) fn begin(&self, write: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
        self.wait()?;
        self.running.set(Some(std::thread::spawn(write)));
        Ok(())
    }

    /// Waits until every file is in its place.
    ///
    /// # Errors
    ///
    /// What the files ended with.
    pub(super) fn wait(&self) -> Result<()> {
        match self.running.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Saving {
    /// A training that ends with an error keeps the files of the epochs before; the error is the one to report.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}
