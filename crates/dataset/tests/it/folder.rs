//! Image folders: layouts and splits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use juggle_dataset::{
    ColorMode, ImageFolder, ImageShape, LabelledImages, ReadOptions, Split, SplitOptions,
    SplitOrigin,
};
use proptest::prelude::*;

use crate::tree::{Tree, committed, gray};

fn read(tree: &Tree) -> juggle_dataset::Result<ImageFolder> {
    ImageFolder::read(tree.path(), &ReadOptions::default())
}

fn names(images: &LabelledImages) -> Vec<String> {
    let name = |path: &std::path::PathBuf| path.to_str().unwrap().replace('\\', "/");
    images.paths.iter().map(name).collect()
}

/// `n` images `0.png`, `1.png`, … in a folder.
pub(crate) fn numbered(folder: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{folder}/{i}.png")).collect()
}

pub(crate) fn small() -> Vec<&'static str> {
    vec![
        "train/a/1.png",
        "train/b/1.png",
        "val/a/1.png",
        "val/b/1.png",
    ]
}

#[test]
fn the_committed_balls_are_read() {
    let folder = ImageFolder::read(&committed("balls"), &ReadOptions::default()).unwrap();
    assert_eq!(folder.train.class_counts(), [400, 400, 400]);
    assert_eq!(folder.val.class_counts(), [80, 80, 80]);
    assert_eq!(folder.test.as_ref().unwrap().class_counts(), [65, 68, 67]);
    assert_eq!(folder.train.classes, ["1", "2", "3"]);
    assert_eq!(folder.train.shape, gray(32, 32));
    assert_eq!(folder.origin, SplitOrigin::Folders);
    assert_eq!(folder.train.len() * 1024, folder.train.pixels.len());
    assert_eq!(
        folder.train.paths[0],
        Path::new("train/1/clip00_frame00.png")
    );
    let expected = juggle_dataset::synth::generate(juggle_dataset::synth::DEFAULT_SEED);
    for (split, images) in Split::ALL.into_iter().zip(expected) {
        let read = folder.split(split).unwrap();
        let pixels: Vec<u8> = images
            .images
            .into_iter()
            .flat_map(|image| image.pixels)
            .collect();
        assert!(read.pixels == pixels, "{split}");
    }
}

#[test]
fn classes_and_files_come_in_natural_order() {
    let tree = Tree::of([
        "train/10/b.png",
        "train/2/10.png",
        "train/2/9.PNG",
        "train/1/x.png",
        "valid/1/x.png",
        "valid/2/x.png",
        "valid/10/x.png",
        "Test/2/x.png",
    ]);
    tree.file("train/2/notes.txt", b"ignored")
        .file("train/2/.hidden.png", b"")
        .file(".DS_Store", b"");
    let folder = read(&tree).unwrap();
    assert_eq!(folder.train.classes, ["1", "2", "10"]);
    let expected = [
        "train/1/x.png",
        "train/2/9.PNG",
        "train/2/10.png",
        "train/10/b.png",
    ];
    assert_eq!(names(&folder.train), expected);
    assert_eq!(folder.train.labels, [0, 1, 1, 2]);
    assert_eq!(folder.val.labels, [0, 1, 2]);
    assert_eq!(
        folder.test.unwrap().labels,
        [1],
        "a test set may lack classes"
    );
}

#[test]
fn gray_stays_gray_and_one_coloured_file_makes_all_rgb() {
    let tree = Tree::of(small());
    assert_eq!(read(&tree).unwrap().train.shape, gray(4, 4));
    let rgb = ImageShape {
        channels: 3,
        ..gray(4, 4)
    };
    tree.image("val/b/2.png", rgb, 7);
    assert_eq!(read(&tree).unwrap().train.shape, rgb);
    let options = ReadOptions {
        color: Some(ColorMode::Gray),
        ..ReadOptions::default()
    };
    let folder = ImageFolder::read(tree.path(), &options).unwrap();
    assert_eq!(folder.val.shape, gray(4, 4));
}

#[test]
fn without_val_it_is_carved_out_of_train() {
    let paths: Vec<String> = [numbered("train/a", 20), numbered("train/b", 10)].concat();
    let tree = Tree::of(&paths);
    tree.image("test/a/x.png", gray(4, 4), 99);
    let folder = read(&tree).unwrap();
    assert_eq!(
        folder.origin,
        SplitOrigin::ValFromTrain {
            seed: 0,
            grouped: false
        }
    );
    assert_eq!(
        folder.origin.to_string(),
        "val taken from train by image, seed 0"
    );
    assert_eq!(folder.train.class_counts(), [17, 8]);
    assert_eq!(folder.val.class_counts(), [3, 2]);
    assert_eq!(names(&folder.test.unwrap()), ["test/a/x.png"]);
}

#[test]
fn a_folder_without_splits_is_divided_within_each_class() {
    let tree = Tree::of([numbered("a", 20), numbered("b", 40)].concat());
    let folder = read(&tree).unwrap();
    assert_eq!(
        folder.origin,
        SplitOrigin::Seeded {
            seed: 0,
            grouped: false
        }
    );
    assert_eq!(folder.train.class_counts(), [14, 28]);
    assert_eq!(folder.val.class_counts(), [3, 6]);
    assert_eq!(folder.test.as_ref().unwrap().class_counts(), [3, 6]);

    let split = SplitOptions {
        test_fraction: 0.0,
        ..SplitOptions::default()
    };
    let options = ReadOptions {
        split,
        ..ReadOptions::default()
    };
    let folder = ImageFolder::read(tree.path(), &options).unwrap();
    assert!(folder.test.is_none());
}

#[test]
fn a_class_may_be_called_train() {
    let tree = Tree::of([numbered("car", 5), numbered("train", 5)].concat());
    assert_eq!(read(&tree).unwrap().train.classes, ["car", "train"]);
}

/// Adding a class leaves the division of the others alone.
#[test]
fn a_class_is_divided_by_itself() {
    let tree = Tree::of([numbered("a", 12), numbered("c", 12)].concat());
    let before = names(&read(&tree).unwrap().val);
    for (i, path) in numbered("b", 12).iter().enumerate() {
        tree.image(path, gray(4, 4), i);
    }
    let mut after = names(&read(&tree).unwrap().val);
    after.retain(|name| !name.starts_with("b/"));
    assert_eq!(before, after);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn splits_are_disjoint_complete_and_keep_clips_together(
        clips in 3_usize..9,
        frames in 1_usize..6,
        grouped in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut paths: Vec<String> = (0..clips * frames)
            .map(|i| format!("a/clip{:02}_frame{}.png", i / frames, i % frames))
            .collect();
        if !grouped {
            paths.push("a/other.png".to_owned());
        }
        let tree = Tree::of(&paths);
        let split = SplitOptions { seed, ..SplitOptions::default() };
        let options = ReadOptions { split, ..ReadOptions::default() };
        let folder = ImageFolder::read(tree.path(), &options).unwrap();
        prop_assert_eq!(folder.origin, SplitOrigin::Seeded { seed, grouped });

        let mut seen = BTreeSet::new();
        let mut split_of_clip = BTreeMap::new();
        for split in Split::ALL {
            let images = folder.split(split).unwrap();
            prop_assert!(!images.is_empty());
            for name in names(images) {
                if grouped {
                    let clip = name[..8].to_owned();
                    prop_assert_eq!(*split_of_clip.entry(clip).or_insert(split), split);
                }
                prop_assert!(seen.insert(name));
            }
        }
        prop_assert_eq!(seen, paths.into_iter().collect::<BTreeSet<_>>());
    }
}

#[test]
fn names_of_splits_and_channels_are_parsed() {
    assert_eq!("val".parse::<Split>().unwrap(), Split::Val);
    assert_eq!(
        "dev".parse::<Split>().unwrap_err().to_string(),
        "unknown split \"dev\", expected train, val or test"
    );
    assert_eq!("rgb".parse::<ColorMode>().unwrap().channels(), 3);
    assert_eq!(
        "cmyk".parse::<ColorMode>().unwrap_err().to_string(),
        "unknown channels \"cmyk\", expected gray or rgb"
    );
}
