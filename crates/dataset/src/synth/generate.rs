//! The data set in memory.

use rayon::prelude::*;

use super::render::render;
use super::simulator::{Ball, POOL, Recipe, SEQUENCES, StreamKind, TEST, start, step, stream};

pub(super) const CLASSES: [usize; 3] = [1, 2, 3];
pub(super) const POOL_CLIPS: usize = 8;
pub(super) const POOL_FRAMES: usize = 60;
pub(super) const VAL_PER_CLASS: usize = 80;
/// Test images of one, two and three balls, as in the coursework's report.
pub(super) const TEST_IMAGES: [usize; 3] = [65, 68, 67];
pub(super) const TRAIN_SEQUENCES: usize = 240;
pub(super) const VAL_SEQUENCES: usize = 16;
pub(super) const SEQUENCE_FRAMES: usize = 20;
pub(super) const SEQUENCE_BALLS: usize = 3;

/// One image of the data set.
#[derive(Clone, Debug)]
pub struct SynthImage {
    /// Its file, relative to the data folder, with `/` between the parts.
    pub path: String,
    /// 32×32 gray values, row by row.
    pub pixels: Vec<u8>,
    /// The balls that are drawn.
    pub balls: Vec<Ball>,
}

/// One split of the data set, in file order.
#[derive(Clone, Debug)]
pub struct SynthSplit {
    /// Its folder, relative to the data folder: `balls/train`, `frames/val`, …
    pub name: &'static str,
    /// Its images, by class or clip, then by name.
    pub images: Vec<SynthImage>,
}

/// Makes the whole data set: 1200, 240 and 200 images of one to three balls (`balls/train`, `balls/val`,
/// `balls/test`) and 4800 and 320 frames of clips (`frames/train`, `frames/val`).
///
/// The training and validation images of a class are one pool, 8 clips of 60 frames, in the order of
/// clip and frame; a Fisher–Yates shuffle on the stream (shuffle, class, 0), `i` from the last down to 1
/// and `j = below(i + 1)`, makes the first 80 validation and the rest training. A test image is the
/// first frame of a clip of its own.
pub fn generate(seed: u64) -> [SynthSplit; 5] {
    let (mut train, mut val, mut test) = (Vec::new(), Vec::new(), Vec::new());
    for (class, n_test) in CLASSES.into_iter().zip(TEST_IMAGES) {
        let (class_val, class_train) = pool(seed, class);
        val.extend(class_val);
        train.extend(class_train);
        for clip in 0..n_test {
            let mut rng = stream(seed, StreamKind::Test, class, clip);
            let balls = start(&mut rng, class, &TEST);
            let path = format!("balls/test/{class}/clip{clip:02}_frame00.png");
            test.push(image(path, &balls));
        }
    }
    let split = |name, images| SynthSplit { name, images };
    [
        split("balls/train", train),
        split("balls/val", val),
        split("balls/test", test),
        split(
            "frames/train",
            sequences(seed, StreamKind::SequenceTrain, "train", TRAIN_SEQUENCES),
        ),
        split(
            "frames/val",
            sequences(seed, StreamKind::SequenceVal, "val", VAL_SEQUENCES),
        ),
    ]
}

/// Validation and training images of one class.
fn pool(seed: u64, class: usize) -> (Vec<SynthImage>, Vec<SynthImage>) {
    let mut images: Vec<SynthImage> = (0..POOL_CLIPS)
        .into_par_iter()
        .flat_map(|clip| {
            let rng = &mut stream(seed, StreamKind::Pool, class, clip);
            let path = |frame| format!("{class}/clip{clip:02}_frame{frame:02}.png");
            film(start(rng, class, &POOL), &POOL, POOL_FRAMES, path)
        })
        .collect();
    let mut rng = stream(seed, StreamKind::Shuffle, class, 0);
    for i in (1..images.len()).rev() {
        let j = rng.below(i + 1);
        images.swap(i, j);
    }
    let train = images.split_off(VAL_PER_CLASS);
    let into_folder = |mut images: Vec<SynthImage>, folder: &str| {
        images.sort_by(|a, b| a.path.cmp(&b.path));
        for image in &mut images {
            image.path.insert_str(0, folder);
        }
        images
    };
    (
        into_folder(images, "balls/val/"),
        into_folder(train, "balls/train/"),
    )
}

fn sequences(seed: u64, kind: StreamKind, folder: &str, n: usize) -> Vec<SynthImage> {
    (0..n)
        .into_par_iter()
        .flat_map(|clip| {
            let rng = &mut stream(seed, kind, SEQUENCE_BALLS, clip);
            let path = |frame| format!("frames/{folder}/clip{clip:03}/frame_{frame:02}.png");
            let balls = start(rng, SEQUENCE_BALLS, &SEQUENCES);
            film(balls, &SEQUENCES, SEQUENCE_FRAMES, path)
        })
        .collect()
}

/// Frames from the start on.
fn film(
    mut balls: Vec<Ball>,
    recipe: &Recipe,
    n_frames: usize,
    path: impl Fn(usize) -> String,
) -> Vec<SynthImage> {
    (0..n_frames)
        .map(|frame| {
            let drawn = image(path(frame), &balls);
            step(&mut balls, recipe.collisions);
            drawn
        })
        .collect()
}

pub(super) fn image(path: String, balls: &[Ball]) -> SynthImage {
    SynthImage {
        path,
        pixels: render(balls),
        balls: balls.to_vec(),
    }
}
