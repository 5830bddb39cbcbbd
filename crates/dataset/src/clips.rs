//! Folders of clips, and windows of frames.
//!
//! ```text
//! DIR/{train,val,test}/CLIP/*.png      one folder a clip, its frames in natural order
//! DIR/CLIP/*.png                       divided by clip, by the seeded rule of the `split` module
//! ```
//!
//! The frames of a clip are taken as consecutive; gaps in their numbers are not looked for.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::folder::ReadOptions;
use crate::layout::{Branch, Content, Layout, Leaf, relative, scan};
use crate::load::load;
use crate::png::ImageShape;
use crate::split::{
    Parts, Split, SplitOptions, SplitOrigin, Stratum, Validation, assign, hold_out, test_items,
};

/// One clip: consecutive frames in [`Clips::pixels`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    /// Its folder name.
    pub name: String,
    /// Index of its first frame among all frames.
    pub first: usize,
    /// Number of frames.
    pub frames: usize,
    /// One path a frame, relative to the folder that was read.
    pub paths: Vec<PathBuf>,
}

/// The clips of one split, decoded.
#[derive(Clone, Debug)]
pub struct Clips {
    /// Shape of one frame.
    pub shape: ImageShape,
    /// 8-bit values, frames × CHW, clip after clip.
    pub pixels: Vec<u8>,
    /// The clips in natural order.
    pub clips: Vec<Clip>,
}

/// K consecutive input frames and the target that follows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Index of the clip.
    pub clip: usize,
    /// Index of the first input frame among all frames.
    pub first: usize,
}

impl Clips {
    /// Number of frames of all clips.
    pub fn n_frames(&self) -> usize {
        self.clips.iter().map(|clip| clip.frames).sum()
    }

    /// The pixels (CHW) of frame `i` among all frames.
    ///
    /// # Panics
    ///
    /// When `i` is not below [`n_frames`](Self::n_frames).
    pub fn frame(&self, i: usize) -> &[u8] {
        let size = self.shape.len();
        &self.pixels[i * size..(i + 1) * size]
    }

    /// All windows of `input_frames` inputs and one target, clip by clip, oldest first: a clip of `n`
    /// frames has `n - input_frames` of them.
    ///
    /// # Errors
    ///
    /// [`Error::ClipTooShort`] names the first clip with fewer than `input_frames + 1` frames;
    /// [`Error::NoInputFrames`] when `input_frames` is 0.
    pub fn windows(&self, input_frames: usize) -> Result<Vec<Window>> {
        if input_frames == 0 {
            return Err(Error::NoInputFrames);
        }
        let mut windows = Vec::new();
        for (i, clip) in self.clips.iter().enumerate() {
            if clip.frames <= input_frames {
                let folder = clip.paths.first().and_then(|path| path.parent());
                return Err(Error::ClipTooShort {
                    path: folder.map_or_else(|| PathBuf::from(&clip.name), Path::to_path_buf),
                    frames: clip.frames,
                    input_frames,
                });
            }
            let firsts = clip.first..clip.first + clip.frames - input_frames;
            windows.extend(firsts.map(|first| Window { clip: i, first }));
        }
        Ok(windows)
    }
}

/// A folder of clips, divided and decoded.
#[derive(Clone, Debug)]
pub struct ClipFolder {
    /// The training clips.
    pub train: Clips,
    /// The validation clips.
    pub val: Clips,
    /// The test clips, where there are any.
    pub test: Option<Clips>,
    /// Which rule made the splits.
    pub origin: SplitOrigin,
}

impl ClipFolder {
    /// Reads a folder of clips: lists it, divides it by clip and decodes every frame in parallel.
    ///
    /// # Errors
    ///
    /// Names the file or folder that is unreadable, truncated, not PNG, of another size, empty or
    /// without images; that is a folder of classes, or a parent of data folders; too few clips to be
    /// divided; a fraction out of range.
    ///
    /// ```
    /// use juggle_dataset::{ClipFolder, Image, ImageShape, ReadOptions, write_png};
    ///
    /// let dir = tempfile::tempdir()?;
    /// let shape = ImageShape { channels: 1, height: 2, width: 2 };
    /// for clip in ["train/clip0", "train/clip1", "val/clip0"] {
    ///     std::fs::create_dir_all(dir.path().join(clip))?;
    ///     for i in 0..6 {
    ///         let image = Image { shape, pixels: vec![i; 4] };
    ///         write_png(&dir.path().join(clip).join(format!("frame{i}.png")), &image)?;
    ///     }
    /// }
    /// let folder = ClipFolder::read(dir.path(), &ReadOptions::default())?;
    /// assert_eq!(folder.train.windows(4)?.len(), 2 * 2);
    /// assert_eq!(folder.val.windows(4)?.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(dir: &Path, options: &ReadOptions) -> Result<Self> {
        options.split.check()?;
        options.validation.check()?;
        let layout = scan(dir, Content::Clips)?;
        layout.expect(dir, Content::Clips)?;
        Self::read_layout(dir, &layout, options)
    }

    pub(crate) fn read_layout(dir: &Path, layout: &Layout, options: &ReadOptions) -> Result<Self> {
        let (mut lists, mut origin) = divide(dir, layout, &options.split)?;
        if let Some(other) = options.validation.origin(true) {
            validate_on(dir, &mut lists, options.validation)?;
            origin = other;
        }
        let files: Vec<Vec<PathBuf>> = lists
            .iter()
            .map(|list| list.iter().flat_map(|leaf| leaf.files.clone()).collect())
            .collect();
        let (shape, pixels) = load(dir, &files, options)?;
        let mut splits = lists.into_iter().zip(pixels).map(|(leaves, pixels)| {
            let mut first = 0;
            let clips = leaves
                .into_iter()
                .map(|leaf| {
                    let clip = Clip {
                        name: leaf.name.clone(),
                        first,
                        frames: leaf.files.len(),
                        paths: leaf.files.iter().map(|file| relative(file, dir)).collect(),
                    };
                    first += clip.frames;
                    clip
                })
                .collect();
            Clips {
                shape,
                pixels,
                clips,
            }
        });
        Ok(Self {
            train: splits.next().expect("divide gives train"),
            val: splits.next().expect("divide gives val"),
            test: splits.next().filter(|test| !test.clips.is_empty()),
            origin,
        })
    }

    /// One split; `None` only for a missing test split.
    pub fn split(&self, split: Split) -> Option<&Clips> {
        match split {
            Split::Train => Some(&self.train),
            Split::Val => Some(&self.val),
            Split::Test => self.test.as_ref(),
        }
    }
}

/// The clips of train, val and test (which may be empty).
fn divide<'a>(
    dir: &Path,
    layout: &'a Layout,
    options: &SplitOptions,
) -> Result<([Vec<&'a Leaf>; 3], SplitOrigin)> {
    let all = |branch: &'a Branch| branch.leaves.iter().collect::<Vec<_>>();
    let (seed, grouped) = (options.seed, true);
    let (pool, test, parts, origin) = match layout {
        Layout::Split {
            train,
            val: Some(val),
            test,
            ..
        } => {
            let test = test.as_ref().map(all).unwrap_or_default();
            return Ok(([all(train), all(val), test], SplitOrigin::Folders));
        }
        Layout::Split {
            train,
            val: None,
            test,
            ..
        } => (
            train,
            test.as_ref().map(all).unwrap_or_default(),
            Parts::TrainVal,
            SplitOrigin::ValFromTrain { seed, grouped },
        ),
        Layout::Flat(branch) => (
            branch,
            Vec::new(),
            Parts::TrainValTest,
            SplitOrigin::Seeded { seed, grouped },
        ),
    };
    let names: Vec<&str> = pool.leaves.iter().map(|leaf| leaf.name.as_str()).collect();
    let stratum = Stratum {
        dir,
        class: None,
        unit: "clips",
    };
    let mut lists = [Vec::new(), Vec::new(), test];
    for (split, leaf) in assign(stratum, &names, parts, options)?
        .into_iter()
        .zip(&pool.leaves)
    {
        lists[split as usize].push(leaf);
    }
    Ok((lists, origin))
}

/// Replaces the validation clips by a part of the training clips, which lose it, or by the test clips.
fn validate_on(
    dir: &Path,
    [train, val, test]: &mut [Vec<&Leaf>; 3],
    validation: Validation,
) -> Result<()> {
    if validation == Validation::Test {
        *val = test_items(dir, test)?;
        return Ok(());
    }
    let stratum = Stratum {
        dir,
        class: None,
        unit: "clips",
    };
    let all = std::mem::take(train);
    let names: Vec<&str> = all.iter().map(|leaf| leaf.name.as_str()).collect();
    val.clear();
    for (leaf, is_held_out) in all.iter().zip(hold_out(stratum, &names, validation)?) {
        let list = if is_held_out { &mut *val } else { &mut *train };
        list.push(leaf);
    }
    Ok(())
}
