//! Prediction with an autoencoder: the next frames of a clip, each fed back for the one after.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use juggle_dataset::{Image, natural_cmp, write_png};
use serde::Serialize;

use super::read_images;
use crate::args::PredictArgs;
use crate::examples::{byte_from_unit, clamp_to_unit};
use crate::model::Trained;
use crate::output::{self, Messages};

/// One predicted frame's element of the `--json` array.
#[derive(Debug, Serialize)]
struct PredictedFrame {
    file: String,
    /// 1 for the frame after the last input.
    frame: usize,
}

pub(super) fn predict(
    trained: &Trained,
    input_frames: usize,
    args: &PredictArgs,
    messages: Messages,
) -> Result<()> {
    let inputs = input_files(&args.images, input_frames)?;
    let out = args.out.as_deref().unwrap_or(Path::new("."));
    let files = file_names(out, args.frames.unwrap_or(1));
    if let Some(file) = files.iter().find(|file| file.exists() && !args.overwrite) {
        bail!(
            "{} exists: choose another --out, or replace it with --overwrite",
            file.display()
        );
    }
    let names: Vec<_> = inputs
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    messages.note(format_args!(
        "input frames, oldest first: {}",
        names.join(" ")
    ));

    let shape = trained.config.data.image_shape();
    let mut window = read_images(&inputs, &trained.config)?;
    std::fs::create_dir_all(out)
        .with_context(|| format!("cannot create the folder {}", out.display()))?;
    for file in &files {
        let frame = clamp_to_unit(&trained.engine.forward(&window)?);
        let pixels = frame.iter().map(|&x| byte_from_unit(x)).collect();
        write_png(file, &Image { shape, pixels })?;
        window.drain(..shape.len());
        window.extend(frame);
    }
    let written = files.iter().map(|file| file.display().to_string());
    if args.json.json {
        let frames = written
            .zip(1..)
            .map(|(file, frame)| PredictedFrame { file, frame });
        output::print_json(&frames.collect::<Vec<_>>())
    } else {
        output::print(written.collect::<Vec<_>>().join("\n"))
    }
}

/// The input frames, oldest first: the files as given, or the last of one folder.
fn input_files(images: &[PathBuf], n: usize) -> Result<Vec<PathBuf>> {
    let [folder] = images else {
        return exactly(images.to_vec(), n);
    };
    if !folder.is_dir() {
        return exactly(images.to_vec(), n);
    }
    let mut frames = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot list {}", folder.display()))?
            .path();
        let is_png = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
        if is_png && !hidden(&path) {
            frames.push(path);
        }
    }
    if frames.len() < n {
        bail!(
            "{} has {} PNG frames, but the run needs {n}",
            folder.display(),
            frames.len()
        );
    }
    frames.sort_by(|a, b| natural_cmp(&file_name(a), &file_name(b)));
    Ok(frames.split_off(frames.len() - n))
}

fn exactly(images: Vec<PathBuf>, n: usize) -> Result<Vec<PathBuf>> {
    if images.len() != n {
        bail!(
            "the run predicts from {n} frames, found {}: name {n} files, oldest first, or one folder",
            images.len()
        );
    }
    Ok(images)
}

fn hidden(path: &Path) -> bool {
    file_name(path).starts_with('.')
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// `prediction.png`, or `prediction_01.png` and so on.
fn file_names(out: &Path, frames: usize) -> Vec<PathBuf> {
    if frames == 1 {
        return vec![out.join("prediction.png")];
    }
    let width = frames.to_string().len().max(2);
    (1..=frames)
        .map(|frame| out.join(format!("prediction_{frame:0width$}.png")))
        .collect()
}
