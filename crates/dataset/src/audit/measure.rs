//! What is kept of an image after it was decoded once.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::hash::phash;
use crate::error::Result;
use crate::folder::ReadOptions;
use crate::png::{ColorMode, ImageShape, luma, probe, read_png};

/// Side of a thumbnail.
pub(super) const THUMBNAIL: usize = 16;

/// Values of a thumbnail.
pub(super) const VALUES: usize = THUMBNAIL * THUMBNAIL;

/// One number of an image whose distribution is compared between splits and classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// Mean of the gray values, in [0, 1].
    Brightness,
    /// Standard deviation of the gray values, in [0, 1].
    Contrast,
    /// Share of the pixels brighter than Otsu's threshold of the image
    /// (`skimage.filters.threshold_otsu`), in [0, 1].
    Foreground,
    /// Rows, pixels.
    Height,
    /// Columns, pixels.
    Width,
}

impl Quantity {
    /// All quantities, in the order of reports.
    pub const ALL: [Self; 5] = [
        Self::Brightness,
        Self::Contrast,
        Self::Foreground,
        Self::Height,
        Self::Width,
    ];

    /// The name in lower case, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brightness => "brightness",
            Self::Contrast => "contrast",
            Self::Foreground => "foreground",
            Self::Height => "height",
            Self::Width => "width",
        }
    }
}

/// An image in numbers.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) shape: ImageShape,
    /// SHA-256 of shape and pixels.
    pub(super) sha256: [u8; 32],
    /// Gray, reduced to 16×16 by averaging blocks.
    pub(super) thumbnail: [u8; VALUES],
    pub(super) phash: u64,
    /// Number, sum and sum of squares of all values of all channels.
    pub(super) sums: (u64, u64, u64),
    brightness: f64,
    contrast: f64,
    foreground: f64,
}

impl Measured {
    #[expect(clippy::cast_precision_loss, reason = "sides of images are small")]
    pub(super) fn get(&self, quantity: Quantity) -> f64 {
        match quantity {
            Quantity::Brightness => self.brightness,
            Quantity::Contrast => self.contrast,
            Quantity::Foreground => self.foreground,
            Quantity::Height => self.shape.height as f64,
            Quantity::Width => self.shape.width as f64,
        }
    }
}

/// Decodes and measures every file, in parallel, holding the pixels of one file a thread. Each file has its own
/// outcome.
pub(super) fn measure_all(files: &[PathBuf], options: &ReadOptions) -> Vec<Result<Measured>> {
    let color = options.color.unwrap_or_else(|| {
        let colored = files.par_iter().any(|file| {
            probe(file, &options.limits).is_ok_and(|header| header.native == ColorMode::Rgb)
        });
        if colored {
            ColorMode::Rgb
        } else {
            ColorMode::Gray
        }
    });
    files
        .par_iter()
        .map(|file| measure(file, color, options))
        .collect()
}

fn measure(path: &Path, color: ColorMode, options: &ReadOptions) -> Result<Measured> {
    let image = read_png(path, color, &options.limits)?;
    let ImageShape { height, width, .. } = image.shape;
    let gray = match color {
        ColorMode::Gray => image.pixels.clone(),
        ColorMode::Rgb => {
            let (red, rest) = image.pixels.split_at(height * width);
            let (green, blue) = rest.split_at(height * width);
            let pixels = red.iter().zip(green).zip(blue);
            pixels.map(|((&r, &g), &b)| luma(&[r, g, b])).collect()
        }
    };
    let mut sha256 = Sha256::new();
    for side in [height, width] {
        sha256.update((side as u64).to_le_bytes());
    }
    sha256.update(&image.pixels);
    let histogram = histogram(&gray);
    let (brightness, contrast) = super::mean_and_std(&gray);
    Ok(Measured {
        shape: image.shape,
        sha256: sha256.finalize().into(),
        thumbnail: thumbnail(&gray, height, width),
        phash: phash(&gray, height, width),
        sums: super::sums(&image.pixels),
        brightness,
        contrast,
        foreground: foreground(&histogram),
    })
}

fn histogram(gray: &[u8]) -> [u64; 256] {
    let mut counts = [0; 256];
    for &value in gray {
        counts[usize::from(value)] += 1;
    }
    counts
}

/// The share of the values above the threshold that parts them into two groups with the largest variance between
/// the means; the least such threshold.
#[expect(
    clippy::cast_precision_loss,
    reason = "pixels of one image are far below 2^53"
)]
fn foreground(histogram: &[u64; 256]) -> f64 {
    let total: u64 = histogram.iter().sum();
    let sum: u64 = (0_u64..).zip(histogram).map(|(v, n)| v * n).sum();
    let (mut below, mut sum_below) = (0, 0);
    let (mut best, mut above_best) = (0.0, 0);
    for (value, &count) in (0_u64..).zip(histogram) {
        below += count;
        sum_below += value * count;
        let above = total - below;
        if count == 0 || above == 0 {
            continue;
        }
        let (w_below, w_above) = (below as f64, above as f64);
        let gap = sum_below as f64 / w_below - (sum - sum_below) as f64 / w_above;
        let between = w_below * w_above * gap * gap;
        if between > best {
            (best, above_best) = (between, above);
        }
    }
    above_best as f64 / total as f64
}

/// Averages blocks to 16×16; an image smaller than that along an axis is repeated.
fn thumbnail(gray: &[u8], height: usize, width: usize) -> [u8; VALUES] {
    let block = |i: usize, size: usize| {
        let first = i * size / THUMBNAIL;
        first..((i + 1) * size / THUMBNAIL).max(first + 1)
    };
    let mut values = [0; VALUES];
    for (i, value) in values.iter_mut().enumerate() {
        let (ys, xs) = (block(i / THUMBNAIL, height), block(i % THUMBNAIL, width));
        let n = ys.len() * xs.len();
        let rows = ys.map(|y| &gray[y * width + xs.start..y * width + xs.end]);
        let sum: usize = rows.flatten().map(|&v| usize::from(v)).sum();
        *value = u8::try_from((sum + n / 2) / n).expect("a mean of bytes is a byte");
    }
    values
}
