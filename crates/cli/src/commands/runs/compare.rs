//! `juggle runs compare`: runs side by side.

use anyhow::Result;
use juggle_tracking::differing_keys;
use serde_json::{Map, Value, json};

use super::folder::{self, Run};
use super::words::{self, COLUMNS, cut_left, cut_right, width};
use crate::args::runs::ListArgs;
use crate::output::{self, Messages};
use crate::sparkline::{Scale, sparkline};

/// No column is wider, so that a few runs always stand side by side.
const WIDEST: usize = 20;

pub(super) fn run(args: &ListArgs, messages: Messages) -> Result<()> {
    let runs = folder::read_all(&args.runs, messages)?;
    let settings: Vec<_> = runs.iter().map(|run| &run.settings).collect();
    let mut keys = differing_keys(&settings);
    // It has a row of its own.
    keys.retain(|key| key != "kind");
    if args.format.json {
        output::print_json(&to_json(&runs, &keys))
    } else if args.format.csv {
        let rows = rows(&runs, &keys);
        super::print_csv(rows.into_iter().map(|row| {
            let mut cells = vec![row.label];
            cells.extend(row.cells);
            cells
        }))
    } else {
        output::print(to_text(&runs, &keys))
    }
}

fn to_json(runs: &[Run], keys: &[String]) -> Value {
    let differences: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let values: Vec<_> = runs.iter().map(|run| run.settings.get(key)).collect();
            (key.clone(), json!(values))
        })
        .collect();
    let runs: Vec<Value> = runs.iter().map(Run::to_json).collect();
    json!({"runs": runs, "differences": differences})
}

/// A line of the comparison: one cell a run.
struct Row {
    label: String,
    cells: Vec<String>,
}

impl Row {
    fn new(label: impl Into<String>, cells: impl Iterator<Item = String>) -> Self {
        Self {
            label: label.into(),
            cells: cells.collect(),
        }
    }
}

/// The first row names the runs; then what they reached, then the settings that differ.
fn rows(runs: &[Run], keys: &[String]) -> Vec<Row> {
    let history = |f: &dyn Fn(&Run) -> String| runs.iter().map(f).collect::<Vec<_>>().into_iter();
    let mut rows = vec![
        Row::new("run", history(&|run| run.name.clone())),
        Row::new("kind", history(&|run| run.kind.clone())),
        Row::new("status", history(&Run::status)),
        Row::new("epochs", history(&|run| words::epochs(run))),
        Row::new(
            "time",
            history(&|run| words::duration(run.history.elapsed_s)),
        ),
        Row::new(
            "best epoch",
            history(&|run| match &run.history.best {
                Some(best) => best.epoch.to_string(),
                None => words::NOTHING.to_owned(),
            }),
        ),
    ];
    rows.extend(
        words::metric_names(runs)
            .iter()
            .map(|name| metric(runs, name)),
    );
    rows.extend(keys.iter().map(|key| {
        let cells = runs.iter().map(|run| words::setting(run.settings.get(key)));
        Row::new(key, cells)
    }));
    rows
}

/// The metric at each run's best epoch, the best one with a star: among the runs of a kind, where there is more than one.
fn metric(runs: &[Run], name: &str) -> Row {
    let (label, _, more_is_better) = words::metric(name);
    let value = |run: &Run| {
        let number = run.history.best.as_ref()?.val.get(name)?;
        Some(if more_is_better { number.0 } else { -number.0 })
    };
    let is_best = |run: &Run| {
        let of_kind = || runs.iter().filter(|other| other.kind == run.kind);
        let best = of_kind()
            .filter_map(value)
            .fold(f64::NEG_INFINITY, f64::max);
        of_kind().count() > 1 && value(run) == Some(best)
    };
    let cells = runs.iter().map(|run| {
        let star = if is_best(run) { "*" } else { "" };
        star.to_owned() + &words::of_epoch(run.history.best.as_ref(), name)
    });
    Row::new(format!("val {label}"), cells)
}

/// The table, in as many blocks of columns as it needs.
fn to_text(runs: &[Run], keys: &[String]) -> String {
    let rows = rows(runs, keys);
    let first = rows
        .iter()
        .map(|row| width(&row.label))
        .max()
        .unwrap_or(0)
        .min(30);
    let widths: Vec<usize> = (0..runs.len())
        .map(|i| {
            let widest = rows.iter().map(|row| width(&row.cells[i])).max();
            widest.unwrap_or(0).min(WIDEST)
        })
        .collect();
    let mut text = String::new();
    let mut begin = 0;
    while begin < runs.len() {
        let mut end = begin;
        let mut used = first;
        while end < runs.len() && (end == begin || used + 2 + widths[end] <= COLUMNS) {
            used += 2 + widths[end];
            end += 1;
        }
        if begin > 0 {
            text.push('\n');
        }
        let block = begin..end;
        for row in &rows {
            let mut line = format!("{:first$}", cut_left(&row.label, first));
            for (cell, &width) in row.cells[block.clone()].iter().zip(&widths[block.clone()]) {
                // Paths are told apart by their ends.
                let cell = match &*row.label {
                    "run" | "data.path" => cut_left(cell, width),
                    _ => cut_right(cell, width),
                };
                line += &format!("  {cell:>width$}");
            }
            text += line.trim_end();
            text.push('\n');
        }
        text += &curves(&runs[block.clone()], first, &widths[block]);
        begin = end;
    }
    text
}

/// The validation loss of each run as a curve below its column.
fn curves(runs: &[Run], first: usize, widths: &[usize]) -> String {
    let mut line = format!("{:first$}", "val loss curve");
    for (run, &width) in runs.iter().zip(widths) {
        let losses = run.events.epochs().map(|epoch| {
            let loss = epoch.val.get("loss");
            loss.map_or(f64::NAN, |loss| loss.0)
        });
        let curve = sparkline(&losses.collect::<Vec<_>>(), width, Scale::Logarithmic);
        line += &format!("  {curve:>width$}");
    }
    line.trim_end().to_owned() + "\n"
}
