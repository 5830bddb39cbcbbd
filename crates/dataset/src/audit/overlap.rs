//! What two splits have in common.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::clips::Clips;
use crate::folder::LabelledImages;
use crate::layout::stem;
use crate::png::ImageShape;
use crate::split::{Split, clip_prefix};

/// Two images whose thumbnails differ by less than this (root mean square, values in [0, 1]) are
/// near-duplicates: 5 of 255 gray levels.
pub const NEAR_DUPLICATE_RMS: f64 = 5.0 / 255.0;

/// Longest side of a thumbnail.
const THUMBNAIL: usize = 16;

/// Examples kept of each kind.
const EXAMPLES: usize = 5;

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
    /// Those with a near-duplicate in `other`, exact ones included.
    pub near_duplicates: usize,
    /// Median over the images of the distance to the nearest image of `other`: root mean square
    /// difference of the thumbnails, values in [0, 1].
    pub median_nearest_rms: f64,
    /// The least of these distances.
    pub least_nearest_rms: f64,
    /// The nearest pairs, nearest first.
    pub nearest: Vec<DuplicatePair>,
    /// Clip prefixes (with their class) that occur in both splits; images only.
    pub shared_clip_prefixes: usize,
    /// Some of them.
    pub shared_clip_examples: Vec<String>,
    /// Images of `split` that carry a shared clip prefix.
    pub images_with_shared_prefix: usize,
    /// Those of them whose nearest image in `other` carries the same prefix: many when the clips are the
    /// same, few when only their names are.
    pub nearest_with_same_prefix: usize,
}

/// An image and its nearest neighbour in another split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DuplicatePair {
    /// The image.
    pub path: PathBuf,
    /// Its nearest neighbour.
    pub other: PathBuf,
    /// Their distance: root mean square difference of the thumbnails, values in [0, 1].
    pub rms: f64,
}

impl fmt::Display for SplitOverlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            split,
            other,
            images,
            ..
        } = self;
        writeln!(f, "{split} against {other} ({images} images)")?;
        writeln!(f, "  exact duplicates      {:>6}", self.exact_duplicates)?;
        writeln!(
            f,
            "  near-duplicates       {:>6}  (RMS below {NEAR_DUPLICATE_RMS:.4})",
            self.near_duplicates
        )?;
        writeln!(
            f,
            "  nearest image         {:>6.4}  median RMS, least {:.4}",
            self.median_nearest_rms, self.least_nearest_rms
        )?;
        write!(
            f,
            "  shared clip prefixes  {:>6}",
            self.shared_clip_prefixes
        )?;
        if self.shared_clip_prefixes > 0 {
            let more = self.shared_clip_prefixes > self.shared_clip_examples.len();
            write!(
                f,
                "  ({}{}) on {} images; the nearest image has the same one for {}",
                self.shared_clip_examples.join(", "),
                if more { ", …" } else { "" },
                self.images_with_shared_prefix,
                self.nearest_with_same_prefix,
            )?;
        }
        writeln!(f)?;
        if self.near_duplicates > 0 {
            for pair in &self.nearest {
                let (path, other) = (pair.path.display(), pair.other.display());
                writeln!(f, "    {path} ~ {other} ({:.4})", pair.rms)?;
            }
        }
        Ok(())
    }
}

/// The images of a split, as far as this module needs them.
pub(super) struct View<'a> {
    split: Split,
    shape: ImageShape,
    pixels: &'a [u8],
    paths: Vec<&'a PathBuf>,
    /// Class and clip prefix of each image, where it has one.
    prefixes: Vec<Option<String>>,
}

impl<'a> View<'a> {
    pub(super) fn of_images(split: Split, images: &'a LabelledImages) -> Self {
        let prefix = |(path, label): (&PathBuf, &usize)| {
            let stem = stem(path);
            clip_prefix(&stem).map(|prefix| format!("{}/{prefix}", images.classes[*label]))
        };
        Self {
            split,
            shape: images.shape,
            pixels: &images.pixels,
            paths: images.paths.iter().collect(),
            prefixes: images
                .paths
                .iter()
                .zip(&images.labels)
                .map(prefix)
                .collect(),
        }
    }

    /// Folder names of clips start anew in every split, so they say nothing about shared clips.
    pub(super) fn of_clips(split: Split, clips: &'a Clips) -> Self {
        Self {
            split,
            shape: clips.shape,
            pixels: &clips.pixels,
            paths: clips.clips.iter().flat_map(|clip| &clip.paths).collect(),
            prefixes: vec![None; clips.n_frames()],
        }
    }
}

/// Every later split against every earlier one.
pub(super) fn between_all(views: &[View<'_>]) -> Vec<SplitOverlap> {
    let indexes: Vec<Index> = views.iter().map(Index::new).collect();
    let mut overlaps = Vec::new();
    for i in 1..views.len() {
        for j in 0..i {
            overlaps.push(between((&views[i], &indexes[i]), (&views[j], &indexes[j])));
        }
    }
    overlaps
}

/// Hashes and thumbnails of a split.
struct Index {
    hashes: Vec<[u8; 32]>,
    thumbnails: Vec<Vec<u8>>,
    /// Sum of each thumbnail and its image, by increasing sum.
    by_sum: Vec<(u32, usize)>,
}

impl Index {
    fn new(view: &View<'_>) -> Self {
        let images = || view.pixels.par_chunks_exact(view.shape.len());
        let thumbnails: Vec<Vec<u8>> = images().map(|image| thumbnail(image, view.shape)).collect();
        let sum = |thumbnail: &Vec<u8>| thumbnail.iter().map(|&v| u32::from(v)).sum::<u32>();
        let mut by_sum: Vec<(u32, usize)> = thumbnails
            .iter()
            .enumerate()
            .map(|(i, t)| (sum(t), i))
            .collect();
        by_sum.sort_unstable();
        Self {
            hashes: images().map(|image| Sha256::digest(image).into()).collect(),
            thumbnails,
            by_sum,
        }
    }

    /// The nearest thumbnail: its squared distance and image, the first image on a tie.
    ///
    /// Candidates are visited outwards from the query's own sum. With `n` values, Cauchy–Schwarz bounds
    /// the squared distance from below by (difference of the sums)² / n, which ends the search.
    fn nearest(&self, query: &[u8]) -> (u64, usize) {
        let sum: u32 = query.iter().map(|&v| u32::from(v)).sum();
        let n = query.len() as u64;
        let middle = self.by_sum.partition_point(|&(other, _)| other < sum);
        let mut best = (u64::MAX, usize::MAX);
        let visit = |best: &mut (u64, usize), &(other, i): &(u32, usize)| {
            let gap = u64::from(sum.abs_diff(other));
            if gap * gap > best.0.saturating_mul(n) {
                return false;
            }
            *best = (*best).min((squared_distance(query, &self.thumbnails[i]), i));
            true
        };
        let mut up = self.by_sum[middle..].iter();
        let mut down = self.by_sum[..middle].iter().rev();
        let (mut up_open, mut down_open) = (true, true);
        while up_open || down_open {
            up_open = up_open && up.next().is_some_and(|entry| visit(&mut best, entry));
            down_open = down_open && down.next().is_some_and(|entry| visit(&mut best, entry));
        }
        best
    }
}

fn squared_distance(a: &[u8], b: &[u8]) -> u64 {
    let sum: u32 = a
        .iter()
        .zip(b)
        .map(|(&a, &b)| {
            let difference = u32::from(a.abs_diff(b));
            difference * difference
        })
        .sum();
    u64::from(sum)
}

/// Averages channels and blocks of pixels to a gray image of at most 16×16.
fn thumbnail(image: &[u8], shape: ImageShape) -> Vec<u8> {
    let ImageShape {
        channels,
        height,
        width,
    } = shape;
    let (rows, columns) = (height.min(THUMBNAIL), width.min(THUMBNAIL));
    let plane = height * width;
    let mut values = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        let ys = row * height / rows..(row + 1) * height / rows;
        for column in 0..columns {
            let xs = column * width / columns..(column + 1) * width / columns;
            let mut sum = 0_usize;
            for c in 0..channels {
                for y in ys.clone() {
                    let line = c * plane + y * width;
                    let block = &image[line + xs.start..line + xs.end];
                    sum += block.iter().map(|&v| usize::from(v)).sum::<usize>();
                }
            }
            let n = channels * ys.len() * xs.len();
            values.push(u8::try_from((sum + n / 2) / n).expect("a mean of bytes is a byte"));
        }
    }
    values
}

fn between(
    (view, index): (&View<'_>, &Index),
    (other_view, other_index): (&View<'_>, &Index),
) -> SplitOverlap {
    let known: HashSet<&[u8; 32]> = other_index.hashes.iter().collect();
    let exact = index
        .hashes
        .iter()
        .filter(|hash| known.contains(hash))
        .count();

    let nearest: Vec<(u64, usize)> = index
        .thumbnails
        .par_iter()
        .map(|thumbnail| other_index.nearest(thumbnail))
        .collect();
    let n_values = index.thumbnails.first().map_or(1, Vec::len);
    let mut order: Vec<usize> = (0..nearest.len()).collect();
    order.sort_unstable_by_key(|&i| (nearest[i].0, i));
    let distance = |i: usize| rms(nearest[i].0, n_values);
    let near = order
        .iter()
        .take_while(|&&i| distance(i) < NEAR_DUPLICATE_RMS)
        .count();
    let pair = |&i: &usize| DuplicatePair {
        path: view.paths[i].clone(),
        other: other_view.paths[nearest[i].1].clone(),
        rms: distance(i),
    };

    let shared = SharedPrefixes::of(view, other_view);
    let same = view
        .prefixes
        .iter()
        .zip(&nearest)
        .filter(|(prefix, (_, j))| prefix.is_some() && **prefix == other_view.prefixes[*j])
        .count();
    SplitOverlap {
        split: view.split,
        other: other_view.split,
        images: nearest.len(),
        exact_duplicates: exact,
        near_duplicates: near,
        median_nearest_rms: order
            .get(order.len() / 2)
            .map_or(f64::NAN, |&i| distance(i)),
        least_nearest_rms: order.first().map_or(f64::NAN, |&i| distance(i)),
        nearest: order.iter().take(EXAMPLES).map(pair).collect(),
        shared_clip_prefixes: shared.distinct.len(),
        shared_clip_examples: shared.examples(),
        images_with_shared_prefix: shared.images,
        nearest_with_same_prefix: same,
    }
}

/// Clip prefixes that occur in two splits.
struct SharedPrefixes<'a> {
    distinct: BTreeSet<&'a String>,
    /// Images of the first split that carry one.
    images: usize,
}

impl<'a> SharedPrefixes<'a> {
    fn of(view: &'a View<'_>, other: &View<'_>) -> Self {
        let known: BTreeSet<&String> = other.prefixes.iter().flatten().collect();
        let carried = || view.prefixes.iter().flatten().filter(|p| known.contains(p));
        Self {
            distinct: carried().collect(),
            images: carried().count(),
        }
    }

    fn examples(&self) -> Vec<String> {
        self.distinct
            .iter()
            .take(EXAMPLES)
            .map(|p| (*p).clone())
            .collect()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sums of at most 256 squared bytes"
)]
fn rms(squared_distance: u64, n_values: usize) -> f64 {
    (squared_distance as f64 / n_values as f64).sqrt() / 255.0
}
