//! The gradients of a convolution's weights and bias.
//!
//! ```text
//! for each band of output rows that fits the first-level cache:
//!     for each kernel row, each tile of R positions (kernel column, input channel), each N vectors of output channels:
//!         acc[R][N] = the gradient so far
//!         for each pixel of the band:
//!             acc[r][n] += x[pixel + r] · dy[pixel][n]       an outer product
//!         write acc
//! ```
//!
//! Every weight is one chain of fused multiply-adds over the pixels in row order, whatever the band or the tile.

use super::{kernel_size, n_weights};
use crate::simd::{Kernel, Vector};
use crate::{Level, View};

/// Bytes of input and gradient that a band of rows may take: half of a first-level cache.
const BAND_BYTES: usize = 24 * 1024;

/// Adds the gradient of the weights to `gradient`, in the layout of the weights of [`forward`](super::forward).
///
/// `x` is the padded input in `xs`, `dy` the gradient of the output in `dys`, without border.
///
/// # Panics
/// When a view leaves its slice, or a shape does not fit.
pub fn weight_gradient(
    level: Level,
    xs: (&[f32], View),
    dys: (&[f32], View),
    gradient: &mut [f32],
) {
    strided_weight_gradient(level, 1, xs, dys, gradient);
}

/// [`weight_gradient`] of a convolution with a stride, [`strided`](super::strided).
///
/// # Panics
/// As [`weight_gradient`], and when the stride is 0.
pub fn strided_weight_gradient(
    level: Level,
    stride: usize,
    (xs, x): (&[f32], View),
    (dys, dy): (&[f32], View),
    gradient: &mut [f32],
) {
    x.check(xs.len());
    dy.check_vectors(dys.len());
    let (kernel_height, kernel_width) = kernel_size(x, dy, stride);
    assert_eq!(
        gradient.len(),
        n_weights((kernel_height, kernel_width), x, dy),
        "one gradient for each weight"
    );
    level.run(WeightGradient {
        xs,
        x,
        dys,
        dy,
        gradient,
        kernel_height,
        kernel_width,
        stride,
    });
}

/// Adds the sum of `dy` over its pixels to `gradient`.
///
/// # Panics
/// When the view leaves its slice, or `gradient` has another number of channels.
pub fn bias_gradient(level: Level, (dys, dy): (&[f32], View), gradient: &mut [f32]) {
    dy.check_vectors(dys.len());
    assert_eq!(gradient.len(), dy.channels, "one gradient for each channel");
    level.run(BiasGradient { dys, dy, gradient });
}

pub(super) struct WeightGradient<'a> {
    pub(super) xs: &'a [f32],
    pub(super) x: View,
    pub(super) dys: &'a [f32],
    pub(super) dy: View,
    pub(super) gradient: &'a mut [f32],
    pub(super) kernel_height: usize,
    pub(super) kernel_width: usize,
    pub(super) stride: usize,
}

/// Where a tile of weights lies: the first weight, and the input value that belongs to output pixel (0, 0).
#[derive(Clone, Copy)]
struct Tile {
    weight: usize,
    x: usize,
    out_channel: usize,
    rows: (usize, usize),
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let row_bytes = 4 * self.dy.width * (self.x.channels + self.dy.channels);
        let band = (BAND_BYTES / row_bytes.max(1)).max(1);
        let mut first = 0;
        while first < self.dy.height {
            let rows = (first, self.dy.height.min(first + band));
            for kernel_row in 0..self.kernel_height {
                self.kernel_row::<V>(kernel_row, rows);
            }
            first = rows.1;
        }
    }
}

impl WeightGradient<'_> {
    #[inline(always)]
    fn kernel_row<V: Vector>(&mut self, kernel_row: usize, rows: (usize, usize)) {
        // Pixels without a gap between them make one run of a kernel row.
        let (runs, run) = if self.x.channels == self.x.pixel {
            (1, self.kernel_width * self.x.pixel)
        } else {
            (self.kernel_width, self.x.channels)
        };
        for r in 0..runs {
            let tile = Tile {
                weight: (kernel_row * runs + r) * run * self.dy.channels,
                x: self.x.at(kernel_row, r),
                out_channel: 0,
                rows,
            };
            let n_vectors = self.dy.channels / V::LANES;
            let mut done = 0;
            while done < n_vectors {
                let tile = Tile {
                    out_channel: done * V::LANES,
                    ..tile
                };
                done += if n_vectors - done == 1 {
                    self.run_of::<V, 16, 1>(tile, run)
                } else if V::LANES == 16 {
                    self.run_of::<V, 8, 2>(tile, run)
                } else {
                    // 16 registers: twelve sums, two gradients and a pixel.
                    self.run_of::<V, 6, 2>(tile, run)
                };
            }
        }
    }

    /// The `run` positions that begin at the tile, in tiles of `R` and then fewer; gives back `N`.
    #[inline(always)]
    fn run_of<V: Vector, const R: usize, const N: usize>(
        &mut self,
        tile: Tile,
        run: usize,
    ) -> usize {
        let channels = self.dy.channels;
        let at = |done: usize| Tile {
            weight: tile.weight + done * channels,
            x: tile.x + done,
            ..tile
        };
        let mut done = 0;
        while done + R <= run {
            self.tile::<V, R, N>(at(done));
            done += R;
        }
        while done + 4 <= run {
            self.tile::<V, 4, N>(at(done));
            done += 4;
        }
        while done + 3 <= run {
            self.tile::<V, 3, N>(at(done));
            done += 3;
        }
        while done < run {
            self.tile::<V, 1, N>(at(done));
            done += 1;
        }
        N
    }

    #[inline(always)]
    #[expect(unsafe_code, reason = "the inner loop, free of bounds checks")]
    fn tile<V: Vector, const R: usize, const N: usize>(&mut self, tile: Tile) {
        let stride = self.dy.channels;
        let at = |r: usize, n: usize| tile.weight + r * stride + tile.out_channel + n * V::LANES;
        let mut acc = [[V::splat(0.0); N]; R];
        for (r, acc) in acc.iter_mut().enumerate() {
            for (n, sum) in acc.iter_mut().enumerate() {
                *sum = V::load(&self.gradient[at(r, n)..]);
            }
        }
        let (row_step, pixel_step) = (self.stride * self.x.row, self.stride * self.x.pixel);
        for row in tile.rows.0..tile.rows.1 {
            // SAFETY: `weight_gradient` checked that both views lie in their slices. Row `row` of the tile's position is
            // row `row · stride + kernel_row` of `x`, its `R` values at each of `dy.width` pixels are values of that row; the
            // same pixel of `dy` has `out_channel + N·LANES ≤ channels` values.
            unsafe {
                let mut x = self.xs.as_ptr().wrapping_add(tile.x + row * row_step);
                let mut dy = self
                    .dys
                    .as_ptr()
                    .wrapping_add(self.dy.at(row, 0) + tile.out_channel);
                for _ in 0..self.dy.width {
                    let mut dys = [V::splat(0.0); N];
                    for (n, dys) in dys.iter_mut().enumerate() {
                        *dys = V::load_ptr(dy.add(n * V::LANES));
                    }
                    for (r, acc) in acc.iter_mut().enumerate() {
                        let value = V::splat(*x.add(r));
                        for (acc, dy) in acc.iter_mut().zip(dys) {
                            *acc = value.mul_add(dy, *acc);
                        }
                    }
                    x = x.wrapping_add(pixel_step);
                    dy = dy.wrapping_add(self.dy.pixel);
                }
            }
        }
        for (r, acc) in acc.into_iter().enumerate() {
            for (n, sum) in acc.into_iter().enumerate() {
                sum.store(&mut self.gradient[at(r, n)..]);
            }
        }
    }
}

struct BiasGradient<'a> {
    dys: &'a [f32],
    dy: View,
    gradient: &'a mut [f32],
}

impl Kernel for BiasGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for first in (0..self.dy.channels).step_by(V::LANES) {
            let mut total = V::load(&self.gradient[first..]);
            // Row by row, so that a sum of thousands keeps its small terms.
            for row in 0..self.dy.height {
                let mut sum = V::splat(0.0);
                for column in 0..self.dy.width {
                    sum = sum.add(V::load(&self.dys[self.dy.at(row, column) + first..]));
                }
                total = total.add(sum);
            }
            total.store(&mut self.gradient[first..]);
        }
    }
}
