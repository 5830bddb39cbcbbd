//! Labelled images that nobody has seen, as many as one likes, with a table of what is in each.
//!
//! They measure what a small test set cannot: an accuracy to a fraction of a percent, and where it breaks down.

use std::fmt;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use super::generate::{CLASSES, SynthImage, image};
use super::simulator::{Ball, Recipe, SplitMix64, StreamKind, TEST, start, stream};
use super::write::{png_bytes, staged, write_file};
use crate::error::{Error, Result};

/// Images that one seed can give: each has a stream of its own, and a class has 10,000 of them.
pub const MAX_FRESH: usize = 30_000;

/// The seed of fresh images where none is asked for.
pub const FRESH_SEED: u64 = 1;

/// What the balls of fresh images are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ranges {
    /// As in the test set, [`TEST`]: radius and brightness of each ball for itself.
    Test,
    /// Smaller, larger, fainter and closer than any image of the data set, [`WIDE`]. The balls of an image are alike, so
    /// that an accuracy by radius or brightness compares images with equally many balls.
    Wide,
}

/// The ranges of [`Ranges::Wide`]; radius and brightness are drawn once an image.
pub const WIDE: Recipe = Recipe {
    radius: (1.6, 4.4),
    brightness: (0.3, 1.0),
    gap: 0.5,
    ..TEST
};

/// Which fresh images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// Another seed gives other images; even neighbouring seeds share none.
    pub seed: u64,
    /// How many, at most [`MAX_FRESH`]; the classes take turns.
    pub images: usize,
    /// What their balls are like.
    pub ranges: Ranges,
}

/// What [`write_fresh`] wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FreshSummary {
    /// The seed they were made from.
    pub seed: u64,
    /// What their balls are like.
    pub ranges: Ranges,
    /// How many images.
    pub images: usize,
    /// Total size of all files.
    pub bytes: u64,
}

impl fmt::Display for FreshSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = match self.ranges {
            Ranges::Test => "test",
            Ranges::Wide => "wide",
        };
        let kib = self.bytes.div_ceil(1024);
        write!(
            f,
            "{} images, ranges {ranges}, seed {}, {kib} KiB",
            self.images, self.seed
        )
    }
}

impl Fresh {
    /// The images in memory, in the order of their files; a path is `test/CLASS/NNNNN.png`.
    ///
    /// # Panics
    ///
    /// When more than [`MAX_FRESH`] are asked for.
    ///
    /// ```
    /// use juggle_dataset::synth::{FRESH_SEED, Fresh, Ranges};
    ///
    /// let fresh = Fresh { seed: FRESH_SEED, images: 4, ranges: Ranges::Wide };
    /// let paths: Vec<String> = fresh.generate().into_iter().map(|image| image.path).collect();
    /// assert_eq!(paths, ["test/1/00000.png", "test/1/00001.png", "test/2/00000.png", "test/3/00000.png"]);
    /// ```
    pub fn generate(&self) -> Vec<SynthImage> {
        assert!(
            self.images <= MAX_FRESH,
            "{} images, but a seed gives at most {MAX_FRESH}",
            self.images
        );
        // Streams of neighbouring seeds overlap, those of mixed seeds are far apart.
        let seed = SplitMix64::new(self.seed).next_u64();
        let n_classes = CLASSES.len();
        let names = CLASSES.iter().enumerate().flat_map(|(offset, &balls)| {
            let n = (self.images + n_classes - 1 - offset) / n_classes;
            (0..n).map(move |i| (balls, i))
        });
        let names: Vec<(usize, usize)> = names.collect();
        names
            .into_par_iter()
            .map(|(balls, i)| {
                let rng = &mut stream(seed, StreamKind::Fresh, balls, i);
                let recipe = self.ranges.recipe(rng);
                let path = format!("test/{balls}/{i:05}.png");
                image(path, &start(rng, balls, &recipe))
            })
            .collect()
    }
}

impl Ranges {
    fn recipe(self, rng: &mut SplitMix64) -> Recipe {
        match self {
            Self::Test => TEST,
            Self::Wide => {
                let (radius, brightness) = (rng.uniform(WIDE.radius), rng.uniform(WIDE.brightness));
                Recipe {
                    radius: (radius, radius),
                    brightness: (brightness, brightness),
                    ..WIDE
                }
            }
        }
    }
}

/// Writes fresh images into `dir`: `test/CLASS/*.png`; `images.csv`, which says of each image how many balls it has, their
/// least and largest radius (pixels) and brightness, and how near the nearest two centres are, as a share of the sum of their
/// radii (overlapping below 1, empty with one ball); and `SHA256SUMS`. The same seed gives the same bytes.
///
/// # Errors
///
/// Those of [`super::write()`].
///
/// # Panics
///
/// Those of [`Fresh::generate`].
pub fn write_fresh(dir: &Path, fresh: &Fresh) -> Result<FreshSummary> {
    staged(dir, |root| {
        for balls in CLASSES {
            let folder = root.join(format!("test/{balls}"));
            fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        }
        let images = fresh.generate();
        let written: Vec<Result<(String, String, usize)>> = images
            .par_iter()
            .map(|image| write_file(root, &image.path, &png_bytes(image)))
            .collect();
        let mut written = written.into_iter().collect::<Result<Vec<_>>>()?;
        written.push(write_file(root, "images.csv", table(&images).as_bytes())?);
        written.sort();
        let mut sums = String::new();
        for (path, sha256, _) in &written {
            writeln!(sums, "{sha256}  {path}").expect("writing to a string cannot fail");
        }
        written.push(write_file(root, "SHA256SUMS", sums.as_bytes())?);
        Ok(FreshSummary {
            seed: fresh.seed,
            ranges: fresh.ranges,
            images: images.len(),
            bytes: written.iter().map(|(_, _, size)| *size as u64).sum(),
        })
    })
}

/// `images.csv`.
fn table(images: &[SynthImage]) -> String {
    let mut text =
        "file,balls,least_radius,largest_radius,least_brightness,largest_brightness,nearest_pair\n"
            .to_owned();
    for image in images {
        let ends = |of: fn(&Ball) -> f64| {
            let values = image.balls.iter().map(of);
            let low = values.clone().fold(f64::INFINITY, f64::min);
            format!("{low:.6},{:.6}", values.fold(0.0, f64::max))
        };
        let nearest = nearest_pair(&image.balls).map_or_else(String::new, |x| format!("{x:.6}"));
        writeln!(
            text,
            "{},{},{},{},{nearest}",
            image.path,
            image.balls.len(),
            ends(|ball| ball.radius),
            ends(|ball| ball.brightness),
        )
        .expect("writing to a string cannot fail");
    }
    text
}

/// The least distance of two centres, as a share of the sum of their radii.
pub(super) fn nearest_pair(balls: &[Ball]) -> Option<f64> {
    let pairs = balls.iter().enumerate();
    let shares = pairs.flat_map(|(i, a)| {
        balls[i + 1..].iter().map(move |b| {
            let (dx, dy) = (b.x - a.x, b.y - a.y);
            (dx * dx + dy * dy).sqrt() / (a.radius + b.radius)
        })
    });
    shares.reduce(f64::min)
}
