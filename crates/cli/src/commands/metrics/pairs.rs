//! Which files to compare with which.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, anyhow, bail};

/// Two files to compare.
#[derive(Debug)]
pub(super) struct Pair {
    /// What the result is listed under: the path inside of the folders, or that of the prediction.
    pub(super) name: String,
    pub(super) truth: PathBuf,
    pub(super) prediction: PathBuf,
}

/// Two files, or the files of two folders, sorted by their names.
pub(super) fn pairs(truth: &Path, prediction: &Path) -> Result<Vec<Pair>> {
    for path in [truth, prediction] {
        if !path.exists() {
            bail!("there is no file or folder {}", path.display());
        }
    }
    match (truth.is_dir(), prediction.is_dir()) {
        (false, false) => Ok(vec![Pair {
            name: prediction.display().to_string(),
            truth: truth.to_owned(),
            prediction: prediction.to_owned(),
        }]),
        (true, true) => matched(truth, prediction),
        (true, false) => bail!(
            "{} is a folder but {} is a file",
            truth.display(),
            prediction.display()
        ),
        (false, true) => bail!(
            "{} is a file but {} is a folder",
            truth.display(),
            prediction.display()
        ),
    }
}

/// The files of two folders by their path inside; each must be in both.
fn matched(truth: &Path, prediction: &Path) -> Result<Vec<Pair>> {
    let (in_truth, in_prediction) = (png_files(truth)?, png_files(prediction)?);
    for (folder, names) in [(truth, &in_truth), (prediction, &in_prediction)] {
        if names.is_empty() {
            bail!("there are no PNG images in {}", folder.display());
        }
    }
    if let Some(error) = unmatched((truth, &in_truth), (prediction, &in_prediction))
        .or_else(|| unmatched((prediction, &in_prediction), (truth, &in_truth)))
    {
        return Err(error);
    }
    let pair = |name: PathBuf| Pair {
        truth: truth.join(&name),
        prediction: prediction.join(&name),
        name: name.display().to_string(),
    };
    Ok(in_truth.into_iter().map(pair).collect())
}

/// The sentence for the names that the second folder lacks, if there are any.
fn unmatched(
    (here, names): (&Path, &BTreeSet<PathBuf>),
    (there, others): (&Path, &BTreeSet<PathBuf>),
) -> Option<Error> {
    let mut alone = names.difference(others);
    let first = alone.next()?;
    let more = match alone.count() {
        0 => String::new(),
        1 => format!(", nor has 1 more file of {}", here.display()),
        n => format!(", nor have {n} more files of {}", here.display()),
    };
    Some(anyhow!(
        "{} has no counterpart {}{more}",
        here.join(first).display(),
        there.join(first).display()
    ))
}

/// The PNG files in a folder and in the folders inside, relative to it; without hidden ones.
fn png_files(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(inner) = open.pop() {
        let entries =
            fs::read_dir(&inner).with_context(|| format!("cannot list {}", inner.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", inner.display()))?;
            let path = entry.path();
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            // Not through links, so that a link to a parent cannot make an endless tree.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
            {
                let name = path
                    .strip_prefix(folder)
                    .expect("an entry's path begins with its folder");
                files.insert(name.to_owned());
            }
        }
    }
    Ok(files)
}
