//! Whether a classifier that says 0.9 is right nine times of ten.

use juggle_metrics::{expected_calibration_error, wilson_interval};
use maud::{Markup, html};
use ndarray::ArrayView2;

use super::super::Group;
use super::super::chart::axis::{Axis, Spacing};
use super::super::chart::lines::{Line, Lines, Point};
use super::super::chart::{Dashes, Style};
use super::super::verdict::LEVEL;
use super::classifier::measured;
use super::table::{Cell, Table};
use super::words::{interval, number};
use crate::evaluation::classifier::ClassifierEvaluation;

/// Bins of the picture: few, so that each holds images.
const BINS: usize = 10;
/// Bins of the number, as is usual.
const ECE_BINS: usize = 15;

/// The images whose confidence lies in one bin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bin {
    pub(super) n: u64,
    pub(super) right: u64,
    /// The sum of the confidences.
    pub(super) confidence: f64,
}

impl Bin {
    fn mean_confidence(&self) -> f64 {
        self.confidence / self.n as f64
    }
}

pub(super) fn body(groups: &[(usize, &Group)]) -> Option<Markup> {
    let runs: Vec<_> = groups
        .iter()
        .filter_map(|(i, group)| Some((*i, measured(group)?)))
        .collect();
    if runs.is_empty() {
        return None;
    }
    let charts = runs.iter().map(|(i, (group, run, found))| {
        let name = group.name_of(run);
        chart(*i, &name, &bins(found))
    });
    Some(html! {
        p {
            "How sure the network was (the probability of the class it chose) against how often it was right. On the \
             diagonal the two agree; below it the network is surer than it should be. Whiskers are Wilson's 95% intervals, wide \
             where a bin holds few images."
        }
        (summary(&runs.iter().map(|(_, run)| *run).collect::<Vec<_>>()))
        div.charts { @for chart in charts { (chart.render()) } }
        @for (_, (group, run, found)) in &runs {
            details { summary { "Bins of " (group.name_of(run)) } (listing(found)) }
        }
    })
}

fn summary(runs: &[(&Group, &super::super::run::Run, &ClassifierEvaluation)]) -> Table {
    let columns = [
        "run",
        ">mean confidence",
        ">accuracy",
        ">surer than right by",
        ">expected calibration error",
    ];
    let mut table = Table::new("Confidence and accuracy", &columns).sortable();
    for (group, run, found) in runs {
        let n = found.images.len();
        let mean = (0..n).map(|i| f64::from(found.confidence(i))).sum::<f64>() / n as f64;
        let accuracy = found.report.accuracy();
        let error = ArrayView2::from_shape((n, found.images.classes.len()), &found.probabilities)
            .ok()
            .and_then(|view| expected_calibration_error(&found.images.labels, view, ECE_BINS).ok());
        table.row([
            Cell::from(group.name_of(run)),
            Cell::number(mean, number(mean, 3)),
            Cell::number(accuracy, number(accuracy, 3)),
            Cell::number(mean - accuracy, number(mean - accuracy, 3)),
            Cell::or_dash(error, |error| number(error, 3)),
        ]);
    }
    table
}

/// Images by the confidence of their prediction, in ten bins of equal width.
pub(super) fn bins(found: &ClassifierEvaluation) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for i in 0..found.images.len() {
        let confidence = f64::from(found.confidence(i));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a probability times ten"
        )]
        let bin = (confidence * BINS as f64) as usize;
        let bin = &mut bins[bin.min(BINS - 1)];
        bin.n += 1;
        bin.right += u64::from(found.is_correct(i));
        bin.confidence += confidence;
    }
    bins
}

fn chart(i: usize, name: &str, bins: &[Bin]) -> Lines {
    let points = bins.iter().filter(|bin| bin.n > 0).map(|bin| Point {
        x: bin.mean_confidence(),
        y: bin.right as f64 / bin.n as f64,
        interval: wilson_interval(bin.right, bin.n, LEVEL)
            .ok()
            .map(|found| (found.low, found.high)),
    });
    let unit = Axis {
        low: 0.0,
        high: 1.0,
        spacing: Spacing::Linear,
        ticks: [0.0, 0.25, 0.5, 0.75, 1.0].to_vec(),
    };
    Lines {
        id: format!("calibration-{i}"),
        title: format!("Reliability of {name}"),
        x_label: "confidence".to_owned(),
        y_label: "share that is right".to_owned(),
        x: unit.clone(),
        y: unit,
        lines: vec![Line {
            name: name.to_owned(),
            style: Style(i),
            dashes: Dashes::Solid,
            key: format!("calibration-{i}"),
            points: points.collect(),
        }],
        diagonal: true,
    }
}

fn listing(found: &ClassifierEvaluation) -> Table {
    let columns = [
        ">confidence",
        ">images",
        ">mean confidence",
        ">share right",
        ">95% interval",
    ];
    let mut table = Table::new("Bins of the reliability diagram", &columns);
    for (k, bin) in bins(found).iter().enumerate() {
        let (low, high) = (k as f64 / BINS as f64, (k + 1) as f64 / BINS as f64);
        let is_empty = bin.n == 0;
        let share = bin.right as f64 / bin.n as f64;
        let reach = wilson_interval(bin.right, bin.n, LEVEL).ok();
        table.row([
            Cell::number(low, format!("{low:.1} to {high:.1}")),
            Cell::number(bin.n as f64, bin.n),
            Cell::or_dash((!is_empty).then(|| bin.mean_confidence()), |x| number(x, 3)),
            Cell::or_dash((!is_empty).then_some(share), |x| number(x, 3)),
            reach.map_or_else(Cell::dash, |found| Cell::from(interval(found, 3))),
        ]);
    }
    table
}
