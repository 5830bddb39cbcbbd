//! Peak signal-to-noise ratio.

use ndarray::{ArrayView2, ArrayView4, s};

use crate::check;
use crate::error::{Error, Result, Role};
use crate::pixel::{Pixel, read_row};

/// Peak signal-to-noise ratio of two gray images, in decibels.
///
/// ```text
/// MSE  = mean over pixels of (truth − prediction)²
/// PSNR = 10 · log10(data_range² / MSE)
/// ```
///
/// Both images have the shape H×W; any strides will do. `data_range` is the distance between the
/// smallest and the largest value a pixel may take: 255 for 8-bit pixels, 1 for pixels in `[0, 1]`.
/// It is never guessed. The result is larger for better predictions and unbounded on both sides;
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
pub fn psnr<T: Pixel>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    data_range: f64,
) -> Result<f64> {
    check::same_shape(truth.shape(), prediction.shape())?;
    check::data_range(data_range)?;
    let squared_error = sum_of_squared_errors(truth, prediction)?;
    decibels(squared_error, truth.len(), data_range)
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
    check::for_each_image(
        truth,
        prediction,
        || (),
        |(), truth, prediction| {
            let squared_error = check::sum_over_channels(truth, prediction, sum_of_squared_errors)?;
            decibels(squared_error, truth.len(), data_range)
        },
    )
}

fn decibels(squared_error: f64, n_pixels: usize, data_range: f64) -> Result<f64> {
    let mean_squared_error = squared_error / n_pixels as f64;
    let ratio = data_range * data_range / mean_squared_error;
    // Zero where the error is infinite, or so large that its quotient vanishes.
    if ratio == 0.0 {
        return Err(Error::Overflow { data_range });
    }
    Ok(10.0 * ratio.log10())
}

/// Accumulators side by side, so that the sum is a vector operation with a fixed order.
const LANES: usize = 8;

/// Pixels converted to `f64` at a time: two buffers of this length stay in the first-level cache.
const CHUNK: usize = 512;

/// Rows are summed one by one, then added up: the rounding error grows with H + W, not with H·W.
fn sum_of_squared_errors<T: Pixel>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
) -> Result<f64> {
    let (height, width) = truth.dim();
    let mut xs = [0.0; CHUNK];
    let mut ys = [0.0; CHUNK];
    let mut sum = 0.0;
    for i in 0..height {
        let mut lanes = [0.0; LANES];
        for first in (0..width).step_by(CHUNK) {
            let last = width.min(first.saturating_add(CHUNK));
            let xs = &mut xs[..last - first];
            let ys = &mut ys[..last - first];
            read_row(truth.slice(s![i, first..last]), Role::Truth, i, first, xs)?;
            read_row(
                prediction.slice(s![i, first..last]),
                Role::Prediction,
                i,
                first,
                ys,
            )?;
            add_squared_differences(xs, ys, &mut lanes);
        }
        sum += lanes.iter().sum::<f64>();
    }
    Ok(sum)
}

fn add_squared_differences(xs: &[f64], ys: &[f64], lanes: &mut [f64; LANES]) {
    let (xs, xs_rest) = xs.as_chunks::<LANES>();
    let (ys, ys_rest) = ys.as_chunks::<LANES>();
    for (xs, ys) in xs.iter().zip(ys) {
        for (lane, (x, y)) in lanes.iter_mut().zip(xs.iter().zip(ys)) {
            *lane += (x - y) * (x - y);
        }
    }
    for (lane, (x, y)) in lanes.iter_mut().zip(xs_rest.iter().zip(ys_rest)) {
        *lane += (x - y) * (x - y);
    }
}
