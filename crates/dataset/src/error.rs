//! The one error type of the crate: what was read, what was found there and what was expected.

use std::io;
use std::path::{Path, PathBuf};

use crate::split::Split;

/// The crate's result type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong. Each message is one sentence that names the file or the option.
///
/// Three kinds are kept apart: the operating system said no ([`Error::Io`]), a file or folder is not
/// what it should be (most variants), and the caller asked for something impossible
/// ([`Error::FractionOutOfRange`], [`Error::TransposeNeedsSquare`] and their like).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused; the reason is the source of this error.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted: `read`, `write`, `list`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The folder does not exist.
    #[error("no such folder: {}", path.display())]
    NoSuchFolder {
        /// The folder asked for.
        path: PathBuf,
    },
    /// The path exists but is a file.
    #[error("{} is a file, expected a folder", path.display())]
    NotAFolder {
        /// The path asked for.
        path: PathBuf,
    },

    /// A file of zero bytes.
    #[error("{} is empty (0 bytes), expected a PNG file", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// The file does not start with the PNG signature.
    #[error("{} is not a PNG file: it starts with {found}, expected the PNG signature", path.display())]
    NotPng {
        /// The file.
        path: PathBuf,
        /// Its first bytes, as text where printable, else in hexadecimal.
        found: String,
    },
    /// The file ends before the image does.
    #[error("{} is truncated: the file ends before the image is complete", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// The file starts as PNG but its content breaks the format.
    #[error("{} is damaged: {found}, expected a well-formed PNG file", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The decoder's words.
        found: String,
    },
    /// The header announces more pixels than the limits allow.
    #[error("{} is {width}×{height} pixels, expected at most {max_width}×{max_height} (width×height)", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Width in the header, pixels.
        width: u32,
        /// Height in the header, pixels.
        height: u32,
        /// The limit on the width.
        max_width: u32,
        /// The limit on the height.
        max_height: u32,
    },
    /// Decoding one file would need more memory than the limits allow.
    #[error("{} needs {needed} bytes to decode, expected at most {limit}", path.display())]
    TooMuchMemory {
        /// The file.
        path: PathBuf,
        /// Bytes needed, at least.
        needed: u64,
        /// The limit, [`Limits::max_decoded_bytes`](crate::Limits::max_decoded_bytes).
        limit: u64,
    },
    /// All images of a folder together would need more memory than the limits allow.
    #[error("the images of {} need {needed} bytes of memory, expected at most {limit}", path.display())]
    FolderTooLarge {
        /// The folder.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// The limit, [`Limits::max_folder_bytes`](crate::Limits::max_folder_bytes).
        limit: u64,
    },
    /// An image is not of the size the caller requires.
    #[error("{} is {}×{} pixels, expected {}×{} (height×width)", path.display(), found.0, found.1, expected.0, expected.1)]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// Height and width found.
        found: (usize, usize),
        /// Height and width expected.
        expected: (usize, usize),
    },
    /// Two images of one folder differ in size.
    #[error(
        "mixed image sizes: {} is {}×{} but {} is {}×{} (height×width), expected one size",
        first.display(), first_size.0, first_size.1, other.display(), other_size.0, other_size.1
    )]
    MixedSizes {
        /// The first file, in reading order.
        first: PathBuf,
        /// Its height and width.
        first_size: (usize, usize),
        /// The first file that differs from it.
        other: PathBuf,
        /// That file's height and width.
        other_size: (usize, usize),
    },

    /// The folder holds no PNG image in any place where one is looked for.
    #[error("no PNG images in {}{}, expected {expected}", path.display(), ignored_text(*ignored))]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// The layouts that would have been read.
        expected: &'static str,
        /// Entries found there that are hidden or not PNG files.
        ignored: usize,
    },
    /// The folder holds images but no class or clip folders.
    #[error("{} holds {images} PNG images but no folders, expected {expected}", path.display())]
    NoFolders {
        /// The folder.
        path: PathBuf,
        /// PNG files directly inside.
        images: usize,
        /// The layouts that would have been read.
        expected: &'static str,
    },
    /// A class folder holds no PNG image.
    #[error("empty class: no PNG images in {}{}", path.display(), ignored_text(*ignored))]
    EmptyClass {
        /// The class folder.
        path: PathBuf,
        /// Entries found there that are hidden or not PNG files.
        ignored: usize,
    },
    /// A clip folder holds no PNG image.
    #[error("empty clip: no PNG images in {}{}", path.display(), ignored_text(*ignored))]
    EmptyClip {
        /// The clip folder.
        path: PathBuf,
        /// Entries found there that are hidden or not PNG files.
        ignored: usize,
    },
    /// There are split folders, but none for training.
    #[error("{} holds {found} but no train folder with folders in it, expected one beside {found}", path.display())]
    MissingTrain {
        /// The folder.
        path: PathBuf,
        /// The split folders found.
        found: String,
    },
    /// Two folders stand for the same split.
    #[error("{} holds both {first} and {second}, expected one folder for the {split} split", path.display())]
    DuplicateSplit {
        /// The folder.
        path: PathBuf,
        /// The split they both name.
        split: Split,
        /// One folder name.
        first: String,
        /// The other folder name.
        second: String,
    },
    /// A split has classes that the training split lacks.
    #[error("{} has {}, which train lacks, expected only train's classes ({})",
        path.display(), classes_text(unknown), classes.join(", "))]
    UnknownClass {
        /// The split's folder.
        path: PathBuf,
        /// The classes that train lacks.
        unknown: Vec<String>,
        /// The classes of train.
        classes: Vec<String>,
    },
    /// The validation split lacks classes that the training split has.
    #[error("{} lacks {}, expected the same classes as train ({})",
        path.display(), classes_text(missing), classes.join(", "))]
    MissingClass {
        /// The split's folder.
        path: PathBuf,
        /// The classes it lacks.
        missing: Vec<String>,
        /// The classes of train.
        classes: Vec<String>,
    },
    /// An image folder was asked for, but this holds clips.
    #[error("{} holds clips ({example}), expected class folders; use `train autoencoder` for clips", path.display())]
    ClipsNotClasses {
        /// The folder.
        path: PathBuf,
        /// A file that shows it.
        example: String,
    },
    /// A clip folder was asked for, but this holds classes of images.
    #[error(
        "{} holds classes of images ({example}), expected one folder a clip; use `train classifier` for classes",
        path.display()
    )]
    ClassesNotClips {
        /// The folder.
        path: PathBuf,
        /// A file that shows it.
        example: String,
    },
    /// The folder is the parent of data folders.
    #[error("{} holds no images itself but data folders, expected one of them: {}", path.display(), paths_text(candidates))]
    ParentFolder {
        /// The folder.
        path: PathBuf,
        /// The data folders inside.
        candidates: Vec<PathBuf>,
    },

    /// A split fraction is not usable.
    #[error("{name} is {found}, expected {expected}")]
    FractionOutOfRange {
        /// Which fraction.
        name: &'static str,
        /// Its value.
        found: f64,
        /// The allowed range.
        expected: &'static str,
    },
    /// A part of the training images that there is not.
    #[error("part {index} of {of} parts, expected at least 2 parts, counted from 0")]
    FoldOutOfRange {
        /// The part, from 0.
        index: usize,
        /// The number of parts.
        of: usize,
    },
    /// Validation on test images that a folder does not have.
    #[error("{} has no test images to validate on", path.display())]
    NoTestSplit {
        /// The data folder.
        path: PathBuf,
    },
    /// A class (or the clips) cannot be divided over all splits.
    #[error("{what} in {} has too few {unit}: {found}, expected at least {needed} so that {splits} each get one", path.display())]
    TooFewToSplit {
        /// The folder that is split.
        path: PathBuf,
        /// `class NAME`, or `the clip list`.
        what: String,
        /// Images, groups or clips found.
        found: usize,
        /// What is counted: `images`, `clips (…)`.
        unit: &'static str,
        /// How many are needed.
        needed: usize,
        /// The splits that each need one.
        splits: &'static str,
    },
    /// A clip is too short for one window.
    #[error(
        "clip {} has {frames} frames, expected at least {} ({input_frames} input frames and one target)",
        path.display(), input_frames + 1
    )]
    ClipTooShort {
        /// The clip's folder, relative to the data folder.
        path: PathBuf,
        /// Frames it has.
        frames: usize,
        /// Input frames asked for.
        input_frames: usize,
    },
    /// Windows of no input frames were asked for.
    #[error("input frames is 0, expected at least 1")]
    NoInputFrames,

    /// An augmentation list could not be read.
    #[error("unknown augmentation {found:?}, expected {expected}")]
    AugmentSyntax {
        /// The item at fault.
        found: String,
        /// What is understood.
        expected: &'static str,
    },
    /// Transposing a rectangle would change the image's shape.
    #[error("augmentation transpose needs square images, found {height}×{width} (height×width)")]
    TransposeNeedsSquare {
        /// Image height.
        height: usize,
        /// Image width.
        width: usize,
    },
    /// A shift could move the whole image out of view.
    #[error(
        "augmentation shift={shift} moves {height}×{width} images out of view, expected less than the shorter side"
    )]
    ShiftTooLarge {
        /// The shift, pixels.
        shift: usize,
        /// Image height.
        height: usize,
        /// Image width.
        width: usize,
    },
    /// Composing images needs classes that are counts, and images of class 1.
    #[error(
        "augmentation compose needs class names that are counts, 1 among them, found {}",
        classes_text(classes)
    )]
    ComposeNeedsCounts {
        /// The classes, in label order.
        classes: Vec<String>,
    },
    /// Composing images needs labels, which frames do not have.
    #[error("augmentation compose needs labelled images, found clips")]
    ComposeNeedsLabels,
    /// A name that is not a split's.
    #[error("unknown split {found:?}, expected train, val or test")]
    UnknownSplit {
        /// The name given.
        found: String,
    },
    /// A name that is not a colour mode's.
    #[error("unknown channels {found:?}, expected gray or rgb")]
    UnknownColorMode {
        /// The name given.
        found: String,
    },
    /// The folder to write into already holds something.
    #[error("{} is not empty, expected a new or empty folder", path.display())]
    DestinationNotEmpty {
        /// The folder.
        path: PathBuf,
    },
}

impl Error {
    /// For `map_err`: wraps an operating system error with what was attempted on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }
}

fn ignored_text(ignored: usize) -> String {
    match ignored {
        0 => String::new(),
        1 => " (1 other entry was ignored)".to_owned(),
        n => format!(" ({n} other entries were ignored)"),
    }
}

fn classes_text(classes: &[String]) -> String {
    let noun = if classes.len() == 1 {
        "class"
    } else {
        "classes"
    };
    format!("{noun} {}", classes.join(", "))
}

fn paths_text(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    names.join(" or ")
}
