//! PSNR and SSIM of two images, or of two folders matched by file name.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use juggle_dataset::{ColorMode, Image, Limits, read_png};
use juggle_metrics::{Convention, Ssim, psnr_batch};
use ndarray::{ArrayView, ArrayView4};
use rayon::prelude::*;
use serde_json::json;

use crate::args::ImagePairArgs;
use crate::output::{self, json_number};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    Psnr,
    Ssim,
    SsimGaussian,
}

pub(super) fn compare(metric: Metric, args: &ImagePairArgs) -> Result<()> {
    let pairs = pairs(&args.truth, &args.prediction)?;
    let values: Vec<f64> = pairs
        .par_iter()
        .map(|pair| measure(metric, pair, args.data_range))
        .collect::<Result<_>>()?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let named = pairs
        .iter()
        .map(|pair| pair.name.as_str())
        .zip(values.iter().copied());
    if args.json.json {
        let values: Vec<_> = named
            .map(|(name, value)| json!({"name": name, "value": json_number(value)}))
            .collect();
        return output::print_json(
            &json!({"metric": metric.name(), "n": values.len(), "mean": json_number(mean), "values": values}),
        );
    }
    let width = pairs
        .iter()
        .map(|pair| pair.name.chars().count())
        .max()
        .unwrap_or(0)
        .max("mean".len());
    let mut text = String::new();
    for (name, value) in named {
        let _ = writeln!(text, "{name:width$}  {}", metric.format(value));
    }
    if values.len() > 1 {
        let _ = writeln!(text, "{:width$}  {}", "mean", metric.format(mean));
    }
    output::print(text)
}

impl Metric {
    fn name(self) -> &'static str {
        match self {
            Self::Psnr => "psnr",
            Self::Ssim => "ssim",
            Self::SsimGaussian => "ssim_gaussian",
        }
    }

    fn format(self, value: f64) -> String {
        match self {
            Self::Psnr => format!("{value:.4} dB"),
            Self::Ssim | Self::SsimGaussian => format!("{value:.6}"),
        }
    }
}

/// Two files to compare.
#[derive(Debug)]
struct Pair {
    /// What the result is listed under.
    name: String,
    truth: PathBuf,
    prediction: PathBuf,
}

fn pairs(truth: &Path, prediction: &Path) -> Result<Vec<Pair>> {
    for path in [truth, prediction] {
        if !path.exists() {
            bail!("there is no file or folder {}", path.display());
        }
    }
    match (truth.is_dir(), prediction.is_dir()) {
        (false, false) => Ok(vec![Pair {
            name: prediction.display().to_string(),
            truth: truth.to_owned(),
            prediction: prediction.to_owned(),
        }]),
        (true, true) => matched(truth, prediction),
        (true, false) => bail!(
            "{} is a folder but {} is a file",
            truth.display(),
            prediction.display()
        ),
        (false, true) => bail!(
            "{} is a file but {} is a folder",
            truth.display(),
            prediction.display()
        ),
    }
}

/// The files of two folders by their path inside; each must be in both.
fn matched(truth: &Path, prediction: &Path) -> Result<Vec<Pair>> {
    let (in_truth, in_prediction) = (png_files(truth)?, png_files(prediction)?);
    if let Some(name) = in_truth.difference(&in_prediction).next() {
        bail!(
            "{} has no counterpart {}",
            truth.join(name).display(),
            prediction.join(name).display()
        );
    }
    if let Some(name) = in_prediction.difference(&in_truth).next() {
        bail!(
            "{} has no counterpart {}",
            prediction.join(name).display(),
            truth.join(name).display()
        );
    }
    if in_truth.is_empty() {
        bail!("there are no PNG images in {}", truth.display());
    }
    let pair = |name: PathBuf| Pair {
        truth: truth.join(&name),
        prediction: prediction.join(&name),
        name: name.display().to_string(),
    };
    Ok(in_truth.into_iter().map(pair).collect())
}

/// The PNG files in a folder and in the folders inside, relative to it.
fn png_files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(inner) = open.pop() {
        let entries =
            fs::read_dir(&inner).with_context(|| format!("cannot list {}", inner.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", inner.display()))?;
            let path = entry.path();
            // Not through links, so that a link to a parent cannot make an endless tree.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
            {
                let name = path
                    .strip_prefix(folder)
                    .expect("an entry's path begins with its folder");
                files.insert(name.to_owned());
            }
        }
    }
    Ok(files)
}

fn measure(metric: Metric, pair: &Pair, data_range: f64) -> Result<f64> {
    let read = |path: &Path| read_png(path, ColorMode::Rgb, &Limits::default());
    let (mut truth, mut prediction) = (read(&pair.truth)?, read(&pair.prediction)?);
    if is_gray(&truth) && is_gray(&prediction) {
        // The same values as one channel, at a third of the work.
        for image in [&mut truth, &mut prediction] {
            image.shape.channels = 1;
            image.pixels.truncate(image.shape.len());
        }
    }
    let (truth, prediction) = (view(&truth), view(&prediction));
    match metric {
        Metric::Psnr => psnr_batch(truth, prediction, data_range),
        Metric::Ssim => Ssim::new(Convention::ScikitImage, data_range).batch(truth, prediction),
        Metric::SsimGaussian => {
            Ssim::new(Convention::ScikitImageGaussian, data_range).batch(truth, prediction)
        }
    }
    .map(|values| values[0])
    .with_context(|| format!("{} and {}", pair.truth.display(), pair.prediction.display()))
}

/// Whether the three channels are equal.
fn is_gray(image: &Image) -> bool {
    let (red, rest) = image.pixels.split_at(image.pixels.len() / 3);
    let (green, blue) = rest.split_at(rest.len() / 2);
    red == green && red == blue
}

fn view(image: &Image) -> ArrayView4<'_, u8> {
    let shape = image.shape;
    ArrayView::from_shape(
        (1, shape.channels, shape.height, shape.width),
        &image.pixels,
    )
    .expect("an image has as many values as its shape")
}
