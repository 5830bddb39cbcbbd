//! Images inside the file, as PNG in `data:` addresses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use juggle_dataset::{Image, ImageShape, encode_png};
use maud::{Markup, html};

use crate::examples::byte_from_unit;

/// Sides longer than this are made smaller: a page of photos would be too large to open.
const MAX_SIDE: usize = 128;

/// An image of CHW bytes. `alt` is what a reader who cannot see it should know.
pub(super) fn of_bytes(pixels: &[u8], shape: ImageShape, alt: &str) -> Markup {
    let image = shrink(pixels, shape);
    let (height, width) = (image.shape.height, image.shape.width);
    let address = data_address(&encode_png(&image));
    html! { img.pixels src=(address) alt=(alt) width=(width) height=(height); }
}

/// A frame of CHW values in [0, 1].
pub(super) fn of_units(frame: &[f32], shape: ImageShape, alt: &str) -> Markup {
    let pixels: Vec<u8> = frame.iter().map(|&x| byte_from_unit(x)).collect();
    of_bytes(&pixels, shape, alt)
}

pub(super) fn data_address(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}

/// The mean of whole squares of pixels, where the image is large.
fn shrink(pixels: &[u8], shape: ImageShape) -> Image {
    let factor = shape.height.max(shape.width).div_ceil(MAX_SIDE);
    let (height, width) = (shape.height / factor, shape.width / factor);
    if factor == 1 || height == 0 || width == 0 {
        return Image {
            shape,
            pixels: pixels.to_vec(),
        };
    }
    let mut small = Vec::with_capacity(shape.channels * height * width);
    for plane in pixels.chunks_exact(shape.height * shape.width) {
        for y in 0..height {
            for x in 0..width {
                let rows = plane
                    .chunks_exact(shape.width)
                    .skip(y * factor)
                    .take(factor);
                let square = rows.flat_map(|row| &row[x * factor..(x + 1) * factor]);
                let sum: usize = square.map(|&byte| usize::from(byte)).sum();
                let mean = sum / (factor * factor);
                small.push(u8::try_from(mean).expect("a mean of bytes is a byte"));
            }
        }
    }
    Image {
        shape: ImageShape {
            height,
            width,
            ..shape
        },
        pixels: small,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_become_small_and_small_ones_stay() {
        let shape = |height, width| ImageShape {
            channels: 1,
            height,
            width,
        };
        let pixels: Vec<u8> = (0..200 * 300)
            .map(|i| if i % 2 == 0 { 10 } else { 30 })
            .collect();
        let small = shrink(&pixels, shape(200, 300));
        assert_eq!((small.shape.height, small.shape.width), (66, 100));
        assert!(small.pixels.iter().all(|byte| (16..=24).contains(byte)));
        let pixels = [1, 2, 3, 4];
        assert_eq!(shrink(&pixels, shape(2, 2)).pixels, pixels);
    }
}
