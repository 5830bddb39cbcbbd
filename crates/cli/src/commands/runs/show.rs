//! `juggle runs show`: one run, with its curves.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Result, bail};
use juggle_tracking::{Epoch, Event, Metrics, Settings, Status, settings};
use serde_json::{Value, json};

use super::folder::Run;
use super::words::{self, NOTHING, cut_right, width};
use crate::args::runs::ShowArgs;
use crate::config::{Kind, RunConfig};
use crate::output::{self, Messages};
use crate::sparkline::{Scale, sparkline};

/// Characters of a curve, so that a line with its name and both ends has 80.
const CURVE: usize = 40;

pub(super) fn run(args: &ShowArgs, messages: Messages) -> Result<()> {
    let run = Run::read(&args.run)?;
    if let Some(reason) = &run.unreadable {
        bail!("{reason}");
    }
    if run.events.torn_bytes > 0 {
        messages.note(format_args!(
            "warning: the last line of events.jsonl in {} is torn and left out: {} bytes without a line break",
            run.name, run.events.torn_bytes
        ));
    }
    if args.format.json {
        let mut document = run.to_json();
        document["events"] = json!(run.events.records);
        output::print_json(&document)
    } else if args.format.csv {
        super::print_csv(csv_rows(&run))
    } else {
        output::print(to_text(&run))
    }
}

fn to_text(run: &Run) -> String {
    let mut text = format!(
        "run      {}\nkind     {}\nstatus   {}\n",
        run.name,
        run.kind,
        status(run)
    );
    if let Some(began) = run.history.started_unix_s {
        let _ = writeln!(text, "began    {}", words::date(began));
    }
    let _ = writeln!(text, "trained  {}", words::duration(run.history.elapsed_s));
    if run.events.epochs().next().is_some() {
        text += &best_and_last(run);
        text += &curves(run);
    } else {
        text += "\nno epoch has ended yet\n";
    }
    text + &changed_settings(run)
}

/// How the run stands, and what it has done.
fn status(run: &Run) -> String {
    let history = &run.history;
    let mut text = format!(
        "{}, {} epochs, {} steps",
        history.status,
        words::epochs(run),
        history.n_steps
    );
    match history.n_resumptions {
        0 => {}
        1 => text += ", resumed once",
        n => {
            let _ = write!(text, ", resumed {n} times");
        }
    }
    if history.status == Status::Finished && run.history.last.is_some() {
        let reason = run
            .events
            .records
            .iter()
            .rev()
            .find_map(|record| match &record.event {
                Event::Finished(finished) => Some(finished.reason),
                _ => None,
            });
        if reason == Some(juggle_tracking::FinishReason::Patience) {
            text += ", stopped early";
        }
    }
    text
}

fn best_and_last(run: &Run) -> String {
    let (Some(best), Some(last)) = (&run.history.best, &run.history.last) else {
        return String::new();
    };
    let heading = |what: &str, epoch: &Epoch| format!("{what} (epoch {})", epoch.epoch);
    let (best_heading, last_heading) = (heading("best", best), heading("last", last));
    let mut text = format!("\n{:16}  {best_heading:>16}  {last_heading:>16}\n", "");
    for (split, of) in SPLITS {
        for name in names(run, of) {
            let [best, last] = [best, last].map(|epoch| words::value(&name, of(epoch).get(&name)));
            let label = label(split, &name);
            let _ = writeln!(text, "{label:16}  {best:>16}  {last:>16}");
        }
    }
    text
}

/// The curves of the metrics and of the learning rate, each between its first and its last value.
fn curves(run: &Run) -> String {
    let epochs: Vec<&Epoch> = run.events.epochs().collect();
    let mut text = format!(
        "\ncurves over {} epochs, from the first value to the last\n",
        epochs.len()
    );
    for (split, of) in SPLITS {
        for name in names(run, of) {
            let values = epochs.iter().map(|epoch| {
                let number = of(epoch).get(&name);
                number.map_or(f64::NAN, |number| number.0)
            });
            let scale = if name == "loss" {
                Scale::Logarithmic
            } else {
                Scale::Linear
            };
            text += &curve(
                &label(split, &name),
                &values.collect::<Vec<_>>(),
                scale,
                |x| words::digits(&name, x),
            );
        }
    }
    let rates: Vec<f64> = epochs.iter().map(|epoch| epoch.learning_rate).collect();
    text + &curve("learning rate", &rates, Scale::Linear, |x| {
        format!("{x:.3e}")
    })
}

fn curve(label: &str, values: &[f64], scale: Scale, show: impl Fn(f64) -> String) -> String {
    let (first, last) = (values[0], values[values.len() - 1]);
    let line = sparkline(values, CURVE, scale);
    format!(
        "{label:16}  {:>9}  {line:CURVE$}  {:>9}\n",
        show(first),
        show(last)
    )
}

/// The metrics that an epoch has of a split.
type Of = fn(&Epoch) -> &Metrics;

const SPLITS: [(&str, Of); 2] = [("val", |epoch| &epoch.val), ("train", |epoch| &epoch.train)];

/// The metrics of a split, the loss first.
fn names(run: &Run, of: Of) -> Vec<String> {
    let names: BTreeSet<String> = run
        .events
        .epochs()
        .flat_map(|epoch| of(epoch).keys().cloned())
        .collect();
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_key(|name| name != "loss");
    names
}

fn label(split: &str, name: &str) -> String {
    format!("{split} {}", words::metric(name).0)
}

/// The settings that are not the defaults of the run's kind; all of them where the kind is unknown.
fn changed_settings(run: &Run) -> String {
    let kind = serde_json::from_value::<Kind>(Value::String(run.kind.clone()));
    let defaults = kind
        .ok()
        .and_then(|kind| serde_json::to_value(RunConfig::defaults(kind)).ok());
    let defaults: Settings = defaults.map_or_else(Settings::new, |config| settings(&config));
    let mut text = String::from("\nsettings that are not the defaults\n");
    let changed: Vec<_> = run
        .settings
        .iter()
        .filter(|(key, value)| defaults.get(*key) != Some(value))
        .collect();
    let longest = changed.iter().map(|(key, _)| width(key)).max().unwrap_or(0);
    for (key, value) in &changed {
        let value = words::setting(Some(value));
        let _ = writeln!(text, "{key:longest$}  {}", cut_right(&value, 76 - longest));
    }
    if changed.is_empty() {
        let _ = writeln!(text, "{NOTHING}");
    }
    text
}

fn csv_rows(run: &Run) -> Vec<Vec<String>> {
    let columns: Vec<_> = SPLITS
        .iter()
        .flat_map(|&(split, of)| {
            names(run, of)
                .into_iter()
                .map(move |name| (split, of, name))
        })
        .collect();
    let mut header: Vec<String> = ["epoch", "step", "learning_rate", "elapsed_s"]
        .map(str::to_owned)
        .to_vec();
    header.extend(
        columns
            .iter()
            .map(|(split, _, name)| format!("{split}_{name}")),
    );
    let mut rows = vec![header];
    for epoch in run.events.epochs() {
        let mut row = vec![
            epoch.epoch.to_string(),
            epoch.step.to_string(),
            epoch.learning_rate.to_string(),
            epoch.elapsed_s.to_string(),
        ];
        row.extend(columns.iter().map(|(_, of, name)| {
            let number = of(epoch).get(name);
            number.map_or_else(String::new, |number| number.0.to_string())
        }));
        rows.push(row);
    }
    rows
}
