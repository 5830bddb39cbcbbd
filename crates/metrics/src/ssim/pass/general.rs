//! Windows of any size: down the columns first, then along the rows, a tap at a time.
//!
//! Rows are read again for each row of positions that sees them, so that memory does not grow with the window's area. The
//! uniform window only reads the row that comes in and the one that goes out, and keeps running sums, as in `uniform.rs`.

use std::ops::Range;

use multiversion::multiversion;
use ndarray::ArrayView2;

use super::lanes::{Sight, read_line};
use super::{MOMENTS, Measure, Similarity};
use crate::pixel::Pixel;
use crate::ssim::window::Window;

/// Positions in a tile.
const TILE: usize = 1000;

/// Buffers, used again for each band.
#[derive(Debug)]
pub(super) struct Scratch<T> {
    /// Taps of which the middle one is 1.
    taps: Vec<f64>,
    line: Vec<T>,
    /// s and d of a row.
    pixels: [Vec<f64>; 2],
    columns: [Vec<f64>; MOMENTS],
    moments: [Vec<f64>; MOMENTS],
    totals: Vec<f64>,
}

impl<T: Pixel> Scratch<T> {
    /// Buffers for so many positions in a row.
    pub(super) fn new(window: &Window, n_positions: usize) -> Self {
        let n = n_positions.min(TILE);
        let width = n + window.size() - 1;
        let zeros = |n: usize| vec![0.0; n];
        Self {
            taps: window.taps_of_middle_one(),
            line: vec![],
            pixels: [zeros(width), zeros(width)],
            columns: std::array::from_fn(|_| zeros(width)),
            moments: std::array::from_fn(|_| zeros(n)),
            totals: zeros(n),
        }
    }

    /// The sum over some rows of positions in an image.
    pub(super) fn sum(
        &mut self,
        measure: Measure<'_>,
        images: [ArrayView2<'_, T>; 2],
        positions: Range<usize>,
        n_positions: usize,
    ) -> f64 {
        let n_taps = self.taps.len();
        let mut sum = 0.0;
        for first in (0..n_positions).step_by(TILE) {
            let n = TILE.min(n_positions - first);
            let sight = Sight {
                border: measure.border,
                n_taps,
                first,
            };
            self.line.resize(n + n_taps - 1, images[0][[0, 0]]);
            self.totals[..n].fill(0.0);
            for position in positions.clone() {
                let is_new = position == positions.start;
                match measure.window {
                    Window::Uniform(_) if !is_new => {
                        self.add_row(sight, images, position - 1, -1.0);
                        self.add_row(sight, images, position + n_taps - 1, 1.0);
                    }
                    _ => {
                        self.columns.iter_mut().for_each(|column| column.fill(0.0));
                        for k in 0..n_taps {
                            self.add_row(sight, images, position + k, self.taps[k]);
                        }
                    }
                }
                for (column, moments) in self.columns.iter().zip(&mut self.moments) {
                    filter(&self.taps, &column[..n + n_taps - 1], &mut moments[..n]);
                }
                let moments = self.moments.each_ref().map(|moments| &moments[..n]);
                add_positions(measure.similarity, moments, &mut self.totals[..n]);
            }
            sum += self.totals[..n].iter().sum::<f64>();
        }
        sum
    }

    /// Adds the moments of a row of pixels, times a weight, to the columns.
    fn add_row(&mut self, sight: Sight, images: [ArrayView2<'_, T>; 2], i: usize, weight: f64) {
        let n = self.line.len();
        for (image, pixels) in images.into_iter().zip(&mut self.pixels) {
            let line = read_line(sight, image, i, &mut self.line);
            for (to, pixel) in pixels.iter_mut().zip(line) {
                *to = pixel.to_f64();
            }
        }
        let [xs, ys] = self.pixels.each_ref().map(|pixels| &pixels[..n]);
        add_moments(weight, [xs, ys], &mut self.columns);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn add_moments(weight: f64, [xs, ys]: [&[f64]; 2], columns: &mut [Vec<f64>; MOMENTS]) {
    let n = xs.len();
    let ys = &ys[..n];
    let [s, d, ss, dd] = columns.each_mut().map(|column| &mut column[..n]);
    for j in 0..n {
        let (sum, difference) = (xs[j] + ys[j], xs[j] - ys[j]);
        s[j] = weight.mul_add(sum, s[j]);
        d[j] = weight.mul_add(difference, d[j]);
        ss[j] = weight.mul_add(sum * sum, ss[j]);
        dd[j] = weight.mul_add(difference * difference, dd[j]);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn filter(taps: &[f64], column: &[f64], moments: &mut [f64]) {
    moments.fill(0.0);
    for (k, tap) in taps.iter().enumerate() {
        for (moment, x) in moments.iter_mut().zip(&column[k..]) {
            *moment = tap.mul_add(*x, *moment);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl+avx512dq", "x86_64+avx2+fma"))]
fn add_positions(similarity: Similarity, [s, d, ss, dd]: [&[f64]; MOMENTS], totals: &mut [f64]) {
    let n = totals.len();
    let (s, d, ss, dd) = (&s[..n], &d[..n], &ss[..n], &dd[..n]);
    for j in 0..n {
        totals[j] += similarity.of([s[j], d[j], ss[j], dd[j]]);
    }
}
