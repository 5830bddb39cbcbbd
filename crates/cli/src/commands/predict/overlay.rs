//! An occlusion map over its image.

use std::path::Path;

use anyhow::Result;
use juggle_dataset::{ImageShape, write_png};
use juggle_models::OcclusionMap;

use crate::picture::{Canvas, enlargement};

/// Longer side of an enlarged image, pixels.
const SIDE: usize = 256;
/// Between the image and the map, and around both.
const GAP: usize = 8;
const PAPER: u8 = 255;
/// A drop of a pixel in full colour where the largest one is smaller: noise is not blown up.
const LEAST_SCALE: f32 = 0.01;
/// How much of the image is left under a pixel in full colour.
const IMAGE_UNDER_COLOR: f32 = 0.25;
/// Where hiding lowers the probability, and where it raises it.
const LOWERS: [f32; 3] = [0.84, 0.15, 0.16];
const RAISES: [f32; 3] = [0.13, 0.40, 0.67];

/// Draws the image on the left; on the right the same in gray, under red where hiding lowers the probability and under blue
/// where it raises it, the largest change in full colour.
pub(super) fn write(
    file: &Path,
    pixels: &[f32],
    shape: ImageShape,
    map: &OcclusionMap,
) -> Result<()> {
    let scale = enlargement(shape, SIDE);
    let (height, width) = (shape.height * scale, shape.width * scale);
    let whole = ImageShape {
        channels: 3,
        height: height + 2 * GAP,
        width: 2 * width + 3 * GAP,
    };
    let mut canvas = Canvas::new(whole, PAPER);
    canvas.paste(pixels, shape, (GAP, GAP), scale);
    let rgb = ImageShape {
        channels: 3,
        ..shape
    };
    let colored = colored(
        &luma(pixels, shape),
        &map.per_pixel(shape.height, shape.width),
    );
    canvas.paste(&colored, rgb, (GAP, width + 2 * GAP), scale);
    write_png(file, &canvas.image)?;
    Ok(())
}

/// Gray under a colour, CHW.
fn colored(gray: &[f32], drop: &[f32]) -> Vec<f32> {
    let scale = drop
        .iter()
        .fold(LEAST_SCALE, |scale, drop| scale.max(drop.abs()));
    let plane = gray.len();
    let mut pixels = vec![0.0; 3 * plane];
    for (i, (&gray, &drop)) in gray.iter().zip(drop).enumerate() {
        let color = if drop >= 0.0 { LOWERS } else { RAISES };
        let share = drop.abs() / scale * (1.0 - IMAGE_UNDER_COLOR);
        for (c, color) in color.into_iter().enumerate() {
            pixels[c * plane + i] = gray + (color - gray) * share;
        }
    }
    pixels
}

/// ITU-R 601 luma of RGB; gray as it is.
fn luma(pixels: &[f32], shape: ImageShape) -> Vec<f32> {
    let plane = shape.height * shape.width;
    if shape.channels == 1 {
        return pixels.to_vec();
    }
    (0..plane)
        .map(|i| 0.299 * pixels[i] + 0.587 * pixels[plane + i] + 0.114 * pixels[2 * plane + i])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_change_has_full_colour_and_none_is_gray() {
        let pixels = colored(&[0.5; 3], &[0.4, -0.2, 0.0]);
        let of = |i: usize| [pixels[i], pixels[3 + i], pixels[6 + i]];
        let mixed = |color: [f32; 3], share: f32| color.map(|x| 0.5 + (x - 0.5) * share);
        assert_eq!(of(0), mixed(LOWERS, 0.75));
        assert_eq!(of(1), mixed(RAISES, 0.375));
        assert_eq!(of(2), [0.5; 3]);
        // A change of a millionth is no reason for colour.
        let faint = colored(&[0.5], &[1e-6]);
        assert!((faint[0] - 0.5).abs() < 1e-4);
    }
}
