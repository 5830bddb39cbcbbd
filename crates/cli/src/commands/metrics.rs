//! `juggle metrics`: compare images, or score labels, without any model.

mod images;
mod metric;
mod pairs;
mod summary;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use juggle_metrics::ReportOptions;

use crate::args::metrics::{MetricsCommand, ReportArgs};
use crate::output::{self, Messages};
use crate::suggest::{closest, did_you_mean};
use metric::Metric;

pub(crate) fn run(command: &MetricsCommand, messages: Messages) -> Result<()> {
    match command {
        MetricsCommand::Psnr(args) => images::compare(&Metric::psnr(args), &args.pair, messages),
        MetricsCommand::Ssim(args) => images::compare(&Metric::ssim(args)?, &args.pair, messages),
        MetricsCommand::MsSsim(args) => {
            images::compare(&Metric::ms_ssim(args), &args.pair, messages)
        }
        MetricsCommand::Report(args) => report(args, messages),
    }
}

fn report(args: &ReportArgs, messages: Messages) -> Result<()> {
    let lines = read_labels(&args.file, args.sample_weight.as_deref())?;
    let mut options = ReportOptions::new().zero_division(args.zero_division.into());
    if let Some(labels) = &args.labels {
        note_strangers(labels, &lines, messages);
        options = options.labels(labels.iter().map(|label| label.trim()));
    }
    if let Some(weights) = &lines.weights {
        options = options.sample_weight(weights);
    }
    let report = options
        .report_of_text(&lines.truth, &lines.predicted)
        .with_context(|| args.file.display().to_string())?;
    if args.json.json {
        output::print_json(&report)
    } else {
        output::print(report.to_text(args.digits))
    }
}

/// A class without a line gets a row of its own, as in scikit-learn; it may be a slip of the pen.
fn note_strangers(labels: &[String], lines: &Lines, messages: Messages) {
    let known: BTreeSet<_> = lines
        .truth
        .iter()
        .chain(&lines.predicted)
        .map(String::as_str)
        .collect();
    for label in labels.iter().map(|label| label.trim()) {
        if !known.contains(label) {
            let offer = did_you_mean(closest(label, known.iter().copied()));
            messages.note(format_args!(
                "warning: no line has the class `{label}`{offer}"
            ));
        }
    }
}

/// The columns of a file of labels.
#[derive(Default)]
struct Lines {
    truth: Vec<String>,
    predicted: Vec<String>,
    weights: Option<Vec<f64>>,
}

/// The columns `true` and `pred`, and that of the weights; other columns are ignored.
fn read_labels(path: &Path, weight_column: Option<&str>) -> Result<Lines> {
    let shown = path.display();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("cannot read {shown}"))?;
    let headers = reader
        .headers()
        .with_context(|| format!("cannot read {shown}"))?
        .clone();
    let column = |name: &str| {
        // A byte order mark, which spreadsheets write, belongs to no column name.
        let mut names = headers
            .iter()
            .map(|header| header.trim_start_matches('\u{feff}'));
        names.position(|header| header == name).with_context(|| {
            let found = headers.iter().collect::<Vec<_>>().join(",");
            let expected = match weight_column {
                None => "true and pred".to_owned(),
                Some(weights) => format!("true, pred and {weights}"),
            };
            format!(
                "{shown} has no column `{name}`, \
                 expected a header line with {expected}, found {found}"
            )
        })
    };
    let (truth_column, predicted_column) = (column("true")?, column("pred")?);
    let weight_column = weight_column.map(column).transpose()?;
    let mut lines = Lines {
        weights: weight_column.map(|_| Vec::new()),
        ..Lines::default()
    };
    for record in reader.records() {
        let record = record.with_context(|| format!("cannot read {shown}"))?;
        lines.truth.push(record[truth_column].to_owned());
        lines.predicted.push(record[predicted_column].to_owned());
        if let (Some(weights), Some(column)) = (&mut lines.weights, weight_column) {
            let number = record[column].parse().ok().filter(|x: &f64| x.is_finite());
            weights.push(number.with_context(|| {
                let line = record.position().map_or(0, csv::Position::line);
                format!(
                    "{shown}, line {line}: the weight `{}` is not a finite number",
                    &record[column]
                )
            })?);
        }
    }
    if lines.truth.is_empty() {
        bail!("{shown} has no lines below its header");
    }
    Ok(lines)
}
