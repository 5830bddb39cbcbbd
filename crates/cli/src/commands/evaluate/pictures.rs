//! A grid of true frames above their predictions, for looking at.

use std::path::Path;

use anyhow::Result;
use juggle_dataset::{Image, ImageShape, write_png};

use crate::examples::{Batch, Examples, byte_from_unit, clamp_to_unit};
use crate::model::Trained;

const COLUMNS: usize = 8;
/// Each pixel becomes a square of this side.
const SCALE: usize = 4;
/// Pixels between two frames and around them.
const GAP: usize = 2;
const GAP_VALUE: u8 = 255;

pub(super) fn write(trained: &Trained, examples: &Examples<'_>, file: &Path) -> Result<()> {
    let chosen = evenly_spaced(examples.len());
    let mut batch = Batch::default();
    examples.fill(&chosen, &mut batch);
    let prediction = clamp_to_unit(&trained.engine.forward(&batch.inputs)?);
    write_png(file, &grid(&[&batch.frames, &prediction], examples.shape()))?;
    Ok(())
}

/// At most eight indices, from the first to the last.
fn evenly_spaced(n: usize) -> Vec<usize> {
    let columns = COLUMNS.min(n);
    (0..columns)
        .map(|i| i * (n - 1) / (columns - 1).max(1))
        .collect()
}

/// Lays out rows of frames (each N×C×H×W in [0, 1]) with gaps between them.
fn grid(rows: &[&[f32]], shape: ImageShape) -> Image {
    let columns = rows[0].len() / shape.len();
    let (cell_height, cell_width) = (shape.height * SCALE + GAP, shape.width * SCALE + GAP);
    let grid = ImageShape {
        channels: shape.channels,
        height: rows.len() * cell_height + GAP,
        width: columns * cell_width + GAP,
    };
    let mut pixels = vec![GAP_VALUE; grid.len()];
    for (row, frames) in rows.iter().enumerate() {
        for (column, frame) in frames.chunks_exact(shape.len()).enumerate() {
            let (top, left) = (GAP + row * cell_height, GAP + column * cell_width);
            for c in 0..shape.channels {
                for y in 0..shape.height * SCALE {
                    for x in 0..shape.width * SCALE {
                        let value = frame[(c * shape.height + y / SCALE) * shape.width + x / SCALE];
                        pixels[(c * grid.height + top + y) * grid.width + left + x] =
                            byte_from_unit(value);
                    }
                }
            }
        }
    }
    Image {
        shape: grid,
        pixels,
    }
}
