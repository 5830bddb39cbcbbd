//! Who may know whom: the arrows of the architecture.
//!
//! The leaves know none of each other, `cli` joins them, and `xtask` links none of them. Checked
//! three ways: the names in source files, the dependencies in each Cargo.toml, and everything
//! that `cargo tree` says a package links.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::Violation;
use super::source::{code_lines, is_word};

/// What one package may know.
struct Arrow {
    package: &'static str,
    /// Its folder, with the trailing slash.
    folder: &'static str,
    /// Packages of the workspace that it may use.
    may_know: &'static [&'static str],
    /// Leading parts of foreign packages that may not be linked, not even indirectly.
    never_links: &'static [&'static str],
    /// Leading parts of foreign packages that may not be used directly.
    never_uses: &'static [&'static str],
}

const TERMINAL: [&str; 3] = ["clap", "indicatif", "tracing-subscriber"];

const ARROWS: [Arrow; 8] = [
    Arrow {
        package: "juggle-dataset",
        folder: "crates/dataset/",
        may_know: &[],
        never_links: &[
            "candle-",
            "safetensors",
            TERMINAL[0],
            TERMINAL[1],
            TERMINAL[2],
        ],
        never_uses: &[],
    },
    Arrow {
        package: "juggle-kernels",
        folder: "crates/kernels/",
        may_know: &[],
        never_links: &[
            "candle-",
            "image",
            "serde",
            TERMINAL[0],
            TERMINAL[1],
            TERMINAL[2],
        ],
        never_uses: &[],
    },
    Arrow {
        package: "juggle-models",
        folder: "crates/models/",
        may_know: &["juggle-kernels"],
        never_links: &["image", "png", TERMINAL[0], TERMINAL[1], TERMINAL[2]],
        never_uses: &[],
    },
    Arrow {
        package: "juggle-metrics",
        folder: "crates/metrics/",
        may_know: &[],
        never_links: &[
            "candle-",
            "image",
            "png",
            TERMINAL[0],
            TERMINAL[1],
            TERMINAL[2],
        ],
        never_uses: &[],
    },
    Arrow {
        package: "juggle-tracking",
        folder: "crates/tracking/",
        may_know: &[],
        never_links: &["candle-", TERMINAL[0], TERMINAL[1], TERMINAL[2]],
        never_uses: &[],
    },
    Arrow {
        package: "juggle-tuning",
        folder: "crates/tuning/",
        may_know: &[],
        never_links: &["candle-", TERMINAL[0], TERMINAL[1], TERMINAL[2]],
        never_uses: &[],
    },
    Arrow {
        package: "juggle-cli",
        folder: "crates/cli/",
        may_know: &[
            "juggle-dataset",
            "juggle-models",
            "juggle-metrics",
            "juggle-tracking",
            "juggle-tuning",
        ],
        never_links: &[],
        // Numerics are the leaves' business.
        never_uses: &["candle-", "juggle-kernels"],
    },
    Arrow {
        package: "xtask",
        folder: "xtask/",
        may_know: &[],
        never_links: &["candle-"],
        never_uses: &[],
    },
];

impl Arrow {
    /// Why a package may not know another; nothing where it may.
    fn forbids(&self, other: &str, how: Reach) -> Option<&'static str> {
        if other == self.package {
            return None;
        }
        let begins =
            |with: &&str| other == *with || (with.ends_with('-') && other.starts_with(with));
        if other.starts_with("juggle-") {
            // Through a package that it may know, a package links what that one may know.
            let through = |known: &&&str| {
                let arrow = ARROWS.iter().find(|arrow| arrow.package == **known);
                arrow.is_some_and(|arrow| arrow.may_know.contains(&other))
            };
            let known = self.may_know.contains(&other)
                || (how == Reach::Links && self.may_know.iter().any(|known| through(&known)));
            return (!known).then_some("see the arrows in docs/architecture.md");
        }
        let never = match how {
            Reach::Links => self.never_links.iter().any(begins),
            Reach::Uses => self.never_links.iter().chain(self.never_uses).any(begins),
        };
        never.then_some("that belongs to another crate, see docs/architecture.md")
    }
}

/// How one package reaches another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Names it itself.
    Uses,
    /// Has it in its dependency tree.
    Links,
}

/// The packages of `crates/` and xtask, by the table's names; an unknown crate is an error, so
/// that nobody adds a crate without an arrow.
pub(super) fn packages(crates: &Path) -> Result<Vec<String>> {
    let mut packages = vec!["xtask".to_owned()];
    let entries =
        fs::read_dir(crates).with_context(|| format!("cannot list {}", crates.display()))?;
    for entry in entries {
        let folder = entry?.path();
        if !folder.join("Cargo.toml").is_file() {
            continue;
        }
        let folder = format!(
            "crates/{}/",
            folder.file_name().unwrap_or_default().display()
        );
        let arrow = ARROWS
            .iter()
            .find(|arrow| arrow.folder == folder)
            .with_context(|| {
                format!("{folder} has no arrow; say in xtask/src/tidy/arrows.rs whom it may know")
            })?;
        packages.push(arrow.package.to_owned());
    }
    packages.sort();
    Ok(packages)
}

/// Checks the names in a source file, or the dependencies in a Cargo.toml.
pub(super) fn check_text(path: &str, text: &str) -> Vec<Violation> {
    let Some(arrow) = ARROWS.iter().find(|arrow| path.starts_with(arrow.folder)) else {
        return vec![];
    };
    let names = if path.ends_with(".rs") {
        names_in_source(text)
    } else if path.ends_with("/Cargo.toml") {
        names_in_manifest(text)
    } else {
        return vec![];
    };
    names
        .into_iter()
        .filter_map(|(line, name)| {
            let why = arrow.forbids(&name, Reach::Uses)?;
            let remedy = format!("{} may not know {name}; {why}", arrow.package);
            Some(Violation {
                path: path.to_owned(),
                line,
                rule: "arrow",
                remedy,
            })
        })
        .collect()
}

/// Checks what `cargo tree --prefix none --format {p}` says about a package.
pub(super) fn check_tree(package: &str, tree: &str) -> Vec<Violation> {
    let Some(arrow) = ARROWS.iter().find(|arrow| arrow.package == package) else {
        return vec![];
    };
    let mut linked: Vec<_> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    linked.sort_unstable();
    linked.dedup();
    linked
        .into_iter()
        .filter_map(|name| {
            let why = arrow.forbids(name, Reach::Links)?;
            let remedy = format!(
                "{package} may not link {name}; {why} (how it comes in: cargo tree -p {package} \
                 -e normal,build -i {name})"
            );
            let path = format!("{}Cargo.toml", arrow.folder);
            Some(Violation {
                path,
                line: 0,
                rule: "arrow",
                remedy,
            })
        })
        .collect()
}

/// Crates named in code as `name::` or by `use name`, as package names, with their lines.
fn names_in_source(text: &str) -> Vec<(usize, String)> {
    let mut names = vec![];
    for (index, line) in code_lines(text).iter().enumerate() {
        for (start, _) in line.match_indices("::").chain(line.match_indices(';')) {
            let name = last_word(&line[..start]);
            let before = line[..start - name.len()].trim_end();
            let is_path_root = !before.ends_with("::");
            if is_path_root
                && !name.is_empty()
                && (line[start..].starts_with("::") || before.ends_with("use"))
            {
                names.push((index + 1, name.replace('_', "-")));
            }
        }
    }
    names.dedup();
    names
}

fn last_word(text: &str) -> &str {
    let start = text.rfind(|c| !is_word(c)).map_or(0, |i| {
        i + text[i..].chars().next().map_or(1, char::len_utf8)
    });
    &text[start..]
}

/// The keys of every dependency table of a Cargo.toml, which is read line by line.
fn names_in_manifest(text: &str) -> Vec<(usize, String)> {
    let mut names = vec![];
    let mut in_dependencies = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            in_dependencies = table.ends_with("dependencies");
            if let Some((_, name)) = table.split_once("dependencies.") {
                names.push((index + 1, name.to_owned()));
            }
        } else if in_dependencies && !line.starts_with('#') {
            let name: String = line
                .chars()
                .take_while(|&c| is_word(c) || c == '-')
                .collect();
            if !name.is_empty() {
                names.push((index + 1, name));
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<(usize, String)> {
        let known = |violation: Violation| {
            let name = violation.remedy.split("may not know ").nth(1).unwrap();
            (violation.line, name.split(';').next().unwrap().to_owned())
        };
        check_text(path, text).into_iter().map(known).collect()
    }

    #[test]
    fn a_leaf_that_uses_another_is_found() {
        let text = "//! juggle_models::x in words\nuse juggle_models::State;\nfn f() {}\n";
        let found = [(2, "juggle-models".to_owned())];
        assert_eq!(broken("crates/dataset/src/lib.rs", text), found);
        assert_eq!(broken("crates/metrics/tests/it/main.rs", text), found);
        assert_eq!(broken("crates/models/src/lib.rs", text), []);
        assert_eq!(broken("crates/cli/src/main.rs", text), []);
        assert_eq!(broken("xtask/src/main.rs", text), found);
    }

    #[test]
    fn names_are_found_in_paths_and_plain_imports() {
        let text = "let x = candle_core::Tensor::new();\nuse candle_core;\nuse crate::clap::x;\n";
        let found = [(1, "candle-core".to_owned()), (2, "candle-core".to_owned())];
        assert_eq!(broken("crates/cli/src/model.rs", text), found);
        assert_eq!(broken("crates/models/src/engine.rs", text), []);
        let macros = "#[derive(clap::Parser)]\n";
        assert_eq!(
            broken("crates/metrics/src/lib.rs", macros),
            [(1, "clap".to_owned())]
        );
    }

    #[test]
    fn dependencies_are_found_in_every_table() {
        let text = "[dependencies]\nndarray.workspace = true\njuggle-cli = { path = \"x\" }\n\
                    [features]\ncandle-x = []\n[dev-dependencies]\n# clap = 1\ncandle-nn = \"1\"\n\
                    [target.'cfg(unix)'.dependencies.image]\nversion = \"1\"\n";
        let found = [(3, "juggle-cli"), (8, "candle-nn"), (9, "image")];
        let found = found.map(|(line, name)| (line, name.to_owned()));
        assert_eq!(broken("crates/metrics/Cargo.toml", text), found);
    }

    #[test]
    fn what_is_linked_indirectly_is_found() {
        let tree = "juggle-metrics v0.1.0 (x)\nndarray v0.17.2\ncandle-core v0.11.1\nndarray v0.17.2 (*)\n";
        let violations = check_tree("juggle-metrics", tree);
        assert_eq!(violations.len(), 1);
        assert!(
            violations[0].remedy.contains("may not link candle-core"),
            "{}",
            violations[0]
        );
        assert_eq!(
            check_tree(
                "juggle-models",
                "candle-core v0.11.1\njuggle-kernels v0.1.0"
            ),
            []
        );
        assert_eq!(check_tree("xtask", "juggle-dataset v0.1.0").len(), 1);
    }

    #[test]
    fn the_joining_crate_links_what_its_leaves_know_and_uses_it_not() {
        let tree = "juggle-models v0.1.0\njuggle-kernels v0.1.0\ncandle-core v0.11.1";
        assert_eq!(check_tree("juggle-cli", tree), []);
        let found = [(1, "juggle-kernels".to_owned())];
        assert_eq!(
            broken("crates/cli/src/main.rs", "use juggle_kernels::x;"),
            found
        );
    }

    #[test]
    fn a_crate_without_an_arrow_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("metrics")).unwrap();
        fs::write(folder.path().join("metrics/Cargo.toml"), "").unwrap();
        assert_eq!(
            packages(folder.path()).unwrap(),
            ["juggle-metrics", "xtask"]
        );
        fs::create_dir_all(folder.path().join("extra")).unwrap();
        fs::write(folder.path().join("extra/Cargo.toml"), "").unwrap();
        let message = packages(folder.path()).unwrap_err().to_string();
        assert!(message.contains("crates/extra/ has no arrow"), "{message}");
    }
}
