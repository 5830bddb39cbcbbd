//! The flags of `juggle summary`.

use clap::{Args, Subcommand};

use super::JsonArgs;
use super::values::{self, ImageSize, parse_image_size, parse_widths};

const SUMMARY_NOTES: &str = "\
Names are those of the tensors in the file of weights and of the nodes of an
ONNX file. Shapes are those of one image; parameters are what training moves,
and multiply-adds what one image costs in convolutions and linear layers.

Examples:
";

const CLASSIFIER_SUMMARY_EXAMPLES: &str = "\
juggle summary classifier
  juggle summary classifier --classes 10 --channels rgb --size 48x64 --json";

const AUTOENCODER_SUMMARY_EXAMPLES: &str = "\
juggle summary autoencoder
  juggle summary autoencoder --widths 8,16 --no-skip";

#[derive(Debug, Subcommand)]
pub(crate) enum SummaryCommand {
    /// The convolutional network that classifies images
    #[command(after_help = format!("{SUMMARY_NOTES}  {CLASSIFIER_SUMMARY_EXAMPLES}"))]
    Classifier(ClassifierSummaryArgs),
    /// The network with skip connections that predicts the next frame
    #[command(after_help = format!("{SUMMARY_NOTES}  {AUTOENCODER_SUMMARY_EXAMPLES}"))]
    Autoencoder(AutoencoderSummaryArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ClassifierSummaryArgs {
    /// Number of classes
    #[arg(long, value_name = "N", default_value = "3", value_parser = values::parse_classes)]
    pub(crate) classes: usize,
    #[command(flatten)]
    pub(crate) shape: ShapeArgs,
    /// Batch normalisation after each convolution
    #[arg(long)]
    pub(crate) batch_norm: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AutoencoderSummaryArgs {
    /// Number of input frames
    #[arg(long, value_name = "K", default_value = "4", value_parser = values::parse_count)]
    pub(crate) input_frames: usize,
    #[command(flatten)]
    pub(crate) shape: ShapeArgs,
    /// Channels of each level, from the top to the bottleneck
    #[arg(long, value_name = "LIST", default_value = "16,32,64", value_parser = parse_widths)]
    pub(crate) widths: values::Widths,
    /// Leave out the skip connections
    #[arg(long)]
    pub(crate) no_skip: bool,
    /// Batch normalisation after each convolution
    #[arg(long)]
    pub(crate) batch_norm: bool,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShapeArgs {
    /// Gray images or colour
    #[arg(long, value_name = "KIND", default_value = "gray", value_parser = values::parse_color_mode)]
    pub(crate) channels: juggle_dataset::ColorMode,
    /// Image size in pixels, height first
    #[arg(long, value_name = "HxW", default_value = "32x32", value_parser = parse_image_size)]
    pub(crate) size: ImageSize,
}
