//! Multi-scale structural similarity.

use multiversion::multiversion;
use ndarray::{Array2, Array4, ArrayView1, ArrayView2, ArrayView4, Axis, s};
use rayon::prelude::*;

use crate::check;
use crate::error::{Error, Result};
use crate::pixel::{Pixel, read_row};
use crate::ssim::{Convention, Ssim};

/// The exponents of Wang, Simoncelli and Bovik 2003, finest scale first.
const WEIGHTS: [f64; 5] = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/// Pixels of images that are halved at once, unless one alone has more: memory grows with the size of an image and not of a batch.
const ROUND: usize = 1 << 22;

/// Multi-scale structural similarity (MS-SSIM), by the convention of torchmetrics or of pytorch-msssim.
///
/// The images are halved in height and width several times. With the mean over positions of SSIM and of its part without the
/// luminance, cs = (2·σxy + C2) / (σx² + σy² + C2), at each scale, and nothing below zero,
///
/// ```text
/// MS-SSIM = SSIM(last scale)^weight(last) · Π cs(scale)^weight(scale)        over the scales before
/// ```
///
/// (Wang, Simoncelli and Bovik, *Multi-scale structural similarity for image quality assessment*, 2003). The result lies in
/// `[0, 1]`. What the libraries mean by it:
///
/// | [`Convention`] | channels | an odd last row or column | smallest side, five weights |
/// |---|---|---|---|
/// | `Torchmetrics` | one mean over all | is left out | 176 |
/// | `PytorchMsssim` | each alone, then their mean | a row of zeros comes before the first | 161 |
///
/// `Torchmetrics` is `torchmetrics.functional.image.multiscale_structural_similarity_index_measure` of torchmetrics 1.9 with its
/// default `normalize="relu"`; its mean of cs leaves out the edges, that of SSIM does not. `PytorchMsssim` is
/// `pytorch_msssim.ms_ssim` of pytorch-msssim 1.0. scikit-image has none. Images of 32×32 are too small for five scales in any of them:
/// set fewer [`weights`](Self::weights), which only torchmetrics accepts for small images.
///
/// # Examples
///
/// ```
/// use juggle_metrics::{Convention, MsSsim};
/// use ndarray::Array2;
///
/// let truth = Array2::from_shape_fn((192, 192), |(i, j)| ((i / 16 + j / 16) % 2) as f32);
/// let prediction = truth.mapv(|x| 0.9 * x);
/// let ms_ssim = MsSsim::new(Convention::Torchmetrics, 1.0);
/// let value = ms_ssim.mean(truth.view(), prediction.view())?;
/// assert!((0.95..1.0).contains(&value), "{value}");
/// # Ok::<(), juggle_metrics::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MsSsim {
    ssim: Ssim,
    weights: Vec<f64>,
}

impl MsSsim {
    /// The MS-SSIM of a library with its default settings, for pixels of the given range.
    #[must_use]
    pub fn new(convention: Convention, data_range: f64) -> Self {
        Self {
            ssim: Ssim::new(convention, data_range),
            weights: WEIGHTS.to_vec(),
        }
    }

    /// The exponents, finest scale first; as many as there are scales. They need not add up to one.
    #[must_use]
    pub fn weights(mut self, weights: &[f64]) -> Self {
        self.weights = weights.to_vec();
        self
    }

    /// The MS-SSIM of two gray images H×W.
    ///
    /// # Errors
    ///
    /// As [`Ssim`], and [`Error::Undefined`] for scikit-image's conventions, [`Error::Setting`] for a weight that is negative or not
    /// finite, and [`Error::NoWeights`].
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
        let value = self.values(xs, ys)?[0];
        let image = s![0, 0, .., ..];
        let why = || check::why_not_finite(&xs.slice(image), &ys.slice(image));
        self.ssim.finite(value, why)
    }

    /// The MS-SSIM of each image of a batch N×C×H×W, in the order of the batch.
    ///
    /// # Errors
    ///
    /// As [`mean`](Self::mean); of several images with an error, the first one's is returned.
    ///
    /// # Examples
    ///
    /// ```
    /// use juggle_metrics::{Convention, MsSsim};
    /// use ndarray::Array4;
    ///
    /// // Small images have few scales.
    /// let truth = Array4::from_shape_fn((2, 3, 32, 32), |(n, _, i, j)| (n + i * j) as u8);
    /// let ms_ssim = MsSsim::new(Convention::Torchmetrics, 255.0).weights(&[0.5, 0.5]);
    /// assert_eq!(ms_ssim.batch(truth.view(), truth.view())?, [1.0, 1.0]);
    /// # Ok::<(), juggle_metrics::Error>(())
    /// ```
    pub fn batch<T: Pixel>(
        &self,
        truth: ArrayView4<'_, T>,
        prediction: ArrayView4<'_, T>,
    ) -> Result<Vec<f64>> {
        check::same_shape(truth.shape(), prediction.shape())?;
        let values = self.values(truth, prediction)?;
        check::all_finite(values, truth, prediction)
    }

    fn values<T: Pixel>(
        &self,
        truth: ArrayView4<'_, T>,
        prediction: ArrayView4<'_, T>,
    ) -> Result<Vec<f64>> {
        self.check(truth.shape(), prediction.shape())?;
        let (n, c, height, width) = truth.dim();
        let per_round = (ROUND / (c * height * width)).max(1);
        let mut values = Vec::with_capacity(n);
        for first in (0..n).step_by(per_round) {
            let images = s![first..n.min(first + per_round), .., .., ..];
            values.extend(self.of_images(truth.slice(images), prediction.slice(images))?);
        }
        Ok(values)
    }

    /// Refuses what the library refuses.
    fn check(&self, truth: &[usize], prediction: &[usize]) -> Result<()> {
        let convention = self.ssim.convention();
        if self.ssim.is_scikit_image() {
            let what = "MS-SSIM";
            return Err(Error::Undefined { convention, what });
        }
        if self.weights.is_empty() {
            return Err(Error::NoWeights);
        }
        for &found in &self.weights {
            if !(0.0..=1e6).contains(&found) {
                return Err(Error::Setting {
                    name: "a weight",
                    found,
                    expected: "a number of at least 0 and at most 1e6",
                });
            }
        }
        let checked = self.ssim.check(truth, prediction)?;
        let &[.., height, width] = truth else {
            unreachable!("images have rows and columns");
        };
        // Each library has its own idea of what must be left at the last scale.
        let least = match convention {
            Convention::PytorchMsssim => (checked.window.size() - 1) * 16 + 1,
            _ => {
                let halvings = self.weights.len() - 1;
                let of_window = halvings.saturating_mul(halvings).max(1).saturating_mul(11);
                let n_weights = u32::try_from(self.weights.len()).unwrap_or(u32::MAX);
                of_window.max(1_usize.checked_shl(n_weights).unwrap_or(usize::MAX))
            }
        };
        if height.min(width) < least {
            return Err(Error::ImageTooSmall {
                height,
                width,
                least,
            });
        }
        Ok(())
    }

    /// The values of images whose halves are held at once.
    fn of_images<T: Pixel>(
        &self,
        truth: ArrayView4<'_, T>,
        prediction: ArrayView4<'_, T>,
    ) -> Result<Vec<f64>> {
        let is_last = self.weights.len() == 1;
        let mut products = self.of_scale(truth, prediction, is_last)?;
        self.raise(&mut products, self.weights[0]);
        let by_channel = self.by_channel();
        let mut halves: Option<[Array4<f64>; 2]> = None;
        for (scale, &weight) in self.weights.iter().enumerate().skip(1) {
            let [xs, ys] = match &halves {
                None => [halved(truth, by_channel), halved(prediction, by_channel)],
                Some(images) => images
                    .each_ref()
                    .map(|image| halved(image.view(), by_channel)),
            };
            let is_last = scale + 1 == self.weights.len();
            let mut values = self.of_scale(xs.view(), ys.view(), is_last)?;
            self.raise(&mut values, weight);
            products *= &values;
            halves = Some([xs, ys]);
        }
        let n_values = products.ncols() as f64;
        let rows = products.rows().into_iter();
        Ok(rows.map(|row| row.sum() / n_values).collect())
    }

    fn by_channel(&self) -> bool {
        self.ssim.convention() == Convention::PytorchMsssim
    }

    /// The mean of SSIM, or before the last scale of its part without the luminance, of each channel or over all.
    fn of_scale<T: Pixel>(
        &self,
        xs: ArrayView4<'_, T>,
        ys: ArrayView4<'_, T>,
        is_last: bool,
    ) -> Result<Array2<f64>> {
        let values = if is_last {
            self.ssim.values(xs, ys)?
        } else {
            self.ssim.contrasts(xs, ys)?
        };
        if self.by_channel() {
            return Ok(values);
        }
        let n_channels = values.ncols() as f64;
        let mean = |row: ArrayView1<'_, f64>| row.sum() / n_channels;
        Ok(values.map_axis(Axis(1), mean).insert_axis(Axis(1)))
    }

    fn raise(&self, values: &mut Array2<f64>, weight: f64) {
        // torchmetrics keeps its weights in single precision, whatever the images are in.
        let weight = if self.by_channel() {
            weight
        } else {
            single(weight)
        };
        // NaN stays: it tells of a pixel that is not finite.
        values.mapv_inplace(|value| if value < 0.0 { 0.0 } else { value }.powf(weight));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding is what it is for"
)]
fn single(x: f64) -> f64 {
    f64::from(x as f32)
}

/// Means of squares of four pixels. What is left over of an odd side falls away, or is met by a row of zeros before the first.
fn halved<T: Pixel>(images: ArrayView4<'_, T>, is_padded: bool) -> Array4<f64> {
    let (n, c, height, width) = images.dim();
    let padding = |n: usize| if is_padded { n % 2 } else { 0 };
    let (above, before) = (padding(height), padding(width));
    let size = (n, c, (height + above) / 2, (width + before) / 2);
    let n_values = size.0 * size.1 * size.2 * size.3;
    // Zeros by all threads: memory that is new to the program is slow to write first.
    let mut halves: Vec<f64> = rayon::iter::repeat_n(0.0, n_values).collect();
    halves.par_chunks_mut(size.3).enumerate().for_each_init(
        || [vec![], vec![]],
        |buffers, (i, halves)| {
            let (plane, i) = (i / size.2, 2 * (i % size.2));
            let image = images.slice(s![plane / c, plane % c, .., ..]);
            let rows = [i.checked_sub(above), (i + 1).checked_sub(above)];
            let rows = rows.map(|i| i.map(|i| image.row(i)));
            if let [Some(upper), Some(lower)] = &rows
                && let (Some(upper), Some(lower), 0) = (upper.as_slice(), lower.as_slice(), before)
            {
                halve([upper, lower], halves);
                return;
            }
            for (buffer, row) in buffers.iter_mut().zip(rows) {
                buffer.clear();
                buffer.resize(width + before, 0.0);
                if let Some(row) = row {
                    read_row(row, &mut buffer[before..]);
                }
            }
            let [upper, lower] = buffers;
            halve([upper, lower], halves);
        },
    );
    Array4::from_shape_vec(size, halves).expect("there is a value for each square")
}

/// Means of squares of four pixels in two rows.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn halve<T: Pixel>([upper, lower]: [&[T]; 2], halves: &mut [f64]) {
    let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
    let n = halves.len();
    let (upper, lower) = (&upper[..n], &lower[..n]);
    for j in 0..n {
        let ([a, b], [c, d]) = (upper[j], lower[j]);
        halves[j] = (a.to_f64() + b.to_f64() + c.to_f64() + d.to_f64()) / 4.0;
    }
}
