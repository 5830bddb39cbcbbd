//! The perceptual hash `phash` of the Python package imagehash, bit for bit: the gray image reduced to
//! 32×32 by Pillow's Lanczos filter, its discrete cosine transform, and for each of the 8×8 lowest
//! frequencies whether it is above their median.

use std::f64::consts::PI;

/// Side of the reduced image.
const SIDE: usize = 32;

/// Frequencies kept along each axis.
const LOW: usize = 8;

/// Bits of the fixed-point weights of Pillow's 8-bit resampling.
const PRECISION: u32 = 22;

/// The 64-bit perceptual hash of a gray image, row by row of frequencies, the first as the highest bit:
/// `str(imagehash.phash(image))` is this number in hexadecimal.
///
/// An image of one value has no frequencies; its hash is that of rounding noise in both programs and says
/// nothing.
///
/// # Panics
///
/// When `gray` does not hold `height × width` values, or none.
///
/// ```
/// let ramp: Vec<u8> = (0..32 * 32).map(|i| (i % 32 * 8) as u8).collect();
/// let brighter: Vec<u8> = ramp.iter().map(|v| v / 2 + 100).collect();
/// let (a, b) = (juggle_dataset::audit::phash(&ramp, 32, 32), juggle_dataset::audit::phash(&brighter, 32, 32));
/// assert!((a ^ b).count_ones() <= 32);
/// ```
pub fn phash(gray: &[u8], height: usize, width: usize) -> u64 {
    assert!(
        !gray.is_empty() && gray.len() == height * width,
        "the values fill the image"
    );
    let low = low_frequencies(&resize(gray, height, width));
    let mut sorted = low;
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[LOW * LOW / 2 - 1], sorted[LOW * LOW / 2]);
    low.iter()
        .fold(0, |bits, &value| bits << 1 | u64::from(value > median))
}

/// The lowest 8×8 coefficients of the unscaled DCT-II, down the columns and then along the rows, as in
/// `scipy.fftpack.dct`.
fn low_frequencies(image: &[u8]) -> [f64; LOW * LOW] {
    let angle = |k: usize, n: usize| PI * to_f64(k * (2 * n + 1)) / to_f64(2 * SIDE);
    let mut cosines = [[0.0; SIDE]; LOW];
    for (k, row) in cosines.iter_mut().enumerate() {
        for (n, cosine) in row.iter_mut().enumerate() {
            *cosine = 2.0 * angle(k, n).cos();
        }
    }
    let mut low = [0.0; LOW * LOW];
    for (k, down) in cosines.iter().enumerate() {
        let mut line = [0.0; SIDE];
        for (row, cosine) in image.chunks_exact(SIDE).zip(down) {
            for (sum, &value) in line.iter_mut().zip(row) {
                *sum += f64::from(value) * cosine;
            }
        }
        for (l, along) in cosines.iter().enumerate() {
            low[k * LOW + l] = line.iter().zip(along).map(|(v, c)| v * c).sum();
        }
    }
    low
}

/// Pillow's `resize((32, 32), LANCZOS)` of an 8-bit gray image, its rounding included.
fn resize(gray: &[u8], height: usize, width: usize) -> Vec<u8> {
    let along = if width == SIDE {
        gray.to_vec()
    } else {
        let windows = windows(width);
        gray.chunks_exact(width)
            .flat_map(|row| windows.iter().map(|window| window.apply(|i| row[i])))
            .collect()
    };
    if height == SIDE {
        return along;
    }
    windows(height)
        .iter()
        .flat_map(|window| (0..SIDE).map(|x| window.apply(|y| along[y * SIDE + x])))
        .collect()
}

/// The inputs of one output value, and their fixed-point weights.
struct Window {
    first: usize,
    weights: Vec<i32>,
}

impl Window {
    fn apply(&self, value: impl Fn(usize) -> u8) -> u8 {
        let half = 1_i32 << (PRECISION - 1);
        let sum = (self.first..)
            .zip(&self.weights)
            .fold(half, |sum, (i, weight)| sum + i32::from(value(i)) * weight);
        u8::try_from((sum >> PRECISION).clamp(0, 255)).expect("clamped to a byte")
    }
}

/// Lanczos windows (three lobes) that reduce or enlarge `size` values to 32.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions lie in 0..=size, weights within ±2 before scaling; cutting is what Pillow does"
)]
fn windows(size: usize) -> Vec<Window> {
    let scale = to_f64(size) / to_f64(SIDE);
    let stretch = scale.max(1.0);
    let support = 3.0 * stretch;
    let window = |i: usize| {
        let center = (to_f64(i) + 0.5) * scale;
        let first = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(size);
        let inverse = 1.0 / stretch;
        let weights: Vec<f64> = (first..end)
            .map(|j| lanczos((to_f64(j) - center + 0.5) * inverse))
            .collect();
        let total: f64 = weights.iter().sum();
        let fixed = |weight: f64| {
            let scaled = weight / total * f64::from(1_u32 << PRECISION);
            (scaled + 0.5_f64.copysign(scaled)) as i32
        };
        Window {
            first,
            weights: weights.into_iter().map(fixed).collect(),
        }
    };
    (0..SIDE).map(window).collect()
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| {
        if x == 0.0 {
            1.0
        } else {
            (x * PI).sin() / (x * PI)
        }
    };
    if (-3.0..3.0).contains(&x) {
        sinc(x) * sinc(x / 3.0)
    } else {
        0.0
    }
}

#[expect(clippy::cast_precision_loss, reason = "sides of images are small")]
fn to_f64(n: usize) -> f64 {
    n as f64
}
