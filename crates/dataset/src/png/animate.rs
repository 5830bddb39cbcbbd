//! Animated PNG files (APNG): what a viewer that knows them plays, and any other shows as the first frame.

use std::fs;
use std::path::Path;

use super::{Image, ImageShape, interleave};
use crate::error::{Error, Result};

/// A frame's delay counts in these, so that a delay is in milliseconds.
const TICKS_PER_SECOND: u16 = 1000;

/// Writes frames of one shape as an animated PNG that begins again at its end.
///
/// Each frame comes with the time it is shown for, in milliseconds. The pixels are kept as they are, 8-bit gray or RGB; the bytes
/// depend on the frames alone, as those of [`write_png`](super::write_png).
///
/// # Errors
///
/// [`Error::Io`] when the file cannot be written.
///
/// # Panics
///
/// When there is no frame, the frames differ in shape, one does not have `shape.len()` values, or `channels` is neither 1
/// nor 3.
///
/// ```
/// use juggle_dataset::{ColorMode, Image, ImageShape, Limits, read_png, write_animated_png};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("blink.png");
/// let shape = ImageShape { channels: 1, height: 1, width: 2 };
/// let (on, off) = (Image { shape, pixels: vec![255, 0] }, Image { shape, pixels: vec![0, 0] });
/// write_animated_png(&path, &[(on.clone(), 500), (off, 500)])?;
/// assert_eq!(read_png(&path, ColorMode::Gray, &Limits::default())?, on);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_animated_png(path: &Path, frames: &[(Image, u16)]) -> Result<()> {
    let bytes = encode(frames).expect("writing valid frames to memory cannot fail");
    fs::write(path, bytes).map_err(Error::io("write", path))
}

fn encode(frames: &[(Image, u16)]) -> Result<Vec<u8>, png::EncodingError> {
    let shape = frames.first().expect("an animation has a frame").0.shape;
    let side = |n: usize| u32::try_from(n).expect("a side of an image in memory fits 32 bits");
    let ImageShape {
        channels,
        height,
        width,
    } = shape;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side(width), side(height));
    encoder.set_color(match channels {
        1 => png::ColorType::Grayscale,
        _ => png::ColorType::Rgb,
    });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::NoFilter);
    // Zero plays are endless ones.
    encoder.set_animated(side(frames.len()), 0)?;
    let mut writer = encoder.write_header()?;
    for (frame, delay_ms) in frames {
        assert_eq!(frame.shape, shape, "the frames have one shape");
        writer.set_frame_delay(*delay_ms, TICKS_PER_SECOND)?;
        writer.write_image_data(&interleave(frame))?;
    }
    writer.finish()?;
    Ok(bytes)
}
