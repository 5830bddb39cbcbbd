//! A look at a data folder before training on it: counts, sizes, balance, and images that occur in two
//! splits.
//!
//! Between two splits three kinds of leak are looked for:
//!
//! - *exact duplicates*: the same shape and pixels (SHA-256), whatever the file's bytes;
//! - *near-duplicates*: the images, reduced to gray thumbnails of at most 16×16 by averaging, differ by
//!   less than [`NEAR_DUPLICATE_RMS`] (root mean square, values in [0, 1]) from their nearest neighbour
//!   in the other split. The distances themselves are reported too, since what is near depends on the
//!   data;
//! - *shared clips*: for images, the same clip prefix (`clip07_…`) in the same class. Equal names need not
//!   be equal clips; how many nearest neighbours carry the same prefix tells one from the other.
//!
//! The comparison is all against all, in the order of mean brightness, so that pairs of very different
//! brightness are skipped.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::clips::{ClipFolder, Clips};
use crate::error::Result;
use crate::folder::{ImageFolder, LabelledImages, ReadOptions};
use crate::layout::{Content, Layout, scan};
use crate::png::ImageShape;
use crate::split::{Split, SplitOrigin};

pub use overlap::{DuplicatePair, NEAR_DUPLICATE_RMS, SplitOverlap};

mod overlap;

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
    /// Shape of every image.
    pub shape: ImageShape,
    /// Which rule made the splits.
    pub origin: SplitOrigin,
    /// Entries of the folder that are hidden, not PNG files, or at a place where nothing is read.
    pub ignored: usize,
    /// One entry a split.
    pub splits: Vec<SplitAudit>,
    /// One entry a pair of splits.
    pub overlaps: Vec<SplitOverlap>,
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
/// # Errors
///
/// As [`ImageFolder::read`] and [`ClipFolder::read`].
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn inspect(dir: &Path, options: &ReadOptions) -> Result<Audit> {
    options.split.check()?;
    let layout = scan(dir, Content::Classes)?;
    match layout.content() {
        Content::Classes => {
            let folder = ImageFolder::read_layout(dir, &layout, options)?;
            Ok(audit_images(dir, &layout, &folder))
        }
        Content::Clips => {
            let folder = ClipFolder::read_layout(dir, &layout, options)?;
            Ok(audit_clips(dir, &layout, &folder))
        }
    }
}

/// Mean and standard deviation of bytes scaled to [0, 1], from exact integer sums.
#[expect(
    clippy::cast_precision_loss,
    reason = "the sums are exact as integers; rounding them to f64 is the rounding of the result"
)]
pub(crate) fn mean_and_std<'a>(pixels: impl Iterator<Item = &'a u8>) -> (f64, f64) {
    let (mut n, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
    for &pixel in pixels {
        let value = u64::from(pixel);
        n += 1;
        sum += value;
        squares += value * value;
    }
    let n = n as f64;
    let mean = sum as f64 / n;
    let variance = (squares as f64 / n - mean * mean).max(0.0);
    (mean / 255.0, variance.sqrt() / 255.0)
}

fn audit_images(dir: &Path, layout: &Layout, folder: &ImageFolder) -> Audit {
    let splits: Vec<(Split, &LabelledImages)> = Split::ALL
        .into_iter()
        .filter_map(|split| Some((split, folder.split(split)?)))
        .collect();
    let views: Vec<overlap::View<'_>> = splits
        .iter()
        .map(|(split, images)| overlap::View::of_images(*split, images))
        .collect();
    Audit {
        dir: dir.to_path_buf(),
        kind: AuditKind::Images,
        shape: folder.train.shape,
        origin: folder.origin,
        ignored: layout.ignored(),
        splits: splits
            .iter()
            .map(|(split, images)| {
                let (pixel_mean, pixel_std) = mean_and_std(images.pixels.iter());
                let classes = images.classes.iter().zip(images.class_counts());
                SplitAudit {
                    split: *split,
                    images: images.len(),
                    classes: classes
                        .map(|(name, images)| ClassCount {
                            name: name.clone(),
                            images,
                        })
                        .collect(),
                    clips: None,
                    pixel_mean,
                    pixel_std,
                }
            })
            .collect(),
        overlaps: overlap::between_all(&views),
    }
}

fn audit_clips(dir: &Path, layout: &Layout, folder: &ClipFolder) -> Audit {
    let splits: Vec<(Split, &Clips)> = Split::ALL
        .into_iter()
        .filter_map(|split| Some((split, folder.split(split)?)))
        .collect();
    let views: Vec<overlap::View<'_>> = splits
        .iter()
        .map(|(split, clips)| overlap::View::of_clips(*split, clips))
        .collect();
    Audit {
        dir: dir.to_path_buf(),
        kind: AuditKind::Clips,
        shape: folder.train.shape,
        origin: folder.origin,
        ignored: layout.ignored(),
        splits: splits
            .iter()
            .map(|(split, clips)| {
                let (pixel_mean, pixel_std) = mean_and_std(clips.pixels.iter());
                let frames = || clips.clips.iter().map(|clip| clip.frames);
                SplitAudit {
                    split: *split,
                    images: clips.n_frames(),
                    classes: Vec::new(),
                    clips: Some(ClipCount {
                        clips: clips.clips.len(),
                        shortest: frames().min().unwrap_or(0),
                        longest: frames().max().unwrap_or(0),
                    }),
                    pixel_mean,
                    pixel_std,
                }
            })
            .collect(),
        overlaps: overlap::between_all(&views),
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            AuditKind::Images => "labelled images",
            AuditKind::Clips => "clips",
        };
        writeln!(
            f,
            "{}: {kind}, {}, {}",
            self.dir.display(),
            self.shape,
            self.origin
        )?;
        if self.ignored > 0 {
            writeln!(f, "{} other entries are ignored", self.ignored)?;
        }
        self.fmt_splits(f)?;
        for overlap in &self.overlaps {
            write!(f, "\n{overlap}")?;
        }
        Ok(())
    }
}

impl Audit {
    fn fmt_splits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes: Vec<&str> = self
            .splits
            .first()
            .map(|split| {
                split
                    .classes
                    .iter()
                    .map(|class| class.name.as_str())
                    .collect()
            })
            .unwrap_or_default();
        write!(
            f,
            "\n{:<6}{:>8}{:>8}{:>8}",
            "split", "images", "mean", "std"
        )?;
        match self.kind {
            AuditKind::Clips => write!(f, "{:>8}{:>16}", "clips", "frames a clip")?,
            AuditKind::Images => {
                for class in &classes {
                    write!(f, "  {class:>5}")?;
                }
            }
        }
        writeln!(f)?;
        for split in &self.splits {
            let SplitAudit {
                images,
                pixel_mean,
                pixel_std,
                ..
            } = split;
            write!(
                f,
                "{:<6}{images:>8}{pixel_mean:>8.4}{pixel_std:>8.4}",
                split.split
            )?;
            for class in &split.classes {
                let width = class.name.chars().count().max(5);
                write!(f, "  {:>width$}", class.images)?;
            }
            if let Some(clips) = split.clips {
                let lengths = if clips.shortest == clips.longest {
                    clips.shortest.to_string()
                } else {
                    format!("{} to {}", clips.shortest, clips.longest)
                };
                write!(f, "{:>8}{lengths:>16}", clips.clips)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
