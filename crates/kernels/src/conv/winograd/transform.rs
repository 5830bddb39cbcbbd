//! Between images and the 16 matrices of a strip: Bᵀ d B, A dy Aᵀ and Aᵀ M A, vectors of channels at a time.
//!
//! ```text
//!      ⎡1  0 −1  0⎤        ⎡1  1  1  0⎤
//! Bᵀ = ⎢0  1  1  0⎥   Aᵀ = ⎣0  1 −1 −1⎦
//!      ⎢0 −1  1  0⎥
//!      ⎣0  1  0 −1⎦
//! ```
//!
//! Each column of pixels is transformed once and used by the two tiles that share it.

use super::{Input, Matrices, Output, Scale, Square};
use crate::conv::Start;
use crate::simd::Vector;
use crate::{Finish, View};

/// Some rows of tiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strip {
    pub(super) first_row: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Strip {
    pub(super) fn n_tiles(self) -> usize {
        self.rows * self.columns
    }
}

/// V of all inputs, one after another in the channels.
#[inline(always)]
pub(super) fn inputs<V: Vector>(
    inputs: &[Input<'_>],
    strip: Strip,
    (vs, v): (&mut [f32], Matrices),
) {
    let mut first = 0;
    for input in inputs {
        for row in 0..strip.rows {
            for channel in (0..input.view.channels).step_by(V::LANES) {
                let to = row * strip.columns * v.channels + first + channel;
                let tiles = Tiles {
                    n: strip.columns,
                    to,
                    matrices: v,
                };
                let row = strip.first_row + row;
                match input.scale {
                    Scale::Same => {
                        let from = input.view.at(2 * row, 0) + channel;
                        same::<V>((input.values, input.view), from, vs, tiles);
                    }
                    Scale::Half => {
                        let from = input.view.at(row, 0) + channel;
                        half::<V>((input.values, input.view), from, vs, tiles);
                    }
                }
            }
        }
        first += input.view.channels;
    }
}

/// A row of tiles and where its first vector goes in the first matrix.
#[derive(Debug, Clone, Copy)]
struct Tiles {
    n: usize,
    to: usize,
    matrices: Matrices,
}

impl Tiles {
    /// # Panics
    /// When a slice of `len` values does not hold all vectors of the row.
    #[inline(always)]
    fn check<V: Vector>(self, len: usize) {
        let last = self.to + 15 * self.matrices.stride + (self.n - 1) * self.matrices.channels;
        assert!(
            self.n > 0 && last + V::LANES <= len,
            "the strip's matrices hold its tiles"
        );
    }

    /// Aᵀ M A of a tile, without bias.
    ///
    /// # Safety
    /// [`Tiles::check`] found room for all vectors, and `tile` < `n`.
    #[inline(always)]
    #[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
    unsafe fn square<V: Vector>(self, ms: &[f32], tile: usize) -> [[V; 2]; 2] {
        let (mut top, mut bottom) = ([V::splat(0.0); 4], [V::splat(0.0); 4]);
        for (j, (top, bottom)) in top.iter_mut().zip(&mut bottom).enumerate() {
            let mut column = [V::splat(0.0); 4];
            for (i, value) in column.iter_mut().enumerate() {
                // SAFETY: the caller says that this tile lies in the slice.
                *value = unsafe { self.product::<V>(ms, tile, i, j) };
            }
            [*top, *bottom] = times_a(column);
        }
        [times_a(top), times_a(bottom)]
    }

    /// A vector of a tile, of the matrix in row `i` and column `j` of the 4×4.
    ///
    /// # Safety
    /// [`Tiles::check`] found room for all vectors, `tile` < `n`, `i` < 4 and `j` < 4.
    #[inline(always)]
    #[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
    unsafe fn product<V: Vector>(self, ms: &[f32], tile: usize, i: usize, j: usize) -> V {
        let at = self.to + tile * self.matrices.channels + (4 * i + j) * self.matrices.stride;
        // SAFETY: the caller says that this vector lies in the slice.
        unsafe { V::load_ptr(ms.as_ptr().add(at)) }
    }
}

/// # Panics
/// When `rows` × `columns` pixels from `from` on leave a slice of `len` values.
#[inline(always)]
fn check_pixels<V: Vector>(view: View, from: usize, (rows, columns): (usize, usize), len: usize) {
    let last = from + (rows - 1) * view.row + (columns - 1) * view.pixel;
    assert!(last + V::LANES <= len, "the image holds its tiles");
}

/// Bᵀ times a vector of four.
#[inline(always)]
fn times_b<V: Vector>([a, b, c, d]: [V; 4]) -> [V; 4] {
    [a.sub(c), b.add(c), c.sub(b), b.sub(d)]
}

/// Bᵀ times [a, b, b, c], but for its zero.
#[inline(always)]
fn times_b_half<V: Vector>([a, b, c]: [V; 3]) -> [V; 3] {
    [a.sub(b), b.add(b), b.sub(c)]
}

/// Aᵀ times a vector of four.
#[inline(always)]
fn times_a<V: Vector>([a, b, c, d]: [V; 4]) -> [V; 2] {
    [a.add(b).add(c), b.sub(c).sub(d)]
}

/// The sum of Aᵀ times a vector of four, whose third value does not matter.
#[inline(always)]
fn times_a_summed<V: Vector>([a, b, d]: [V; 3]) -> V {
    a.add(b.add(b)).sub(d)
}

/// A times a vector of two.
#[inline(always)]
fn spread<V: Vector>([a, b]: [V; 2]) -> [V; 4] {
    [a, a.add(b), a.sub(b), V::splat(0.0).sub(b)]
}

/// Pixels one above the other.
///
/// # Safety
/// The vectors at `at` and `N` − 1 rows below can be read.
#[inline(always)]
#[expect(unsafe_code, reason = "inner loops, free of bounds checks")]
unsafe fn column<V: Vector, const N: usize>(at: *const f32, row: usize) -> [V; N] {
    let mut pixels = [V::splat(0.0); N];
    for (i, pixel) in pixels.iter_mut().enumerate() {
        // SAFETY: the caller says that this row can be read.
        *pixel = unsafe { V::load_ptr(at.add(i * row)) };
    }
    pixels
}

#[inline(always)]
#[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
fn same<V: Vector>((xs, x): (&[f32], View), from: usize, vs: &mut [f32], tiles: Tiles) {
    check_pixels::<V>(x, from, (4, 2 * tiles.n + 2), xs.len());
    tiles.check::<V>(vs.len());
    let stride = tiles.matrices.stride;
    // SAFETY: the pixels read are rows 0 to 3 and columns 0 to 2n + 1 from `from` on, and the vectors written are those of
    // tiles 0 to n − 1 in matrices 0 to 15; both were just checked to lie in their slices.
    unsafe {
        let xs = xs.as_ptr().add(from);
        let mut a = times_b(column::<V, 4>(xs, x.row));
        let mut b = times_b(column::<V, 4>(xs.add(x.pixel), x.row));
        for tile in 0..tiles.n {
            let c = times_b(column::<V, 4>(xs.add((2 * tile + 2) * x.pixel), x.row));
            let d = times_b(column::<V, 4>(xs.add((2 * tile + 3) * x.pixel), x.row));
            let to = vs
                .as_mut_ptr()
                .add(tiles.to + tile * tiles.matrices.channels);
            for i in 0..4 {
                let products = times_b([a[i], b[i], c[i], d[i]]);
                for (j, product) in products.into_iter().enumerate() {
                    product.store_ptr(to.add((4 * i + j) * stride));
                }
            }
            (a, b) = (c, d);
        }
    }
}

#[inline(always)]
#[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
fn half<V: Vector>((xs, x): (&[f32], View), from: usize, vs: &mut [f32], tiles: Tiles) {
    check_pixels::<V>(x, from, (3, tiles.n + 2), xs.len());
    tiles.check::<V>(vs.len());
    let stride = tiles.matrices.stride;
    // SAFETY: the pixels read are rows 0 to 2 and columns 0 to n + 1 from `from` on, and the vectors written are those of
    // tiles 0 to n − 1 in some of the matrices 0 to 15; both were just checked to lie in their slices.
    unsafe {
        let xs = xs.as_ptr().add(from);
        let mut a = times_b_half(column::<V, 3>(xs, x.row));
        let mut b = times_b_half(column::<V, 3>(xs.add(x.pixel), x.row));
        for tile in 0..tiles.n {
            let c = times_b_half(column::<V, 3>(xs.add((tile + 2) * x.pixel), x.row));
            let to = vs
                .as_mut_ptr()
                .add(tiles.to + tile * tiles.matrices.channels);
            for (i, row) in [0, 1, 3].into_iter().enumerate() {
                let [p, q, r] = times_b_half([a[i], b[i], c[i]]);
                for (product, column) in [(p, 0), (q, 1), (r, 3)] {
                    product.store_ptr(to.add((4 * row + column) * stride));
                }
            }
            (a, b) = (b, c);
        }
    }
}

/// A dy Aᵀ of an output's gradient, for the gradient of the weights.
#[inline(always)]
#[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
pub(super) fn gradient<V: Vector>(
    (dys, dy): (&[f32], View),
    strip: Strip,
    (ws, w): (&mut [f32], Matrices),
) {
    for row in 0..strip.rows {
        for channel in (0..dy.channels).step_by(V::LANES) {
            let tiles = Tiles {
                n: strip.columns,
                to: row * strip.columns * w.channels + channel,
                matrices: w,
            };
            let from = dy.at(2 * (strip.first_row + row), 0) + channel;
            check_pixels::<V>(dy, from, (2, 2 * strip.columns), dys.len());
            tiles.check::<V>(ws.len());
            for tile in 0..tiles.n {
                // SAFETY: the pixels read are rows 0 and 1 and columns 0 to 2n − 1 from `from` on, and the vectors written
                // are those of tiles 0 to n − 1 in matrices 0 to 15; both were just checked to lie in their slices.
                unsafe {
                    let at = dys.as_ptr().add(from + 2 * tile * dy.pixel);
                    let left = spread(column::<V, 2>(at, dy.row));
                    let right = spread(column::<V, 2>(at.add(dy.pixel), dy.row));
                    let to = ws.as_mut_ptr().add(tiles.to + tile * w.channels);
                    for i in 0..4 {
                        let products = spread([left[i], right[i]]);
                        for (j, product) in products.into_iter().enumerate() {
                            product.store_ptr(to.add((4 * i + j) * w.stride));
                        }
                    }
                }
            }
        }
    }
}

/// Aᵀ M A of the channels from `first` on, or its sum or maximum over each tile, into the output.
#[inline(always)]
pub(super) fn output<V: Vector>(
    (ms, m): (&[f32], Matrices),
    first: usize,
    strip: Strip,
    output: &mut Output<'_>,
) {
    let (square, mut writer) = (output.square, Writer::new(output));
    for row in 0..strip.rows {
        for channel in (0..writer.view.channels).step_by(V::LANES) {
            let tiles = Tiles {
                n: strip.columns,
                to: row * strip.columns * m.channels + first + channel,
                matrices: m,
            };
            let row = strip.first_row + row;
            match square {
                Square::Pixels => squares::<V>(ms, tiles, row, channel, &mut writer),
                Square::Sum => sums::<V>(ms, tiles, row, channel, &mut writer),
                Square::Maximum => maxima::<V>(ms, tiles, row, channel, &mut writer),
            }
        }
    }
}

/// Squares of 2×2 pixels in a row of the image.
#[inline(always)]
#[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
fn squares<V: Vector>(
    ms: &[f32],
    tiles: Tiles,
    row: usize,
    channel: usize,
    writer: &mut Writer<'_>,
) {
    tiles.check::<V>(ms.len());
    let bias = writer.bias::<V>(channel);
    for tile in 0..tiles.n {
        // SAFETY: the tiles of this row, of which this is one, were just checked.
        let square = unsafe { tiles.square::<V>(ms, tile) };
        for (y, sums) in square.into_iter().enumerate() {
            for (x, sum) in sums.into_iter().enumerate() {
                writer.write(sum, bias, (2 * row + y, 2 * tile + x), channel);
            }
        }
    }
}

/// The greatest of each 2×2 pixels, compared in row order as max-pooling does.
#[inline(always)]
#[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
fn maxima<V: Vector>(
    ms: &[f32],
    tiles: Tiles,
    row: usize,
    channel: usize,
    writer: &mut Writer<'_>,
) {
    tiles.check::<V>(ms.len());
    let bias = writer.bias::<V>(channel);
    for tile in 0..tiles.n {
        // SAFETY: the tiles of this row, of which this is one, were just checked.
        let [[a, b], [c, d]] = unsafe { tiles.square::<V>(ms, tile) };
        let mut best = writer.finished(a, bias);
        for sum in [b, c, d] {
            let next = writer.finished(sum, bias);
            best = next.select_gt(best, next, best);
        }
        best.store(writer.at(row, tile, channel));
    }
}

/// Sums over squares of 2×2 pixels in a row of the image.
#[inline(always)]
#[expect(unsafe_code, reason = "an inner loop, free of bounds checks")]
fn sums<V: Vector>(ms: &[f32], tiles: Tiles, row: usize, channel: usize, writer: &mut Writer<'_>) {
    tiles.check::<V>(ms.len());
    let bias = writer.bias::<V>(channel);
    for tile in 0..tiles.n {
        let mut columns = [V::splat(0.0); 3];
        for (sum, j) in columns.iter_mut().zip([0, 1, 3]) {
            let mut column = [V::splat(0.0); 3];
            for (value, i) in column.iter_mut().zip([0, 1, 3]) {
                // SAFETY: the tiles of this row, of which this is one, were just checked.
                *value = unsafe { tiles.product::<V>(ms, tile, i, j) };
            }
            *sum = times_a_summed(column);
        }
        writer.write(times_a_summed(columns), bias, (row, tile), channel);
    }
}

/// An output's parts as values of their own, which the compiler can keep in registers.
struct Writer<'a> {
    ys: &'a mut [f32],
    view: View,
    start: Start<'a>,
    finish: Finish<'a>,
}

impl<'a> Writer<'a> {
    #[inline(always)]
    fn new(output: &'a mut Output<'_>) -> Self {
        Self {
            ys: output.values,
            view: output.view,
            start: output.start,
            finish: output.finish,
        }
    }

    /// What is added to every sum of a channel.
    #[inline(always)]
    fn bias<V: Vector>(&self, channel: usize) -> V {
        match self.start {
            Start::Bias(bias) => V::load(&bias[channel..]),
            Start::Zero | Start::Existing => V::splat(0.0),
        }
    }

    #[inline(always)]
    fn write<V: Vector>(&mut self, sum: V, bias: V, (row, column): (usize, usize), channel: usize) {
        let (start, finish) = (self.start, self.finish);
        let to = self.at(row, column, channel);
        let value = match start {
            Start::Existing => sum.add(V::load(to)),
            Start::Zero | Start::Bias(_) => sum.add(bias),
        };
        finish.apply(value, row, column, channel).store(to);
    }

    /// A sum with its bias, after ReLU if there is one. Masks and existing values belong to pixels that are written.
    #[inline(always)]
    fn finished<V: Vector>(&self, sum: V, bias: V) -> V {
        let value = sum.add(bias);
        match self.finish {
            Finish::Relu => value.relu(),
            Finish::Keep | Finish::Mask(..) => value,
        }
    }

    #[inline(always)]
    fn at(&mut self, row: usize, column: usize, channel: usize) -> &mut [f32] {
        &mut self.ys[self.view.at(row, column) + channel..]
    }
}
