//! What two splits have in common, and what repeats within one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

use super::nearest::{
    Index, NEAR_DUPLICATE_RMS, confirmed, correlation, hash_bits, rms, squared_distance,
};
use super::{Item, count, file_name};
use crate::natural::natural_cmp;
use crate::split::Split;

/// Examples kept of each kind.
pub(super) const EXAMPLES: usize = 5;

/// What a split has in common with an earlier one (val with train, test with train, test with val).
#[derive(Clone, Debug, Serialize)]
pub struct SplitOverlap {
    /// The split whose images are counted.
    pub split: Split,
    /// The split they are looked up in.
    pub other: Split,
    /// Images of `split`.
    pub images: usize,
    /// Those with an exact duplicate in `other`.
    pub exact_duplicates: usize,
    /// Those whose nearest image in `other` is nearer than [`NEAR_DUPLICATE_RMS`], exact ones included,
    /// confirmed or not.
    pub near_duplicates: usize,
    /// Those with an image in `other` whose perceptual hash differs in at most
    /// [`NEAR_HASH_BITS`](super::NEAR_HASH_BITS) bits, confirmed.
    pub hash_duplicates: usize,
    /// Those with a duplicate in `other`: exact, or near by either measure and confirmed by a correlation of
    /// at least [`DUPLICATE_CORRELATION`](super::DUPLICATE_CORRELATION).
    pub confirmed_duplicates: usize,
    /// Some of these, nearest first.
    pub duplicates: Vec<DuplicatePair>,
    /// Median over the images of the distance to the nearest image of `other`: root mean square
    /// difference of the thumbnails, values in [0, 1].
    pub median_nearest_rms: f64,
    /// The least of these distances.
    pub least_nearest_rms: f64,
    /// The nearest pairs, nearest first.
    pub nearest: Vec<DuplicatePair>,
    /// Clips (with their class, for images) whose name occurs in both splits.
    pub shared_clip_prefixes: usize,
    /// Some of them.
    pub shared_clip_examples: Vec<String>,
    /// Images of `split` that carry a shared clip name.
    pub images_with_shared_prefix: usize,
    /// Those of them whose nearest image in `other` carries the same name: many when the clips are the
    /// same, few when only their names are.
    pub nearest_with_same_prefix: usize,
    /// How many that would be if the nearest image were any of its class.
    pub same_prefix_by_chance: f64,
    /// Images whose nearest image in `other` is the one directly before or after it in the order of file names
    /// of its class: many when the files are the frames of a film.
    pub nearest_next_by_name: usize,
    /// How many that would be if the nearest image had nothing to do with the name.
    pub next_by_name_by_chance: f64,
    /// The distance of each image, in the order of the split.
    #[serde(skip)]
    pub(super) distances: Vec<f64>,
}

/// Two images that resemble each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DuplicatePair {
    /// The image.
    pub path: PathBuf,
    /// The one it resembles.
    pub other: PathBuf,
    /// Their distance: root mean square difference of the thumbnails, values in [0, 1].
    pub rms: f64,
    /// Correlation of the thumbnails.
    pub correlation: f64,
    /// Bits in which the perceptual hashes differ, of 64.
    pub hash_bits: u32,
}

impl DuplicatePair {
    fn of(a: &Item<'_>, b: &Item<'_>) -> Self {
        let (x, y) = (&a.measured.thumbnail, &b.measured.thumbnail);
        Self {
            path: a.entry.path.clone(),
            other: b.entry.path.clone(),
            rms: rms(squared_distance(x, y)),
            correlation: correlation(x, y),
            hash_bits: hash_bits(a.measured, b.measured),
        }
    }
}

/// What repeats within a split. Frames of one clip resemble each other by nature and are not compared.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Repeats {
    /// Images equal to an earlier one of the split.
    pub exact_duplicates: usize,
    /// Images with a duplicate in the split, exact or near and confirmed, before or after them.
    pub confirmed_duplicates: usize,
    /// Some pairs.
    pub duplicates: Vec<DuplicatePair>,
}

/// An image and an equal one of another class, in any split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelConflict {
    /// The image.
    pub path: PathBuf,
    /// An equal image of another class.
    pub other: PathBuf,
}

/// Every later split against every earlier one.
pub(super) fn between_all(splits: &[(Split, Index<'_>)]) -> Vec<SplitOverlap> {
    let later = splits.iter().enumerate();
    later
        .flat_map(|(i, split)| splits[..i].iter().map(move |other| between(split, other)))
        .collect()
}

pub(super) fn within(index: &Index<'_>) -> Repeats {
    let skip = |i: usize| {
        move |j: usize| {
            let (a, b) = (index.items[i].entry, index.items[j].entry);
            i == j || (a.clip.is_some() && a.clip == b.clip)
        }
    };
    let found: Vec<Option<usize>> = (0..index.items.len())
        .into_par_iter()
        .map(|i| duplicate(&index.items[i], index, skip(i)).2)
        .collect();
    let mut seen: HashMap<[u8; 32], Vec<usize>> = HashMap::new();
    let mut exact = 0;
    for (i, item) in index.items.iter().enumerate() {
        let earlier = seen.entry(item.measured.sha256).or_default();
        exact += usize::from(earlier.iter().any(|&j| !skip(i)(j)));
        earlier.push(i);
    }
    let pairs = found
        .iter()
        .enumerate()
        .filter_map(|(i, j)| Some((i, (*j)?)))
        .filter(|&(i, j)| i < j || found[j] != Some(i));
    Repeats {
        exact_duplicates: exact,
        confirmed_duplicates: found.iter().flatten().count(),
        duplicates: examples(pairs.map(|(i, j)| (&index.items[i], &index.items[j]))),
    }
}

/// Equal images of different classes, one entry an image that differs from the first of its kind.
pub(super) fn label_conflicts(items: &[Item<'_>]) -> Vec<LabelConflict> {
    let mut first: HashMap<[u8; 32], &Item<'_>> = HashMap::new();
    let mut conflicts = Vec::new();
    for item in items {
        let known = *first.entry(item.measured.sha256).or_insert(item);
        if known.entry.class != item.entry.class {
            conflicts.push(LabelConflict {
                path: item.entry.path.clone(),
                other: known.entry.path.clone(),
            });
        }
    }
    conflicts
}

/// The nearest image with its squared distance, the nearest by hash, and the one of them that is a duplicate.
fn duplicate(
    item: &Item<'_>,
    other: &Index<'_>,
    skip: impl Fn(usize) -> bool + Copy,
) -> (Option<(u64, usize)>, Option<usize>, Option<usize>) {
    let nearest = other.nearest(item.measured, skip);
    let by_hash = other.near_by_hash(item.measured, skip);
    let near = nearest.filter(|&(squared, i)| {
        rms(squared) < NEAR_DUPLICATE_RMS && confirmed(item.measured, other.items[i].measured)
    });
    (nearest, by_hash, near.map(|(_, i)| i).or(by_hash))
}

fn examples<'a>(pairs: impl Iterator<Item = (&'a Item<'a>, &'a Item<'a>)>) -> Vec<DuplicatePair> {
    let mut pairs: Vec<DuplicatePair> = pairs.map(|(a, b)| DuplicatePair::of(a, b)).collect();
    // Stable, so that equal distances keep the order of the files.
    pairs.sort_by(|a, b| a.rms.total_cmp(&b.rms));
    pairs.truncate(EXAMPLES);
    pairs
}

fn between(
    (split, index): &(Split, Index<'_>),
    (other, other_index): &(Split, Index<'_>),
) -> SplitOverlap {
    let (items, others) = (index.items, other_index.items);
    let known: HashSet<&[u8; 32]> = others.iter().map(|item| &item.measured.sha256).collect();
    let is_exact = |item: &Item<'_>| known.contains(&item.measured.sha256);

    let found: Vec<_> = items
        .par_iter()
        .map(|item| {
            let (nearest, by_hash, near) = duplicate(item, other_index, |_| false);
            (nearest.expect("a split holds images"), by_hash, near)
        })
        .collect();
    let distances: Vec<f64> = found
        .iter()
        .map(|((squared, _), ..)| rms(*squared))
        .collect();
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|&i, &j| distances[i].total_cmp(&distances[j]).then(i.cmp(&j)));
    let nearest = |i: usize| found[i].0.1;
    let pairs = || items.iter().zip(&found);

    let shared = SharedClips::of(items, others);
    let same_clip = |(item, j): (&Item<'_>, usize)| {
        item.entry.clip.is_some() && item.entry.clip == others[j].entry.clip
    };
    let names = Neighbours::new(others);
    SplitOverlap {
        split: *split,
        other: *other,
        images: items.len(),
        exact_duplicates: items.iter().filter(|item| is_exact(item)).count(),
        near_duplicates: distances
            .iter()
            .filter(|&&d| d < NEAR_DUPLICATE_RMS)
            .count(),
        hash_duplicates: found
            .iter()
            .filter(|(_, by_hash, _)| by_hash.is_some())
            .count(),
        confirmed_duplicates: pairs()
            .filter(|(item, (.., near))| near.is_some() || is_exact(item))
            .count(),
        duplicates: examples(
            pairs().filter_map(|(item, (.., near))| Some((item, &others[(*near)?]))),
        ),
        median_nearest_rms: distances[order[order.len() / 2]],
        least_nearest_rms: distances[order[0]],
        nearest: examples(
            order
                .iter()
                .take(EXAMPLES)
                .map(|&i| (&items[i], &others[nearest(i)])),
        ),
        shared_clip_prefixes: shared.distinct.len(),
        shared_clip_examples: shared.examples(),
        images_with_shared_prefix: shared.images,
        nearest_with_same_prefix: (0..items.len())
            .filter(|&i| same_clip((&items[i], nearest(i))))
            .count(),
        same_prefix_by_chance: shared.by_chance,
        nearest_next_by_name: (0..items.len())
            .filter(|&i| names.of(&items[i]).contains(&nearest(i)))
            .count(),
        next_by_name_by_chance: items.iter().map(|item| names.chance(item)).sum(),
        distances,
    }
}

/// Clip names that occur in two splits.
struct SharedClips<'a> {
    distinct: BTreeSet<&'a String>,
    /// Images of the first split that carry one.
    images: usize,
    /// How many of these would have a nearest image of the same clip by chance.
    by_chance: f64,
}

impl<'a> SharedClips<'a> {
    fn of(items: &'a [Item<'_>], others: &[Item<'_>]) -> Self {
        let mut frames: HashMap<&String, usize> = HashMap::new();
        let mut classes: HashMap<Option<usize>, usize> = HashMap::new();
        for other in others {
            *classes.entry(other.entry.class).or_default() += 1;
            if let Some(clip) = &other.entry.clip {
                *frames.entry(clip).or_default() += 1;
            }
        }
        let shared: Vec<(&String, f64)> = items
            .iter()
            .filter_map(|item| {
                let clip = item.entry.clip.as_ref()?;
                let in_class = classes.get(&item.entry.class)?;
                Some((clip, count(*frames.get(clip)?) / count(*in_class)))
            })
            .collect();
        Self {
            distinct: shared.iter().map(|(clip, _)| *clip).collect(),
            images: shared.len(),
            by_chance: shared.iter().map(|(_, chance)| chance).sum(),
        }
    }

    fn examples(&self) -> Vec<String> {
        let mut names: Vec<&String> = self.distinct.iter().copied().collect();
        names.sort_by(|a, b| natural_cmp(a, b));
        names.into_iter().take(EXAMPLES).cloned().collect()
    }
}

/// The files of a split, class by class in the order of their names.
struct Neighbours {
    classes: HashMap<Option<usize>, Vec<(String, usize)>>,
}

impl Neighbours {
    fn new(items: &[Item<'_>]) -> Self {
        let mut classes: HashMap<Option<usize>, Vec<(String, usize)>> = HashMap::new();
        for (i, item) in items.iter().enumerate() {
            let files = classes.entry(item.entry.class).or_default();
            files.push((file_name(&item.entry.path), i));
        }
        for files in classes.values_mut() {
            files.sort_by(|(a, i), (b, j)| natural_cmp(a, b).then(i.cmp(j)));
        }
        Self { classes }
    }

    /// The images directly before and after an image of another split, and one of the same name between them.
    fn of(&self, item: &Item<'_>) -> Vec<usize> {
        let name = file_name(&item.entry.path);
        let Some(files) = self.classes.get(&item.entry.class) else {
            return Vec::new();
        };
        let at = files.partition_point(|(other, _)| natural_cmp(other, &name).is_lt());
        let same = usize::from(files.get(at).is_some_and(|(other, _)| *other == name));
        let end = (at + same + 1).min(files.len());
        files[at.saturating_sub(1)..end]
            .iter()
            .map(|(_, i)| *i)
            .collect()
    }

    fn chance(&self, item: &Item<'_>) -> f64 {
        let files = self.classes.get(&item.entry.class).map_or(1, Vec::len);
        count(self.of(item).len()) / count(files)
    }
}
