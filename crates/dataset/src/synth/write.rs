//! The data set as files.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::datasheet::datasheet;
use super::generate::{SynthImage, SynthSplit, generate};
use super::simulator::{Ball, SIDE};
use crate::error::{Error, Result};
use crate::png::{Image, ImageShape, encode_png};

/// What [`write()`] wrote.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SynthSummary {
    /// The seed it was made from.
    pub seed: u64,
    /// Files written, `README.md` and `SHA256SUMS` included.
    pub files: usize,
    /// Their total size.
    pub bytes: u64,
    /// One entry a split.
    pub splits: Vec<SplitSummary>,
}

/// One split in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitSummary {
    /// Its folder, relative to the data folder.
    pub name: String,
    /// Number of images.
    pub images: usize,
    /// Number of images with one, two and three balls.
    pub images_by_balls: [usize; 3],
    /// SHA-256 over the raw pixels of all images in file order, in hexadecimal.
    pub pixel_sha256: String,
    /// Mean of all pixels, in [0, 1].
    pub pixel_mean: f64,
    /// Standard deviation of all pixels (dividing by their number), in [0, 1].
    pub pixel_std: f64,
    /// Radius over the balls of all images, pixels.
    pub radius: Spread,
    /// Brightness over the balls of all images, in [0, 1].
    pub brightness: Spread,
    /// Number of images in which two balls overlap.
    pub overlapping: usize,
}

/// Least, mean and largest of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The least value.
    pub min: f64,
    /// The mean value.
    pub mean: f64,
    /// The largest value.
    pub max: f64,
}

impl fmt::Display for SynthSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for split in &self.splits {
            writeln!(f, "{:<13}{:>6} images", split.name, split.images)?;
        }
        let kib = self.bytes.div_ceil(1024);
        write!(f, "{} files, {kib} KiB, seed {}", self.files, self.seed)
    }
}

/// Writes the data set into `dir`: the PNG files under `balls/` and `frames/`, a datasheet `README.md`,
/// and `SHA256SUMS` for `sha256sum -c`. The same seed gives the same bytes.
///
/// Everything is first written into a hidden folder beside `dir` and then renamed, so that `dir` is
/// either complete or not there.
///
/// # Errors
///
/// [`Error::DestinationNotEmpty`] when `dir` holds anything; [`Error::NotAFolder`] when it is a file;
/// [`Error::Io`] when writing fails.
///
/// ```no_run
/// let summary = juggle_dataset::synth::write("data".as_ref(), juggle_dataset::synth::DEFAULT_SEED)?;
/// assert_eq!(summary.splits[0].images, 1200);
/// # Ok::<(), juggle_dataset::Error>(())
/// ```
pub fn write(dir: &Path, seed: u64) -> Result<SynthSummary> {
    staged(dir, |root| write_files(root, seed))
}

/// Has everything written into a hidden folder beside `dir`, and renames it when it is complete.
pub(super) fn staged<T>(dir: &Path, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    check_destination(dir)?;
    let staging = staging_folder(dir)?;
    let outcome = write(&staging).and_then(|summary| {
        if dir.is_dir() {
            fs::remove_dir(dir).map_err(Error::io("replace", dir))?;
        }
        fs::rename(&staging, dir).map_err(Error::io("create", dir))?;
        Ok(summary)
    });
    if outcome.is_err() {
        // The first error is the one to report; what is left behind is a hidden folder.
        let _ = fs::remove_dir_all(&staging);
    }
    outcome
}

fn check_destination(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    if !dir.is_dir() {
        return Err(Error::NotAFolder {
            path: dir.to_path_buf(),
        });
    }
    match fs::read_dir(dir).map_err(Error::io("list", dir))?.next() {
        None => Ok(()),
        Some(_) => Err(Error::DestinationNotEmpty {
            path: dir.to_path_buf(),
        }),
    }
}

/// Creates an empty folder beside `dir`, on the same file system so that a rename moves it.
fn staging_folder(dir: &Path) -> Result<PathBuf> {
    let Some(name) = dir.file_name() else {
        // A path that ends in `..` or is the root has no name of its own to put beside.
        return Err(Error::Io {
            action: "create",
            path: dir.to_path_buf(),
            source: io::Error::new(io::ErrorKind::InvalidInput, "the path has no last name"),
        });
    };
    let name = format!(".{}.partial-{}", name.to_string_lossy(), std::process::id());
    let staging = dir.with_file_name(name);
    if staging.exists() {
        fs::remove_dir_all(&staging).map_err(Error::io("remove", &staging))?;
    }
    fs::create_dir_all(&staging).map_err(Error::io("create", &staging))?;
    Ok(staging)
}

fn write_files(root: &Path, seed: u64) -> Result<SynthSummary> {
    let splits = generate(seed);
    let images: Vec<&SynthImage> = splits.iter().flat_map(|split| &split.images).collect();
    for image in &images {
        let path = root.join(&image.path);
        let folder = path.parent().expect("an image lies in a folder");
        if !folder.is_dir() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
    }
    let written: Vec<Result<(String, String, usize)>> = images
        .par_iter()
        .map(|image| write_file(root, &image.path, &png_bytes(image)))
        .collect();
    let mut written = written.into_iter().collect::<Result<Vec<_>>>()?;

    let summaries: Vec<SplitSummary> = splits.iter().map(summarize).collect();
    let readme = datasheet(seed, &summaries);
    written.push(write_file(root, "README.md", readme.as_bytes())?);
    written.sort();
    let sums: String = written
        .iter()
        .map(|(path, sha256, _)| format!("{sha256}  {path}\n"))
        .collect();
    written.push(write_file(root, "SHA256SUMS", sums.as_bytes())?);
    Ok(SynthSummary {
        seed,
        files: written.len(),
        bytes: written.iter().map(|(_, _, size)| *size as u64).sum(),
        splits: summaries,
    })
}

/// Writes one file; returns its path, SHA-256 and size.
pub(super) fn write_file(root: &Path, path: &str, bytes: &[u8]) -> Result<(String, String, usize)> {
    let full = root.join(path);
    fs::write(&full, bytes).map_err(Error::io("write", &full))?;
    Ok((path.to_owned(), hex(&Sha256::digest(bytes)), bytes.len()))
}

pub(super) fn png_bytes(image: &SynthImage) -> Vec<u8> {
    let shape = ImageShape {
        channels: 1,
        height: SIDE,
        width: SIDE,
    };
    encode_png(&Image {
        shape,
        pixels: image.pixels.clone(),
    })
}

/// SHA-256 over the raw pixels of a split, in hexadecimal.
pub(super) fn pixel_sha256(split: &SynthSplit) -> String {
    let mut hash = Sha256::new();
    for image in &split.images {
        hash.update(&image.pixels);
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn summarize(split: &SynthSplit) -> SplitSummary {
    let mut images_by_balls = [0; 3];
    for image in &split.images {
        images_by_balls[image.balls.len() - 1] += 1;
    }
    let pixels = || split.images.iter().flat_map(|image| &image.pixels);
    let (pixel_mean, pixel_std) = crate::audit::mean_and_std(pixels());
    let balls = || split.images.iter().flat_map(|image| &image.balls);
    SplitSummary {
        name: split.name.to_owned(),
        images: split.images.len(),
        images_by_balls,
        pixel_sha256: pixel_sha256(split),
        pixel_mean,
        pixel_std,
        radius: spread(balls().map(|ball| ball.radius)),
        brightness: spread(balls().map(|ball| ball.brightness)),
        overlapping: split
            .images
            .iter()
            .filter(|image| overlap(&image.balls))
            .count(),
    }
}

fn spread(values: impl Iterator<Item = f64>) -> Spread {
    let (mut min, mut max, mut sum, mut n) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0);
    for value in values {
        min = value.min(min);
        max = value.max(max);
        sum += value;
        n += 1.0;
    }
    let mean = sum / n;
    Spread { min, mean, max }
}

fn overlap(balls: &[Ball]) -> bool {
    let touch = |a: &Ball, b: &Ball| {
        let (dx, dy, reach) = (b.x - a.x, b.y - a.y, a.radius + b.radius);
        dx * dx + dy * dy < reach * reach
    };
    balls
        .iter()
        .enumerate()
        .any(|(i, a)| balls[i + 1..].iter().any(|b| touch(a, b)))
}
