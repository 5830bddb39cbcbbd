//! Nearest neighbours among thumbnails, and pairs of nearly equal images.

use super::Item;
use super::measure::{Measured, THUMBNAIL, VALUES};

/// Two images whose thumbnails differ by less than this (root mean square, values in [0, 1]) are
/// near: 5 of 255 gray levels.
pub const NEAR_DUPLICATE_RMS: f64 = 5.0 / 255.0;

/// Two perceptual hashes that differ in at most this many of their 64 bits are near.
pub const NEAR_HASH_BITS: u32 = 4;

/// A pair that is near by either measure is a near-duplicate when the correlation of the thumbnails is at least
/// this: sparse images are near one another in both measures without being alike.
pub const DUPLICATE_CORRELATION: f64 = 0.995;

/// Side of the blocks of a thumbnail whose sums bound a distance.
const BLOCK: usize = 4;

const BLOCKS: usize = VALUES / (BLOCK * BLOCK);

/// The thumbnails of a split, prepared to be searched.
///
/// A search visits candidates outwards from the query's own sum of values. By Cauchy–Schwarz the squared distance
/// is at least (difference of the sums)² / 256, which ends the search, and at least the sum over
/// the 4×4 blocks of (difference of the blocks' sums)² / 16, which spares most distances.
pub(super) struct Index<'a> {
    pub(super) items: &'a [Item<'a>],
    blocks: Vec<[i32; BLOCKS]>,
    /// Sum of each thumbnail and its image, by increasing sum.
    by_sum: Vec<(i32, usize)>,
}

impl<'a> Index<'a> {
    pub(super) fn new(items: &'a [Item<'a>]) -> Self {
        let blocks: Vec<[i32; BLOCKS]> = items
            .iter()
            .map(|item| blocks(&item.measured.thumbnail))
            .collect();
        let sums = blocks.iter().map(|blocks| blocks.iter().sum());
        let mut by_sum: Vec<(i32, usize)> = sums.zip(0..).collect();
        by_sum.sort_unstable();
        Self {
            items,
            blocks,
            by_sum,
        }
    }

    /// The nearest thumbnail among the images that are not skipped: its squared distance and image, the first
    /// image on a tie.
    pub(super) fn nearest(
        &self,
        query: &Measured,
        skip: impl Fn(usize) -> bool,
    ) -> Option<(u64, usize)> {
        let query_blocks = blocks(&query.thumbnail);
        let sum: i32 = query_blocks.iter().sum();
        let mut best = (u64::MAX, usize::MAX);
        let visit = |best: &mut (u64, usize), &(other, i): &(i32, usize)| {
            let gap = u64::from(sum.abs_diff(other));
            if gap * gap > best.0.saturating_mul(VALUES as u64) {
                return false;
            }
            let per_block = (BLOCK * BLOCK) as u64;
            if !skip(i)
                && squared(&query_blocks, &self.blocks[i]) <= best.0.saturating_mul(per_block)
            {
                let thumbnail = &self.items[i].measured.thumbnail;
                *best = (*best).min((squared_distance(&query.thumbnail, thumbnail), i));
            }
            true
        };
        let middle = self.by_sum.partition_point(|&(other, _)| other < sum);
        let mut up = self.by_sum[middle..].iter();
        let mut down = self.by_sum[..middle].iter().rev();
        let (mut up_open, mut down_open) = (true, true);
        while up_open || down_open {
            up_open = up_open && up.next().is_some_and(|entry| visit(&mut best, entry));
            down_open = down_open && down.next().is_some_and(|entry| visit(&mut best, entry));
        }
        (best.1 != usize::MAX).then_some(best)
    }

    /// The first image, not skipped, that is near by perceptual hash and confirmed by correlation, at the least
    /// distance of the hashes.
    pub(super) fn near_by_hash(
        &self,
        query: &Measured,
        skip: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut best: Option<(u32, usize)> = None;
        for (i, item) in self.items.iter().enumerate() {
            let bits = hash_bits(query, item.measured);
            let nearer = best.is_none_or(|(least, _)| bits < least);
            if bits <= NEAR_HASH_BITS && nearer && !skip(i) && confirmed(query, item.measured) {
                best = Some((bits, i));
            }
        }
        best.map(|(_, i)| i)
    }
}

/// Bits in which the perceptual hashes differ.
pub(super) fn hash_bits(a: &Measured, b: &Measured) -> u32 {
    (a.phash ^ b.phash).count_ones()
}

pub(super) fn confirmed(a: &Measured, b: &Measured) -> bool {
    correlation(&a.thumbnail, &b.thumbnail) >= DUPLICATE_CORRELATION
}

/// Pearson's correlation of two thumbnails; with a flat one among them 1 when both are flat, else 0.
#[expect(
    clippy::cast_precision_loss,
    reason = "sums of 256 products of bytes, times 256, are exact in an f64"
)]
pub(super) fn correlation(a: &[u8; VALUES], b: &[u8; VALUES]) -> f64 {
    let dot = |a: &[u8; VALUES], b: &[u8; VALUES]| -> i64 {
        a.iter()
            .zip(b)
            .map(|(&a, &b)| i64::from(a) * i64::from(b))
            .sum()
    };
    let sum = |a: &[u8; VALUES]| -> i64 { a.iter().map(|&v| i64::from(v)).sum() };
    let n = i64::try_from(VALUES).expect("256 is a small number");
    let covariance = |a, b| n * dot(a, b) - sum(a) * sum(b);
    let (variance_a, variance_b) = (covariance(a, a), covariance(b, b));
    match (variance_a, variance_b) {
        (0, 0) => 1.0,
        (0, _) | (_, 0) => 0.0,
        _ => covariance(a, b) as f64 / ((variance_a as f64).sqrt() * (variance_b as f64).sqrt()),
    }
}

/// The root mean square of a squared distance of thumbnails, values in [0, 1].
#[expect(clippy::cast_precision_loss, reason = "sums of 256 squared bytes")]
pub(super) fn rms(squared_distance: u64) -> f64 {
    (squared_distance as f64 / VALUES as f64).sqrt() / 255.0
}

pub(super) fn squared_distance(a: &[u8; VALUES], b: &[u8; VALUES]) -> u64 {
    let squares = a.iter().zip(b).map(|(&a, &b)| {
        let difference = u32::from(a.abs_diff(b));
        difference * difference
    });
    u64::from(squares.sum::<u32>())
}

fn blocks(thumbnail: &[u8; VALUES]) -> [i32; BLOCKS] {
    let across = THUMBNAIL / BLOCK;
    let mut sums = [0; BLOCKS];
    for (i, &value) in thumbnail.iter().enumerate() {
        let (y, x) = (i / THUMBNAIL, i % THUMBNAIL);
        sums[y / BLOCK * across + x / BLOCK] += i32::from(value);
    }
    sums
}

fn squared(a: &[i32; BLOCKS], b: &[i32; BLOCKS]) -> u64 {
    let squares = a.iter().zip(b).map(|(a, b)| {
        let difference = a.abs_diff(*b);
        difference * difference
    });
    u64::from(squares.sum::<u32>())
}
