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
//! use juggle_metrics::{ClassificationReport, ConfusionMatrix, psnr_batch, ssim_batch};
//! use ndarray::{Array4, array};
//!
//! // Two gray frames (N×C×H×W) and a prediction that is off by 0.01 everywhere.
//! let truth = Array4::from_shape_fn((2, 1, 32, 32), |(_, _, i, j)| (i * j) as f32 / 961.0);
//! let prediction = truth.mapv(|x| x + 0.01);
//! let psnr_db = psnr_batch(truth.view(), prediction.view(), 1.0)?;
//! let ssim = ssim_batch(truth.view(), prediction.view(), 1.0)?;
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
//! | error of pixels | [`psnr`], [`psnr_batch`] |
//! | likeness of structure, scikit-image's default | [`ssim`], [`ssim_batch`] |
//! | the same with the Gaussian window of the original paper | [`ssim_gaussian`], [`ssim_gaussian_batch`] |
//! | which classes are taken for which | [`ConfusionMatrix`] |
//! | precision, recall, F1 score, accuracy | [`ClassificationReport`] |
//!
//! # Conventions
//!
//! - Images are [`ndarray`] views of `u8`, `u16`, `f32` or `f64` ([`Pixel`]) with any strides, gray
//!   (H×W) or in batches (N×C×H×W). `data_range` is always explicit: guessing it from the pixel
//!   type is the best known way to a wrong SSIM.
//! - Arithmetic is `f64` for every pixel type. Where scikit-image computes in `f32` the two differ
//!   by its rounding.
//! - Nothing panics. What has no value is an [`Error`](enum@Error) that says what was found, NaN
//!   and infinite pixels included; a number that comes back is finite, except the PSNR of images
//!   without a difference, +∞.
//! - Batches are spread over [`rayon`]'s threads, and every result is the same for any number of
//!   them.
//!
//! # Features
//!
//! - `serde`: [`ClassificationReport`], [`Scores`] and [`ConfusionMatrix`] implement `Serialize`;
//!   the report becomes scikit-learn's `output_dict`.

mod check;
mod confusion;
mod error;
mod pixel;
mod psnr;
mod report;
mod ssim;

pub use confusion::ConfusionMatrix;
pub use error::{Error, Result, Role};
pub use pixel::Pixel;
pub use psnr::{psnr, psnr_batch};
pub use report::{ClassificationReport, Scores};
pub use ssim::{ssim, ssim_batch, ssim_gaussian, ssim_gaussian_batch};
