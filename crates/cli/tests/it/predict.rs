//! Classes of images, next frames of a clip.

use juggle_dataset::{ColorMode, ImageShape, Limits, read_png};

use crate::sandbox::Sandbox;

#[test]
fn classes_and_probabilities_come_in_order() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    // Any kind of PNG is converted to the run's channels.
    sandbox.write_image(
        "colour.png",
        ImageShape {
            channels: 3,
            height: 8,
            width: 8,
        },
        vec![120; 192],
    );
    let arguments = "predict out bars/test/level/1.png colour.png";
    let predictions = sandbox.juggle(&format!("{arguments} --json")).json();
    let predictions = predictions.as_array().unwrap();
    assert_eq!(predictions.len(), 2);
    for (prediction, file) in predictions
        .iter()
        .zip(["bars/test/level/1.png", "colour.png"])
    {
        assert_eq!(prediction["file"], file);
        let probabilities = prediction["probabilities"].as_object().unwrap();
        assert_eq!(
            probabilities.keys().collect::<Vec<_>>(),
            ["level", "upright"]
        );
        let values: Vec<f64> = probabilities
            .values()
            .map(|p| p.as_f64().unwrap())
            .collect();
        assert!((values.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        let largest = if values[0] >= values[1] {
            "level"
        } else {
            "upright"
        };
        assert_eq!(prediction["class"], largest);
        assert_eq!(prediction["logits"].as_array().unwrap().len(), 2);
    }
    let text = sandbox.juggle(arguments).done();
    assert!(
        text.starts_with("file                   class    probability  p(level)  p(upright)\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 3);
}

#[test]
fn images_that_do_not_fit_are_named() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    sandbox.write_gray("large.png", 9, |_, _| 0);
    assert_eq!(
        sandbox
            .juggle("predict out bars/test/level/0.png large.png")
            .error(),
        "large.png is 9×9 pixels, but the run was trained on 8×8 (height×width)"
    );
    assert_eq!(
        sandbox.juggle("predict out bars").error(),
        "bars is a folder, expected PNG files"
    );
    let error = sandbox.juggle("predict out nowhere.png").error();
    assert!(error.contains("nowhere.png: No such file"), "{error}");
    sandbox.write("text.png", "hello, world");
    let error = sandbox.juggle("predict out text.png").error();
    assert!(error.contains("text.png is not a PNG"), "{error}");
    sandbox.truncate("large.png");
    let error = sandbox.juggle("predict out large.png").error();
    assert!(error.contains("large.png is truncated"), "{error}");
    sandbox.juggle("predict out").usage();
    assert_eq!(
        sandbox.juggle("predict out large.png --frames 2").usage(),
        "--frames, --out and --overwrite are for autoencoders"
    );
}

#[test]
fn the_next_frames_are_written_as_png() {
    let sandbox = Sandbox::with_clips();
    sandbox.train_clips("out");
    let frames: Vec<_> = (2..6)
        .map(|frame| format!("clips/val/clip0/frame_{frame:02}.png"))
        .collect();
    let text = sandbox
        .juggle(&format!("predict out {}", frames.join(" ")))
        .done();
    assert_eq!(text, "./prediction.png\n");
    let written = read_png(
        &sandbox.path("prediction.png"),
        ColorMode::Gray,
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(
        written.shape,
        ImageShape {
            channels: 1,
            height: 12,
            width: 12
        }
    );

    let rolled = sandbox
        .juggle("predict out clips/val/clip0 --frames 3 --out next --json")
        .json();
    assert_eq!(
        rolled,
        serde_json::json!([
            {"file": "next/prediction_01.png", "frame": 1},
            {"file": "next/prediction_02.png", "frame": 2},
            {"file": "next/prediction_03.png", "frame": 3},
        ])
    );
    assert_eq!(
        sandbox.bytes("prediction.png"),
        sandbox.bytes("next/prediction_01.png"),
        "the last four frames of the folder are the four files"
    );
}

#[test]
fn frames_in_a_folder_are_in_natural_order() {
    let sandbox = Sandbox::with_clips();
    sandbox.train_clips("out");
    for (i, name) in ["8", "9", "10", "11"].iter().enumerate() {
        std::fs::create_dir_all(sandbox.path("natural")).unwrap();
        let from = sandbox.path(&format!("clips/val/clip0/frame_{i:02}.png"));
        std::fs::copy(from, sandbox.path(&format!("natural/f{name}.png"))).unwrap();
    }
    let output = sandbox.juggle("predict out natural");
    assert!(
        output.stderr.contains(
            "oldest first: natural/f8.png natural/f9.png natural/f10.png natural/f11.png"
        ),
        "{}",
        output.stderr
    );
}

#[test]
fn wrong_numbers_of_frames_and_existing_files_are_refused() {
    let sandbox = Sandbox::with_clips();
    sandbox.train_clips("out");
    assert_eq!(
        sandbox
            .juggle("predict out clips/val/clip0/frame_00.png")
            .error(),
        "the run predicts from 4 frames, found 1: name 4 files, oldest first, or one folder"
    );
    sandbox.write_gray("short/0.png", 12, |_, _| 0);
    assert_eq!(
        sandbox.juggle("predict out short").error(),
        "short has 1 PNG frames, but the run needs 4"
    );
    sandbox.write("prediction.png", "mine");
    assert_eq!(
        sandbox.juggle("predict out clips/val/clip0").error(),
        "./prediction.png exists: choose another --out, or replace it with --overwrite"
    );
    assert_eq!(sandbox.read("prediction.png"), "mine");
    sandbox
        .juggle("predict out clips/val/clip0 --overwrite")
        .done();
    sandbox
        .juggle("predict out clips/val/clip0 --frames 0")
        .usage();
}
