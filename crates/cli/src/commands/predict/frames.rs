//! Prediction with an autoencoder: the next frames of a clip, each fed back for the one after.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use juggle_dataset::{Image, ImageShape, write_png};
use juggle_metrics::{Convention, Ssim, psnr_batch};
use serde::Serialize;
use serde_json::Value;

use super::clip::{self, Clip};
use super::film::Film;
use super::{Overwrite, out, prepare, read_images};
use crate::args::predict::PredictArgs;
use crate::examples::{byte_from_unit, clamp_to_unit, images};
use crate::model::Trained;
use crate::output::{self, Messages, json_number};

const ANIMATION: &str = "animation.png";
const STRIP: &str = "strip.png";

/// One predicted frame's element of the `--json` array.
#[derive(Debug, Serialize)]
struct PredictedFrame {
    file: String,
    /// 1 for the frame after the last input.
    frame: usize,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
}

/// How close a predicted frame is to the true one.
#[derive(Debug, Serialize)]
struct Scores {
    psnr_db: Value,
    /// None for frames that are smaller than its window.
    ssim: Option<f64>,
}

pub(super) fn predict(
    trained: &Trained,
    input_frames: usize,
    args: &PredictArgs,
    messages: Messages,
) -> Result<()> {
    let steps = args.roll_out.steps.unwrap_or(1);
    let Clip { inputs, truth } =
        clip::find(&args.images, input_frames, args.roll_out.start, steps)?;
    let out = out(args);
    let files = file_names(out, steps);
    let pictures = [out.join(ANIMATION), out.join(STRIP)];
    let names: Vec<_> = inputs
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    messages.note(format_args!(
        "input frames, oldest first: {}",
        names.join(" ")
    ));
    let film = Film {
        shape: trained.config.data.image_shape(),
        inputs: read_images(&inputs, &trained.config)?,
        truth: read_images(&truth, &trained.config)?,
        predicted: Vec::new(),
    };
    prepare(out, &[&files, &pictures[..]].concat(), Overwrite::of(args))?;
    let film = roll_out(trained, film, steps)?;
    for (file, frame) in files.iter().zip(&film.predicted) {
        write_png(file, &image(frame, film.shape))?;
    }
    film.write_animation(&pictures[0])?;
    film.write_strip(&pictures[1])?;

    let mut frames = Vec::with_capacity(steps);
    let mut truth = film.truth.chunks_exact(film.shape.len());
    for (i, (file, predicted)) in files.iter().zip(&film.predicted).enumerate() {
        frames.push(PredictedFrame {
            file: file.display().to_string(),
            frame: i + 1,
            scores: truth
                .next()
                .map(|truth| scores(truth, predicted, film.shape))
                .transpose()?,
        });
    }
    if args.json.json {
        output::print_json(&frames)
    } else {
        output::print(table(&frames, &pictures))
    }
}

/// Predicts frame after frame, each from the newest ones, predicted ones included.
fn roll_out(trained: &Trained, mut film: Film, steps: usize) -> Result<Film> {
    let mut window = film.inputs.clone();
    for _ in 0..steps {
        let frame = clamp_to_unit(&trained.engine.forward(&window)?);
        window.drain(..frame.len());
        window.extend(&frame);
        film.predicted.push(frame);
    }
    Ok(film)
}

fn scores(truth: &[f32], predicted: &[f32], shape: ImageShape) -> Result<Scores> {
    let (truth, predicted) = (images(truth, shape), images(predicted, shape));
    let ssim = match Ssim::new(Convention::ScikitImage, 1.0).batch(truth, predicted) {
        Ok(values) => Some(values[0]),
        Err(juggle_metrics::Error::ImageTooSmall { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Scores {
        psnr_db: json_number(psnr_batch(truth, predicted, 1.0)?[0]),
        ssim,
    })
}

/// A frame a line; the pictures below.
fn table(frames: &[PredictedFrame], pictures: &[PathBuf]) -> String {
    let mut text = String::new();
    if frames.iter().any(|frame| frame.scores.is_some()) {
        text.push_str("frame  PSNR dB    SSIM  file\n");
        for PredictedFrame {
            file,
            frame,
            scores,
        } in frames
        {
            let number = |x: Option<f64>, digits: usize| {
                x.map_or_else(|| "–".to_owned(), |x| format!("{x:.digits$}"))
            };
            let psnr_db = scores.as_ref().map(|scores| {
                // The one number that JSON has no place for.
                scores.psnr_db.as_f64().unwrap_or(f64::INFINITY)
            });
            let ssim = scores.as_ref().and_then(|scores| scores.ssim);
            let (psnr_db, ssim) = (number(psnr_db, 3), number(ssim, 4));
            let _ = writeln!(text, "{frame:5}  {psnr_db:>7}  {ssim:>6}  {file}");
        }
    } else {
        for frame in frames {
            let _ = writeln!(text, "{}", frame.file);
        }
    }
    for picture in pictures {
        let _ = writeln!(text, "{}", picture.display());
    }
    text
}

fn image(frame: &[f32], shape: ImageShape) -> Image {
    let pixels = frame.iter().map(|&x| byte_from_unit(x)).collect();
    Image { shape, pixels }
}

/// `prediction.png`, or `prediction_01.png` and so on.
fn file_names(out: &Path, steps: usize) -> Vec<PathBuf> {
    if steps == 1 {
        return vec![out.join("prediction.png")];
    }
    let width = steps.to_string().len().max(2);
    (1..=steps)
        .map(|frame| out.join(format!("prediction_{frame:0width$}.png")))
        .collect()
}
