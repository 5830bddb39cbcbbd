//! F(4×4, 3×3): 36 products where the direct form has 144 and F(2×2, 3×3) has 64, with rounding errors several times as large.
//!
//! Going forward only: what predictions need. The strips, the matrix products and the order of operations are those of
//! [`winograd`](super). Of an image that was doubled 25 of the 36 matrices are left. Source: Lavin and Gray 2015, section 4.2.

mod transform;

use super::{Input, Matrices, Scale, channels_of, check_sizes};
use crate::conv::{Forward, Start};
use crate::simd::{Kernel, Vector};
use crate::{Finish, Level, View};
use transform::{half, same, spread, times_a};

/// Products that each tile needs for each pair of channels.
pub const N_PRODUCTS: usize = 36;

/// Tiles that are worked on together, at least, where the image has so many: the matrices of more leave the first-level cache.
const STRIP_TILES: usize = 8;

/// What is written of the convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Every pixel.
    None,
    /// The greatest of each square of 2×2 finished pixels.
    Maximum,
}

/// From 3×3 weights, `[kernel row][kernel column][in][out]`, to what [`convolve`] multiplies with.
///
/// # Panics
/// When the lengths do not fit, or the pairs of channels are no multiple of 16.
pub fn transform_weights(level: Level, weights: &[f32], products: &mut [f32]) {
    let n_pairs = weights.len() / 9;
    assert!(
        n_pairs.is_multiple_of(crate::LANES) && n_pairs * 9 == weights.len(),
        "{} weights are 3×3 vectors",
        weights.len()
    );
    let n_products = products.len();
    assert_eq!(
        n_products,
        n_pairs * N_PRODUCTS,
        "36 products for 9 weights"
    );
    level.run(Transform {
        weights,
        products,
        n_pairs,
    });
}

/// Values of scratch memory that [`convolve`] needs for a convolution of this size.
#[must_use]
pub fn scratch_len(size: (usize, usize), in_channels: usize, out_channels: usize) -> usize {
    let n_tiles = strip_rows(size) * (size.1 / 4);
    [in_channels, out_channels]
        .map(|channels| N_PRODUCTS * Matrices::new(n_tiles, channels).stride)
        .iter()
        .sum()
}

/// Rows of tiles in a strip.
fn strip_rows((height, width): (usize, usize)) -> usize {
    STRIP_TILES
        .div_ceil((width / 4).max(1))
        .clamp(1, (height / 4).max(1))
}

/// The 3×3 cross-correlation of the concatenated inputs with the weights, plus a bias, finished and pooled.
///
/// The convolution's height and width are multiples of 4. `products` are the weights as [`transform_weights`] makes them, `[k][in][out]`. The results are the same at every level.
///
/// # Panics
/// When a view leaves its slice, a shape does not fit, a number of channels is no multiple of 16, `finish` is a mask, or `scratch` is
/// shorter than [`scratch_len`].
pub fn convolve(
    level: Level,
    inputs: &[Input<'_>],
    products: &[f32],
    (bias, finish): (&[f32], Finish<'_>),
    (ys, y, pool): (&mut [f32], View, Pool),
    scratch: &mut [f32],
) {
    y.check_vectors(ys.len());
    let in_channels = inputs.iter().map(|input| input.view.channels).sum();
    let by = match pool {
        Pool::None => 1,
        Pool::Maximum => 2,
    };
    let (height, width) = (by * y.height, by * y.width);
    assert!(
        height.is_multiple_of(4) && width.is_multiple_of(4) && height * width > 0,
        "{height}×{width} is a whole number of tiles of 4×4"
    );
    check_sizes(inputs, (height, width));
    assert_eq!(
        products.len(),
        N_PRODUCTS * in_channels * y.channels,
        "36 transformed weights for each pair of channels"
    );
    assert_eq!(bias.len(), y.channels, "one bias for each output channel");
    assert!(
        matches!(finish, Finish::Keep | Finish::Relu),
        "a mask belongs to a gradient"
    );
    assert!(
        scratch.len() >= scratch_len((height, width), in_channels, y.channels),
        "scratch memory for a strip"
    );
    level.run(Convolve {
        inputs,
        in_channels,
        products,
        bias,
        is_relu: matches!(finish, Finish::Relu),
        ys,
        y,
        pool,
        scratch,
        size: (height, width),
    });
}

struct Transform<'a> {
    weights: &'a [f32],
    products: &'a mut [f32],
    n_pairs: usize,
}

impl Kernel for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for pair in (0..self.n_pairs).step_by(V::LANES) {
            let mut columns = [[V::splat(0.0); 6]; 3];
            for (j, to) in columns.iter_mut().enumerate() {
                let mut column = [V::splat(0.0); 3];
                for (i, weight) in column.iter_mut().enumerate() {
                    *weight = V::load(&self.weights[(3 * i + j) * self.n_pairs + pair..]);
                }
                *to = spread(column);
            }
            let [a, b, c] = columns;
            for i in 0..6 {
                for (j, product) in spread([a[i], b[i], c[i]]).into_iter().enumerate() {
                    product.store(&mut self.products[(6 * i + j) * self.n_pairs + pair..]);
                }
            }
        }
    }
}

struct Convolve<'a> {
    inputs: &'a [Input<'a>],
    in_channels: usize,
    products: &'a [f32],
    bias: &'a [f32],
    is_relu: bool,
    ys: &'a mut [f32],
    y: View,
    pool: Pool,
    scratch: &'a mut [f32],
    /// Of the convolution, before any pooling.
    size: (usize, usize),
}

impl Kernel for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let (rows, columns) = (self.size.0 / 4, self.size.1 / 4);
        let strip_rows = strip_rows(self.size);
        let n_tiles = strip_rows * columns;
        let (n_in, n_out) = (self.in_channels, self.y.channels);
        let (v, m) = (Matrices::new(n_tiles, n_in), Matrices::new(n_tiles, n_out));
        let scratch = std::mem::take(&mut self.scratch);
        let (vs, ms) = scratch.split_at_mut(N_PRODUCTS * v.stride);
        let mut first = 0;
        while first < rows {
            let strip_rows = strip_rows.min(rows - first);
            let mut part = 0;
            for input in self.inputs {
                for row in 0..strip_rows {
                    for channel in (0..input.view.channels).step_by(V::LANES) {
                        let to = row * columns * n_in + part + channel;
                        let to = (&mut *vs, v, to);
                        match input.scale {
                            Scale::Same => same::<V>(input, columns, first + row, channel, to),
                            Scale::Half => half::<V>(input, columns, first + row, channel, to),
                        }
                    }
                }
                part += input.view.channels;
            }
            let n_tiles = strip_rows * columns;
            for k in 0..N_PRODUCTS {
                let is_zero = k / 6 == 2 || k % 6 == 2;
                let parts = self.inputs.iter();
                let parts = parts.map(|i| (i.has_zeros(), i.view.channels));
                let from = channels_of(is_zero, parts);
                let weight = &self.products[k * n_in * n_out..][..n_in * n_out];
                Forward {
                    xs: vs,
                    x: v.view(k, n_tiles, from),
                    weight: &weight[from.0 * n_out..],
                    weight_row: n_out,
                    ys: ms,
                    y: m.view(k, n_tiles, (0, n_out)),
                    kernel_height: 1,
                    kernel_width: 1,
                    stride: 1,
                    start: Start::Zero,
                    finish: Finish::Keep,
                }
                .run::<V>();
            }
            for row in 0..strip_rows {
                for channel in (0..n_out).step_by(V::LANES) {
                    let from = row * columns * n_out + channel;
                    self.output::<V>(first + row, channel, (&*ms, m, from));
                }
            }
            first += strip_rows;
        }
    }
}

impl Convolve<'_> {
    /// Aᵀ M A of the tiles in a row, finished and written, for the channels of one vector.
    #[inline(always)]
    #[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
    fn output<V: Vector>(
        &mut self,
        row: usize,
        channel: usize,
        (ms, m, from): (&[f32], Matrices, usize),
    ) {
        let n = self.size.1 / 4;
        let last = from + (n - 1) * m.channels + (N_PRODUCTS - 1) * m.stride;
        assert!(
            last + V::LANES <= ms.len(),
            "the strip's matrices hold its tiles"
        );
        let bias = V::load(&self.bias[channel..]);
        for tile in 0..n {
            let mut columns = [[V::splat(0.0); 4]; 6];
            for (j, to) in columns.iter_mut().enumerate() {
                let mut products = [V::splat(0.0); 6];
                for (i, product) in products.iter_mut().enumerate() {
                    let at = from + tile * m.channels + (6 * i + j) * m.stride;
                    // SAFETY: `tile` < n, i < 6 and j < 6: at most the vector that was just checked.
                    *product = unsafe { V::load_ptr(ms.as_ptr().add(at)) };
                }
                *to = times_a(products);
            }
            let [a, b, c, d, e, f] = columns;
            let mut pixels = [[V::splat(0.0); 4]; 4];
            for (i, pixels) in pixels.iter_mut().enumerate() {
                *pixels = times_a([a[i], b[i], c[i], d[i], e[i], f[i]]);
                for pixel in pixels {
                    *pixel = self.finished(*pixel, bias);
                }
            }
            self.write(pixels, (row, tile), channel);
        }
    }

    #[inline(always)]
    fn finished<V: Vector>(&self, sum: V, bias: V) -> V {
        let value = sum.add(bias);
        if self.is_relu { value.relu() } else { value }
    }

    #[inline(always)]
    fn write<V: Vector>(
        &mut self,
        pixels: [[V; 4]; 4],
        (row, tile): (usize, usize),
        channel: usize,
    ) {
        match self.pool {
            Pool::None => {
                for (i, pixels) in pixels.into_iter().enumerate() {
                    for (j, pixel) in pixels.into_iter().enumerate() {
                        let to = self.y.at(4 * row + i, 4 * tile + j) + channel;
                        pixel.store(&mut self.ys[to..]);
                    }
                }
            }
            Pool::Maximum => {
                for i in 0..2 {
                    for j in 0..2 {
                        // In row order, as max-pooling compares them.
                        let mut best = pixels[2 * i][2 * j];
                        for next in [
                            pixels[2 * i][2 * j + 1],
                            pixels[2 * i + 1][2 * j],
                            pixels[2 * i + 1][2 * j + 1],
                        ] {
                            best = next.select_gt(best, next, best);
                        }
                        let to = self.y.at(2 * row + i, 2 * tile + j) + channel;
                        best.store(&mut self.ys[to..]);
                    }
                }
            }
        }
    }
}
