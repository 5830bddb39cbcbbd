//! The SHA-256 of what the stages left, and how two reproductions differ in it.
//!
//! The Cpu engine computes the same bits on every machine and for any number of threads, so equal hashes are what a repetition
//! must give. Left out is what says when or where: event logs, times, and configurations, which name folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::reproduce::stages::Stage;
use crate::reproduce::stamp::{sha256, sha256_of_file};

/// By stage, then by file, relative to the folder of the reproduction.
pub(crate) type Hashes = BTreeMap<String, BTreeMap<String, String>>;

const NOT_REPEATABLE: [&str; 4] = ["config.toml", "best.toml", "events.jsonl", "metrics.json"];

/// The hashes of one stage's files.
pub(super) fn of_stage(stage: &Stage, out: &Path) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    for file in &stage.outputs {
        let is_repeatable = file
            .file_name()
            .is_some_and(|name| NOT_REPEATABLE.iter().all(|other| name != *other));
        if is_repeatable && file.is_file() {
            let name = file.strip_prefix(out).unwrap_or(file).display().to_string();
            hashes.insert(name, hash(file, out)?);
        }
    }
    Ok(hashes)
}

/// JSON may name the folder, which differs from one reproduction to the next.
fn hash(file: &Path, out: &Path) -> Result<String> {
    if file.extension().is_none_or(|extension| extension != "json") {
        return sha256_of_file(file);
    }
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(sha256(
        text.replace(&out.display().to_string(), "OUT").as_bytes(),
    ))
}

/// A sentence for each difference, in the order of the stages' names.
pub(crate) fn differences(expected: &Hashes, found: &Hashes) -> Vec<String> {
    let mut sentences = vec![];
    let stages = expected.keys().chain(found.keys());
    let stages: std::collections::BTreeSet<&String> = stages.collect();
    let none = BTreeMap::new();
    for stage in stages {
        let (then, now) = match (expected.get(stage), found.get(stage)) {
            (Some(_), None) => {
                sentences.push(format!("{stage} was not run"));
                continue;
            }
            (None, Some(_)) => {
                sentences.push(format!(
                    "{stage} is new: nothing is committed to compare it with"
                ));
                continue;
            }
            (then, now) => (then.unwrap_or(&none), now.unwrap_or(&none)),
        };
        let files: std::collections::BTreeSet<&String> = then.keys().chain(now.keys()).collect();
        sentences.extend(files.into_iter().filter_map(|file| {
            let short = |hash: &String| hash.get(..16).unwrap_or(hash).to_owned();
            match (then.get(file), now.get(file)) {
                (Some(then), Some(now)) if then == now => None,
                (Some(then), Some(now)) => Some(format!(
                    "{stage}: {file} has SHA-256 {}…, expected {}…",
                    short(now),
                    short(then)
                )),
                (Some(_), None) => Some(format!("{stage}: {file} is not there")),
                _ => Some(format!("{stage}: {file} is new")),
            }
        }));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(entries: &[(&str, &str, &str)]) -> Hashes {
        let mut hashes = Hashes::new();
        for (stage, file, hash) in entries {
            let files = hashes.entry((*stage).to_owned()).or_default();
            files.insert((*file).to_owned(), (*hash).to_owned());
        }
        hashes
    }

    #[test]
    fn every_difference_is_named() {
        let expected = hashes(&[
            ("a", "w", "11"),
            ("a", "e", "22"),
            ("b", "w", "33"),
            ("d", "w", "55"),
        ]);
        assert_eq!(differences(&expected, &expected), [""; 0]);
        let found = hashes(&[
            ("a", "w", "12"),
            ("a", "p", "22"),
            ("c", "w", "44"),
            ("d", "w", "55"),
        ]);
        assert_eq!(
            differences(&expected, &found),
            [
                "a: e is not there",
                "a: p is new",
                "a: w has SHA-256 12…, expected 11…",
                "b was not run",
                "c is new: nothing is committed to compare it with",
            ]
        );
    }

    #[test]
    fn a_folder_s_name_in_json_makes_no_difference() {
        let hash_in = |name: &str| {
            let folder = tempfile::tempdir().unwrap();
            let out = folder.path().join(name);
            fs::create_dir(&out).unwrap();
            let file = out.join("a.json");
            fs::write(&file, format!("{{\"file\": \"{}/b.png\"}}", out.display())).unwrap();
            hash(&file, &out).unwrap()
        };
        assert_eq!(hash_in("one"), hash_in("another"));
    }

    #[test]
    fn what_says_when_or_where_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["config.toml", "events.jsonl", "last.safetensors"] {
            fs::write(folder.path().join(file), file).unwrap();
        }
        let stage = Stage {
            name: "a".into(),
            shows: "",
            after: vec![],
            steps: vec![],
            outputs: ["config.toml", "events.jsonl", "last.safetensors", "gone"]
                .map(|file| folder.path().join(file))
                .into(),
            cost: 1,
        };
        let hashes = of_stage(&stage, folder.path()).unwrap();
        let names: Vec<&String> = hashes.keys().collect();
        assert_eq!(names, ["last.safetensors"]);
    }
}
