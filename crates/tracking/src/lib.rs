//! The folder of a training run: its event log, crash-safe checkpoints and TensorBoard files.
//!
//! | module | what it owns |
//! |---|---|
//! | [`events`] | `events.jsonl`: its lines, its writer and its reader |

pub mod events;

mod error;

pub use error::{Error, Result};
pub use events::{Epoch, Event, EventLog, Events, Metrics, Number, Record, Step, read_events};
