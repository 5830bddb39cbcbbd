//! `juggle metrics`: compare images, or score labels, without any model.

mod images;
mod metric;
mod pairs;
mod summary;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use juggle_metrics::ClassificationReport;

use crate::args::metrics::{MetricsCommand, ReportArgs};
use crate::output::{self, Messages};
use metric::Metric;

pub(crate) fn run(command: &MetricsCommand, messages: Messages) -> Result<()> {
    match command {
        MetricsCommand::Psnr(args) => images::compare(&Metric::psnr(args), &args.pair, messages),
        MetricsCommand::Ssim(args) => images::compare(&Metric::ssim(args)?, &args.pair, messages),
        MetricsCommand::MsSsim(args) => {
            images::compare(&Metric::ms_ssim(args), &args.pair, messages)
        }
        MetricsCommand::Report(args) => report(args),
    }
}

fn report(args: &ReportArgs) -> Result<()> {
    let (truth, predicted) = read_labels(&args.labels)?;
    let report = ClassificationReport::from_text_labels(&truth, &predicted)
        .with_context(|| args.labels.display().to_string())?;
    if args.json.json {
        output::print_json(&report)
    } else {
        output::print(report.to_text(args.digits))
    }
}

/// The columns `true` and `pred`; other columns are ignored.
fn read_labels(path: &Path) -> Result<(Vec<String>, Vec<String>)> {
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
            format!(
                "{shown} has no column `{name}`, \
                 expected a header line with true and pred, found {found}"
            )
        })
    };
    let (truth_column, predicted_column) = (column("true")?, column("pred")?);
    let (mut truth, mut predicted) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.with_context(|| format!("cannot read {shown}"))?;
        truth.push(record[truth_column].to_owned());
        predicted.push(record[predicted_column].to_owned());
    }
    if truth.is_empty() {
        bail!("{shown} has no lines below its header");
    }
    Ok((truth, predicted))
}
