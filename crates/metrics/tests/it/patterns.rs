//! The images of `tests/golden/images.json`: the counterpart of `generate_images.py`.

use ndarray::Array3;
use serde_json::Value;

/// Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014.
pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (0.5_f64).powi(53)
    }
}

/// Values in `[0, 1]` of a C×H×W image.
pub(crate) fn unit_pixels(pattern: &Value, shape: [usize; 3]) -> Array3<f64> {
    let [channels, height, width] = shape;
    match pattern["kind"].as_str().unwrap() {
        "random" => {
            let mut rng = SplitMix64::new(pattern["seed"].as_u64().unwrap());
            Array3::from_shape_simple_fn(shape, || rng.unit())
        }
        "smooth" => Array3::from_shape_fn(shape, |(c, i, j)| {
            (i * j + c) as f64 / (height * width + channels) as f64
        }),
        "checkerboard" => Array3::from_shape_fn(shape, |(c, i, j)| {
            if (i + j + c).is_multiple_of(2) {
                0.75
            } else {
                0.25
            }
        }),
        "constant" => Array3::from_elem(shape, pattern["value"].as_f64().unwrap()),
        "noisy" => {
            let mut rng = SplitMix64::new(pattern["seed"].as_u64().unwrap());
            let amplitude = pattern["amplitude"].as_f64().unwrap();
            unit_pixels(&pattern["base"], shape)
                .mapv_into(|x| (x + amplitude * (rng.unit() - 0.5)).clamp(0.0, 1.0))
        }
        kind => panic!("unknown pattern {kind}"),
    }
}

/// Proves that Python measured the same image.
pub(crate) fn checksum<T: juggle_metrics::Pixel>(pixels: &Array3<T>) -> String {
    let sum = pixels
        .iter()
        .zip(1_u64..)
        .fold(0_u64, |sum, (pixel, position)| {
            sum.wrapping_add(pixel.to_f64().to_bits().wrapping_mul(position))
        });
    format!("{sum:016x}")
}
