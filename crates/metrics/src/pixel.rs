//! Pixel types, and what is computed on rows of them.

use std::ops::{AddAssign, DivAssign, MulAssign, Neg, SubAssign};

use multiversion::multiversion;
use multiversion::target::target_cfg_f;
use ndarray::{ArrayView1, LinalgScalar};

/// A number that an image may consist of: `u8`, `u16`, `f32` or `f64`. The trait is sealed.
pub trait Pixel: sealed::Sealed {
    /// What scikit-image computes in for this type, and the type of a [map](crate::Ssim::map): `f32` for `f32`, else `f64`.
    type Map: Real;

    /// The same value as `f64`, exactly.
    fn to_f64(self) -> f64;
}

/// An integer type, whose range of values is the range of its pixels.
pub trait IntegerPixel: Pixel {
    /// The distance between its smallest and its largest value: 255 for `u8`, 65,535 for `u16`.
    ///
    /// Floats have no such range; there is none to be had by mistake.
    const DATA_RANGE: f64;
}

/// `f32` or `f64`: the type of a map's values. The trait is sealed.
pub trait Real:
    Pixel
    + LinalgScalar
    + PartialOrd
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// The nearest value.
    fn from_f64(x: f64) -> Self;
}

pub(crate) mod sealed {
    /// Keeps the list of pixel types closed, so that adding a method to `Pixel` breaks nobody.
    pub trait Sealed: Copy + Send + Sync + 'static {
        /// The sum of squared differences of two rows of one length.
        fn squared_error(xs: &[Self], ys: &[Self]) -> f64
        where
            Self: Sized;
    }
}

macro_rules! pixel {
    ($($type:ty => $map:ty, $squared_error:ident);*) => {$(
        impl sealed::Sealed for $type {
            fn squared_error(xs: &[Self], ys: &[Self]) -> f64 {
                $squared_error(xs, ys)
            }
        }
        impl Pixel for $type {
            type Map = $map;

            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    )*};
}

pixel!(u8 => f64, of_u8; u16 => f64, of_u16; f32 => f32, of_f32; f64 => f64, of_f64);

impl IntegerPixel for u8 {
    const DATA_RANGE: f64 = 255.0;
}

impl IntegerPixel for u16 {
    const DATA_RANGE: f64 = 65_535.0;
}

impl Real for f32 {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding is what it is for"
    )]
    fn from_f64(x: f64) -> Self {
        x as Self
    }
}

impl Real for f64 {
    #[inline]
    fn from_f64(x: f64) -> Self {
        x
    }
}

/// Differences of `u8` that a sum of `u32` can hold the squares of.
const N_SQUARES: usize = 1 << 16;

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn of_u8(xs: &[u8], ys: &[u8]) -> f64 {
    let mut total = 0_u64;
    for (xs, ys) in xs.chunks(N_SQUARES).zip(ys.chunks(N_SQUARES)) {
        let mut sum = 0_u32;
        for (&x, &y) in xs.iter().zip(ys) {
            let difference = i32::from(i16::from(x) - i16::from(y));
            sum += (difference * difference).unsigned_abs();
        }
        total += u64::from(sum);
    }
    total as f64
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn of_u16(xs: &[u16], ys: &[u16]) -> f64 {
    let mut total = 0_u64;
    for (&x, &y) in xs.iter().zip(ys) {
        let difference = u32::from(x.abs_diff(y));
        total += u64::from(difference * difference);
    }
    total as f64
}

/// −1, of which the compiler does not know that it is: `x − y` as the multiply-add `−1·y + x`, which has the same bits.
///
/// Conversions from `f32` and additions wait for the same two of Zen 4's four units, multiplications have the others. For the same reason the loops that
/// mostly convert have vectors of 256 bits: two of them are converted sooner than one of 512.
#[inline(always)]
pub(crate) fn minus_one() -> f64 {
    std::hint::black_box(-1.0)
}

/// Accumulators side by side, so that the sum is a vector operation with a fixed order.
const LANES: usize = 16;

macro_rules! float_squared_error {
    ($name:ident, $type:ty) => {
        #[multiversion(targets("x86_64+avx2+fma"))]
        fn $name(xs: &[$type], ys: &[$type]) -> f64 {
            let (xs, xs_rest) = xs.as_chunks::<LANES>();
            let (ys, ys_rest) = ys.as_chunks::<LANES>();
            let mut lanes = [0.0_f64; LANES];
            let minus = minus_one();
            for (xs, ys) in xs.iter().zip(ys) {
                for l in 0..LANES {
                    let (x, y) = (f64::from(xs[l]), f64::from(ys[l]));
                    let difference = if target_cfg_f!(target_feature = "fma") {
                        minus.mul_add(y, x)
                    } else {
                        x - y
                    };
                    lanes[l] += difference * difference;
                }
            }
            for (l, (&x, &y)) in xs_rest.iter().zip(ys_rest).enumerate() {
                let difference = f64::from(x) - f64::from(y);
                lanes[l] += difference * difference;
            }
            lanes.iter().sum()
        }
    };
}

float_squared_error!(of_f32, f32);
float_squared_error!(of_f64, f64);

/// Writes `pixels` to `xs`, which has the same length.
#[inline(always)]
pub(crate) fn read_row<T: Pixel>(pixels: ArrayView1<'_, T>, xs: &mut [f64]) {
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
}
