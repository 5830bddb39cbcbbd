//! The one error type of the crate: which file, what was found there and what was expected.

use std::io;
use std::path::{Path, PathBuf};

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong. Each message is one sentence that names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused; the reason is the source of this error.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted: `read`, `write`, `list`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Another process is writing into the run folder.
    #[error("{} is being written by another process", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A whole line of an event log that is no event.
    #[error("{}:{line} is not an event", path.display())]
    Line {
        /// The log.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser found.
        #[source]
        reason: serde_json::Error,
    },
    /// A picture for TensorBoard that is no PNG file.
    #[error(
        "the picture `{tag}` is not a PNG file: its {n_bytes} bytes do not begin with a PNG header"
    )]
    NotPng {
        /// The picture's tag.
        tag: String,
        /// How many bytes were given.
        n_bytes: usize,
    },
    /// A step that lies before one that the event file has already.
    #[error("step {step} cannot be written to {} after step {last}: expected step {last} or a later one", path.display())]
    StepFell {
        /// The event file.
        path: PathBuf,
        /// The step that was to be written.
        step: u64,
        /// The last step in the file.
        last: u64,
    },
}

impl Error {
    /// The same failure, told of another file: the one that the caller knows.
    pub(crate) fn of(self, action: &'static str, path: &Path) -> Self {
        match self {
            Self::Io { source, .. } => Self::io(action, path)(source),
            other => other,
        }
    }

    /// For `map_err`: what was attempted with which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
