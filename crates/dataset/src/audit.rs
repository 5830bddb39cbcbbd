//! An audit of a data folder before training on it: what is in it, what training would refuse, what leaks from
//! one split into another, and how the splits and classes differ.
//!
//! Each file is decoded once and kept as a few numbers; files that cannot be decoded are listed and left out.
//! Between two splits three kinds of leak are looked for:
//!
//! - *exact duplicates*: the same shape and pixels (SHA-256), whatever the file's bytes;
//! - *near-duplicates*, by two measures: the nearest neighbour, where gray thumbnails of 16×16 block means differ
//!   by less than [`NEAR_DUPLICATE_RMS`], and the perceptual hash [`phash`], where at most [`NEAR_HASH_BITS`] bits
//!   differ. Either way the pair counts when the thumbnails' correlation is at least
//!   [`DUPLICATE_CORRELATION`]. The distances themselves are reported too;
//! - *shared clips*: the same clip name (`clip07_…` in the same class, or the folder of a clip). Equal
//!   names need not be equal clips; how many nearest neighbours carry the same name tells one from the
//!   other. Without such names, nearest neighbours that are next to one another by file name tell a film.
//!
//! Distributions of a few numbers an image ([`Quantity`]) are compared by [`ks_2samp`] with [`holm`]'s correction. What
//! is worth a sentence becomes a [`Finding`], by the constants of [`rules`].
//!
//! Comparisons are all against all; results do not depend on the number of threads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Result;
use crate::folder::ReadOptions;
use crate::png::ImageShape;
use crate::split::{Split, SplitOrigin};
use measure::{Measured, measure_all};
use nearest::Index;
use survey::{Entry, survey};

pub use findings::{Finding, Level};
pub use hash::phash;
pub use ks::{KsTest, holm, ks_2samp};
pub use measure::Quantity;
pub use nearest::{DUPLICATE_CORRELATION, NEAR_DUPLICATE_RMS, NEAR_HASH_BITS};
pub use overlap::{DuplicatePair, LabelConflict, Repeats, SplitOverlap};
pub use preview::preview_png;
pub use shift::{ClassTest, ClipTest, Distribution, NearerTest, ShiftTest};

mod findings;
mod hash;
mod ks;
mod measure;
mod nearest;
mod overlap;
mod preview;
mod shift;
mod survey;

/// The thresholds of the findings.
pub mod rules {
    pub use super::findings::{
        ACROSS_SHARE, CLASS_D, CLASS_MIX, IMBALANCE, NEARER_D, NEXT_BY_NAME_SHARE, SAME_CLIP_SHARE,
        SHIFT_CLIP_P, SHIFT_D, SHIFT_P, WITHIN_SHARE, p_text,
    };
}

/// What kind of data a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditKind {
    /// Labelled images, for a classifier.
    Images,
    /// Clips of frames, for an autoencoder.
    Clips,
}

/// What [`inspect`] found.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// The folder.
    pub dir: PathBuf,
    /// Labelled images or clips.
    pub kind: AuditKind,
    /// Shape of the images; of most of them, where sizes differ (the first such shape on a tie).
    pub shape: ImageShape,
    /// All sizes, the most frequent first.
    pub sizes: Vec<SizeCount>,
    /// Which rule made the splits.
    pub origin: SplitOrigin,
    /// Entries of the folder that are hidden, not PNG files, or at a place where nothing is read.
    pub ignored: usize,
    /// What is worth a sentence, the most serious first.
    pub findings: Vec<Finding>,
    /// Files that cannot be decoded; no other number counts them.
    pub unreadable: Vec<Unreadable>,
    /// What training would stop at, apart from unreadable files and mixed sizes.
    pub refusals: Vec<String>,
    /// One entry a split that holds images.
    pub splits: Vec<SplitAudit>,
    /// One entry a pair of splits.
    pub overlaps: Vec<SplitOverlap>,
    /// Equal images of different classes.
    pub label_conflicts: Vec<LabelConflict>,
    /// Every quantity that varies, over each split and each class of it.
    pub distributions: Vec<Distribution>,
    /// Every quantity of every later split against train.
    pub shifts: Vec<ShiftTest>,
    /// Every quantity of every class of train against the other classes.
    pub class_tests: Vec<ClassTest>,
    /// The distances of val and test images to train; `None` unless there are all three.
    pub validation_nearer: Option<NearerTest>,
}

impl Audit {
    /// The entry of a split, if it holds images.
    pub fn split(&self, split: Split) -> Option<&SplitAudit> {
        self.splits.iter().find(|entry| entry.split == split)
    }

    /// Number of findings of a level.
    pub fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }
}

/// How many images have a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SizeCount {
    /// Rows, pixels.
    pub height: usize,
    /// Columns, pixels.
    pub width: usize,
    /// Number of images.
    pub images: usize,
}

/// A file that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The file, relative to the folder.
    pub path: PathBuf,
    /// What is wrong with it: one sentence that names it.
    pub error: String,
}

/// One split in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct SplitAudit {
    /// Which split.
    pub split: Split,
    /// Number of images (frames, for clips).
    pub images: usize,
    /// Images of each class; empty for clips.
    pub classes: Vec<ClassCount>,
    /// Number and lengths of the clips; `None` for images.
    pub clips: Option<ClipCount>,
    /// Mean of all values, in [0, 1].
    pub pixel_mean: f64,
    /// Standard deviation of all values (dividing by their number), in [0, 1].
    pub pixel_std: f64,
    /// What repeats within the split.
    pub repeats: Repeats,
}

/// Number of images of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    /// The class.
    pub name: String,
    /// Its images.
    pub images: usize,
}

/// Number and lengths of clips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClipCount {
    /// Number of clips.
    pub clips: usize,
    /// Frames of the shortest clip.
    pub shortest: usize,
    /// Frames of the longest clip.
    pub longest: usize,
}

/// Reads a folder of images or clips (found out from its names) and reports what is in it.
///
/// What would stop a training (a damaged file, mixed sizes, a class without images) is reported as a finding and
/// does not end the audit.
///
/// # Errors
///
/// When there is nothing to look at: the folder does not exist, is a file, cannot be listed, holds no image at a
/// place where one is looked for, has no train split beside the others, or is the parent of data folders; when no
/// file can be decoded, the first file's error; a split fraction out of range.
///
/// ```
/// use juggle_dataset::{Image, ImageShape, ReadOptions, audit, write_png};
///
/// let dir = tempfile::tempdir()?;
/// let shape = ImageShape { channels: 1, height: 2, width: 2 };
/// for (file, value) in [("train/a/1.png", 0), ("train/b/1.png", 90), ("val/a/1.png", 0), ("val/b/1.png", 200)] {
///     let path = dir.path().join(file);
///     std::fs::create_dir_all(path.parent().unwrap())?;
///     write_png(&path, &Image { shape, pixels: vec![value; 4] })?;
/// }
/// let audit = audit::inspect(dir.path(), &ReadOptions::default())?;
/// assert_eq!(audit.overlaps[0].exact_duplicates, 1);
/// assert_eq!(audit.findings[0].code, "duplicates_across_splits");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn inspect(dir: &Path, options: &ReadOptions) -> Result<Audit> {
    options.split.check()?;
    let found = survey(dir, options)?;
    let files: Vec<PathBuf> = found
        .entries
        .iter()
        .map(|entry| dir.join(&entry.path))
        .collect();
    let mut measured = Vec::new();
    let mut unreadable = Vec::new();
    for (entry, outcome) in found.entries.iter().zip(measure_all(&files, options)) {
        match outcome {
            Ok(numbers) => measured.push((entry, numbers)),
            Err(error) => unreadable.push((entry, error)),
        }
    }
    if measured.is_empty() {
        let (_, error) = unreadable.swap_remove(0);
        return Err(error);
    }
    let items: Vec<Item<'_>> = measured
        .iter()
        .map(|(entry, measured)| Item { entry, measured })
        .collect();
    let splits: Vec<(Split, &[Item<'_>])> = items
        .chunk_by(|a, b| a.entry.split == b.entry.split)
        .map(|items| (items[0].entry.split, items))
        .collect();
    let indexes: Vec<(Split, Index<'_>)> = splits
        .iter()
        .map(|&(split, items)| (split, Index::new(items)))
        .collect();
    let sizes = sizes(&items);
    let overlaps = overlap::between_all(&indexes);
    let train = splits.iter().find(|(split, _)| *split == Split::Train);
    let mut audit = Audit {
        dir: dir.to_path_buf(),
        kind: found.kind,
        shape: ImageShape {
            height: sizes[0].height,
            width: sizes[0].width,
            ..items[0].measured.shape
        },
        sizes,
        origin: found.origin,
        ignored: found.ignored,
        findings: Vec::new(),
        unreadable: unreadable
            .into_iter()
            .map(|(entry, error)| Unreadable {
                path: entry.path.clone(),
                error: full_sentence(&error),
            })
            .collect(),
        refusals: found.refusals.iter().map(full_sentence).collect(),
        splits: indexes
            .iter()
            .map(|(split, index)| split_audit(*split, index, found.kind, &found.classes))
            .collect(),
        validation_nearer: shift::nearer(&overlaps),
        overlaps,
        label_conflicts: overlap::label_conflicts(&items),
        distributions: shift::distributions(&splits, &found.classes),
        shifts: shift::shifts(&splits, &found.classes),
        class_tests: train
            .map(|(_, items)| shift::class_tests(items, &found.classes))
            .unwrap_or_default(),
    };
    audit.findings = findings::findings(&audit);
    Ok(audit)
}

/// Mean and standard deviation of bytes scaled to [0, 1], from exact integer sums.
pub(crate) fn mean_and_std<'a>(pixels: impl IntoIterator<Item = &'a u8>) -> (f64, f64) {
    mean_and_std_of(sums(pixels))
}

/// A readable image: where it lies and what it looks like.
struct Item<'a> {
    entry: &'a Entry,
    measured: &'a Measured,
}

/// Number, sum and sum of squares.
fn sums<'a>(pixels: impl IntoIterator<Item = &'a u8>) -> (u64, u64, u64) {
    let add = |(n, sum, squares), &pixel: &u8| {
        let value = u64::from(pixel);
        (n + 1, sum + value, squares + value * value)
    };
    pixels.into_iter().fold((0, 0, 0), add)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the sums are exact as integers; rounding them to f64 is the rounding of the result"
)]
fn mean_and_std_of((n, sum, squares): (u64, u64, u64)) -> (f64, f64) {
    let n = n as f64;
    let mean = sum as f64 / n;
    let variance = (squares as f64 / n - mean * mean).max(0.0);
    (mean / 255.0, variance.sqrt() / 255.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of images are far below 2^53"
)]
fn count(n: usize) -> f64 {
    n as f64
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// An error with its causes.
fn full_sentence(error: &crate::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn sizes(items: &[Item<'_>]) -> Vec<SizeCount> {
    let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for item in items {
        let shape = item.measured.shape;
        *counts.entry((shape.height, shape.width)).or_default() += 1;
    }
    let mut sizes: Vec<SizeCount> = counts
        .into_iter()
        .map(|((height, width), images)| SizeCount {
            height,
            width,
            images,
        })
        .collect();
    sizes.sort_by_key(|size| std::cmp::Reverse(size.images));
    sizes
}

fn split_audit(split: Split, index: &Index<'_>, kind: AuditKind, classes: &[String]) -> SplitAudit {
    let items = index.items;
    let sums = items
        .iter()
        .map(|item| item.measured.sums)
        .fold((0, 0, 0), |a, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
    let (pixel_mean, pixel_std) = mean_and_std_of(sums);
    let mut frames: BTreeMap<&String, usize> = BTreeMap::new();
    for clip in items.iter().filter_map(|item| item.entry.clip.as_ref()) {
        *frames.entry(clip).or_default() += 1;
    }
    let class_count = |(i, name): (usize, &String)| ClassCount {
        name: name.clone(),
        images: items
            .iter()
            .filter(|item| item.entry.class == Some(i))
            .count(),
    };
    SplitAudit {
        split,
        images: items.len(),
        classes: classes.iter().enumerate().map(class_count).collect(),
        clips: (kind == AuditKind::Clips).then(|| ClipCount {
            clips: frames.len(),
            shortest: frames.values().copied().min().unwrap_or(0),
            longest: frames.values().copied().max().unwrap_or(0),
        }),
        pixel_mean,
        pixel_std,
        repeats: overlap::within(index),
    }
}
