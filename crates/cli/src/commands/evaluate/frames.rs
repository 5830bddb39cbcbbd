//! The evaluation of an autoencoder in text and JSON.

use std::fmt::{self, Display};

use anyhow::Result;
use serde::{Serialize, Serializer};

use crate::args::JsonArgs;
use crate::evaluation::frames::{self, FramesEvaluation};
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

impl Rows {
    fn means(rows: &frames::Rows) -> Self {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        Self {
            prediction: mean(&rows.prediction),
            prediction_vs_last_frame: mean(&rows.prediction_vs_last_frame),
            last_frame: mean(&rows.last_frame),
        }
    }
}

pub(super) fn print(found: &FramesEvaluation, json: JsonArgs) -> Result<()> {
    let evaluation = Evaluation {
        split: found.split.to_string(),
        n: found.n,
        loss: found.loss,
        psnr_db: found.psnr_db.as_ref().map(Rows::means),
        ssim: found.ssim.as_ref().map(Rows::means),
        ssim_gaussian: found.ssim_gaussian.as_ref().map(Rows::means),
    };
    if json.json {
        output::print_json(&evaluation)
    } else {
        output::print(evaluation)
    }
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
