//! Writing the files of a run while the training goes on.
//!
//! One thread does all the writing, in the order in which it was asked for, so that the event log and the checkpoints agree.
//! A file is on the disk before it takes its name, and waiting for a disk took 2 to 5 % of a classifier's epoch.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Error, Result, anyhow};
use juggle_tracking::events::StopReason;
use juggle_tracking::run::EVENTS;
use juggle_tracking::tensorboard::Outcome;
use juggle_tracking::{Checkpoints, Event, EventLog, Record, RunFolder};

use super::board::Board;
use super::position::Snapshot;

/// What the writing thread holds.
pub(super) struct Writer {
    pub(super) run: RunFolder,
    log: EventLog,
    /// None where TensorBoard is not wanted.
    pub(super) board: Option<Board>,
    checkpoints: Checkpoints,
    keep: usize,
    /// The newest checkpoint that is on the disk.
    newest: Arc<Mutex<Option<u64>>>,
}

impl Writer {
    pub(super) fn new(
        run: &RunFolder,
        (log, board): (EventLog, Option<Board>),
        keep: usize,
        newest: Option<u64>,
    ) -> Self {
        Self {
            run: run.clone(),
            log,
            board,
            checkpoints: run.checkpoints(),
            keep,
            newest: Arc::new(Mutex::new(newest)),
        }
    }

    /// Adds a line to the log, and a record to the event file where it has one for it.
    pub(super) fn record(&mut self, record: &Record) -> Result<()> {
        if let Some(board) = &mut self.board {
            match &record.event {
                Event::Step(step) => board.step(step)?,
                Event::Stopped(stopped) if stopped.reason == StopReason::NotFinite => {
                    board.end(stopped.step, Outcome::Failed)?;
                }
                Event::Finished(finished) => board.end(finished.step, Outcome::Finished)?,
                _ => {}
            }
        }
        Ok(self.log.append(record)?)
    }

    /// Waits until what was recorded is on the disk.
    pub(super) fn sync(&self) -> Result<()> {
        if let Some(board) = &self.board {
            board.sync()?;
        }
        Ok(self.log.sync()?)
    }

    /// Writes a checkpoint, whose log is on the disk before it, and removes old ones.
    pub(super) fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.sync()?;
        let checkpoint = snapshot.to_checkpoint(EVENTS, self.log.len())?;
        self.checkpoints.write(&checkpoint)?;
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(checkpoint.step);
        let best = snapshot.position.best.map(|best| best.step);
        self.checkpoints.keep(self.keep, best)?;
        tracing::info!("saved {}", self.checkpoints.path(checkpoint.step).display());
        Ok(())
    }
}

type Work = Box<dyn FnOnce(&mut Writer) -> Result<()> + Send>;

enum Job {
    /// A line of the log.
    Record(Box<Record>),
    /// Files, of which one set at a time is on its way, so that memory stays bounded.
    Files(Work),
}

/// The training's end of the writing.
pub(super) struct Saving {
    jobs: Option<Sender<Job>>,
    /// Has room for one set of files.
    slot: SyncSender<()>,
    worker: Option<JoinHandle<Result<()>>>,
    newest: Arc<Mutex<Option<u64>>>,
    checkpoints: Checkpoints,
}

impl Saving {
    pub(super) fn start(mut writer: Writer) -> Self {
        let (jobs, queue) = channel();
        let (slot, taken) = sync_channel(1);
        let newest = Arc::clone(&writer.newest);
        let checkpoints = writer.checkpoints.clone();
        let worker = std::thread::spawn(move || work(&mut writer, &queue, &taken));
        Self {
            jobs: Some(jobs),
            slot,
            worker: Some(worker),
            newest,
            checkpoints,
        }
    }

    /// Adds a line to the log.
    ///
    /// # Errors
    ///
    /// What the writing before ended with.
    pub(super) fn record(&mut self, event: Event) -> Result<()> {
        self.send(Job::Record(Box::new(Record::now(event))))
    }

    /// Waits for the files before, then lets the next ones be written.
    ///
    /// # Errors
    ///
    /// What the writing before ended with.
    pub(super) fn write(
        &mut self,
        work: impl FnOnce(&mut Writer) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        if self.slot.send(()).is_err() {
            return Err(self.failure());
        }
        self.send(Job::Files(Box::new(work)))
    }

    /// Waits until everything is in its place. Nothing can be written after it.
    ///
    /// # Errors
    ///
    /// What the writing ended with.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.jobs = None;
        self.join()
            .map_err(|error| error.context(self.what_remains()))
    }

    /// The newest checkpoint that is on the disk.
    pub(super) fn newest(&self) -> Option<PathBuf> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.map(|step| self.checkpoints.path(step))
    }

    fn send(&mut self, job: Job) -> Result<()> {
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(job));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(self.failure()),
        }
    }

    /// Why the thread is gone.
    fn failure(&mut self) -> Error {
        let ended = self.join().err();
        let error = ended.unwrap_or_else(|| anyhow!("the files are closed already"));
        error.context(self.what_remains())
    }

    fn what_remains(&self) -> String {
        match self.newest() {
            Some(path) => format!(
                "the run cannot be written any more, its last checkpoint is {}",
                path.display()
            ),
            None => "the run cannot be written any more and has no checkpoint yet".to_owned(),
        }
    }

    fn join(&mut self) -> Result<()> {
        match self.worker.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Saving {
    /// A training that ends with an error keeps what it had asked to be written; the error is the one to report.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

fn work(writer: &mut Writer, queue: &Receiver<Job>, taken: &Receiver<()>) -> Result<()> {
    for job in queue {
        match job {
            Job::Record(record) => writer.record(&record)?,
            Job::Files(work) => {
                work(writer)?;
                // The sender may be gone already, having asked for the last files.
                let _ = taken.recv();
            }
        }
    }
    Ok(())
}
