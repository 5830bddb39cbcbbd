//! `cargo xtask tidy`: the rules of this repository that no compiler checks.
//!
//! [`rules`] looks at one file at a time, [`arrows`] at who may know whom; both are pure, so that
//! their tests break each rule and see it fail. Every violation says where, what, and what to do.

mod arrows;
mod rules;
mod source;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    path: String,
    /// From 1; 0 stands for the file as a whole.
    line: usize,
    rule: &'static str,
    remedy: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            rule,
            remedy,
        } = self;
        if *line == 0 {
            write!(f, "{path}: {rule}: {remedy}")
        } else {
            write!(f, "{path}:{line}: {rule}: {remedy}")
        }
    }
}

pub(crate) fn run() -> Result<()> {
    let paths = repository_files()?;
    let mut violations = vec![];
    for path in &paths {
        violations.extend(rules::check_name(path));
        // A deleted file is still listed until the deletion is staged.
        let Ok(bytes) = fs::read(path) else { continue };
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        violations.extend(rules::check_text(path, &text));
        violations.extend(arrows::check_text(path, &text));
    }
    for package in arrows::packages(Path::new("crates"))? {
        let tree = cargo_tree(&package)?;
        violations.extend(arrows::check_tree(&package, &tree));
    }
    for violation in &violations {
        println!("{violation}");
    }
    if violations.is_empty() {
        eprintln!("tidy: {} files, no rule broken", paths.len());
        return Ok(());
    }
    bail!("tidy: {} violations", violations.len())
}

/// Every file that git tracks or would add, with `/` in its path.
fn repository_files() -> Result<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .context("cannot start git, which lists the files of the repository")?;
    if !output.status.success() {
        bail!(
            "git cannot list the files: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let names = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut paths: Vec<_> = names
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// The packages that a package links or builds with, one a line.
fn cargo_tree(package: &str) -> Result<String> {
    let arguments = [
        "tree",
        "--locked",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
    ];
    let output = Command::new(crate::juggle::cargo())
        .args(arguments)
        .args(["--format", "{p}", "--package", package])
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!(
            "cargo tree -p {package}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
