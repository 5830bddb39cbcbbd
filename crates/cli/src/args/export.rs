//! The flags of `juggle export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{JsonArgs, Weights};

const EXAMPLES: &str = "\
onnx: opset 17, any batch size, one node a layer with the name that it has in
`juggle summary`; logits without a softmax, frames that are not clamped. The
input is float32, N x channels x height x width, values from 0 to 1; an
autoencoder's channels are its input frames, the oldest first. Class names and
sizes are in the file's metadata.

safetensors: the weights with PyTorch's names, which load_state_dict takes with
strict=True, and the same metadata.

Examples:
  juggle export runs/classifier-1 --out balls.onnx
  juggle export runs/classifier-1 --weights last --out balls.safetensors
  juggle export runs/autoencoder-1 --format onnx --out next-frame.model --json";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// The run folder that `juggle train` wrote
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub(crate) run: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
    /// What to write [default: what the ending of --out says]
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// Which weights of the run
    #[arg(long, default_value = "best")]
    pub(crate) weights: Weights,
    /// Replace a file that exists
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Network and weights, for onnxruntime and others
    Onnx,
    /// Weights alone, for PyTorch
    Safetensors,
}

impl Format {
    /// The name that the flag takes, which is the file's ending too.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Safetensors => "safetensors",
        }
    }
}
