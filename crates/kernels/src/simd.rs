//! Instruction sets: which ones there are, how a kernel is compiled for each, and the vectors it is written in.
//!
//! A kernel is a [`Kernel`]: a struct of its arguments with a body generic over [`Vector`]. [`Level::run`] compiles the
//! body once for each level, inside a function with that level's target features, and picks one at run time. Bodies and
//! vector operations are `#[inline(always)]`, so that they take on the features of the function they end up in.
//!
//! Every level gives the same bits: lanes hold independent outputs, and each operation is correctly rounded by IEEE 754,
//! the fused multiply-add included, whose scalar form is [`f32::mul_add`].

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "aarch64")]
use neon::Neon;
use scalar::Scalar;
#[cfg(target_arch = "x86_64")]
use x86::{Avx2, Avx512};

/// An instruction set that this processor has. There is no way to make one that it lacks.
///
/// # Examples
///
/// ```
/// use juggle_kernels::Level;
///
/// assert!(Level::supported().contains(&Level::best()));
/// assert_eq!(Level::SCALAR.name(), "scalar");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Level {
    /// Plain Rust, on every processor.
    pub const SCALAR: Self = Self(Kind::Scalar);

    /// The names of all levels of this architecture, whether this processor has them or not.
    pub const NAMES: &'static [&'static str] = if cfg!(target_arch = "x86_64") {
        &["scalar", "avx2", "avx512"]
    } else if cfg!(target_arch = "aarch64") {
        &["scalar", "neon"]
    } else {
        &["scalar"]
    };

    /// The fastest level of this processor.
    #[must_use]
    pub fn best() -> Self {
        Self::supported().last().copied().unwrap_or(Self::SCALAR)
    }

    /// The levels of this processor, the slowest first.
    #[must_use]
    pub fn supported() -> Vec<Self> {
        let known = [
            (true, Self::SCALAR),
            #[cfg(target_arch = "x86_64")]
            (has_avx2(), Self(Kind::Avx2)),
            #[cfg(target_arch = "x86_64")]
            (
                has_avx2() && is_x86_feature_detected!("avx512f"),
                Self(Kind::Avx512),
            ),
            #[cfg(target_arch = "aarch64")]
            // Miri knows none of its instructions; of x86-64 it detects none.
            (!cfg!(miri), Self(Kind::Neon)),
        ];
        let found = known.into_iter().filter(|&(is_there, _)| is_there);
        found.map(|(_, level)| level).collect()
    }

    /// The level's name: `scalar`, `avx2` (with FMA), `avx512` (its foundation) or `neon`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
        }
    }

    /// Runs the kernel as compiled for this level.
    #[inline]
    #[cfg_attr(
        target_arch = "x86_64",
        expect(unsafe_code, reason = "calls functions that need the level's features")
    )]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Scalar => kernel.run::<Scalar>(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a level of this kind is only made after AVX2 and FMA were detected.
            Kind::Avx2 => unsafe { avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a level of this kind is only made after AVX-512F, AVX2 and FMA were detected.
            Kind::Avx512 => unsafe { avx512(kernel) },
            // Every aarch64 target has NEON, so its functions need no attribute of their own.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => kernel.run::<Neon>(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512>()
}

/// A computation that is written once and compiled for every level.
pub(crate) trait Kernel {
    type Output;

    /// The body; every implementation is `#[inline(always)]`.
    fn run<V: Vector>(self) -> Self::Output;
}

/// A few `f32` that are worked on at once; the number of lanes divides [`crate::LANES`].
pub(crate) trait Vector: Copy {
    const LANES: usize;

    fn splat(x: f32) -> Self;
    /// The first lanes of `xs`, which must be that long.
    fn load(xs: &[f32]) -> Self;
    /// Writes to the first lanes of `xs`, which must be that long.
    fn store(self, xs: &mut [f32]);
    /// # Safety
    /// `LANES` values can be read at `xs`.
    #[expect(
        unsafe_code,
        reason = "inner loops whose bounds were checked once outside"
    )]
    unsafe fn load_ptr(xs: *const f32) -> Self;
    /// # Safety
    /// `LANES` values can be written at `xs`.
    #[expect(
        unsafe_code,
        reason = "inner loops whose bounds were checked once outside"
    )]
    unsafe fn store_ptr(self, xs: *mut f32);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn sqrt(self) -> Self;
    /// `self * factor + addend`, rounded once.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// `yes` where `self > other`, else `no`.
    fn select_gt(self, other: Self, yes: Self, no: Self) -> Self;
    /// `yes` where `self == other`, else `no`.
    fn select_eq(self, other: Self, yes: Self, no: Self) -> Self;
    /// Zero where `self` is below zero, else `self`: what is no number stays so.
    #[inline(always)]
    fn relu(self) -> Self {
        let zero = Self::splat(0.0);
        zero.select_gt(self, zero, self)
    }
}
