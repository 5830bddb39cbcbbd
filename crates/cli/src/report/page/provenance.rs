//! Where the numbers come from, and the lines that repeat them.

use maud::{Markup, html};

use super::super::machine::{date_of, quoted};
use super::super::run::Run;
use super::super::{Group, Report};
use super::table::{Cell, Table};
use super::words::{count, duration, thousands};

/// Runs whose details are open from the start.
const OPEN: usize = 1;

pub(super) fn body(report: &Report) -> Markup {
    let runs: Vec<(&Group, &Run)> = report
        .groups
        .iter()
        .flat_map(|group| group.runs.iter().map(move |run| (group, run)))
        .collect();
    html! {
        (made(report))
        @if !report.commands.is_empty() {
            h3 { "To repeat all of it" }
            pre tabindex="0" { code { (report.commands.join("\n")) } }
        }
        @for (group, run) in &runs {
            details open[runs.len() <= OPEN] {
                summary { "Run " (group.name_of(run)) }
                (facts(run))
                h3 { "To repeat this run" }
                pre tabindex="0" { code { (repeat(run)) } }
            }
        }
    }
}

fn made(report: &Report) -> Table {
    let made = &report.made;
    let mut table = Table::new("This report", &["what", "value"]);
    for [name, value] in &report.provenance {
        table.row([Cell::from(name), Cell::from(value)]);
    }
    for (name, value) in [
        ("command", made.command.as_str()),
        ("program", &format!("juggle {}", made.version)),
        ("made", &made.date),
        ("processor that measured", &made.cpu),
        ("system", &made.system),
        ("threads", &made.threads.to_string()),
    ] {
        table.row([Cell::from(name), Cell::markup(html! { code { (value) } })]);
    }
    table
}

fn facts(run: &Run) -> Table {
    let mut facts: Vec<(&str, String)> = vec![("folder", run.path.display().to_string())];
    let log = &run.log;
    facts.push(("state", log.ending.words().to_owned()));
    if let Some(started) = &log.started {
        facts.push(("trained by", format!("juggle {}", started.version)));
        facts.push((
            "examples",
            format!(
                "{} for training, {} for validation, {} steps an epoch",
                thousands(started.train_examples),
                thousands(started.val_examples),
                thousands(started.steps_per_epoch)
            ),
        ));
        facts.push(("data files, SHA-256", started.data_sha256.clone()));
    }
    let (first, last) = log.unix_time_s;
    for (name, time) in [("begun", first), ("last event", last)] {
        facts.extend(date_of(time).map(|date| (name, date)));
    }
    if let Some(seconds) = run.elapsed_s() {
        let engine: f64 = log.epochs.iter().map(|epoch| epoch.engine_s).sum();
        facts.push((
            "time of training",
            format!(
                "{}, of which {} in the engine",
                duration(seconds),
                duration(engine)
            ),
        ));
    }
    if log.resumed > 0 {
        facts.push((
            "interruptions",
            count(log.resumed, "resumption", "resumptions"),
        ));
    }
    facts.extend(settings(run));
    facts.extend(measured(run));
    let mut table = Table::new("Facts of the run", &["what", "value"]);
    for (name, value) in facts {
        table.row([Cell::from(name), Cell::markup(html! { code { (value) } })]);
    }
    table
}

/// What was measured with which weights.
fn measured(run: &Run) -> Vec<(&'static str, String)> {
    let mut facts = vec![];
    match &run.outcome {
        Ok(outcome) => {
            let what = format!(
                "{} split of {}, {} examples",
                outcome.split(),
                outcome.folder.display(),
                thousands(outcome.n())
            );
            facts.push(("measured on", what));
            facts.push(("its pixels, SHA-256", outcome.pixels_sha256.clone()));
        }
        Err(reason) => facts.push(("measured on", format!("nothing: {reason}"))),
    }
    if let Some(weights) = &run.weights {
        facts.push((
            "weights",
            format!("{}, {} bytes", weights.name, thousands(weights.bytes)),
        ));
        facts.push(("weights, SHA-256", weights.sha256.clone()));
    }
    facts
}

fn settings(run: &Run) -> [(&'static str, String); 3] {
    let config = &run.config;
    let threads = match config.threads {
        0 => "all of the machine's".to_owned(),
        n => n.to_string(),
    };
    [
        ("threads asked for", threads),
        (
            "device, engine",
            format!("{}, {:?}", config.device, config.engine).to_lowercase(),
        ),
        (
            "seeds",
            format!(
                "{} of training, {} of the split",
                config.seed, config.data.split_seed
            ),
        ),
    ]
}

/// Training into a new folder, and the measurement.
fn repeat(run: &Run) -> String {
    let folder = quoted(&run.path.display().to_string());
    let kind = run.config.kind;
    let again = quoted(&format!("{}-again", run.path.display()));
    let mut lines = format!("juggle train {kind} --config {folder}/config.toml --run {again}");
    if let (Ok(outcome), Some(weights)) = (&run.outcome, &run.weights) {
        let weights = weights.name.trim_end_matches(".safetensors");
        lines += &format!(
            "\njuggle evaluate {again} --data {} --split {} --weights {weights}",
            quoted(&outcome.folder.display().to_string()),
            outcome.split()
        );
    }
    lines
}
