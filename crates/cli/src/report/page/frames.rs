//! Predicted frames beside true ones, and predictions from predictions.

use juggle_metrics::{Bootstrap, BootstrapMethod, Interval};
use maud::{Markup, html};

use super::super::Group;
use super::super::chart::axis::Axis;
use super::super::chart::lines::{Line, Lines, Point};
use super::super::chart::{Dashes, Style, swatch};
use super::super::outcome::{Found, FramesFound, ShownWindow, mean};
use super::super::run::Run;
use super::picture;
use super::table::{Cell, Table};
use super::words::{count, interval, number};
use crate::evaluation::rollout::{HORIZON, MAX_CLIPS, Rollout, Step};

/// Errors are drawn this much brighter, else a good prediction's would be black.
const ERROR_GAIN: f32 = 4.0;

/// The first measured run of each group in full.
pub(super) fn body(groups: &[(usize, &Group)]) -> Option<Markup> {
    let first: Vec<_> = groups
        .iter()
        .filter_map(|(_, group)| measured(group))
        .collect();
    if first.is_empty() {
        return None;
    }
    let several = groups.iter().any(|(_, group)| group.runs.len() > 1);
    Some(html! {
        @if several { p { "Shown is the first seed of each recipe." } }
        @for (group, run, found) in &first {
            h3 { (group.name_of(run)) }
            (rows(found))
            (windows(found))
        }
    })
}

fn measured(group: &Group) -> Option<(&Group, &Run, &FramesFound)> {
    group
        .runs
        .iter()
        .find_map(|run| match &run.outcome.as_ref().ok()?.found {
            Found::Frames(found) => Some((group, run, found)),
            Found::Classifier(_) => None,
        })
}

/// The interval of a metric's mean over windows, when whole clips are drawn anew.
pub(super) fn interval_over_clips(found: &FramesFound, metric: &str) -> Option<Interval> {
    let values = found.values(metric)?;
    let n_clips = found.clip_of_window.last()? + 1;
    let mut clips = vec![(0.0, 0.0); n_clips];
    for (&clip, &value) in found.clip_of_window.iter().zip(values) {
        clips[clip].0 += value;
        clips[clip].1 += 1.0;
    }
    clips.retain(|(_, n)| *n > 0.0);
    let statistic = |drawn: &[usize]| {
        let (sum, n) = drawn.iter().fold((0.0, 0.0), |(sum, n), &i| {
            (sum + clips[i].0, n + clips[i].1)
        });
        sum / n
    };
    let percentile = Bootstrap {
        method: BootstrapMethod::Percentile,
        ..Bootstrap::default()
    };
    let found = Bootstrap::default().interval(clips.len(), statistic);
    let found = found.or_else(|_| percentile.interval(clips.len(), statistic));
    found.ok().map(|found| found.interval)
}

fn rows(found: &FramesFound) -> Markup {
    let caption = format!(
        "Means over {} of the {} split",
        count(found.evaluation.n, "window", "windows"),
        found.evaluation.split
    );
    let columns = [
        "frames compared",
        ">PSNR, dB",
        ">95% interval",
        ">SSIM",
        ">95% interval",
        ">SSIM, Gaussian",
    ];
    let mut table = Table::new(caption, &columns);
    for (name, suffix) in [
        ("prediction and truth", ""),
        ("prediction and last input frame", "_vs_last_frame"),
        ("last input frame and truth (copying)", "_last_frame"),
    ] {
        let mut row = vec![Cell::from(name)];
        for (metric, decimals) in [("psnr_db", 2), ("ssim", 4)] {
            let metric = format!("{metric}{suffix}");
            row.push(Cell::or_dash(found.values(&metric).map(mean), |x| {
                number(x, decimals)
            }));
            let reach = interval_over_clips(found, &metric);
            row.push(reach.map_or_else(Cell::dash, |reach| Cell::from(interval(reach, decimals))));
        }
        let gaussian = found.values(&format!("ssim_gaussian{suffix}")).map(mean);
        row.push(Cell::or_dash(gaussian, |x| number(x, 4)));
        table.row(row);
    }
    html! {
        (table)
        p.small {
            "The first row is the result. The third is what repeating the last input frame would score, without any network; the \
             second shows whether the network does more than repeat it: near the third it predicts motion. Intervals are a \
             bootstrap over clips."
        }
    }
}

/// Last input, truth, prediction and error of the best, the median and the worst window.
fn windows(found: &FramesFound) -> Markup {
    let psnr_db = |window: &ShownWindow| {
        found
            .values("psnr_db")
            .map_or(f64::NAN, |values| values[window.index])
    };
    let ssim = |window: &ShownWindow| found.values("ssim").map(|values| values[window.index]);
    let columns = std::iter::once("frame".to_owned()).chain(found.shown.iter().map(|window| {
        let mut name = format!("{}: {} dB", window.rank, number(psnr_db(window), 2));
        if let Some(ssim) = ssim(window) {
            name += &format!(", SSIM {}", number(ssim, 3));
        }
        name
    }));
    let mut table = Table::of_columns("Best, median and worst window by PSNR", columns);
    type Frame = fn(&ShownWindow) -> Vec<f32>;
    let rows: [(&str, Frame); 4] = [
        ("last input", |window| window.last.clone()),
        ("truth", |window| window.truth.clone()),
        ("prediction", |window| window.prediction.clone()),
        ("error ×4", error),
    ];
    for (name, frame) in rows {
        let cells = found.shown.iter().map(|window| {
            let alt = format!("{name}, {} window, clip {}", window.rank, window.clip);
            Cell::markup(picture::of_units(&frame(window), found.shape, &alt))
        });
        table.row(std::iter::once(Cell::from(name)).chain(cells));
    }
    let files = found
        .shown
        .iter()
        .map(|window| Cell::markup(html! { span.file { (window.target) } }));
    table.row(std::iter::once(Cell::from("file of the truth")).chain(files));
    html! {
        div.strips { (table) }
        p.small { "The error is the distance of prediction and truth, drawn four times as bright." }
    }
}

fn error(window: &ShownWindow) -> Vec<f32> {
    let pairs = window.truth.iter().zip(&window.prediction);
    pairs
        .map(|(truth, prediction)| ((truth - prediction).abs() * ERROR_GAIN).min(1.0))
        .collect()
}

/// What becomes of predictions that are fed on predictions.
pub(super) fn rollouts(groups: &[(usize, &Group)]) -> Option<Markup> {
    let all: Vec<_> = groups
        .iter()
        .filter_map(|(i, group)| Some((*i, measured(group)?)))
        .collect();
    let rolled: Vec<(usize, String, &FramesFound, &Rollout)> = all
        .iter()
        .filter_map(|(i, (group, run, found))| {
            Some((*i, group.name_of(run), *found, found.rollout.as_ref()?))
        })
        .collect();
    if all.is_empty() {
        return None;
    }
    if rolled.is_empty() {
        return Some(html! { p { "No clip has enough frames to predict " (HORIZON) " of them." } });
    }
    let n = rolled[0]
        .3
        .steps
        .first()
        .map_or(0, |step| step.psnr_db.len());
    type Values = fn(&Step) -> Option<&[f64]>;
    let metrics: [(&str, &str, Values, Values); 2] = [
        (
            "psnr",
            "PSNR, dB",
            |step| Some(&step.psnr_db),
            |step| Some(&step.copy_psnr_db),
        ),
        (
            "ssim",
            "SSIM",
            |step| step.ssim.as_deref(),
            |step| step.copy_ssim.as_deref(),
        ),
    ];
    Some(html! {
        p {
            "The network sees the first frames of a clip and from then on its own predictions: each one becomes input for the \
             next. One roll-out for each of " (count(n, "clip", "clips"))
            @if n == MAX_CLIPS { ", the first of the split" } ". “Copying” holds the last true frame still."
        }
        ul.legend aria-label="Legend" {
            @for (i, name, ..) in &rolled { (entry(*i, Dashes::Solid, name)) }
            (entry(copy_style(&rolled), Dashes::Dashed, "copying"))
        }
        div.charts { @for (id, label, ours, copy) in metrics { @if let Some(chart) = horizon(&rolled, id, label, ours, copy) { (chart.render()) } } }
        @for (_, name, found, rollout) in &rolled { (strip(name, found, rollout)) }
        @for (_, name, _, rollout) in &rolled { details { summary { "Numbers of " (name) " by horizon" } (listing(rollout)) } }
    })
}

/// The style of the copy baseline: the one after those of the groups.
fn copy_style(rolled: &[(usize, String, &FramesFound, &Rollout)]) -> usize {
    rolled.iter().map(|(i, ..)| i + 1).max().unwrap_or(1)
}

fn entry(style: usize, dashes: Dashes, name: &str) -> Markup {
    html! {
        li data-key=(format!("rollout-{style}")) { (swatch(Style(style), dashes)) span { (name) } }
    }
}

fn horizon(
    rolled: &[(usize, String, &FramesFound, &Rollout)],
    id: &str,
    label: &str,
    ours: fn(&Step) -> Option<&[f64]>,
    copy: fn(&Step) -> Option<&[f64]>,
) -> Option<Lines> {
    let line =
        |name: &str, style: usize, dashes, rollout: &Rollout, of: fn(&Step) -> Option<&[f64]>| {
            let points = rollout.steps.iter().zip(1..).filter_map(|(step, h)| {
                let values = of(step)?;
                Some(Point {
                    x: f64::from(h),
                    y: mean(values),
                    interval: reach(values).map(|reach| (reach.low, reach.high)),
                })
            });
            Line {
                name: name.to_owned(),
                style: Style(style),
                dashes,
                key: format!("rollout-{style}"),
                points: points.collect(),
            }
        };
    let mut lines: Vec<Line> = rolled
        .iter()
        .map(|(i, name, _, rollout)| line(name, *i, Dashes::Solid, rollout, ours))
        .collect();
    let last = copy_style(rolled);
    lines.push(line("copying", last, Dashes::Dashed, rolled[0].3, copy));
    if lines.iter().all(|line| line.points.is_empty()) {
        return None;
    }
    let ends = lines
        .iter()
        .flat_map(|line| &line.points)
        .flat_map(|point| {
            let (low, high) = point.interval.unwrap_or((point.y, point.y));
            [low, high]
        });
    let finite: Vec<f64> = ends.filter(|x| x.is_finite()).collect();
    let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(Lines {
        id: format!("rollout-{id}"),
        title: format!("{label} by horizon, with 95% intervals over clips"),
        x_label: "frames ahead".to_owned(),
        y_label: label.to_owned(),
        x: Axis::counts(1.0, HORIZON as f64),
        y: if finite.is_empty() {
            Axis::linear(0.0, 1.0)
        } else {
            Axis::linear(low, high)
        },
        lines,
        diagonal: false,
    })
}

fn reach(values: &[f64]) -> Option<Interval> {
    Bootstrap::default()
        .mean(values)
        .ok()
        .map(|found| found.interval)
}

/// The first clip: truth over prediction.
fn strip(name: &str, found: &FramesFound, rollout: &Rollout) -> Markup {
    let columns = std::iter::once("frame".to_owned())
        .chain((1..=rollout.steps.len()).map(|h| format!(">+{h}")));
    let mut table = Table::of_columns(
        format!("{name}: the first clip, truth over prediction"),
        columns,
    );
    for (row, frames) in [
        ("truth", &rollout.truth),
        ("prediction", &rollout.prediction),
    ] {
        let cells = frames.iter().zip(1..).map(|(frame, h)| {
            Cell::markup(picture::of_units(
                frame,
                found.shape,
                &format!("{row}, {h} ahead"),
            ))
        });
        table.row(std::iter::once(Cell::from(row)).chain(cells));
    }
    html! { div.strips.small-images { (table) } }
}

fn listing(rollout: &Rollout) -> Table {
    let columns = [
        ">frames ahead",
        ">PSNR, dB",
        ">95% interval",
        ">SSIM",
        ">95% interval",
        ">PSNR of copying, dB",
        ">SSIM of copying",
    ];
    let mut table = Table::new("Means over clips", &columns);
    for (step, h) in rollout.steps.iter().zip(1..) {
        let cells = |values: Option<&[f64]>, decimals: usize| {
            let interval = values
                .and_then(reach)
                .map(|found| interval(found, decimals));
            [
                Cell::or_dash(values.map(mean), |x| number(x, decimals)),
                interval.map_or_else(Cell::dash, Cell::from),
            ]
        };
        let mut row = vec![Cell::from(h.to_string())];
        row.extend(cells(Some(&step.psnr_db), 2));
        row.extend(cells(step.ssim.as_deref(), 4));
        row.push(Cell::or_dash(Some(mean(&step.copy_psnr_db)), |x| {
            number(x, 2)
        }));
        row.push(Cell::or_dash(step.copy_ssim.as_deref().map(mean), |x| {
            number(x, 4)
        }));
        table.row(row);
    }
    table
}
