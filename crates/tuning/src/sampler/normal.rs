//! The normal distribution cut to an interval, in logarithms, accurate far out in its tails.
//!
//! The formulas are those of `optuna/samplers/_tpe/_truncnorm.py` 5.0, which has them from scipy; the golden file of the
//! Parzen estimator compares the results.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// ln φ(x), the density.
pub(super) fn log_density(x: f64) -> f64 {
    -0.5 * x * x - log_sqrt_2_pi()
}

/// ln Φ(x), the mass below.
pub(super) fn log_below(x: f64) -> f64 {
    if x > 6.0 {
        // ln(1 - m) is -m to the last bit.
        return -below(-x);
    }
    if x > -20.0 {
        return below(x).ln();
    }
    // Φ(x) = φ(x) / -x · (1 - 1/x² + 1·3/x⁴ - 1·3·5/x⁶ + …), whose terms shrink fast for such an x.
    let (mut sum, mut term, mut n) = (1.0, 1.0, 1.0);
    loop {
        term *= -(2.0 * n - 1.0) / (x * x);
        let next = sum + term;
        if next == sum || n > 100.0 {
            break;
        }
        (sum, n) = (next, n + 1.0);
    }
    log_density(x) - (-x).ln() + sum.ln()
}

/// ln(Φ(b) - Φ(a)), the mass between, for a ≤ b.
pub(super) fn log_between(a: f64, b: f64) -> f64 {
    if b <= 0.0 {
        log_difference(log_below(b), log_below(a))
    } else if a > 0.0 {
        // The right tail is the left one mirrored, where small masses keep their digits.
        log_difference(log_below(-a), log_below(-b))
    } else {
        (-below(a) - below(-b)).ln_1p()
    }
}

/// Where a share `q` of the mass between `a` and `b` lies below.
pub(super) fn quantile(q: f64, a: f64, b: f64) -> f64 {
    if q <= 0.0 {
        return a;
    }
    if q >= 1.0 {
        return b;
    }
    let log_mass = log_between(a, b);
    let x = if a < 0.0 {
        inverse_log_below(log_sum(log_below(a), q.ln() + log_mass))
    } else {
        -inverse_log_below(log_sum(log_below(-b), (-q).ln_1p() + log_mass))
    };
    x.clamp(a, b)
}

fn log_sqrt_2_pi() -> f64 {
    0.5 * (2.0 * PI).ln()
}

/// Φ(x).
fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// ln(eᵖ - eᵠ) for q ≤ p.
fn log_difference(p: f64, q: f64) -> f64 {
    p + (-(q - p).exp()).ln_1p()
}

/// ln(eᵖ + eᵠ).
fn log_sum(p: f64, q: f64) -> f64 {
    let (large, small) = if p > q { (p, q) } else { (q, p) };
    if large == f64::NEG_INFINITY {
        return large;
    }
    large + (small - large).exp().ln_1p()
}

/// The x with ln Φ(x) = y, by Newton's method.
fn inverse_log_below(y: f64) -> f64 {
    if y >= 0.0 {
        return f64::INFINITY;
    }
    if y == f64::NEG_INFINITY {
        return y;
    }
    // Close to zero, y has lost the digits that tell x; those of the mass above are there.
    let is_mirrored = y > -1e-2;
    let z = if is_mirrored { (-y.exp_m1()).ln() } else { y };
    let mut x = if z < -5.0 {
        -(-2.0 * (z + log_sqrt_2_pi())).sqrt()
    } else {
        // The logistic function is near enough to begin with.
        -(3.0_f64.sqrt() / PI) * (-z).exp_m1().ln()
    };
    for _ in 0..100 {
        let log_mass = log_below(x);
        let step = (log_mass - z) * (log_mass - log_density(x)).exp();
        x -= step;
        if step.abs() < 1e-8 * x.abs() || step == 0.0 {
            break;
        }
    }
    if is_mirrored { -x } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3),
            "{found} {expected}"
        );
    }

    #[test]
    fn masses_equal_optuna_s() {
        // optuna 5.0.0, samplers._tpe._truncnorm._log_ndtr_single
        close(log_below(0.0), -std::f64::consts::LN_2);
        close(log_below(-1.0), -1.841_021_645_009_263_5);
        close(log_below(-19.9), -201.917_167_707_332_6);
        close(log_below(-25.0), -316.639_408_008_020_2);
        close(log_below(-100.0), -5_005.524_208_694_205);
        close(log_below(7.0), -1.279_812_543_885_835e-12);
    }

    #[test]
    fn quantiles_invert_masses_everywhere() {
        let bounds = [
            (-1.0, 2.0),
            (-30.0, -25.0),
            (3.0, 9.0),
            (-8.0, 8.0),
            (20.0, 21.0),
            (-0.01, 0.01),
        ];
        for (a, b) in bounds {
            for q in [1e-9, 0.01, 0.3, 0.5, 0.9, 0.999] {
                let x = quantile(q, a, b);
                let share = (log_between(a, x) - log_between(a, b)).exp();
                assert!(
                    (share - q).abs() < 1e-6 * q.max(1e-3),
                    "{q} of {a}..{b}: {x} {share}"
                );
            }
            assert_eq!((quantile(0.0, a, b), quantile(1.0, a, b)), (a, b));
        }
    }
}
