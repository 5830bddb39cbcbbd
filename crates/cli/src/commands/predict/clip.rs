//! Which files are the input frames, and which the truth of the frames to predict.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use juggle_dataset::natural_cmp;

use crate::failure::Usage;

/// The files of a prediction.
#[derive(Debug, PartialEq)]
pub(super) struct Clip {
    /// As many as the network reads, oldest first.
    pub(super) inputs: Vec<PathBuf>,
    /// The frames after the inputs as far as they are there, at most one a step.
    pub(super) truth: Vec<PathBuf>,
}

/// The files as given; or of one folder the last `n`, or those from frame `start` (the first is 1) on.
pub(super) fn find(
    images: &[PathBuf],
    n: usize,
    start: Option<usize>,
    steps: usize,
) -> Result<Clip> {
    let folder = match images {
        [folder] if folder.is_dir() => folder,
        _ if start.is_some() => {
            return Err(
                Usage::new("--start counts the frames of a folder: name one folder").into(),
            );
        }
        _ if images.len() == n => {
            return Ok(Clip {
                inputs: images.to_vec(),
                truth: Vec::new(),
            });
        }
        _ => bail!(
            "the run predicts from {n} frames, found {}: name {n} files, oldest first, or one folder",
            images.len()
        ),
    };
    let mut frames = frames(folder)?;
    let (shown, found) = (folder.display(), frames.len());
    if found < n {
        bail!("{shown} has {found} PNG frames, but the run needs {n}");
    }
    let first = start.map_or(found - n, |start| start - 1);
    if first + n > found {
        bail!(
            "{shown} has {found} PNG frames, and the run needs {n}: --start is {}, expected 1 to {}",
            first + 1,
            found - n + 1
        );
    }
    let mut inputs = frames.split_off(first);
    let mut truth = inputs.split_off(n);
    truth.truncate(steps);
    Ok(Clip { inputs, truth })
}

/// The PNG files of a folder in the order in which people number them.
fn frames(folder: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("cannot list {}", folder.display());
    let mut frames = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let is_png = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
        if is_png && !file_name(&path).starts_with('.') {
            frames.push(path);
        }
    }
    frames.sort_by(|a, b| natural_cmp(&file_name(a), &file_name(b)));
    Ok(frames)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
