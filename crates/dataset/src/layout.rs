//! What lies in a data folder: split folders or none, and the folders of PNG files below.
//!
//! Nothing is decoded here. Hidden entries, files that do not end in `.png` (in any letter case) and
//! folders at places where none is read are ignored and counted.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::natural::natural_cmp;
use crate::split::{Split, clip_prefix};

/// A folder of PNG files: a class or a clip.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// PNG files in natural order.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) ignored: usize,
}

/// The folders of one split, in natural order.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) path: PathBuf,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) ignored: usize,
}

#[derive(Debug)]
pub(crate) enum Layout {
    /// `DIR/{train,val,test}/LEAF/*.png`
    Split {
        train: Branch,
        val: Option<Branch>,
        test: Option<Branch>,
        /// Entries of `DIR` that are not these folders.
        ignored: usize,
    },
    /// `DIR/LEAF/*.png`
    Flat(Branch),
}

/// Whether a folder's leaves are classes or clips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Classes,
    Clips,
}

impl Content {
    fn expected(self) -> &'static str {
        match self {
            Self::Classes => "DIR/{train,val,test}/CLASS/*.png or DIR/CLASS/*.png",
            Self::Clips => "DIR/{train,val,test}/CLIP/*.png or DIR/CLIP/*.png",
        }
    }
}

impl Layout {
    pub(crate) fn branches(&self) -> impl Iterator<Item = &Branch> {
        let (first, val, test) = match self {
            Self::Split {
                train, val, test, ..
            } => (train, val.as_ref(), test.as_ref()),
            Self::Flat(branch) => (branch, None, None),
        };
        std::iter::once(first).chain(val).chain(test)
    }

    fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.branches().flat_map(|branch| &branch.leaves)
    }

    /// Entries that are not read.
    pub(crate) fn ignored(&self) -> usize {
        let below = |branch: &Branch| branch.leaves.iter().map(|leaf| leaf.ignored).sum::<usize>();
        let above = match self {
            Self::Split { ignored, .. } => *ignored,
            Self::Flat(_) => 0,
        };
        let branches = self.branches().map(|branch| branch.ignored + below(branch));
        above + branches.sum::<usize>()
    }

    /// Clips, when every folder is called `clip` and a number, or every file `frame` and a number;
    /// classes otherwise.
    pub(crate) fn content(&self) -> Content {
        let clip_named = |leaf: &Leaf| is_numbered(&leaf.name, "clip");
        let frames = |leaf: &Leaf| {
            leaf.files
                .iter()
                .all(|file| is_numbered(&stem(file), "frame"))
        };
        if self.leaves().all(clip_named) || self.leaves().all(frames) {
            Content::Clips
        } else {
            Content::Classes
        }
    }

    /// Refuses a folder whose leaves are evidently not what the caller wants to read.
    pub(crate) fn expect(&self, dir: &Path, content: Content) -> Result<()> {
        let example = |leaf: Option<&Leaf>| {
            leaf.and_then(|leaf| leaf.files.first())
                .map_or_else(String::new, |file| {
                    relative(file, dir).display().to_string()
                })
        };
        match content {
            Content::Classes if self.content() == Content::Clips => Err(Error::ClipsNotClasses {
                path: dir.to_path_buf(),
                example: example(self.leaves().next()),
            }),
            Content::Clips => match self.leaves().find(|leaf| mixes_clips(leaf)) {
                Some(leaf) => Err(Error::ClassesNotClips {
                    path: dir.to_path_buf(),
                    example: example(Some(leaf)),
                }),
                None => Ok(()),
            },
            Content::Classes => Ok(()),
        }
    }
}

/// The path without the data folder in front.
pub(crate) fn relative(path: &Path, dir: &Path) -> PathBuf {
    path.strip_prefix(dir).unwrap_or(path).to_path_buf()
}

/// The file name without its extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Lists a data folder of classes or clips.
///
/// A folder named `train`, `val`, `valid`, `validation` or `test` is a split when it holds folders
/// itself; when it holds only files it is a class that happens to have that name.
pub(crate) fn scan(dir: &Path, content: Content) -> Result<Layout> {
    let layout = list_layout(dir, content)?;
    check_filled(&layout, content)?;
    Ok(layout)
}

/// The same without refusing folders that hold no images.
pub(crate) fn list_layout(dir: &Path, content: Content) -> Result<Layout> {
    if !dir.exists() {
        return Err(Error::NoSuchFolder {
            path: dir.to_path_buf(),
        });
    }
    if !dir.is_dir() {
        return Err(Error::NotAFolder {
            path: dir.to_path_buf(),
        });
    }
    let top = list(dir)?;
    let mut splits: [Option<PathBuf>; 3] = [None, None, None];
    for folder in &top.folders {
        let Some(split) = Split::from_folder_name(&file_name(folder)) else {
            continue;
        };
        if list(folder)?.folders.is_empty() {
            continue;
        }
        let slot = &mut splits[split as usize];
        if let Some(first) = slot {
            return Err(Error::DuplicateSplit {
                path: dir.to_path_buf(),
                split,
                first: file_name(first),
                second: file_name(folder),
            });
        }
        *slot = Some(folder.clone());
    }
    let n_splits = splits.iter().flatten().count();
    match splits {
        [None, None, None] => flat(dir, top, content),
        [Some(train), val, test] => Ok(Layout::Split {
            train: branch(&train)?,
            val: val.as_deref().map(branch).transpose()?,
            test: test.as_deref().map(branch).transpose()?,
            ignored: top.ignored + top.images.len() + top.folders.len() - n_splits,
        }),
        [None, val, test] => {
            let found: Vec<String> = val.iter().chain(&test).map(|p| file_name(p)).collect();
            Err(Error::MissingTrain {
                path: dir.to_path_buf(),
                found: found.join(" and "),
            })
        }
    }
}

/// The folder of one split, where `dir` has one. Other splits, train included, may be missing.
pub(crate) fn scan_split(dir: &Path, split: Split, content: Content) -> Result<Option<Branch>> {
    if !dir.is_dir() {
        return Ok(None);
    }
    let folders = list(dir)?.folders;
    let mut named = folders
        .iter()
        .filter(|folder| Split::from_folder_name(&file_name(folder)) == Some(split));
    let (Some(folder), None) = (named.next(), named.next()) else {
        return Ok(None);
    };
    let branch = branch(folder)?;
    if branch.leaves.is_empty() {
        return Ok(None);
    }
    check_branch(&branch, content)?;
    Ok(Some(branch))
}

/// Refuses splits, classes and clips without an image.
pub(crate) fn check_filled(layout: &Layout, content: Content) -> Result<()> {
    layout
        .branches()
        .try_for_each(|branch| check_branch(branch, content))
}

fn check_branch(branch: &Branch, content: Content) -> Result<()> {
    if branch.leaves.iter().all(|leaf| leaf.files.is_empty()) {
        let below: usize = branch.leaves.iter().map(|leaf| leaf.ignored).sum();
        return Err(Error::NoImages {
            path: branch.path.clone(),
            expected: content.expected(),
            ignored: branch.ignored + below,
        });
    }
    if let Some(leaf) = branch.leaves.iter().find(|leaf| leaf.files.is_empty()) {
        let (path, ignored) = (leaf.path.clone(), leaf.ignored);
        return Err(match content {
            Content::Classes => Error::EmptyClass { path, ignored },
            Content::Clips => Error::EmptyClip { path, ignored },
        });
    }
    Ok(())
}

/// A folder without splits. When none of its folders holds an image but some are data folders
/// themselves, the caller is one level too high.
fn flat(dir: &Path, top: Listing, content: Content) -> Result<Layout> {
    if top.folders.is_empty() && !top.images.is_empty() {
        return Err(Error::NoFolders {
            path: dir.to_path_buf(),
            images: top.images.len(),
            expected: content.expected(),
        });
    }
    let branch = branch(dir)?;
    if branch.leaves.iter().all(|leaf| leaf.files.is_empty()) {
        let candidates: Vec<PathBuf> = branch
            .leaves
            .iter()
            .filter(|leaf| is_data_folder(&leaf.path))
            .map(|leaf| leaf.path.clone())
            .collect();
        if !candidates.is_empty() {
            return Err(Error::ParentFolder {
                path: dir.to_path_buf(),
                candidates,
            });
        }
    }
    Ok(Layout::Flat(branch))
}

/// Whether `dir` holds folders of images, or split folders that do.
fn is_data_folder(dir: &Path) -> bool {
    let holds_images = |dir: &Path| list(dir).is_ok_and(|listing| !listing.images.is_empty());
    list(dir).is_ok_and(|listing| {
        listing.folders.iter().any(|folder| {
            let is_split = Split::from_folder_name(&file_name(folder)).is_some();
            holds_images(folder)
                || is_split
                    && list(folder).is_ok_and(|below| below.folders.iter().any(|d| holds_images(d)))
        })
    })
}

fn branch(path: &Path) -> Result<Branch> {
    let listing = list(path)?;
    let leaves = listing
        .folders
        .into_iter()
        .map(|path| {
            let Listing {
                folders,
                images,
                ignored,
            } = list(&path)?;
            Ok(Leaf {
                name: file_name(&path),
                path,
                files: images,
                ignored: ignored + folders.len(),
            })
        })
        .collect::<Result<_>>()?;
    Ok(Branch {
        path: path.to_path_buf(),
        leaves,
        ignored: listing.ignored + listing.images.len(),
    })
}

/// One directory, each kind in natural order.
#[derive(Debug)]
struct Listing {
    folders: Vec<PathBuf>,
    images: Vec<PathBuf>,
    ignored: usize,
}

fn list(dir: &Path) -> Result<Listing> {
    let mut listing = Listing {
        folders: Vec::new(),
        images: Vec::new(),
        ignored: 0,
    };
    for entry in fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let path = entry.map_err(Error::io("list", dir))?.path();
        let is_png = || {
            path.extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
        };
        if file_name(&path).starts_with('.') {
            listing.ignored += 1;
        } else if path.is_dir() {
            listing.folders.push(path);
        } else if is_png() {
            listing.images.push(path);
        } else {
            listing.ignored += 1;
        }
    }
    let by_name = |a: &PathBuf, b: &PathBuf| natural_cmp(&file_name(a), &file_name(b));
    listing.folders.sort_by(by_name);
    listing.images.sort_by(by_name);
    Ok(listing)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Whether a name is `word`, an optional `_`, `-` or space, and digits.
fn is_numbered(name: &str, word: &str) -> bool {
    name.get(..word.len())
        .filter(|start| start.eq_ignore_ascii_case(word))
        .map(|_| name[word.len()..].trim_start_matches(['_', '-', ' ']))
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether the files of one folder carry the prefixes of several clips.
fn mixes_clips(leaf: &Leaf) -> bool {
    let stems: Vec<String> = leaf.files.iter().map(|file| stem(file)).collect();
    let mut prefixes = stems.iter().map(|stem| clip_prefix(stem));
    let first = prefixes.next().flatten();
    first.is_some() && prefixes.any(|prefix| prefix.is_some() && prefix != first)
}
