//! From a file to 8-bit planes.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use image::codecs::png::PngDecoder;
use image::{ColorType, ImageDecoder, ImageError};

use super::{ColorMode, ImageShape, Limits};
use crate::error::{Error, Result};

/// What the header of a file says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// The mode that loses no channel: gray for gray files (with or without alpha), else RGB.
    pub(crate) native: ColorMode,
}

impl Header {
    pub(crate) fn shape(&self, color: ColorMode) -> ImageShape {
        ImageShape {
            channels: color.channels(),
            height: self.height,
            width: self.width,
        }
    }
}

/// Reads and checks the header only.
pub(crate) fn probe(path: &Path, limits: &Limits) -> Result<Header> {
    open(path, limits).map(|(header, _)| header)
}

/// Decodes a file of known shape into a slice of `shape.len()` values.
pub(crate) fn decode_into(
    path: &Path,
    color: ColorMode,
    limits: &Limits,
    out: &mut [u8],
) -> Result<()> {
    let (header, decoder) = open(path, limits)?;
    if header.shape(color).len() != out.len() {
        // Only possible when the file changed since its header was probed.
        return Err(Error::Malformed {
            path: path.to_path_buf(),
            found: "the image changed its size while it was being read".to_owned(),
        });
    }
    decode(path, decoder, color, limits, out)
}

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a];

pub(super) fn open(path: &Path, limits: &Limits) -> Result<(Header, PngDecoder<BufReader<File>>)> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    check_start(path, &mut file, limits)?;
    file.seek(SeekFrom::Start(0))
        .map_err(Error::io("read", path))?;

    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.max_decoded_bytes);
    let decoder = PngDecoder::with_limits(BufReader::new(file), decoder_limits)
        .map_err(|error| decoding_error(path, error, limits))?;
    let needed = decoder.total_bytes();
    if needed > limits.max_decoded_bytes {
        return Err(Error::TooMuchMemory {
            path: path.to_path_buf(),
            needed,
            limit: limits.max_decoded_bytes,
        });
    }
    let (width, height) = decoder.dimensions();
    let side = |n: u32| usize::try_from(n).expect("pointers have at least 32 bits");
    let native = match decoder.color_type() {
        ColorType::L8 | ColorType::La8 | ColorType::L16 | ColorType::La16 => ColorMode::Gray,
        _ => ColorMode::Rgb,
    };
    let header = Header {
        width: side(width),
        height: side(height),
        native,
    };
    Ok((header, decoder))
}

/// Checks signature and dimensions before the decoder sees the file, because the decoder's own messages
/// do not tell a text file from a broken picture, and its size limits are not strict.
fn check_start(path: &Path, file: &mut File, limits: &Limits) -> Result<()> {
    let mut start = Vec::with_capacity(24);
    Read::take(file, 24)
        .read_to_end(&mut start)
        .map_err(Error::io("read", path))?;
    if start.is_empty() {
        return Err(Error::EmptyFile {
            path: path.to_path_buf(),
        });
    }
    let known = start.len().min(SIGNATURE.len());
    if start[..known] != SIGNATURE[..known] {
        return Err(Error::NotPng {
            path: path.to_path_buf(),
            found: describe(&start[..known]),
        });
    }
    // Signature (8 bytes), length and name of the first chunk (8), width (4), height (4).
    let Some((&[w0, w1, w2, w3], &[h0, h1, h2, h3])) = start
        .get(16..)
        .and_then(|rest| Some((rest.first_chunk()?, rest.last_chunk()?)))
        .filter(|_| start.len() == 24)
    else {
        return Err(Error::Truncated {
            path: path.to_path_buf(),
        });
    };
    let width = u32::from_be_bytes([w0, w1, w2, w3]);
    let height = u32::from_be_bytes([h0, h1, h2, h3]);
    if &start[12..16] == b"IHDR" && (width > limits.max_width || height > limits.max_height) {
        return Err(Error::TooLarge {
            path: path.to_path_buf(),
            width,
            height,
            max_width: limits.max_width,
            max_height: limits.max_height,
        });
    }
    Ok(())
}

pub(super) fn describe(bytes: &[u8]) -> String {
    let printable = |b: &u8| b.is_ascii_graphic() || *b == b' ';
    let text: Vec<u8> = bytes.iter().copied().take_while(printable).collect();
    if text.len() >= bytes.len().min(4) {
        return format!("{:?}", String::from_utf8_lossy(&text));
    }
    let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("bytes {}", hex.join(" "))
}

fn decoding_error(path: &Path, error: ImageError, limits: &Limits) -> Error {
    let path = path.to_path_buf();
    match error {
        ImageError::IoError(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::Truncated { path }
        }
        ImageError::IoError(source) => Error::Io {
            action: "read",
            path,
            source,
        },
        ImageError::Limits(_) => Error::TooMuchMemory {
            path,
            needed: limits.max_decoded_bytes.saturating_add(1),
            limit: limits.max_decoded_bytes,
        },
        other => {
            // The decoder wraps its reason; the innermost one is the one worth reading.
            let mut reason: &dyn std::error::Error = &other;
            while let Some(inner) = reason.source() {
                reason = inner;
            }
            Error::Malformed {
                path,
                found: plain_words(&reason.to_string()),
            }
        }
    }
}

/// The decoder names chunks as Rust structures (`ChunkType { type: IDAT, … }`); keeps the name alone.
fn plain_words(reason: &str) -> String {
    let parts = || {
        let (before, rest) = reason.split_once("ChunkType { type: ")?;
        let (name, rest) = rest.split_once(',')?;
        let (_, after) = rest.split_once(" }")?;
        Some(format!("{before}{name}{after}"))
    };
    let words = parts().unwrap_or_else(|| reason.to_owned());
    words.trim_end_matches('.').to_owned()
}

pub(super) fn decode(
    path: &Path,
    decoder: PngDecoder<BufReader<File>>,
    color: ColorMode,
    limits: &Limits,
    out: &mut [u8],
) -> Result<()> {
    let color_type = decoder.color_type();
    let total =
        usize::try_from(decoder.total_bytes()).expect("the limits keep an image addressable");
    let mut samples = vec![0; total];
    decoder
        .read_image(&mut samples)
        .map_err(|error| decoding_error(path, error, limits))?;
    let channels = usize::from(color_type.channel_count());
    if usize::from(color_type.bytes_per_pixel()) == 2 * channels {
        samples = samples
            .chunks_exact(2)
            .map(|b| u8_from_u16(u16::from_ne_bytes([b[0], b[1]])))
            .collect();
    }
    to_planar(&samples, channels, color, out);
    Ok(())
}

pub(super) fn u8_from_u16(v: u16) -> u8 {
    u8::try_from((u32::from(v) + 128) / 257).expect("65535 + 128 over 257 is 255")
}

pub(crate) fn luma(rgb: &[u8]) -> u8 {
    let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(u32::from);
    u8::try_from((19595 * r + 38470 * g + 7471 * b + 32768) >> 16)
        .expect("the weights sum to 65536, so the mean of bytes is a byte")
}

/// Turns interleaved samples with 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGBA) channels into planes.
fn to_planar(samples: &[u8], channels: usize, color: ColorMode, out: &mut [u8]) {
    let pixels = samples.chunks_exact(channels);
    match (color, channels) {
        (ColorMode::Gray, 1 | 2) => pixels.zip(out).for_each(|(pixel, out)| *out = pixel[0]),
        (ColorMode::Gray, _) => pixels.zip(out).for_each(|(pixel, out)| *out = luma(pixel)),
        (ColorMode::Rgb, _) => {
            let plane = samples.len() / channels;
            for (i, pixel) in pixels.enumerate() {
                for c in 0..3 {
                    out[c * plane + i] = if channels < 3 { pixel[0] } else { pixel[c] };
                }
            }
        }
    }
}
