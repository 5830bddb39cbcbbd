//! Curves of training.

use juggle_tracking::Epoch;
use maud::{Markup, html};

use super::super::Group;
use super::super::chart::axis::Axis;
use super::super::chart::lines::{Line, Lines, Point};
use super::super::chart::{Dashes, Style, swatch};
use super::super::run::Run;
use super::table::{Cell, Table};
use super::words::{count, duration, metric, number};
use crate::config::Kind;

/// Runs whose epochs are listed; the numbers of more would drown the page.
const LISTED: usize = 12;

/// Where a curve's numbers are.
#[derive(Clone, Copy)]
enum From {
    Train,
    Val,
}

impl From {
    fn number(self, epoch: &Epoch, metric: &str) -> Option<f64> {
        let metrics = match self {
            Self::Train => &epoch.train,
            Self::Val => &epoch.val,
        };
        metrics.get(metric).map(|number| number.0)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Train => "training",
            Self::Val => "validation",
        }
    }
}

/// An entry of a legend.
struct Entry {
    key: String,
    name: String,
    style: Style,
    dashes: Dashes,
}

pub(super) fn body(kind: Kind, groups: &[(usize, &Group)]) -> Option<Markup> {
    let runs: Vec<(usize, &Group, &Run)> = groups
        .iter()
        .flat_map(|&(i, group)| group.runs.iter().map(move |run| (i, group, run)))
        .filter(|(_, _, run)| !run.log.epochs.is_empty())
        .collect();
    if runs.is_empty() {
        return Some(html! { p { "No epoch was recorded, so there are no curves." } });
    }
    let second = match kind {
        Kind::Classifier => "accuracy",
        Kind::Autoencoder => "psnr_db",
    };
    let (entries, charts) = match &runs[..] {
        [(_, _, run)] => alone(kind, run, second),
        runs => together(kind, groups, runs, second),
    };
    Some(html! {
        p { (explanation(kind)) }
        (legend(&entries))
        div.charts { @for chart in charts.iter().chain(&learning_rates(kind, &runs)) { (chart.render()) } }
        (constant_rates(&runs))
        @match &runs[..] {
            [(_, group, run)] => (listing(&group.name_of(run), run, second)),
            runs if runs.len() <= LISTED => details {
                summary { "Numbers of every epoch" }
                @for (_, group, run) in runs { (listing(&group.name_of(run), run, second)) }
            },
            _ => {},
        }
    })
}

fn explanation(kind: Kind) -> &'static str {
    match kind {
        Kind::Classifier => {
            "Training numbers are means over an epoch, taken while the weights move; validation numbers are those of the \
             epoch's last weights. Where training goes on falling and validation does not, the network learns its \
             images by heart."
        }
        Kind::Autoencoder => {
            "Training loss is the mean over an epoch, taken while the weights move; validation numbers are those of the \
             epoch's last weights."
        }
    }
}

/// Training and validation of one run in one picture.
fn alone(kind: Kind, run: &Run, second: &str) -> (Vec<Entry>, Vec<Lines>) {
    let sides = [
        (From::Train, 0, Dashes::Solid),
        (From::Val, 1, Dashes::Dashed),
    ];
    let entries = sides.map(|(from, style, dashes)| Entry {
        key: format!("{kind}-{}", from.words()),
        name: from.words().to_owned(),
        style: Style(style),
        dashes,
    });
    let chart = |name: &str| {
        let lines = sides
            .iter()
            .zip(&entries)
            .filter_map(|((from, ..), entry)| line(run, *from, name, entry, entry.name.clone()));
        chart(format!("{kind}-{name}"), name, "", lines.collect())
    };
    let charts = ["loss", second].into_iter().filter_map(chart).collect();
    (entries.into(), charts)
}

/// One picture for training and one for validation, with every run.
fn together(
    kind: Kind,
    groups: &[(usize, &Group)],
    runs: &[(usize, &Group, &Run)],
    second: &str,
) -> (Vec<Entry>, Vec<Lines>) {
    let entry = |i: usize, name: &str| Entry {
        key: format!("g{i}"),
        name: name.to_owned(),
        style: Style(i),
        dashes: if (i / 8).is_multiple_of(2) {
            Dashes::Solid
        } else {
            Dashes::Dashed
        },
    };
    let entries: Vec<Entry> = groups
        .iter()
        .map(|(i, group)| entry(*i, &group.name))
        .collect();
    let mut charts = vec![];
    for (name, from) in [
        ("loss", From::Train),
        ("loss", From::Val),
        (second, From::Train),
        (second, From::Val),
    ] {
        let lines = runs.iter().filter_map(|(i, group, run)| {
            line(run, from, name, &entry(*i, &group.name), group.name_of(run))
        });
        let id = format!("{kind}-{}-{name}", from.words());
        charts.extend(chart(id, name, from.words(), lines.collect()));
    }
    (entries, charts)
}

/// The curve of a run; nothing when no epoch has the metric.
fn line(run: &Run, from: From, metric: &str, entry: &Entry, name: String) -> Option<Line> {
    let points: Vec<Point> = run
        .log
        .epochs
        .iter()
        .map(|epoch| {
            let y = from.number(epoch, metric).unwrap_or(f64::NAN);
            Point::new(epoch.epoch as f64, y)
        })
        .collect();
    let has_any = run
        .log
        .epochs
        .iter()
        .any(|epoch| from.number(epoch, metric).is_some());
    has_any.then_some(Line {
        name,
        style: entry.style,
        dashes: entry.dashes,
        key: entry.key.clone(),
        points,
    })
}

fn chart(id: String, name: &str, side: &str, lines: Vec<Line>) -> Option<Lines> {
    if lines.is_empty() {
        return None;
    }
    let (_, label) = metric(name);
    let all = || lines.iter().flat_map(|line| &line.points);
    let y = Axis::of(all().map(|point| point.y));
    let title = match side {
        "" => format!("{label} over epochs"),
        side => format!("{side} {label} over epochs"),
    };
    Some(Lines {
        id,
        title,
        x_label: "epoch".to_owned(),
        y_label: label,
        x: epochs_axis(all().map(|point| point.x)),
        y,
        lines,
        diagonal: false,
    })
}

fn epochs_axis(epochs: impl Iterator<Item = f64> + Clone) -> Axis {
    let last = epochs.clone().fold(f64::NEG_INFINITY, f64::max);
    Axis::counts(epochs.fold(f64::INFINITY, f64::min), last)
}

/// The rates that change, in one picture.
fn learning_rates(kind: Kind, runs: &[(usize, &Group, &Run)]) -> Option<Lines> {
    let changing: Vec<_> = runs
        .iter()
        .filter(|(_, _, run)| constant_rate(run).is_none())
        .collect();
    let lines: Vec<Line> = changing
        .iter()
        .map(|(i, group, run)| Line {
            name: group.name_of(run),
            style: Style(if runs.len() == 1 { 2 } else { *i }),
            dashes: Dashes::Solid,
            key: format!("g{i}"),
            points: run
                .log
                .epochs
                .iter()
                .map(|epoch| Point::new(epoch.epoch as f64, epoch.learning_rate))
                .collect(),
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let all = || lines.iter().flat_map(|line| &line.points);
    Some(Lines {
        id: format!("{kind}-learning-rate"),
        title: "learning rate of each epoch's last step".to_owned(),
        x_label: "epoch".to_owned(),
        y_label: "learning rate".to_owned(),
        x: epochs_axis(all().map(|point| point.x)),
        y: Axis::linear(0.0, all().map(|point| point.y).fold(0.0, f64::max)),
        lines,
        diagonal: false,
    })
}

fn constant_rate(run: &Run) -> Option<f64> {
    let mut rates = run.log.epochs.iter().map(|epoch| epoch.learning_rate);
    let first = rates.next()?;
    rates.all(|rate| rate == first).then_some(first)
}

/// A flat line is better said than drawn.
fn constant_rates(runs: &[(usize, &Group, &Run)]) -> Markup {
    let mut said: Vec<(String, f64)> = vec![];
    for (_, group, run) in runs {
        let Some(rate) = constant_rate(run) else {
            continue;
        };
        let known = said
            .iter()
            .any(|(name, other)| *name == group.name && *other == rate);
        if !known {
            said.push((group.name.clone(), rate));
        }
    }
    let same = said.windows(2).all(|pair| pair[0].1 == pair[1].1);
    let words: Vec<String> = match (&said[..], runs.len()) {
        ([(_, rate), ..], n) if same && n == 1 => vec![format!("{rate} throughout")],
        ([(_, rate), ..], _)
            if same && runs.iter().all(|(_, _, run)| constant_rate(run).is_some()) =>
        {
            vec![format!("{rate} throughout in all runs")]
        }
        (said, _) => said
            .iter()
            .map(|(name, rate)| format!("{rate} throughout for {name}"))
            .collect(),
    };
    html! { @if !words.is_empty() { p { "The learning rate was " (words.join("; ")) "." } } }
}

/// Boxes that turn lines on and off; without the script they only explain.
fn legend(entries: &[Entry]) -> Markup {
    html! {
        ul.legend aria-label="Legend" {
            @for entry in entries {
                li data-key=(entry.key) { (swatch(entry.style, entry.dashes)) span { (entry.name) } }
            }
        }
    }
}

/// The numbers behind the curves.
fn listing(name: &str, run: &Run, second: &str) -> Markup {
    let (decimals, label) = metric(second);
    let columns = [
        ">epoch".to_owned(),
        ">training loss".to_owned(),
        ">validation loss".to_owned(),
        format!(">training {label}"),
        format!(">validation {label}"),
        ">learning rate".to_owned(),
        ">time".to_owned(),
    ];
    let mut table = Table::of_columns(format!("Epochs of {name}"), columns).sortable();
    for epoch in &run.log.epochs {
        let cell = |from: From, metric: &str, decimals: usize| {
            Cell::or_dash(from.number(epoch, metric), |value| number(value, decimals))
        };
        table.row([
            Cell::number(epoch.epoch as f64, epoch.epoch),
            cell(From::Train, "loss", 5),
            cell(From::Val, "loss", 5),
            cell(From::Train, second, decimals),
            cell(From::Val, second, decimals),
            Cell::number(epoch.learning_rate, epoch.learning_rate.to_string()),
            Cell::number(epoch.epoch_s, duration(epoch.epoch_s)),
        ]);
    }
    html! {
        details { summary { "Numbers of " (name) ", " (count(run.log.epochs.len(), "epoch", "epochs")) } (table) }
    }
}
