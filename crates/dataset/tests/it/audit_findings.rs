//! What the rules of the audit say, and that they stay silent on clean folders of several kinds.

use juggle_dataset::audit::{Audit, Level, inspect};
use juggle_dataset::{ImageShape, ReadOptions, Split};

use crate::tree::{Tree, committed, gray};

fn audit(tree: &Tree) -> Audit {
    inspect(tree.path(), &ReadOptions::default()).unwrap()
}

/// `level code` of each finding.
fn codes(audit: &Audit) -> Vec<String> {
    let line = |level: Level, code| format!("{level:?} {code}").to_lowercase();
    audit
        .findings
        .iter()
        .map(|f| line(f.level, f.code))
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cutting to a gray level is the purpose"
)]
fn byte(x: f64) -> u8 {
    x.clamp(0.0, 255.0) as u8
}

/// A noisy image; `gain` brightens it.
fn noise(shape: ImageShape, number: u64, gain: f64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut next = || {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let level = 60.0 + 60.0 * next();
    (0..shape.len())
        .map(|_| byte((level + 80.0 * next()) * gain))
        .collect()
}

/// `n` images for each of two classes in each split.
fn clean(tree: &Tree, shape: ImageShape, splits: [(&str, u64); 3]) {
    let mut number = 0;
    for (split, n) in splits {
        for class in ["cat", "dog"] {
            for i in 0..n {
                number += 1;
                let path = format!("{split}/{class}/photo {i}.png");
                tree.pixels(
                    path.trim_start_matches('/'),
                    shape,
                    noise(shape, number, 1.0),
                );
            }
        }
    }
}

#[test]
fn clean_folders_are_quiet() {
    let rgb = ImageShape {
        channels: 3,
        height: 20,
        width: 30,
    };
    for shape in [gray(16, 16), rgb] {
        let tree = Tree::new();
        clean(&tree, shape, [("train", 60), ("val", 30), ("test", 30)]);
        assert_eq!(codes(&audit(&tree)), [""; 0]);
        // The same without split folders.
        let tree = Tree::new();
        clean(&tree, shape, [("", 100), ("", 0), ("", 0)]);
        assert_eq!(codes(&audit(&tree)), [""; 0]);
    }
}

#[test]
fn clean_clips_are_quiet_split_by_clip() {
    let tree = Tree::new();
    for class in ["left", "right"] {
        for clip in 0..12_u64 {
            let number = clip * 2 + u64::from(class == "right");
            for frame in 0..6_usize {
                // A clip is one picture with a mark that moves.
                let mut pixels = noise(gray(16, 16), number, 1.0);
                pixels[frame * 16..frame * 16 + 16].fill(255);
                tree.pixels(
                    &format!("{class}/clip{clip}_{frame}.png"),
                    gray(16, 16),
                    pixels,
                );
            }
        }
    }
    let found = audit(&tree);
    assert!(
        found
            .findings
            .iter()
            .all(|finding| finding.level == Level::Note),
        "{:?}",
        codes(&found)
    );
    assert_eq!(found.overlaps[0].images_with_shared_prefix, 0);
}

#[test]
fn the_committed_balls_leak_into_val_and_shift_in_test() {
    let audit = inspect(&committed("balls"), &ReadOptions::default()).unwrap();
    assert_eq!(
        codes(&audit),
        [
            "warning shared_clips",
            // Four pictures of a single ball coincide with one of train, up to its brightness.
            "warning duplicates_across_splits",
            "warning validation_nearer_than_test",
            "warning shift",
            "note duplicates_within_split",
            "note class_told_by_one_number",
        ]
    );
    let title = |code| {
        audit
            .findings
            .iter()
            .find(|f| f.code == code)
            .map(|f| f.title.as_str())
    };
    assert_eq!(
        title("shared_clips"),
        Some("val and train share clips: val leaks from train")
    );
    assert_eq!(
        title("shift"),
        Some("test is distributed differently from train")
    );
    let shifted = |split| {
        let of_split = audit
            .shifts
            .iter()
            .filter(|test| test.split == split && test.p_adjusted < 0.01);
        of_split.count()
    };
    assert_eq!(shifted(Split::Val), 0);
    assert_eq!(
        shifted(Split::Test),
        12,
        "three quantities, of all images and of each class"
    );
}

#[test]
fn the_committed_frames_are_quiet() {
    let audit = inspect(&committed("frames"), &ReadOptions::default()).unwrap();
    assert!(
        audit.count(Level::Problem) + audit.count(Level::Warning) == 0,
        "{:?}",
        codes(&audit)
    );
    assert!(
        audit.overlaps[0].shared_clip_prefixes > 0,
        "clip000 is in train and in val"
    );
}

#[test]
fn copies_across_splits_are_found_bright_or_resized() {
    let tree = Tree::new();
    clean(
        &tree,
        gray(32, 32),
        [("train", 40), ("val", 40), ("test", 0)],
    );
    let original = noise(gray(32, 32), 900, 1.0);
    tree.pixels("train/cat/original.png", gray(32, 32), original.clone());
    let bright: Vec<u8> = original.iter().map(|v| v / 2 + 120).collect();
    tree.pixels("val/cat/bright.png", gray(32, 32), bright);
    let found = audit(&tree);
    let overlap = &found.overlaps[0];
    assert_eq!(overlap.near_duplicates, 0, "the pixels are far away");
    assert_eq!(
        (overlap.hash_duplicates, overlap.confirmed_duplicates),
        (1, 1)
    );
    assert!(overlap.duplicates[0].other.ends_with("original.png"));
    assert_eq!(codes(&found), ["warning duplicates_across_splits"]);
}

#[test]
fn repeats_and_conflicting_labels_are_found() {
    let tree = Tree::new();
    clean(
        &tree,
        gray(16, 16),
        [("train", 60), ("val", 30), ("test", 0)],
    );
    let pixels = noise(gray(16, 16), 1, 1.0);
    tree.pixels("train/cat/again.png", gray(16, 16), pixels.clone());
    tree.pixels("train/dog/mistake.png", gray(16, 16), pixels);
    let found = audit(&tree);
    assert_eq!(
        codes(&found),
        ["warning label_conflicts", "note duplicates_within_split"]
    );
    assert_eq!(found.label_conflicts.len(), 1);
    let repeats = &found.split(Split::Train).unwrap().repeats;
    assert_eq!(
        (repeats.exact_duplicates, repeats.confirmed_duplicates),
        (2, 3)
    );
}

#[test]
fn a_film_divided_frame_by_frame_is_found_without_clip_names() {
    let tree = Tree::new();
    for class in ["a", "b"] {
        for frame in 0..80_usize {
            let offset = if class == "a" { 0 } else { 100 };
            let wave = |i: usize| {
                let (x, y) = (i % 16, i / 16);
                let phase = (x * (offset + 17) + y * 29 + frame * 5) as f64 / 40.0;
                byte(120.0 + 100.0 * phase.sin() * (1.0 + frame as f64 / 80.0) / 2.0)
            };
            let pixels = (0..256).map(wave).collect();
            tree.pixels(
                &format!("{class}/IMG_{:04}.png", frame + offset),
                gray(16, 16),
                pixels,
            );
        }
    }
    let found = audit(&tree);
    assert!(
        codes(&found).contains(&"warning neighbours_across_splits".to_owned()),
        "{:?}",
        codes(&found)
    );
}

#[test]
fn a_darker_test_set_is_a_shift() {
    let tree = Tree::new();
    clean(
        &tree,
        gray(16, 16),
        [("train", 60), ("val", 30), ("test", 0)],
    );
    for i in 0..80_u64 {
        let class = if i % 2 == 0 { "cat" } else { "dog" };
        tree.pixels(
            &format!("test/{class}/{i}.png"),
            gray(16, 16),
            noise(gray(16, 16), 5000 + i, 0.6),
        );
    }
    let found = audit(&tree);
    assert!(
        codes(&found).contains(&"warning shift".to_owned()),
        "{:?}",
        codes(&found)
    );
    let test = found
        .shifts
        .iter()
        .find(|test| test.split == Split::Test)
        .unwrap();
    assert!(test.median < test.train_median && test.by_clip.is_none());
}

#[test]
fn classes_that_differ_in_number_and_brightness_are_found() {
    let tree = Tree::new();
    for (split, light, dark) in [("train", 90, 30), ("val", 10, 40)] {
        for i in 0..light + dark {
            let (class, gain) = if i < light {
                ("light", 1.0)
            } else {
                ("dark", 0.3)
            };
            let number = i + if split == "val" { 1000 } else { 0 };
            tree.pixels(
                &format!("{split}/{class}/{i}.png"),
                gray(16, 16),
                noise(gray(16, 16), number, gain),
            );
        }
    }
    let found = audit(&tree);
    for code in [
        "warning class_imbalance",
        "warning class_mix",
        "note class_told_by_one_number",
    ] {
        assert!(
            codes(&found).contains(&code.to_owned()),
            "{code}: {:?}",
            codes(&found)
        );
    }
}

#[test]
fn what_training_refuses_does_not_end_the_audit() {
    let tree = Tree::new();
    clean(
        &tree,
        gray(16, 16),
        [("train", 30), ("val", 20), ("test", 20)],
    );
    tree.file("train/cat/torn.png", b"\x89PNG\r\n\x1a\n")
        .file("val/dog/text.png", b"hello there")
        .file("test/dog/empty.png", b"")
        .folder("train/bird")
        .image("test/fish/1.png", gray(20, 16), 3);
    let found = audit(&tree);
    let files: Vec<String> = found
        .unreadable
        .iter()
        .map(|file| file.path.display().to_string())
        .collect();
    assert_eq!(
        files,
        [
            "train/cat/torn.png",
            "val/dog/text.png",
            "test/dog/empty.png"
        ]
    );
    assert!(
        found.unreadable[1].error.contains("is not a PNG file"),
        "{:?}",
        found.unreadable
    );
    assert_eq!(found.split(Split::Train).unwrap().images, 60);
    let problems = codes(&found);
    let count = |code: &str| {
        problems
            .iter()
            .filter(|found| found.ends_with(code))
            .count()
    };
    assert_eq!(
        (count("unreadable_files"), count("mixed_sizes")),
        (1, 1),
        "{problems:?}"
    );
    let refused = ["empty class", "bird", "which train lacks", "lacks"];
    for words in refused {
        assert!(
            found.refusals.iter().any(|refusal| refusal.contains(words)),
            "{:?}",
            found.refusals
        );
    }
    assert_eq!(found.sizes.len(), 2);
    assert_eq!((found.shape.height, found.sizes[0].images), (16, 140));
    assert!(
        found
            .shifts
            .iter()
            .any(|test| test.quantity.name() == "height")
    );
}

#[test]
fn a_class_too_small_to_divide_is_a_problem() {
    let tree = Tree::of(["a/1.png", "a/2.png", "a/3.png", "a/4.png", "b/1.png"]);
    let found = audit(&tree);
    assert!(
        found.refusals[0].contains("class b") && found.refusals[0].contains("too few"),
        "{:?}",
        found.refusals
    );
    assert!(codes(&found).contains(&"problem training_refuses".to_owned()));
}

#[test]
fn a_folder_of_broken_files_is_an_error() {
    let tree = Tree::new();
    tree.file("train/a/1.png", b"no").file("val/a/1.png", b"no");
    let error = inspect(tree.path(), &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("1.png is not a PNG file"), "{error}");
}

#[test]
fn the_number_of_threads_makes_no_difference() {
    let tree = Tree::new();
    clean(
        &tree,
        gray(16, 16),
        [("train", 40), ("val", 20), ("test", 20)],
    );
    let json = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| serde_json::to_string(&audit(&tree)).unwrap())
    };
    assert_eq!(json(1), json(7));
}
