//! The page of a search of settings.

use maud::{Markup, html};
use serde_json::Value;

use super::table::{Cell, Table};
use super::{About, Part, document};
use crate::report::chart::axis::Axis;
use crate::report::chart::dots::{Dots, Row};
use crate::report::chart::lines::{Line, Lines, Point, short};
use crate::report::chart::parallel::{Parallel, Through, Upright};
use crate::report::chart::{Dashes, Style};
use crate::report::search::{Range, Search, Setting, Spacing, State, Trial};

/// Trials whose curves are drawn, and how many places of a table of settings.
const CURVES: usize = 6;
const BEST_SHARE: f64 = 0.1;

/// The whole document.
pub(crate) fn render(search: &Search) -> String {
    let lead = html! {
        @for paragraph in &search.lead { p.lead { (paragraph) } }
        @if let Some(warning) = &search.warning { div.note.warn { p { (warning) } } }
    };
    let bodies = [
        ("history", "History", history(search)),
        ("importances", "What matters", importances(search)),
        ("slices", "Setting by setting", slices(search)),
        ("together", "All settings together", together(search)),
        ("curves", "The best trials, epoch by epoch", curves(search)),
        ("trials", "Trials", Some(trials(search))),
        ("provenance", "Provenance", Some(provenance(search))),
    ];
    let parts = bodies
        .into_iter()
        .filter_map(|(id, heading, body)| Some(Part::new(About::Summary, id, heading, body?)));
    document(
        &search.title,
        &lead,
        &parts.collect::<Vec<_>>(),
        &search.made,
    )
}

fn line(name: &str, style: usize, dashes: Dashes, points: Vec<Point>) -> Line {
    Line {
        name: name.to_owned(),
        style: Style(style),
        dashes,
        key: name.to_owned(),
        points,
    }
}

/// The axis of the values, on which the worst trials must not press the others together.
fn value_axis(search: &Search) -> Axis {
    let ranked = search.ranked();
    let shown = ranked.len() - ranked.len() / 10;
    Axis::of(ranked[..shown].iter().map(|(value, _)| *value))
}

/// A value as far as the axis goes, so that a bad trial stands at its edge.
fn within(axis: &Axis, value: f64) -> f64 {
    value.clamp(axis.low, axis.high)
}

fn history(search: &Search) -> Option<Markup> {
    let complete: Vec<(u64, f64)> = search
        .trials
        .iter()
        .filter(|trial| trial.state == State::Complete)
        .filter_map(|trial| Some((trial.number, trial.value?)))
        .collect();
    let (first, last) = (complete.first()?.0, complete.last()?.0);
    let y = value_axis(search);
    let mut best = complete[0].1;
    let mut so_far = vec![];
    for &(number, value) in &complete {
        let is_better = search.goal.is_better(value, best);
        best = if is_better { value } else { best };
        so_far.push(Point::new(number as f64, within(&y, best)));
    }
    let points = complete
        .iter()
        .map(|&(number, value)| Point::new(number as f64, within(&y, value)));
    let chart = Lines {
        id: "history-chart".to_owned(),
        title: "The value of each complete trial, and the best so far".to_owned(),
        x_label: "trial".to_owned(),
        y_label: search.objective.clone(),
        x: Axis::counts(first as f64, last as f64),
        lines: vec![
            line("trial", 6, Dashes::Unjoined, points.collect()),
            line("best so far", 0, Dashes::Solid, so_far),
        ],
        y,
        diagonal: false,
    };
    Some(html! {
        div.charts { (chart.render()) }
        p.small { "Values beyond the axis stand at its edge." }
    })
}

fn importances(search: &Search) -> Option<Markup> {
    if search.importances.len() < 2 {
        return None;
    }
    Some(html! {
        p { "How much each setting decides whether a trial is among the best tenth (PED-ANOVA); the shares add up to 1. With few trials they are rough." }
        dl.bars.wide { @for (name, share) in &search.importances {
            div {
                dt { (name) }
                dd {
                    svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                        rect.track width="100" height="8" {}
                        rect.bar.true width=(format!("{:.1}", share * 100.0)) height="8" {}
                    }
                    span { (format!("{share:.3}")) }
                }
            }
        } }
    })
}

/// A chart of each setting, the most important first.
fn slices(search: &Search) -> Option<Markup> {
    search.ranked().first()?;
    let mut order: Vec<usize> = (0..search.settings.len()).collect();
    let rank = |i: usize| {
        let name = &search.settings[i].name;
        let found = search
            .importances
            .iter()
            .position(|(other, _)| other == name);
        found.unwrap_or(usize::MAX)
    };
    order.sort_by_key(|&i| rank(i));
    Some(html! {
        div.charts { @for i in order { (slice(search, i, &search.settings[i])) } }
    })
}

fn slice(search: &Search, i: usize, setting: &Setting) -> Markup {
    let ranked = search.ranked();
    let found = ranked
        .iter()
        .filter_map(|(value, trial)| Some((trial.settings[i].as_ref()?, *value)));
    let id = format!("slice-{i}");
    match &setting.range {
        Range::Numbers { spacing, .. } => {
            let y = value_axis(search);
            let along = |x: f64| match spacing {
                Spacing::Even => x,
                Spacing::Log => x.log10(),
            };
            let points = found.filter_map(|(x, value)| Some((along(x.as_f64()?), value)));
            let mut points: Vec<(f64, f64)> = points.collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let x = Axis::of_places(points.iter().map(|(x, _)| *x));
            let points = points
                .iter()
                .map(|&(x, value)| Point::new(x, within(&y, value)));
            let x_label = match spacing {
                Spacing::Even => setting.name.clone(),
                Spacing::Log => format!("{}, as a power of ten", setting.name),
            };
            Lines {
                id,
                title: setting.name.clone(),
                x_label,
                y_label: search.objective.clone(),
                x,
                lines: vec![line("trial", 0, Dashes::Unjoined, points.collect())],
                y,
                diagonal: false,
            }
            .render()
        }
        Range::Choices(choices) => {
            let found: Vec<(&Value, f64)> = found.collect();
            let rows = choices.iter().enumerate().map(|(style, choice)| {
                let of_choice = found.iter().filter(|(value, _)| *value == choice);
                let values: Vec<f64> = of_choice.map(|(_, value)| *value).collect();
                let mean =
                    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
                Row {
                    name: words(choice),
                    style: Style(style),
                    values,
                    mean,
                    interval: None,
                    published: None,
                }
            });
            Dots {
                id,
                title: setting.name.clone(),
                label: search.objective.clone(),
                rows: rows.collect(),
            }
            .render()
        }
    }
}

fn together(search: &Search) -> Option<Markup> {
    let ranked = search.ranked();
    if ranked.len() < 2 || search.settings.len() < 2 {
        return None;
    }
    let y = value_axis(search);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a number of trials"
    )]
    let n_good = (ranked.len() as f64 * BEST_SHARE).ceil() as usize;
    let mut axes = vec![Upright {
        name: search.objective.clone(),
        ticks: y
            .ticks
            .iter()
            .map(|&tick| (y.share(tick), y.label(tick)))
            .collect(),
    }];
    axes.extend(search.settings.iter().map(upright));
    // The best are drawn last, on top.
    let trials = ranked
        .iter()
        .enumerate()
        .rev()
        .map(|(rank, (value, trial))| {
            let settings = search.settings.iter().zip(&trial.settings);
            let places = settings.map(|(setting, value)| setting.range.place(value.as_ref()?));
            Through {
                places: std::iter::once(Some(y.share(within(&y, *value))))
                    .chain(places)
                    .collect(),
                is_good: rank < n_good,
                words: format!(
                    "trial {}: {} {}",
                    trial.number,
                    search.objective,
                    short(*value)
                ),
            }
        });
    let chart = Parallel {
        id: "parallel".to_owned(),
        title: "Each line is a trial; the best tenth is drawn strong".to_owned(),
        axes,
        trials: trials.collect(),
    };
    Some(chart.render())
}

fn upright(setting: &Setting) -> Upright {
    let ticks = match &setting.range {
        Range::Numbers { low, high, .. } => vec![(0.0, short(*low)), (1.0, short(*high))],
        Range::Choices(choices) => choices
            .iter()
            .filter_map(|choice| Some((setting.range.place(choice)?, cut(&words(choice)))))
            .collect(),
    };
    Upright {
        name: setting.name.clone(),
        ticks,
    }
}

/// Room beside an axis is little.
fn cut(text: &str) -> String {
    const ROOM: usize = 9;
    if text.chars().count() <= ROOM {
        return text.to_owned();
    }
    text.chars().take(ROOM - 1).chain(['…']).collect()
}

fn curves(search: &Search) -> Option<Markup> {
    let ranked = search.ranked();
    let shown = &ranked[..ranked.len().min(CURVES)];
    let epochs = shown
        .iter()
        .flat_map(|(_, trial)| &trial.curve)
        .map(|(epoch, _)| *epoch);
    let last = epochs.fold(1.0, f64::max);
    if shown.is_empty() || last < 2.0 {
        return None;
    }
    let values = shown
        .iter()
        .flat_map(|(_, trial)| &trial.curve)
        .map(|(_, value)| *value);
    let lines = shown.iter().enumerate().map(|(i, (_, trial))| {
        let points = trial.curve.iter().map(|&(x, y)| Point::new(x, y)).collect();
        line(&format!("trial {}", trial.number), i, Dashes::Solid, points)
    });
    let chart = Lines {
        id: "curves-chart".to_owned(),
        title: format!(
            "{} after each epoch, mean over the networks of the trial",
            search.objective
        ),
        x_label: "epoch".to_owned(),
        y_label: search.objective.clone(),
        x: Axis::counts(1.0, last),
        y: Axis::of(values),
        lines: lines.collect(),
        diagonal: false,
    };
    Some(html! {
        ul.legend { @for line in &chart.lines {
            li { (super::super::chart::swatch(line.style, line.dashes)) (line.name) }
        } }
        div.charts { (chart.render()) }
    })
}

fn trials(search: &Search) -> Markup {
    let mut columns = vec![
        ">trial".to_owned(),
        "state".to_owned(),
        format!(">{}", search.objective),
    ];
    columns.push("95% interval".to_owned());
    columns.push(">epochs".to_owned());
    columns.extend(search.settings.iter().map(|setting| match setting.range {
        Range::Numbers { .. } => format!(">{}", setting.name),
        Range::Choices(_) => setting.name.clone(),
    }));
    let mut table = Table::of_columns("All trials", columns).sortable();
    for trial in &search.trials {
        table.row(row(trial));
    }
    html! {
        (table)
        p.small {
            "The value is the mean over the networks of a trial after its last epoch; the interval is Student's for that mean and wide, because "
            "they are few. A pruned trial has the value at which it was ended."
        }
    }
}

fn row(trial: &Trial) -> Vec<Cell> {
    let state = match trial.state {
        State::Complete => "complete",
        State::Pruned => "pruned",
        State::Failed => "failed",
        State::Unfinished => "not finished",
    };
    let interval = trial.interval.map_or_else(Cell::dash, |(low, high)| {
        Cell::from(format!("{} to {}", short(low), short(high)))
    });
    let number = trial.number as f64;
    let mut cells = vec![
        Cell::number(number, trial.number),
        Cell::from(state),
        Cell::or_dash(trial.value, short),
        interval,
        Cell::number(trial.curve.len() as f64, trial.curve.len()),
    ];
    cells.extend(trial.settings.iter().map(|value| match value {
        None => Cell::dash(),
        Some(value) => match value.as_f64() {
            Some(x) => Cell::number(x, short(x)),
            None => Cell::from(words(value)),
        },
    }));
    cells
}

fn provenance(search: &Search) -> Markup {
    let mut table = Table::new("What was asked for, and by what", &["", ""]);
    for (name, value) in &search.about {
        table.row([Cell::from(name), Cell::from(value)]);
    }
    let made = &search.made;
    for (name, value) in [
        ("page made by", &made.command),
        ("processor", &made.cpu),
        ("system", &made.system),
    ] {
        table.row([Cell::from(name), Cell::from(value)]);
    }
    html! { (table) }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
