//! Parsers of single values: each refuses what is out of range with a sentence that says the range.

use std::fmt;
use std::str::FromStr;

use juggle_dataset::synth::MAX_FRESH;
use juggle_dataset::{Augment, ColorMode};
use juggle_models::Device;

/// Height and width, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageSize {
    pub(crate) height: usize,
    pub(crate) width: usize,
}

/// Channels of each level of the autoencoder. A type of its own, because clap reads a plain `Vec` as
/// a flag that may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Widths(pub(crate) Vec<usize>);

/// The exponents of the scales of MS-SSIM, finest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights(pub(crate) Vec<f64>);

pub(crate) fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n >= 1 => Ok(n),
        _ => Err("expected a whole number, 1 or more".to_owned()),
    }
}

/// Every class gets an image.
pub(crate) fn parse_fresh(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if (3..=MAX_FRESH).contains(&n) => Ok(n),
        _ => Err(format!("expected a whole number from 3 to {MAX_FRESH}")),
    }
}

pub(crate) fn parse_classes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n >= 2 => Ok(n),
        _ => Err("expected a whole number, 2 or more".to_owned()),
    }
}

pub(crate) fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n <= 1024 => Ok(n),
        _ => Err("expected a whole number from 0 (all cores) to 1024".to_owned()),
    }
}

/// TOML integers are signed, so a seed must fit one to be written into a configuration.
pub(crate) fn parse_seed(text: &str) -> Result<u64, String> {
    text.parse::<i64>()
        .ok()
        .and_then(|seed| u64::try_from(seed).ok())
        .ok_or_else(|| "expected a whole number from 0 to 9223372036854775807".to_owned())
}

pub(crate) fn parse_digits(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(n) if n <= 15 => Ok(n),
        _ => Err("expected a whole number from 0 to 15".to_owned()),
    }
}

pub(crate) fn parse_positive(text: &str) -> Result<f64, String> {
    number(text, |x| x > 0.0, "expected a number above 0")
}

pub(crate) fn parse_non_negative(text: &str) -> Result<f64, String> {
    number(text, |x| x >= 0.0, "expected a number, 0 or more")
}

/// At least 0, below 1.
pub(crate) fn parse_fraction(text: &str) -> Result<f64, String> {
    number(
        text,
        |x| (0.0..1.0).contains(&x),
        "expected a number from 0 up to, but not including, 1",
    )
}

/// Above 0, below 1.
pub(crate) fn parse_inner_fraction(text: &str) -> Result<f64, String> {
    number(
        text,
        |x| x > 0.0 && x < 1.0,
        "expected a number between 0 and 1",
    )
}

/// Above 0, at most 1.
pub(crate) fn parse_factor(text: &str) -> Result<f64, String> {
    number(
        text,
        |x| x > 0.0 && x <= 1.0,
        "expected a number above 0, at most 1",
    )
}

pub(crate) fn parse_data_range(text: &str) -> Result<f64, String> {
    parse_positive(text)
}

pub(crate) fn parse_device(text: &str) -> Result<String, String> {
    known::<Device>(text)
}

pub(crate) fn parse_augment(text: &str) -> Result<String, String> {
    known::<Augment>(text)
}

pub(crate) fn parse_color_mode(text: &str) -> Result<ColorMode, String> {
    match text {
        "gray" => Ok(ColorMode::Gray),
        "rgb" => Ok(ColorMode::Rgb),
        _ => Err("expected gray or rgb".to_owned()),
    }
}

pub(crate) fn parse_widths(text: &str) -> Result<Widths, String> {
    text.split(',')
        .map(|width| parse_count(width.trim()))
        .collect::<Result<_, _>>()
        .map(Widths)
        .map_err(|_| {
            "expected whole numbers, 1 or more, with commas between, like 16,32,64".to_owned()
        })
}

pub(crate) fn parse_weights(text: &str) -> Result<Weights, String> {
    text.split(',')
        .map(|weight| weight.trim().parse())
        .collect::<Result<_, _>>()
        .map(Weights)
        .map_err(|_| "expected numbers with commas between, like 0.5,0.5".to_owned())
}

pub(crate) fn parse_image_size(text: &str) -> Result<ImageSize, String> {
    let sentence = || "expected height x width in pixels, like 32x32".to_owned();
    let (height, width) = text.split_once(['x', '×']).ok_or_else(sentence)?;
    let (Ok(height), Ok(width)) = (parse_count(height), parse_count(width)) else {
        return Err(sentence());
    };
    Ok(ImageSize { height, width })
}

fn number(text: &str, within: impl Fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() && within(x) => Ok(x),
        _ => Err(expected.to_owned()),
    }
}

/// The text itself, when a leaf crate can read it: the configuration keeps such values as text.
fn known<T: FromStr<Err: fmt::Display>>(text: &str) -> Result<String, String> {
    text.parse::<T>()
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}
