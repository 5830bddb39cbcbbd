//! `--explain`: the occlusion map of each image, drawn and as numbers.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use juggle_dataset::ImageShape;
use juggle_models::{Occlusion, OcclusionMap, occlusion_map};
use serde::Serialize;

use super::overlay;
use crate::args::predict::{ExplainArgs, Fill};
use crate::config::list;
use crate::model::Trained;
use crate::suggest::{closest, did_you_mean};

/// The patch is this share of the image's shorter side, unless a flag says another size.
const PATCHES_A_SIDE: usize = 8;

/// What the flags ask for, for the images of one run.
pub(super) struct Explain {
    class_idx: Option<usize>,
    patch: usize,
    stride: usize,
    fill: Fill,
}

/// One image's key `occlusion` in the `--json` array.
#[derive(Debug, Serialize)]
pub(super) struct Explanation<'a> {
    class: &'a str,
    /// Of that class, with nothing hidden.
    probability: f32,
    /// Side of the patch in pixels.
    patch: usize,
    stride: usize,
    /// The patch's value in each channel, 0 to 1.
    fill: Vec<f32>,
    /// First row of the patch for each row of `drop`.
    tops: Vec<usize>,
    /// First column of the patch for each column of `drop`.
    lefts: Vec<usize>,
    /// Probability with nothing hidden minus probability with the patch there.
    drop: Vec<Vec<f32>>,
    file: String,
    #[serde(skip)]
    largest: (usize, usize, f32),
}

impl Explain {
    pub(super) fn new(args: &ExplainArgs, trained: &Trained) -> Result<Self> {
        let classes = &trained.config.data.classes;
        let class_idx = args
            .class
            .as_ref()
            .map(|name| class_idx(name, classes))
            .transpose()?;
        let shape = trained.config.data.image_shape();
        let patch = args
            .patch
            .unwrap_or_else(|| shape.height.min(shape.width).div_ceil(PATCHES_A_SIDE));
        Ok(Self {
            class_idx,
            patch,
            stride: args.stride.unwrap_or_else(|| patch.div_ceil(2)),
            fill: args.fill.unwrap_or(Fill::Background),
        })
    }

    /// Slides the patch over one image (CHW in [0, 1]) and draws the result into `file`.
    pub(super) fn image<'a>(
        &self,
        trained: &'a Trained,
        pixels: &[f32],
        file: &Path,
    ) -> Result<Explanation<'a>> {
        let shape = trained.config.data.image_shape();
        let occlusion = Occlusion {
            patch: self.patch,
            stride: self.stride,
            fill: fill(self.fill, pixels, shape),
        };
        let sides = [shape.channels, shape.height, shape.width];
        let map = occlusion_map(&*trained.engine, sides, pixels, self.class_idx, &occlusion)?;
        overlay::write(file, pixels, shape, &map)?;
        let largest = map.largest();
        let OcclusionMap {
            class_idx,
            probability,
            patch,
            tops,
            lefts,
            drop,
        } = map;
        Ok(Explanation {
            class: &trained.config.data.classes[class_idx],
            probability,
            patch,
            stride: occlusion.stride,
            fill: occlusion.fill,
            drop: drop.chunks(lefts.len()).map(<[f32]>::to_vec).collect(),
            tops,
            lefts,
            file: file.display().to_string(),
            largest,
        })
    }
}

impl Explanation<'_> {
    /// Where hiding matters most, in one or two lines.
    pub(super) fn sentence(&self) -> String {
        let (top, left, drop) = self.largest;
        let Self {
            file,
            class,
            probability,
            patch,
            ..
        } = self;
        if drop <= 0.0 {
            return format!("{file}: no patch lowers p({class}), {probability:.4}");
        }
        format!(
            "{file}: p({class}) falls most, from {probability:.4} to {:.4},\n  \
             with rows {top}–{} and columns {left}–{} hidden",
            probability - drop,
            top + patch - 1,
            left + patch - 1,
        )
    }
}

/// One value a channel.
fn fill(fill: Fill, pixels: &[f32], shape: ImageShape) -> Vec<f32> {
    let plane = shape.height * shape.width;
    match fill {
        Fill::Background => pixels.chunks_exact(plane).map(median).collect(),
        Fill::Gray => vec![0.5; shape.channels],
        Fill::Black => vec![0.0; shape.channels],
        Fill::White => vec![1.0; shape.channels],
    }
}

/// The lower of the two middle values where there are two: a value that the image has.
fn median(values: &[f32]) -> f32 {
    let mut values = values.to_vec();
    let middle = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

fn class_idx(name: &str, classes: &[String]) -> Result<usize> {
    if let Some(class_idx) = classes.iter().position(|class| class == name) {
        return Ok(class_idx);
    }
    let offer = did_you_mean(closest(name, classes.iter().map(String::as_str)));
    bail!(
        "the run has no class `{name}`, its classes are {}{offer}",
        list(classes)
    );
}

/// `FILE.occlusion.png` in the folder; of files of one name the second is `FILE-2`.
pub(super) fn file_names(out: &Path, images: &[PathBuf]) -> Vec<PathBuf> {
    let mut taken = HashSet::new();
    let mut names = Vec::with_capacity(images.len());
    for image in images {
        let stem = image.file_stem().unwrap_or_default().to_string_lossy();
        let mut name = stem.to_string();
        let mut n = 1;
        while !taken.insert(name.clone()) {
            n += 1;
            name = format!("{stem}-{n}");
        }
        names.push(out.join(format!("{name}.occlusion.png")));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_of_one_name_get_pictures_of_their_own() {
        let images = ["a/0.png", "b/0.png", "0-2.png", "c/0.png"].map(PathBuf::from);
        let names = file_names(Path::new("out"), &images);
        let expected = ["0", "0-2", "0-2-2", "0-3"]
            .map(|name| Path::new("out").join(format!("{name}.occlusion.png")));
        assert_eq!(names, expected);
    }

    #[test]
    fn the_background_is_a_value_that_the_image_has() {
        assert_eq!(median(&[0.9, 0.0, 0.1, 0.0]), 0.0);
        assert_eq!(median(&[0.9, 0.2, 0.1]), 0.2);
        assert_eq!(median(&[0.5]), 0.5);
    }
}
