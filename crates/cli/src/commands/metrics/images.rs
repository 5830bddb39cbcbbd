//! The comparison of two images, or of two folders matched by file name.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use juggle_dataset::{ColorMode, Image, Limits, read_png};
use juggle_metrics::Error;
use ndarray::{ArrayView, ArrayView4};
use rayon::prelude::*;

use super::metric::Metric;
use super::pairs::{Pair, pairs};
use super::summary::{FileValue, Summary};
use crate::args::metrics::ImagePairArgs;
use crate::model;
use crate::output::{self, Messages};
use crate::progress::Files;

pub(super) fn compare(metric: &Metric, args: &ImagePairArgs, messages: Messages) -> Result<()> {
    model::start_pool(args.threads)?;
    metric.check()?;
    let pairs = pairs(&args.truth, &args.prediction)?;
    let values = measure_all(metric, &pairs, messages)?;
    let is_folder = args.truth.is_dir();
    let files = pairs
        .into_iter()
        .zip(values)
        .map(|(pair, value)| FileValue {
            file: pair.name,
            value,
        })
        .collect();
    let summary = Summary::new(metric, files);
    if args.json.json {
        output::print_json(&summary)
    } else if is_folder {
        output::print(summary.to_text(metric))
    } else {
        output::print(summary.to_line(metric))
    }
}

/// The value of each pair, in their order, or the error of the first that has none.
///
/// Pairs are taken in rounds of two for each thread. A thread that waits for a part of one image may begin another
/// pair meanwhile: the rounds are what bounds the number of decoded images.
fn measure_all(metric: &Metric, pairs: &[Pair], messages: Messages) -> Result<Vec<f64>> {
    let progress = Files::new(messages, pairs.len());
    let mut values = Vec::with_capacity(pairs.len());
    for round in pairs.chunks(2 * rayon::current_num_threads()) {
        let measured: Vec<Result<f64>> = round
            .par_iter()
            .map(|pair| {
                let value = measure(metric, pair);
                progress.step();
                value
            })
            .collect();
        for value in measured {
            values.push(value?);
        }
    }
    Ok(values)
}

fn measure(metric: &Metric, pair: &Pair) -> Result<f64> {
    let read = |path: &Path| read_png(path, ColorMode::Rgb, &Limits::default());
    let (mut truth, mut prediction) = (read(&pair.truth)?, read(&pair.prediction)?);
    let names = || format!("{} and {}", pair.truth.display(), pair.prediction.display());
    if truth.shape != prediction.shape {
        bail!(
            "{} is {}×{} pixels but {} is {}×{} (height×width), expected equal sizes",
            pair.truth.display(),
            truth.shape.height,
            truth.shape.width,
            pair.prediction.display(),
            prediction.shape.height,
            prediction.shape.width
        );
    }
    if is_gray(&truth) && is_gray(&prediction) {
        // The same values as one channel, at a third of the work.
        for image in [&mut truth, &mut prediction] {
            image.shape.channels = 1;
            image.pixels.truncate(image.shape.len());
        }
    }
    match metric.values(view(&truth), view(&prediction)) {
        Ok(values) => Ok(values[0]),
        Err(error @ Error::ImageTooSmall { .. }) => {
            Err(anyhow!("{}: {error}{}", names(), metric.advice()))
        }
        Err(error) => Err(error).with_context(names),
    }
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
