//! The one error type of this crate.

use std::path::PathBuf;

/// What can go wrong while describing, saving, loading or running a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration value no network can be built from.
    #[error("{what} is {found}, expected {expected}")]
    Config {
        /// Which value, as the user knows it.
        what: &'static str,
        /// The value given.
        found: String,
        /// What would have been accepted.
        expected: String,
    },
    /// A layer that does not fit the output it is given.
    #[error("layer `{layer}` ({kind}) got an input of shape {found:?}, expected {expected}")]
    Layer {
        /// The layer's name, as in the state dictionary.
        layer: String,
        /// The layer's kind, as in `torch.nn`.
        kind: &'static str,
        /// The input's shape, without the batch dimension.
        found: Vec<usize>,
        /// What the layer accepts.
        expected: String,
    },
    /// A slice whose length is no whole number of images, or does not match the batch.
    #[error("{what} hold {found} values, expected {expected}")]
    Length {
        /// Which slice.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length wanted.
        expected: String,
    },
    /// A label outside the network's classes.
    #[error("label {found} at position {position} is out of range, expected 0 to {last}")]
    Label {
        /// The position in the batch.
        position: usize,
        /// The label given.
        found: u32,
        /// The largest label the network knows.
        last: usize,
    },
    /// A loss that was given the other loss's targets.
    #[error("the {loss} loss got {found}, expected {expected}")]
    Targets {
        /// The loss.
        loss: &'static str,
        /// What was given.
        found: &'static str,
        /// What it works on.
        expected: &'static str,
    },
    /// A weights file that could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file that is no safetensors file.
    #[error("{} is not a safetensors file", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The parser's reason.
        source: safetensors::SafeTensorError,
    },
    /// A weights file of another network.
    #[error("{} does not fit the network: {reason}", path.display())]
    State {
        /// The file, or the words `the state` where there is none.
        path: PathBuf,
        /// Which tensor, what was found and what was expected.
        reason: String,
    },
    /// A device that this machine or this build does not have.
    #[error("device `{device}` is not available: {reason}")]
    Device {
        /// The device asked for.
        device: String,
        /// Why not.
        reason: String,
    },
    /// A failure inside candle.
    #[error("the candle engine failed")]
    Candle(#[from] candle_core::Error),
}

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
