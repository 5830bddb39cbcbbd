//! Folders of labelled images.
//!
//! Two layouts are read, and class names are folder names in natural order (1, 2, 10):
//!
//! ```text
//! DIR/{train,val,test}/CLASS/*.png     val may also be called valid or validation; letter case is free
//! DIR/CLASS/*.png                      divided by the seeded, stratified rule of the `split` module
//! ```
//!
//! With split folders, a missing `val` is carved out of `train` by the same rule, and a missing `test`
//! stays missing. Hidden files and files that are not `*.png` are ignored.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::layout::{Branch, Content, Layout, Leaf, relative, scan, scan_split, stem};
use crate::load::load;
use crate::png::{ColorMode, ImageShape, Limits};
use crate::split::{
    Parts, Split, SplitOptions, SplitOrigin, Stratum, Validation, assign, clip_prefix, hold_out,
    test_items,
};

/// How a folder is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Channels to decode into. `None` (the default): gray when every file is gray, RGB otherwise. A
    /// palette counts as colour.
    pub color: Option<ColorMode>,
    /// What a file may ask of this machine.
    pub limits: Limits,
    /// How data without split folders is divided.
    pub split: SplitOptions,
    /// Which images are for validation.
    pub validation: Validation,
    /// Height and width that every image must have. `None` (the default): any, but all the same.
    pub expected_size: Option<(usize, usize)>,
}

/// Images of one split, decoded, with their labels.
#[derive(Clone, Debug)]
pub struct LabelledImages {
    /// Shape of one image.
    pub shape: ImageShape,
    /// Class names; a label is an index into this list. The same list in every split.
    pub classes: Vec<String>,
    /// 8-bit values, N × CHW.
    pub pixels: Vec<u8>,
    /// One label an image.
    pub labels: Vec<usize>,
    /// One path an image, relative to the folder that was read.
    pub paths: Vec<PathBuf>,
}

impl LabelledImages {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels (CHW) of image `i`.
    ///
    /// # Panics
    ///
    /// When `i` is not below [`len`](Self::len).
    pub fn image(&self, i: usize) -> &[u8] {
        let size = self.shape.len();
        &self.pixels[i * size..(i + 1) * size]
    }

    /// Reads one split of a folder with split folders, whether or not it has the others; `None` where there is no folder of
    /// that name with folders in it. The classes are those of this split. Nothing is divided.
    ///
    /// # Errors
    ///
    /// As [`ImageFolder::read`], as far as this split goes.
    ///
    /// ```
    /// use juggle_dataset::{LabelledImages, ReadOptions, Split};
    ///
    /// # let dir = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/balls"));
    /// let test = LabelledImages::read_split(dir, Split::Test, &ReadOptions::default())?;
    /// assert_eq!(test.map(|test| test.class_counts()), Some(vec![65, 68, 67]));
    /// # Ok::<(), juggle_dataset::Error>(())
    /// ```
    pub fn read_split(dir: &Path, split: Split, options: &ReadOptions) -> Result<Option<Self>> {
        let Some(branch) = scan_split(dir, split, Content::Classes)? else {
            return Ok(None);
        };
        let classes: Vec<String> = branch.leaves.iter().map(|leaf| leaf.name.clone()).collect();
        let labelled = label(&branch, &classes, split)?;
        let (labels, files): (Vec<usize>, Vec<PathBuf>) = labelled.into_iter().unzip();
        let paths = files.iter().map(|file| relative(file, dir)).collect();
        let (shape, mut pixels) = load(dir, &[files], options)?;
        Ok(Some(Self {
            shape,
            classes,
            pixels: pixels.swap_remove(0),
            labels,
            paths,
        }))
    }

    /// Number of images of each class, in the order of `classes`.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[label] += 1;
        }
        counts
    }
}

/// A folder of labelled images, divided and decoded.
#[derive(Clone, Debug)]
pub struct ImageFolder {
    /// The training images.
    pub train: LabelledImages,
    /// The validation images.
    pub val: LabelledImages,
    /// The test images, where there are any.
    pub test: Option<LabelledImages>,
    /// Which rule made the splits.
    pub origin: SplitOrigin,
}

impl ImageFolder {
    /// Reads a folder: lists it, divides it and decodes every image in parallel. Images come in the
    /// natural order of class and file name.
    ///
    /// # Errors
    ///
    /// Names the file or folder that is unreadable, truncated, not PNG, of another size, empty, without
    /// images or without classes; that is a folder of clips, or a parent of data folders; a class that
    /// one split has and another lacks; a class too small to be divided; a fraction out of range.
    ///
    /// ```
    /// use juggle_dataset::{Image, ImageFolder, ImageShape, ReadOptions, write_png};
    ///
    /// let dir = tempfile::tempdir()?;
    /// let shape = ImageShape { channels: 1, height: 2, width: 2 };
    /// for class in ["2", "10"] {
    ///     std::fs::create_dir(dir.path().join(class))?;
    ///     for i in 0..10 {
    ///         let image = Image { shape, pixels: vec![i; 4] };
    ///         write_png(&dir.path().join(class).join(format!("{i}.png")), &image)?;
    ///     }
    /// }
    /// let folder = ImageFolder::read(dir.path(), &ReadOptions::default())?;
    /// assert_eq!(folder.train.classes, ["2", "10"]);
    /// assert_eq!(folder.train.class_counts(), [6, 6]);
    /// assert_eq!(folder.val.class_counts(), [2, 2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(dir: &Path, options: &ReadOptions) -> Result<Self> {
        options.split.check()?;
        options.validation.check()?;
        let layout = scan(dir, Content::Classes)?;
        layout.expect(dir, Content::Classes)?;
        Self::read_layout(dir, &layout, options)
    }

    pub(crate) fn read_layout(dir: &Path, layout: &Layout, options: &ReadOptions) -> Result<Self> {
        let (classes, mut lists, mut origin) = divide(dir, layout, &options.split)?;
        let units = Units::of_files(lists[0].iter().map(|(_, file)| file));
        if let Some(other) = options.validation.origin(units == Units::Clips) {
            validate_on((dir, units), &classes, &mut lists, options.validation)?;
            origin = other;
        }
        let files: Vec<Vec<PathBuf>> = lists
            .iter()
            .map(|list| list.iter().map(|(_, file)| file.clone()).collect())
            .collect();
        let (shape, pixels) = load(dir, &files, options)?;
        let mut splits = lists.into_iter().zip(pixels).map(|(list, pixels)| {
            let (labels, files): (Vec<usize>, Vec<PathBuf>) = list.into_iter().unzip();
            LabelledImages {
                shape,
                classes: classes.clone(),
                pixels,
                labels,
                paths: files.iter().map(|file| relative(file, dir)).collect(),
            }
        });
        Ok(Self {
            train: splits.next().expect("divide gives train"),
            val: splits.next().expect("divide gives val"),
            test: splits.next().filter(|test| !test.is_empty()),
            origin,
        })
    }

    /// One split; `None` only for a missing test split.
    pub fn split(&self, split: Split) -> Option<&LabelledImages> {
        match split {
            Split::Train => Some(&self.train),
            Split::Val => Some(&self.val),
            Split::Test => self.test.as_ref(),
        }
    }
}

/// Labels and files of one split.
type Labelled = Vec<(usize, PathBuf)>;

/// Class names, and the files of train, val and test (which may be empty).
fn divide(
    dir: &Path,
    layout: &Layout,
    options: &SplitOptions,
) -> Result<(Vec<String>, [Labelled; 3], SplitOrigin)> {
    let (pool, val, test) = match layout {
        Layout::Split {
            train, val, test, ..
        } => (train, val.as_ref(), test.as_ref()),
        Layout::Flat(all) => (all, None, None),
    };
    let classes: Vec<String> = pool.leaves.iter().map(|leaf| leaf.name.clone()).collect();
    let fixed = |branch: Option<&Branch>, split: Split| match branch {
        Some(branch) => label(branch, &classes, split),
        None => Ok(Vec::new()),
    };
    let (val, test) = (fixed(val, Split::Val)?, fixed(test, Split::Test)?);
    if !val.is_empty() {
        let train = label(pool, &classes, Split::Train)?;
        return Ok((classes, [train, val, test], SplitOrigin::Folders));
    }

    let seed = options.seed;
    let units = Units::of(pool);
    let grouped = units == Units::Clips;
    let (parts, origin) = match layout {
        Layout::Split { .. } => (Parts::TrainVal, SplitOrigin::ValFromTrain { seed, grouped }),
        Layout::Flat(_) => (Parts::TrainValTest, SplitOrigin::Seeded { seed, grouped }),
    };
    let mut lists = [Vec::new(), Vec::new(), test];
    for (class_idx, leaf) in pool.leaves.iter().enumerate() {
        let splits = assign_leaf(dir, leaf, units, parts, options)?;
        for (split, file) in splits.into_iter().zip(&leaf.files) {
            lists[split as usize].push((class_idx, file.clone()));
        }
    }
    Ok((classes, lists, origin))
}

/// What is divided within a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Units {
    Images,
    /// Every file name carries the prefix of its clip.
    Clips,
}

impl Units {
    pub(crate) fn of(branch: &Branch) -> Self {
        Self::of_files(branch.leaves.iter().flat_map(|leaf| &leaf.files))
    }

    fn of_files<'a>(mut files: impl Iterator<Item = &'a PathBuf>) -> Self {
        if files.all(|file| clip_prefix(&stem(file)).is_some()) {
            Self::Clips
        } else {
            Self::Images
        }
    }

    /// The unit of each file, by the stem of its name.
    fn names(self, stems: &[String]) -> Vec<&str> {
        let name = |stem| match clip_prefix(stem) {
            Some(prefix) if self == Self::Clips => prefix,
            _ => stem,
        };
        stems.iter().map(|stem| name(stem)).collect()
    }

    fn stratum<'a>(self, dir: &'a Path, class: &'a str) -> Stratum<'a> {
        Stratum {
            dir,
            class: Some(class),
            unit: match self {
                Self::Clips => "clips (the prefix of its file names)",
                Self::Images => "images",
            },
        }
    }
}

/// The split of each file of a class, by clip or by image.
pub(crate) fn assign_leaf(
    dir: &Path,
    leaf: &Leaf,
    units: Units,
    parts: Parts,
    options: &SplitOptions,
) -> Result<Vec<Split>> {
    let stems: Vec<String> = leaf.files.iter().map(|file| stem(file)).collect();
    assign(
        units.stratum(dir, &leaf.name),
        &units.names(&stems),
        parts,
        options,
    )
}

/// Replaces the validation list by a part of the training list, which loses it, or by the test list.
fn validate_on(
    (dir, units): (&Path, Units),
    classes: &[String],
    [train, val, test]: &mut [Labelled; 3],
    validation: Validation,
) -> Result<()> {
    if validation == Validation::Test {
        *val = test_items(dir, test)?;
        return Ok(());
    }
    let all = std::mem::take(train);
    val.clear();
    for (class_idx, class) in classes.iter().enumerate() {
        let files: Vec<&PathBuf> = all
            .iter()
            .filter(|(label, _)| *label == class_idx)
            .map(|(_, file)| file)
            .collect();
        let stems: Vec<String> = files.iter().map(|file| stem(file)).collect();
        let stratum = units.stratum(dir, class);
        let held_out = hold_out(stratum, &units.names(&stems), validation)?;
        for (file, is_held_out) in files.into_iter().zip(held_out) {
            let list = if is_held_out { &mut *val } else { &mut *train };
            list.push((class_idx, file.clone()));
        }
    }
    Ok(())
}

/// Labels the files of a split folder by the classes of train.
fn label(branch: &Branch, classes: &[String], split: Split) -> Result<Labelled> {
    let unknown: Vec<String> = branch
        .leaves
        .iter()
        .filter(|leaf| !classes.contains(&leaf.name))
        .map(|leaf| leaf.name.clone())
        .collect();
    if !unknown.is_empty() {
        return Err(Error::UnknownClass {
            path: branch.path.clone(),
            unknown,
            classes: classes.to_vec(),
        });
    }
    let has = |class: &String| branch.leaves.iter().any(|leaf| leaf.name == *class);
    let missing: Vec<String> = classes
        .iter()
        .filter(|class| !has(class))
        .cloned()
        .collect();
    // A test set may be about some of the classes only; validation must speak about all of them.
    if split == Split::Val && !missing.is_empty() {
        return Err(Error::MissingClass {
            path: branch.path.clone(),
            missing,
            classes: classes.to_vec(),
        });
    }
    let mut labelled = Vec::new();
    for leaf in &branch.leaves {
        let class_idx = classes.iter().position(|class| *class == leaf.name);
        let class_idx = class_idx.expect("unknown classes were refused above");
        labelled.extend(leaf.files.iter().map(|file| (class_idx, file.clone())));
    }
    Ok(labelled)
}
