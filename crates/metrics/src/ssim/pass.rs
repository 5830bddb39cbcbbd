//! One pass over pairs of images that filters four moments and sums SSIM.
//!
//! ```text
//! for each band of rows of each image, in parallel   bounds what rounding and parallelism can do
//!   for each tile of columns                         bounds the memory, whatever the width
//!     for each row of positions
//!       columns  = s, d, s², d², filtered down the columns            s, d = x + y, x − y
//!       totals  += SSIM(columns, filtered along the row)
//! ```
//!
//! Departures from the formula in [`Ssim`](super::Ssim):
//! 1. σx² and σy² only occur as a sum, so four moments are enough. With s = x + y and d = x − y, a = μs² and b = μd²,
//!    2·μx·μy = (a − b)/2, μx² + μy² = (a + b)/2, 2·σxy = (σs² − σd²)/2 and σx² + σy² = (σs² + σd²)/2: fewer multiplications than with
//!    x, y, x² + y² and x·y, and the same bits for exchanged images and for equal ones.
//! 2. The middle tap of a window is 1, and both fractions of SSIM are multiplied by the weight that this leaves out:
//!    integer pixels under a uniform window have exact moments, so a constant image has a variance of exactly zero.
//! 3. C1 and C2 are added once, not to a numerator and a denominator: (a + C1) ∓ b and (σs² + C2) ∓ σd². A variance below zero, which only rounding
//!    makes, becomes zero where the library says so; here it is the sum of both.
//! 4. Every loop over columns is over slices or arrays of one length with the taps unrolled inside, which is the form that the compiler
//!    turns into vectors. Lanes written out by hand were five times slower. Loops are compiled for AVX-512, for AVX2 and
//!    for the baseline, with the same operations in the same order for each position, whatever the vectors and wherever the position lies
//!    in a tile.
//! 5. The two windows that the libraries use, uniform 7×7 and Gaussian 11×11, have loops of their own (`uniform.rs`, `gaussian.rs` with
//!    `lanes.rs`); others take `general.rs`.

mod gaussian;
mod general;
pub(super) mod lanes;
mod prefetch;
mod sevens;
mod transpose;
mod uniform;

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayView4, Axis, s};
use rayon::prelude::*;

use super::map::Border;
use super::window::Window;
use crate::pixel::Pixel;
use lanes::{Block, LANES, MAX_STRIP, Reader, Sight, strip};

/// Moments of s, d, s², d².
const MOMENTS: usize = 4;

/// The most rows of positions of the window in a band, before it is rounded to whole steps of the Gaussian window.
pub(super) const BAND: usize = 128;

/// Where there are several bands, their number is a multiple of this: two or four threads then have the same number each.
const BANDS: usize = 4;

/// Rows of positions in band number `band` of so many. Bands are whole steps of the Gaussian window, and differ by one at most.
fn rows_of_band(n_rows: usize, n_bands: usize, band: usize) -> Range<usize> {
    let n_steps = n_rows.div_ceil(gaussian::ROWS);
    let first = |band: usize| n_rows.min(band * n_steps / n_bands * gaussian::ROWS);
    first(band)..first(band + 1)
}

/// What makes SSIM, or its part without the luminance, of moments whose window has a middle tap of 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Similarity {
    /// What the taps of the window add up to, or more exactly, by what they were divided.
    pub(super) weight: f64,
    /// 2·C1·weight², or [`NO_LUMINANCE`].
    pub(super) c1: f64,
    /// 2·C2·weight², divided by the factor from population to the wanted covariance.
    pub(super) c2: f64,
    /// What σx² + σy² + C2 may not be less than, scaled like C2.
    pub(super) least: f64,
}

/// A C1 beside which means vanish, so that the luminance is one, while pixels are below 10⁶⁶. A power of two: what is multiplied by it is not rounded.
const NO_LUMINANCE: f64 = f64::from_bits((1023 + 500) << 52);

impl Similarity {
    /// The contrast and structure alone.
    pub(super) fn without_luminance(self) -> Self {
        Self {
            c1: NO_LUMINANCE,
            ..self
        }
    }

    /// The value of one position.
    #[inline(always)]
    fn of(self, [s, d, ss, dd]: [f64; MOMENTS]) -> f64 {
        let a = s * s;
        self.fraction(a, self.weight.mul_add(ss, -a) + self.c2, [d, dd])
    }

    /// The value of one position if C2 is in the moment of s² already.
    #[inline(always)]
    fn of_raised(self, [s, d, ss, dd]: [f64; MOMENTS]) -> f64 {
        let a = s * s;
        self.fraction(a, self.weight.mul_add(ss, -a), [d, dd])
    }

    /// Of a, σs² + C2 and the moments of d, d².
    ///
    /// Written so that equal images give a numerator and a denominator of equal bits.
    #[inline(always)]
    fn fraction(self, a: f64, s_variance: f64, [d, dd]: [f64; 2]) -> f64 {
        let b = d * d;
        let a = a + self.c1;
        let d_variance = self.weight.mul_add(dd, -b);
        let variances = s_variance + d_variance;
        let variances = if variances < self.least {
            self.least
        } else {
            variances
        };
        let numerator = (a - b) * (s_variance - d_variance);
        let denominator = (a + b) * variances;
        numerator / denominator
    }
}

/// What is measured, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure<'a> {
    pub(super) window: &'a Window,
    pub(super) similarity: Similarity,
    /// [`Border::Valid`] or [`Border::Mirror`].
    pub(super) border: Border,
}

/// Buffers that are used again for each band.
enum Scratch<T> {
    Uniform(uniform::Scratch<T>),
    Gaussian(Reader, gaussian::Scratch),
    General(general::Scratch<T>),
}

impl Measure<'_> {
    /// The mean over the positions in each channel of each image, N×C; NaN where there is no position.
    pub(super) fn means<T: Pixel>(
        self,
        truth: ArrayView4<'_, T>,
        prediction: ArrayView4<'_, T>,
    ) -> Array2<f64> {
        let (n, c, height, width) = truth.dim();
        let n_taps = self.window.size();
        let n_rows = self.border.n_positions(height, n_taps);
        let n_columns = self.border.n_positions(width, n_taps);
        if n_rows * n_columns == 0 {
            return Array2::from_elem((n, c), f64::NAN);
        }
        let n_bands = match n_rows.div_ceil(BAND) {
            1 => 1,
            n => n.next_multiple_of(BANDS),
        };
        // Small images lie side by side in the lanes; a large one fills them all by itself. Their bits are the same.
        let n_planes = n * c;
        let is_small = n_planes >= LANES && n_columns <= MAX_STRIP;
        let per_task = if is_small { LANES } else { 1 };
        let sums: Vec<[f64; LANES]> = (0..n_planes.div_ceil(per_task) * n_bands)
            .into_par_iter()
            .map_init(
                || self.scratch(n_columns, per_task),
                |scratch, task| {
                    let (group, band) = (task / n_bands, task % n_bands);
                    let planes: [_; LANES] = std::array::from_fn(|l| {
                        let i = group * per_task + l % per_task;
                        let i = i.min(n_planes - 1);
                        [channel(truth, i), channel(prediction, i)]
                    });
                    let positions = rows_of_band(n_rows, n_bands, band);
                    self.sum(&planes[..per_task], positions, n_columns, scratch)
                },
            )
            .collect();
        let n_positions = n_rows as f64 * n_columns as f64;
        let mean = |i: usize| {
            let bands = &sums[i / per_task * n_bands..][..n_bands];
            bands.iter().map(|sums| sums[i % per_task]).sum::<f64>() / n_positions
        };
        Array2::from_shape_fn((n, c), |(i, j)| mean(i * c + j))
    }

    fn scratch<T: Pixel>(self, n_columns: usize, n_planes: usize) -> Scratch<T> {
        match self.window {
            Window::Uniform(uniform::SIZE) => Scratch::Uniform(uniform::Scratch::new(n_columns)),
            window @ Window::Gaussian(_) if window.size() == gaussian::SIZE => {
                let scratch = gaussian::Scratch::new(window, strip(n_columns, n_planes));
                Scratch::Gaussian(Reader::default(), scratch)
            }
            window => Scratch::General(general::Scratch::new(window, n_columns)),
        }
    }

    /// The sums over some rows of positions, in one image or in each of [`LANES`] small ones.
    fn sum<T: Pixel>(
        self,
        planes: &[[ArrayView2<'_, T>; 2]],
        positions: Range<usize>,
        n_columns: usize,
        scratch: &mut Scratch<T>,
    ) -> [f64; LANES] {
        let mut sums = [0.0; LANES];
        match scratch {
            Scratch::Gaussian(reader, scratch) => {
                let strip = strip(n_columns, planes.len());
                for first in (0..n_columns).step_by(LANES / planes.len() * strip) {
                    let sight = Sight {
                        border: self.border,
                        n_taps: gaussian::SIZE,
                        first,
                    };
                    let block = Block {
                        planes,
                        sight,
                        n_positions: n_columns - first,
                        strip,
                    };
                    scratch.add(
                        self.similarity,
                        (reader, &block),
                        positions.clone(),
                        &mut sums,
                    );
                }
            }
            Scratch::Uniform(scratch) => {
                for (sum, images) in sums.iter_mut().zip(planes) {
                    *sum = scratch.sum(self, *images, positions.clone(), n_columns);
                }
            }
            Scratch::General(scratch) => {
                for (sum, images) in sums.iter_mut().zip(planes) {
                    *sum = scratch.sum(self, *images, positions.clone(), n_columns);
                }
            }
        }
        sums
    }
}

/// Channel number `i` of a batch, counted through all its images.
fn channel<T>(images: ArrayView4<'_, T>, i: usize) -> ArrayView2<'_, T> {
    let n_channels = images.len_of(Axis(1));
    images.slice_move(s![i / n_channels, i % n_channels, .., ..])
}
