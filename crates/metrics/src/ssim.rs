//! Structural similarity.

mod filter;
#[cfg(test)]
mod tests;

use ndarray::{ArrayView2, ArrayView4};

use crate::check;
use crate::error::{Error, Result};
use crate::pixel::Pixel;
use filter::{GAUSSIAN, Scratch, UNIFORM, Window, sum_of_ssim};

/// Structural similarity (SSIM) of two gray images: scikit-image's default.
///
/// For every position of a 7×7 window that lies wholly inside the image, with the sample means `μ`,
/// sample variances `σ²` and sample covariance `σxy` of the NP = 49 pixels under it (sums of
/// squared deviations divided by NP − 1),
///
/// ```text
///                (2·μx·μy + C1) · (2·σxy + C2)
/// SSIM = ─────────────────────────────────────────      C1 = (0.01 · data_range)²
///         (μx² + μy² + C1) · (σx² + σy² + C2)           C2 = (0.03 · data_range)²
/// ```
///
/// The result is the mean over these (H − 6)·(W − 6) positions. **No window crosses the border**,
/// so no padding rule matters: scikit-image pads by reflection, then crops what the padding
/// touched. Variances are not clamped.
///
/// Both images have the shape H×W, H ≥ 7 and W ≥ 7, with any strides. `data_range` is the distance
/// between the smallest and the largest value a pixel may take, never guessed. The result is
/// without unit, at most 1 and above −1 up to rounding; identical images give exactly 1, and
/// swapping the images changes no bit. Arithmetic is `f64` whatever the pixel type.
///
/// The value is that of `skimage.metrics.structural_similarity(truth, prediction, data_range=…)`
/// (scikit-image 0.26), which computes in `f32` when its first argument is `f32`; ours does not.
/// The formula is from Wang, Bovik, Sheikh and Simoncelli, *Image quality assessment: from error
/// visibility to structural similarity*, IEEE Transactions on Image Processing 13(4), 2004; for the
/// parameters of that paper see [`ssim_gaussian`].
///
/// # Errors
///
/// [`Error::ShapeMismatch`], [`Error::NoPixels`], [`Error::ImageTooSmall`], [`Error::DataRange`],
/// [`Error::NonFinitePixel`], and [`Error::Overflow`] when `f64` pixels are so large that the
/// formula has no finite value.
///
/// # Examples
///
/// ```
/// use ndarray::Array2;
///
/// let truth = Array2::from_shape_fn((32, 32), |(i, j)| (8 * i.abs_diff(j)) as u8);
/// let shifted = Array2::from_shape_fn((32, 32), |(i, j)| (8 * i.abs_diff(j + 1).min(31)) as u8);
/// let ssim = juggle_metrics::ssim(truth.view(), shifted.view(), 255.0)?;
/// assert!(0.9 < ssim && ssim < 1.0);
/// assert_eq!(juggle_metrics::ssim(truth.view(), truth.view(), 255.0)?, 1.0);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn ssim<T: Pixel>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    data_range: f64,
) -> Result<f64> {
    windowed(&UNIFORM, truth, prediction, data_range)
}

/// Structural similarity (SSIM) of two gray images with a Gaussian window: the parameters of Wang
/// et al. 2004.
///
/// As [`ssim`], but means, variances and covariance are weighted by an 11×11 Gaussian of σ = 1.5
/// pixels (the weights `exp(−d²/2σ²)` cut off at 5 pixels in each direction and scaled to sum to
/// one), and are those of a population: not corrected by NP / (NP − 1). The mean is over the (H −
/// 10)·(W − 10) positions at which the window lies inside the image, so H ≥ 11 and W ≥ 11.
///
/// The value is that of `skimage.metrics.structural_similarity(truth, prediction, data_range=…,
/// gaussian_weights=True, sigma=1.5, use_sample_covariance=False)` (scikit-image 0.26).
///
/// # Errors
///
/// As [`ssim`].
///
/// # Examples
///
/// ```
/// use ndarray::Array2;
///
/// let truth = Array2::from_shape_fn((32, 32), |(i, j)| if i > j { 1.0_f32 } else { 0.0 });
/// let inverted = truth.mapv(|x| 1.0 - x);
/// assert!(juggle_metrics::ssim_gaussian(truth.view(), inverted.view(), 1.0)? < 0.5);
/// assert_eq!(juggle_metrics::ssim_gaussian(truth.view(), truth.view(), 1.0)?, 1.0);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn ssim_gaussian<T: Pixel>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    data_range: f64,
) -> Result<f64> {
    windowed(&GAUSSIAN, truth, prediction, data_range)
}

/// [`ssim`] of each image of a batch, in the order of the batch.
///
/// Both batches have the shape N×C×H×W. The SSIM of an image is the mean over its channels, as with
/// scikit-image's `channel_axis`. Images are spread over rayon's threads; the result does not
/// depend on their number.
///
/// # Errors
///
/// As [`ssim`]; of several images with an error, the first one's is returned. An empty batch is
/// [`Error::NoPixels`].
///
/// # Examples
///
/// ```
/// use ndarray::Array4;
///
/// let truth = Array4::<f32>::zeros((5, 3, 16, 16));
/// assert_eq!(juggle_metrics::ssim_batch(truth.view(), truth.view(), 1.0)?, [1.0; 5]);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn ssim_batch<T: Pixel>(
    truth: ArrayView4<'_, T>,
    prediction: ArrayView4<'_, T>,
    data_range: f64,
) -> Result<Vec<f64>> {
    windowed_batch(&UNIFORM, truth, prediction, data_range)
}

/// [`ssim_gaussian`] of each image of a batch, in the order of the batch.
///
/// Shapes, order and threads are those of [`ssim_batch`].
///
/// # Errors
///
/// As [`ssim_batch`].
///
/// # Examples
///
/// ```
/// use ndarray::Array4;
///
/// let truth = Array4::<u16>::ones((2, 1, 11, 11));
/// assert_eq!(juggle_metrics::ssim_gaussian_batch(truth.view(), truth.view(), 65535.0)?, [1.0; 2]);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn ssim_gaussian_batch<T: Pixel>(
    truth: ArrayView4<'_, T>,
    prediction: ArrayView4<'_, T>,
    data_range: f64,
) -> Result<Vec<f64>> {
    windowed_batch(&GAUSSIAN, truth, prediction, data_range)
}

fn windowed<T: Pixel, const K: usize>(
    window: &Window<K>,
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    data_range: f64,
) -> Result<f64> {
    check::same_shape(truth.shape(), prediction.shape())?;
    check::data_range(data_range)?;
    let (height, width) = truth.dim();
    let n_positions = n_positions::<K>(height, width)?;
    let mut scratch = Scratch::new(width);
    let sum = sum_of_ssim(window, truth, prediction, data_range, &mut scratch)?;
    finite(sum / n_positions, data_range)
}

fn windowed_batch<T: Pixel, const K: usize>(
    window: &Window<K>,
    truth: ArrayView4<'_, T>,
    prediction: ArrayView4<'_, T>,
    data_range: f64,
) -> Result<Vec<f64>> {
    check::same_shape(truth.shape(), prediction.shape())?;
    check::data_range(data_range)?;
    let (_, channels, height, width) = truth.dim();
    let n_positions = n_positions::<K>(height, width)?;
    check::for_each_image(
        truth,
        prediction,
        || Scratch::new(width),
        |scratch, truth, prediction| {
            let sum = check::sum_over_channels(truth, prediction, |truth, prediction| {
                let sum = sum_of_ssim(window, truth, prediction, data_range, scratch)?;
                Ok(sum / n_positions)
            })?;
            finite(sum / channels as f64, data_range)
        },
    )
}

/// The number of places a K×K window has in an image.
fn n_positions<const K: usize>(height: usize, width: usize) -> Result<f64> {
    if height < K || width < K {
        return Err(Error::ImageTooSmall {
            height,
            width,
            window: K,
        });
    }
    Ok((height - (K - 1)) as f64 * (width - (K - 1)) as f64)
}

fn finite(ssim: f64, data_range: f64) -> Result<f64> {
    if ssim.is_finite() {
        Ok(ssim)
    } else {
        Err(Error::Overflow { data_range })
    }
}
