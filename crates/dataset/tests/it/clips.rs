//! Clip folders and windows.

use std::collections::BTreeSet;

use juggle_dataset::{ClipFolder, Clips, ReadOptions, Split, SplitOrigin};

use crate::tree::{Tree, committed, gray};

fn read(tree: &Tree) -> juggle_dataset::Result<ClipFolder> {
    ClipFolder::read(tree.path(), &ReadOptions::default())
}

fn sentence(tree: &Tree) -> String {
    let error = read(tree).expect_err("this folder is faulty");
    error
        .to_string()
        .replace(tree.path().to_str().unwrap(), "DIR")
}

fn frames(clip: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{clip}/frame{i}.png")).collect()
}

fn clip_names(clips: &Clips) -> Vec<&str> {
    clips.clips.iter().map(|clip| clip.name.as_str()).collect()
}

#[test]
fn the_committed_frames_become_the_published_number_of_windows() {
    let folder = ClipFolder::read(&committed("frames"), &ReadOptions::default()).unwrap();
    assert_eq!(folder.train.windows(4).unwrap().len(), 3840);
    assert_eq!(folder.val.windows(4).unwrap().len(), 256);
    assert!(folder.test.is_none());
    assert_eq!(folder.train.n_frames(), 4800);
    assert_eq!(folder.train.shape, gray(32, 32));
    assert_eq!(
        folder.train.windows(20).unwrap_err().to_string(),
        "clip train/clip000 has 20 frames, expected at least 21 (20 input frames and one target)"
    );
    let windows = folder.val.windows(4).unwrap();
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    folder
        .val
        .fill_batch(&windows[..16], 4, &mut inputs, &mut targets);
    assert_eq!((inputs.len(), targets.len()), (16 * 4 * 1024, 16 * 1024));
    assert_eq!(inputs[4 * 1024 + 3 * 1024..2 * 4 * 1024], targets[..1024]);
}

/// The mean PSNR between a target and its last input frame, about 13.9 dB in the coursework; scikit-image
/// 0.26 gives 13.9134804 on these files.
#[test]
fn the_last_frame_is_as_far_from_the_next_as_specified() {
    let folder = ClipFolder::read(&committed("frames"), &ReadOptions::default()).unwrap();
    let windows = folder.val.windows(4).unwrap();
    let psnr = windows.iter().map(|window| {
        let (last, target) = (
            folder.val.frame(window.first + 3),
            folder.val.frame(window.first + 4),
        );
        let squares = last
            .iter()
            .zip(target)
            .map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2));
        let mse = squares.sum::<f64>() / 1024.0;
        10.0 * (255.0 * 255.0 / mse).log10()
    });
    let mean = psnr.sum::<f64>() / 256.0;
    assert!((mean - 13.913_480_4).abs() < 1e-6, "{mean}");
}

#[test]
fn any_folder_name_is_a_clip_and_frames_come_in_natural_order() {
    let tree = Tree::of([
        "train/walk/2.png",
        "train/walk/10.png",
        "train/run/1.png",
        "val/jump/1.png",
    ]);
    let folder = read(&tree).unwrap();
    assert_eq!(clip_names(&folder.train), ["run", "walk"]);
    let walk = &folder.train.clips[1];
    assert_eq!((walk.first, walk.frames), (1, 2));
    assert_eq!(
        walk.paths[1].to_str().unwrap().replace('\\', "/"),
        "train/walk/10.png"
    );
    assert_eq!(folder.origin, SplitOrigin::Folders);
}

#[test]
fn clips_without_splits_are_divided_by_clip() {
    let tree = Tree::of((0..10).flat_map(|i| frames(&format!("clip{i}"), 3)));
    let folder = read(&tree).unwrap();
    assert_eq!(
        folder.origin,
        SplitOrigin::Seeded {
            seed: 0,
            grouped: true
        }
    );
    let splits = Split::ALL.map(|split| clip_names(folder.split(split).unwrap()));
    assert_eq!(splits.each_ref().map(Vec::len), [6, 2, 2]);
    assert_eq!(
        splits.concat().into_iter().collect::<BTreeSet<_>>().len(),
        10
    );
}

#[test]
fn without_val_it_is_carved_out_of_train() {
    let mut paths: Vec<String> = (0..10)
        .flat_map(|i| frames(&format!("train/clip{i}"), 2))
        .collect();
    paths.extend(frames("test/clip0", 2));
    let folder = read(&Tree::of(paths)).unwrap();
    assert_eq!(
        folder.origin,
        SplitOrigin::ValFromTrain {
            seed: 0,
            grouped: true
        }
    );
    assert_eq!((folder.train.clips.len(), folder.val.clips.len()), (8, 2));
    assert_eq!(folder.test.unwrap().n_frames(), 2);
}

#[test]
fn errors_name_the_folder() {
    let tree = Tree::of([frames("clip0", 3), frames("clip1", 3)].concat());
    assert_eq!(
        sentence(&tree),
        "the clip list in DIR has too few clips: 2, expected at least 3 so that train, val and test each get one"
    );
    tree.folder("clip2");
    assert_eq!(sentence(&tree), "empty clip: no PNG images in DIR/clip2");

    let tree = Tree::of([frames("train/clip0", 3), frames("val/clip0", 3)].concat());
    tree.image("train/clip0/frame9.png", gray(4, 6), 0);
    assert_eq!(
        sentence(&tree),
        "mixed image sizes: DIR/train/clip0/frame0.png is 4×4 but DIR/train/clip0/frame9.png is 4×6 \
         (height×width), expected one size"
    );

    let tree = Tree::of(["train/1/clip00_frame00.png", "train/1/clip01_frame00.png"]);
    assert_eq!(
        sentence(&tree),
        "DIR holds classes of images (train/1/clip00_frame00.png), expected one folder a clip; \
         use `train classifier` for classes"
    );
    let tree = Tree::new();
    tree.file("readme", b"");
    assert_eq!(
        sentence(&tree),
        "no PNG images in DIR (1 other entry was ignored), \
         expected DIR/{train,val,test}/CLIP/*.png or DIR/CLIP/*.png"
    );
}
