//! Classes of images, next frames of a clip.

use std::fs::File;
use std::io::BufReader;

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
        text.starts_with("class    probability  p(level)  p(upright)  file\n"),
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
        "--steps and --start are for autoencoders"
    );
    assert_eq!(
        sandbox.juggle("predict out large.png --out x").usage(),
        "a classifier writes pictures with --explain alone: --out and --overwrite need it"
    );
    let output = sandbox.juggle("predict out large.png --patch 2");
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("--explain"), "{}", output.stderr);
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
    assert_eq!(text, "./prediction.png\n./animation.png\n./strip.png\n");
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
        .juggle("predict out clips/val/clip0 --steps 3 --out next --json")
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
    assert!(!sandbox.exists("strip.png"), "nothing was begun");
    sandbox
        .juggle("predict out clips/val/clip0 --overwrite")
        .done();
    sandbox
        .juggle("predict out clips/val/clip0 --frames 0")
        .usage();
}

#[test]
fn frames_after_the_inputs_are_the_truth() {
    let sandbox = Sandbox::with_clips();
    sandbox.train_clips("out");
    // Six frames: from the first on, two are left for three steps.
    let arguments = "predict out clips/val/clip0 --start 1 --steps 3 --overwrite --out next";
    let frames = sandbox.juggle(&format!("{arguments} --json")).json();
    let frames = frames.as_array().unwrap();
    assert_eq!(frames.len(), 3);
    for frame in &frames[..2] {
        assert!(frame["psnr_db"].as_f64().unwrap() > 0.0, "{frame}");
        assert!(frame["ssim"].as_f64().unwrap() <= 1.0, "{frame}");
    }
    assert!(frames[2].get("psnr_db").is_none(), "no truth, no score");
    let text = sandbox.juggle(arguments).done();
    assert!(text.starts_with("frame  PSNR dB    SSIM  file\n"), "{text}");
    assert!(text.contains("    3        –       –  next/prediction_03.png\n"));

    let shape = |name: &str| {
        let path = sandbox.path(name);
        let image = read_png(&path, ColorMode::Gray, &Limits::default()).unwrap();
        (image.shape.height, image.shape.width)
    };
    // Frames of 12×12 are shown 10 times as large: three rows, four inputs and three steps.
    assert_eq!(shape("next/strip.png"), (3 * 124 + 4, 7 * 124 + 16));
    // Truth and prediction side by side, each with its border.
    assert_eq!(shape("next/animation.png"), (128, 2 * 128));
    let file = BufReader::new(File::open(sandbox.path("next/animation.png")).unwrap());
    let reader = png::Decoder::new(file).read_info().unwrap();
    assert_eq!(reader.info().animation_control().unwrap().num_frames, 4 + 3);

    sandbox
        .juggle("predict out clips/val/clip0 --out alone")
        .done();
    assert_eq!(shape("alone/strip.png"), (124 + 4, 5 * 124 + 16));
    assert_eq!(shape("alone/animation.png"), (128, 128));

    assert_eq!(
        sandbox
            .juggle("predict out clips/val/clip0 --start 4")
            .error(),
        "clips/val/clip0 has 6 PNG frames, and the run needs 4: --start is 4, expected 1 to 3"
    );
    assert_eq!(
        sandbox
            .juggle("predict out clips/val/clip0/frame_00.png --start 1")
            .usage(),
        "--start counts the frames of a folder: name one folder"
    );
    assert_eq!(
        sandbox
            .juggle("predict out clips/val/clip0 --explain")
            .usage(),
        "--explain is for classifiers"
    );
}

#[test]
fn a_class_is_explained_by_what_hides_it() {
    let sandbox = Sandbox::with_bars();
    sandbox
        .juggle("train classifier --data bars --run out --epochs 12 --lr 0.01 --threads 1")
        .done();
    let arguments =
        "predict out bars/test/level/1.png bars/test/upright/1.png --explain --out maps";
    let text = sandbox.juggle(arguments).done();
    assert!(text.contains("\nmaps/1.occlusion.png: "), "{text}");
    assert!(text.contains("\nmaps/1-2.occlusion.png: "), "{text}");
    assert_eq!(
        sandbox.juggle(arguments).error(),
        "maps/1.occlusion.png exists: choose another --out, or replace it with --overwrite"
    );
    let again = format!("{arguments} --overwrite --json");
    let first = sandbox.juggle(&again).json();
    let picture = sandbox.bytes("maps/1.occlusion.png");
    assert_eq!(
        sandbox.juggle(&format!("{again} --threads 1")).json(),
        first
    );
    assert_eq!(sandbox.bytes("maps/1.occlusion.png"), picture);

    let prediction = &first[0];
    let map = &prediction["occlusion"];
    assert_eq!(map["class"], prediction["class"]);
    // Images of 8×8: a patch of one pixel at every place, in the value of most of the image.
    assert_eq!((&map["patch"], &map["stride"]), (&1.into(), &1.into()));
    assert!((map["fill"][0].as_f64().unwrap() - 20.0 / 255.0).abs() < 1e-6);
    let drop = |y: usize, x: usize| map["drop"][y][x].as_f64().unwrap();
    assert_eq!(map["drop"].as_array().unwrap().len(), 8);
    // Hiding background with background changes nothing.
    assert_eq!(drop(5, 3), 0.0);
    assert!((0..8).any(|x| drop(1, x) != 0.0), "the bar is in row 1");

    let other = if prediction["class"] == "level" {
        "upright"
    } else {
        "level"
    };
    let arguments = "predict out bars/test/level/1.png --explain --out other --json";
    let explained = sandbox
        .juggle(&format!(
            "{arguments} --class {other} --patch 3 --stride 2 --fill gray"
        ))
        .json();
    let map = &explained[0]["occlusion"];
    assert_eq!(map["class"], other);
    assert_eq!(map["tops"], serde_json::json!([0, 2, 4, 5]));
    assert_eq!(map["fill"], serde_json::json!([0.5]));
    assert_eq!(
        sandbox
            .juggle(&format!("{arguments} --class leval"))
            .error(),
        "the run has no class `leval`, its classes are level, upright: did you mean `level`?"
    );
    assert_eq!(
        sandbox
            .juggle(&format!("{arguments} --class level --patch 9 --overwrite"))
            .error(),
        "the patch's side is 9, expected 1 to 8, the image's shorter side"
    );
}

#[test]
fn a_table_of_many_classes_fits_a_terminal() {
    let sandbox = Sandbox::new();
    for class in 0..12 {
        let name = format!("many/class-{class:02}");
        sandbox.write_gray(&format!("{name}/0.png"), 8, |y, x| {
            if (y + x) % 12 == class { 255 } else { 0 }
        });
        for i in 1..4 {
            sandbox.write_gray(&format!("{name}/{i}.png"), 8, |y, x| {
                if (y + x + i) % 12 == class { 200 } else { 0 }
            });
        }
    }
    sandbox
        .juggle("train classifier --data many --run out --epochs 1 --threads 1")
        .done();
    let text = sandbox
        .juggle("predict out many/class-03/0.png many/class-11/2.png")
        .done();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("class     probability  next      probability  file")
    );
    assert!(lines.all(|line| line.chars().count() <= 80), "{text}");
}
