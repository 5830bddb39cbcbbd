//! What the settings of [`Ssim`] come to, and the values that they lead to.

use ndarray::{Array2, ArrayView2, ArrayView4};

use super::map::{Border, Maps, Settings};
use super::pass::{Measure, Similarity};
use super::window::Window;
use super::{Convention, Covariance, Ssim};
use crate::check;
use crate::error::{Error, Result};
use crate::pixel::{Pixel, Real};

/// Settings that were checked against the images.
pub(crate) struct Checked {
    pub(crate) window: Window,
    pub(crate) settings: Settings,
}

impl Ssim {
    pub(crate) fn convention(&self) -> Convention {
        self.convention
    }

    pub(crate) fn is_scikit_image(&self) -> bool {
        matches!(
            self.convention,
            Convention::ScikitImage | Convention::ScikitImageGaussian
        )
    }

    /// Refuses shapes and settings without a value. The last two axes are rows and columns.
    pub(crate) fn check(&self, truth: &[usize], prediction: &[usize]) -> Result<Checked> {
        check::same_shape(truth, prediction)?;
        check::data_range(self.data_range)?;
        for (name, found) in [("k1", self.k1), ("k2", self.k2)] {
            if !(0.0..=1e30).contains(&found) {
                let expected = "a number of at least 0 and at most 1e30";
                return Err(Error::Setting {
                    name,
                    found,
                    expected,
                });
            }
        }
        let window = self.window()?;
        let &[.., height, width] = truth else {
            unreachable!("images have rows and columns");
        };
        let border = match self.convention {
            Convention::ScikitImage | Convention::ScikitImageGaussian => Border::Symmetric,
            Convention::Torchmetrics => Border::Mirror,
            Convention::PytorchMsssim => Border::Valid,
        };
        // A mirror that stands on the last pixel needs another pixel for each one beyond the edge.
        let least = match border {
            Border::Mirror => window.radius() + 1,
            Border::Symmetric | Border::Valid => window.size(),
        };
        if height.min(width) < least {
            return Err(Error::ImageTooSmall {
                height,
                width,
                least,
            });
        }
        let n_pixels = (window.size() * window.size()) as f64;
        let square = |x: f64| x * x;
        let settings = Settings {
            border,
            covariance_norm: match self.covariance {
                Covariance::Sample => n_pixels / (n_pixels - 1.0),
                Covariance::Population => 1.0,
            },
            clamps: self.convention == Convention::Torchmetrics,
            c1: square(self.k1 * self.data_range),
            c2: square(self.k2 * self.data_range),
        };
        Ok(Checked { window, settings })
    }

    fn window(&self) -> Result<Window> {
        if let Some(found) = self.window_size
            && (found < 3 || found.is_multiple_of(2))
        {
            return Err(Error::WindowSize { found });
        }
        if self.convention == Convention::ScikitImage {
            return Ok(Window::Uniform(self.window_size.unwrap_or(7)));
        }
        if !(0.15..=1000.0).contains(&self.sigma) {
            return Err(Error::Setting {
                name: "sigma",
                found: self.sigma,
                expected: "a number from 0.15 to 1000",
            });
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sigma lies in the range above; both libraries truncate"
        )]
        let of_sigma = 2 * (3.5 * self.sigma + 0.5) as usize + 1;
        match (self.convention, self.window_size) {
            (Convention::PytorchMsssim, size) => {
                // Sizes beyond any image are refused as such; their taps need not be made.
                let size = size.unwrap_or(11).min((1 << 16) | 1);
                Ok(Window::gaussian_single(self.sigma, size))
            }
            (_, None) => Ok(Window::gaussian(self.sigma, of_sigma)),
            (convention, Some(_)) => Err(Error::WindowFromSigma {
                convention,
                expected: of_sigma,
            }),
        }
    }

    /// The mean SSIM of each channel of each image, N×C; not finite where a pixel is not, or where the numbers are too large.
    pub(crate) fn values<T: Pixel>(
        &self,
        truth: ArrayView4<'_, T>,
        prediction: ArrayView4<'_, T>,
    ) -> Result<Array2<f64>> {
        let Checked { window, settings } = self.check(truth.shape(), prediction.shape())?;
        let measure = Measure {
            window: &window,
            similarity: similarity(&window, settings),
            border: match settings.border {
                // scikit-image's mean is over the windows inside the image.
                Border::Symmetric | Border::Valid => Border::Valid,
                Border::Mirror => Border::Mirror,
            },
        };
        Ok(measure.means(truth, prediction))
    }

    /// The mean of SSIM without its luminance over the windows inside each channel of each image, N×C; NaN where there are none.
    pub(crate) fn contrasts<T: Pixel>(
        &self,
        truth: ArrayView4<'_, T>,
        prediction: ArrayView4<'_, T>,
    ) -> Result<Array2<f64>> {
        let Checked { window, settings } = self.check(truth.shape(), prediction.shape())?;
        let measure = Measure {
            window: &window,
            similarity: similarity(&window, settings).without_luminance(),
            border: Border::Valid,
        };
        Ok(measure.means(truth, prediction))
    }

    /// SSIM and its parts at every position, in `f64`.
    pub(crate) fn maps<T: Pixel>(
        &self,
        checked: &Checked,
        truth: ArrayView2<'_, T>,
        prediction: ArrayView2<'_, T>,
    ) -> Maps<f64> {
        let (xs, ys) = (truth.mapv(T::to_f64), prediction.mapv(T::to_f64));
        Maps::new(&checked.window, checked.settings, &xs, &ys)
    }

    /// A value, or why it is none; `why` names a pixel or the size of the numbers.
    pub(crate) fn finite(&self, value: f64, why: impl FnOnce() -> Error) -> Result<f64> {
        if value.is_finite() {
            return Ok(value);
        }
        Err(self.reason(why()))
    }

    pub(crate) fn finite_map<T: Pixel>(
        &self,
        map: Array2<T::Map>,
        truth: ArrayView2<'_, T>,
        prediction: ArrayView2<'_, T>,
    ) -> Result<Array2<T::Map>> {
        if map.iter().all(|x| x.to_f64().is_finite()) {
            return Ok(map);
        }
        Err(self.reason(check::why_not_finite(&truth, &prediction)))
    }

    fn reason(&self, error: Error) -> Error {
        match error {
            Error::Overflow if self.k1 == 0.0 || self.k2 == 0.0 => Error::ZeroDenominator,
            error => error,
        }
    }
}

/// The pixels in the type that scikit-image computes in.
pub(crate) fn converted<T: Pixel>(image: ArrayView2<'_, T>) -> Array2<T::Map> {
    image.mapv(|x| T::Map::from_f64(x.to_f64()))
}

fn similarity(window: &Window, settings: Settings) -> Similarity {
    let weight = window.weight();
    let twice = 2.0 * (weight * weight);
    let c2 = settings.c2 * twice / settings.covariance_norm;
    Similarity {
        weight,
        c1: settings.c1 * twice,
        c2,
        least: if settings.clamps {
            c2
        } else {
            f64::NEG_INFINITY
        },
    }
}
