//! A grid of true frames above their predictions, for looking at.

use std::path::Path;

use anyhow::Result;
use juggle_dataset::write_png;

use crate::examples::{Batch, Examples, clamp_to_unit};
use crate::model::Trained;
use crate::picture::{evenly_spaced, grid};

const COLUMNS: usize = 8;
/// Each pixel becomes a square of this side.
const SCALE: usize = 4;

pub(super) fn write(trained: &Trained, examples: &Examples<'_>, file: &Path) -> Result<()> {
    let chosen = evenly_spaced(examples.len(), COLUMNS);
    let mut batch = Batch::default();
    examples.fill(&chosen, &mut batch);
    let prediction = clamp_to_unit(&trained.engine.forward(&batch.inputs)?);
    let grid = grid(&[&batch.frames, &prediction], examples.shape(), SCALE);
    write_png(file, &grid)?;
    Ok(())
}
