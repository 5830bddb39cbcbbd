//! What of a reproduction is committed under `docs/`, and whether a repetition gives the same.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::json;

use super::outputs::read;
use super::results::Results;
use super::results::hashes::{Hashes, differences};
use super::stages::{Plan, Size};

const DOCS: &str = "docs";

/// Differences that are printed one by one.
const SHOWN: usize = 40;

/// As far as it is compared.
#[derive(Deserialize)]
struct Committed {
    hashes: Hashes,
}

fn file(size: Size) -> PathBuf {
    let name = match size {
        Size::Full => "reproduction.json",
        Size::Quick => "reproduction-quick.json",
    };
    Path::new(DOCS).join(name)
}

/// Fails with every difference from what is committed.
pub(crate) fn verify(plan: &Plan, results: &Results) -> Result<()> {
    let path = file(plan.size);
    let committed: Committed = read(&path)?;
    let found = differences(&committed.hashes, &results.hashes);
    let n_files: usize = committed
        .hashes
        .values()
        .map(std::collections::BTreeMap::len)
        .sum();
    if found.is_empty() {
        eprintln!(
            "verified: all {n_files} files of {} stages have the hashes of {}",
            committed.hashes.len(),
            path.display()
        );
        return Ok(());
    }
    for sentence in found.iter().take(SHOWN) {
        eprintln!("differs: {sentence}");
    }
    if found.len() > SHOWN {
        eprintln!("and {} more", found.len() - SHOWN);
    }
    let quick = if plan.size == Size::Quick {
        " --quick"
    } else {
        ""
    };
    bail!(
        "{} differences from {}; if the change is meant, `cargo xtask reproduce{quick} --publish` commits to it",
        found.len(),
        path.display()
    )
}

/// Copies the report with its figures and the results into `docs/`; of a quick run the hashes alone.
pub(crate) fn publish(plan: &Plan, results: &Results) -> Result<()> {
    let path = file(plan.size);
    let text = match plan.size {
        Size::Full => serde_json::to_string(results)?,
        Size::Quick => serde_json::to_string_pretty(&json!({
            "of": results.invocation.command,
            "hashes": results.hashes,
        }))?,
    };
    write(&path, text + "\n")?;
    if plan.size == Size::Quick {
        return Ok(());
    }
    let docs = Path::new(DOCS);
    let report = plan.out.join("report.md");
    let text =
        fs::read_to_string(&report).with_context(|| format!("cannot read {}", report.display()))?;
    for name in figures(&text) {
        let (from, to) = (plan.out.join(name), docs.join(name));
        to.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::copy(&from, &to).map(drop))
            .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    write(&docs.join("reproduction.md"), text)
}

fn write(path: &Path, text: String) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

/// The files that a Markdown text shows.
fn figures(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (_, rest) = line.strip_prefix("![")?.split_once("](")?;
        rest.strip_suffix(')')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_that_are_shown() {
        let text =
            "# T\n\n![a, b: loss](figures/a.svg)\n[no](figures/b.svg)\n![c](figures/c.png)\n";
        assert_eq!(
            figures(text).collect::<Vec<_>>(),
            ["figures/a.svg", "figures/c.png"]
        );
    }
}
