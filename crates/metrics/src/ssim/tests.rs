//! The fast pass against the formula, and the windows against their definitions.

use ndarray::{Array2, ArrayView2, s};

use super::filter::{GAUSSIAN, TILE, UNIFORM, Window};
use super::{ssim, ssim_gaussian};

/// SSIM as the paper writes it: a loop over windows, a loop over the pixels of each, deviations
/// from the mean.
fn by_definition<const K: usize>(
    window: &Window<K>,
    truth: ArrayView2<'_, f64>,
    prediction: ArrayView2<'_, f64>,
    data_range: f64,
) -> f64 {
    let c1 = (0.01 * data_range).powi(2);
    let c2 = (0.03 * data_range).powi(2);
    let weights = Array2::from_shape_fn((K, K), |(k, l)| {
        window.taps[k] * window.taps[l] / window.weight
    });
    let mut sum = 0.0;
    let mut n_positions = 0.0;
    for i in 0..=truth.nrows() - K {
        for j in 0..=truth.ncols() - K {
            let x = truth.slice(s![i..i + K, j..j + K]);
            let y = prediction.slice(s![i..i + K, j..j + K]);
            let mean_x = (&weights * &x).sum();
            let mean_y = (&weights * &y).sum();
            let deviation_x = &x - mean_x;
            let deviation_y = &y - mean_y;
            let norm = window.covariance_norm;
            let variance_x = norm * (&weights * &deviation_x * &deviation_x).sum();
            let variance_y = norm * (&weights * &deviation_y * &deviation_y).sum();
            let covariance = norm * (&weights * &deviation_x * &deviation_y).sum();
            sum += (2.0 * mean_x * mean_y + c1) * (2.0 * covariance + c2)
                / ((mean_x.powi(2) + mean_y.powi(2) + c1) * (variance_x + variance_y + c2));
            n_positions += 1.0;
        }
    }
    sum / n_positions
}

/// Two related images, without a random generator: a hash of the position.
fn images(height: usize, width: usize) -> (Array2<f64>, Array2<f64>) {
    let noise = |i: usize, j: usize, k: usize| ((i * 7919 + j * 104_729 + k * 31) % 1009) as f64;
    let truth = Array2::from_shape_fn((height, width), |(i, j)| noise(i, j, 0) / 1009.0);
    let other = Array2::from_shape_fn((height, width), |(i, j)| noise(j, i, 1) / 1009.0);
    let prediction = 0.7 * &truth + 0.3 * &other;
    (truth, prediction)
}

#[test]
fn fast_pass_is_the_formula() {
    let sides = [7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 23, 33];
    let mut sizes: Vec<(usize, usize)> = sides.iter().map(|&side| (side, side)).collect();
    // One row of windows, one column of them, and widths around one and two tiles.
    sizes.extend([(7, 33), (33, 7), (11, 40), (40, 11)]);
    sizes.extend(
        [
            TILE + 5,
            TILE + 6,
            TILE + 7,
            TILE + 10,
            TILE + 11,
            2 * TILE + 20,
        ]
        .map(|width| (13, width)),
    );
    for (height, width) in sizes {
        let (truth, prediction) = images(height, width);
        let (x, y) = (truth.view(), prediction.view());
        let deviation = (ssim(x, y, 1.0).unwrap() - by_definition(&UNIFORM, x, y, 1.0)).abs();
        assert!(deviation < 1e-13, "{height}×{width}: {deviation:e}");
        if height >= 11 && width >= 11 {
            let found = ssim_gaussian(x, y, 1.0).unwrap();
            let deviation = (found - by_definition(&GAUSSIAN, x, y, 1.0)).abs();
            assert!(
                deviation < 1e-13,
                "Gaussian, {height}×{width}: {deviation:e}"
            );
        }
    }
}

/// Their variance is zero, so the formula has a value by hand.
#[test]
fn constant_images() {
    for (x, y) in [(0.0, 1.0), (0.3, 0.7), (255.0, 254.0)] {
        let truth = Array2::from_elem((20, 300), x);
        let prediction = Array2::from_elem((20, 300), y);
        let c1 = 0.01_f64.powi(2);
        let expected = (2.0 * x * y + c1) / (x * x + y * y + c1);
        let found = ssim(truth.view(), prediction.view(), 1.0).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn gaussian_taps_are_the_gaussian() {
    let weights: Vec<f64> = (-5..=5)
        .map(|d| f64::exp(-0.5 * f64::from(d * d) / (1.5 * 1.5)))
        .collect();
    let total: f64 = weights.iter().sum();
    for (tap, weight) in GAUSSIAN.taps.iter().zip(&weights) {
        assert!((tap - weight / total).abs() < 1e-16);
    }
    assert!((GAUSSIAN.taps.iter().sum::<f64>() - 1.0).abs() < 1e-15);
}
