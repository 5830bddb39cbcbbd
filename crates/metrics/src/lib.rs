//! PSNR and SSIM that equal scikit-image's, and a classification report that equals scikit-learn's.
//!
//! A paper's numbers are only comparable when the metric is the same to the last convention: which
//! window, which covariance, what happens at the border, what a class without predictions scores.
//! This crate computes what the two Python libraries compute, checked against values that they
//! produced, and says in each item's documentation what that is.
//!
//! # Example
//!
//! A model predicts the next frame of a clip; another one counts the balls in it.
//!
//! ```
//! use juggle_metrics::{ClassificationReport, ConfusionMatrix, Convention, Ssim, psnr_batch};
//! use ndarray::{Array4, array};
//!
//! // Two gray frames (N×C×H×W) and a prediction that is off by 0.01 everywhere.
//! let truth = Array4::from_shape_fn((2, 1, 32, 32), |(_, _, i, j)| (i * j) as f32 / 961.0);
//! let prediction = truth.mapv(|x| x + 0.01);
//! let psnr_db = psnr_batch(truth.view(), prediction.view(), 1.0)?;
//! let ssim = Ssim::new(Convention::ScikitImage, 1.0).batch(truth.view(), prediction.view())?;
//! assert!((psnr_db[0] - 40.0).abs() < 1e-4);
//! assert!(ssim[0] > 0.99);
//!
//! // Class indices: true and predicted.
//! let (balls, predicted) = ([0, 1, 2, 2], [0, 1, 1, 2]);
//! let matrix = ConfusionMatrix::new(&balls, &predicted, 3)?;
//! assert_eq!(matrix.counts(), array![[1, 0, 0], [0, 1, 0], [0, 1, 1]]);
//! let report = ClassificationReport::new(&balls, &predicted, &["one", "two", "three"])?;
//! assert_eq!(report.accuracy(), 0.75);
//! print!("{report}"); // scikit-learn's text, byte for byte
//! # Ok::<(), juggle_metrics::Error>(())
//! ```
//!
//! # Map
//!
//! | to measure | use |
//! |---|---|
//! | error of pixels | [`psnr`], [`psnr_batch`], [`mse`], [`mse_batch`], [`nrmse`] |
//! | likeness of structure, by the convention of scikit-image, torchmetrics or pytorch-msssim | [`Ssim`] |
//! | the same at several scales | [`MsSsim`] |
//! | which classes are taken for which | [`ConfusionMatrix`], [`weighted_confusion_matrix`] |
//! | precision, recall, F1 and Fβ scores, accuracy | [`ClassificationReport`], with weights or of some classes by [`ReportOptions`] |
//! | the same in one number: balanced accuracy, Cohen's κ, Matthews' coefficient | [`ConfusionMatrix`] |
//! | how good predicted probabilities are | [`log_loss`], [`expected_calibration_error`], [`top_k_accuracy`] |
//! | how well scores tell classes apart | [`roc_auc`], [`roc_auc_one_vs_rest`], [`average_precision`] |
//! | how far an accuracy may be off | [`wilson_interval`], [`clopper_pearson_interval`] |
//! | how far any other metric may be off | [`Bootstrap`] |
//! | whether one of two classifiers is better | [`PairedCounts::mcnemar`] |
//! | whether one of two image models is better | [`Bootstrap::mean_difference`] |
//!
//! # Conventions
//!
//! - Images are [`ndarray`] views of `u8`, `u16`, `f32` or `f64` ([`Pixel`]) with any strides, gray
//!   (H×W) or in batches (N×C×H×W). `data_range` is always explicit: guessing it from the pixel
//!   type is the best known way to a wrong SSIM.
//! - Arithmetic is `f64` for every pixel type. Where a library computes in `f32` the two differ
//!   by its rounding; only maps and gradients of SSIM are rounded as scikit-image rounds them.
//! - Nothing panics. What has no value is an [`Error`](enum@Error) that says what was found, NaN
//!   and infinite pixels included; a number that comes back is finite, except the PSNR of images
//!   without a difference, +∞, and what [`ZeroDivision::Nan`] asks for.
//! - Intervals and tests that draw random numbers take a seed.
//! - Batches are spread over [`rayon`]'s threads, and every result is the same for any number of
//!   them.
//!
//! # Features
//!
//! - `serde`: [`ClassificationReport`], [`Scores`], [`ConfusionMatrix`] and what intervals and tests
//!   return implement `Serialize`; the report becomes scikit-learn's `output_dict`.

mod bootstrap;
mod check;
mod confusion;
mod count;
mod distribution;
mod error;
mod interval;
mod mcnemar;
mod ms_ssim;
mod mse;
mod pixel;
mod probability;
mod psnr;
mod ranking;
mod report;
mod ssim;
mod student;

pub use bootstrap::{
    Bootstrap, BootstrapInterval, BootstrapMethod, PairedDifference, bca_interval,
    percentile_interval,
};
pub use confusion::{ConfusionMatrix, KappaWeights, ShareOf, weighted_confusion_matrix};
pub use error::{Error, Result, Role, Sample};
pub use interval::{Interval, clopper_pearson_interval, wilson_interval};
pub use mcnemar::{McNemar, PairedCounts};
pub use ms_ssim::MsSsim;
pub use mse::{Normalization, mse, mse_batch, nrmse};
pub use pixel::{IntegerPixel, Pixel, Real};
pub use probability::{expected_calibration_error, log_loss, top_k_accuracy};
pub use psnr::{psnr, psnr_batch};
pub use ranking::{average_precision, roc_auc, roc_auc_one_vs_rest};
pub use report::{ClassificationReport, FBeta, ReportOptions, Scores, ZeroDivision};
pub use ssim::{Convention, Covariance, Ssim};
pub use student::{mean_difference_interval, mean_interval, prediction_interval};

/// The version of ndarray whose views the metrics take.
pub use ndarray;

/// Compiles and runs the program of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
