//! Accuracy on fresh images, in all and by what is in them.
//!
//! A factor is looked at where the others are as in training, so that its curve is not the sum of several causes.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use super::Spread;
use crate::reproduce::stages::{CLASSIFIER_RECIPES, FRESH_SETS, Plan};

/// Bins of fewer images show nothing.
const LEAST: usize = 25;

/// What is known of each recipe on fresh images.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Fresh {
    /// Images of each set.
    pub(crate) images: usize,
    pub(crate) recipes: Vec<FreshRecipe>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct FreshRecipe {
    pub(crate) recipe: &'static str,
    /// Over the seeds, on images like those of the test set.
    pub(crate) accuracy: Spread,
    /// 95 % for one run of that mean accuracy on so many images.
    pub(crate) interval: [f64; 2],
    pub(crate) by: Vec<ByFactor>,
}

/// Accuracy by one factor, on images of wide ranges.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ByFactor {
    pub(crate) factor: Factor,
    pub(crate) bins: Vec<Bin>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Factor {
    Radius,
    Brightness,
    /// Distance of the nearest two centres as a share of the sum of their radii; they overlap below 1.
    NearestPair,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Bin {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) images: usize,
    /// Mean over the seeds.
    pub(crate) accuracy: f64,
    /// Wilson's, for one run of that accuracy on so many images.
    pub(crate) interval: [f64; 2],
    /// Balls counted less balls there, mean over images and seeds.
    pub(crate) excess: f64,
}

/// Ranges of radius and brightness in training, where the other factors are held; balls do not overlap there.
pub(crate) const TRAINED_RADIUS: [f64; 2] = [2.6, 3.4];
pub(crate) const TRAINED_BRIGHTNESS: [f64; 2] = [0.75, 1.0];

impl Factor {
    pub(crate) const ALL: [Self; 3] = [Self::Radius, Self::Brightness, Self::NearestPair];

    fn edges(self) -> Vec<f64> {
        let even =
            |low: f64, step: f64, n: u32| (0..=n).map(|i| low + step * f64::from(i)).collect();
        match self {
            Self::Radius => even(1.6, 0.2, 14),
            Self::Brightness => even(0.3, 0.1, 7),
            Self::NearestPair => vec![0.5, 0.7, 0.9, 1.1, 1.3, 1.6, 2.0, 2.6],
        }
    }

    /// Where an image falls, if the other factors are as in training.
    fn of(self, image: &Image) -> Option<f64> {
        let in_range = |value: f64, [low, high]: [f64; 2]| (low..=high).contains(&value);
        let radius = in_range(image.radius, TRAINED_RADIUS);
        let brightness = in_range(image.brightness, TRAINED_BRIGHTNESS);
        let apart = image.nearest_pair.is_none_or(|share| share >= 1.0);
        match self {
            Self::Radius => (brightness && apart).then_some(image.radius),
            Self::Brightness => (radius && apart).then_some(image.brightness),
            Self::NearestPair => image.nearest_pair.filter(|_| radius && brightness),
        }
    }
}

/// A line of `images.csv`; radius and brightness are those of all its balls, or of the least.
#[derive(Debug, Clone, PartialEq)]
struct Image {
    file: String,
    balls: f64,
    radius: f64,
    brightness: f64,
    nearest_pair: Option<f64>,
}

/// Reads what the stages left, for the recipes that have it.
pub(super) fn collect(plan: &Plan, done: impl Fn(&str) -> bool) -> Result<Option<Fresh>> {
    let [test, wide] = FRESH_SETS;
    let mut fresh = Fresh::default();
    let mut images = None;
    for recipe in &CLASSIFIER_RECIPES {
        let seeds = plan.classifier_seeds.iter().copied();
        let seeds: Vec<u64> = seeds
            .filter(|&seed| done(&Plan::fresh_stage(recipe.name, seed)))
            .collect();
        if seeds.is_empty() {
            continue;
        }
        let images = match &images {
            Some(images) => images,
            None => images.insert(read_images(&plan.fresh(wide).join("images.csv"))?),
        };
        let counts = |set: &str| -> Result<Vec<Vec<Counted>>> {
            let table = |&seed| read_predictions(&plan.fresh_file(set, recipe.name, seed, "csv"));
            seeds.iter().map(table).collect()
        };
        let like_test = counts(test)?;
        let accuracies = like_test.iter().map(|table| share_right(table));
        let Some(accuracy) = Spread::of(accuracies) else {
            continue;
        };
        fresh.images = like_test[0].len();
        let wide = counts(wide)?;
        for table in &wide {
            if !table
                .iter()
                .map(|row| &row.file)
                .eq(images.iter().map(|image| &image.file))
            {
                bail!(
                    "the predictions of {} are not of the fresh images",
                    recipe.name
                );
            }
        }
        let by = Factor::ALL.into_iter().map(|factor| ByFactor {
            factor,
            bins: bins(factor, images, &wide),
        });
        fresh.recipes.push(FreshRecipe {
            recipe: recipe.name,
            interval: wilson(accuracy.mean, fresh.images),
            accuracy,
            by: by.collect(),
        });
    }
    Ok((!fresh.recipes.is_empty()).then_some(fresh))
}

/// A line of predictions.
#[derive(Debug, Clone, PartialEq)]
struct Counted {
    file: String,
    actual: f64,
    predicted: f64,
}

fn share_right(table: &[Counted]) -> f64 {
    let right = table.iter().filter(|row| row.actual == row.predicted);
    right.count() as f64 / table.len() as f64
}

fn bins(factor: Factor, images: &[Image], tables: &[Vec<Counted>]) -> Vec<Bin> {
    let edges = factor.edges();
    let mut bins = vec![];
    for pair in edges.windows(2) {
        let (low, high) = (pair[0], pair[1]);
        let within = |image: &Image| factor.of(image).is_some_and(|x| low <= x && x < high);
        let chosen: Vec<usize> = (0..images.len()).filter(|&i| within(&images[i])).collect();
        if chosen.len() < LEAST {
            continue;
        }
        let rows = || {
            tables
                .iter()
                .flat_map(|table| chosen.iter().map(move |&i| (&table[i], &images[i])))
        };
        let n = (chosen.len() * tables.len()) as f64;
        let right = rows().filter(|(row, image)| row.predicted == image.balls);
        let accuracy = right.count() as f64 / n;
        let excess = rows().map(|(row, image)| row.predicted - image.balls);
        bins.push(Bin {
            low,
            high,
            images: chosen.len(),
            accuracy,
            interval: wilson(accuracy, chosen.len()),
            excess: excess.sum::<f64>() / n,
        });
    }
    bins
}

/// The Wilson score interval at 95 % of a share of `n`.
pub(crate) fn wilson(share: f64, n: usize) -> [f64; 2] {
    let (z, n) = (1.959_963_984_540_054, n as f64);
    let middle = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    [
        ((middle - half) / scale).max(0.0),
        ((middle + half) / scale).min(1.0),
    ]
}

fn read_images(path: &Path) -> Result<Vec<Image>> {
    rows(
        path,
        "file,balls,least_radius,largest_radius,least_brightness,largest_brightness,nearest_pair",
    )?
    .iter()
    .map(|line| {
        let image = |fields: &[&str]| {
            let [file, balls, radius, _, brightness, _, nearest] = fields else {
                return None;
            };
            Some(Image {
                file: (*file).to_owned(),
                balls: balls.parse().ok()?,
                radius: radius.parse().ok()?,
                brightness: brightness.parse().ok()?,
                nearest_pair: if nearest.is_empty() {
                    None
                } else {
                    Some(nearest.parse().ok()?)
                },
            })
        };
        let fields: Vec<&str> = line.split(',').collect();
        image(&fields).with_context(|| format!("{}: not as expected: {line}", path.display()))
    })
    .collect()
}

fn read_predictions(path: &Path) -> Result<Vec<Counted>> {
    rows(path, "file,true,predicted,probability,")?
        .iter()
        .map(|line| {
            let mut fields = line.split(',');
            let counted = (|| {
                Some(Counted {
                    file: fields.next()?.to_owned(),
                    actual: fields.next()?.parse().ok()?,
                    predicted: fields.next()?.parse().ok()?,
                })
            })();
            counted.with_context(|| format!("{}: not as expected: {line}", path.display()))
        })
        .collect()
}

/// The lines below a header that begins with `header`.
fn rows(path: &Path, header: &str) -> Result<Vec<String>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines().map(str::to_owned);
    if !lines.next().is_some_and(|first| first.starts_with(header)) {
        bail!("{}: expected a first line {header}", path.display());
    }
    Ok(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(balls: f64, radius: f64, brightness: f64, nearest_pair: Option<f64>) -> Image {
        Image {
            file: String::new(),
            balls,
            radius,
            brightness,
            nearest_pair,
        }
    }

    fn counted(predicted: f64) -> Counted {
        Counted {
            file: String::new(),
            actual: 0.0,
            predicted,
        }
    }

    #[test]
    fn a_factor_is_looked_at_where_the_others_are_as_in_training() {
        let wide = image(2.0, 1.7, 0.5, Some(0.6));
        assert!(Factor::ALL.iter().all(|factor| factor.of(&wide).is_none()));
        let small = image(2.0, 1.7, 0.8, Some(1.2));
        assert_eq!(Factor::Radius.of(&small), Some(1.7));
        assert_eq!(Factor::Brightness.of(&small), None);
        assert_eq!(Factor::NearestPair.of(&small), None);
        let alone = image(1.0, 3.0, 0.8, None);
        assert_eq!(Factor::NearestPair.of(&alone), None);
        assert_eq!(Factor::Brightness.of(&alone), Some(0.8));
    }

    #[test]
    fn bins_count_over_seeds_and_say_too_few_with_silence() {
        let images: Vec<Image> = (0..LEAST)
            .map(|_| image(2.0, 3.05, 0.95, Some(1.5)))
            .collect();
        let table = |predicted: f64| vec![counted(predicted); LEAST];
        let found = bins(Factor::Radius, &images, &[table(2.0), table(1.0)]);
        assert_eq!(found.len(), 1);
        let bin = found[0];
        assert_eq!((bin.images, bin.accuracy, bin.excess), (LEAST, 0.5, -0.5));
        assert!((bin.low, bin.high).0 <= 3.05 && bin.high > 3.05);
        assert!(bins(Factor::Radius, &images[1..], &[table(2.0)]).is_empty());
    }

    #[test]
    fn wilson_is_as_in_python() {
        let [low, high] = wilson(0.83, 100);
        assert!((low - 0.744_519_952_3).abs() < 1e-9, "{low}");
        assert!((high - 0.891_064_338_9).abs() < 1e-9, "{high}");
        assert!((wilson(1.0, 10)[1] - 1.0).abs() < 1e-12);
    }
}
