//! Direct convolution, which is also the gradient of a convolution's input and the linear layer.
//!
//! ```text
//! for each group of output channels (N vectors), each output row, each tile of P pixels in it:
//!     acc[P][N] = bias, zero, or what is there
//!     for each kernel row:
//!         for each (kernel column, input channel), which lie side by side in memory:
//!             w[N] = the weights of this position, N vectors of output channels
//!             acc[p][n] += x[p] · w[n]        for all p, n: a broadcast and N fused multiply-adds a pixel
//!     write acc, or its ReLU, or acc where a mask is positive
//! ```
//!
//! Every output is one chain of fused multiply-adds over (kernel row, kernel column, input channel), whatever the tile.
//! Pixel strides that networks have are compile-time constants: 16 pixels are then 16 displacements from one pointer,
//! where a run-time stride needs more pointers than there are registers. A convolution with a stride of its own, whose
//! neighbouring outputs read pixels further apart, always takes the run-time path.

mod gradient;
mod turn;
pub mod winograd;

use crate::simd::{Kernel, Vector};
use crate::{Finish, Level, View};

pub use gradient::{bias_gradient, strided_weight_gradient, weight_gradient};
pub use turn::turned;

/// What a sum begins with.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// The output channel's value here.
    Bias(&'a [f32]),
    /// Nothing.
    Zero,
    /// What the output already holds.
    Existing,
}

/// The cross-correlation of `xs` with `weight`, without padding and with stride 1, into `ys`.
///
/// `x` is the padded input, `y` the output; the kernel's size is what makes the one fit the other:
/// `x.height − y.height + 1` rows. `weight` is `[kernel row][kernel column][x.channels][y.channels]`, `y.channels` a
/// multiple of 16. A linear layer is the case of a 1×1 kernel with the batch's rows as pixels.
///
/// # Panics
/// When a view leaves its slice, or a shape does not fit.
pub fn forward(
    level: Level,
    xs: (&[f32], View),
    weight: &[f32],
    ys: (&mut [f32], View),
    start: Start<'_>,
    finish: Finish<'_>,
) {
    strided(level, 1, xs, weight, ys, start, finish);
}

/// [`forward`] with a stride: output pixel (i, j) begins at input pixel (i · stride, j · stride).
///
/// The kernel has `x.height − (y.height − 1) · stride` rows: an input's last rows that no output reads are not part of the
/// view. The plain path of convolutions; with a stride of 1 it is the fast one.
///
/// # Panics
/// As [`forward`], and when the stride is 0.
///
/// # Examples
///
/// ```
/// use juggle_kernels::conv::{self, Start};
/// use juggle_kernels::{Finish, Level, View};
///
/// // Every second pixel of five, times two.
/// let (xs, x) = ([1.0, 2.0, 3.0, 4.0, 5.0], View::bordered(1, 5, 1, 0));
/// let (mut ys, y) = ([0.0; 3 * 16], View::bordered(1, 3, 16, 0));
/// conv::strided(Level::best(), 2, (&xs, x), &[2.0; 16], (&mut ys, y), Start::Zero, Finish::Keep);
/// assert_eq!([ys[0], ys[16], ys[32]], [2.0, 6.0, 10.0]);
/// ```
pub fn strided(
    level: Level,
    stride: usize,
    (xs, x): (&[f32], View),
    weight: &[f32],
    (ys, y): (&mut [f32], View),
    start: Start<'_>,
    finish: Finish<'_>,
) {
    x.check(xs.len());
    y.check_vectors(ys.len());
    let (kernel_height, kernel_width) = kernel_size(x, y, stride);
    assert_eq!(
        weight.len(),
        n_weights((kernel_height, kernel_width), x, y),
        "one weight for each kernel position and pair of channels"
    );
    if let Start::Bias(bias) = start {
        assert_eq!(bias.len(), y.channels, "one bias for each output channel");
    }
    finish.check(&y);
    level.run(Forward {
        xs,
        x,
        weight,
        weight_row: y.channels,
        ys,
        y,
        kernel_height,
        kernel_width,
        stride,
        start,
        finish,
    });
}

/// Rows and columns of the kernel that takes a padded `x` to `y`.
fn kernel_size(x: View, y: View, stride: usize) -> (usize, usize) {
    // The rows of `x` from the beginning of the last window on; saturating, so that absurd views cannot wrap around into a fit.
    let side = |x: usize, y: usize| {
        let from = y.saturating_mul(stride);
        x.saturating_add(stride).checked_sub(from)
    };
    match (side(x.height, y.height), side(x.width, y.width)) {
        (Some(height @ 1..), Some(width @ 1..)) if stride > 0 => (height, width),
        _ => panic!("{y:?} is no larger than {x:?} at a stride of {stride}"),
    }
}

/// Weights of a kernel between these channels; saturating, so that absurd views cannot wrap around into a fit.
fn n_weights((height, width): (usize, usize), x: View, y: View) -> usize {
    let positions = height.saturating_mul(width);
    positions
        .saturating_mul(x.channels)
        .saturating_mul(y.channels)
}

struct Forward<'a> {
    xs: &'a [f32],
    x: View,
    weight: &'a [f32],
    /// Weights from one position of the kernel and channel of the input to the next.
    weight_row: usize,
    ys: &'a mut [f32],
    y: View,
    kernel_height: usize,
    kernel_width: usize,
    /// Input pixels from one output pixel to the next.
    stride: usize,
    start: Start<'a>,
    finish: Finish<'a>,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        match (self.stride, self.x.pixel) {
            (1, 16) => self.all::<V, 16>(),
            (1, 32) => self.all::<V, 32>(),
            (1, 48) => self.all::<V, 48>(),
            (1, 64) => self.all::<V, 64>(),
            (1, 96) => self.all::<V, 96>(),
            _ => self.all::<V, 0>(),
        }
    }
}

impl Forward<'_> {
    /// All output channels, in groups as wide as the registers allow. `PIXEL` is the input's pixel stride where the
    /// convolution has none of its own, or 0.
    #[inline(always)]
    fn all<V: Vector, const PIXEL: usize>(&mut self) {
        let n_vectors = self.y.channels / V::LANES;
        let mut done = 0;
        while done < n_vectors {
            let first = done * V::LANES;
            done += if V::LANES == 16 {
                match n_vectors - done {
                    1 => self.group::<V, PIXEL, 16, 1>(first),
                    3 => self.group::<V, PIXEL, 8, 3>(first),
                    _ => self.group::<V, PIXEL, 8, 2>(first),
                }
            } else {
                // Eight sums, two weights and a pixel: 11 of 16 registers, or 21 of the 32 of NEON, whose vectors are pairs.
                self.group::<V, PIXEL, 4, 2>(first)
            };
        }
    }

    /// `N` vectors of output channels from `first` on, for the whole image; gives back `N`.
    #[inline(always)]
    fn group<V: Vector, const PIXEL: usize, const P: usize, const N: usize>(
        &mut self,
        first: usize,
    ) -> usize {
        for row in 0..self.y.height {
            let mut column = 0;
            while column + P <= self.y.width {
                self.tile::<V, PIXEL, P, N>(row, column, first);
                column += P;
            }
            while P > 8 && column + 8 <= self.y.width {
                self.tile::<V, PIXEL, 8, N>(row, column, first);
                column += 8;
            }
            while P > 4 && column + 4 <= self.y.width {
                self.tile::<V, PIXEL, 4, N>(row, column, first);
                column += 4;
            }
            while column < self.y.width {
                self.tile::<V, PIXEL, 1, N>(row, column, first);
                column += 1;
            }
        }
        N
    }

    /// `P` pixels from (row, column) on, `N` vectors of channels from `first` on.
    #[inline(always)]
    #[expect(unsafe_code, reason = "the inner loop, free of bounds checks")]
    fn tile<V: Vector, const PIXEL: usize, const P: usize, const N: usize>(
        &mut self,
        row: usize,
        column: usize,
        first: usize,
    ) {
        let (pixel, stride) = match PIXEL {
            0 => (self.x.pixel, self.stride),
            _ => (PIXEL, 1),
        };
        let weight_row = self.weight_row;
        // Pixels without a gap between them make one run of a kernel row.
        let (runs, run) = if self.x.channels == pixel {
            (1, self.kernel_width * pixel)
        } else {
            (self.kernel_width, self.x.channels)
        };
        let mut acc = self.begin::<V, P, N>(row, column, first);
        // SAFETY: `forward` checked that the padded input's view lies in `xs`; the last row of
        // windows ends at x.height = (y.height − 1) · stride + kernel_height, likewise its columns, and column + P ≤ y.width, so every x read is a value of the view. It checked that `weight`
        // holds kernel_height · runs · run rows of `weight_row` values, of which first + N·LANES ≤ weight_row are read; `winograd` made
        // its views inside its scratch memory, and its rows of weights likewise hold all output channels.
        unsafe {
            let mut w = self.weight.as_ptr().wrapping_add(first);
            for kernel_row in 0..self.kernel_height {
                let at = self.x.at(row * stride + kernel_row, column * stride);
                let from = self.xs.as_ptr().add(at);
                for r in 0..runs {
                    let mut x = from.add(r * pixel);
                    for _ in 0..run {
                        let mut weights = [V::splat(0.0); N];
                        for (n, weight) in weights.iter_mut().enumerate() {
                            *weight = V::load_ptr(w.add(n * V::LANES));
                        }
                        for (p, acc) in acc.iter_mut().enumerate() {
                            let value = V::splat(*x.add(p * stride * pixel));
                            for (acc, weight) in acc.iter_mut().zip(weights) {
                                *acc = value.mul_add(weight, *acc);
                            }
                        }
                        x = x.wrapping_add(1);
                        w = w.wrapping_add(weight_row);
                    }
                }
            }
        }
        self.end(acc, row, column, first);
    }

    #[inline(always)]
    #[expect(
        unsafe_code,
        reason = "loads and stores of a tile, free of bounds checks"
    )]
    fn begin<V: Vector, const P: usize, const N: usize>(
        &self,
        row: usize,
        column: usize,
        first: usize,
    ) -> [[V; N]; P] {
        let mut acc = [[V::splat(0.0); N]; P];
        match self.start {
            Start::Zero => {}
            Start::Bias(bias) => {
                for acc in &mut acc {
                    for (n, sum) in acc.iter_mut().enumerate() {
                        *sum = V::load(&bias[first + n * V::LANES..]);
                    }
                }
            }
            Start::Existing => {
                let at = self.y.at(row, column) + first;
                for (p, acc) in acc.iter_mut().enumerate() {
                    for (n, sum) in acc.iter_mut().enumerate() {
                        // SAFETY: as in `end`.
                        *sum = unsafe {
                            let from = self.ys.as_ptr().add(at + p * self.y.pixel);
                            V::load_ptr(from.add(n * V::LANES))
                        };
                    }
                }
            }
        }
        acc
    }

    #[inline(always)]
    #[expect(
        unsafe_code,
        reason = "loads and stores of a tile, free of bounds checks"
    )]
    fn end<V: Vector, const P: usize, const N: usize>(
        &mut self,
        mut acc: [[V; N]; P],
        row: usize,
        column: usize,
        first: usize,
    ) {
        let zero = V::splat(0.0);
        match self.finish {
            Finish::Keep => {}
            Finish::Relu => {
                for acc in &mut acc {
                    for sum in acc {
                        *sum = sum.relu();
                    }
                }
            }
            Finish::Mask(mask, view) => {
                let at = view.at(row, column) + first;
                for (p, acc) in acc.iter_mut().enumerate() {
                    for (n, sum) in acc.iter_mut().enumerate() {
                        // SAFETY: `forward` checked that the mask's view lies in its slice and has the output's shape;
                        // for the pixel and the channels see below.
                        let value = unsafe {
                            let from = mask.as_ptr().add(at + p * view.pixel);
                            V::load_ptr(from.add(n * V::LANES))
                        };
                        *sum = value.select_gt(zero, *sum, zero);
                    }
                }
            }
        }
        let at = self.y.at(row, column) + first;
        for (p, acc) in acc.into_iter().enumerate() {
            for (n, sum) in acc.into_iter().enumerate() {
                // SAFETY: `forward` checked that the output's view lies in `ys`; the tile's P pixels lie in row `row` of it
                // (column + P ≤ y.width), and its N vectors among their channels (first + N·LANES ≤ y.channels).
                unsafe {
                    let to = self.ys.as_mut_ptr().add(at + p * self.y.pixel);
                    sum.store_ptr(to.add(n * V::LANES));
                }
            }
        }
    }
}
