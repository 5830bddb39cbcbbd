//! The fast pass against the formula, and the windows against their definitions.

use ndarray::{Array2, ArrayView2, s};

use super::pass::BAND;
use super::pass::lanes::TILE;
use super::window::Window;
use super::{Convention, Covariance, Ssim};

/// SSIM as the paper writes it: a loop over windows, a loop over the pixels of each, deviations
/// from the mean.
fn by_definition(
    taps: &[f64],
    covariance_norm: f64,
    truth: ArrayView2<'_, f64>,
    prediction: ArrayView2<'_, f64>,
) -> f64 {
    let k = taps.len();
    let (c1, c2) = (0.01_f64.powi(2), 0.03_f64.powi(2));
    let weights = Array2::from_shape_fn((k, k), |(i, j)| taps[i] * taps[j]);
    let mut sum = 0.0;
    let mut n_positions = 0.0;
    for i in 0..=truth.nrows() - k {
        for j in 0..=truth.ncols() - k {
            let x = truth.slice(s![i..i + k, j..j + k]);
            let y = prediction.slice(s![i..i + k, j..j + k]);
            let mean_x = (&weights * &x).sum();
            let mean_y = (&weights * &y).sum();
            let deviation_x = &x - mean_x;
            let deviation_y = &y - mean_y;
            let variance_x = covariance_norm * (&weights * &deviation_x * &deviation_x).sum();
            let variance_y = covariance_norm * (&weights * &deviation_y * &deviation_y).sum();
            let covariance = covariance_norm * (&weights * &deviation_x * &deviation_y).sum();
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

/// Each kind of window that is compiled on its own, and a size of each that is not.
fn settings() -> [(Ssim, Window); 4] {
    let of = |convention| Ssim::new(convention, 1.0).covariance(Covariance::Sample);
    [
        (of(Convention::ScikitImage), Window::Uniform(7)),
        (
            of(Convention::ScikitImage).window_size(9),
            Window::Uniform(9),
        ),
        (
            of(Convention::ScikitImageGaussian),
            Window::gaussian(1.5, 11),
        ),
        (
            of(Convention::ScikitImageGaussian).sigma(0.8),
            Window::gaussian(0.8, 7),
        ),
    ]
}

#[test]
fn fast_pass_is_the_formula() {
    let sides = [7, 8, 9, 10, 11, 12, 13, 14, 15, 18, 19, 23, 33];
    let mut sizes: Vec<(usize, usize)> = sides.iter().map(|&side| (side, side)).collect();
    // One row of windows, one column of them, sizes around one and two tiles, and around one and two bands.
    sizes.extend([(7, 33), (33, 7), (11, 40), (40, 11)]);
    let tile = TILE;
    let widths = [
        tile + 5,
        tile + 6,
        tile + 7,
        tile + 10,
        tile + 11,
        2 * tile + 20,
    ];
    sizes.extend(widths.map(|width| (13, width)));
    sizes.extend([BAND + 5, BAND + 7, BAND + 11, 2 * BAND + 12].map(|height| (height, 12)));
    for (height, width) in sizes {
        let (truth, prediction) = images(height, width);
        let (x, y) = (truth.view(), prediction.view());
        for (ssim, window) in settings() {
            let size = window.size();
            let taps = match window {
                Window::Uniform(size) => vec![1.0 / size as f64; size],
                Window::Gaussian(taps) => taps,
            };
            if height.min(width) < size {
                continue;
            }
            let n = (size * size) as f64;
            let expected = by_definition(&taps, n / (n - 1.0), x, y);
            let deviation = (ssim.mean(x, y).unwrap() - expected).abs();
            assert!(
                deviation < 1e-13,
                "{ssim:?}, {height}×{width}: {deviation:e}"
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
        let ssim = Ssim::new(Convention::ScikitImage, 1.0);
        let found = ssim.mean(truth.view(), prediction.view()).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

/// The map's mean over its positions is what the fast pass finds: inside the image, or, where the mirror is seen, at all of them.
#[test]
fn the_map_and_the_fast_pass_agree() {
    let mirrored = Ssim::new(Convention::Torchmetrics, 1.0);
    for (height, width) in [(150, 120), (12, TILE + 9), (BAND + 3, 23), (6, 6)] {
        let (truth, prediction) = images(height, width);
        let (x, y) = (truth.view(), prediction.view());
        let others = settings().map(|(ssim, window)| (ssim, window.radius()));
        for (ssim, r) in others
            .into_iter()
            .chain([(mirrored, 0), (mirrored.sigma(0.8), 0)])
        {
            let Ok(mean) = ssim.mean(x, y) else {
                assert!(height.min(width) < 12, "{ssim:?}, {height}×{width}");
                continue;
            };
            let map = ssim.map(x, y).unwrap();
            let inside = map.slice(s![r..height - r, r..width - r]).mean().unwrap();
            let deviation = (inside - mean).abs();
            assert!(
                deviation < 1e-13,
                "{ssim:?}, {height}×{width}: {deviation:e}"
            );
        }
    }
}

/// Moving one pixel of the prediction changes the mean of the map as the gradient says.
#[test]
fn the_gradient_is_a_slope() {
    let (truth, prediction) = images(24, 31);
    for (ssim, _) in settings() {
        let Ok(gradient) = ssim.gradient(truth.view(), prediction.view()) else {
            continue;
        };
        // In the middle the windows of all positions lie inside, where the formula is exact but for the sample covariance.
        let ssim = ssim.covariance(Covariance::Population);
        let exact = ssim.gradient(truth.view(), prediction.view()).unwrap();
        let at = [12, 15];
        let mean = |step: f64| {
            let mut moved = prediction.clone();
            moved[at] += step;
            ssim.map(truth.view(), moved.view())
                .unwrap()
                .mean()
                .unwrap()
        };
        let slope = (mean(1e-5) - mean(-1e-5)) / 2e-5;
        assert!((slope - exact[at]).abs() < 1e-9, "{slope} {}", exact[at]);
        assert!(gradient.iter().all(|x| x.is_finite()));
    }
}
