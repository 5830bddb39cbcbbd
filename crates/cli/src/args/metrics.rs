//! The flags of `juggle metrics`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use juggle_metrics::{Convention, ZeroDivision};

use super::JsonArgs;
use super::values::{self, Weights};

/// What all comparisons of folders have in common.
const FOLDERS: &str = "\
Folders: PNG files are matched by their path inside, in folders inside too;
hidden files are left out, and a file on one side only is an error. The result
is the number of images, the mean of their values, a 95% interval of that mean
and the five lowest values; --json adds the value of every file. The interval
is a BCa bootstrap over images, 9999 replicates with seed 0, so it is the same
on every run; it needs two images (`no_interval` in JSON says where there is
none) and takes them as independent, so for frames of few clips it is too
narrow.";

const PSNR_EXAMPLES: &str = "\
Identical images have a PSNR of `inf` (in JSON the text `inf`), and with one
of them so has the mean. The mean of the other images is then printed beside it
(in JSON always: mean_of_finite, with n_infinite), and the interval is of that.

Examples:
  juggle metrics psnr truth.png prediction.png
  juggle metrics psnr truth/ predictions/ --json";

const SSIM_EXAMPLES: &str = "\
Conventions, which differ in window, covariance and border:
  scikit-image           uniform window, 7x7 unless --window-size is given
  scikit-image-gaussian  Gaussian window, its size from --sigma
  torchmetrics           the same, over mirrored edges too
  pytorch-msssim         Gaussian window, 11x11 unless --window-size is given

Examples:
  juggle metrics ssim truth.png prediction.png
  juggle metrics ssim truth/ predictions/ --convention torchmetrics --json
  juggle metrics ssim truth/ predictions/ --window-size 11";

const MS_SSIM_EXAMPLES: &str = "\
Five scales need images of 176x176 pixels with torchmetrics, of 161x161 with
pytorch-msssim. Fewer weights make torchmetrics content with smaller images:
two need 12x12, three 44x44, four 99x99.

Examples:
  juggle metrics ms-ssim truth.png prediction.png
  juggle metrics ms-ssim truth/ predictions/ --convention pytorch-msssim
  juggle metrics ms-ssim small/ predictions/ --weights 0.5,0.5";

const REPORT_EXAMPLES: &str = "\
The file has a header line with the columns true and pred, for example:
  true,pred
  cat,cat
  dog,cat

Examples:
  juggle metrics report labels.csv
  juggle metrics report labels.csv --labels dog,cat --zero-division nan
  juggle metrics report labels.csv --sample-weight weight --json";

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsCommand {
    /// Peak signal-to-noise ratio in dB (higher is closer; `inf` for identical images)
    #[command(after_help = format!("{FOLDERS}\n\n{PSNR_EXAMPLES}"), allow_negative_numbers = true)]
    Psnr(PsnrArgs),
    /// Structural similarity (1 for identical images), by the convention of a library
    #[command(after_help = format!("{FOLDERS}\n\n{SSIM_EXAMPLES}"), allow_negative_numbers = true)]
    Ssim(SsimArgs),
    /// Structural similarity at several scales (1 for identical images)
    #[command(after_help = format!("{FOLDERS}\n\n{MS_SSIM_EXAMPLES}"), allow_negative_numbers = true)]
    MsSsim(MsSsimArgs),
    /// Precision, recall and F1 of predicted labels, as scikit-learn prints them
    #[command(after_help = REPORT_EXAMPLES)]
    Report(ReportArgs),
}

/// Whose SSIM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConventionName {
    ScikitImage,
    ScikitImageGaussian,
    Torchmetrics,
    PytorchMsssim,
}

/// Whose MS-SSIM: scikit-image has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MsSsimConventionName {
    Torchmetrics,
    PytorchMsssim,
}

impl ConventionName {
    /// The name that the flag takes.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ScikitImage => "scikit-image",
            Self::ScikitImageGaussian => "scikit-image-gaussian",
            Self::Torchmetrics => "torchmetrics",
            Self::PytorchMsssim => "pytorch-msssim",
        }
    }
}

impl From<MsSsimConventionName> for ConventionName {
    fn from(name: MsSsimConventionName) -> Self {
        match name {
            MsSsimConventionName::Torchmetrics => Self::Torchmetrics,
            MsSsimConventionName::PytorchMsssim => Self::PytorchMsssim,
        }
    }
}

impl From<ConventionName> for Convention {
    fn from(name: ConventionName) -> Self {
        match name {
            ConventionName::ScikitImage => Self::ScikitImage,
            ConventionName::ScikitImageGaussian => Self::ScikitImageGaussian,
            ConventionName::Torchmetrics => Self::Torchmetrics,
            ConventionName::PytorchMsssim => Self::PytorchMsssim,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PsnrArgs {
    #[command(flatten)]
    pub(crate) pair: ImagePairArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SsimArgs {
    #[command(flatten)]
    pub(crate) pair: ImagePairArgs,
    /// The library whose SSIM to compute
    #[arg(long, value_name = "NAME", default_value = "scikit-image")]
    pub(crate) convention: ConventionName,
    /// Short for --convention scikit-image-gaussian
    #[arg(long, conflicts_with = "convention")]
    pub(crate) gaussian: bool,
    /// Pixels on each side of the window, odd, 3 or more (scikit-image, pytorch-msssim)
    #[arg(long, value_name = "N", value_parser = values::parse_count)]
    pub(crate) window_size: Option<usize>,
    /// Standard deviation of a Gaussian window in pixels [default: 1.5]
    #[arg(long, value_name = "X")]
    pub(crate) sigma: Option<f64>,
    /// Constant of the luminance [default: 0.01]
    #[arg(long, value_name = "X")]
    pub(crate) k1: Option<f64>,
    /// Constant of the contrast [default: 0.03]
    #[arg(long, value_name = "X")]
    pub(crate) k2: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct MsSsimArgs {
    #[command(flatten)]
    pub(crate) pair: ImagePairArgs,
    /// The library whose MS-SSIM to compute
    #[arg(long, value_name = "NAME", default_value = "torchmetrics")]
    pub(crate) convention: MsSsimConventionName,
    /// Exponent of each scale, finest first [default: 0.0448,0.2856,0.3001,0.2363,0.1333]
    #[arg(long, value_name = "LIST", value_parser = values::parse_weights)]
    pub(crate) weights: Option<Weights>,
}

#[derive(Debug, Args)]
pub(crate) struct ImagePairArgs {
    /// The true image, or a folder of PNG images
    #[arg(value_name = "TRUE")]
    pub(crate) truth: PathBuf,
    /// The predicted image, or a folder with files of the same names
    #[arg(value_name = "PRED")]
    pub(crate) prediction: PathBuf,
    /// Distance between the smallest and the largest possible pixel; images are read as 8-bit pixels
    #[arg(long, value_name = "X", default_value = "255", value_parser = values::parse_data_range)]
    pub(crate) data_range: f64,
    /// CPU threads; 0 means all; the result is the same for any number
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::parse_threads)]
    pub(crate) threads: usize,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}

/// What a score without a denominator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ZeroDivisionName {
    #[value(name = "0")]
    Zero,
    #[value(name = "1")]
    One,
    Nan,
}

impl From<ZeroDivisionName> for ZeroDivision {
    fn from(name: ZeroDivisionName) -> Self {
        match name {
            ZeroDivisionName::Zero => Self::Zero,
            ZeroDivisionName::One => Self::One,
            ZeroDivisionName::Nan => Self::Nan,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// CSV file with the columns true and pred
    #[arg(value_name = "LABELS.csv")]
    pub(crate) file: PathBuf,
    /// Classes that get a row, in this order [default: every class, sorted]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) labels: Option<Vec<String>>,
    /// Score of a class that is never predicted or never occurs; averages leave `nan` out
    #[arg(long, value_name = "SCORE", default_value = "0")]
    pub(crate) zero_division: ZeroDivisionName,
    /// Column of numbers that say how much each line counts
    #[arg(long, value_name = "COLUMN")]
    pub(crate) sample_weight: Option<String>,
    /// Digits after the decimal point in the text
    #[arg(long, value_name = "N", default_value = "2", value_parser = values::parse_digits)]
    pub(crate) digits: u16,
    #[command(flatten)]
    pub(crate) json: JsonArgs,
}
