//! The evaluation of a classifier in text and JSON: loss, accuracy, the report, and what it got wrong.

use std::fmt::{self, Display};

use anyhow::Result;
use juggle_metrics::{ClassificationReport, ConfusionMatrix};
use serde::Serialize;

use crate::args::JsonArgs;
use crate::evaluation::classifier::ClassifierEvaluation;
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

pub(super) fn print(found: &ClassifierEvaluation, json: JsonArgs) -> Result<()> {
    let images = &found.images;
    let errors = found.errors().map(|i| Misclassified {
        file: images.paths[i].display().to_string(),
        truth: &images.classes[images.labels[i]],
        predicted: &images.classes[found.predicted[i]],
        probability: found.confidence(i),
    });
    let evaluation = Evaluation {
        split: found.split.to_string(),
        n: images.len(),
        loss: found.loss,
        accuracy: found.report.accuracy(),
        report_text: found.report.to_text(2),
        report: &found.report,
        confusion_matrix: &found.confusion_matrix,
        classes: &images.classes,
        errors: errors.collect(),
    };
    if json.json {
        output::print_json(&evaluation)
    } else {
        output::print(evaluation)
    }
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
