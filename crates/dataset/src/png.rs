//! Decoding and encoding PNG files.
//!
//! Every colour type of the format is read: gray, gray with alpha, RGB, RGBA and palette, in 1, 2, 4, 8
//! and 16 bits, interlaced or not. The result is always 8-bit, planar (channels × height × width), in
//! the channels the caller asks for:
//!
//! - 1-, 2- and 4-bit gray is scaled to 0–255 (by 255, 85 and 17); a palette is looked up.
//! - 16-bit samples become 8-bit by rounding, `(v + 128) / 257` in integers, which maps 65535 to 255.
//!   (Pillow cuts the low byte instead; rounding has half the error and keeps 8-bit data that was
//!   widened by ×257 unchanged.)
//! - RGB becomes gray by `(19595 R + 38470 G + 7471 B + 32768) >> 16`, ITU-R 601 luma as computed by
//!   Pillow's `convert("L")`. Sixteen-bit RGB is reduced to 8 bits first.
//! - Gray becomes RGB by repetition.
//! - Alpha is dropped, not blended, as Pillow's `convert("L")` and `convert("RGB")` do; the same holds
//!   for a transparent colour (`tRNS`).
//! - Gamma, ICC profiles and other metadata are ignored; of an animated PNG the default image is read.
//!
//! A file must be complete up to its end chunk; bytes after that (trailing garbage) are not looked at.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use serde::Serialize;

use crate::error::{Error, Result};

pub use animate::write_animated_png;
pub(crate) use decode::{Header, decode_into, luma, probe};
use decode::{decode, open};

mod animate;
mod decode;
#[cfg(test)]
mod tests;

/// Channels, height and width of an image. Pixels of this shape lie planar: channel by channel, row by
/// row (CHW).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ImageShape {
    /// 1 (gray) or 3 (RGB) for images read by this crate.
    pub channels: usize,
    /// Rows, pixels.
    pub height: usize,
    /// Columns, pixels.
    pub width: usize,
}

impl ImageShape {
    /// Number of values in one image: channels × height × width.
    ///
    /// ```
    /// let shape = juggle_dataset::ImageShape { channels: 3, height: 4, width: 5 };
    /// assert_eq!(shape.len(), 60);
    /// assert_eq!(shape.to_string(), "3×4×5");
    /// ```
    pub fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether one image holds no values at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}

/// The channels an image is decoded into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorMode {
    /// One channel: luma.
    Gray,
    /// Three channels: red, green, blue.
    Rgb,
}

impl ColorMode {
    /// 1 for gray, 3 for RGB.
    pub fn channels(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
        }
    }
}

impl fmt::Display for ColorMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gray => "gray",
            Self::Rgb => "rgb",
        })
    }
}

impl FromStr for ColorMode {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        match s {
            "gray" => Ok(Self::Gray),
            "rgb" => Ok(Self::Rgb),
            _ => Err(Error::UnknownColorMode {
                found: s.to_owned(),
            }),
        }
    }
}

/// What a file may ask of this machine. Width and height are checked on the header, before anything is
/// allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest width accepted, pixels. Default 8192.
    pub max_width: u32,
    /// Largest height accepted, pixels. Default 8192.
    pub max_height: u32,
    /// Most memory that decoding one file may take, bytes (the image in the file's own channels and
    /// bits). Default 256 MiB.
    pub max_decoded_bytes: u64,
    /// Most memory that all images of a folder together may take, bytes. Default 16 GiB.
    pub max_folder_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_width: 8192,
            max_height: 8192,
            max_decoded_bytes: 256 << 20,
            max_folder_bytes: 16 << 30,
        }
    }
}

/// One decoded image: 8-bit values, planar (CHW).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Channels, height and width.
    pub shape: ImageShape,
    /// `shape.len()` values from 0 to 255.
    pub pixels: Vec<u8>,
}

/// Decodes one PNG file into the channels asked for. See the [module](self) for the conversions.
///
/// # Errors
///
/// [`Error::Io`], [`Error::EmptyFile`], [`Error::NotPng`], [`Error::Truncated`], [`Error::Malformed`],
/// [`Error::TooLarge`] or [`Error::TooMuchMemory`], each naming the file.
///
/// ```
/// use juggle_dataset::{ColorMode, Image, ImageShape, Limits, read_png, write_png};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("dot.png");
/// let dot = Image { shape: ImageShape { channels: 1, height: 1, width: 2 }, pixels: vec![0, 255] };
/// write_png(&path, &dot)?;
/// assert_eq!(read_png(&path, ColorMode::Gray, &Limits::default())?, dot);
/// assert_eq!(read_png(&path, ColorMode::Rgb, &Limits::default())?.pixels, [0, 255, 0, 255, 0, 255]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_png(path: &Path, color: ColorMode, limits: &Limits) -> Result<Image> {
    let (header, decoder) = open(path, limits)?;
    let shape = header.shape(color);
    let mut pixels = vec![0; shape.len()];
    decode(path, decoder, color, limits, &mut pixels)?;
    Ok(Image { shape, pixels })
}

/// Writes an image as an 8-bit gray (one channel) or RGB (three channels) PNG file.
///
/// The bytes depend on the image alone: no metadata is written, and the compressor is the pure-Rust
/// `fdeflate`, whose output does not change with cargo features the way that of `flate2` does.
///
/// # Errors
///
/// [`Error::Io`] when the file cannot be written.
///
/// # Panics
///
/// When `image.pixels` does not have `image.shape.len()` values, or `channels` is neither 1 nor 3.
pub fn write_png(path: &Path, image: &Image) -> Result<()> {
    let bytes = encode_png(image);
    let mut file = File::create(path).map_err(Error::io("create", path))?;
    file.write_all(&bytes).map_err(Error::io("write", path))
}

/// The bytes that [`write_png`] writes.
///
/// # Panics
///
/// As [`write_png`].
///
/// ```
/// use juggle_dataset::{Image, ImageShape, encode_png};
///
/// let dot = Image { shape: ImageShape { channels: 1, height: 1, width: 1 }, pixels: vec![255] };
/// assert!(encode_png(&dot).starts_with(b"\x89PNG\r\n\x1a\n"));
/// ```
pub fn encode_png(image: &Image) -> Vec<u8> {
    let color = match image.shape.channels {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    let side = |n: usize| u32::try_from(n).expect("a side of an image in memory fits 32 bits");
    let (width, height) = (side(image.shape.width), side(image.shape.height));
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::NoFilter)
        .write_image(&interleave(image), width, height, color)
        .expect("writing a valid image to memory cannot fail");
    bytes
}

/// The pixels as a PNG file has them, channel beside channel.
fn interleave(image: &Image) -> Vec<u8> {
    assert_eq!(
        image.pixels.len(),
        image.shape.len(),
        "pixels fill the shape"
    );
    let plane = image.shape.height * image.shape.width;
    match image.shape.channels {
        1 => image.pixels.clone(),
        3 => {
            let (r, rest) = image.pixels.split_at(plane);
            let (g, b) = rest.split_at(plane);
            let rgb = r.iter().zip(g).zip(b).flat_map(|((&r, &g), &b)| [r, g, b]);
            rgb.collect()
        }
        n => panic!("an image has 1 or 3 channels, not {n}"),
    }
}
