//! `juggle runs list`: one row a run, the runs of a kind together.

use std::fmt::Write as _;

use anyhow::Result;
use juggle_tracking::differing_keys;
use serde_json::Value;

use super::folder::{self, Run};
use super::words::{self, COLUMNS, NOTHING, cut_left, cut_right, width};
use crate::args::runs::ListArgs;
use crate::output::{self, Messages};

pub(super) fn run(args: &ListArgs, messages: Messages) -> Result<()> {
    let runs = folder::read_all(&args.runs, messages)?;
    if args.format.json {
        let documents: Vec<Value> = runs.iter().map(Run::to_json).collect();
        output::print_json(&documents)
    } else if args.format.csv {
        super::print_csv(csv_rows(&runs))
    } else {
        output::print(to_text(&runs))
    }
}

fn to_text(runs: &[Run]) -> String {
    let mut kinds: Vec<&str> = runs.iter().map(|run| run.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let tables = kinds.iter().rev().map(|kind| {
        let of_kind: Vec<&Run> = runs.iter().filter(|run| run.kind == *kind).collect();
        table(kind, &of_kind)
    });
    tables.collect::<Vec<_>>().join("\n")
}

/// The runs of a kind, and under each where its settings differ from the others'.
fn table(kind: &str, runs: &[&Run]) -> String {
    let metrics = words::metric_names(runs.iter().copied());
    let mut header: Vec<String> = ["status", "epochs", "best"].map(str::to_owned).to_vec();
    header.extend(metrics.iter().map(|name| match words::metric(name).0 {
        label if name == "loss" => format!("val {label}"),
        label => label,
    }));
    header.push("time".to_owned());
    let rows: Vec<Vec<String>> = runs.iter().map(|run| cells(run, &metrics)).collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = rows.iter().chain([&header]).map(|row| width(&row[column]));
            cells.max().unwrap_or(0)
        })
        .collect();
    let room = COLUMNS.saturating_sub(widths.iter().map(|width| width + 2).sum());
    let longest = runs.iter().map(|run| width(&run.name)).max().unwrap_or(0);
    let first = longest.clamp(width(kind), room.max(width(kind)));

    let line = |name: &str, cells: &[String]| {
        let mut line = format!("{:first$}", cut_left(name, first));
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            // Words to the left, numbers to the right.
            let _ = match column {
                0 => write!(line, "  {cell:width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        line.trim_end().to_owned() + "\n"
    };
    let settings: Vec<_> = runs.iter().map(|run| &run.settings).collect();
    let keys = differing_keys(&settings);
    let mut text = line(kind, &header);
    for (run, cells) in runs.iter().zip(&rows) {
        text += &line(&run.name, cells);
        text += &differences(run, &keys);
    }
    text
}

fn cells(run: &Run, metrics: &[String]) -> Vec<String> {
    let history = &run.history;
    let best = history.best.as_ref();
    let mut cells = vec![
        run.status(),
        words::epochs(run),
        best.map_or_else(|| NOTHING.to_owned(), |best| best.epoch.to_string()),
    ];
    cells.extend(metrics.iter().map(|name| words::of_epoch(best, name)));
    cells.push(words::duration(history.elapsed_s));
    cells
}

/// The settings that differ, wrapped under the run's name.
fn differences(run: &Run, keys: &[String]) -> String {
    const INDENT: &str = "    ";
    let mut lines: Vec<String> = vec![];
    for key in keys {
        let value = words::setting(run.settings.get(key));
        let item = cut_right(
            &format!("{} {value}", words::short_key(key)),
            COLUMNS - INDENT.len(),
        );
        match lines.last_mut() {
            Some(line) if width(line) + 2 + width(&item) <= COLUMNS => {
                line.push_str(", ");
                line.push_str(&item);
            }
            _ => lines.push(format!("{INDENT}{item}")),
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn csv_rows(runs: &[Run]) -> Vec<Vec<String>> {
    let metrics = words::metric_names(runs);
    let mut keys: Vec<&String> = runs.iter().flat_map(|run| run.settings.keys()).collect();
    keys.sort();
    keys.dedup();
    let mut header: Vec<String> = [
        "run",
        "kind",
        "status",
        "epochs",
        "steps",
        "resumptions",
        "elapsed_s",
        "best_epoch",
    ]
    .map(str::to_owned)
    .to_vec();
    header.extend(metrics.iter().map(|name| format!("best_val_{name}")));
    header.extend(keys.iter().map(|key| format!("config.{key}")));
    let mut rows = vec![header];
    for run in runs {
        let history = &run.history;
        let best = history.best.as_ref();
        let mut row = vec![
            run.name.clone(),
            run.kind.clone(),
            run.status(),
            history.n_epochs.to_string(),
            history.n_steps.to_string(),
            history.n_resumptions.to_string(),
            history.elapsed_s.to_string(),
            best.map_or_else(String::new, |best| best.epoch.to_string()),
        ];
        row.extend(metrics.iter().map(|name| {
            let number = best.and_then(|best| best.val.get(name));
            number.map_or_else(String::new, |number| number.0.to_string())
        }));
        row.extend(keys.iter().map(|key| {
            let value = run.settings.get(*key);
            value.map_or_else(String::new, |value| words::setting(Some(value)))
        }));
        rows.push(row);
    }
    rows
}
