//! `exp` and `ln` in f64 from plain arithmetic, so that every platform gives the same bits.
//!
//! Both are within a few units in the last place; the platform's own functions differ from one libm to the next.

/// ln 2 in two parts: the first has so few digits that its product with an exponent is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// e to the power of `x`.
///
/// x = k · ln 2 + r with |r| ≤ ln 2 / 2, and e^r is its Taylor polynomial of degree 13.
///
/// # Examples
///
/// ```
/// assert!((juggle_kernels::math::exp(1.0) - std::f64::consts::E).abs() < 1e-15);
/// ```
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the exponent is in range")]
pub fn exp(x: f64) -> f64 {
    if x.is_nan() || x > 709.7 {
        return x + f64::INFINITY;
    }
    if x < -708.0 {
        return 0.0;
    }
    let k = (x * std::f64::consts::LOG2_E).round();
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut sum = 1.0;
    for i in (1..=13_u8).rev() {
        sum = 1.0 + sum * r / f64::from(i);
    }
    sum * power_of_two(k as i64)
}

/// The natural logarithm of a positive `x`.
///
/// x = 2^k · m with √½ < m ≤ √2, and ln m = 2 · artanh((m − 1) / (m + 1)), a series in odd powers.
///
/// # Examples
///
/// ```
/// assert!((juggle_kernels::math::ln(10.0) - std::f64::consts::LN_10).abs() < 1e-15);
/// ```
#[must_use]
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x < f64::MIN_POSITIVE {
        // Subnormal numbers count as zero.
        return if x >= 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::NAN
        };
    }
    if x.is_infinite() {
        return x;
    }
    let bits = x.to_bits();
    let mut k = f64::from((bits >> 52) as u16) - 1023.0;
    let mut m = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000);
    if m > std::f64::consts::SQRT_2 {
        m *= 0.5;
        k += 1.0;
    }
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut sum = 0.0;
    for i in (1..=12_u8).rev() {
        sum = square * (1.0 / f64::from(2 * i + 1) + sum);
    }
    k * LN_2_HIGH + (2.0 * s * (1.0 + sum) + k * LN_2_LOW)
}

/// 2^k for −1022 ≤ k ≤ 1024.
fn power_of_two(k: i64) -> f64 {
    let half = |k: i64| f64::from_bits(((k + 1023) << 52).cast_unsigned());
    half(k / 2) * half(k - k / 2)
}
