//! Pixel types, and reading a row of pixels as `f64`.

use ndarray::ArrayView1;

use crate::error::{Error, Result, Role};

/// A number that an image may consist of: `u8`, `u16`, `f32` or `f64`.
///
/// Every metric converts pixels to `f64`, which is exact, before it computes. The trait is sealed.
pub trait Pixel: sealed::Sealed + Copy + Send + Sync {
    /// The same value as `f64`.
    fn to_f64(self) -> f64;
}

mod sealed {
    /// Keeps the list of pixel types closed, so that adding a method to `Pixel` breaks nobody.
    pub trait Sealed {}
}

macro_rules! pixel {
    ($($type:ty),*) => {$(
        impl sealed::Sealed for $type {}
        impl Pixel for $type {
            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}

pixel!(u8, u16, f32, f64);

/// Writes `pixels` to `xs`, which has the same length, and refuses NaN and infinities.
///
/// `image`, `row` and `first_column` only tell an error where the pixels are.
pub(crate) fn read_row<T: Pixel>(
    pixels: ArrayView1<'_, T>,
    image: Role,
    row: usize,
    first_column: usize,
    xs: &mut [f64],
) -> Result<()> {
    // The contiguous case is apart because only it compiles to vector conversions.
    if let Some(pixels) = pixels.as_slice() {
        for (x, pixel) in xs.iter_mut().zip(pixels) {
            *x = pixel.to_f64();
        }
    } else {
        for (x, pixel) in xs.iter_mut().zip(pixels) {
            *x = pixel.to_f64();
        }
    }
    // No early exit, so that the scan vectorises; the search below runs only on failure.
    let finite = xs.iter().fold(true, |finite, x| finite & x.is_finite());
    if finite {
        return Ok(());
    }
    let (column, value) = xs
        .iter()
        .copied()
        .enumerate()
        .find(|(_, x)| !x.is_finite())
        .expect("the scan above saw a value that is not finite");
    Err(Error::NonFinitePixel {
        image,
        index: vec![row, first_column + column],
        value,
    })
}
