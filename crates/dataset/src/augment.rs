//! Random transforms of training images.
//!
//! A list like `hflip,vflip,shift=2` names what may happen to an image; what does happen is drawn from a
//! stream keyed by (seed, epoch, index). All draws are made in one fixed order whether or not a
//! transform is on, so that switching one on leaves the others as they were.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::png::ImageShape;
use crate::stream::{Purpose, Stream};

#[cfg(test)]
mod tests;

/// The transforms that may be applied, in this order. The default is none.
///
/// Written as a list: `hflip`, `vflip`, `transpose`, `shift=N`, `gain=X`, `zoom=X` and `compose=P`, separated by
/// commas, or `none`.
///
/// ```
/// use juggle_dataset::Augment;
///
/// let augment: Augment = "vflip, hflip,shift=2".parse()?;
/// assert_eq!(augment.to_string(), "hflip,vflip,shift=2");
/// assert_eq!(Augment::default().to_string(), "none");
/// # Ok::<(), juggle_dataset::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    /// Rows and columns change places for half of the images (square images only).
    pub transpose: bool,
    /// Left and right change places for half of the images.
    pub horizontal_flip: bool,
    /// Top and bottom change places for half of the images.
    pub vertical_flip: bool,
    /// The image moves by a whole number of pixels, uniform from `-shift` to `shift` in each direction;
    /// what comes into view is 0.
    pub shift: usize,
    /// Values are multiplied by a factor uniform from `1 - gain` to `1 + gain` and then clamped to [0, 1].
    /// From 0 to below 1.
    pub gain: f32,
    /// The image is scaled about its centre by a factor uniform from `1 - zoom` to `1 + zoom`, bilinearly; what comes into
    /// view is 0. From 0 to below 1.
    pub zoom: f32,
    /// For classes that are counts: the probability that an image of class `k` gives way to `k` images of class `1`, each
    /// transformed on its own and laid over one another, the brighter value winning. From 0 to 1. Labelled images only.
    pub compose: f32,
}

const EXPECTED: &str = "hflip, vflip, transpose, shift=N (whole pixels), gain=X (0 < X < 1), zoom=X (0 < X < 1), \
     compose=P (0 < P <= 1), or none";

impl Augment {
    /// Whether nothing is ever changed.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that images of this shape can be transformed.
    ///
    /// # Errors
    ///
    /// [`Error::TransposeNeedsSquare`] for a rectangle; [`Error::ShiftTooLarge`] when a shift could
    /// move the whole image out of view.
    pub fn check(&self, shape: ImageShape) -> Result<()> {
        let ImageShape { height, width, .. } = shape;
        if self.transpose && height != width {
            return Err(Error::TransposeNeedsSquare { height, width });
        }
        if self.shift > 0 && self.shift >= height.min(width) {
            return Err(Error::ShiftTooLarge {
                shift: self.shift,
                height,
                width,
            });
        }
        Ok(())
    }
}

impl FromStr for Augment {
    type Err = Error;

    fn from_str(list: &str) -> Result<Self> {
        let mut augment = Self::default();
        if matches!(list.trim(), "" | "none") {
            return Ok(augment);
        }
        for item in list.split(',').map(str::trim) {
            let unknown = || Error::AugmentSyntax {
                found: item.to_owned(),
                expected: EXPECTED,
            };
            match item.split_once('=') {
                None => match item {
                    "hflip" => augment.horizontal_flip = true,
                    "vflip" => augment.vertical_flip = true,
                    "transpose" => augment.transpose = true,
                    _ => return Err(unknown()),
                },
                Some(("shift", n)) => augment.shift = n.parse().map_err(|_| unknown())?,
                Some(("gain", x)) => {
                    let gain = x.parse().ok().filter(|x| (0.0..1.0).contains(x));
                    augment.gain = gain.ok_or_else(unknown)?;
                }
                Some(("zoom", x)) => {
                    let zoom = x.parse().ok().filter(|x| (0.0..1.0).contains(x));
                    augment.zoom = zoom.ok_or_else(unknown)?;
                }
                Some(("compose", p)) => {
                    let compose = p.parse().ok().filter(|p| (0.0..=1.0).contains(p));
                    augment.compose = compose.ok_or_else(unknown)?;
                }
                Some(_) => return Err(unknown()),
            }
        }
        Ok(augment)
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items = Vec::new();
        let flags = [
            (self.horizontal_flip, "hflip"),
            (self.vertical_flip, "vflip"),
            (self.transpose, "transpose"),
        ];
        items.extend(
            flags
                .iter()
                .filter(|(on, _)| *on)
                .map(|(_, name)| (*name).to_owned()),
        );
        if self.shift > 0 {
            items.push(format!("shift={}", self.shift));
        }
        for (value, name) in [
            (self.gain, "gain"),
            (self.zoom, "zoom"),
            (self.compose, "compose"),
        ] {
            if value > 0.0 {
                items.push(format!("{name}={value}"));
            }
        }
        if items.is_empty() {
            items.push("none".to_owned());
        }
        f.write_str(&items.join(","))
    }
}

/// One drawn transform.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Transform {
    transpose: bool,
    horizontal_flip: bool,
    vertical_flip: bool,
    /// Pixels to the right and down.
    dx: isize,
    dy: isize,
    gain: f32,
    zoom: f32,
}

impl Transform {
    /// The transform of one sample.
    pub(crate) fn draw(augment: &Augment, seed: u64, epoch: u64, index: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Augment, epoch, index);
        Self::draw_from(&mut stream, augment)
    }

    /// The next transform of a stream.
    pub(crate) fn draw_from(stream: &mut Stream, augment: &Augment) -> Self {
        let mut coin = || stream.below(2) == 1;
        let (transpose, horizontal_flip, vertical_flip) = (coin(), coin(), coin());
        let reach = augment.shift.cast_signed();
        let mut offset = || stream.below(2 * augment.shift + 1).cast_signed() - reach;
        let (dx, dy) = (offset(), offset());
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a factor needs no more than f32 precision"
        )]
        let mut spread = || 2.0 * stream.unit() as f32 - 1.0;
        Self {
            transpose: augment.transpose && transpose,
            horizontal_flip: augment.horizontal_flip && horizontal_flip,
            vertical_flip: augment.vertical_flip && vertical_flip,
            dx,
            dy,
            gain: 1.0 + augment.gain * spread(),
            zoom: 1.0 + augment.zoom * spread(),
        }
    }

    /// Appends the transformed image (CHW, values in [0, 1]) to `xs`.
    ///
    /// Neighbours in a row of the result are a fixed distance apart in the source, so each row is one walk through it; and
    /// a byte has 256 values, so each is scaled once.
    pub(crate) fn apply(&self, pixels: &[u8], shape: ImageShape, xs: &mut Vec<f32>) {
        let ImageShape { height, width, .. } = shape;
        let unit = |byte: usize| (byte as f32 / 255.0 * self.gain).clamp(0.0, 1.0);
        let values: [f32; 256] = std::array::from_fn(unit);
        let (rows, columns) = (in_view(self.dy, height), in_view(self.dx, width));
        for plane in pixels.chunks_exact(height * width) {
            let first = xs.len();
            xs.resize(first + plane.len(), 0.0);
            let out = &mut xs[first..];
            for y in rows.clone() {
                let mut i = self.source(y, columns.start, height, width);
                let next = self.source(y, columns.start + 1, height, width);
                let step = next.wrapping_sub(i);
                for x in &mut out[y * width..][columns.clone()] {
                    *x = values[usize::from(plane[i])];
                    i = i.wrapping_add(step);
                }
            }
            if self.zoom != 1.0 {
                scale(out, (height, width), self.zoom);
            }
        }
    }

    /// Where the value at (y, x) comes from: the transforms undone, last one first. Beyond the part in view the number is
    /// of no pixel, and wraps around.
    fn source(&self, y: usize, x: usize, height: usize, width: usize) -> usize {
        let y = y.wrapping_add_signed(-self.dy);
        let x = x.wrapping_add_signed(-self.dx);
        let y = if self.vertical_flip {
            (height - 1).wrapping_sub(y)
        } else {
            y
        };
        let x = if self.horizontal_flip {
            (width - 1).wrapping_sub(x)
        } else {
            x
        };
        let (y, x) = if self.transpose { (x, y) } else { (y, x) };
        y.wrapping_mul(width).wrapping_add(x)
    }
}

/// Scales one plane about its centre, bilinearly, with zeros around it.
fn scale(plane: &mut [f32], (height, width): (usize, usize), zoom: f32) {
    let source = plane.to_vec();
    let at = |y: Option<usize>, x: Option<usize>| match (y, x) {
        (Some(y), Some(x)) => source[y * width + x],
        _ => 0.0,
    };
    let columns: Vec<Between> = (0..width).map(|x| Between::of(x, width, zoom)).collect();
    for y in 0..height {
        let row = Between::of(y, height, zoom);
        for (x, column) in columns.iter().enumerate() {
            let along = |y| column.mix(at(y, column.before), at(y, column.after));
            plane[y * width + x] = row.mix(along(row.before), along(row.after));
        }
    }
}

/// The place between two source pixels that a pixel of a scaled row or column shows.
#[derive(Clone, Copy, Debug)]
struct Between {
    /// `None` outside the image.
    before: Option<usize>,
    after: Option<usize>,
    /// The weight of `after`.
    share: f32,
}

impl Between {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "positions of pixels are small whole numbers"
    )]
    fn of(i: usize, n: usize, zoom: f32) -> Self {
        let centre = (n as f32 - 1.0) / 2.0;
        let place = centre + (i as f32 - centre) / zoom;
        let before = place.floor();
        let index = |at: f32| usize::try_from(at as i64).ok().filter(|&at| at < n);
        Self {
            before: index(before),
            after: index(before + 1.0),
            share: place - before,
        }
    }

    fn mix(self, before: f32, after: f32) -> f32 {
        before + (after - before) * self.share
    }
}

/// The rows, or columns, that show the image after it moved by `offset`.
fn in_view(offset: isize, n: usize) -> Range<usize> {
    let start = usize::try_from(offset).unwrap_or(0).min(n);
    let end = n.saturating_add_signed(offset).min(n);
    start..end.max(start)
}
