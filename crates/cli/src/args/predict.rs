//! The flags of `juggle predict`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{JsonArgs, MachineArgs, Weights, values};

const EXAMPLES: &str = "\
A classifier prints a line an image: class, probability, and those of the other
classes. With --explain, a patch is slid over the image, and FILE.occlusion.png
shows beside the image where hiding lowers the class's probability (red) or
raises it (blue); --json has the drop at each place.

An autoencoder writes each predicted frame, animation.png (the input frames and
then the predicted ones, which have a white border) and strip.png. With --start,
frames of the folder that follow the inputs are the truth: the strip then has
rows for truth, prediction and error, and each frame gets its PSNR and SSIM.

Examples:
  juggle predict runs/classifier-1 a.png b.png --json
  juggle predict runs/classifier-1 a.png --explain --out maps
  juggle predict runs/autoencoder-1 f0.png f1.png f2.png f3.png
  juggle predict runs/autoencoder-1 clip --steps 10 --out next
  juggle predict runs/autoencoder-1 clip --start 1 --steps 10 --out next";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PredictArgs {
    /// The run folder that `juggle train` wrote
    #[arg(value_name = "RUN", value_hint = ValueHint::DirPath)]
    pub(crate) run: PathBuf,
    /// Classifier: PNG images. Autoencoder: the input frames, oldest first, or one folder of frames, of
    /// which the last are used
    #[arg(value_name = "IMAGE", required = true)]
    pub(crate) images: Vec<PathBuf>,
    /// Which weights of the run
    #[arg(long, default_value = "best")]
    pub(crate) weights: Weights,
    /// Folder for the pictures: predicted frames, and what --explain draws [default: .]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// Replace pictures that exist
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
    #[command(flatten)]
    pub(crate) explain: ExplainArgs,
    #[command(flatten)]
    pub(crate) roll_out: RollOutArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Classifier only")]
pub(crate) struct ExplainArgs {
    /// Show which parts of each image its class hangs on
    #[arg(long)]
    pub(crate) explain: bool,
    /// Look at this class instead of the predicted one
    #[arg(long, value_name = "NAME", requires = "explain")]
    pub(crate) class: Option<String>,
    /// Side of the patch in pixels [default: an eighth of the image's shorter side]
    #[arg(long, value_name = "N", value_parser = values::parse_count, requires = "explain")]
    pub(crate) patch: Option<usize>,
    /// Pixels from one place of the patch to the next [default: half the patch]
    #[arg(long, value_name = "N", value_parser = values::parse_count, requires = "explain")]
    pub(crate) stride: Option<usize>,
    /// What the patch hides with [default: background]
    #[arg(long, value_name = "FILL", requires = "explain")]
    pub(crate) fill: Option<Fill>,
}

/// What the patch hides with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fill {
    /// The median of each channel of the image: removes things from an even background
    Background,
    /// Middle gray, as in the paper
    Gray,
    /// 0 in each channel
    Black,
    /// 1 in each channel
    White,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Autoencoder only")]
pub(crate) struct RollOutArgs {
    /// How many frames to predict, each from the ones before, predicted ones included [default: 1]
    #[arg(long, value_name = "N", value_parser = values::parse_count, alias = "frames")]
    pub(crate) steps: Option<usize>,
    /// Take the inputs from this frame of the folder on, the first is 1; what follows them is the truth
    #[arg(long, value_name = "N", value_parser = values::parse_count)]
    pub(crate) start: Option<usize>,
}
