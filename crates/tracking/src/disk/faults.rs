//! A disk that fails once, or for good, at the n-th operation.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

/// What happens at the operation that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It alone fails, as for a moment without space; of a write, half of the bytes arrive.
    Error,
    /// It and all after it have no effect but for half of the bytes of a write: for the files it is the death of the process.
    Death,
}

/// Counts operations and lets them fail from the chosen one on.
#[derive(Debug)]
pub struct Faults {
    fault: Fault,
    /// The operation that fails, from 0.
    at: u64,
    operations: AtomicU64,
}

impl Faults {
    /// The `at`-th operation, from 0, fails.
    #[must_use]
    pub fn new(fault: Fault, at: u64) -> Self {
        Self {
            fault,
            at,
            operations: AtomicU64::new(0),
        }
    }

    /// Nothing fails.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Fault::Error, u64::MAX)
    }

    /// Operations that were asked for so far.
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::SeqCst)
    }

    pub(super) fn before_an_operation(&self) -> io::Result<()> {
        let number = self.operations.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::Error if number == self.at => Err(io::ErrorKind::StorageFull.into()),
            Fault::Death if number >= self.at => Err(io::Error::other("the process is dead")),
            _ => Ok(()),
        }
    }

    pub(super) fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let outcome = self.before_an_operation();
        if outcome.is_err() {
            if self.operations() == self.at + 1 {
                file.write_all(&bytes[..bytes.len() / 2])?;
            }
            return outcome;
        }
        file.write_all(bytes)
    }
}
