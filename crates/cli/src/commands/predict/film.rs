//! A roll-out for looking at: an animation, and a strip of its frames.

use std::path::Path;

use anyhow::Result;
use juggle_dataset::{Image, ImageShape, write_animated_png, write_png};

use crate::picture::{Canvas, enlargement, evenly_spaced};

/// Longer side of an enlarged frame, pixels.
const SIDE: usize = 128;
/// Pixels between two frames of the strip and around them.
const GAP: usize = 4;
/// Between the input frames and the frames after them.
const WIDE_GAP: usize = 16;
/// Of a roll-out longer than this, the strip shows as many frames at even distances.
const MOST_COLUMNS: usize = 12;
/// Behind the frames of the strip.
const PAPER: u8 = 255;
/// Where there is no frame.
const BLANK: u8 = 224;

/// Pixels of the border that says in the animation what is predicted.
const BORDER: usize = 4;
const BORDER_OF_INPUTS: u8 = 64;
const BORDER_OF_PREDICTIONS: u8 = 255;
const DELAY_MS: u16 = 200;
/// Before it begins again.
const LAST_DELAY_MS: u16 = 1000;

/// What went into a roll-out, what came out, and what should have.
pub(super) struct Film {
    pub(super) shape: ImageShape,
    /// K×C×H×W in [0, 1], oldest first.
    pub(super) inputs: Vec<f32>,
    /// The true frames as far as they are known, C×H×W each.
    pub(super) truth: Vec<f32>,
    pub(super) predicted: Vec<Vec<f32>>,
}

impl Film {
    /// The input frames and then the predicted ones; beside each, where it is known, the true one on the left.
    pub(super) fn write_animation(&self, file: &Path) -> Result<()> {
        let inputs = self.inputs.chunks_exact(self.shape.len());
        let mut frames: Vec<_> = inputs
            .map(|input| (self.panels(input, Some(input), BORDER_OF_INPUTS), DELAY_MS))
            .collect();
        let mut truth = self.truth.chunks_exact(self.shape.len());
        for predicted in &self.predicted {
            let panels = self.panels(predicted, truth.next(), BORDER_OF_PREDICTIONS);
            frames.push((panels, DELAY_MS));
        }
        if let Some((_, delay_ms)) = frames.last_mut() {
            *delay_ms = LAST_DELAY_MS;
        }
        write_animated_png(file, &frames)?;
        Ok(())
    }

    /// One frame of the animation.
    fn panels(&self, frame: &[f32], truth: Option<&[f32]>, border: u8) -> Image {
        let scale = enlargement(self.shape, SIDE);
        let (height, width) = (self.shape.height * scale, self.shape.width * scale);
        let n_panels = if self.truth.is_empty() { 1 } else { 2 };
        let whole = ImageShape {
            channels: self.shape.channels,
            height: height + 2 * BORDER,
            width: n_panels * (width + 2 * BORDER),
        };
        let mut canvas = Canvas::new(whole, BORDER_OF_INPUTS);
        let left = (n_panels - 1) * (width + 2 * BORDER);
        canvas.fill((0, left), (whole.height, width + 2 * BORDER), [border; 3]);
        canvas.paste(frame, self.shape, (BORDER, left + BORDER), scale);
        if n_panels == 2 {
            match truth {
                Some(truth) => canvas.paste(truth, self.shape, (BORDER, BORDER), scale),
                None => canvas.fill((BORDER, BORDER), (height, width), [BLANK; 3]),
            }
        }
        canvas.image
    }

    /// The input frames; after them the predicted ones, or, where any truth is known, rows of truth, prediction and the
    /// absolute difference of both.
    pub(super) fn write_strip(&self, file: &Path) -> Result<()> {
        let scale = enlargement(self.shape, SIDE);
        let (height, width) = (self.shape.height * scale, self.shape.width * scale);
        let steps = evenly_spaced(self.predicted.len(), MOST_COLUMNS);
        let n_inputs = self.inputs.len() / self.shape.len();
        let n_rows = if self.truth.is_empty() { 1 } else { 3 };
        let left_of = |column: usize| {
            GAP + column * (width + GAP) + if column < n_inputs { 0 } else { WIDE_GAP - GAP }
        };
        let top_of = |row: usize| GAP + row * (height + GAP);
        let whole = ImageShape {
            channels: self.shape.channels,
            height: top_of(n_rows),
            width: left_of(n_inputs + steps.len()),
        };
        let mut canvas = Canvas::new(whole, PAPER);
        for (column, input) in self.inputs.chunks_exact(self.shape.len()).enumerate() {
            canvas.paste(input, self.shape, (top_of(0), left_of(column)), scale);
        }
        for (column, &step) in steps.iter().enumerate() {
            let predicted = &self.predicted[step];
            let left = left_of(n_inputs + column);
            if n_rows == 1 {
                canvas.paste(predicted, self.shape, (top_of(0), left), scale);
                continue;
            }
            canvas.paste(predicted, self.shape, (top_of(1), left), scale);
            match self.truth.chunks_exact(self.shape.len()).nth(step) {
                Some(truth) => {
                    let error: Vec<_> = truth
                        .iter()
                        .zip(predicted)
                        .map(|(truth, predicted)| (truth - predicted).abs())
                        .collect();
                    canvas.paste(truth, self.shape, (top_of(0), left), scale);
                    canvas.paste(&error, self.shape, (top_of(2), left), scale);
                }
                None => {
                    canvas.fill((top_of(0), left), (height, width), [BLANK; 3]);
                    canvas.fill((top_of(2), left), (height, width), [BLANK; 3]);
                }
            }
        }
        write_png(file, &canvas.image)?;
        Ok(())
    }
}
