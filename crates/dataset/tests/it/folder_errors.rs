//! Every way in which an image folder can be faulty, and the sentence that says so.

use juggle_dataset::{ImageFolder, Limits, ReadOptions, SplitOptions};

use crate::folder::{numbered, small};
use crate::tree::{Tree, gray};

/// The sentence of the error, with the temporary folder's path written `DIR`.
fn sentence(tree: &Tree, options: &ReadOptions) -> String {
    let error = ImageFolder::read(tree.path(), options).expect_err("this folder is faulty");
    error
        .to_string()
        .replace(tree.path().to_str().unwrap(), "DIR")
}

fn sentence_by_default(tree: &Tree) -> String {
    sentence(tree, &ReadOptions::default())
}

#[test]
fn errors_about_the_place() {
    let tree = Tree::new();
    let at = |path: &str| {
        let error = ImageFolder::read(&tree.join(path), &ReadOptions::default()).unwrap_err();
        error
            .to_string()
            .replace(tree.path().to_str().unwrap(), "DIR")
    };
    assert_eq!(at("nowhere"), "no such folder: DIR/nowhere");
    tree.file("file.png", b"");
    assert_eq!(at("file.png"), "DIR/file.png is a file, expected a folder");
    tree.file("text/a/notes.txt", b"").file("text/readme", b"");
    assert_eq!(
        at("text"),
        "no PNG images in DIR/text (2 other entries were ignored), \
         expected DIR/{train,val,test}/CLASS/*.png or DIR/CLASS/*.png"
    );
    tree.image("flat/1.png", gray(4, 4), 0)
        .image("flat/2.png", gray(4, 4), 0);
    assert_eq!(
        at("flat"),
        "DIR/flat holds 2 PNG images but no folders, \
         expected DIR/{train,val,test}/CLASS/*.png or DIR/CLASS/*.png"
    );
    tree.image("data/balls/train/1/1.png", gray(4, 4), 0);
    tree.image("data/frames/train/clip0/1.png", gray(4, 4), 0);
    assert_eq!(
        at("data"),
        "DIR/data holds no images itself but data folders, expected one of them: \
         DIR/data/balls or DIR/data/frames"
    );
    tree.image("clips/train/clip00/frame_00.png", gray(4, 4), 0);
    assert_eq!(
        at("clips"),
        "DIR/clips holds clips (train/clip00/frame_00.png), expected class folders; \
         use `train autoencoder` for clips"
    );
    tree.image("scenes/train/beach/frame1.png", gray(4, 4), 0);
    tree.image("scenes/train/forest/frame1.png", gray(4, 4), 0);
    assert!(at("scenes").contains("holds clips"));
}

#[test]
fn errors_about_splits_and_classes() {
    let tree = Tree::of(["val/a/1.png", "test/a/1.png"]);
    let expected = "DIR holds val and test but no train folder with folders in it, \
                    expected one beside val and test";
    assert_eq!(sentence_by_default(&tree), expected);

    let tree = Tree::of(small());
    tree.image("validation/a/1.png", gray(4, 4), 0);
    assert_eq!(
        sentence_by_default(&tree),
        "DIR holds both val and validation, expected one folder for the val split"
    );

    let tree = Tree::of(small());
    tree.image("val/c/1.png", gray(4, 4), 0);
    assert_eq!(
        sentence_by_default(&tree),
        "DIR/val has class c, which train lacks, expected only train's classes (a, b)"
    );

    let tree = Tree::of(small());
    tree.image("test/c/1.png", gray(4, 4), 0)
        .image("test/d/1.png", gray(4, 4), 0);
    assert_eq!(
        sentence_by_default(&tree),
        "DIR/test has classes c, d, which train lacks, expected only train's classes (a, b)"
    );

    let tree = Tree::of(["train/a/1.png", "train/b/1.png", "val/a/1.png"]);
    assert_eq!(
        sentence_by_default(&tree),
        "DIR/val lacks class b, expected the same classes as train (a, b)"
    );

    let tree = Tree::of(small());
    tree.folder("train/c");
    assert_eq!(
        sentence_by_default(&tree),
        "empty class: no PNG images in DIR/train/c"
    );
    tree.file("train/c/photo.jpg", b"");
    assert_eq!(
        sentence_by_default(&tree),
        "empty class: no PNG images in DIR/train/c (1 other entry was ignored)"
    );

    let tree = Tree::of(["train/a/1.png", "train/b/1.png"]);
    tree.folder("val/a");
    assert!(sentence_by_default(&tree).starts_with("no PNG images in DIR/val, expected"));
}

#[test]
fn errors_about_dividing() {
    let tree = Tree::of([numbered("a", 5), numbered("b", 2)].concat());
    assert_eq!(
        sentence_by_default(&tree),
        "class b in DIR has too few images: 2, expected at least 3 so that train, val and test each get one"
    );
    let tree = Tree::of((0..20).map(|i| format!("a/clip{}_frame{i}.png", i / 10)));
    assert_eq!(
        sentence_by_default(&tree),
        "class a in DIR has too few clips (the prefix of its file names): 2, \
         expected at least 3 so that train, val and test each get one"
    );
    let tree = Tree::of(["train/a/1.png", "train/b/1.png", "train/b/2.png"]);
    assert_eq!(
        sentence_by_default(&tree),
        "class a in DIR has too few images: 1, expected at least 2 so that train and val each get one"
    );

    let with = |val_fraction, test_fraction| {
        let split = SplitOptions {
            val_fraction,
            test_fraction,
            seed: 0,
        };
        sentence(
            &tree,
            &ReadOptions {
                split,
                ..ReadOptions::default()
            },
        )
    };
    assert_eq!(
        with(0.0, 0.1),
        "val fraction is 0, expected above 0 and below 1"
    );
    assert_eq!(
        with(f64::NAN, 0.1),
        "val fraction is NaN, expected above 0 and below 1"
    );
    assert_eq!(
        with(0.1, -0.1),
        "test fraction is -0.1, expected from 0 to below 1"
    );
    assert_eq!(
        with(0.5, 0.5),
        "the sum of val and test fraction is 1, expected below 1"
    );
}

#[test]
fn errors_about_files() {
    let tree = Tree::of(small());
    tree.file("val/b/2.png", b"not an image");
    assert_eq!(
        sentence_by_default(&tree),
        "DIR/val/b/2.png is not a PNG file: it starts with \"not an i\", expected the PNG signature"
    );
    let whole = std::fs::read(tree.join("val/b/1.png")).unwrap();
    tree.file("val/b/2.png", &whole[..whole.len() - 20]);
    assert_eq!(
        sentence_by_default(&tree),
        "DIR/val/b/2.png is truncated: the file ends before the image is complete"
    );

    let tree = Tree::of(small());
    tree.image("val/b/2.png", gray(5, 4), 0)
        .image("val/b/3.png", gray(6, 4), 0);
    assert_eq!(
        sentence_by_default(&tree),
        "mixed image sizes: DIR/train/a/1.png is 4×4 but DIR/val/b/2.png is 5×4 (height×width), \
         expected one size"
    );
    let options = ReadOptions {
        expected_size: Some((28, 28)),
        ..ReadOptions::default()
    };
    assert_eq!(
        sentence(&tree, &options),
        "DIR/train/a/1.png is 4×4 pixels, expected 28×28 (height×width)"
    );

    let tree = Tree::of(small());
    let limits = Limits {
        max_folder_bytes: 63,
        ..Limits::default()
    };
    assert_eq!(
        sentence(
            &tree,
            &ReadOptions {
                limits,
                ..ReadOptions::default()
            }
        ),
        "the images of DIR need 64 bytes of memory, expected at most 63"
    );
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_an_unreadable_file() {
    let tree = Tree::of(small());
    std::os::unix::fs::symlink("nowhere.png", tree.join("train/a/2.png")).unwrap();
    assert_eq!(sentence_by_default(&tree), "cannot open DIR/train/a/2.png");
}
