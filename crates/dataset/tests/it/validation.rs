//! Validation held out of the training images, whatever the folder offers for it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use juggle_dataset::{
    ClipFolder, ImageFolder, LabelledImages, ReadOptions, SplitOrigin, Validation,
};

use crate::tree::{Tree, committed};

fn with(validation: Validation) -> ReadOptions {
    ReadOptions {
        validation,
        ..ReadOptions::default()
    }
}

fn fold(index: usize) -> Validation {
    Validation::Fold {
        index,
        of: 4,
        seed: 7,
    }
}

fn paths(images: &LabelledImages) -> BTreeSet<&PathBuf> {
    images.paths.iter().collect()
}

/// The clip of `train/2/clip07_frame12.png`, with its class.
fn clips(images: &LabelledImages) -> BTreeSet<&str> {
    let paths = images.paths.iter().map(|path| path.to_str().unwrap());
    paths.map(|path| path.split("_").next().unwrap()).collect()
}

#[test]
fn folds_of_the_committed_balls_share_no_clip_and_cover_all_training_images() {
    let given = ImageFolder::read(&committed("balls"), &ReadOptions::default()).unwrap();
    let mut covered = BTreeSet::new();
    for index in 0..4 {
        let folder = ImageFolder::read(&committed("balls"), &with(fold(index))).unwrap();
        let origin = SplitOrigin::Fold {
            index,
            of: 4,
            seed: 7,
            grouped: true,
        };
        assert_eq!(folder.origin, origin);
        assert!(clips(&folder.train).is_disjoint(&clips(&folder.val)));
        // Eight clips a class, two of them in each part.
        assert_eq!(clips(&folder.val).len(), 6);
        assert_eq!(
            folder.train.len() + folder.val.len(),
            given.train.len(),
            "the folder's own validation images are left out"
        );
        assert_eq!(
            folder.test.unwrap().paths,
            given.test.as_ref().unwrap().paths
        );
        covered.extend(folder.val.paths);
    }
    let all: BTreeSet<PathBuf> = given.train.paths.iter().cloned().collect();
    assert_eq!(covered, all);
}

#[test]
fn an_image_keeps_its_pixels_and_its_label() {
    let given = ImageFolder::read(&committed("balls"), &ReadOptions::default()).unwrap();
    let folder = ImageFolder::read(&committed("balls"), &with(fold(2))).unwrap();
    for (i, path) in folder.val.paths.iter().enumerate().step_by(17) {
        let at = given.train.paths.iter().position(|other| other == path);
        let at = at.unwrap();
        assert_eq!(folder.val.image(i), given.train.image(at));
        assert_eq!(folder.val.labels[i], given.train.labels[at]);
    }
}

#[test]
fn shares_and_the_test_split_serve_too() {
    let share = Validation::Share {
        fraction: 0.25,
        seed: 0,
    };
    let folder = ImageFolder::read(&committed("balls"), &with(share)).unwrap();
    assert_eq!(clips(&folder.val).len(), 6);
    let test = ImageFolder::read(&committed("balls"), &with(Validation::Test)).unwrap();
    assert_eq!(paths(&test.val), paths(test.test.as_ref().unwrap()));
    assert_eq!(test.origin.to_string(), "val is the test split");
    let tree = Tree::of([
        "train/a/1.png",
        "train/a/2.png",
        "train/b/1.png",
        "train/b/2.png",
    ]);
    let error = ImageFolder::read(tree.path(), &with(Validation::Test)).unwrap_err();
    assert!(error.to_string().contains("no test images"), "{error}");
}

#[test]
fn clips_of_frames_are_divided_whole() {
    let given = ClipFolder::read(&committed("frames"), &ReadOptions::default()).unwrap();
    let mut covered = BTreeSet::new();
    for index in 0..4 {
        let folder = ClipFolder::read(&committed("frames"), &with(fold(index))).unwrap();
        assert_eq!(folder.val.clips.len(), 60);
        assert_eq!(folder.train.clips.len(), 180);
        assert_eq!(
            folder.origin.to_string(),
            format!(
                "val is part {} of 4 of train, divided by clip, seed 7",
                index + 1
            )
        );
        covered.extend(folder.val.clips.into_iter().map(|clip| clip.paths));
    }
    let all: BTreeSet<_> = given
        .train
        .clips
        .into_iter()
        .map(|clip| clip.paths)
        .collect();
    assert_eq!(covered, all);
    let error = ClipFolder::read(&committed("frames"), &with(Validation::Test)).unwrap_err();
    assert!(error.to_string().contains("no test images"), "{error}");
}
