//! `cargo xtask alone`: a new project that depends on `juggle-metrics` and nothing else.
//!
//! Its program is that of the crate's README. It lies outside the workspace, so that nothing of the workspace can help it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::juggle::cargo;
use crate::python::call;

const CRATE: &str = "crates/metrics";
const FOLDER: &str = "target/alone";
/// Crates that one line in a Cargo.toml may bring.
const MAX_DEPENDENCIES: usize = 24;

pub(crate) fn run() -> Result<()> {
    let root = std::env::current_dir().context("the repository's root is a folder")?;
    let folder = root.join(FOLDER);
    write_project(&root, &folder)?;
    let manifest = folder.join("Cargo.toml");
    call(
        Command::new(cargo())
            .arg("run")
            .arg("--manifest-path")
            .arg(&manifest)
            .arg("--target-dir")
            .arg(folder.join("target")),
    )?;
    let n_dependencies = dependencies(&manifest)?;
    println!("juggle-metrics alone: built and run, {n_dependencies} transitive dependencies");
    if n_dependencies > MAX_DEPENDENCIES {
        bail!("juggle-metrics brings {n_dependencies} crates, expected at most {MAX_DEPENDENCIES}");
    }
    Ok(())
}

fn write_project(root: &Path, folder: &Path) -> Result<()> {
    let path = root.join(CRATE);
    let readme = path.join("README.md");
    let text =
        fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
    let program = first_program(&text)
        .with_context(|| format!("{} has no program in Rust", readme.display()))?;
    let manifest = format!(
        "[package]\nname = \"alone\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\njuggle-metrics = {{ path = {path:?} }}\n\n[workspace]\n"
    );
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    fs::create_dir_all(folder.join("src"))
        .with_context(|| format!("cannot create {}", folder.display()))?;
    write("Cargo.toml", &manifest)?;
    write("src/main.rs", program)?;
    // The versions that everything else is tested with; cargo leaves out what this project does not need.
    fs::copy("Cargo.lock", folder.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    Ok(())
}

/// The text of the first block of Rust.
fn first_program(markdown: &str) -> Option<&str> {
    let (_, rest) = markdown.split_once("```rust\n")?;
    Some(rest.split_once("```")?.0)
}

/// Crates other than the project and `juggle-metrics`, those of build scripts and macros included.
fn dependencies(manifest: &Path) -> Result<usize> {
    let output = Command::new(cargo())
        .args([
            "tree",
            "--prefix",
            "none",
            "--edges",
            "normal,build",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!(
            "cargo tree failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(count_crates(&String::from_utf8_lossy(&output.stdout)) - 2)
}

/// Different crates in what `cargo tree --prefix none` prints: name and version begin a line, and repeated ones end in `(*)`.
fn count_crates(tree: &str) -> usize {
    let crates = tree.lines().filter(|line| !line.trim().is_empty());
    let names = crates.map(|line| line.split(' ').take(2).collect::<Vec<_>>());
    names.collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_counted_once() {
        let tree = "alone v0.0.0 (/a)\nrayon v1.12.0\neither v1.0.0\nrayon v1.12.0 (*)\n\n";
        assert_eq!(count_crates(tree), 3);
    }

    #[test]
    fn the_program_is_the_first_block_of_rust() {
        let markdown = "a\n```toml\nb\n```\n```rust\nfn main() {}\n```\n";
        assert_eq!(first_program(markdown), Some("fn main() {}\n"));
        assert_eq!(first_program("none"), None);
    }
}
