//! SSIM as an image, step by step as the peers compute it: whole images, one filter after another.
//!
//! Filters add up in `f64` and store what they found in the type of the image, first down the columns and then along the rows,
//! as `scipy.ndimage` does: in `f32` the result is scikit-image's up to its last bits, rounding included.

use std::ops::Neg;

use ndarray::{Array2, ArrayView1, Axis, Zip};
use rayon::prelude::*;

use super::window::Window;
use crate::pixel::Real;

/// What a window sees beyond the edge of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Border {
    /// The image in a mirror that stands on its edge: `b a | a b c`. scipy calls it "reflect", numpy "symmetric".
    Symmetric,
    /// The image in a mirror that stands on its last pixel: `c b | a b c`. PyTorch calls it "reflect".
    Mirror,
    /// Nothing: there is no window that leaves the image, and the result is smaller.
    Valid,
}

impl Border {
    /// Windows along an axis of so many pixels.
    pub(super) fn n_positions(self, n_pixels: usize, n_taps: usize) -> usize {
        match self {
            Self::Valid => n_pixels - (n_taps - 1),
            Self::Symmetric | Self::Mirror => n_pixels,
        }
    }

    /// Pixels that the windows along an axis see, copies in the mirror among them.
    pub(super) fn n_seen(self, n_taps: usize, n_pixels: usize) -> usize {
        self.n_positions(n_pixels, n_taps) + n_taps - 1
    }

    /// Where pixel `seen` of those that the windows see lies in the image.
    pub(super) fn source(self, seen: usize, n_taps: usize, n_pixels: usize) -> usize {
        let before = match self {
            Self::Valid => return seen,
            Self::Symmetric => 0,
            Self::Mirror => 1,
        };
        // Reflected as often as it takes: a window may be wider than a small image twice over.
        let (radius, period) = (n_taps / 2, 2 * (n_pixels - before));
        let from = seen + period * (radius / period + 1) - radius;
        let within = from % period;
        if within < n_pixels {
            within
        } else {
            2 * n_pixels - 1 - within - before
        }
    }
}

/// How moments become variances.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) border: Border,
    /// Factor from population to the wanted covariance.
    pub(crate) covariance_norm: f64,
    /// Whether a variance below zero, which only rounding makes, becomes zero.
    pub(crate) clamps: bool,
    pub(crate) c1: f64,
    pub(crate) c2: f64,
}

/// The parts of SSIM at every position, in scikit-image's names.
pub(crate) struct Maps<F> {
    ux: Array2<F>,
    uy: Array2<F>,
    /// 2·μx·μy + C1.
    a1: Array2<F>,
    /// 2·σxy + C2.
    a2: Array2<F>,
    /// μx² + μy² + C1.
    b1: Array2<F>,
    /// σx² + σy² + C2.
    b2: Array2<F>,
    pub(crate) ssim: Array2<F>,
}

impl<F: Real> Maps<F> {
    pub(crate) fn new(window: &Window, settings: Settings, xs: &Array2<F>, ys: &Array2<F>) -> Self {
        let images = [xs.clone(), ys.clone(), xs * xs, ys * ys, xs * ys];
        let filtered: Vec<Array2<F>> = images
            .par_iter()
            .map(|image| filter(image, window, settings.border))
            .collect();
        let [ux, uy, uxx, uyy, uxy] = filtered
            .try_into()
            .unwrap_or_else(|_| unreachable!("five images were filtered"));
        let [norm, c1, c2] = [settings.covariance_norm, settings.c1, settings.c2].map(F::from_f64);
        let [zero, two] = [0.0, 2.0].map(F::from_f64);
        let clamped = |variance: F| {
            if settings.clamps && variance < zero {
                zero
            } else {
                variance
            }
        };
        let mut b2 = uxx;
        Zip::from(&mut b2)
            .and(&uyy)
            .and(&ux)
            .and(&uy)
            .for_each(|b2, &uyy, &ux, &uy| {
                let (vx, vy) = (norm * (*b2 - ux * ux), norm * (uyy - uy * uy));
                *b2 = clamped(vx) + clamped(vy) + c2;
            });
        let mut a2 = uxy;
        Zip::from(&mut a2)
            .and(&ux)
            .and(&uy)
            .for_each(|a2, &ux, &uy| *a2 = two * (norm * (*a2 - ux * uy)) + c2);
        let mut a1 = ux.clone();
        a1.zip_mut_with(&uy, |a1, &uy| *a1 = two * *a1 * uy + c1);
        let mut b1 = ux.clone();
        b1.zip_mut_with(&uy, |b1, &uy| *b1 = *b1 * *b1 + uy * uy + c1);
        let mut ssim = &a1 * &a2;
        Zip::from(&mut ssim)
            .and(&b1)
            .and(&b2)
            .for_each(|ssim, &b1, &b2| *ssim /= b1 * b2);
        Self {
            ux,
            uy,
            a1,
            a2,
            b1,
            b2,
            ssim,
        }
    }

    /// The gradient of the mean of SSIM by the pixels of `ys`: equations 7 and 8 of Avanaki 2009, in scikit-image's order.
    pub(crate) fn gradient(
        &self,
        window: &Window,
        border: Border,
        xs: &Array2<F>,
        ys: &Array2<F>,
    ) -> Array2<F> {
        let d = &self.b1 * &self.b2;
        let by_x = &self.a1 / &d;
        let mut by_y = &self.ssim / &self.b2;
        by_y.mapv_inplace(Neg::neg);
        let mut rest = &self.a2 - &self.a1;
        rest *= &self.ux;
        rest -= &(&self.uy * &(&self.b2 - &self.b1) * &self.ssim);
        rest /= &d;
        let mut gradient = filter(&by_x, window, border) * xs;
        gradient += &(filter(&by_y, window, border) * ys);
        gradient += &filter(&rest, window, border);
        let scale = F::from_f64(2.0 / xs.len() as f64);
        gradient.mapv_inplace(|x| x * scale);
        gradient
    }
}

fn filter<F: Real>(image: &Array2<F>, window: &Window, border: Border) -> Array2<F> {
    let down = filter_down(image, window, border).reversed_axes();
    let along = filter_down(&down.as_standard_layout().into_owned(), window, border);
    along.reversed_axes().as_standard_layout().into_owned()
}

/// Weighted sums of the window's pixels in each column.
fn filter_down<F: Real>(image: &Array2<F>, window: &Window, border: Border) -> Array2<F> {
    let (height, width) = image.dim();
    let n_positions = border.n_positions(height, window.size());
    let mut filtered = Array2::zeros((n_positions, width));
    let row = |position, tap| image.row(border.source(position + tap, window.size(), height));
    let mut sums = vec![0.0; width];
    for (i, mut to) in filtered.axis_iter_mut(Axis(0)).enumerate() {
        match window {
            Window::Uniform(size) => {
                let n = *size as f64;
                if i == 0 {
                    for tap in 0..*size {
                        for (sum, x) in sums.iter_mut().zip(row(0, tap)) {
                            *sum += x.to_f64();
                        }
                    }
                } else {
                    // As scipy does: the pixel that comes in less the one that goes out.
                    let (new, old) = (row(i, size - 1), row(i - 1, 0));
                    for ((sum, new), old) in sums.iter_mut().zip(new).zip(old) {
                        *sum += new.to_f64() - old.to_f64();
                    }
                }
                store(&mut to, sums.iter().map(|sum| sum / n));
            }
            Window::Gaussian(taps) => {
                let radius = window.radius();
                for (sum, x) in sums.iter_mut().zip(row(i, radius)) {
                    *sum = x.to_f64() * taps[radius];
                }
                for (tap, weight) in taps.iter().enumerate().take(radius) {
                    let (a, b): (ArrayView1<'_, F>, _) = (row(i, tap), row(i, 2 * radius - tap));
                    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                        *sum += (a.to_f64() + b.to_f64()) * weight;
                    }
                }
                store(&mut to, sums.iter().copied());
            }
        }
    }
    filtered
}

fn store<F: Real>(to: &mut ndarray::ArrayViewMut1<'_, F>, values: impl Iterator<Item = f64>) {
    for (to, value) in to.iter_mut().zip(values) {
        *to = F::from_f64(value);
    }
}
