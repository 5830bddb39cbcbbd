//! What became of a run, read from its log: how it stands, its best epoch and its last one.

use std::fmt;

use serde::Serialize;

use crate::{Epoch, Event, Events};

/// What a run's log says about it.
///
/// ```
/// use juggle_tracking::{Epoch, Event, Events, History, Record, Signs, Status};
///
/// let epoch = |epoch, loss: f64| Record::now(Event::Epoch(Epoch {
///     epoch,
///     step: 10 * epoch as u64,
///     learning_rate: 1e-3,
///     train: [("loss".to_owned(), 1.0.into())].into(),
///     val: [("loss".to_owned(), loss.into())].into(),
///     elapsed_s: epoch as f64,
///     epoch_s: 1.0,
///     engine_s: 0.9,
///     is_best: false,
///     gradient_norms: Default::default(),
/// }));
/// let events = Events {
///     records: vec![epoch(1, 0.8), epoch(2, 0.5), epoch(3, 0.6)],
///     ..Events::default()
/// };
/// let history = History::of(&events, Signs { is_locked: true, has_metrics: false });
/// assert_eq!(history.status, Status::Running);
/// assert_eq!(history.best.map(|epoch| epoch.epoch), Some(2));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// How it stands.
    pub status: Status,
    /// When it began, in seconds since 1970; none in logs of before that was recorded.
    pub started_unix_s: Option<f64>,
    /// Epochs that it is to have; none in logs of before that was recorded.
    pub planned_epochs: Option<usize>,
    /// Epochs that it has had.
    pub n_epochs: usize,
    /// Training steps that the log knows of.
    pub n_steps: u64,
    /// How often it went on from a checkpoint.
    pub n_resumptions: usize,
    /// Seconds of training up to its last epoch.
    pub elapsed_s: f64,
    /// The epoch with the lowest validation loss; of equal ones the first.
    pub best: Option<Epoch>,
    /// Its last epoch.
    pub last: Option<Epoch>,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A process works on it.
    Running,
    /// It is complete.
    Finished,
    /// It was asked to stop, or its time was over: it can go on.
    Interrupted,
    /// Its loss was no finite number.
    Failed,
    /// Its process ended without a word in the log: killed, crashed, or stopped by an error such as a full disk.
    Died,
}

/// What other files of the run's folder say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signs {
    /// A living process holds the folder's lock.
    pub is_locked: bool,
    /// The final metrics are there: the end of a run in folders of before the log had an event for it.
    pub has_metrics: bool,
}

impl History {
    /// The history that the events tell.
    #[must_use]
    pub fn of(events: &Events, signs: Signs) -> Self {
        let mut history = Self {
            status: if signs.has_metrics {
                Status::Finished
            } else {
                Status::Died
            },
            started_unix_s: events.records.first().map(|record| record.unix_time_s),
            planned_epochs: None,
            n_epochs: 0,
            n_steps: 0,
            n_resumptions: 0,
            elapsed_s: 0.0,
            best: None,
            last: None,
        };
        history.started_unix_s = history.started_unix_s.filter(|&time| time > 0.0);
        for record in &events.records {
            history.add(&record.event);
        }
        if signs.is_locked {
            history.status = Status::Running;
        }
        history
    }

    fn add(&mut self, event: &Event) {
        match event {
            Event::Started(started) => {
                self.status = Status::Died;
                self.planned_epochs = Some(started.epochs);
            }
            Event::Resumed(resumed) => {
                self.status = Status::Died;
                self.planned_epochs = Some(resumed.epochs);
                self.n_resumptions += 1;
                self.n_steps = resumed.step;
            }
            Event::Step(step) | Event::Skipped(step) => self.n_steps = step.step,
            Event::Epoch(epoch) => self.add_epoch(epoch),
            Event::Stopped(stopped) => {
                self.status = match stopped.reason {
                    crate::StopReason::NotFinite => Status::Failed,
                    _ => Status::Interrupted,
                };
                self.n_steps = stopped.step;
            }
            Event::Finished(finished) => {
                self.status = Status::Finished;
                self.n_steps = finished.step;
            }
            Event::Unknown => {}
        }
    }

    fn add_epoch(&mut self, epoch: &Epoch) {
        self.n_epochs = epoch.epoch;
        self.n_steps = epoch.step;
        self.elapsed_s = epoch.elapsed_s;
        let loss = |epoch: &Epoch| epoch.val.get("loss").map_or(f64::INFINITY, |loss| loss.0);
        if self
            .best
            .as_ref()
            .is_none_or(|best| loss(epoch) < loss(best))
        {
            self.best = Some(epoch.clone());
        }
        self.last = Some(epoch.clone());
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Died => "died",
        })
    }
}
