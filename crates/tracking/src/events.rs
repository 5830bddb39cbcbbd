//! `events.jsonl`: what happened in a run, one JSON object a line, only ever appended to.
//!
//! Each line is one write, so that a process that dies leaves at most a torn last line, which has no line break and which
//! readers leave out. Each has a `kind`; a line without one is an epoch, as in the logs of before there were kinds.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Disk, Error, Result};

/// One line of the log.
///
/// # Examples
///
/// ```
/// use juggle_tracking::{Event, EventLog, Record, Step, read_events};
///
/// let folder = std::env::temp_dir().join(format!("juggle-events-doctest-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// let path = folder.join("events.jsonl");
/// let step = Step { epoch: 1, step: 10, learning_rate: 1e-3, loss: 0.7.into() };
/// EventLog::open(&path)?.append(&Record::now(Event::Step(step)))?;
/// assert_eq!(read_events(&path)?.records[0].event, Event::Step(step));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// When, in seconds since 1970; 0 in logs of before it was recorded.
    pub unix_time_s: f64,
}

impl Record {
    /// An event that happens now.
    #[must_use]
    pub fn now(event: Event) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            event,
            unix_time_s: since.map_or(0.0, |since| since.as_secs_f64()),
        }
    }
}

/// What can happen in a run. The name of the variant, in lower case, is the line's `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Event {
    /// The run begins at its first step.
    Started(Started),
    /// The run goes on from a checkpoint; what the log said after it was cut off before.
    Resumed(Resumed),
    /// A training step; not every step is recorded.
    Step(Step),
    /// A step whose loss was no finite number, and which therefore moved nothing.
    Skipped(Step),
    /// The end of an epoch, after its validation.
    Epoch(Epoch),
    /// The run stops before its end and can be resumed.
    Stopped(Stopped),
    /// The run is complete.
    Finished(Finished),
    /// A kind that a later version writes.
    #[serde(other)]
    Unknown,
}

/// Names of metrics, such as `loss`, `accuracy` and `psnr_db`, with their values. In the file a value that JSON has no
/// number for is a string: `inf`, `-inf`, `NaN`.
pub type Metrics = BTreeMap<String, Number>;

/// A number that may be infinite or none.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Number(pub f64);

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

/// A [`Number`] in JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Text(String),
}

impl From<Written> for Number {
    fn from(written: Written) -> Self {
        Self(match written {
            Written::Number(number) => number,
            Written::Text(text) => text.parse().unwrap_or(f64::NAN),
        })
    }
}

impl From<Number> for Written {
    fn from(Number(number): Number) -> Self {
        if number.is_finite() {
            Self::Number(number)
        } else {
            Self::Text(number.to_string())
        }
    }
}

/// What a run begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The version of the program.
    pub version: String,
    /// What is trained: `classifier`, `autoencoder`.
    pub task: String,
    /// Epochs that the run is to have.
    pub epochs: usize,
    /// Training steps in each.
    pub steps_per_epoch: usize,
    /// Examples that are trained on.
    pub train_examples: usize,
    /// Examples that are validated on.
    pub val_examples: usize,
    /// Parameters of the network.
    pub parameters: usize,
    /// SHA-256 of the list of data files, in hexadecimal.
    pub data_sha256: String,
    /// What does the arithmetic; logs of before do not say it.
    #[serde(default)]
    pub machine: String,
}

/// Where a run goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// The version of the program.
    pub version: String,
    /// Steps that were taken before.
    pub step: u64,
    /// The epoch that it goes on in, from 1.
    pub epoch: usize,
    /// Epochs that the run is to have now.
    pub epochs: usize,
    /// What does the arithmetic now; logs of before do not say it.
    #[serde(default)]
    pub machine: String,
}

/// One training step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The epoch it is in, from 1.
    pub epoch: usize,
    /// Its number in the whole run, from 1.
    pub step: u64,
    /// The learning rate it used.
    pub learning_rate: f64,
    /// The mean loss of its batch, before the weights moved.
    pub loss: Number,
}

/// One epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Training steps so far.
    pub step: u64,
    /// That of the epoch's last step.
    pub learning_rate: f64,
    /// Means over the epoch, with the weights as they changed.
    pub train: Metrics,
    /// After the epoch, in evaluation mode.
    pub val: Metrics,
    /// Since the training began, without the time between an interruption and its resumption.
    pub elapsed_s: f64,
    /// Since the epoch before: this epoch with its validation.
    #[serde(default)]
    pub epoch_s: f64,
    /// The part of it spent in training steps and forward passes.
    #[serde(default)]
    pub engine_s: f64,
    /// Whether its validation loss is the lowest so far.
    #[serde(default)]
    pub is_best: bool,
    /// The Euclidean norm of the gradient of each parameter tensor, by its name, at the epoch's last step; empty where it
    /// was not recorded.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gradient_norms: Metrics,
}

/// Why and where a run stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Why.
    pub reason: StopReason,
    /// The epoch it was in, from 1.
    pub epoch: usize,
    /// Training steps so far.
    pub step: u64,
}

/// Why a run stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Ctrl-C, or a request to terminate.
    Interrupted,
    /// The time that it was given is over.
    TimeLimit,
    /// A loss that is no finite number.
    NotFinite,
    /// A search found other settings more promising.
    Pruned,
    /// A reason that a later version writes.
    #[serde(other)]
    Unknown,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Why.
    pub reason: FinishReason,
    /// Epochs that were trained.
    pub epoch: usize,
    /// Training steps.
    pub step: u64,
    /// The epoch with the lowest validation loss.
    pub best_epoch: usize,
    /// The last weights on the whole training split, in evaluation mode.
    pub train: Metrics,
    /// The last weights on the whole validation split.
    pub val: Metrics,
}

/// Why a run is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// All epochs were trained.
    Epochs,
    /// The validation loss had not become lower for as many epochs as were allowed.
    Patience,
    /// A reason that a later version writes.
    #[serde(other)]
    Unknown,
}

/// What a log holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Events {
    /// The whole lines, in order.
    pub records: Vec<Record>,
    /// Length of the whole lines, in bytes.
    pub whole_bytes: u64,
    /// Length of the torn last line, in bytes; 0 when there is none.
    pub torn_bytes: u64,
}

impl Events {
    /// The epochs, in order.
    pub fn epochs(&self) -> impl Iterator<Item = &Epoch> {
        self.records
            .iter()
            .filter_map(|record| match &record.event {
                Event::Epoch(epoch) => Some(epoch),
                _ => None,
            })
    }
}

/// Reads a log. A last line without its line break was torn and is left out. Numbers may differ from what was written by
/// one unit in the last place, for that is how exact serde_json's parser is.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::Line`] for a whole line that is no event.
pub fn read_events(path: &Path) -> Result<Events> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let whole = whole_length(&bytes);
    let mut records = Vec::new();
    for (i, line) in bytes[..whole]
        .split_inclusive(|&byte| byte == b'\n')
        .enumerate()
    {
        let record = parse(line).map_err(|reason| Error::Line {
            path: path.to_owned(),
            line: i + 1,
            reason,
        })?;
        records.push(record);
    }
    Ok(Events {
        records,
        whole_bytes: whole as u64,
        torn_bytes: (bytes.len() - whole) as u64,
    })
}

fn parse(line: &[u8]) -> Result<Record, serde_json::Error> {
    let mut object: serde_json::Map<String, Value> = serde_json::from_slice(line)?;
    let time = object.get("unix_time_s").and_then(Value::as_f64);
    object.entry("kind").or_insert_with(|| "epoch".into());
    Ok(Record {
        event: serde_json::from_value(Value::Object(object))?,
        unix_time_s: time.unwrap_or_default(),
    })
}

/// The log of a run that is being written.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
    file: File,
    disk: Disk,
    bytes: u64,
}

impl EventLog {
    /// Opens the log at `path` for appending; makes an empty one when there is none. A torn last line is cut off.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_on(path, Disk::default())
    }

    /// The same through a disk of one's choice.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open_on(path: &Path, disk: Disk) -> Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        let mut log = Self {
            path: path.to_owned(),
            file: file.map_err(Error::io("open", path))?,
            disk,
            bytes: 0,
        };
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        log.bytes = bytes.len() as u64;
        log.cut_at(whole_length(&bytes) as u64)?;
        Ok(log)
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.bytes
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Adds one line with one write.
    ///
    /// # Errors
    /// [`Error::Io`]; a part of the line may be there.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        let line = serde_json::to_string(record).map_err(io::Error::from);
        let line = line.map_err(Error::io("write", &self.path))? + "\n";
        let written = self.disk.append(&mut self.file, line.as_bytes());
        written.map_err(Error::io("write", &self.path))?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Forgets what lies behind the first `bytes` bytes: events of steps that are taken again. A log that is shorter, or
    /// that has no line's end there, keeps its whole lines up to there.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn rewind(&mut self, bytes: u64) -> Result<()> {
        let text = fs::read(&self.path).map_err(Error::io("read", &self.path))?;
        let end = usize::try_from(bytes).map_or(text.len(), |bytes| bytes.min(text.len()));
        self.cut_at(whole_length(&text[..end]) as u64)
    }

    /// Waits until every line is on the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&self) -> Result<()> {
        let synced = self.disk.sync(&self.file);
        synced.map_err(Error::io("flush", &self.path))
    }

    fn cut_at(&mut self, length: u64) -> Result<()> {
        if length < self.bytes {
            let cut = self.disk.truncate(&self.file, length);
            cut.map_err(Error::io("shorten", &self.path))?;
            self.bytes = length;
        }
        Ok(())
    }
}

/// Length of the whole lines.
fn whole_length(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|&byte| byte == b'\n');
    last.map_or(0, |last| last + 1)
}
