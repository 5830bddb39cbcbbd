//! Small pictures for a report.

use std::path::Path;

use crate::error::Result;
use crate::folder::ReadOptions;
use crate::png::{Image, ImageShape, encode_png, probe, read_png};

/// The bytes of a PNG picture of an image, reduced by averaging blocks until no side is longer than `side` pixels;
/// an image that fits stays as it is.
///
/// # Errors
///
/// As [`read_png`].
///
/// # Panics
///
/// When `side` is 0.
///
/// ```
/// use juggle_dataset::{Image, ImageShape, ReadOptions, audit, write_png};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("large.png");
/// let shape = ImageShape { channels: 1, height: 300, width: 100 };
/// write_png(&path, &Image { shape, pixels: vec![7; shape.len()] })?;
/// let png = audit::preview_png(&path, &ReadOptions::default(), 96)?;
/// assert_eq!(png[16..24], [0, 0, 0, 25, 0, 0, 0, 75]); // width and height
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn preview_png(path: &Path, options: &ReadOptions, side: usize) -> Result<Vec<u8>> {
    let color = match options.color {
        Some(color) => color,
        None => probe(path, &options.limits)?.native,
    };
    let image = read_png(path, color, &options.limits)?;
    let longest = image.shape.height.max(image.shape.width);
    let block = longest.div_ceil(side);
    Ok(encode_png(&if block > 1 {
        reduced(&image, block)
    } else {
        image
    }))
}

/// Means of square blocks; those at the edges may be smaller.
fn reduced(image: &Image, block: usize) -> Image {
    let ImageShape {
        channels,
        height,
        width,
    } = image.shape;
    let shape = ImageShape {
        channels,
        height: height.div_ceil(block),
        width: width.div_ceil(block),
    };
    let mut pixels = Vec::with_capacity(shape.len());
    for plane in image.pixels.chunks_exact(height * width) {
        for y in 0..shape.height {
            let ys = y * block..((y + 1) * block).min(height);
            for x in 0..shape.width {
                let xs = x * block..((x + 1) * block).min(width);
                let n = ys.len() * xs.len();
                let rows = ys.clone().map(|y| &plane[y * width..][xs.clone()]);
                let sum: usize = rows.flatten().map(|&v| usize::from(v)).sum();
                pixels.push(u8::try_from((sum + n / 2) / n).expect("a mean of bytes is a byte"));
            }
        }
    }
    Image { shape, pixels }
}
