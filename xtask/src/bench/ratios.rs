//! The ratios to PyTorch as data, `docs/performance.json`: what `docs/performance.md` says of the engine, for programs.

use std::fs;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::Results;
use super::rows::{Against, Part};

const FILE: &str = "docs/performance.json";

/// The rows against PyTorch, with where they were measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratios {
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) cpu: String,
    pub(crate) torch: String,
    pub(crate) rows: Vec<Ratio>,
}

/// How many times as fast as PyTorch we are: the median over rounds, the least and the greatest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratio {
    pub(crate) id: String,
    pub(crate) threads: usize,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Ratios {
    /// What the last complete benchmark left; none where it left nothing.
    pub(crate) fn read() -> Result<Option<Self>> {
        match fs::read_to_string(FILE) {
            Ok(text) => {
                let ratios = serde_json::from_str(&text);
                Ok(Some(
                    ratios.with_context(|| format!("{FILE} is not as expected"))?,
                ))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {FILE}")),
        }
    }

    /// The row of that name on so many threads.
    pub(crate) fn find(&self, id: &str, threads: usize) -> Option<&Ratio> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.id == id && row.threads == threads)
    }

    pub(super) fn write(results: &Results) -> Result<()> {
        let rows = results
            .rows
            .iter()
            .filter(|row| row.against == Against::PyTorch && Part::of(&row.id) == Part::Engine);
        let ratios = Self {
            date: results.provenance.date.clone(),
            commit: results.provenance.commit.clone(),
            cpu: results.provenance.cpu.clone(),
            torch: results.facts.get("torch").cloned().unwrap_or_default(),
            rows: rows
                .map(|row| Ratio {
                    id: row.id.clone(),
                    threads: row.threads,
                    median: row.ratio.median,
                    min: row.ratio.min,
                    max: row.ratio.max,
                })
                .collect(),
        };
        let text = serde_json::to_string_pretty(&ratios)? + "\n";
        fs::write(FILE, text).with_context(|| format!("cannot write {FILE}"))
    }
}
