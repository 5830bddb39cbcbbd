//! Evaluation of a classifier: loss, accuracy, the report, and what it got wrong.

use std::fmt::{self, Display};
use std::path::Path;

use anyhow::Result;
use juggle_dataset::{ImageFolder, LabelledImages, Split};
use juggle_metrics::{ClassificationReport, ConfusionMatrix};
use juggle_models::{loss_value, softmax};
use serde::Serialize;

use super::{check_classes, check_shape, no_split};
use crate::args::JsonArgs;
use crate::config::Kind;
use crate::examples::{Examples, argmax};
use crate::model::{self, Trained};
use crate::output;

/// What `--json` prints; the text has the same content.
#[derive(Debug, Serialize)]
struct Evaluation<'a> {
    split: String,
    n: usize,
    loss: f64,
    accuracy: f64,
    report: &'a ClassificationReport,
    report_text: String,
    confusion_matrix: &'a ConfusionMatrix,
    classes: &'a [String],
    errors: Vec<Misclassified<'a>>,
}

#[derive(Debug, Serialize)]
struct Misclassified<'a> {
    file: String,
    #[serde(rename = "true")]
    truth: &'a str,
    predicted: &'a str,
    /// That the network gave to the predicted class.
    probability: f32,
}

/// The predictions for one split, in its order.
struct Predictions {
    loss: f64,
    predicted: Vec<usize>,
    probability: Vec<f32>,
}

pub(super) fn evaluate(
    trained: &Trained,
    folder: &Path,
    split: Split,
    json: JsonArgs,
) -> Result<()> {
    let images = ImageFolder::read(folder, &trained.config.data.read_options())?;
    let images = images.split(split).ok_or_else(|| no_split(folder, split))?;
    check_shape(images.shape, &trained.config, folder)?;
    check_classes(&images.classes, &trained.config, folder)?;

    let Predictions {
        loss,
        predicted,
        probability,
    } = predict(trained, images)?;
    let report = ClassificationReport::new(&images.labels, &predicted, &images.classes)?;
    let confusion_matrix = ConfusionMatrix::new(&images.labels, &predicted, images.classes.len())?;
    let errors = (0..images.len())
        .filter(|&i| predicted[i] != images.labels[i])
        .map(|i| Misclassified {
            file: images.paths[i].display().to_string(),
            truth: &images.classes[images.labels[i]],
            predicted: &images.classes[predicted[i]],
            probability: probability[i],
        })
        .collect();
    let evaluation = Evaluation {
        split: split.to_string(),
        n: images.len(),
        loss,
        accuracy: report.accuracy(),
        report_text: report.to_text(2),
        report: &report,
        confusion_matrix: &confusion_matrix,
        classes: &images.classes,
        errors,
    };
    if json.json {
        output::print_json(&evaluation)
    } else {
        output::print(evaluation)
    }
}

fn predict(trained: &Trained, images: &LabelledImages) -> Result<Predictions> {
    let loss = model::evaluation_loss(Kind::Classifier);
    let n_classes = images.classes.len();
    let mut sum = 0.0;
    let (mut predicted, mut probability) = (Vec::new(), Vec::new());
    Examples::Images(images).forward(&*trained.engine, |indices, batch, outputs| {
        let weight = indices.len() as f64;
        sum += loss_value(loss, outputs, batch.targets())? * weight;
        for logits in outputs.chunks_exact(n_classes) {
            let class_idx = argmax(logits);
            predicted.push(class_idx);
            probability.push(softmax(logits)[class_idx]);
        }
        Ok(())
    })?;
    let n = images.len() as f64;
    Ok(Predictions {
        loss: sum / n,
        predicted,
        probability,
    })
}

impl Display for Evaluation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "split     {} ({} images)", self.split, self.n)?;
        writeln!(f, "loss      {:.5}", self.loss)?;
        writeln!(f, "accuracy  {:.4}\n", self.accuracy)?;
        writeln!(f, "{}", self.report_text)?;
        self.write_confusion(f)?;
        self.write_errors(f)
    }
}

impl Evaluation<'_> {
    fn write_confusion(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.confusion_matrix.counts();
        let names = self
            .classes
            .iter()
            .map(|class| class.chars().count())
            .max()
            .unwrap_or(0);
        let width = counts
            .iter()
            .map(|count| count.to_string().len())
            .max()
            .unwrap_or(1)
            .max(names)
            + 2;
        writeln!(f, "confusion matrix (rows are true, columns predicted)")?;
        write!(f, "{:>names$}", "")?;
        for class in self.classes {
            write!(f, "{class:>width$}")?;
        }
        writeln!(f)?;
        for (class, row) in self.classes.iter().zip(counts.rows()) {
            write!(f, "{class:>names$}")?;
            for count in row {
                write!(f, "{count:>width$}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_errors(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.errors.is_empty() {
            return write!(f, "\nno image was misclassified");
        }
        writeln!(f, "\nmisclassified ({} of {})", self.errors.len(), self.n)?;
        let (mut file, mut truth, mut predicted) = ("file".len(), "true".len(), "predicted".len());
        for error in &self.errors {
            file = file.max(error.file.chars().count());
            truth = truth.max(error.truth.chars().count());
            predicted = predicted.max(error.predicted.chars().count());
        }
        write!(
            f,
            "{:file$}  {:truth$}  {:predicted$}  probability",
            "file", "true", "predicted"
        )?;
        for error in &self.errors {
            write!(
                f,
                "\n{:file$}  {:truth$}  {:predicted$}  {:11.4}",
                error.file, error.truth, error.predicted, error.probability
            )?;
        }
        Ok(())
    }
}
