//! Which files a folder holds, and what training would refuse about it.

use std::path::{Path, PathBuf};

use super::AuditKind;
use crate::error::{Error, Result};
use crate::folder::{ReadOptions, Units, assign_leaf};
use crate::layout::{Branch, Content, Layout, Leaf, check_filled, list_layout, relative, stem};
use crate::split::{Parts, Split, SplitOptions, SplitOrigin, Stratum, assign, clip_prefix};

/// A file and what its place says about it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) split: Split,
    /// Index into [`Survey::classes`]; `None` in folders of clips.
    pub(super) class: Option<usize>,
    /// The clip it is a frame of, with its class where there is one.
    pub(super) clip: Option<String>,
    /// Relative to the folder.
    pub(super) path: PathBuf,
}

pub(super) struct Survey {
    pub(super) kind: AuditKind,
    /// In natural order: those of the training split, then others.
    pub(super) classes: Vec<String>,
    /// By split, then class or clip, then file name in natural order.
    pub(super) entries: Vec<Entry>,
    pub(super) origin: SplitOrigin,
    pub(super) ignored: usize,
    /// What `ImageFolder::read` or `ClipFolder::read` would stop at, apart from the images' content.
    pub(super) refusals: Vec<Error>,
}

/// Lists a folder and divides it as training would. What training would refuse is noted, as long as there is an
/// image to look at.
pub(super) fn survey(dir: &Path, options: &ReadOptions) -> Result<Survey> {
    let layout = list_layout(dir, Content::Classes)?;
    let filled = |branch: &Branch| branch.leaves.iter().any(|leaf| !leaf.files.is_empty());
    if !layout.branches().any(filled) {
        check_filled(&layout, Content::Classes)?;
    }
    let content = layout.content();
    let mut survey = Survey {
        kind: match content {
            Content::Classes => AuditKind::Images,
            Content::Clips => AuditKind::Clips,
        },
        classes: classes(&layout, content),
        entries: Vec::new(),
        origin: origin(&layout, content, &options.split),
        ignored: layout.ignored(),
        refusals: Vec::new(),
    };
    survey.refusals.extend(empty_leaves(&layout, content));
    let all_in = |branch: &Branch, split| -> Vec<Vec<Split>> {
        let in_leaf = |leaf: &Leaf| vec![split; leaf.files.len()];
        branch.leaves.iter().map(in_leaf).collect()
    };
    match &layout {
        Layout::Split {
            train, val, test, ..
        } => {
            let splits = if val.is_some() {
                all_in(train, Split::Train)
            } else {
                survey.divide(dir, train, Parts::TrainVal, &options.split)
            };
            survey.add(dir, train, &splits);
            for (split, branch) in [(Split::Val, val), (Split::Test, test)] {
                if let Some(branch) = branch {
                    survey.compare_classes(train, branch, split);
                    survey.add(dir, branch, &all_in(branch, split));
                }
            }
        }
        Layout::Flat(all) => {
            let splits = survey.divide(dir, all, Parts::TrainValTest, &options.split);
            survey.add(dir, all, &splits);
        }
    }
    // Stable: files of one split keep the order of their folders.
    survey.entries.sort_by_key(|entry| entry.split);
    Ok(survey)
}

impl Survey {
    /// The seeded rule of training: one split a file, leaf by leaf. What it refuses stays in train.
    fn divide(
        &mut self,
        dir: &Path,
        branch: &Branch,
        parts: Parts,
        options: &SplitOptions,
    ) -> Vec<Vec<Split>> {
        let leaves = &branch.leaves;
        let in_train = |leaf: &Leaf| vec![Split::Train; leaf.files.len()];
        if self.kind == AuditKind::Clips {
            let names: Vec<&str> = leaves.iter().map(|leaf| leaf.name.as_str()).collect();
            let stratum = Stratum {
                dir,
                class: None,
                unit: "clips",
            };
            return match assign(stratum, &names, parts, options) {
                Ok(splits) => leaves
                    .iter()
                    .zip(splits)
                    .map(|(leaf, split)| vec![split; leaf.files.len()])
                    .collect(),
                Err(refusal) => {
                    self.refusals.push(refusal);
                    leaves.iter().map(in_train).collect()
                }
            };
        }
        let units = Units::of(branch);
        let divided = leaves.iter().map(|leaf| {
            if leaf.files.is_empty() {
                return Vec::new();
            }
            assign_leaf(dir, leaf, units, parts, options).unwrap_or_else(|refusal| {
                self.refusals.push(refusal);
                in_train(leaf)
            })
        });
        divided.collect()
    }

    /// Adds the files of a branch.
    fn add(&mut self, dir: &Path, branch: &Branch, splits: &[Vec<Split>]) {
        for (leaf, splits) in branch.leaves.iter().zip(splits) {
            let class = self.classes.iter().position(|class| *class == leaf.name);
            for (file, &split) in leaf.files.iter().zip(splits) {
                let clip = match self.kind {
                    AuditKind::Images => {
                        clip_prefix(&stem(file)).map(|prefix| format!("{}/{prefix}", leaf.name))
                    }
                    AuditKind::Clips => Some(leaf.name.clone()),
                };
                self.entries.push(Entry {
                    split,
                    class,
                    clip,
                    path: relative(file, dir),
                });
            }
        }
    }

    fn compare_classes(&mut self, train: &Branch, branch: &Branch, split: Split) {
        if self.kind == AuditKind::Clips {
            return;
        }
        let names = |branch: &Branch| -> Vec<String> {
            branch.leaves.iter().map(|leaf| leaf.name.clone()).collect()
        };
        let (known, found) = (names(train), names(branch));
        let lacking = |all: &[String], some: &[String]| -> Vec<String> {
            all.iter()
                .filter(|name| !some.contains(name))
                .cloned()
                .collect()
        };
        let (unknown, missing) = (lacking(&found, &known), lacking(&known, &found));
        let path = branch.path.clone();
        if !unknown.is_empty() {
            self.refusals.push(Error::UnknownClass {
                path: path.clone(),
                unknown,
                classes: known.clone(),
            });
        }
        if split == Split::Val && !missing.is_empty() {
            self.refusals.push(Error::MissingClass {
                path,
                missing,
                classes: known,
            });
        }
    }
}

fn classes(layout: &Layout, content: Content) -> Vec<String> {
    let mut classes = Vec::new();
    if content == Content::Classes {
        for leaf in layout.branches().flat_map(|branch| &branch.leaves) {
            if !classes.contains(&leaf.name) {
                classes.push(leaf.name.clone());
            }
        }
    }
    classes
}

fn origin(layout: &Layout, content: Content, options: &SplitOptions) -> SplitOrigin {
    let seed = options.seed;
    let grouped = |branch: &Branch| content == Content::Clips || Units::of(branch) == Units::Clips;
    match layout {
        Layout::Split { val: Some(_), .. } => SplitOrigin::Folders,
        Layout::Split { train, .. } => SplitOrigin::ValFromTrain {
            seed,
            grouped: grouped(train),
        },
        Layout::Flat(all) => SplitOrigin::Seeded {
            seed,
            grouped: grouped(all),
        },
    }
}

fn empty_leaves(layout: &Layout, content: Content) -> Vec<Error> {
    let leaves = layout.branches().flat_map(|branch| &branch.leaves);
    leaves
        .filter(|leaf| leaf.files.is_empty())
        .map(|leaf| {
            let (path, ignored) = (leaf.path.clone(), leaf.ignored);
            match content {
                Content::Classes => Error::EmptyClass { path, ignored },
                Content::Clips => Error::EmptyClip { path, ignored },
            }
        })
        .collect()
}
