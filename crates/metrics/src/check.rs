//! Conditions that every image metric puts on its arguments, and the loop over a batch.

use ndarray::{ArrayView2, ArrayView3, ArrayView4, Axis};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::pixel::Pixel;

/// Refuses shapes that differ and shapes without pixels.
pub(crate) fn same_shape(truth: &[usize], prediction: &[usize]) -> Result<()> {
    if truth != prediction {
        return Err(Error::ShapeMismatch {
            truth: truth.to_vec(),
            prediction: prediction.to_vec(),
        });
    }
    if truth.contains(&0) {
        return Err(Error::NoPixels {
            shape: truth.to_vec(),
        });
    }
    Ok(())
}

/// Refuses a `data_range` that is not positive, or whose fourth power (the scale of SSIM's
/// denominator) overflows or vanishes.
pub(crate) fn data_range(found: f64) -> Result<()> {
    if (1e-70..=1e70).contains(&found) {
        Ok(())
    } else {
        Err(Error::DataRange { found })
    }
}

/// Applies `metric` to every pair of images (C×H×W), in parallel, each thread with scratch of its
/// own.
///
/// Values come back in the order of the batch. Of several errors the one of the first image wins,
/// so that neither values nor errors depend on the number of threads.
pub(crate) fn for_each_image<T, S, I, M>(
    truth: ArrayView4<'_, T>,
    prediction: ArrayView4<'_, T>,
    scratch: I,
    metric: M,
) -> Result<Vec<f64>>
where
    T: Pixel,
    I: Fn() -> S + Sync + Send,
    M: Fn(&mut S, ArrayView3<'_, T>, ArrayView3<'_, T>) -> Result<f64> + Sync + Send,
{
    let results: Vec<Result<f64>> = (0..truth.len_of(Axis(0)))
        .into_par_iter()
        .map_init(scratch, |scratch, n| {
            metric(
                scratch,
                truth.index_axis(Axis(0), n),
                prediction.index_axis(Axis(0), n),
            )
            .map_err(|error| error.within(&[n]))
        })
        .collect();
    results.into_iter().collect()
}

/// Sums `of_channel` over the channels of a pair of images.
pub(crate) fn sum_over_channels<T: Pixel>(
    truth: ArrayView3<'_, T>,
    prediction: ArrayView3<'_, T>,
    mut of_channel: impl FnMut(ArrayView2<'_, T>, ArrayView2<'_, T>) -> Result<f64>,
) -> Result<f64> {
    let mut sum = 0.0;
    let channels = truth.outer_iter().zip(prediction.outer_iter());
    for (c, (truth, prediction)) in channels.enumerate() {
        sum += of_channel(truth, prediction).map_err(|error| error.within(&[c]))?;
    }
    Ok(sum)
}
