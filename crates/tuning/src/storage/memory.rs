//! A storage that ends with its process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ledger::{Applied, Ledger, Operation};
use super::replay::Replay;
use crate::error::Result;

/// Studies in memory, for tests and for searches that nobody continues.
#[derive(Debug, Default)]
pub struct MemoryStorage(Mutex<Ledger>);

impl MemoryStorage {
    /// An empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // An operation changes the ledger at its end only, so a panic leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replay for MemoryStorage {
    fn run(&self, operations: &[Operation]) -> Result<Applied> {
        let mut ledger = self.ledger();
        let mut applied = Applied::Done;
        for operation in operations {
            applied = ledger.apply(operation.clone())?;
        }
        Ok(applied)
    }

    fn read<T>(&self, look: impl FnOnce(&Ledger) -> Result<T>) -> Result<T> {
        look(&self.ledger())
    }
}
