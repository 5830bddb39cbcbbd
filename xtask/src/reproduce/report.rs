//! The report in words, tables and figures: published beside measured.
//!
//! It only reads [`Results`]; the tables of the tasks are in [`classifier`] and [`autoencoder`],
//! what stands before and after them in [`header`] and [`appendix`].

mod appendix;
mod autoencoder;
mod classifier;
mod figures;
mod header;

use std::fs;

use anyhow::{Context as _, Result};

use super::document::{Block, Table, to_markdown};
use super::published;
use super::results::{Results, Spread};
use super::stages::{Plan, SYNTH};
use super::stamp::Freshness;
use crate::bench::ratios::Ratios;

/// Writes `report.md`, `results.json` and the figures.
pub(crate) fn write(plan: &Plan, results: &Results, ratios: Option<&Ratios>) -> Result<()> {
    for (path, svg) in figures::draw(results)? {
        let path = plan.out.join(path);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, svg))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let json = serde_json::to_string_pretty(results)? + "\n";
    for (name, text) in [
        ("results.json", json),
        ("report.md", to_markdown(&blocks(results, ratios))),
    ] {
        let path = plan.out.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The whole report.
pub(crate) fn blocks(results: &Results, ratios: Option<&Ratios>) -> Vec<Block> {
    let mut blocks = header::blocks(results);
    blocks.extend(checks(results));
    blocks.extend(classifier::blocks(results));
    blocks.extend(classifier::fresh(results));
    blocks.extend(classifier::searches(results));
    blocks.extend(autoencoder::blocks(results));
    blocks.extend(appendix::bands(results));
    blocks.extend(appendix::data(results));
    blocks.extend(appendix::times(results, ratios));
    blocks.extend(appendix::commands(results));
    blocks
}

/// Something that holds exactly, on every machine, whatever was trained.
pub(super) struct Check {
    pub(super) label: &'static str,
    pub(super) expected: String,
    /// Nothing where its stage was not run.
    pub(super) found: Option<String>,
    pub(super) holds: Option<bool>,
}

/// The checks that do not hold; a reproduction with any has failed.
pub(crate) fn broken_checks(results: &Results) -> Vec<&'static str> {
    let checks = exact_checks(results).into_iter();
    checks
        .filter(|check| check.holds == Some(false))
        .map(|check| check.label)
        .collect()
}

pub(super) fn exact_checks(results: &Results) -> Vec<Check> {
    let synth = results.stages.iter().find(|stage| stage.name == SYNTH);
    // The stage compares all checksums and fails when one differs, so that it is done says it.
    let synth = synth.is_some_and(|stage| stage.freshness != Freshness::Missing);
    let summary = results.summaries.get("classifier");
    let mut checks = vec![
        Check {
            label: "data set written again, all bytes",
            expected: "equal".into(),
            found: synth.then(|| "equal".into()),
            holds: synth.then_some(true),
        },
        Check {
            label: "parameters of the classifier",
            expected: thousands(published::PARAMETERS),
            found: summary.map(|summary| thousands(summary.parameters)),
            holds: summary.map(|summary| summary.parameters == published::PARAMETERS),
        },
    ];
    let baseline = published::COPY_BASELINE;
    for (label, key, expected) in [
        (
            "copy baseline, PSNR dB",
            "psnr_db_last_frame",
            baseline.psnr_db,
        ),
        ("copy baseline, SSIM", "ssim_last_frame", baseline.ssim),
    ] {
        let spreads = || {
            results
                .autoencoder
                .iter()
                .filter_map(|recipe| recipe.spreads.get(key))
        };
        let number = |value: f64| format!("{value:.5}");
        let found = spreads().next().map(|spread| number(spread.mean));
        let expected = number(expected);
        let equal = |spread: &Spread| {
            [spread.min, spread.max].map(number) == [expected.clone(), expected.clone()]
        };
        let holds = found.is_some().then(|| spreads().all(equal));
        checks.push(Check {
            label,
            found,
            holds,
            expected,
        });
    }
    checks
}

fn checks(results: &Results) -> Vec<Block> {
    let mut table = Table::new(&["check", ">expected", ">found", "holds"]);
    for check in exact_checks(results) {
        table.row([
            check.label.to_owned(),
            check.expected,
            check.found.unwrap_or_else(dash),
            mark(check.holds).to_owned(),
        ]);
    }
    vec![
        Block::heading(2, "What must hold exactly"),
        Block::Table(table),
        Block::paragraph(
            "The copy baseline compares the true next frame with the last input frame; no model \
             takes part in it. Expected is what scikit-image gives on the same files.",
        ),
    ]
}

/// A table of numbers over seeds beside published ones.
fn measured_table(first: &str) -> Table {
    Table::new(&[first, ">published", ">mean", ">min", ">max", ">seeds"])
}

fn measured_row(
    table: &mut Table,
    label: impl Into<String>,
    published: Option<String>,
    spread: Option<&Spread>,
    decimals: usize,
) {
    let number = |value: fn(&Spread) -> f64| {
        spread.map_or_else(dash, |spread| format!("{:.decimals$}", value(spread)))
    };
    table.row([
        label.into(),
        published.unwrap_or_else(dash),
        number(|spread| spread.mean),
        number(|spread| spread.min),
        number(|spread| spread.max),
        spread.map_or_else(dash, |spread| spread.n.to_string()),
    ]);
}

fn dash() -> String {
    "–".to_owned()
}

fn mark(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "–",
    }
}

pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
pub(super) mod tests;
