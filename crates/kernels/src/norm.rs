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

/// A row of an image as one vector of channels sees it.
#[derive(Clone, Copy)]
struct Row {
    first: *const f32,
    pixel: usize,
}

impl Row {
    /// # Panics
    /// When the row's vectors leave the slice.
    #[inline(always)]
    fn new<V: Vector>(values: &[f32], view: View, row: usize, channel: usize) -> Self {
        let len = (view.width.max(1) - 1) * view.pixel + V::LANES;
        Self {
            first: values[view.at(row, 0) + channel..][..len].as_ptr(),
            pixel: view.pixel,
        }
    }

    /// # Safety
    /// The slice that the row was made of is still borrowed, and `column` is less than the view's width.
    #[inline(always)]
    #[expect(unsafe_code, reason = "inner loops, free of bounds checks")]
    unsafe fn at<V: Vector>(self, column: usize) -> V {
        // SAFETY: `new` found room for all vectors of the row.
        unsafe { V::load_ptr(self.first.add(column * self.pixel)) }
    }
}

/// Sums that do not wait for one another: column c of a row adds to sum c mod 4.
const N_SUMS: usize = 4;

/// The sums of a row put together.
#[inline(always)]
fn total<V: Vector>([a, b, c, d]: [V; N_SUMS]) -> V {
    a.add(b).add(c.add(d))
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
            let mut sum = V::splat(0.0);
            for row in 0..self.x.height {
                sum = sum.add(self.row_sum::<V>(row, channel));
            }
            let mean = sum.div(area);
            let mut squares = V::splat(0.0);
            for row in 0..self.x.height {
                squares = squares.add(self.row_squares::<V>(row, channel, mean));
            }
            mean.store(&mut self.mean[channel..]);
            squares.store(&mut self.squares[channel..]);
        }
    }
}

impl Moments<'_> {
    #[inline(always)]
    #[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
    fn row_sum<V: Vector>(&self, row: usize, channel: usize) -> V {
        let x = Row::new::<V>(self.xs, self.x, row, channel);
        let mut sums = [V::splat(0.0); N_SUMS];
        let mut first = 0;
        while first < self.x.width {
            let n = N_SUMS.min(self.x.width - first);
            for (i, sum) in sums.iter_mut().enumerate().take(n) {
                // SAFETY: first + n ≤ width.
                *sum = sum.add(unsafe { x.at(first + i) });
            }
            first += n;
        }
        total(sums)
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
    fn row_squares<V: Vector>(&self, row: usize, channel: usize, mean: V) -> V {
        let x = Row::new::<V>(self.xs, self.x, row, channel);
        let mut sums = [V::splat(0.0); N_SUMS];
        let mut first = 0;
        while first < self.x.width {
            let n = N_SUMS.min(self.x.width - first);
            for (i, sum) in sums.iter_mut().enumerate().take(n) {
                // SAFETY: first + n ≤ width.
                let x: V = unsafe { x.at(first + i) };
                let difference = x.sub(mean);
                *sum = difference.mul_add(difference, *sum);
            }
            first += n;
        }
        total(sums)
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
    #[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
    fn run<V: Vector>(self) {
        // Rows outside: what one vector of channels brings into the cache, the next one finds there.
        for row in 0..self.x.height {
            for channel in (0..self.x.channels).step_by(V::LANES) {
                let scale = V::load(&self.scale[channel..]);
                let shift = V::load(&self.shift[channel..]);
                let x = Row::new::<V>(self.xs, self.x, row, channel);
                let ys = &mut self.ys[self.y.at(row, 0) + channel..];
                for column in 0..self.x.width {
                    // SAFETY: the column is one of the row's.
                    let x: V = unsafe { x.at(column) };
                    let y = self
                        .finish
                        .apply(x.mul_add(scale, shift), row, column, channel);
                    y.store(&mut ys[column * self.y.pixel..]);
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
            let mean = V::load(&self.mean[channel..]);
            let rstd = V::load(&self.rstd[channel..]);
            let (mut sums, mut products) = (V::splat(0.0), V::splat(0.0));
            for row in 0..self.x.height {
                let (sum, product) = self.row::<V>(row, channel, mean);
                sums = sums.add(sum);
                products = products.add(product);
            }
            sums.store(&mut self.sum[channel..]);
            products.mul(rstd).store(&mut self.product[channel..]);
        }
    }
}

impl GradientSums<'_> {
    #[inline(always)]
    #[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
    fn row<V: Vector>(&self, row: usize, channel: usize, mean: V) -> (V, V) {
        let x = Row::new::<V>(self.xs, self.x, row, channel);
        let dy = Row::new::<V>(self.dys, self.dy, row, channel);
        let (mut sums, mut products) = ([V::splat(0.0); N_SUMS], [V::splat(0.0); N_SUMS]);
        let mut first = 0;
        while first < self.x.width {
            let n = N_SUMS.min(self.x.width - first);
            for (i, (sum, product)) in sums.iter_mut().zip(&mut products).enumerate().take(n) {
                // SAFETY: first + n ≤ width, which is that of both views.
                let (x, dy): (V, V) = unsafe { (x.at(first + i), dy.at(first + i)) };
                *sum = sum.add(dy);
                *product = dy.mul_add(x.sub(mean), *product);
            }
            first += n;
        }
        (total(sums), total(products))
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
    #[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
    fn run<V: Vector>(self) {
        let batch = self.batch;
        // Rows outside, as in `Normalize`.
        for row in 0..self.x.height {
            for channel in (0..self.x.channels).step_by(V::LANES) {
                let mean = V::load(&batch.mean[channel..]);
                let rstd = V::load(&batch.rstd[channel..]);
                let scale = V::load(&batch.scale[channel..]);
                let mean_dy = V::load(&batch.mean_dy[channel..]);
                // x̂ · mean_product = (x − mean) · (rstd · mean_product)
                let slope = rstd.mul(V::load(&batch.mean_product[channel..]));
                let slope = V::splat(0.0).sub(slope);
                let x = Row::new::<V>(self.xs, self.x, row, channel);
                let dy = Row::new::<V>(self.dys, self.dy, row, channel);
                let dxs = &mut self.dxs[self.dx.at(row, 0) + channel..];
                for column in 0..self.x.width {
                    // SAFETY: the column is one of the row's, in both views.
                    let (x, dy): (V, V) = unsafe { (x.at(column), dy.at(column)) };
                    let inner = x.sub(mean).mul_add(slope, dy.sub(mean_dy));
                    let to = &mut dxs[column * self.dx.pixel..];
                    let sum = self.accumulate.onto(to, inner.mul(scale));
                    self.finish.apply(sum, row, column, channel).store(to);
                }
            }
        }
    }
}
