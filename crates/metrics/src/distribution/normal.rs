//! The standard normal distribution: probability and quantile.

// Coefficients are written as published, with more digits than f64 holds.
#![expect(
    clippy::excessive_precision,
    reason = "published coefficients are easier to compare digit by digit"
)]

use std::f64::consts::TAU;

/// Beyond this distance from zero a tail is summed as a continued fraction, which keeps its relative precision.
const FAR: f64 = 2.0;

/// Φ(z), the probability of a value below `z`.
///
/// Near zero the series φ(z)·(z + z³/3 + z⁵/(3·5) + …), whose terms have one sign; in the tails Laplace's
/// continued fraction of Mills' ratio (Abramowitz and Stegun 1964, 26.2.11 and 26.2.14).
pub(crate) fn probability_below(z: f64) -> f64 {
    if z.is_nan() {
        return z;
    }
    if z.abs() > FAR {
        let tail = far_tail(z.abs());
        return if z < 0.0 { tail } else { 1.0 - tail };
    }
    let (mut term, mut sum, mut divisor) = (z, z, 1.0);
    while term.abs() > f64::EPSILON * 0.01 * sum.abs() {
        divisor += 2.0;
        term *= z * z / divisor;
        sum += term;
    }
    0.5 + density(z) * sum
}

fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / TAU.sqrt()
}

/// The probability of a value above `z`, for `z` above [`FAR`]: φ(z) / (z + 1/(z + 2/(z + 3/(z + …)))).
fn far_tail(z: f64) -> f64 {
    // 200 steps settle every digit at z = 2, the slowest; evaluating from the last step up needs no test for an end.
    let fraction = (1..=200).rev().fold(z, |below, k| z + f64::from(k) / below);
    density(z) / fraction
}

/// The `z` with Φ(z) = `probability`, for a probability in `(0, 1)`: −∞ and ∞ at its ends.
///
/// Wichura, Algorithm AS 241, Applied Statistics 37, 1988: PPND16, a relative error of about 1e-16.
pub(crate) fn quantile(probability: f64) -> f64 {
    let q = probability - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * polynomial(&A, r) / polynomial(&B, r);
    }
    let tail = if q < 0.0 {
        probability
    } else {
        1.0 - probability
    };
    if tail <= 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = (-tail.ln()).sqrt();
    let distance = if r <= 5.0 {
        polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    };
    distance.copysign(q)
}

/// Horner's rule; the first coefficient is the constant.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

const A: [f64; 8] = [
    3.3871328727963666080e0,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
];
const B: [f64; 8] = [
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
];
const C: [f64; 8] = [
    1.42343711074968357734e0,
    4.63033784615654529590e0,
    5.76949722146069140550e0,
    3.64784832476320460504e0,
    1.27045825245236838258e0,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
];
const D: [f64; 8] = [
    1.0,
    2.05319162663775882187e0,
    1.67638483018380384940e0,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
];
const E: [f64; 8] = [
    6.65790464350110377720e0,
    5.46378491116411436990e0,
    1.78482653991729133580e0,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
];
const F: [f64; 8] = [
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64, tolerance: f64) {
        let error = (found / expected - 1.0).abs();
        assert!(error <= tolerance, "{found} {expected}: {error:e}");
    }

    #[test]
    fn tables() {
        // scipy.special.ndtr and ndtri (1.17.1).
        let table = [
            (-30.0, 4.906713927148187e-198),
            (-8.0, 6.220960574271785e-16),
            (-2.5, 0.006209665325776132),
            (-2.0, 0.022750131948179212),
            (-1.0, 0.15865525393145707),
            (0.0, 0.5),
            (0.5, 0.6914624612740131),
            (1.959963984540054, 0.975),
            (3.0, 0.9986501019683699),
        ];
        for (z, probability) in table {
            assert_close(probability_below(z), probability, 1e-14);
        }
        assert_close(quantile(0.975), 1.959963984540054, 1e-15);
        assert_close(quantile(1e-300), -37.0471, 1e-6);
        assert_eq!(quantile(0.5), 0.0);
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(quantile(1.0), f64::INFINITY);
        assert!(quantile(f64::NAN).is_nan() && probability_below(f64::NAN).is_nan());
        assert_eq!(probability_below(f64::INFINITY), 1.0);
        assert_eq!(probability_below(f64::NEG_INFINITY), 0.0);
    }

    #[test]
    fn each_is_the_inverse_of_the_other() {
        for i in 1..2000 {
            // Just inside of FAR, 0.5 less the series leaves 0.02: 25 roundings of 2.2e-16.
            let probability = f64::from(i) / 2000.0;
            assert_close(probability_below(quantile(probability)), probability, 1e-14);
        }
        for i in 1..300 {
            let probability = 10.0_f64.powi(-i);
            // A tail's relative error is that of z times z².
            assert_close(probability_below(quantile(probability)), probability, 1e-12);
        }
    }
}
