//! The measured tables, printed and put into their places in `docs/performance.md`.

use std::fs;

use anyhow::{Context as _, Result};

use super::process::FOLDER;
use super::ratios::Ratios;
use super::rows::{Against, Part};
use super::{Options, Results, table};
use crate::provenance::WorkTree;

const DOCUMENT: &str = "docs/performance.md";

/// Prints the tables, and writes them into the document when they are complete.
pub(super) fn publish(options: &Options, results: &Results) -> Result<()> {
    let parts = Part::ALL.into_iter().filter(|&part| options.measures(part));
    let texts: Vec<_> = parts.map(|part| (part, document(results, part))).collect();
    for (_, text) in &texts {
        println!("{text}");
    }
    let limited = options.quick || !options.only.is_empty() || options.threads != [1, 2];
    if options.no_write || limited {
        let why = if options.no_write {
            "as asked"
        } else {
            "a limited run writes no claim"
        };
        eprintln!("{DOCUMENT} was left as it is: {why}; the figures are in {FOLDER}/results.json");
        return Ok(());
    }
    let mut document =
        fs::read_to_string(DOCUMENT).with_context(|| format!("cannot read {DOCUMENT}"))?;
    for (part, text) in &texts {
        document = table::replace_between_markers(&document, *part, text).context(DOCUMENT)?;
    }
    fs::write(DOCUMENT, document).with_context(|| format!("cannot write {DOCUMENT}"))?;
    eprintln!("{DOCUMENT} has the new tables");
    if options.measures(Part::Engine) {
        Ratios::write(results)?;
    }
    Ok(())
}

/// The tables of one part, with where they were measured above and what else is to be said below.
fn document(results: &Results, part: Part) -> String {
    let source = &results.provenance;
    let fact = |name: &str| {
        results
            .facts
            .get(name)
            .map_or("not started", String::as_str)
    };
    let changed = match source.work_tree {
        WorkTree::Clean => "",
        WorkTree::Changed => ", with changes that are not committed",
        WorkTree::Unknown => ", work tree unknown",
    };
    let mut blocks = vec![format!(
        "Measured {}: {}, {} cores, level {}; {}; {}; commit {}{changed}; PyTorch {}, torchvision {}, Python {}. `{}`: {} rounds of {} s a side, commands {} rounds of {} epochs.",
        source.date,
        source.cpu,
        source.n_cores,
        fact("level"),
        source.system,
        source.rustc,
        source.commit.get(..12).unwrap_or(&source.commit),
        fact("torch"),
        fact("torchvision"),
        fact("python"),
        results.command,
        results.effort.rounds,
        results.effort.seconds,
        results.effort.command_rounds,
        results.effort.epochs,
    )];
    for against in [
        Against::PyTorch,
        Against::PythonMetrics,
        Against::RustMetrics,
        Against::Memory,
        Against::Candle,
        Against::OneThread,
    ] {
        blocks.push(table::table(part, against, &results.rows));
    }
    let libraries = [
        "numpy",
        "scikit-image",
        "scikit-learn",
        "torchmetrics",
        "image-compare",
        "iqa",
    ];
    let versions = libraries
        .iter()
        .filter_map(|name| Some(format!("{name} {}", results.facts.get(*name)?)));
    let versions: Vec<_> = versions.collect();
    let mut notes = String::new();
    match part {
        Part::Engine => notes += &footprint_notes(results),
        Part::Metrics if !versions.is_empty() => {
            notes += &format!("- the peers: {}\n", versions.join(", "));
        }
        Part::Metrics | Part::Search => {}
    }
    for line in results
        .not_run
        .iter()
        .chain(&table::failures(part, &results.rows))
    {
        notes += &format!("- not run: {line}\n");
    }
    blocks.push(notes);
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n")
}

/// Memory, the share outside the engine, and how long the binary takes to start.
fn footprint_notes(results: &Results) -> String {
    let mut notes = String::new();
    for footprint in &results.footprints {
        let peak = footprint.peak_bytes.map_or_else(
            || "not known on this system".to_owned(),
            |bytes| format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20)),
        );
        notes += &format!(
            "- `juggle train {}`, threads {}: peak memory {peak}; {:.1} % of an epoch outside the engine\n",
            footprint.kind,
            footprint.threads,
            footprint.outside_engine * 100.0
        );
    }
    if let Some(seconds) = results.start_up_s {
        notes += &format!(
            "- `juggle --version`: {:.1} ms, median of 50\n",
            seconds * 1e3
        );
    }
    notes
}
