//! Grids of images, for looking at.

use juggle_dataset::{Image, ImageShape};

use super::Canvas;
use crate::examples::argmax;

/// Pixels between two frames and around them.
const GAP: usize = 2;
const WHITE: [u8; 3] = [255; 3];
/// Pixels of the border of a classified image.
const BORDER: usize = 4;
const VERDICT_COLUMNS: usize = 4;
const GREEN: [u8; 3] = [0, 150, 60];
const RED: [u8; 3] = [210, 30, 30];

/// Lays out rows of frames (each N×C×H×W in [0, 1]) with gaps between them. Each pixel becomes a square of side `scale`.
pub(crate) fn grid(rows: &[&[f32]], shape: ImageShape, scale: usize) -> Image {
    let columns = rows[0].len() / shape.len();
    let (cell_height, cell_width) = (shape.height * scale + GAP, shape.width * scale + GAP);
    let whole = ImageShape {
        channels: shape.channels,
        height: rows.len() * cell_height + GAP,
        width: columns * cell_width + GAP,
    };
    let mut canvas = Canvas::new(whole, WHITE[0]);
    for (row, frames) in rows.iter().enumerate() {
        for (column, frame) in frames.chunks_exact(shape.len()).enumerate() {
            let corner = (GAP + row * cell_height, GAP + column * cell_width);
            canvas.paste(frame, shape, corner, scale);
        }
    }
    canvas.image
}

/// Classified images in rows of four, each with a border: green where the class with the largest logit is the label, red where it
/// is not. Each pixel becomes a square of side `scale`.
pub(crate) fn verdicts(
    images: &[f32],
    (labels, logits): (&[u32], &[f32]),
    shape: ImageShape,
    scale: usize,
) -> Image {
    let cell_height = shape.height * scale + 2 * BORDER;
    let cell_width = shape.width * scale + 2 * BORDER;
    let columns = VERDICT_COLUMNS.min(labels.len());
    let whole = ImageShape {
        channels: 3,
        height: labels.len().div_ceil(columns) * cell_height,
        width: columns * cell_width,
    };
    let mut canvas = Canvas::new(whole, WHITE[0]);
    let answers = logits.chunks_exact(logits.len() / labels.len()).zip(labels);
    let images = images.chunks_exact(shape.len());
    for (i, (image, (logits, &label))) in images.zip(answers).enumerate() {
        let is_right = argmax(logits) == label as usize;
        let (top, left) = (i / columns * cell_height, i % columns * cell_width);
        let color = if is_right { GREEN } else { RED };
        canvas.fill((top, left), (cell_height, cell_width), color);
        canvas.paste(image, shape, (top + BORDER, left + BORDER), scale);
    }
    canvas.image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_answers_are_framed_in_green_and_wrong_ones_in_red() {
        let shape = ImageShape {
            channels: 1,
            height: 1,
            width: 2,
        };
        let images = [0.0, 1.0, 1.0, 0.0];
        let picture = verdicts(&images, (&[1, 0], &[0.1, 0.9, 0.2, 0.8]), shape, 4);
        let (height, width) = (picture.shape.height, picture.shape.width);
        assert_eq!((picture.shape.channels, height, width), (3, 12, 32));
        let at =
            |y: usize, x: usize| [0, 1, 2].map(|c| picture.pixels[(c * height + y) * width + x]);
        for (y, x, expected) in [
            (0, 0, GREEN),
            (11, 15, GREEN),
            (6, 3, GREEN),
            (6, 4, [0; 3]),
            (6, 7, [0; 3]),
            (6, 8, [255; 3]),
            (6, 12, GREEN),
            (6, 16, RED),
            (6, 20, [255; 3]),
            (6, 24, [0; 3]),
            (0, 31, RED),
        ] {
            assert_eq!(at(y, x), expected, "{y}, {x}");
        }
    }
}
