//! Event files for TensorBoard, and for all that reads them: `tensorboard --logdir runs`, `wandb sync`.
//!
//! A [`Summary`] holds what one step has to show; a [`Writer`] appends it to the run's one event file as one record, in one write.
//! Steps never fall within the file.
//!
//! A run that goes on from a checkpoint calls [`Writer::resume`] with the checkpoint's step: the records of later steps
//! are cut away, and so is a record that a crash has torn. Who reads the file afterwards sees each step once, in order. The file is cut
//! in place, since TensorBoard stays at its position in it: the steps that are done again give the same bytes up to the
//! clock, records of the same length, and a TensorBoard that is open meanwhile reads on (its Python loader loses a run whose
//! file is replaced by another).

mod frame;
mod histogram;
mod hparams;
mod proto;
mod summary;

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message as _;

use crate::{Disk, Error, Result};
use frame::{Records, frame};
use proto::{Event, What};

pub use histogram::Histogram;
pub use hparams::{Experiment, HParam, HParamKind, Outcome};
pub use summary::Summary;

/// TensorBoard reads every file whose name holds `tfevents`, in the order of the names.
const PREFIX: &str = "events.out.tfevents.";
const SUFFIX: &str = ".juggle";
/// What the first record of a file must say.
const FILE_VERSION: &str = "brain.Event:2";

/// Appends records to a run's event file.
///
/// ```
/// use std::time::SystemTime;
///
/// use juggle_tracking::Disk;
/// use juggle_tracking::tensorboard::{Summary, Writer};
///
/// let run = tempfile::tempdir()?;
/// let mut writer = Writer::create(run.path(), SystemTime::now(), Disk::default())?;
/// for step in 1..=3 {
///     writer.write(step, Summary::new().scalar("loss/train", 1.0 / step as f64))?;
/// }
/// drop(writer);
///
/// // The run was killed and goes on from its checkpoint of step 2.
/// let mut resumed = Writer::resume(run.path(), 2, Disk::default())?;
/// assert_eq!(resumed.last_step, 2);
/// resumed.writer.write(3, Summary::new().scalar("loss/train", 0.33))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    disk: Disk,
    file: File,
    path: PathBuf,
    /// The length of the file up to its last whole record.
    length: u64,
    last_step: u64,
}

/// A file to which a resumed run appends, and what was found in it.
#[derive(Debug)]
pub struct Resumed {
    /// Appends after the checkpoint's step.
    pub writer: Writer,
    /// The largest step that is kept; 0 when there is none.
    pub last_step: u64,
    /// Bytes that were cut away: records of later steps, the note that the run had ended, a record that was torn.
    pub n_cut: u64,
    /// Whether what was cut away begins with a record that is damaged and may have been one of an earlier step. A last record that a
    /// crash has torn is none: a checkpoint is written after the records of its step.
    pub damaged: bool,
    /// Whether a new file was begun, since there was none with a whole record.
    pub is_new: bool,
}

impl Writer {
    /// Begins the event file of a run that `started` now, in `folder`, which is made where it is not there. Files that this crate
    /// wrote into the folder for a run before it are removed.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the folder or the file cannot be written.
    pub fn create(folder: &Path, started: SystemTime, disk: Disk) -> Result<Self> {
        if !folder.is_dir() {
            disk.create_folder(folder)?;
        }
        clear(folder, &disk)?;
        let wall_time = unix_seconds(started);
        // Ten digits, so that names sort as times do.
        let name = format!("{PREFIX}{:010.0}{SUFFIX}", wall_time.floor());
        let path = folder.join(name);
        let mut options = OpenOptions::new();
        let file = options
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(Error::io("create", &path))?;
        let mut writer = Self {
            disk,
            file,
            path,
            length: 0,
            last_step: 0,
        };
        writer.append(&Event {
            wall_time,
            step: 0,
            what: Some(What::FileVersion(FILE_VERSION.to_owned())),
        })?;
        Ok(writer)
    }

    /// Opens the event file in `folder` for a run that goes on from its checkpoint of `step`, and cuts away what the run will
    /// write again. Where there is no event file, or none of its records is whole, a new one is begun.
    ///
    /// A record of a step up to `step` is kept if every record before it is whole.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be read or written.
    pub fn resume(folder: &Path, step: u64, disk: Disk) -> Result<Resumed> {
        let begin = |disk| Self::create(folder, SystemTime::now(), disk);
        let Some(path) = event_files(folder)?.pop() else {
            return Ok(Resumed::begun(begin(disk)?));
        };
        let kept = Kept::read(&path, step)?;
        if kept.length == 0 {
            return Ok(Resumed {
                n_cut: kept.n_cut,
                damaged: kept.damaged,
                ..Resumed::begun(begin(disk)?)
            });
        }
        let file = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(Error::io("write", &path))?;
        if kept.n_cut > 0 {
            disk.truncate(&file, kept.length)
                .map_err(Error::io("shorten", &path))?;
        }
        Ok(Resumed {
            writer: Self {
                disk,
                file,
                path,
                length: kept.length,
                last_step: kept.last_step,
            },
            last_step: kept.last_step,
            n_cut: kept.n_cut,
            damaged: kept.damaged,
            is_new: false,
        })
    }

    /// Appends one record with the time of the clock.
    ///
    /// # Errors
    ///
    /// [`Error::StepFell`] for a step before the last one; [`Error::Io`] when the file cannot be written, of which it then has
    /// whole records only, if the file system lets us cut it.
    pub fn write(&mut self, step: u64, summary: Summary) -> Result<()> {
        self.write_at(step, SystemTime::now(), summary)
    }

    /// Appends one record of the time `at`.
    ///
    /// # Errors
    ///
    /// As [`Writer::write`].
    pub fn write_at(&mut self, step: u64, at: SystemTime, summary: Summary) -> Result<()> {
        if step < self.last_step {
            return Err(Error::StepFell {
                path: self.path.clone(),
                step,
                last: self.last_step,
            });
        }
        self.append(&Event {
            wall_time: unix_seconds(at),
            step: i64::try_from(step).unwrap_or(i64::MAX),
            what: Some(What::Summary(summary.into_proto())),
        })?;
        self.last_step = step;
        Ok(())
    }

    /// Waits until everything written is on the disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the disk refuses.
    pub fn sync(&self) -> Result<()> {
        let synced = self.disk.sync(&self.file);
        synced.map_err(Error::io("flush", &self.path))
    }

    /// The event file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn append(&mut self, event: &Event) -> Result<()> {
        let bytes = frame(&event.encode_to_vec());
        if let Err(error) = self.disk.append(&mut self.file, &bytes) {
            // A full disk may have taken a part. What was wrong first is what is reported.
            let _ = self.disk.truncate(&self.file, self.length);
            return Err(Error::io("write", &self.path)(error));
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

impl Resumed {
    fn begun(writer: Writer) -> Self {
        Self {
            writer,
            last_step: 0,
            n_cut: 0,
            damaged: false,
            is_new: true,
        }
    }
}

/// The part of a file that a run that goes on keeps.
struct Kept {
    length: u64,
    last_step: u64,
    n_cut: u64,
    damaged: bool,
}

impl Kept {
    fn read(path: &Path, step: u64) -> Result<Self> {
        let cannot_read = || Error::io("read", path);
        let file = File::open(path).map_err(cannot_read())?;
        let mut records = Records::new(file).map_err(cannot_read())?;
        let (mut length, mut last_step, mut damaged) = (0, 0, false);
        loop {
            let Some(record) = records.next().map_err(cannot_read())? else {
                damaged = records.is_damaged();
                break;
            };
            let Ok(event) = Event::decode(&*record) else {
                damaged = true;
                break;
            };
            // A negative step is none of ours.
            let at = u64::try_from(event.step).unwrap_or(0);
            let ended =
                matches!(&event.what, Some(What::Summary(said)) if summary::ends_the_session(said));
            if at > step || ended {
                break;
            }
            (length, last_step) = (records.position(), at);
        }
        Ok(Self {
            length,
            last_step,
            n_cut: records.file_length() - length,
            damaged,
        })
    }
}

/// Removes the event files that this crate wrote into a folder, and the folder if it is empty then.
pub(crate) fn remove(folder: &Path, disk: &Disk) -> Result<()> {
    clear(folder, disk)?;
    let is_empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        disk.remove_folder(folder)?;
    }
    Ok(())
}

fn clear(folder: &Path, disk: &Disk) -> Result<()> {
    event_files(folder)?
        .iter()
        .try_for_each(|file| disk.remove_file(file))
}

/// The event files that this crate wrote, in the order of their times; none in a folder that is not there.
fn event_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    if !folder.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Seconds since 1970, as TensorBoard counts them; 0 for a clock that stands before.
fn unix_seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
