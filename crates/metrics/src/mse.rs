//! Mean squared error, and what follows from it alone.

use ndarray::{ArrayView, ArrayView1, ArrayView4, Axis, Dimension};
use rayon::prelude::*;

use crate::check;
use crate::error::{Error, Result};
use crate::pixel::Pixel;

/// Pixels that a thread takes at a time.
const BAND: usize = 1 << 18;

/// Mean squared error of two images: the mean over all values of (truth − prediction)².
///
/// Both have one shape, of any number of axes (H×W, or H×W×C with the channels anywhere), and any strides. The result is at least
/// 0, in squared units of the pixels.
///
/// The value is that of `skimage.metrics.mean_squared_error` (scikit-image 0.26), which rounds the squared differences of
/// `f32` images to `f32`; ours does not.
///
/// # Errors
///
/// [`Error::ShapeMismatch`], [`Error::NoPixels`], [`Error::NonFinitePixel`], and [`Error::Overflow`] when the squares of `f64`
/// pixels are too large for `f64`.
///
/// # Examples
///
/// ```
/// use ndarray::array;
///
/// let (truth, prediction) = (array![[10_u8, 20], [30, 40]], array![[10_u8, 20], [30, 44]]);
/// assert_eq!(juggle_metrics::mse(truth.view(), prediction.view())?, 4.0);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn mse<T: Pixel, D: Dimension>(
    truth: ArrayView<'_, T, D>,
    prediction: ArrayView<'_, T, D>,
) -> Result<f64> {
    check::same_shape(truth.shape(), prediction.shape())?;
    let mean = sum_of_squared_errors(&truth, &prediction) / truth.len() as f64;
    if mean.is_finite() {
        Ok(mean)
    } else {
        Err(check::why_not_finite(&truth, &prediction))
    }
}

/// [`mse`] of each image of a batch N×C×H×W, over all its channels, in the order of the batch.
///
/// Images are spread over rayon's threads; the result does not depend on their number.
///
/// # Errors
///
/// As [`mse`]; of several images with an error, the first one's is returned.
///
/// # Examples
///
/// ```
/// use ndarray::Array4;
///
/// let truth = Array4::<f32>::zeros((2, 1, 4, 4));
/// let mut prediction = truth.clone();
/// prediction[[1, 0, 0, 0]] = 4.0;
/// assert_eq!(juggle_metrics::mse_batch(truth.view(), prediction.view())?, [0.0, 1.0]);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn mse_batch<T: Pixel>(
    truth: ArrayView4<'_, T>,
    prediction: ArrayView4<'_, T>,
) -> Result<Vec<f64>> {
    check::same_shape(truth.shape(), prediction.shape())?;
    let means: Vec<f64> = (0..truth.len_of(Axis(0)))
        .into_par_iter()
        .map(|n| {
            let (truth, prediction) = (
                truth.index_axis(Axis(0), n),
                prediction.index_axis(Axis(0), n),
            );
            sum_of_squared_errors(&truth, &prediction) / truth.len() as f64
        })
        .collect();
    check::all_finite(means, truth, prediction)
}

/// By what [`nrmse`] divides the root of the mean squared error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalization {
    /// The root of the mean of truth²: the result is ‖truth − prediction‖ / ‖truth‖.
    #[default]
    Euclidean,
    /// The largest minus the smallest value of the truth.
    MinMax,
    /// The mean of the truth.
    Mean,
}

impl Normalization {
    /// What it divides by, for a sentence.
    pub(crate) fn measure(self) -> &'static str {
        match self {
            Self::Euclidean => "norm",
            Self::MinMax => "range of values",
            Self::Mean => "mean",
        }
    }
}

/// Normalised root mean squared error of two images: √MSE divided by a measure of the truth.
///
/// Shapes and strides as for [`mse`]. The value, without a unit, is that of `skimage.metrics.normalized_root_mse`
/// (scikit-image 0.26) with `normalization="euclidean"`, `"min-max"` or `"mean"`; a truth with a negative mean makes it
/// negative there and here.
///
/// # Errors
///
/// As [`mse`], and [`Error::NoNormalization`] when the truth's measure is zero.
///
/// # Examples
///
/// ```
/// use juggle_metrics::{Normalization, nrmse};
/// use ndarray::array;
///
/// let (truth, prediction) = (array![[3.0, 4.0]], array![[3.0, 5.0]]);
/// assert_eq!(nrmse(truth.view(), prediction.view(), Normalization::Euclidean)?, 0.2);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
pub fn nrmse<T: Pixel, D: Dimension>(
    truth: ArrayView<'_, T, D>,
    prediction: ArrayView<'_, T, D>,
    normalization: Normalization,
) -> Result<f64> {
    let n_pixels = truth.len() as f64;
    let values = || truth.iter().map(|x| x.to_f64());
    let root = mse(truth.view(), prediction.view())?.sqrt();
    let norm = match normalization {
        Normalization::Euclidean => (values().map(|x| x * x).sum::<f64>() / n_pixels).sqrt(),
        Normalization::MinMax => {
            let (min, max) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), x| {
                (min.min(x), max.max(x))
            });
            max - min
        }
        Normalization::Mean => values().sum::<f64>() / n_pixels,
    };
    if norm == 0.0 {
        return Err(Error::NoNormalization { normalization });
    }
    let ratio = root / norm;
    if ratio.is_finite() {
        Ok(ratio)
    } else {
        Err(Error::Overflow)
    }
}

/// The sum over all values. Rows are summed one by one, then added up: the rounding error grows with H + W, not with H·W.
/// Not finite where a pixel is not, or where `f64` does not suffice.
pub(crate) fn sum_of_squared_errors<T: Pixel, D: Dimension>(
    truth: &ArrayView<'_, T, D>,
    prediction: &ArrayView<'_, T, D>,
) -> f64 {
    let n_outer = truth.shape().first().copied().unwrap_or(1).max(1);
    let band = (BAND / (truth.len() / n_outer).max(1)).max(1);
    if n_outer <= band {
        return of_rows(truth, prediction);
    }
    // Bands of fixed size, added in their order, for any number of threads.
    let pairs: Vec<_> = truth
        .axis_chunks_iter(Axis(0), band)
        .zip(prediction.axis_chunks_iter(Axis(0), band))
        .collect();
    let sums: Vec<f64> = pairs
        .par_iter()
        .map(|(truth, prediction)| of_rows(truth, prediction))
        .collect();
    sums.iter().sum()
}

fn of_rows<T: Pixel, D: Dimension>(
    truth: &ArrayView<'_, T, D>,
    prediction: &ArrayView<'_, T, D>,
) -> f64 {
    if truth.ndim() == 0 {
        let (x, y) = (truth.iter().next(), prediction.iter().next());
        return match (x, y) {
            (Some(x), Some(y)) => T::squared_error(&[*x], &[*y]),
            _ => 0.0,
        };
    }
    let rows = truth.rows().into_iter().zip(prediction.rows());
    rows.map(|(xs, ys)| of_row(xs, ys)).sum()
}

fn of_row<T: Pixel>(xs: ArrayView1<'_, T>, ys: ArrayView1<'_, T>) -> f64 {
    if let (Some(xs), Some(ys)) = (xs.as_slice(), ys.as_slice()) {
        return T::squared_error(xs, ys);
    }
    // One sum for the whole row, so that strides change no bit.
    let (xs, ys) = (xs.to_vec(), ys.to_vec());
    T::squared_error(&xs, &ys)
}
