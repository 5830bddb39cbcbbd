//! The two-sample Kolmogorov–Smirnov test, and Holm's correction for many tests.
//!
//! The statistic D is the largest distance between the two empirical distribution functions. It is an effect
//! size that reads well: the best single threshold tells one sample from the other with a balanced accuracy
//! of (1 + D) / 2.

use std::f64::consts::PI;

/// Up to this product of the sizes the p-value is exact: a tenth of a second.
const MAX_EXACT: usize = 20_000_000;

/// Up to this effective size the asymptotic forms are not used.
const MIN_ASYMPTOTIC: f64 = 140.0;

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KsTest {
    /// D, in [0, 1].
    pub statistic: f64,
    /// Probability of a D at least as large when both samples come from one continuous distribution.
    pub p_value: f64,
}

/// Compares two samples, two-sided.
///
/// The p-value is that of `scipy.stats.ks_2samp`: `method="exact"` when the product of the sizes is at most 20 million
/// (Hodges 1958), otherwise `method="asymp"`, the one-sample statistic at n·m / (n + m) values, by twice
/// Smirnov's one-sided probability in the tail and Pelz and Good's expansion elsewhere. With ties it is
/// conservative. Values are taken as independent.
///
/// # Panics
///
/// When a sample is empty or holds a NaN.
///
/// ```
/// let test = juggle_dataset::audit::ks_2samp(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0]);
/// assert_eq!(test.statistic, 1.0);
/// assert!((test.p_value - 2.0 / 35.0).abs() < 1e-12);
/// ```
pub fn ks_2samp(a: &[f64], b: &[f64]) -> KsTest {
    assert!(!a.is_empty() && !b.is_empty(), "both samples hold values");
    let (n, m) = (a.len(), b.len());
    let g = gcd(n, m);
    let (n_g, m_g) = (n / g, m / g);
    let steps = largest_gap(a, b, (n_g, m_g));
    let statistic = to_f64(steps) / (to_f64(n_g) * to_f64(m));
    let effective = (to_f64(n) * to_f64(m) / (to_f64(n) + to_f64(m))).round();
    let p_value = if steps == 0 {
        1.0
    } else if n.saturating_mul(m) > MAX_EXACT && effective > MIN_ASYMPTOTIC {
        kolmogorov_tail(effective, statistic)
    } else if n == m {
        outside_square(n, steps)
    } else {
        outside_band((n, m), (n_g, m_g), steps)
    };
    KsTest {
        statistic,
        p_value: p_value.clamp(0.0, 1.0),
    }
}

/// Holm's step-down correction: p-values that bound the probability of even one false alarm among all tests, in
/// the order given. Equal to statsmodels' `multipletests(method="holm")`.
///
/// ```
/// let adjusted = juggle_dataset::audit::holm(&[0.01, 0.5, 0.02]);
/// assert_eq!(adjusted, [0.03, 0.5, 0.04]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &i) in order.iter().enumerate() {
        let factor = to_f64(p_values.len() - rank);
        largest = largest.max((factor * p_values[i]).min(1.0));
        adjusted[i] = largest;
    }
    adjusted
}

/// The largest difference of the empirical distribution functions, in units of 1 / lcm(n, m).
fn largest_gap(a: &[f64], b: &[f64], (n_g, m_g): (usize, usize)) -> usize {
    let sorted = |values: &[f64]| {
        assert!(!values.iter().any(|v| v.is_nan()), "values are numbers");
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (a, b) = (sorted(a), sorted(b));
    let (mut i, mut j, mut largest) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let value = a[i].min(b[j]);
        while i < a.len() && a[i] <= value {
            i += 1;
        }
        while j < b.len() && b[j] <= value {
            j += 1;
        }
        largest = largest.max((i * m_g).abs_diff(j * n_g));
    }
    largest
}

/// The share of lattice paths from (0, 0) to (n, n) that leave the band |x − y| < h: an alternating sum in
/// Horner's form, since its terms cancel otherwise.
fn outside_square(n: usize, h: usize) -> f64 {
    let (n_f, h_f) = (to_f64(n), to_f64(h));
    let mut share = 0.0;
    for k in (0..=n / h).rev() {
        let shift = to_f64(k) * h_f;
        let ratio = (0..h).map(to_f64).fold(1.0, |product, j| {
            (n_f - shift - j) * product / (n_f + shift + j + 1.0)
        });
        share = ratio * (1.0 - share);
    }
    2.0 * share
}

/// The share of lattice paths from (0, 0) to (n, m) that touch |x·m − y·n| / gcd ≥ h.
///
/// The share among the paths to (x, y) is 1 outside the band; inside it is the mean of the shares at the two
/// points before, weighted by how many of the paths come from there: x and y of x + y. All terms are
/// positive, so the smallest p-value keeps its digits.
fn outside_band((n, m): (usize, usize), (n_g, m_g): (usize, usize), h: usize) -> f64 {
    let inverse: Vec<f64> = (0..=n + m).map(|k| 1.0 / to_f64(k.max(1))).collect();
    let mut share = vec![1.0; m + 1];
    let weights: Vec<f64> = (0..=m).map(to_f64).collect();
    for x in 0..=n {
        let across = x * m_g;
        // Inside are the y with |across − y·n_g| < h.
        let low = (across + 1).saturating_sub(h).div_ceil(n_g);
        let high = ((across + h - 1) / n_g).min(m);
        if low > high {
            // No point of this column is inside, so no path stays inside.
            return 1.0;
        }
        // Above `high` the shares are still 1 from the beginning: the band only moves up.
        let mut left = 1.0;
        let x_f = to_f64(x);
        for y in low..=high {
            let value = if x == 0 && y == 0 {
                0.0
            } else {
                // At x = 0 or y = 0 the point outside the grid has weight 0.
                (share[y] * x_f + left * weights[y]) * inverse[x + y]
            };
            share[y] = value;
            left = value;
        }
    }
    share[m]
}

/// The probability of a one-sample two-sided statistic of at least `d` with `n` values.
fn kolmogorov_tail(n: f64, d: f64) -> f64 {
    let n_d2 = n * d * d;
    if n_d2 >= 370.0 {
        0.0
    } else if n_d2 >= 2.2 || d >= 0.5 {
        2.0 * smirnov_tail(n, d)
    } else {
        1.0 - pelz_good(n, d)
    }
}

/// Smirnov's probability of a one-sided statistic of at least `d`: d Σⱼ C(n, j) (d + j/n)ʲ⁻¹ (1 − d − j/n)ⁿ⁻ʲ.
fn smirnov_tail(n: f64, d: f64) -> f64 {
    let (mut ln_binomial, mut sum, mut j) = (0.0, 0.0, 0.0);
    while j <= n * (1.0 - d) {
        let up = d + j / n;
        let down = 1.0 - up;
        if down > 0.0 {
            sum += (ln_binomial + (j - 1.0) * up.ln() + (n - j) * down.ln()).exp();
        }
        ln_binomial += ((n - j) / (j + 1.0)).ln();
        j += 1.0;
    }
    d * sum
}

/// Pelz and Good (1976): the distribution function to the order n^(−3/2), in the form of scipy's
/// `_kolmogn_PelzGood`.
fn pelz_good(n: f64, d: f64) -> f64 {
    let z = n.sqrt() * d;
    let z2 = z * z;
    let (z4, z6) = (z2 * z2, z2 * z2 * z2);
    let (pi2, pi4, pi6) = (PI.powi(2), PI.powi(4), PI.powi(6));
    let ln_q = -pi2 / 8.0 / z2;
    if ln_q < -708.0 {
        return 0.0;
    }
    let q = ln_q.exp();
    let terms = (16.0 * z / PI).ceil();
    let mut sums = [0.0; 4];
    let mut k = terms;
    while k >= 1.0 {
        let m2 = (2.0 * k - 1.0).powi(2);
        let (m4, m6) = (m2 * m2, m2 * m2 * m2);
        let power = q.powf(8.0 * k);
        let coefficients = [
            1.0,
            -z2 + pi2 / 4.0 * m2,
            6.0 * z6
                + 2.0 * z4
                + (2.0 * z4 - 5.0 * z2) * pi2 / 4.0 * m2
                + pi4 * (1.0 - 2.0 * z2) / 16.0 * m4,
            -30.0 * z6 - 90.0 * z4 * z4
                + pi2 * (135.0 * z4 - 96.0 * z6) / 4.0 * m2
                + pi4 * (-60.0 * z2 + 212.0 * z4) / 16.0 * m4
                + pi6 * (5.0 - 30.0 * z2) / 64.0 * m6,
        ];
        for (sum, coefficient) in sums.iter_mut().zip(coefficients) {
            *sum = *sum * power + coefficient;
        }
        k -= 1.0;
    }
    let root = (2.0 * PI).sqrt();
    let divisors = [z, 6.0 * z4, 72.0 * z4 * z2 * z, 6480.0 * z4 * z6];
    for (sum, divisor) in sums.iter_mut().zip(divisors) {
        *sum *= q * root / divisor;
    }
    let q = (-pi2 / 2.0 / z2).exp();
    let mut k = terms;
    while k >= 1.0 {
        let k2 = k * k;
        let power = q.powf(k2);
        sums[2] += k2 * power * pi2 * root / (-36.0 * z2 * z);
        sums[3] += (3.0 * z2 - pi2 * k2) * k2 * power * pi2 * root / (216.0 * z6);
        k -= 1.0;
    }
    sums[0] + sums[1] / n.sqrt() + sums[2] / n + sums[3] / n.powf(1.5)
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of images and their products by small factors are far below 2^53"
)]
fn to_f64(n: usize) -> f64 {
    n as f64
}
