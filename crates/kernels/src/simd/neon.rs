//! NEON, which every aarch64 processor that Rust's standard library runs on has.
//!
//! A vector is two registers: eight lanes, as at the levels beside it, so that one tile serves them all. Division and the
//! square root are the exact instructions, not the estimates that NEON has too.
#![expect(unsafe_code, reason = "intrinsics")]

use std::arch::aarch64::{
    float32x4_t, uint32x4_t, vaddq_f32, vbslq_f32, vceqq_f32, vcgtq_f32, vdivq_f32, vdupq_n_f32,
    vfmaq_f32, vld1q_f32, vmulq_f32, vsqrtq_f32, vst1q_f32, vsubq_f32,
};

use super::Vector;

#[derive(Clone, Copy)]
pub(super) struct Neon(float32x4_t, float32x4_t);

impl Neon {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> Self {
        Self(f(self.0, other.0), f(self.1, other.1))
    }

    /// `yes` where `compare` says so of `self` and `other`, else `no`.
    #[inline(always)]
    fn select(
        self,
        other: Self,
        (yes, no): (Self, Self),
        compare: impl Fn(float32x4_t, float32x4_t) -> uint32x4_t,
    ) -> Self {
        let masks = (compare(self.0, other.0), compare(self.1, other.1));
        // SAFETY: NEON is part of the target.
        unsafe {
            Self(
                vbslq_f32(masks.0, yes.0, no.0),
                vbslq_f32(masks.1, yes.1, no.1),
            )
        }
    }
}

impl Vector for Neon {
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: NEON is part of the target.
        let half = unsafe { vdupq_n_f32(x) };
        Self(half, half)
    }

    #[inline(always)]
    fn load(xs: &[f32]) -> Self {
        let xs = &xs[..Self::LANES];
        // SAFETY: the slice holds all lanes.
        unsafe { Self::load_ptr(xs.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, xs: &mut [f32]) {
        let xs = &mut xs[..Self::LANES];
        // SAFETY: the slice holds all lanes.
        unsafe { self.store_ptr(xs.as_mut_ptr()) }
    }

    #[inline(always)]
    unsafe fn load_ptr(xs: *const f32) -> Self {
        // SAFETY: the caller says that eight values can be read; NEON is part of the target.
        unsafe { Self(vld1q_f32(xs), vld1q_f32(xs.add(4))) }
    }

    #[inline(always)]
    unsafe fn store_ptr(self, xs: *mut f32) {
        // SAFETY: the caller says that eight values can be written; NEON is part of the target.
        unsafe {
            vst1q_f32(xs, self.0);
            vst1q_f32(xs.add(4), self.1);
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: NEON is part of the target.
        self.zip(other, |a, b| unsafe { vaddq_f32(a, b) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: NEON is part of the target.
        self.zip(other, |a, b| unsafe { vsubq_f32(a, b) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: NEON is part of the target.
        self.zip(other, |a, b| unsafe { vmulq_f32(a, b) })
    }

    #[inline(always)]
    fn div(self, other: Self) -> Self {
        // SAFETY: NEON is part of the target.
        self.zip(other, |a, b| unsafe { vdivq_f32(a, b) })
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        // SAFETY: NEON is part of the target.
        unsafe { Self(vsqrtq_f32(self.0), vsqrtq_f32(self.1)) }
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        // The instruction's first operand is the addend.
        // SAFETY: NEON is part of the target.
        unsafe {
            Self(
                vfmaq_f32(addend.0, self.0, factor.0),
                vfmaq_f32(addend.1, self.1, factor.1),
            )
        }
    }

    #[inline(always)]
    fn select_gt(self, other: Self, yes: Self, no: Self) -> Self {
        // SAFETY: NEON is part of the target.
        self.select(other, (yes, no), |a, b| unsafe { vcgtq_f32(a, b) })
    }

    #[inline(always)]
    fn select_eq(self, other: Self, yes: Self, no: Self) -> Self {
        // SAFETY: NEON is part of the target.
        self.select(other, (yes, no), |a, b| unsafe { vceqq_f32(a, b) })
    }
}
