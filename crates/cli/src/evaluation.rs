//! What a trained run achieves on one split, image by image: `juggle evaluate` prints the means, the report shows the
//! images.

pub(crate) mod classifier;
pub(crate) mod frames;
pub(crate) mod rollout;

use std::path::Path;

use anyhow::{Result, bail};
use juggle_dataset::{ImageShape, Split};

use crate::config::{RunConfig, list};

/// The data must be what the run was trained on: same channels, same size.
fn check_shape(found: ImageShape, config: &RunConfig, folder: &Path) -> Result<()> {
    let expected = config.data.image_shape();
    if found != expected {
        bail!(
            "{} has images of {found}, but the run was trained on {expected}",
            folder.display()
        );
    }
    Ok(())
}

fn check_classes(found: &[String], config: &RunConfig, folder: &Path) -> Result<()> {
    let expected = &config.data.classes;
    if found != expected {
        bail!(
            "{} has {} classes ({}), but the run was trained on {} ({})",
            folder.display(),
            found.len(),
            list(found),
            expected.len(),
            list(expected)
        );
    }
    Ok(())
}

/// The sentence for a split that the folder does not have.
fn no_split(folder: &Path, split: Split) -> anyhow::Error {
    anyhow::anyhow!(
        "{} has no {split} split: choose another with --split",
        folder.display()
    )
}
