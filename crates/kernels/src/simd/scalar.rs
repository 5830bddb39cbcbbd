//! The level without instructions of its own: eight floats in an array.

use super::Vector;

#[derive(Clone, Copy)]
pub(super) struct Scalar([f32; 8]);

impl Scalar {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

impl Vector for Scalar {
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; 8])
    }

    #[inline(always)]
    fn load(xs: &[f32]) -> Self {
        Self(std::array::from_fn(|i| xs[i]))
    }

    #[inline(always)]
    fn store(self, xs: &mut [f32]) {
        xs[..8].copy_from_slice(&self.0);
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "a read through a pointer")]
    unsafe fn load_ptr(xs: *const f32) -> Self {
        // SAFETY: the caller says that eight values can be read; an array of f32 is aligned as one f32 is.
        Self(unsafe { *xs.cast() })
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "a write through a pointer")]
    unsafe fn store_ptr(self, xs: *mut f32) {
        // SAFETY: the caller says that eight values can be written; an array of f32 is aligned as one f32 is.
        unsafe { *xs.cast() = self.0 }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self.zip(other, |a, b| a / b)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(std::array::from_fn(|i| {
            self.0[i].mul_add(factor.0[i], addend.0[i])
        }))
    }

    #[inline(always)]
    fn select_gt(self, other: Self, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|i| {
            if self.0[i] > other.0[i] {
                yes.0[i]
            } else {
                no.0[i]
            }
        }))
    }

    #[inline(always)]
    fn select_eq(self, other: Self, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|i| {
            if self.0[i] == other.0[i] {
                yes.0[i]
            } else {
                no.0[i]
            }
        }))
    }
}
