//! Stamps: what a finished stage was made of, so that a stage that is up to date is not run again.
//!
//! A stamp is written after the last output and removed before the first step, so a stage that
//! failed or was killed has none.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::stages::Stage;

/// The ingredients of a stage, each as a SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ingredients {
    pub(crate) binary: String,
    pub(crate) commands: String,
    /// The committed SHA256SUMS, which was checked against the files.
    pub(crate) data: String,
    /// The keys of the stages it reads from.
    pub(crate) inputs: String,
}

impl Ingredients {
    pub(crate) fn new(stage: &Stage, binary: &str, data: &str, input_keys: &[String]) -> Self {
        let lines: Vec<_> = stage.steps.iter().map(super::stages::Step::line).collect();
        Self {
            binary: binary.to_owned(),
            commands: sha256(lines.join("\n").as_bytes()),
            data: data.to_owned(),
            inputs: sha256(input_keys.join("\n").as_bytes()),
        }
    }

    /// One hash over all of them, which identifies what the stage produced.
    pub(crate) fn key(&self) -> String {
        let Self {
            binary,
            commands,
            data,
            inputs,
        } = self;
        sha256(format!("{binary}\n{commands}\n{data}\n{inputs}").as_bytes())
    }
}

/// The record of a finished stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) stage: String,
    pub(crate) key: String,
    pub(crate) ingredients: Ingredients,
    pub(crate) wall_s: f64,
    pub(crate) finished: String,
}

/// Whether what lies in the output folder still is what a stage would produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Freshness {
    UpToDate,
    /// The same commands on the same data, made by another build of the binary.
    OtherBinary,
    /// Never finished, an output is gone, or other commands or data.
    Missing,
}

pub(crate) fn freshness(
    stamp: Option<&Stamp>,
    expected: &Ingredients,
    outputs: OutputFiles,
) -> Freshness {
    match stamp {
        Some(stamp) if outputs == OutputFiles::AllExist => {
            let found = &stamp.ingredients;
            if found == expected {
                Freshness::UpToDate
            } else if found.commands == expected.commands && found.data == expected.data {
                Freshness::OtherBinary
            } else {
                Freshness::Missing
            }
        }
        _ => Freshness::Missing,
    }
}

/// What of a stage's outputs lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputFiles {
    AllExist,
    SomeMissing,
}

impl OutputFiles {
    pub(crate) fn of(stage: &Stage) -> Self {
        if stage.outputs.iter().all(|path| path.exists()) {
            Self::AllExist
        } else {
            Self::SomeMissing
        }
    }
}

/// The folder of stamps, which also marks an output folder as ours.
#[derive(Debug)]
pub(crate) struct Stamps {
    folder: PathBuf,
}

impl Stamps {
    pub(crate) fn new(out: &Path) -> Self {
        Self {
            folder: out.join("stamps"),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The stamp of a stage; one that cannot be read counts as none, and the stage runs again.
    pub(crate) fn read(&self, stage: &str) -> Option<Stamp> {
        let text = fs::read_to_string(self.path(stage)).ok()?;
        serde_json::from_str(&text).ok()
    }

    pub(crate) fn remove(&self, stage: &str) -> Result<()> {
        let path = self.path(stage);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// Forgets every stage, so that all run again.
    pub(crate) fn clear(&self) -> Result<()> {
        let entries = fs::read_dir(&self.folder)
            .with_context(|| format!("cannot list {}", self.folder.display()))?;
        for entry in entries {
            let path = entry.context("cannot list the stamps")?.path();
            let is_lock = path.file_name().is_some_and(|name| name == "lock");
            let removed = match (is_lock, path.is_dir()) {
                (true, _) => Ok(()),
                (_, true) => fs::remove_dir_all(&path),
                (_, false) => fs::remove_file(&path),
            };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    /// Writes by rename, so that a stamp is whole or absent.
    pub(crate) fn write(&self, stamp: &Stamp) -> Result<()> {
        let path = self.path(&stamp.stage);
        let text = serde_json::to_string_pretty(stamp)?;
        let partial = path.with_extension("json.partial");
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&partial, text))
            .and_then(|()| fs::rename(&partial, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn path(&self, stage: &str) -> PathBuf {
        self.folder.join(format!("{stage}.json"))
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The SHA-256 of a file.
pub(crate) fn sha256_of_file(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(sha256(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(line: &str) -> Stage {
        use crate::reproduce::stages::Step;
        let arguments = line.split(' ').map(str::to_owned).collect();
        Stage {
            name: "a/b".into(),
            shows: "",
            after: vec![],
            steps: vec![Step::Juggle {
                arguments,
                stdout: None,
            }],
            outputs: vec![],
            cost: 1,
        }
    }

    fn stamp(ingredients: &Ingredients) -> Stamp {
        Stamp {
            stage: "a/b".into(),
            key: ingredients.key(),
            ingredients: ingredients.clone(),
            wall_s: 1.5,
            finished: "2026-01-01".into(),
        }
    }

    #[test]
    fn hashes_are_hexadecimal_sha256() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
    }

    #[test]
    fn every_ingredient_makes_a_stage_stale() {
        let inputs = ["key".to_owned()];
        let made = Ingredients::new(&stage("train --lr 1"), "bin", "data", &inputs);
        let stamp = stamp(&made);
        let check = |expected: &Ingredients| {
            assert_eq!(expected == &made, expected.key() == made.key());
            freshness(Some(&stamp), expected, OutputFiles::AllExist)
        };
        let new = Ingredients::new;
        assert_eq!(check(&made), Freshness::UpToDate);
        let command = new(&stage("train --lr 2"), "bin", "data", &inputs);
        assert_eq!(check(&command), Freshness::Missing);
        let data = new(&stage("train --lr 1"), "bin", "other", &inputs);
        assert_eq!(check(&data), Freshness::Missing);
        let binary = new(&stage("train --lr 1"), "other", "data", &inputs);
        assert_eq!(check(&binary), Freshness::OtherBinary);
        let input = new(&stage("train --lr 1"), "bin", "data", &[]);
        assert_eq!(check(&input), Freshness::OtherBinary);
    }

    #[test]
    fn a_stage_without_a_stamp_or_an_output_is_missing() {
        let made = Ingredients::new(&stage("train"), "bin", "data", &[]);
        assert_eq!(
            freshness(None, &made, OutputFiles::AllExist),
            Freshness::Missing
        );
        let stamp = stamp(&made);
        let gone = freshness(Some(&stamp), &made, OutputFiles::SomeMissing);
        assert_eq!(gone, Freshness::Missing);
    }

    #[test]
    fn stamps_survive_a_round_trip_and_a_torn_one_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let stamps = Stamps::new(folder.path());
        let stamp = stamp(&Ingredients::new(&stage("train"), "bin", "data", &[]));
        assert_eq!(stamps.read("a/b"), None);
        stamps.remove("a/b").unwrap();
        stamps.write(&stamp).unwrap();
        assert_eq!(stamps.read("a/b"), Some(stamp));
        fs::write(folder.path().join("stamps/a/b.json"), "{\"stage\":").unwrap();
        assert_eq!(stamps.read("a/b"), None);
        stamps.remove("a/b").unwrap();
        assert!(!folder.path().join("stamps/a/b.json").exists());
    }
}
