//! Peak signal-to-noise ratio.

use ndarray::{ArrayView, ArrayView4, Dimension};

use crate::check;
use crate::error::{Error, Result};
use crate::mse::{mse, mse_batch};
use crate::pixel::Pixel;

/// Peak signal-to-noise ratio of two images, in decibels.
///
/// ```text
/// MSE  = mean over pixels of (truth − prediction)²
/// PSNR = 10 · log10(data_range² / MSE)
/// ```
///
/// Both images have one shape, of any number of axes (H×W, or H×W×C with the channels anywhere); any strides will do. `data_range`
/// is the distance between the smallest and the largest value a pixel may take: 255 for 8-bit pixels, 1 for pixels in `[0, 1]`.
/// It is never guessed; [`u8::DATA_RANGE`](crate::IntegerPixel::DATA_RANGE) names that of an integer type. The result is larger for better predictions and unbounded on both sides;
/// **an MSE of zero, hence identical images, gives +∞**, which no mean over images survives.
/// Arithmetic is `f64` whatever the pixel type.
///
/// The value is that of `skimage.metrics.peak_signal_noise_ratio(truth, prediction, data_range=…)`
/// (scikit-image 0.26), which rounds the squared differences of `f32` images to `f32`; ours does
/// not.
///
/// # Errors
///
/// [`Error::ShapeMismatch`], [`Error::NoPixels`], [`Error::DataRange`], [`Error::NonFinitePixel`],
/// and [`Error::Overflow`] when the squared differences of `f64` pixels are too large for `f64`.
///
/// # Examples
///
/// ```
/// use ndarray::array;
///
/// let truth = array![[0.0_f32, 0.5], [0.5, 1.0]];
/// let prediction = array![[0.0_f32, 0.5], [0.5, 0.8]];
/// let psnr_db = juggle_metrics::psnr(truth.view(), prediction.view(), 1.0)?;
/// assert!((psnr_db - 20.0).abs() < 1e-6); // MSE = 0.2² / 4 = 0.01
/// assert_eq!(juggle_metrics::psnr(truth.view(), truth.view(), 1.0)?, f64::INFINITY);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn psnr<T: Pixel, D: Dimension>(
    truth: ArrayView<'_, T, D>,
    prediction: ArrayView<'_, T, D>,
    data_range: f64,
) -> Result<f64> {
    check::same_shape(truth.shape(), prediction.shape())?;
    check::data_range(data_range)?;
    decibels(mse(truth, prediction)?, data_range)
}

/// [`psnr`] of each image of a batch, in decibels, in the order of the batch.
///
/// Both batches have the shape N×C×H×W. The mean squared error of an image is taken over all its
/// channels, as scikit-image does for a colour image. Images are spread over rayon's threads; the
/// result does not depend on their number.
///
/// # Errors
///
/// As [`psnr`]; of several images with an error, the first one's is returned. An empty batch is
/// [`Error::NoPixels`].
///
/// # Examples
///
/// ```
/// use ndarray::Array4;
///
/// let truth = Array4::<u8>::zeros((2, 3, 16, 16));
/// let mut prediction = truth.clone();
/// prediction[[1, 0, 0, 0]] = 255;
/// let psnr_db = juggle_metrics::psnr_batch(truth.view(), prediction.view(), 255.0)?;
/// assert_eq!(psnr_db[0], f64::INFINITY);
/// assert!((psnr_db[1] - 10.0 * (3.0 * 16.0 * 16.0_f64).log10()).abs() < 1e-12);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn psnr_batch<T: Pixel>(
    truth: ArrayView4<'_, T>,
    prediction: ArrayView4<'_, T>,
    data_range: f64,
) -> Result<Vec<f64>> {
    check::same_shape(truth.shape(), prediction.shape())?;
    check::data_range(data_range)?;
    let errors = mse_batch(truth, prediction)?;
    errors
        .into_iter()
        .map(|mean| decibels(mean, data_range))
        .collect()
}

fn decibels(mean_squared_error: f64, data_range: f64) -> Result<f64> {
    let ratio = data_range * data_range / mean_squared_error;
    // Zero where the error is so large that its quotient vanishes.
    if ratio == 0.0 {
        return Err(Error::Overflow);
    }
    Ok(10.0 * ratio.log10())
}
