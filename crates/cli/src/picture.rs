//! Drawing frames into one image: enlarged, side by side, with room between.

mod grid;

use juggle_dataset::{Image, ImageShape};

use crate::examples::byte_from_unit;

pub(crate) use grid::{grid, verdicts};

/// An image under construction.
pub(crate) struct Canvas {
    pub(crate) image: Image,
}

impl Canvas {
    /// An image of one value in each channel.
    pub(crate) fn new(shape: ImageShape, value: u8) -> Self {
        let pixels = vec![value; shape.len()];
        Self {
            image: Image { shape, pixels },
        }
    }

    /// Draws a frame (CHW in [0, 1]) with its upper left corner at (row, column), each pixel a square of side `scale`.
    /// Gray frames on a coloured canvas are gray there.
    pub(crate) fn paste(
        &mut self,
        frame: &[f32],
        shape: ImageShape,
        (top, left): (usize, usize),
        scale: usize,
    ) {
        let whole = self.image.shape;
        for c in 0..whole.channels {
            let plane = c.min(shape.channels - 1) * shape.height * shape.width;
            for y in 0..shape.height * scale {
                let row = (c * whole.height + top + y) * whole.width + left;
                for x in 0..shape.width * scale {
                    let value = frame[plane + y / scale * shape.width + x / scale];
                    self.image.pixels[row + x] = byte_from_unit(value);
                }
            }
        }
    }

    /// Fills a rectangle of (height, width) with a colour, of which a gray canvas takes the first channel.
    pub(crate) fn fill(
        &mut self,
        (top, left): (usize, usize),
        (height, width): (usize, usize),
        color: [u8; 3],
    ) {
        let whole = self.image.shape;
        for (c, value) in color.into_iter().enumerate().take(whole.channels) {
            for y in top..top + height {
                let row = (c * whole.height + y) * whole.width + left;
                self.image.pixels[row..row + width].fill(value);
            }
        }
    }
}

/// How much frames are enlarged so that small ones can be looked at: the longer side becomes about `side` pixels, and no frame
/// is made smaller.
pub(crate) fn enlargement(shape: ImageShape, side: usize) -> usize {
    (side / shape.height.max(shape.width)).max(1)
}

/// At most `most` indices below `n`, from the first to the last.
pub(crate) fn evenly_spaced(n: usize, most: usize) -> Vec<usize> {
    let chosen = most.min(n);
    (0..chosen)
        .map(|i| i * (n - 1) / (chosen - 1).max(1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gray_frame_is_enlarged_onto_a_coloured_canvas() {
        let shape = |channels, height, width| ImageShape {
            channels,
            height,
            width,
        };
        let mut canvas = Canvas::new(shape(3, 3, 6), 9);
        canvas.paste(&[0.0, 1.0], shape(1, 1, 2), (1, 1), 2);
        canvas.fill((0, 5), (2, 1), [7; 3]);
        let plane = [
            [9, 9, 9, 9, 9, 7],
            [9, 0, 0, 255, 255, 7],
            [9, 0, 0, 255, 255, 9],
        ];
        assert_eq!(canvas.image.pixels, [plane; 3].concat().concat());
        assert_eq!(enlargement(shape(1, 32, 20), 128), 4);
        assert_eq!(enlargement(shape(1, 32, 200), 128), 1);
        assert_eq!(evenly_spaced(9, 3), [0, 4, 8]);
        assert_eq!(evenly_spaced(1, 3), [0]);
    }
}
