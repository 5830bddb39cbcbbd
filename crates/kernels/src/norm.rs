//! Batch normalisation in training mode, image by image, with the statistics of a batch put together in between.
//!
//! ```text
//! forward   moments of each image  →  batch_moments  →  normalize: y = x · scale + shift
//! backward  gradient_sums of each image  →  their sums in order  →  input_gradient
//! ```
//!
//! Sums over an image are sums of its rows' sums, those over a batch are in f64 and in the order of the images.

use crate::simd::{Kernel, Vector};
use crate::{Accumulate, Finish, Level, View};

/// The mean of each channel and the sum of its squared differences from it.
///
/// # Panics
/// When the view leaves its slice, or an output has not one value a channel.
pub fn moments(level: Level, (xs, x): (&[f32], View), mean: &mut [f32], squares: &mut [f32]) {
    x.check_vectors(xs.len());
    assert_eq!(
        (mean.len(), squares.len()),
        (x.channels, x.channels),
        "one value a channel"
    );
    level.run(Moments {
        xs,
        x,
        mean,
        squares,
    });
}

/// Mean and biased variance of each channel over images of one size.
///
/// `images` holds what [`moments`] gave for each, mean then squares; `area` is their number of pixels.
///
/// # Panics
/// When `images` is empty or not whole.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to f32 is the point"
)]
pub fn batch_moments(images: &[f32], area: usize, mean: &mut [f32], variance: &mut [f32]) {
    let channels = mean.len();
    assert_eq!(variance.len(), channels, "one value a channel");
    assert!(
        !images.is_empty() && images.len().is_multiple_of(2 * channels),
        "whole images"
    );
    let n = images.len() / (2 * channels);
    for c in 0..channels {
        let means = images.iter().skip(c).step_by(2 * channels);
        let total: f64 = means.clone().map(|&x| f64::from(x)).sum();
        let center = total / n as f64;
        let between: f64 = means.map(|&x| (f64::from(x) - center).powi(2)).sum();
        let within = images.iter().skip(channels + c).step_by(2 * channels);
        let within: f64 = within.map(|&x| f64::from(x)).sum();
        mean[c] = center as f32;
        variance[c] = (within / (n * area) as f64 + between / n as f64) as f32;
    }
}

/// `x · scale + shift` by channel.
///
/// # Panics
/// When a view leaves its slice or the shapes differ.
pub fn normalize(
    level: Level,
    (xs, x): (&[f32], View),
    (scale, shift): (&[f32], &[f32]),
    (ys, y): (&mut [f32], View),
    finish: Finish<'_>,
) {
    x.check_vectors(xs.len());
    y.check_vectors(ys.len());
    x.check_same(&y);
    finish.check(&y);
    assert_eq!(
        (scale.len(), shift.len()),
        (x.channels, x.channels),
        "one value a channel"
    );
    level.run(Normalize {
        xs,
        x,
        scale,
        shift,
        ys,
        y,
        finish,
    });
}

/// The sums of `dy` and of `dy · (x − mean) · rstd` by channel over one image: `rstd` is one over the deviation.
///
/// # Panics
/// When a view leaves its slice or the shapes differ.
pub fn gradient_sums(
    level: Level,
    (xs, x): (&[f32], View),
    (dys, dy): (&[f32], View),
    (mean, rstd): (&[f32], &[f32]),
    (sum, product): (&mut [f32], &mut [f32]),
) {
    x.check_vectors(xs.len());
    dy.check_vectors(dys.len());
    x.check_same(&dy);
    let lengths = [mean.len(), rstd.len(), sum.len(), product.len()];
    assert_eq!(lengths, [x.channels; 4], "one value a channel");
    level.run(GradientSums {
        xs,
        x,
        dys,
        dy,
        mean,
        rstd,
        sum,
        product,
    });
}

/// What [`input_gradient`] needs of a batch, one value a channel each.
#[derive(Debug, Clone, Copy)]
pub struct BatchGradient<'a> {
    /// The batch's mean.
    pub mean: &'a [f32],
    /// One over the batch's deviation.
    pub rstd: &'a [f32],
    /// The weight divided by the deviation.
    pub scale: &'a [f32],
    /// The mean over the batch of `dy`.
    pub mean_dy: &'a [f32],
    /// The mean over the batch of `dy · x̂`, where `x̂ = (x − mean) · rstd`.
    pub mean_product: &'a [f32],
}

/// `scale · (dy − mean_dy − x̂ · mean_product)`: the gradient of the input.
///
/// # Panics
/// When a view leaves its slice or the shapes differ.
pub fn input_gradient(
    level: Level,
    (xs, x): (&[f32], View),
    (dys, dy): (&[f32], View),
    batch: BatchGradient<'_>,
    (dxs, dx): (&mut [f32], View),
    accumulate: Accumulate,
    finish: Finish<'_>,
) {
    x.check_vectors(xs.len());
    dy.check_vectors(dys.len());
    dx.check_vectors(dxs.len());
    x.check_same(&dy);
    x.check_same(&dx);
    finish.check(&dx);
    let BatchGradient {
        mean,
        rstd,
        scale,
        mean_dy,
        mean_product,
    } = batch;
    for values in [mean, rstd, scale, mean_dy, mean_product] {
        assert_eq!(values.len(), x.channels, "one value a channel");
    }
    level.run(InputGradient {
        xs,
        x,
        dys,
        dy,
        batch,
        dxs,
        dx,
        accumulate,
        finish,
    });
}

struct Moments<'a> {
    xs: &'a [f32],
    x: View,
    mean: &'a mut [f32],
    squares: &'a mut [f32],
}

impl Kernel for Moments<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(
        clippy::cast_precision_loss,
        reason = "an image has fewer than 2^24 pixels"
    )]
    fn run<V: Vector>(self) {
        let area = V::splat((self.x.height * self.x.width) as f32);
        for channel in (0..self.x.channels).step_by(V::LANES) {
            let at = |row, column| V::load(&self.xs[self.x.at(row, column) + channel..]);
            let mut total = V::splat(0.0);
            for row in 0..self.x.height {
                let mut sum = V::splat(0.0);
                for column in 0..self.x.width {
                    sum = sum.add(at(row, column));
                }
                total = total.add(sum);
            }
            let mean = total.div(area);
            let mut total = V::splat(0.0);
            for row in 0..self.x.height {
                let mut sum = V::splat(0.0);
                for column in 0..self.x.width {
                    let difference = at(row, column).sub(mean);
                    sum = difference.mul_add(difference, sum);
                }
                total = total.add(sum);
            }
            mean.store(&mut self.mean[channel..]);
            total.store(&mut self.squares[channel..]);
        }
    }
}

struct Normalize<'a> {
    xs: &'a [f32],
    x: View,
    scale: &'a [f32],
    shift: &'a [f32],
    ys: &'a mut [f32],
    y: View,
    finish: Finish<'a>,
}

impl Kernel for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for channel in (0..self.x.channels).step_by(V::LANES) {
            let scale = V::load(&self.scale[channel..]);
            let shift = V::load(&self.shift[channel..]);
            for row in 0..self.x.height {
                for column in 0..self.x.width {
                    let x = V::load(&self.xs[self.x.at(row, column) + channel..]);
                    let y = self
                        .finish
                        .apply(x.mul_add(scale, shift), row, column, channel);
                    y.store(&mut self.ys[self.y.at(row, column) + channel..]);
                }
            }
        }
    }
}

struct GradientSums<'a> {
    xs: &'a [f32],
    x: View,
    dys: &'a [f32],
    dy: View,
    mean: &'a [f32],
    rstd: &'a [f32],
    sum: &'a mut [f32],
    product: &'a mut [f32],
}

impl Kernel for GradientSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for channel in (0..self.x.channels).step_by(V::LANES) {
            let (mean, rstd) = (
                V::load(&self.mean[channel..]),
                V::load(&self.rstd[channel..]),
            );
            let (mut sums, mut products) = (V::splat(0.0), V::splat(0.0));
            for row in 0..self.x.height {
                let (mut sum, mut product) = (V::splat(0.0), V::splat(0.0));
                for column in 0..self.x.width {
                    let x = V::load(&self.xs[self.x.at(row, column) + channel..]);
                    let dy = V::load(&self.dys[self.dy.at(row, column) + channel..]);
                    sum = sum.add(dy);
                    product = dy.mul_add(x.sub(mean), product);
                }
                sums = sums.add(sum);
                products = products.add(product);
            }
            sums.store(&mut self.sum[channel..]);
            products.mul(rstd).store(&mut self.product[channel..]);
        }
    }
}

struct InputGradient<'a> {
    xs: &'a [f32],
    x: View,
    dys: &'a [f32],
    dy: View,
    batch: BatchGradient<'a>,
    dxs: &'a mut [f32],
    dx: View,
    accumulate: Accumulate,
    finish: Finish<'a>,
}

impl Kernel for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for channel in (0..self.x.channels).step_by(V::LANES) {
            let of = |values: &[f32]| V::load(&values[channel..]);
            let (mean, rstd, scale) = (
                of(self.batch.mean),
                of(self.batch.rstd),
                of(self.batch.scale),
            );
            let mean_dy = of(self.batch.mean_dy);
            // x̂ · mean_product = (x − mean) · (rstd · mean_product)
            let slope = V::splat(0.0).sub(rstd.mul(of(self.batch.mean_product)));
            for row in 0..self.x.height {
                for column in 0..self.x.width {
                    let x = of(&self.xs[self.x.at(row, column)..]);
                    let dy = of(&self.dys[self.dy.at(row, column)..]);
                    let inner = x.sub(mean).mul_add(slope, dy.sub(mean_dy));
                    let to = &mut self.dxs[self.dx.at(row, column) + channel..];
                    let sum = self.accumulate.onto(to, inner.mul(scale));
                    self.finish.apply(sum, row, column, channel).store(to);
                }
            }
        }
    }
}
