//! AVX2 with FMA, and AVX-512.
//!
//! The types are private to the dispatch, which names them only inside functions that have their features; that is what
//! makes each intrinsic below safe to call.
#![expect(unsafe_code, reason = "intrinsics")]

use std::arch::x86_64::{
    __m256, __m512, _CMP_EQ_OQ, _CMP_GT_OQ, _mm256_add_ps, _mm256_blendv_ps, _mm256_cmp_ps,
    _mm256_div_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_sqrt_ps,
    _mm256_storeu_ps, _mm256_sub_ps, _mm512_add_ps, _mm512_cmp_ps_mask, _mm512_div_ps,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_blend_ps, _mm512_mul_ps, _mm512_set1_ps,
    _mm512_sqrt_ps, _mm512_storeu_ps, _mm512_sub_ps,
};

use super::Vector;

#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256);

#[derive(Clone, Copy)]
pub(super) struct Avx512(__m512);

impl Avx2 {
    #[inline(always)]
    fn select<const COMPARE: i32>(self, other: Self, yes: Self, no: Self) -> Self {
        // SAFETY: the dispatch runs this level only where AVX2 was detected.
        Self(unsafe { _mm256_blendv_ps(no.0, yes.0, _mm256_cmp_ps::<COMPARE>(self.0, other.0)) })
    }
}

impl Avx512 {
    #[inline(always)]
    fn select<const COMPARE: i32>(self, other: Self, yes: Self, no: Self) -> Self {
        // SAFETY: the dispatch runs this level only where AVX-512F was detected.
        Self(unsafe {
            _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<COMPARE>(self.0, other.0), no.0, yes.0)
        })
    }
}

macro_rules! vector {
    ($name:ident, $lanes:literal, $set1:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident, $div:ident,
     $sqrt:ident, $fmadd:ident) => {
        impl Vector for $name {
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(x: f32) -> Self {
                // SAFETY: the dispatch runs this level only where its features were detected.
                Self(unsafe { $set1(x) })
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
                // SAFETY: the caller says that all lanes can be read; the features were detected.
                Self(unsafe { $load(xs) })
            }

            #[inline(always)]
            unsafe fn store_ptr(self, xs: *mut f32) {
                // SAFETY: the caller says that all lanes can be written; the features were detected.
                unsafe { $store(xs, self.0) }
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: the dispatch runs this level only where its features were detected.
                Self(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: as for `add`.
                Self(unsafe { $sub(self.0, other.0) })
            }

            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                // SAFETY: as for `add`.
                Self(unsafe { $mul(self.0, other.0) })
            }

            #[inline(always)]
            fn div(self, other: Self) -> Self {
                // SAFETY: as for `add`.
                Self(unsafe { $div(self.0, other.0) })
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                // SAFETY: as for `add`.
                Self(unsafe { $sqrt(self.0) })
            }

            #[inline(always)]
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                // SAFETY: as for `add`.
                Self(unsafe { $fmadd(self.0, factor.0, addend.0) })
            }

            #[inline(always)]
            fn select_gt(self, other: Self, yes: Self, no: Self) -> Self {
                self.select::<_CMP_GT_OQ>(other, yes, no)
            }

            #[inline(always)]
            fn select_eq(self, other: Self, yes: Self, no: Self) -> Self {
                self.select::<_CMP_EQ_OQ>(other, yes, no)
            }
        }
    };
}

vector!(
    Avx2,
    8,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_sqrt_ps,
    _mm256_fmadd_ps
);
vector!(
    Avx512,
    16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_sqrt_ps,
    _mm512_fmadd_ps
);
