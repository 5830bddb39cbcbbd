//! Evaluation of an autoencoder: how near its frames are to the true ones, beside two comparisons that
//! say what the number means: with the last frame it saw (does it merely copy?) and between the truth
//! and that last frame (what would copying score?).

use std::fmt::{self, Display};
use std::path::Path;

use anyhow::Result;
use juggle_dataset::{ClipFolder, ImageShape, Split};
use juggle_metrics::{Convention, Ssim, psnr_batch};
use juggle_models::loss_value;
use ndarray::ArrayView4;
use serde::{Serialize, Serializer};

use super::{check_shape, no_split, pictures};
use crate::args::EvaluateArgs;
use crate::config::Kind;
use crate::examples::{Examples, clamp_to_unit, images};
use crate::model::{self, Trained};
use crate::output::{self, json_number};

/// What `--json` prints; the text has the same content.
#[derive(Debug, Serialize)]
struct Evaluation {
    split: String,
    n: usize,
    loss: f64,
    psnr_db: Option<Rows>,
    /// `null` when the frames are smaller than the window, as is `ssim_gaussian`.
    ssim: Option<Rows>,
    ssim_gaussian: Option<Rows>,
}

/// The mean over windows of one metric, for the three pairs of frames.
#[derive(Clone, Copy, Debug, Serialize)]
struct Rows {
    #[serde(serialize_with = "number")]
    prediction: f64,
    #[serde(serialize_with = "number")]
    prediction_vs_last_frame: f64,
    #[serde(serialize_with = "number")]
    last_frame: f64,
}

/// One of the three pairs.
type Row = fn(&Rows) -> f64;

#[derive(Clone, Copy)]
enum Metric {
    Psnr,
    Ssim(Convention),
}

impl Metric {
    fn of(
        self,
        truth: ArrayView4<'_, f32>,
        prediction: ArrayView4<'_, f32>,
    ) -> juggle_metrics::Result<Vec<f64>> {
        match self {
            Self::Psnr => psnr_batch(truth, prediction, DATA_RANGE),
            Self::Ssim(convention) => Ssim::new(convention, DATA_RANGE).batch(truth, prediction),
        }
    }
}

const METRICS: [Metric; 3] = [
    Metric::Psnr,
    Metric::Ssim(Convention::ScikitImage),
    Metric::Ssim(Convention::ScikitImageGaussian),
];

/// The pixels are in [0, 1].
const DATA_RANGE: f64 = 1.0;

pub(super) fn evaluate(
    trained: &Trained,
    input_frames: usize,
    folder: &Path,
    split: Split,
    args: &EvaluateArgs,
) -> Result<()> {
    let clips = ClipFolder::read(folder, &trained.config.data.read_options())?;
    let clips = clips.split(split).ok_or_else(|| no_split(folder, split))?;
    check_shape(clips.shape, &trained.config, folder)?;
    let examples = Examples::windows(clips, input_frames, folder)?;

    let evaluation = measure(trained, &examples, split)?;
    if let Some(file) = &args.pictures {
        pictures::write(trained, &examples, file)?;
    }
    if args.json.json {
        output::print_json(&evaluation)
    } else {
        output::print(evaluation)
    }
}

fn measure(trained: &Trained, examples: &Examples<'_>, split: Split) -> Result<Evaluation> {
    let shape = examples.shape();
    let loss = model::evaluation_loss(Kind::Autoencoder);
    let mut total_loss = 0.0;
    // One sum a metric and pair of frames; none for a metric whose window is larger than the frames.
    let mut sums = [Some([0.0; 3]); METRICS.len()];
    examples.forward(&*trained.engine, |indices, batch, outputs| {
        let weight = indices.len() as f64;
        total_loss += loss_value(loss, outputs, batch.targets())? * weight;
        let prediction = clamp_to_unit(outputs);
        let last = last_frames(&batch.inputs, indices.len(), shape);
        let pairs = [
            (&batch.frames, &prediction),
            (&last, &prediction),
            (&batch.frames, &last),
        ];
        for (metric, sums) in METRICS.iter().zip(&mut sums) {
            for (i, (truth, prediction)) in pairs.into_iter().enumerate() {
                match (
                    metric.of(images(truth, shape), images(prediction, shape)),
                    &mut *sums,
                ) {
                    (Ok(values), Some(sums)) => sums[i] += values.iter().sum::<f64>(),
                    (Err(juggle_metrics::Error::ImageTooSmall { .. }), _) | (Ok(_), None) => {
                        *sums = None;
                    }
                    (Err(error), _) => return Err(error.into()),
                }
            }
        }
        Ok(())
    })?;
    let n = examples.len() as f64;
    let [psnr_db, ssim, ssim_gaussian] = sums.map(|sums| {
        sums.map(|[prediction, prediction_vs_last_frame, last_frame]| Rows {
            prediction: prediction / n,
            prediction_vs_last_frame: prediction_vs_last_frame / n,
            last_frame: last_frame / n,
        })
    });
    let (split, n, loss) = (split.to_string(), examples.len(), total_loss / n);
    Ok(Evaluation {
        split,
        n,
        loss,
        psnr_db,
        ssim,
        ssim_gaussian,
    })
}

/// The newest input frame of each window: the last channels of N×(K·C)×H×W.
fn last_frames(inputs: &[f32], n: usize, shape: ImageShape) -> Vec<f32> {
    inputs
        .chunks_exact(inputs.len() / n)
        .flat_map(|window| &window[window.len() - shape.len()..])
        .copied()
        .collect()
}

fn number<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    json_number(*x).serialize(serializer)
}

impl Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "split  {} ({} windows)", self.split, self.n)?;
        writeln!(f, "loss   {:.6}\n", self.loss)?;
        let columns = ("mean over windows", "PSNR dB", "SSIM", "SSIM Gaussian");
        writeln!(
            f,
            "{:36}  {:>8}  {:>7}  {:>13}",
            columns.0, columns.1, columns.2, columns.3
        )?;
        let rows: [(&str, Row); 3] = [
            ("prediction vs truth", |rows| rows.prediction),
            ("prediction vs last input frame", |rows| {
                rows.prediction_vs_last_frame
            }),
            ("last input frame vs truth (copying)", |rows| {
                rows.last_frame
            }),
        ];
        for (name, of) in rows {
            let cell = |rows: &Option<Rows>, digits: usize| {
                rows.as_ref()
                    .map_or_else(|| "–".to_owned(), |rows| format!("{:.digits$}", of(rows)))
            };
            let (psnr_db, ssim) = (cell(&self.psnr_db, 3), cell(&self.ssim, 4));
            writeln!(
                f,
                "{name:36}  {psnr_db:>8}  {ssim:>7}  {:>13}",
                cell(&self.ssim_gaussian, 4)
            )?;
        }
        Ok(())
    }
}
