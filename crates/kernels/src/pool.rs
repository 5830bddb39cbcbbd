//! Max-pooling over non-overlapping squares and nearest upsampling, with their gradients.
//!
//! Vectors run over the channels. Nothing is saved for the backward pass: the first maximum of a square is found again by
//! comparing its pixels, in row order, with their maximum.

use crate::simd::{Kernel, Vector};
use crate::{Accumulate, Finish, Level, View};

/// The maximum of every `side`×`side` square of `x`; a last row or column that fills no square is left out.
///
/// # Panics
/// When a view leaves its slice, or `y` has not `x.height / side` rows and `x.width / side` columns.
pub fn max_pool(level: Level, side: usize, (xs, x): (&[f32], View), (ys, y): (&mut [f32], View)) {
    x.check_vectors(xs.len());
    y.check_vectors(ys.len());
    check_squares(side, &x, &y);
    level.run(MaxPool { side, xs, x, ys, y });
}

/// The gradient of [`max_pool`]'s input: each square's goes to its first maximum in row order.
///
/// # Panics
/// As [`max_pool`], and when `dx` has another shape than `x`.
pub fn max_pool_gradient(
    level: Level,
    side: usize,
    (xs, x): (&[f32], View),
    (dys, dy): (&[f32], View),
    (dxs, dx): (&mut [f32], View),
    accumulate: Accumulate,
    finish: Finish<'_>,
) {
    x.check_vectors(xs.len());
    dy.check_vectors(dys.len());
    dx.check_vectors(dxs.len());
    check_squares(side, &x, &dy);
    x.check_same(&dx);
    finish.check(&dx);
    level.run(MaxPoolGradient {
        side,
        xs,
        x,
        dys,
        dy,
        dxs,
        dx,
        accumulate,
        finish,
    });
}

/// Every pixel of `x` as a `side`×`side` square of `y`.
///
/// # Panics
/// When a view leaves its slice, or `y` has not `side` times the rows and columns of `x`.
pub fn upsample(level: Level, side: usize, (xs, x): (&[f32], View), (ys, y): (&mut [f32], View)) {
    x.check_vectors(xs.len());
    y.check_vectors(ys.len());
    check_exact_squares(side, &y, &x);
    level.run(Upsample { side, xs, x, ys, y });
}

/// The gradient of [`upsample`]'s input: the sum over each square.
///
/// # Panics
/// As [`upsample`].
pub fn upsample_gradient(
    level: Level,
    side: usize,
    (dys, dy): (&[f32], View),
    (dxs, dx): (&mut [f32], View),
    accumulate: Accumulate,
    finish: Finish<'_>,
) {
    dy.check_vectors(dys.len());
    dx.check_vectors(dxs.len());
    check_exact_squares(side, &dy, &dx);
    finish.check(&dx);
    level.run(UpsampleGradient {
        side,
        dys,
        dy,
        dxs,
        dx,
        accumulate,
        finish,
    });
}

fn check_squares(side: usize, fine: &View, coarse: &View) {
    assert!(side > 0, "a square has pixels");
    assert_eq!(
        (fine.height / side, fine.width / side, fine.channels),
        (coarse.height, coarse.width, coarse.channels),
        "squares of {side}×{side}"
    );
}

fn check_exact_squares(side: usize, fine: &View, coarse: &View) {
    assert_eq!(
        (coarse.height * side, coarse.width * side, coarse.channels),
        (fine.height, fine.width, fine.channels),
        "squares of {side}×{side}"
    );
}

struct MaxPool<'a> {
    side: usize,
    xs: &'a [f32],
    x: View,
    ys: &'a mut [f32],
    y: View,
}

impl Kernel for MaxPool<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for row in 0..self.y.height {
            for column in 0..self.y.width {
                for channel in (0..self.y.channels).step_by(V::LANES) {
                    let first = self.x.at(row * self.side, column * self.side) + channel;
                    let best = maximum::<V>(self.xs, &self.x, self.side, first);
                    best.store(&mut self.ys[self.y.at(row, column) + channel..]);
                }
            }
        }
    }
}

/// The maximum of the `side`×`side` square whose first value is at `first`.
#[inline(always)]
fn maximum<V: Vector>(xs: &[f32], x: &View, side: usize, first: usize) -> V {
    let mut best = V::load(&xs[first..]);
    for dy in 0..side {
        for dx in 0..side {
            let next = V::load(&xs[first + dy * x.row + dx * x.pixel..]);
            best = next.select_gt(best, next, best);
        }
    }
    best
}

struct MaxPoolGradient<'a> {
    side: usize,
    xs: &'a [f32],
    x: View,
    dys: &'a [f32],
    dy: View,
    dxs: &'a mut [f32],
    dx: View,
    accumulate: Accumulate,
    finish: Finish<'a>,
}

impl Kernel for MaxPoolGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        // A side known to the compiler leaves straight code.
        match (self.side, self.accumulate) {
            (2, Accumulate::Write) => self.squares::<V>(2, Accumulate::Write),
            (2, Accumulate::Add) => self.squares::<V>(2, Accumulate::Add),
            (side, accumulate) => self.squares::<V>(side, accumulate),
        }
        // What fills no square has no share in the output.
        let (height, width) = (self.dy.height * self.side, self.dy.width * self.side);
        for row in 0..self.dx.height {
            let first = if row < height { width } else { 0 };
            for column in first..self.dx.width {
                for channel in (0..self.dx.channels).step_by(V::LANES) {
                    let to = &mut self.dxs[self.dx.at(row, column) + channel..];
                    let sum = self.accumulate.onto(to, V::splat(0.0));
                    self.finish.apply(sum, row, column, channel).store(to);
                }
            }
        }
    }
}

impl MaxPoolGradient<'_> {
    #[inline(always)]
    fn squares<V: Vector>(&mut self, side: usize, accumulate: Accumulate) {
        for row in 0..self.dy.height {
            for column in 0..self.dy.width {
                for channel in (0..self.dy.channels).step_by(V::LANES) {
                    self.square::<V>((side, accumulate), row, column, channel);
                }
            }
        }
    }

    #[inline(always)]
    fn square<V: Vector>(
        &mut self,
        (side, accumulate): (usize, Accumulate),
        row: usize,
        column: usize,
        channel: usize,
    ) {
        let zero = V::splat(0.0);
        let first = self.x.at(row * side, column * side) + channel;
        let to = self.dx.at(row * side, column * side) + channel;
        let best = maximum::<V>(self.xs, &self.x, side, first);
        let mut left = V::load(&self.dys[self.dy.at(row, column) + channel..]);
        for dy in 0..side {
            for dx in 0..side {
                let x = V::load(&self.xs[first + dy * self.x.row + dx * self.x.pixel..]);
                let share = x.select_eq(best, left, zero);
                left = x.select_eq(best, zero, left);
                let to = &mut self.dxs[to + dy * self.dx.row + dx * self.dx.pixel..];
                let sum = accumulate.onto(to, share);
                let (row, column) = (row * side + dy, column * side + dx);
                self.finish.apply(sum, row, column, channel).store(to);
            }
        }
    }
}

struct Upsample<'a> {
    side: usize,
    xs: &'a [f32],
    x: View,
    ys: &'a mut [f32],
    y: View,
}

impl Kernel for Upsample<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for row in 0..self.y.height {
            for column in 0..self.x.width {
                for channel in (0..self.x.channels).step_by(V::LANES) {
                    let x = V::load(&self.xs[self.x.at(row / self.side, column) + channel..]);
                    for dx in 0..self.side {
                        let to = self.y.at(row, column * self.side + dx) + channel;
                        x.store(&mut self.ys[to..]);
                    }
                }
            }
        }
    }
}

struct UpsampleGradient<'a> {
    side: usize,
    dys: &'a [f32],
    dy: View,
    dxs: &'a mut [f32],
    dx: View,
    accumulate: Accumulate,
    finish: Finish<'a>,
}

impl Kernel for UpsampleGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for row in 0..self.dx.height {
            for column in 0..self.dx.width {
                for channel in (0..self.dx.channels).step_by(V::LANES) {
                    let first = self.dy.at(row * self.side, column * self.side) + channel;
                    let mut sum = V::splat(0.0);
                    for dy in 0..self.side {
                        for dx in 0..self.side {
                            let at = first + dy * self.dy.row + dx * self.dy.pixel;
                            sum = sum.add(V::load(&self.dys[at..]));
                        }
                    }
                    let to = &mut self.dxs[self.dx.at(row, column) + channel..];
                    let sum = self.accumulate.onto(to, sum);
                    self.finish.apply(sum, row, column, channel).store(to);
                }
            }
        }
    }
}
