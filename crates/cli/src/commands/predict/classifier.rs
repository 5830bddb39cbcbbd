//! Prediction with a classifier: the class of each image and the probabilities of all classes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use juggle_models::softmax;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::explain::{self, Explain, Explanation};
use super::{Overwrite, out, prepare, read_images};
use crate::args::predict::PredictArgs;
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
    #[serde(skip_serializing_if = "Option::is_none")]
    occlusion: Option<Explanation<'a>>,
}

/// Enough to keep the machine busy, few enough to bound memory.
const BATCH_SIZE: usize = 64;

/// Columns of a terminal that the table leaves to the names of the files.
const FILE_COLUMNS: usize = 20;
const TERMINAL_COLUMNS: usize = 80;

pub(super) fn predict(trained: &Trained, args: &PredictArgs) -> Result<()> {
    let classes = &trained.config.data.classes;
    let explain = args
        .explain
        .explain
        .then(|| Explain::new(&args.explain, trained))
        .transpose()?;
    let pictures = match explain {
        Some(_) => explain::file_names(out(args), &args.images),
        None => Vec::new(),
    };
    let mut logits = Vec::with_capacity(args.images.len() * classes.len());
    for chunk in args.images.chunks(BATCH_SIZE) {
        let images = read_images(chunk, &trained.config)?;
        logits.extend(trained.engine.forward(&images)?);
    }
    let mut explanations = Vec::with_capacity(pictures.len());
    if let Some(explain) = &explain {
        // After every image was read, so that a wrong one leaves no pictures behind.
        prepare(out(args), &pictures, Overwrite::of(args))?;
        for (image, picture) in args.images.iter().zip(&pictures) {
            let pixels = read_images(std::slice::from_ref(image), &trained.config)?;
            explanations.push(explain.image(trained, &pixels, picture)?);
        }
    }
    let rows = args
        .images
        .iter()
        .map(PathBuf::as_path)
        .zip(logits.chunks_exact(classes.len()));
    if args.json.json {
        let mut explanations = explanations.into_iter();
        let predictions: Vec<_> = rows
            .map(|(path, logits)| prediction(path, logits, classes, explanations.next()))
            .collect();
        return output::print_json(&predictions);
    }
    let mut text = table(rows, classes);
    for explanation in &explanations {
        let _ = write!(text, "\n{}", explanation.sentence());
    }
    output::print(text)
}

fn prediction<'a>(
    path: &Path,
    logits: &[f32],
    classes: &'a [String],
    occlusion: Option<Explanation<'a>>,
) -> Prediction<'a> {
    let probabilities = classes
        .iter()
        .cloned()
        .zip(softmax(logits).into_iter().map(|p| json!(p)));
    Prediction {
        file: path.display().to_string(),
        class: &classes[argmax(logits)],
        probabilities: probabilities.collect(),
        logits: logits.to_vec(),
        occlusion,
    }
}

/// Class and probability, then every class where there is room or else the next likely one; the file last, since only it
/// has no bound.
fn table<'a>(rows: impl Iterator<Item = (&'a Path, &'a [f32])>, classes: &[String]) -> String {
    let width = |class: &String| class.chars().count();
    let class_width = classes
        .iter()
        .map(width)
        .max()
        .unwrap_or(0)
        .max("class".len());
    let p_width = |class: &String| (width(class) + "p()".len()).max("0.0000".len());
    let needed = class_width + "  probability".len();
    let needed = needed
        + classes
            .iter()
            .map(|class| 2 + p_width(class))
            .sum::<usize>();
    let has_room = needed + 2 + FILE_COLUMNS <= TERMINAL_COLUMNS;

    let mut text = format!("{:class_width$}  probability", "class");
    if has_room {
        for class in classes {
            let _ = write!(text, "  {:>1$}", format!("p({class})"), p_width(class));
        }
    } else {
        let _ = write!(text, "  {:class_width$}  probability", "next");
    }
    text.push_str("  file\n");
    for (path, logits) in rows {
        let (best, probabilities) = (argmax(logits), softmax(logits));
        let _ = write!(
            text,
            "{:class_width$}  {:11.4}",
            classes[best], probabilities[best]
        );
        if has_room {
            for (class, p) in classes.iter().zip(&probabilities) {
                let _ = write!(text, "  {p:0$.4}", p_width(class));
            }
        } else {
            let mut others = logits.to_vec();
            others[best] = f32::NEG_INFINITY;
            let next = argmax(&others);
            let _ = write!(
                text,
                "  {:class_width$}  {:11.4}",
                classes[next], probabilities[next]
            );
        }
        let _ = writeln!(text, "  {}", path.display());
    }
    text
}
