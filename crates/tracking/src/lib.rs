//! The folder of a training run: its event log, crash-safe checkpoints and TensorBoard files.
//!
//! A process that writes a run may die at any instruction, and the disk may refuse any write: what is there afterwards is a
//! log that ends in whole lines or one torn one, checkpoints that are whole, and hidden leftovers that the next process
//! sweeps away.
//!
//! ```
//! use juggle_tracking::{Checkpoint, Disk, Event, Number, Record, RunFolder, Step};
//!
//! let folder = std::env::temp_dir().join(format!("juggle-tracking-doctest-{}", std::process::id()));
//! std::fs::create_dir_all(&folder)?;
//! let run = RunFolder::new(&folder, Disk::default());
//! let lock = run.lock()?;
//! run.checkpoints().prepare()?;
//! let mut log = run.open_events()?;
//! let step = |step| Record::now(Event::Step(Step { epoch: 1, step, learning_rate: 0.1, loss: Number(0.5) }));
//! log.append(&step(1))?;
//! run.checkpoints().write(&Checkpoint {
//!     step: 1,
//!     model: vec![1, 2],
//!     optimizer: vec![3],
//!     training: serde_json::json!({"epoch": 1}),
//!     logs: vec![("events.jsonl".to_owned(), log.len())],
//! })?;
//! log.append(&step(2))?;
//!
//! // The process dies here, and another one goes on.
//! drop((log, lock));
//! let lock = run.lock()?;
//! let (checkpoint, refused) = run.checkpoints().newest()?;
//! let checkpoint = checkpoint.expect("one was written");
//! assert!(checkpoint.step == 1 && refused.is_empty());
//! let mut log = run.open_events()?;
//! log.rewind(checkpoint.logs[0].1)?;
//! log.append(&step(2))?;
//! assert_eq!(juggle_tracking::read_events(&folder.join("events.jsonl"))?.records.len(), 2);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`run`] | the files of a run folder by name |
//! | [`events`] | `events.jsonl`: its lines, its writer and its reader |
//! | [`checkpoint`] | `checkpoints/step-N`: written whole, checked before use, pruned |
//! | [`manifest`] | lists of SHA-256 |
//! | `lock` | [`RunLock`]: one writer at a time |
//! | [`disk`] | [`Disk`]: the operations on files, which a test can let fail |
//! | `history` | [`History`]: how a run stands, its best epoch and its last one |
//! | `settings` | configurations as flat lists, and where they differ |
//! | [`tensorboard`] | event files for TensorBoard: scalars, pictures, histograms, texts, hyper-parameters |

pub mod checkpoint;
pub mod disk;
pub mod events;
pub mod manifest;
pub mod run;
pub mod tensorboard;

mod error;
mod history;
mod lock;
mod settings;

pub use checkpoint::{Checkpoint, Checkpoints, Refused};
pub use disk::Disk;
pub use error::{Error, Result};
pub use events::{
    Epoch, Event, EventLog, Events, FinishReason, Metrics, Number, Record, Step, StopReason,
    read_events,
};
pub use history::{History, Signs, Status};
pub use lock::RunLock;
pub use run::RunFolder;
pub use settings::{Settings, differing_keys, settings};
