//! A thread that says, for all trials of a process, that their worker lives.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::record::{AttrKind, TrialId};
use crate::storage::Storage;
use crate::worker::{BEAT_KEY, beat};

/// The running trials of a process; the thread begins with the first of them.
#[derive(Debug)]
pub(super) struct Heartbeat {
    storage: Arc<dyn Storage>,
    interval: Duration,
    trials: Arc<Mutex<BTreeSet<TrialId>>>,
    thread: OnceLock<Beating>,
}

#[derive(Debug)]
struct Beating {
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    pub(super) fn new(storage: Arc<dyn Storage>, interval: Duration) -> Self {
        Self {
            storage,
            interval,
            trials: Arc::default(),
            thread: OnceLock::new(),
        }
    }

    pub(super) fn begin(&self, trial: TrialId) {
        lock(&self.trials).insert(trial);
        self.thread.get_or_init(|| {
            let (stop, stopped) = mpsc::channel();
            let (storage, trials) = (Arc::clone(&self.storage), Arc::clone(&self.trials));
            let interval = self.interval;
            let thread = thread::spawn(move || {
                while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                    let running: Vec<_> = lock(&trials).iter().copied().collect();
                    for trial in running {
                        // A beat that cannot be written is made up for by the next; a trial that has just ended needs none.
                        let _ = storage.set_trial_attr(trial, AttrKind::System, BEAT_KEY, beat());
                    }
                }
            });
            Beating {
                stop: Some(stop),
                thread: Some(thread),
            }
        });
    }

    pub(super) fn end(&self, trial: TrialId) {
        lock(&self.trials).remove(&trial);
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}

fn lock(trials: &Mutex<BTreeSet<TrialId>>) -> MutexGuard<'_, BTreeSet<TrialId>> {
    trials.lock().unwrap_or_else(PoisonError::into_inner)
}
