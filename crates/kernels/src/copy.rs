//! Copies, ReLU and its gradient, and the way between our layout and NCHW.

use crate::simd::{Kernel, Vector};
use crate::{Accumulate, Finish, Level, View};

/// Copies an image, or adds it to what is there: a part of a concatenation, ReLU ([`Finish::Relu`]) and its gradient.
///
/// # Panics
/// When a view leaves its slice or the shapes differ.
pub fn copy(
    level: Level,
    (xs, x): (&[f32], View),
    (ys, y): (&mut [f32], View),
    accumulate: Accumulate,
    finish: Finish<'_>,
) {
    x.check_vectors(xs.len());
    y.check_vectors(ys.len());
    x.check_same(&y);
    finish.check(&y);
    level.run(Copy {
        xs,
        x,
        ys,
        y,
        accumulate,
        finish,
    });
}

/// Puts zero where the mask is not positive: ReLU's gradient in place.
///
/// # Panics
/// When a view leaves its slice or the shapes differ.
pub fn mask(level: Level, (mask, view): (&[f32], View), (ys, y): (&mut [f32], View)) {
    y.check_vectors(ys.len());
    let finish = Finish::Mask(mask, view);
    finish.check(&y);
    level.run(Mask { ys, y, finish });
}

/// Writes an image `[channel][row][column]` into a view; channel i becomes channel `positions[i]`.
///
/// # Panics
/// When the view leaves its slice or `image` does not hold its pixels.
pub fn from_nchw(image: &[f32], positions: &[usize], (ys, y): (&mut [f32], View)) {
    check_nchw(image.len(), positions, ys.len(), &y);
    for (plane, &channel) in image.chunks_exact(y.height * y.width).zip(positions) {
        for (row, values) in plane.chunks_exact(y.width).enumerate() {
            let to = &mut ys[y.at(row, 0) + channel..];
            if y.pixel == 1 {
                to[..y.width].copy_from_slice(values);
            } else {
                for (pixel, &value) in to.chunks_mut(y.pixel).zip(values) {
                    pixel[0] = value;
                }
            }
        }
    }
}

/// Reads a view into an image `[channel][row][column]`; channel i was channel `positions[i]`.
///
/// # Panics
/// As [`from_nchw`].
pub fn to_nchw((ys, y): (&[f32], View), positions: &[usize], image: &mut [f32]) {
    check_nchw(image.len(), positions, ys.len(), &y);
    for (plane, &channel) in image.chunks_exact_mut(y.height * y.width).zip(positions) {
        for (row, values) in plane.chunks_exact_mut(y.width).enumerate() {
            let from = ys[y.at(row, 0) + channel..].chunks(y.pixel);
            for (pixel, value) in from.zip(values) {
                *value = pixel[0];
            }
        }
    }
}

fn check_nchw(len: usize, positions: &[usize], slice: usize, view: &View) {
    view.check(slice);
    assert!(view.height > 0 && view.width > 0, "an image has pixels");
    assert_eq!(
        len,
        positions.len() * view.height * view.width,
        "one value for each channel and pixel"
    );
    assert!(
        positions.iter().all(|&channel| channel < view.channels),
        "the view has the channels"
    );
}

struct Copy<'a> {
    xs: &'a [f32],
    x: View,
    ys: &'a mut [f32],
    y: View,
    accumulate: Accumulate,
    finish: Finish<'a>,
}

impl Kernel for Copy<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for row in 0..self.y.height {
            for column in 0..self.y.width {
                for channel in (0..self.y.channels).step_by(V::LANES) {
                    let x = V::load(&self.xs[self.x.at(row, column) + channel..]);
                    let to = &mut self.ys[self.y.at(row, column) + channel..];
                    let sum = self.accumulate.onto(to, x);
                    self.finish.apply(sum, row, column, channel).store(to);
                }
            }
        }
    }
}

struct Mask<'a> {
    ys: &'a mut [f32],
    y: View,
    finish: Finish<'a>,
}

impl Kernel for Mask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for row in 0..self.y.height {
            for column in 0..self.y.width {
                for channel in (0..self.y.channels).step_by(V::LANES) {
                    let to = &mut self.ys[self.y.at(row, column) + channel..];
                    let kept = self.finish.apply(V::load(to), row, column, channel);
                    kept.store(to);
                }
            }
        }
    }
}
