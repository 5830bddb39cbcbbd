//! The beta distribution with whole parameters, and through it the binomial.
//!
//! Its probability, the regularised incomplete beta function, is a factor of powers times a continued fraction:
//!
//! - The factor x^a·(1−x)^b/B(a, b) as Loader computes it (Fast and accurate computation of binomial probabilities,
//!   2000): by the distance of x from the mean instead of by differences of log-gammas, which for a million trials
//!   have lost eight digits.
//! - The fraction of Didonato and Morris (Significant digit computation of the incomplete beta function ratios, ACM
//!   TOMS 18, 1992, algorithm 708, BFRAC), which below the mean has positive terms only and, with a whole b, an end.

use std::f64::consts::TAU;

/// A share and its complement, each with its own full precision: near 1 a share alone would have rounded the
/// complement away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    pub(crate) value: f64,
    pub(crate) complement: f64,
}

/// The logarithm of the probability of a value below x, and that of x^a·(1−x)^b/B(a, b), the density times x·(1−x).
struct Tail {
    ln_below: f64,
    ln_powers: f64,
}

/// The probability that a binomial variable of `n` trials with share 1/2 is at most `k`, for `k` below `n`.
pub(crate) fn fair_binomial_at_most(k: u64, n: u64) -> f64 {
    let half = Share {
        value: 0.5,
        complement: 0.5,
    };
    tail((n - k) as f64, k as f64 + 1.0, half).ln_below.exp()
}

/// The probability that a binomial variable of `n` trials with share 1/2 is `k`.
pub(crate) fn fair_binomial_is(k: u64, n: u64) -> f64 {
    if k == 0 || k == n {
        return (-(n as f64)).exp2();
    }
    let (a, b) = (k as f64, (n - k) as f64);
    let half = Share {
        value: 0.5,
        complement: 0.5,
    };
    (ln_powers(a, b, half) + ((a + b) / (a * b)).ln()).exp()
}

/// The x below which a beta variable with the whole parameters `a` and `b` lies with the given probability, which is
/// above 0 and at most 1/2.
///
/// Newton's method on the logarithm of the probability over that of whichever is smaller, x or 1 − x, for that one
/// needs the relative precision; a step that leaves the bracket is replaced by a bisection.
pub(crate) fn quantile(a: f64, b: f64, probability: f64) -> Share {
    let is_small = tail(a, b, share(0.5, true)).ln_below >= probability.ln();
    let mean = if is_small { a } else { b } / (a + b);
    let mut t = mean.min(0.5);
    let (mut low, mut high) = (0.0, 0.5);
    for _ in 0..200 {
        let x = share(t, is_small);
        let Tail {
            ln_below,
            ln_powers,
        } = tail(a, b, x);
        let excess = ln_below - probability.ln();
        // d ln(probability) / d ln(t)
        let slope = (ln_powers - ln_below).exp() * t / (x.value * x.complement);
        let slope = if is_small { slope } else { -slope };
        if (excess > 0.0) == is_small {
            high = t;
        } else {
            low = t;
        }
        let next = t * (-excess / slope).exp();
        if (next - t).abs() <= 1e-13 * t {
            // The error after a step goes with the square of the step.
            return share(next, is_small);
        }
        t = if low < next && next < high {
            next
        } else if low > 0.0 {
            (low * high).sqrt()
        } else {
            high / 16.0
        };
    }
    share(t, is_small)
}

fn share(t: f64, is_small: bool) -> Share {
    if is_small {
        Share {
            value: t,
            complement: 1.0 - t,
        }
    } else {
        Share {
            value: 1.0 - t,
            complement: t,
        }
    }
}

fn tail(a: f64, b: f64, x: Share) -> Tail {
    let ln_powers = ln_powers(a, b, x);
    let distance = below_mean(a, b, x);
    let ln_below = if distance >= 0.0 {
        ln_powers - fraction(a, b, x, distance).ln()
    } else {
        let flipped = Share {
            value: x.complement,
            complement: x.value,
        };
        let above = (ln_powers - fraction(b, a, flipped, -distance).ln()).exp();
        (-above.min(1.0)).ln_1p()
    };
    Tail {
        ln_below,
        ln_powers,
    }
}

/// a − (a + b)·x, from whichever of x and 1 − x is small.
fn below_mean(a: f64, b: f64, x: Share) -> f64 {
    if x.value <= 0.5 {
        a - (a + b) * x.value
    } else {
        (a + b) * x.complement - b
    }
}

/// By the modified method of Lentz; the terms are positive where `distance` = a − (a + b)·x is not negative.
fn fraction(a: f64, b: f64, x: Share, distance: f64) -> f64 {
    let mut value = a * (distance + 1.0) / (a + 1.0);
    let (mut c, mut d) = (value, 0.0);
    let mut m = 1.0;
    // The term with m = b is zero and the last; rounding ends the sum after some √(a + b) terms.
    while m < b {
        let odd = a + 2.0 * m - 1.0;
        let w = m * (b - m) * x.value;
        let numerator = (a + m - 1.0) / odd * ((a + b + m - 1.0) / odd) * w * x.value;
        let denominator =
            m + w / odd + (a + m) * (distance + 1.0 + m * (1.0 + x.complement)) / (odd + 2.0);
        d = 1.0 / (denominator + numerator * d);
        c = denominator + numerator / c;
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() <= f64::EPSILON {
            break;
        }
        m += 1.0;
    }
    value
}

fn ln_powers(a: f64, b: f64, x: Share) -> f64 {
    let n = a + b;
    let distance = below_mean(a, b, x);
    let deviance = deviance(a, n * x.value, distance) + deviance(b, n * x.complement, -distance);
    0.5 * (a / TAU * (b / n)).ln() + (stirling_error(n) - stirling_error(a) - stirling_error(b))
        - deviance
}

/// k·ln(k/mean) + mean − k, where `difference` = k − mean is known better than subtraction would give it.
fn deviance(k: f64, mean: f64, difference: f64) -> f64 {
    if difference.abs() >= 0.2 * (k + mean) {
        return k * (k / mean).ln() - difference;
    }
    // ln(k/mean) = 2·artanh(v); the first term cancels against the difference.
    let v = difference / (k + mean);
    let (mut sum, mut term, mut odd) = (difference * v, 2.0 * k * v, 1.0);
    loop {
        term *= v * v;
        odd += 2.0;
        let next = sum + term / odd;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

/// ln(n!) − ln(√(2πn)·(n/e)^n) for a whole n of at least 1: a table, then Stirling's series.
fn stirling_error(n: f64) -> f64 {
    #[expect(
        clippy::excessive_precision,
        reason = "published coefficients are easier to compare digit by digit"
    )]
    const TABLE: [f64; 16] = [
        0.0,
        0.0810614667953272582196702,
        0.0413406959554092940938221,
        0.02767792568499833914878929,
        0.02079067210376509311152277,
        0.01664469118982119216319487,
        0.01387612882307074799874573,
        0.01189670994589177009505572,
        0.010411265261972096497478567,
        0.009255462182712732917728637,
        0.008330563433362871256469318,
        0.007573675487951840794972024,
        0.006942840107209529865664152,
        0.006408994188004207068439631,
        0.005951370112758847735624416,
        0.005554733551962801371038690,
    ];
    if n <= 15.0 {
        // A whole number, at most 15.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies in the table"
        )]
        return TABLE[n as usize];
    }
    let r = 1.0 / (n * n);
    let series = 1.0 / 1188.0 - r * (691.0 / 360_360.0);
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r * series)))) / n
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stirling_errors_are_those_of_factorials() {
        let mut factorial = 1.0;
        for n in 1..=20 {
            let n = f64::from(n);
            factorial *= n;
            let exact = f64::ln(factorial) - (0.5 * (TAU * n).ln() + n * (n.ln() - 1.0));
            assert!((stirling_error(n) - exact).abs() < 2e-14, "{n}");
        }
    }

    /// Sums of exact binomial terms, for parameters so small that they are.
    #[test]
    fn small_tails_are_sums() {
        for n in 1..=50_u64 {
            let mut binomial = 1.0;
            let mut at_most = 0.0;
            for k in 0..n {
                let probability = binomial / (n as f64).exp2();
                at_most += probability;
                let found = (fair_binomial_is(k, n), fair_binomial_at_most(k, n));
                assert!((found.0 / probability - 1.0).abs() < 1e-14, "{k} {n}");
                assert!((found.1 / at_most - 1.0).abs() < 1e-14, "{k} {n}");
                binomial = binomial * (n - k) as f64 / (k + 1) as f64;
            }
        }
    }

    #[test]
    fn one_parameter_of_one_has_a_closed_form() {
        for a in [1.0, 2.0, 10.0, 1e3, 1e7] {
            for probability in [0.5, 0.3, 0.025, 1e-6, 1e-17] {
                let x = quantile(a, 1.0, probability);
                let expected = f64::ln(probability) / a;
                assert!((x.value.ln() / expected - 1.0).abs() < 1e-9 || x.value > 0.999);
                assert!(
                    (x.complement / -expected.exp_m1() - 1.0).abs() < 1e-14,
                    "{a} {probability}"
                );
                let x = quantile(1.0, a, probability);
                let expected = -((-probability).ln_1p() / a).exp_m1();
                assert!(
                    (x.value / expected - 1.0).abs() < 1e-14,
                    "{a} {probability}: {} {expected}",
                    x.value
                );
            }
        }
    }
}
