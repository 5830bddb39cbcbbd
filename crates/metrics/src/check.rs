//! Conditions that every image metric puts on its arguments, and why a result has no value.

use ndarray::{ArrayView, ArrayView4, Axis, Dimension};

use crate::error::{Error, Result, Role};
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

/// The values of the images of a batch N×C×H×W, or why the first that is not finite has none.
pub(crate) fn all_finite<T: Pixel>(
    values: Vec<f64>,
    truth: ArrayView4<'_, T>,
    prediction: ArrayView4<'_, T>,
) -> Result<Vec<f64>> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(n) => {
            let (truth, prediction) = (
                truth.index_axis(Axis(0), n),
                prediction.index_axis(Axis(0), n),
            );
            Err(why_not_finite(&truth, &prediction).within(&[n]))
        }
    }
}

/// Names the first pixel that is not finite, of the truth or else of the prediction; where there is none, the numbers are too large.
///
/// Metrics look at their results instead of at each pixel: NaN and infinities spoil every sum that they are part of.
pub(crate) fn why_not_finite<T: Pixel, D: Dimension>(
    truth: &ArrayView<'_, T, D>,
    prediction: &ArrayView<'_, T, D>,
) -> Error {
    for (image, pixels) in [(Role::Truth, truth), (Role::Prediction, prediction)] {
        let pixels = pixels.view().into_dyn();
        let mut values = pixels.indexed_iter().map(|(index, x)| (index, x.to_f64()));
        if let Some((index, value)) = values.find(|(_, value)| !value.is_finite()) {
            return Error::NonFinitePixel {
                image,
                index: index.as_array_view().to_vec(),
                value,
            };
        }
    }
    Error::Overflow
}
