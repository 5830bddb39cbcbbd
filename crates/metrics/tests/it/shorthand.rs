//! SSIM as functions of one kind, to go through them in loops.

use juggle_metrics::{Convention, Pixel, Result, Ssim};
use ndarray::{ArrayView2, ArrayView4};

macro_rules! shorthand {
    ($($image:ident, $batch:ident: $convention:ident);*) => {$(
        pub(crate) fn $image<T: Pixel>(
            truth: ArrayView2<'_, T>,
            prediction: ArrayView2<'_, T>,
            data_range: f64,
        ) -> Result<f64> {
            Ssim::new(Convention::$convention, data_range).mean(truth, prediction)
        }

        pub(crate) fn $batch<T: Pixel>(
            truth: ArrayView4<'_, T>,
            prediction: ArrayView4<'_, T>,
            data_range: f64,
        ) -> Result<Vec<f64>> {
            Ssim::new(Convention::$convention, data_range).batch(truth, prediction)
        }
    )*};
}

shorthand!(
    ssim, ssim_batch: ScikitImage;
    ssim_gaussian, ssim_gaussian_batch: ScikitImageGaussian;
    torch, torch_batch: Torchmetrics
);
