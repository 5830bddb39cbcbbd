//! Which files a run is trained on: their names and hashes, to notice on resuming that they changed.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use juggle_tracking::manifest;
use rayon::prelude::*;

use crate::config::list;
use crate::examples::Examples;

/// The files of the training and validation splits in the format of `sha256sum`, in the order of the examples. Images whose
/// sizes differ have hashes that differ, so the sizes need no place of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::commands) struct DataHashes {
    pub(super) text: String,
}

impl DataHashes {
    /// Reads every file once more: what was decoded from it is not kept.
    pub(in crate::commands) fn read(folder: &Path, splits: &[&Examples<'_>]) -> Result<Self> {
        let paths: Vec<&Path> = splits.iter().flat_map(|split| split.paths()).collect();
        let lines = paths.par_iter().map(|path| {
            let file = folder.join(path);
            let bytes = std::fs::read(&file);
            let bytes = bytes.with_context(|| format!("cannot read {}", file.display()))?;
            // As on every system, whatever separates its folders.
            let name: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
            Ok(manifest::line(&name.join("/"), &bytes))
        });
        Ok(Self {
            text: lines.collect::<Result<Vec<_>>>()?.concat(),
        })
    }

    pub(in crate::commands) fn sha256(&self) -> String {
        manifest::sha256(self.text.as_bytes())
    }

    /// What differs from the files of `before`, for a sentence.
    pub(super) fn changes_since(&self, before: &Self) -> String {
        let (old, new) = (before.by_name(), self.by_name());
        let names = |of: &BTreeMap<&str, &str>, is: &dyn Fn(&str, &str) -> bool| {
            let names = of.iter().filter(|&(name, hash)| is(name, hash));
            names
                .map(|(name, _)| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let kinds = [
            (
                "changed",
                names(&new, &|name, hash| {
                    old.get(name).is_some_and(|old| *old != hash)
                }),
            ),
            ("new", names(&new, &|name, _| !old.contains_key(name))),
            ("missing", names(&old, &|name, _| !new.contains_key(name))),
        ];
        let told = kinds.iter().filter(|(_, names)| !names.is_empty());
        let told: Vec<_> = told
            .map(|(kind, names)| format!("{} {kind} ({})", names.len(), list(names)))
            .collect();
        if told.is_empty() {
            "the same files in another order or in other splits".to_owned()
        } else {
            told.join(", ")
        }
    }

    fn by_name(&self) -> BTreeMap<&str, &str> {
        let lines = self.text.lines().filter_map(|line| line.split_once("  "));
        lines.map(|(hash, name)| (name, hash)).collect()
    }
}
