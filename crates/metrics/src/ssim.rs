//! Structural similarity.

mod convention;
pub(crate) mod map;
mod pass;
pub(crate) mod settings;
#[cfg(test)]
mod tests;
mod window;

use ndarray::{Array2, ArrayView2, ArrayView3, ArrayView4, Axis, s};

use crate::check;
use crate::error::{Error, Result};
use crate::pixel::{Pixel, Real};
pub use convention::{Convention, Covariance};
use map::Maps;
use settings::{Checked, converted};

/// Structural similarity (SSIM) of images, by the convention of one of four libraries.
///
/// For every position of a window, with the means `μ`, variances `σ²` and covariance `σxy` of the pixels under it,
/// weighted as the window says,
///
/// ```text
///                (2·μx·μy + C1) · (2·σxy + C2)
/// SSIM = ─────────────────────────────────────────      C1 = (k1 · data_range)²
///         (μx² + μy² + C1) · (σx² + σy² + C2)           C2 = (k2 · data_range)²
/// ```
///
/// and the result is the mean over positions, at most 1, and 1 only for equal images (Wang, Bovik, Sheikh and Simoncelli,
/// *Image quality assessment: from error visibility to structural similarity*, 2004). What a library means by it:
///
/// | [`Convention`] | window | covariance | positions that the mean is over |
/// |---|---|---|---|
/// | `ScikitImage` | 7×7, uniform | sample | those where the window lies inside the image |
/// | `ScikitImageGaussian` | Gaussian, σ = 1.5, 11×11 | population | the same |
/// | `PytorchMsssim` | Gaussian, σ = 1.5, 11×11 | population | the same |
/// | `Torchmetrics` | Gaussian, σ = 1.5, 11×11 | population, variances not below 0 | all, the image mirrored at its edges |
///
/// `data_range` is the distance between the smallest and the largest value a pixel may take: 255 for 8-bit pixels, 1 for
/// pixels in `[0, 1]`. It is never guessed; [`u8::DATA_RANGE`](crate::IntegerPixel::DATA_RANGE) names that of an integer type.
/// `k1` is 0.01 and `k2` 0.03 unless set. Setters take the values of the Python functions' arguments.
///
/// Arithmetic is `f64` for every pixel type; where the library computes in `f32`, the two differ by its rounding. Only
/// [`map`](Self::map) and [`gradient`](Self::gradient) round as scikit-image does. Images and bands of rows are spread over rayon's
/// threads; no result depends on their number.
///
/// # Errors
///
/// Every method that computes gives [`Error::ShapeMismatch`], [`Error::NoPixels`], [`Error::ImageTooSmall`],
/// [`Error::DataRange`], [`Error::Setting`], [`Error::WindowSize`] or [`Error::WindowFromSigma`] for arguments and settings,
/// [`Error::NonFinitePixel`] for NaN and infinite pixels, [`Error::Overflow`] for pixels whose squares `f64` cannot hold beside
/// `data_range`, and [`Error::ZeroDenominator`] where both images are constant under a window and `k1` or `k2` is 0.
///
/// # Examples
///
/// ```
/// use juggle_metrics::{Convention, IntegerPixel, Ssim};
/// use ndarray::Array2;
///
/// let truth = Array2::from_shape_fn((32, 32), |(i, j)| (8 * i ^ 4 * j) as u8);
/// let prediction = truth.mapv(|x| x / 2 + 64);
/// let ssim = Ssim::new(Convention::ScikitImage, u8::DATA_RANGE);
/// let value = ssim.mean(truth.view(), prediction.view())?;
/// assert!((0.7..0.9).contains(&value), "{value}");
/// assert_eq!(ssim.mean(truth.view(), truth.view())?, 1.0);
///
/// // A larger window, as win_size=9.
/// let larger = ssim.window_size(9).mean(truth.view(), prediction.view())?;
/// assert_ne!(value, larger);
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ssim {
    convention: Convention,
    data_range: f64,
    window_size: Option<usize>,
    sigma: f64,
    k1: f64,
    k2: f64,
    covariance: Covariance,
}

impl Ssim {
    /// The SSIM of a library with its default settings, for pixels of the given range.
    #[must_use]
    pub fn new(convention: Convention, data_range: f64) -> Self {
        Self {
            convention,
            data_range,
            window_size: None,
            sigma: 1.5,
            k1: 0.01,
            k2: 0.03,
            covariance: match convention {
                Convention::ScikitImage => Covariance::Sample,
                _ => Covariance::Population,
            },
        }
    }

    /// Pixels on each side of the window, an odd number of at least 3: scikit-image's `win_size` and pytorch-msssim's.
    ///
    /// The other two take the size of their Gaussian from sigma, and refuse another one here.
    #[must_use]
    pub fn window_size(self, window_size: usize) -> Self {
        Self {
            window_size: Some(window_size),
            ..self
        }
    }

    /// Standard deviation of the Gaussian in pixels, from 0.15 to 1000; the uniform window ignores it.
    #[must_use]
    pub fn sigma(self, sigma: f64) -> Self {
        Self { sigma, ..self }
    }

    /// The constant of the luminance, at least 0: scikit-image's `K1`.
    #[must_use]
    pub fn k1(self, k1: f64) -> Self {
        Self { k1, ..self }
    }

    /// The constant of the contrast, at least 0: scikit-image's `K2`.
    #[must_use]
    pub fn k2(self, k2: f64) -> Self {
        Self { k2, ..self }
    }

    /// Sample or population covariance: scikit-image's `use_sample_covariance`.
    #[must_use]
    pub fn covariance(self, covariance: Covariance) -> Self {
        Self { covariance, ..self }
    }

    /// The mean SSIM of two gray images H×W.
    ///
    /// # Errors
    ///
    /// As [`Ssim`] says.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::{Convention, Ssim};
    /// use ndarray::Array2;
    ///
    /// let truth = Array2::from_shape_fn((32, 32), |(i, j)| (i * j) as f32 / 961.0);
    /// let shifted = truth.mapv(|x| x + 0.1);
    /// let ssim = Ssim::new(Convention::ScikitImageGaussian, 1.0);
    /// assert!((0.6..0.9).contains(&ssim.mean(truth.view(), shifted.view())?));
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn mean<T: Pixel>(
        &self,
        truth: ArrayView2<'_, T>,
        prediction: ArrayView2<'_, T>,
    ) -> Result<f64> {
        check::same_shape(truth.shape(), prediction.shape())?;
        let (xs, ys) = (
            truth.insert_axis(Axis(0)).insert_axis(Axis(0)),
            prediction.insert_axis(Axis(0)).insert_axis(Axis(0)),
        );
        let value = self.values(xs, ys)?[[0, 0]];
        let image = s![0, 0, .., ..];
        self.finite(value, || {
            check::why_not_finite(&xs.slice(image), &ys.slice(image))
        })
    }

    /// The SSIM of each channel of two images with three axes, in the order of the channels.
    ///
    /// # Errors
    ///
    /// As [`Ssim`] says, and [`Error::ChannelAxis`].
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::{Convention, Ssim};
    /// use ndarray::{Array3, Axis};
    ///
    /// // H×W×C, as images lie in files; only the red channel is wrong.
    /// let truth = Array3::from_shape_fn((16, 16, 3), |(i, j, _)| (i * j) as u8);
    /// let mut prediction = truth.clone();
    /// prediction.index_axis_mut(Axis(2), 0).fill(0);
    /// let [red, green, blue] = Ssim::new(Convention::ScikitImage, 255.0)
    ///     .per_channel(truth.view(), prediction.view(), Axis(2))?[..] else { unreachable!() };
    /// assert!(red < 0.5 && green == 1.0 && blue == 1.0);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn per_channel<T: Pixel>(
        &self,
        truth: ArrayView3<'_, T>,
        prediction: ArrayView3<'_, T>,
        channel_axis: Axis,
    ) -> Result<Vec<f64>> {
        check::same_shape(truth.shape(), prediction.shape())?;
        if channel_axis.index() >= 3 {
            return Err(Error::ChannelAxis {
                axis: channel_axis.index(),
                n_axes: 3,
            });
        }
        // The other two stay in their order.
        let order = match channel_axis.index() {
            0 => [0, 1, 2],
            1 => [1, 0, 2],
            _ => [2, 0, 1],
        };
        let xs = truth.permuted_axes(order).insert_axis(Axis(0));
        let ys = prediction.permuted_axes(order).insert_axis(Axis(0));
        let values = self.values(xs, ys)?;
        let values = values.into_iter();
        values
            .map(|value| self.finite(value, || check::why_not_finite(&truth, &prediction)))
            .collect()
    }

    /// The mean SSIM of two images with three axes: the mean of [`per_channel`](Self::per_channel), as scikit-image and the two
    /// libraries for PyTorch define it.
    ///
    /// # Errors
    ///
    /// As [`per_channel`](Self::per_channel).
    pub fn channel_mean<T: Pixel>(
        &self,
        truth: ArrayView3<'_, T>,
        prediction: ArrayView3<'_, T>,
        channel_axis: Axis,
    ) -> Result<f64> {
        let values = self.per_channel(truth, prediction, channel_axis)?;
        Ok(values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The SSIM of each image of a batch N×C×H×W, the mean over its channels, in the order of the batch.
    ///
    /// # Errors
    ///
    /// As [`Ssim`] says; of several images with an error, the first one's is returned.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::{Convention, Ssim};
    /// use ndarray::Array4;
    ///
    /// let truth = Array4::from_shape_fn((5, 3, 16, 16), |(n, _, i, j)| (n + i * j) as f32 / 256.0);
    /// let ssim = Ssim::new(Convention::ScikitImage, 1.0);
    /// assert_eq!(ssim.batch(truth.view(), truth.view())?, [1.0; 5]);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn batch<T: Pixel>(
        &self,
        truth: ArrayView4<'_, T>,
        prediction: ArrayView4<'_, T>,
    ) -> Result<Vec<f64>> {
        let values = self.batch_per_channel(truth, prediction)?;
        let n_channels = values.ncols() as f64;
        Ok(values
            .rows()
            .into_iter()
            .map(|row| row.sum() / n_channels)
            .collect())
    }

    /// The SSIM of each channel of each image of a batch N×C×H×W, as an array N×C.
    ///
    /// # Errors
    ///
    /// As [`batch`](Self::batch).
    pub fn batch_per_channel<T: Pixel>(
        &self,
        truth: ArrayView4<'_, T>,
        prediction: ArrayView4<'_, T>,
    ) -> Result<Array2<f64>> {
        check::same_shape(truth.shape(), prediction.shape())?;
        let values = self.values(truth, prediction)?;
        let Some(((n, _), &value)) = values.indexed_iter().find(|(_, value)| !value.is_finite())
        else {
            return Ok(values);
        };
        let (xs, ys) = (
            truth.index_axis(Axis(0), n),
            prediction.index_axis(Axis(0), n),
        );
        let error = self.finite(value, || check::why_not_finite(&xs, &ys).within(&[n]));
        error.map(|_| values)
    }

    /// The mean SSIM over a batch N×C×H×W.
    ///
    /// # Errors
    ///
    /// As [`batch`](Self::batch).
    pub fn batch_mean<T: Pixel>(
        &self,
        truth: ArrayView4<'_, T>,
        prediction: ArrayView4<'_, T>,
    ) -> Result<f64> {
        let values = self.batch(truth, prediction)?;
        Ok(values.iter().sum::<f64>() / values.len() as f64)
    }

    /// SSIM at every position, of two gray images H×W: scikit-image's third result, with `full=True`.
    ///
    /// The map has the images' shape, since the libraries continue an image beyond its edges: scikit-image and torchmetrics each in
    /// its own way. Only pytorch-msssim does not, and its map is smaller by the window's size less one. The mean of scikit-image's map is not
    /// its mean SSIM, which leaves the edges out.
    ///
    /// For `f32` images the map of scikit-image is `f32` and rounded in the same places, so that it equals scikit-image's.
    ///
    /// # Errors
    ///
    /// As [`Ssim`] says.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::{Convention, Ssim};
    /// use ndarray::Array2;
    ///
    /// let truth = Array2::<u8>::zeros((20, 30));
    /// let mut prediction = truth.clone();
    /// prediction[[10, 15]] = 255;
    /// let map = Ssim::new(Convention::ScikitImage, 255.0).map(truth.view(), prediction.view())?;
    /// assert_eq!(map.dim(), (20, 30));
    /// // The window around (10, 15) sees the difference, the one around (10, 19) does not.
    /// assert!(map[[10, 15]] < 0.01 && map[[10, 19]] == 1.0);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn map<T: Pixel>(
        &self,
        truth: ArrayView2<'_, T>,
        prediction: ArrayView2<'_, T>,
    ) -> Result<Array2<T::Map>> {
        let checked = self.check(truth.shape(), prediction.shape())?;
        let map = if self.is_scikit_image() {
            let (xs, ys) = (converted(truth), converted(prediction));
            Maps::<T::Map>::new(&checked.window, checked.settings, &xs, &ys).ssim
        } else {
            self.maps(&checked, truth, prediction)
                .ssim
                .mapv(T::Map::from_f64)
        };
        self.finite_map(map, truth, prediction)
    }

    /// The gradient of the mean SSIM by the pixels of the prediction, of two gray images H×W: scikit-image's second result, with
    /// `gradient=True`. It has the images' shape.
    ///
    /// Equations 7 and 8 of Avanaki, *Exact global histogram specification optimized for structural similarity*, 2009, with
    /// scikit-image's approximation: the sum over all positions, edges included, of a formula for windows of any weights, divided by the
    /// number of pixels.
    ///
    /// # Errors
    ///
    /// As [`Ssim`] says, and [`Error::Undefined`] for the conventions of the two PyTorch libraries, which differentiate by themselves.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::{Convention, Ssim};
    /// use ndarray::Array2;
    ///
    /// let truth = Array2::from_shape_fn((16, 16), |(i, j)| (i * j) as f64 / 225.0);
    /// let prediction = truth.mapv(|x| 0.8 * x + 0.1);
    /// let ssim = Ssim::new(Convention::ScikitImage, 1.0);
    /// let gradient = ssim.gradient(truth.view(), prediction.view())?;
    /// // A step along it is a better prediction.
    /// let better = &prediction + &(&gradient * 0.1);
    /// assert!(ssim.mean(truth.view(), better.view())? > ssim.mean(truth.view(), prediction.view())?);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn gradient<T: Pixel>(
        &self,
        truth: ArrayView2<'_, T>,
        prediction: ArrayView2<'_, T>,
    ) -> Result<Array2<T::Map>> {
        if !self.is_scikit_image() {
            return Err(Error::Undefined {
                convention: self.convention,
                what: "gradient",
            });
        }
        let Checked { window, settings } = self.check(truth.shape(), prediction.shape())?;
        let (xs, ys) = (converted(truth), converted(prediction));
        let maps = Maps::<T::Map>::new(&window, settings, &xs, &ys);
        let gradient = maps.gradient(&window, settings.border, &xs, &ys);
        self.finite_map(gradient, truth, prediction)
    }
}
