//! The README of the data set; every number in it is computed or a constant of the generator.

use std::fmt::Write;

use super::DEFAULT_SEED;
use super::generate::{
    POOL_CLIPS, POOL_FRAMES, SEQUENCE_BALLS, SEQUENCE_FRAMES, TRAIN_SEQUENCES, VAL_PER_CLASS,
    VAL_SEQUENCES,
};
use super::simulator::{Collisions, POOL, Recipe, SEQUENCES, TEST};
use super::write::{SplitSummary, Spread};

/// The text of `README.md`.
pub(super) fn datasheet(seed: u64, splits: &[SplitSummary]) -> String {
    [
        origin(seed),
        layout(splits),
        generation(),
        statistics(splits),
        biases(splits),
        maintenance(seed, splits),
    ]
    .join("\n")
}

fn origin(seed: u64) -> String {
    let calibrated = if seed == DEFAULT_SEED {
        "the seed it was calibrated with".to_owned()
    } else {
        format!("while it was calibrated with seed {DEFAULT_SEED}")
    };
    format!(
        "\
# Balls and frames: a stand-in data set

## What this is, and what it is not

Small gray pictures of one, two or three balls, for two tasks: counting the balls in a picture, and
predicting the next frame of a clip.

**These are not the original images.** They stand in for the pictures of a published coursework, which are
lost. Its report says of them: 32×32 pixels, one channel, one to three balls; 200 test images (65, 68 and
67 of one, two and three balls); a validation set as easy as the training set and a harder test set; and
frames whose predecessor is about 13.9 dB (PSNR) and 0.67 (SSIM) away. A generator was written and its
settings were *chosen* among some 130, so that the networks and recipes of the coursework show the effects
that it published. Reproducing those effects on this data is therefore a calibration and no independent
evidence. Nothing here says anything about photographs.

All images come from a simulator (the module `synth` of the crate `juggle-dataset`), seed {seed}, {calibrated}.
No people, no personal data, no third-party material.

Licence: MIT OR Apache-2.0, at your choice, as the rest of the project.
"
    )
}

fn layout(splits: &[SplitSummary]) -> String {
    let mut text = "\
## Layout and counts

```text
balls/{train,val,test}/{1,2,3}/clipNN_frameMM.png    the folder is the number of balls
frames/{train,val}/clipNNN/frame_NN.png              consecutive frames of a clip
SHA256SUMS                                           for `sha256sum -c SHA256SUMS`, run in this folder
```

Every image is a 32×32 PNG file, 8-bit gray, background 0.

| split | images | 1 ball | 2 balls | 3 balls |
|---|---:|---:|---:|---:|
"
    .to_owned();
    for split in splits {
        let [one, two, three] = split.images_by_balls;
        let line = format!(
            "| {} | {} | {one} | {two} | {three} |\n",
            split.name, split.images
        );
        text.push_str(&line);
    }
    let windows = |clips: usize, inputs: usize| clips * (SEQUENCE_FRAMES - inputs);
    text.push_str(&format!(
        "
`frames` holds {TRAIN_SEQUENCES} training and {VAL_SEQUENCES} validation clips of {SEQUENCE_FRAMES} frames, \
{SEQUENCE_BALLS} balls each. With 4 input frames and one
target that makes {} training and {} validation windows.
",
        windows(TRAIN_SEQUENCES, 4),
        windows(VAL_SEQUENCES, 4),
    ));
    text
}

fn generation() -> String {
    let mut text = "\
## How it was made

Balls start at random places, move in straight lines and bounce off the walls of a 32×32 box. A pixel is
the brightest ball's brightness times the share of the pixel that it covers (a linear ramp one pixel wide).
There is no noise, no blur and no shading.

| | balls/train, balls/val | balls/test | frames |
|---|---|---|---|
"
    .to_owned();
    for (name, pool, test, sequences) in recipe_rows() {
        text.push_str(&format!("| {name} | {pool} | {test} | {sequences} |\n"));
    }
    text.push_str(&format!(
        "
Ranges are uniform. Of the {} frames of a class, {VAL_PER_CLASS} drawn at random are `balls/val`, the other {} \
`balls/train`.
",
        POOL_CLIPS * POOL_FRAMES,
        POOL_CLIPS * POOL_FRAMES - VAL_PER_CLASS,
    ));
    text
}

fn statistics(splits: &[SplitSummary]) -> String {
    let mut text = "\
## Statistics

Pixels scaled to 0–1, mean and standard deviation over all pixels of a split; radius and brightness over
the balls of all its images (least, mean, largest); overlap is the share of images in which two balls
overlap.

| split | pixel mean | pixel std | radius, px | brightness | overlap |
|---|---:|---:|---|---|---:|
"
    .to_owned();
    for split in splits {
        let images = u32::try_from(split.images).expect("a few thousand images");
        let overlapping = u32::try_from(split.overlapping).expect("a part of the images");
        text.push_str(&format!(
            "| {} | {:.4} | {:.4} | {} | {} | {:.1} % |\n",
            split.name,
            split.pixel_mean,
            split.pixel_std,
            three(&split.radius),
            three(&split.brightness),
            100.0 * f64::from(overlapping) / f64::from(images),
        ));
    }
    text
}

fn biases(splits: &[SplitSummary]) -> String {
    let mean_radius = |name: &str| {
        let split = splits.iter().find(|split| split.name == name);
        split.map_or(f64::NAN, |split| split.radius.mean)
    };
    format!(
        "\
## Known biases

- **Validation leaks from training.** `balls/train` and `balls/val` are frames of the same {POOL_CLIPS} clips a \
class: the
  same balls, with the same sizes and brightnesses, often one frame apart. Validation accuracy is near 1 for
  almost any model and says nothing about new clips. This is on purpose: the coursework's validation set
  behaves the same way. Split by clip (the `clipNN` prefix) for an honest estimate.
- **Few clips.** {POOL_CLIPS} clips a class means {POOL_CLIPS}, {} and {} different balls in classes 1, 2 and 3.
- **The test set is from another distribution.** Its balls are smaller (mean radius {:.2} px against \
{:.2} px in
  training) and may overlap a little at the start, which training clips cannot at theirs.
  Clip numbers start anew in every split: `clip00` of `balls/test` and of `frames/val` are clips of their own.
  Only `balls/train` and `balls/val` share clips.
- **Brightness gives the count away.** More balls are more bright pixels, so the mean of an image alone tells
  much about its class.
- **Classes are almost balanced**, more so than in real data; there are no empty images.
- `frames`: all balls have one radius and pass through each other; motion is linear but for the walls, so four
  frames all but determine the fifth. Training and validation clips are drawn from the same distribution.
",
        2 * POOL_CLIPS,
        3 * POOL_CLIPS,
        mean_radius("balls/test"),
        mean_radius("balls/train"),
    )
}

fn maintenance(seed: u64, splits: &[SplitSummary]) -> String {
    let mut text = format!(
        "\
## How to regenerate and check

```sh
# Write this folder again, byte for byte:
juggle data synth --out DIR --seed {seed}
# Show counts, balance, and the leak described above:
juggle data inspect DIR/balls
# Check the files, in this folder:
sha256sum -c SHA256SUMS
```

The pixels follow from the seed alone, on every machine: only IEEE double-precision `+ − × ÷ √`, comparisons
and `floor` are used. The PNG bytes follow from the pixels and from the version of the compressor that
`Cargo.lock` names. SHA-256 over the raw pixels of a split, in file order:

```text
"
    );
    for split in splits {
        writeln!(text, "{}  {}", split.pixel_sha256, split.name)
            .expect("writing to a string cannot fail");
    }
    text.push_str("```\n");
    text
}

/// The name of a setting, and its value for the pool, the test images and the sequences.
fn recipe_rows() -> [(&'static str, String, String, String); 6] {
    [
        (
            "clips",
            format!("{POOL_CLIPS} a class × {POOL_FRAMES} frames"),
            "one an image, its first frame".to_owned(),
            format!("{TRAIN_SEQUENCES} + {VAL_SEQUENCES} × {SEQUENCE_FRAMES} frames"),
        ),
        (
            "radius of a ball, px",
            range(POOL.radius),
            range(TEST.radius),
            range(SEQUENCES.radius),
        ),
        (
            "brightness of a ball",
            range(POOL.brightness),
            range(TEST.brightness),
            range(SEQUENCES.brightness),
        ),
        (
            "least distance at the start, in sums of radii",
            POOL.gap.to_string(),
            TEST.gap.to_string(),
            SEQUENCES.gap.to_string(),
        ),
        (
            "speed, px a frame",
            range(POOL.speed),
            "not visible".to_owned(),
            range(SEQUENCES.speed),
        ),
        (
            "balls meet",
            meeting(&POOL),
            "not visible".to_owned(),
            meeting(&SEQUENCES),
        ),
    ]
}

fn range((lo, hi): (f64, f64)) -> String {
    if lo < hi {
        format!("{lo:.2} to {hi:.2}")
    } else {
        format!("{lo:.2}")
    }
}

fn meeting(recipe: &Recipe) -> String {
    match recipe.collisions {
        Collisions::Bounce => "bounce off each other",
        Collisions::PassThrough => "pass through each other",
    }
    .to_owned()
}

fn three(spread: &Spread) -> String {
    format!("{:.2}, {:.2}, {:.2}", spread.min, spread.mean, spread.max)
}
