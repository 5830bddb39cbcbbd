//! Distributions of a few numbers an image, and their tests between splits and classes.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use super::findings::SHIFT_P;
use super::ks::{KsTest, holm, ks_2samp};
use super::measure::Quantity;
use super::overlap::SplitOverlap;
use super::{Item, count};
use crate::split::Split;

/// Bins of a histogram.
const BINS: usize = 24;

/// A quantity over the images of a split, or of one class of it.
#[derive(Clone, Debug, Serialize)]
pub struct Distribution {
    /// What is distributed.
    pub quantity: Quantity,
    /// The split.
    pub split: Split,
    /// The class; `None` for all images of the split.
    pub class: Option<String>,
    /// Number of images.
    pub images: usize,
    /// Least, first quarter, median, third quarter and largest value; each is a value that occurs.
    pub quantiles: [f64; 5],
    /// First and last edge of the bins: the least and largest value of this quantity in the folder.
    pub range: [f64; 2],
    /// Images in each of the equally wide bins of `range`.
    pub histogram: Vec<usize>,
}

/// A comparison of a quantity between a later split and train.
#[derive(Clone, Debug, Serialize)]
pub struct ShiftTest {
    /// The split.
    pub split: Split,
    /// The class; `None` for all images.
    pub class: Option<String>,
    /// What is compared.
    pub quantity: Quantity,
    /// Number of images in the split.
    pub images: usize,
    /// Number of images in train.
    pub train_images: usize,
    /// Median in the split.
    pub median: f64,
    /// Median in train.
    pub train_median: f64,
    /// Kolmogorov–Smirnov's D: the best single threshold tells the two apart with a balanced accuracy of
    /// (1 + D) / 2.
    pub statistic: f64,
    /// The probability of such a D for independent images of one distribution.
    pub p_value: f64,
    /// The p-value after Holm's correction over all these tests.
    pub p_adjusted: f64,
    /// About the least D that these numbers of images can show at the level of the rule, when all other tests
    /// are counted against it.
    pub least_detectable: f64,
    /// The same with one image a clip, where clips are known.
    pub by_clip: Option<ClipTest>,
}

/// A comparison that takes the middle image of each clip, since frames of one clip are not independent.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClipTest {
    /// Number of clips in the split.
    pub clips: usize,
    /// Number of clips in train.
    pub train_clips: usize,
    /// D.
    pub statistic: f64,
    /// The probability of such a D for independent clips of one distribution.
    pub p_value: f64,
    /// The p-value after Holm's correction over all tests by clip.
    pub p_adjusted: f64,
}

/// How far one number tells a class of train from the others.
#[derive(Clone, Debug, Serialize)]
pub struct ClassTest {
    /// The class.
    pub class: String,
    /// The number.
    pub quantity: Quantity,
    /// Number of images of the class.
    pub images: usize,
    /// Number of images of the other classes.
    pub other_images: usize,
    /// D.
    pub statistic: f64,
    /// The probability of such a D for independent images of one distribution.
    pub p_value: f64,
    /// The p-value after Holm's correction over all tests of classes.
    pub p_adjusted: f64,
}

/// Whether validation images are nearer to training images than test images are.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct NearerTest {
    /// Median distance from a validation image to the nearest training image (RMS of thumbnails).
    pub val_median: f64,
    /// Median distance from a test image to the nearest training image.
    pub test_median: f64,
    /// D between the distances.
    pub statistic: f64,
    /// The probability of such a D for independent images of one distribution.
    pub p_value: f64,
}

/// Images of a split, or of one class of it.
struct Group<'a> {
    split: Split,
    class: Option<&'a str>,
    items: Vec<&'a Item<'a>>,
}

/// All images of each split, and each class of it where there are two or more.
fn groups<'a>(splits: &[(Split, &'a [Item<'a>])], classes: &'a [String]) -> Vec<Group<'a>> {
    let mut groups = Vec::new();
    for &(split, items) in splits {
        groups.push(Group {
            split,
            class: None,
            items: items.iter().collect(),
        });
        if classes.len() > 1 {
            groups.extend(classes.iter().enumerate().map(|(i, class)| {
                Group {
                    split,
                    class: Some(class),
                    items: items
                        .iter()
                        .filter(|item| item.entry.class == Some(i))
                        .collect(),
                }
            }));
        }
    }
    groups.retain(|group| !group.items.is_empty());
    groups
}

/// The quantities that vary at all; the sides of images seldom do.
fn varying(splits: &[(Split, &[Item<'_>])]) -> Vec<Quantity> {
    let varies = |quantity: &Quantity| {
        let mut values = splits
            .iter()
            .flat_map(|(_, items)| items.iter().map(|item| item.measured.get(*quantity)));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    Quantity::ALL.into_iter().filter(varies).collect()
}

pub(super) fn distributions(
    splits: &[(Split, &[Item<'_>])],
    classes: &[String],
) -> Vec<Distribution> {
    let groups = groups(splits, classes);
    let mut distributions = Vec::new();
    for quantity in varying(splits) {
        let values = |group: &Group<'_>| sorted(&group.items, quantity);
        let all: Vec<Vec<f64>> = groups.iter().map(values).collect();
        let low = all
            .iter()
            .map(|values| values[0])
            .fold(f64::INFINITY, f64::min);
        let high = all
            .iter()
            .map(|values| values[values.len() - 1])
            .fold(low, f64::max);
        for (group, values) in groups.iter().zip(all) {
            let at = |quarter: usize| values[(values.len() - 1) * quarter / 4];
            distributions.push(Distribution {
                quantity,
                split: group.split,
                class: group.class.map(str::to_owned),
                images: values.len(),
                quantiles: [at(0), at(1), at(2), at(3), at(4)],
                range: [low, high],
                histogram: histogram(&values, low, high),
            });
        }
    }
    distributions
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a position among few bins, between 0 and their number"
)]
fn histogram(values: &[f64], low: f64, high: f64) -> Vec<usize> {
    let mut counts = vec![0; BINS];
    for value in values {
        let position = (value - low) / (high - low) * BINS as f64;
        counts[(position as usize).min(BINS - 1)] += 1;
    }
    counts
}

/// Every quantity of every later split against train: all images, and class by class.
pub(super) fn shifts(splits: &[(Split, &[Item<'_>])], classes: &[String]) -> Vec<ShiftTest> {
    let groups = groups(splits, classes);
    let quantities = varying(splits);
    let mut pairs = Vec::new();
    for group in groups.iter().filter(|group| group.split != Split::Train) {
        let same = |other: &&Group<'_>| other.split == Split::Train && other.class == group.class;
        if let Some(train) = groups.iter().find(same) {
            pairs.extend(quantities.iter().map(|&quantity| (group, train, quantity)));
        }
    }
    let mut tests: Vec<ShiftTest> = pairs
        .into_par_iter()
        .map(|(group, train, quantity)| shift(group, train, quantity))
        .collect();
    let adjusted = holm(&tests.iter().map(|test| test.p_value).collect::<Vec<_>>());
    let n_tests = count(tests.len());
    for (test, p) in tests.iter_mut().zip(adjusted) {
        test.p_adjusted = p;
        let (n, m) = (count(test.images), count(test.train_images));
        // The asymptotic p-value 2 exp(−2 D² nm / (n + m)), solved for D.
        let d = ((2.0 * n_tests / SHIFT_P).ln() / 2.0 * (n + m) / (n * m)).sqrt();
        test.least_detectable = d.min(1.0);
    }
    let mut by_clip: Vec<&mut ClipTest> = tests
        .iter_mut()
        .filter_map(|test| test.by_clip.as_mut())
        .collect();
    let adjusted = holm(&by_clip.iter().map(|test| test.p_value).collect::<Vec<_>>());
    for (test, p) in by_clip.iter_mut().zip(adjusted) {
        test.p_adjusted = p;
    }
    tests
}

fn shift(group: &Group<'_>, train: &Group<'_>, quantity: Quantity) -> ShiftTest {
    let (values, others) = (
        sorted(&group.items, quantity),
        sorted(&train.items, quantity),
    );
    let KsTest { statistic, p_value } = ks_2samp(&values, &others);
    let clips = (middles(&group.items), middles(&train.items));
    let by_clip = match clips {
        (Some(a), Some(b)) if a.len() < values.len() || b.len() < others.len() => {
            let test = ks_2samp(&sorted(&a, quantity), &sorted(&b, quantity));
            Some(ClipTest {
                clips: a.len(),
                train_clips: b.len(),
                statistic: test.statistic,
                p_value: test.p_value,
                p_adjusted: f64::NAN,
            })
        }
        _ => None,
    };
    ShiftTest {
        split: group.split,
        class: group.class.map(str::to_owned),
        quantity,
        images: values.len(),
        train_images: others.len(),
        median: values[(values.len() - 1) / 2],
        train_median: others[(others.len() - 1) / 2],
        statistic,
        p_value,
        p_adjusted: f64::NAN,
        least_detectable: f64::NAN,
        by_clip,
    }
}

/// The middle image of each clip, in the order of the files; `None` when an image belongs to no clip.
fn middles<'a>(items: &[&'a Item<'a>]) -> Option<Vec<&'a Item<'a>>> {
    let mut clips: BTreeMap<&String, Vec<&Item<'_>>> = BTreeMap::new();
    for &item in items {
        clips
            .entry(item.entry.clip.as_ref()?)
            .or_default()
            .push(item);
    }
    Some(
        clips
            .into_values()
            .map(|frames| frames[frames.len() / 2])
            .collect(),
    )
}

/// Every class of train against the others together.
pub(super) fn class_tests(train: &[Item<'_>], classes: &[String]) -> Vec<ClassTest> {
    let present: BTreeSet<usize> = train.iter().filter_map(|item| item.entry.class).collect();
    if present.len() < 2 {
        return Vec::new();
    }
    let quantities = varying(&[(Split::Train, train)]);
    let pairs: Vec<(usize, Quantity)> = present
        .into_iter()
        .flat_map(|class| quantities.iter().map(move |&quantity| (class, quantity)))
        .collect();
    let mut tests: Vec<ClassTest> = pairs
        .into_par_iter()
        .map(|(class, quantity)| {
            let (own, others): (Vec<_>, Vec<_>) = train
                .iter()
                .partition(|item| item.entry.class == Some(class));
            let test = ks_2samp(&sorted(&own, quantity), &sorted(&others, quantity));
            ClassTest {
                class: classes[class].clone(),
                quantity,
                images: own.len(),
                other_images: others.len(),
                statistic: test.statistic,
                p_value: test.p_value,
                p_adjusted: f64::NAN,
            }
        })
        .collect();
    let adjusted = holm(&tests.iter().map(|test| test.p_value).collect::<Vec<_>>());
    for (test, p) in tests.iter_mut().zip(adjusted) {
        test.p_adjusted = p;
    }
    tests
}

pub(super) fn nearer(overlaps: &[SplitOverlap]) -> Option<NearerTest> {
    let to_train = |split| {
        overlaps
            .iter()
            .find(|overlap| overlap.split == split && overlap.other == Split::Train)
    };
    let (val, test) = (to_train(Split::Val)?, to_train(Split::Test)?);
    let KsTest { statistic, p_value } = ks_2samp(&val.distances, &test.distances);
    Some(NearerTest {
        val_median: val.median_nearest_rms,
        test_median: test.median_nearest_rms,
        statistic,
        p_value,
    })
}

fn sorted(items: &[&Item<'_>], quantity: Quantity) -> Vec<f64> {
    let mut values: Vec<f64> = items
        .iter()
        .map(|item| item.measured.get(quantity))
        .collect();
    values.sort_by(f64::total_cmp);
    values
}
