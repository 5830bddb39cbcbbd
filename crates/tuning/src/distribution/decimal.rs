//! Steps in decimal arithmetic.
//!
//! 0.1 + 2 × 0.1 is not 0.3 in binary. Optuna counts steps in decimals, and warns about a `high` that its count does
//! not reach; ours must be the same number to the last bit.

/// `low` plus the largest whole number of steps that does not exceed `high`, in decimal arithmetic.
///
/// Numbers of more than 38 digits in all fall back to binary arithmetic.
pub(super) fn last_step(low: f64, high: f64, step: f64) -> f64 {
    exact(low, high, step).unwrap_or_else(|| low + ((high - low) / step + 1e-8).floor() * step)
}

fn exact(low: f64, high: f64, step: f64) -> Option<f64> {
    let numbers = [digits(low)?, digits(high)?, digits(step)?];
    let exponent = numbers.iter().map(|&(_, exponent)| exponent).min()?;
    let scaled = |(mantissa, own): (i128, i32)| {
        let factor = 10_i128.checked_pow(u32::try_from(own - exponent).ok()?)?;
        mantissa.checked_mul(factor)
    };
    let [low, high, step] = numbers.map(scaled);
    let (low, high, step) = (low?, high?, step?);
    let last = low + (high - low) / step * step;
    format!("{last}e{exponent}").parse().ok()
}

/// A float's shortest decimal digits as a whole number and a power of ten.
fn digits(x: f64) -> Option<(i128, i32)> {
    let text = format!("{x:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let n_decimals = mantissa.split_once('.').map_or(0, |(_, rest)| rest.len());
    let exponent: i32 = exponent.parse().ok()?;
    let mantissa = mantissa.replace('.', "").parse().ok()?;
    Some((mantissa, exponent - i32::try_from(n_decimals).ok()?))
}
