//! What `inspect` finds.

use juggle_dataset::audit::{Audit, AuditKind, inspect};
use juggle_dataset::{ReadOptions, Split};

use crate::tree::{Tree, committed, gray};

fn audit(tree: &Tree) -> Audit {
    inspect(tree.path(), &ReadOptions::default()).unwrap()
}

#[test]
fn the_committed_balls_leak_from_train_to_val_and_not_to_test() {
    let audit = inspect(&committed("balls"), &ReadOptions::default()).unwrap();
    assert_eq!(audit.kind, AuditKind::Images);
    let images: Vec<usize> = audit.splits.iter().map(|split| split.images).collect();
    assert_eq!(images, [1200, 240, 200]);
    let val = &audit.overlaps[0];
    assert_eq!((val.split, val.other), (Split::Val, Split::Train));
    assert_eq!(val.shared_clip_prefixes, 24);
    assert_eq!(val.images_with_shared_prefix, 240);
    assert!(val.nearest_with_same_prefix > 120, "the same clips");
    let test = &audit.overlaps[1];
    assert_eq!((test.split, test.other), (Split::Test, Split::Train));
    assert_eq!(test.exact_duplicates, 0);
    assert_eq!(test.images_with_shared_prefix, 24);
    assert!(
        test.nearest_with_same_prefix < 6,
        "other clips of the same names"
    );
    assert!(val.median_nearest_rms < test.median_nearest_rms);
}

#[test]
fn the_committed_frames_are_clips() {
    let audit = inspect(&committed("frames"), &ReadOptions::default()).unwrap();
    assert_eq!(audit.kind, AuditKind::Clips);
    let clips = audit.splits[0].clips.unwrap();
    assert_eq!((clips.clips, clips.shortest, clips.longest), (240, 20, 20));
    assert_eq!(audit.overlaps.len(), 1);
    assert_eq!(audit.overlaps[0].exact_duplicates, 0);
}

#[test]
fn exact_and_near_duplicates_are_found_and_named() {
    let tree = Tree::new();
    let image = |path: &str, pixels: [u8; 4]| {
        tree.pixels(path, gray(2, 2), pixels.to_vec());
    };
    image("train/a/1.png", [0, 80, 160, 240]);
    image("train/a/2.png", [255, 0, 255, 0]);
    image("train/b/1.png", [10, 10, 10, 10]);
    image("val/a/same.png", [0, 80, 160, 240]);
    image("val/a/near.png", [253, 0, 255, 0]);
    image("val/b/new.png", [100, 100, 10, 10]);
    let audit = audit(&tree);
    let overlap = &audit.overlaps[0];
    assert_eq!(
        (
            overlap.images,
            overlap.exact_duplicates,
            overlap.near_duplicates
        ),
        (3, 1, 2)
    );
    assert_eq!(overlap.nearest[0].path.file_name().unwrap(), "same.png");
    assert_eq!(overlap.nearest[0].rms, 0.0);
    let near = &overlap.nearest[1];
    assert!(near.path.ends_with("near.png") && near.other.ends_with("train/a/2.png"));
    assert!((near.rms - 1.0 / 255.0).abs() < 1e-12);
    assert_eq!(overlap.shared_clip_prefixes, 0);
}

/// The search that skips pairs by mean brightness finds what a plain search finds.
#[test]
fn the_nearest_image_is_the_nearest() {
    let path = |split: &str, i: usize| format!("{split}/a/{i}.png");
    let (train, val) = (60, 20);
    let paths: Vec<String> = (0..train)
        .map(|i| path("train", i))
        .chain((0..val).map(|i| path("val", i)))
        .collect();
    let tree = Tree::of(&paths);
    let folder = juggle_dataset::ImageFolder::read(tree.path(), &ReadOptions::default()).unwrap();
    let distance = |a: &[u8], b: &[u8]| {
        let sum: f64 = a
            .iter()
            .zip(b)
            .map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2))
            .sum();
        (sum / a.len() as f64).sqrt() / 255.0
    };
    let nearest = |i: usize| {
        let distances = (0..train).map(|j| distance(folder.val.image(i), folder.train.image(j)));
        distances.fold(f64::INFINITY, f64::min)
    };
    let mut expected: Vec<f64> = (0..val).map(nearest).collect();
    expected.sort_by(f64::total_cmp);
    let overlap = &audit(&tree).overlaps[0];
    for (pair, expected) in overlap.nearest.iter().zip(&expected) {
        assert!((pair.rms - expected).abs() < 1e-12);
    }
    assert!((overlap.median_nearest_rms - expected[val / 2]).abs() < 1e-12);
}

#[test]
fn an_audit_is_a_json_document() {
    let tree = Tree::of(["a/1.png", "a/2.png", "a/3.png", "a/4.png"]);
    tree.file("a/notes.txt", b"");
    let json = serde_json::to_value(audit(&tree)).unwrap();
    assert_eq!(json["kind"], "images");
    assert_eq!(json["shape"]["height"], 4);
    assert_eq!(json["ignored"], 1);
    assert_eq!(json["splits"][0]["split"], "train");
    assert_eq!(json["splits"][0]["classes"][0]["images"], 2);
    assert_eq!(json["origin"]["rule"], "seeded");
    assert_eq!(json["overlaps"][2]["split"], "test");
    assert_eq!(json["overlaps"][2]["other"], "val");
}

#[test]
fn the_parent_of_data_folders_is_named_as_such() {
    let error = inspect(&committed(""), &ReadOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("balls or ") && error.ends_with("frames"),
        "{error}"
    );
}

#[test]
fn what_is_not_read_is_counted() {
    let tree = Tree::of(["train/a/1.png", "val/a/1.png"]);
    tree.file("README.md", b"")
        .file(".hidden", b"")
        .file("train/notes", b"")
        .file("val/a/x.jpg", b"");
    tree.image("unlabelled/1.png", gray(4, 4), 0);
    assert_eq!(audit(&tree).ignored, 5);
}
