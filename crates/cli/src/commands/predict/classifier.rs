//! Prediction with a classifier: the class of each image and the probabilities of all classes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use juggle_models::softmax;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::read_images;
use crate::args::JsonArgs;
use crate::examples::argmax;
use crate::model::Trained;
use crate::output;

/// One image's element of the `--json` array.
#[derive(Debug, Serialize)]
struct Prediction<'a> {
    file: String,
    class: &'a str,
    /// By class name, in the order of the classes.
    probabilities: Map<String, Value>,
    logits: Vec<f32>,
}

/// Enough to keep the machine busy, few enough to bound memory.
const BATCH_SIZE: usize = 64;

/// A table with a column for each class is readable up to about this many.
const MAX_COLUMNS: usize = 10;

pub(super) fn predict(trained: &Trained, paths: &[PathBuf], json: JsonArgs) -> Result<()> {
    let classes = &trained.config.data.classes;
    let mut logits = Vec::with_capacity(paths.len() * classes.len());
    for chunk in paths.chunks(BATCH_SIZE) {
        logits.extend(
            trained
                .engine
                .forward(&read_images(chunk, &trained.config)?)?,
        );
    }
    let rows = paths
        .iter()
        .map(PathBuf::as_path)
        .zip(logits.chunks_exact(classes.len()));
    if json.json {
        output::print_json(
            &rows
                .map(|(path, logits)| prediction(path, logits, classes))
                .collect::<Vec<_>>(),
        )
    } else {
        output::print(table(rows, classes))
    }
}

fn prediction<'a>(path: &Path, logits: &[f32], classes: &'a [String]) -> Prediction<'a> {
    let probabilities = classes
        .iter()
        .cloned()
        .zip(softmax(logits).into_iter().map(|p| json!(p)));
    Prediction {
        file: path.display().to_string(),
        class: &classes[argmax(logits)],
        probabilities: probabilities.collect(),
        logits: logits.to_vec(),
    }
}

fn table<'a>(
    rows: impl Iterator<Item = (&'a Path, &'a [f32])> + Clone,
    classes: &[String],
) -> String {
    let file_width = rows
        .clone()
        .map(|(path, _)| path.display().to_string().chars().count());
    let file_width = file_width.max().unwrap_or(0).max("file".len());
    let class_width = classes
        .iter()
        .map(|class| class.chars().count())
        .max()
        .unwrap_or(0)
        .max("class".len());
    let columns: &[String] = if classes.len() <= MAX_COLUMNS {
        classes
    } else {
        &[]
    };

    let mut text = format!(
        "{:file_width$}  {:class_width$}  probability",
        "file", "class"
    );
    for class in columns {
        let _ = write!(text, "  {:>8}", format!("p({class})"));
    }
    text.push('\n');
    for (path, logits) in rows {
        let (class_idx, probabilities) = (argmax(logits), softmax(logits));
        let _ = write!(
            text,
            "{:file_width$}  {:class_width$}  {:11.4}",
            path.display().to_string(),
            classes[class_idx],
            probabilities[class_idx]
        );
        for (class, p) in columns.iter().zip(&probabilities) {
            let width = (class.chars().count() + "p()".len()).max(8);
            let _ = write!(text, "  {p:width$.4}");
        }
        text.push('\n');
    }
    text
}
