//! The corpus of PNG files: right pixels from the valid ones, right sentences for the broken ones.

use std::fs;
use std::path::{Path, PathBuf};

use juggle_dataset::{
    ColorMode, Error, Image, ImageShape, Limits, read_png, write_animated_png, write_png,
};
use proptest::prelude::*;
use serde_json::Value;

fn corpus(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(file)
}

fn expected(kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(corpus("expected.json")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    match document[kind].take() {
        Value::Array(entries) => entries,
        other => panic!("{kind} is {other}"),
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The name of an error's variant.
fn variant(error: &Error) -> String {
    let debug = format!("{error:?}");
    debug.split([' ', '{']).next().unwrap().to_owned()
}

#[test]
fn every_colour_type_bit_depth_and_interlace_decodes_to_the_expected_values() {
    let entries = expected("valid");
    assert_eq!(entries.len(), 2 * 15 + 6);
    for entry in entries {
        let file = entry["file"].as_str().unwrap();
        for (color, key) in [(ColorMode::Gray, "gray"), (ColorMode::Rgb, "rgb")] {
            let image = read_png(&corpus(file), color, &Limits::default()).unwrap();
            let side = |key: &str| usize::try_from(entry[key].as_u64().unwrap()).unwrap();
            let shape = ImageShape {
                channels: color.channels(),
                height: side("height"),
                width: side("width"),
            };
            assert_eq!(image.shape, shape, "{file}");
            assert_eq!(image.pixels, bytes(&entry[key]), "{file} as {color}");
        }
    }
}

#[test]
fn broken_files_are_refused_in_one_sentence_that_names_them() {
    for entry in expected("malformed") {
        let file = entry["file"].as_str().unwrap();
        let path = corpus(file);
        let result = read_png(&path, ColorMode::Gray, &Limits::default());
        let error = match (result, entry["error"].as_str().unwrap()) {
            (Ok(_), "") => continue,
            (Ok(_), expected) => panic!("{file} was read, expected {expected}"),
            (Err(error), _) => error,
        };
        let sentence = error.to_string();
        assert_eq!(variant(&error), entry["error"], "{file}: {sentence}");
        assert!(sentence.starts_with(path.to_str().unwrap()), "{sentence}");
        assert!(
            sentence.contains(entry["message"].as_str().unwrap()),
            "{sentence}"
        );
        assert!(
            !sentence.ends_with('.') && !sentence.contains('\n'),
            "{sentence}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_an_io_error_with_its_reason() {
    let path = corpus("no such file.png");
    let error = read_png(&path, ColorMode::Gray, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot open {}", path.display()));
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        source.contains("No such file") || source.contains("cannot find"),
        "{source}"
    );
}

#[test]
fn limits_are_strict() {
    let read = |limits: Limits| read_png(&corpus("rgb_16.png"), ColorMode::Rgb, &limits);
    let exact = Limits {
        max_width: 9,
        max_height: 7,
        ..Limits::default()
    };
    assert!(read(exact).is_ok());
    let narrow = Limits {
        max_width: 8,
        ..exact
    };
    let sentence = read(narrow).unwrap_err().to_string();
    assert!(
        sentence.ends_with("is 9×7 pixels, expected at most 8×7 (width×height)"),
        "{sentence}"
    );
    let low = Limits {
        max_height: 6,
        ..exact
    };
    assert!(matches!(read(low), Err(Error::TooLarge { .. })));
    let small = Limits {
        max_decoded_bytes: 9 * 7 * 6 - 1,
        ..exact
    };
    assert!(matches!(read(small), Err(Error::TooMuchMemory { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back(
        channels in prop::sample::select(vec![1_usize, 3]),
        height in 1_usize..20,
        width in 1_usize..20,
        seed in any::<u64>(),
    ) {
        let shape = ImageShape { channels, height, width };
        let mut rng = juggle_dataset::synth::SplitMix64::new(seed);
        let pixels = (0..shape.len()).map(|_| u8::try_from(rng.below(256)).unwrap()).collect();
        let image = Image { shape, pixels };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image.png");
        write_png(&path, &image).unwrap();
        let color = if channels == 1 { ColorMode::Gray } else { ColorMode::Rgb };
        prop_assert_eq!(read_png(&path, color, &Limits::default()).unwrap(), image);
    }

    /// Whatever bytes come in, reading ends in an image or an error, never in a panic.
    #[test]
    fn damaged_files_never_panic(file in 0_usize..36, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let entries = expected("valid");
        let mut bytes = fs::read(corpus(entries[file].get("file").unwrap().as_str().unwrap())).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("damaged.png");
        fs::write(&path, bytes).unwrap();
        let limits = Limits { max_width: 64, max_height: 64, ..Limits::default() };
        let _ = read_png(&path, ColorMode::Rgb, &limits);
    }
}

#[test]
fn an_animation_holds_every_frame_and_its_delay() {
    let folder = tempfile::tempdir().unwrap();
    for channels in [1, 3] {
        let shape = ImageShape {
            channels,
            height: 3,
            width: 5,
        };
        let frames: Vec<_> = (0..4_u8)
            .map(|frame| {
                let n = u8::try_from(shape.len()).unwrap();
                let pixels = (0..n).map(|i| i * 5 + frame).collect();
                (Image { shape, pixels }, 100 + u16::from(frame))
            })
            .collect();
        let path = folder.path().join("animation.png");
        write_animated_png(&path, &frames).unwrap();

        let file = std::io::BufReader::new(fs::File::open(&path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let control = *reader.info().animation_control().unwrap();
        assert_eq!((control.num_frames, control.num_plays), (4, 0));
        for (frame, delay_ms) in &frames {
            let mut pixels = vec![0; shape.len()];
            reader.next_frame(&mut pixels).unwrap();
            let control = reader.info().frame_control().unwrap();
            assert_eq!((control.delay_num, control.delay_den), (*delay_ms, 1000));
            // The file has channel beside channel, an image channel after channel.
            for (i, &pixel) in pixels.iter().enumerate() {
                let planar = i % channels * 15 + i / channels;
                assert_eq!(pixel, frame.pixels[planar]);
            }
        }
    }
}
