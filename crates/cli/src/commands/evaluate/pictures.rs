//! A grid of true frames above their predictions, for looking at.

use std::path::Path;

use anyhow::Result;
use juggle_dataset::{ImageShape, write_png};

use crate::examples::{Batch, Examples, clamp_to_unit};
use crate::model::Trained;
use crate::picture::{Canvas, evenly_spaced};

const COLUMNS: usize = 8;
/// Each pixel becomes a square of this side.
const SCALE: usize = 4;
/// Pixels between two frames and around them.
const GAP: usize = 2;
const GAP_VALUE: u8 = 255;

pub(super) fn write(trained: &Trained, examples: &Examples<'_>, file: &Path) -> Result<()> {
    let chosen = evenly_spaced(examples.len(), COLUMNS);
    let mut batch = Batch::default();
    examples.fill(&chosen, &mut batch);
    let prediction = clamp_to_unit(&trained.engine.forward(&batch.inputs)?);
    let grid = grid(&[&batch.frames, &prediction], examples.shape());
    write_png(file, &grid.image)?;
    Ok(())
}

/// Lays out rows of frames (each N×C×H×W in [0, 1]) with gaps between them.
fn grid(rows: &[&[f32]], shape: ImageShape) -> Canvas {
    let columns = rows[0].len() / shape.len();
    let (cell_height, cell_width) = (shape.height * SCALE + GAP, shape.width * SCALE + GAP);
    let whole = ImageShape {
        channels: shape.channels,
        height: rows.len() * cell_height + GAP,
        width: columns * cell_width + GAP,
    };
    let mut canvas = Canvas::new(whole, GAP_VALUE);
    for (row, frames) in rows.iter().enumerate() {
        for (column, frame) in frames.chunks_exact(shape.len()).enumerate() {
            let corner = (GAP + row * cell_height, GAP + column * cell_width);
            canvas.paste(frame, shape, corner, SCALE);
        }
    }
    canvas
}
