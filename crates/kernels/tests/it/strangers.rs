//! Views and slices that need not fit: a kernel refuses them or does something, but touches nothing outside its slices.
//!
//! Whether it does is for a sanitizer to see: here a crash would, in `fuzz/` AddressSanitizer does.

use std::panic::{AssertUnwindSafe, catch_unwind};

use juggle_kernels::conv::{self, Start};
use juggle_kernels::norm::{self, BatchGradient};
use juggle_kernels::{Accumulate, Finish, Level, View, copy, loss, pool};

use crate::draw::Draw;

/// The longest slice.
const MAX_LEN: usize = 1 << 14;

/// Calls the kernel that the bytes name with what they say; gives back whether it accepted.
pub(crate) fn run(bytes: &[u8]) -> bool {
    let mut draw = Draw(bytes);
    catch_unwind(AssertUnwindSafe(|| call(&mut draw))).is_ok()
}

/// An ordinary view with up to two numbers that are not.
fn view(draw: &mut Draw<'_>) -> View {
    let side = [1, 2, 3, 4, 6, 9, 17];
    let (height, width) = (draw.pick(&side), draw.pick(&side));
    let channels = draw.pick(&[16, 32, 48, 1, 3]);
    let mut view = View::bordered(height, width, channels, draw.below(2));
    for _ in 0..draw.pick(&[0, 0, 1, 2]) {
        let small = draw.below(40);
        let strange = draw.pick(&[small, small, 0, 16, 1000, usize::MAX, usize::MAX / 2 + 1]);
        match draw.below(6) {
            0 => view.offset = strange,
            1 => view.row = strange,
            2 => view.pixel = strange,
            3 => view.channels = strange,
            // An image without strides may be as large as it likes, and would take as long.
            4 => view.height = small,
            _ => view.width = small,
        }
    }
    view
}

/// About as many values as the view needs.
fn slice(draw: &mut Draw<'_>, view: &View) -> Vec<f32> {
    let needed = view.end().min(MAX_LEN);
    let len = draw.pick(&[
        needed,
        needed,
        needed + 1,
        needed.saturating_sub(1),
        needed / 2,
    ]);
    vec![1.0; len]
}

/// About as many values as asked for.
fn near(draw: &mut Draw<'_>, n: usize) -> Vec<f32> {
    vec![
        1.0;
        draw.pick(&[n, n, n, n + 1, n.saturating_sub(1), 0])
            .min(MAX_LEN)
    ]
}

fn call(draw: &mut Draw<'_>) {
    let kernel = draw.below(8);
    let levels = Level::supported();
    let level = draw.pick(&levels);
    let side = draw.pick(&[1, 2, 3, 0, usize::MAX / 2 + 2]);
    let (x, other) = (view(draw), view(draw));
    // Shapes that fit each other by chance are rare.
    let y = match draw.below(4) {
        0 => other,
        1 => View {
            height: x.height / 2,
            width: x.width / 2,
            channels: x.channels,
            ..other
        },
        2 => View {
            height: x.height * 2,
            width: x.width * 2,
            channels: x.channels,
            ..other
        },
        _ => View {
            height: x.height,
            width: x.width,
            channels: x.channels,
            ..other
        },
    };
    let mask = if draw.below(2) == 0 { y } else { view(draw) };
    let (xs, mut ys, masks) = (slice(draw, &x), slice(draw, &y), slice(draw, &mask));
    let finish = [Finish::Keep, Finish::Relu, Finish::Mask(&masks, mask)][draw.below(3)];
    let accumulate = draw.pick(&[Accumulate::Write, Accumulate::Add]);
    match kernel {
        0..=2 => convolutions(draw, level, kernel, (&xs, x), (&mut ys, y), finish),
        3 => pool::max_pool(level, side, (&xs, x), (&mut ys, y)),
        4 => match draw.below(3) {
            0 => pool::upsample(level, side, (&xs, x), (&mut ys, y)),
            1 => pool::upsample_gradient(level, side, (&xs, x), (&mut ys, y), accumulate, finish),
            _ => {
                let (mut to, dy) = (slice(draw, &x), (&*ys, y));
                pool::max_pool_gradient(
                    level,
                    side,
                    (&xs, x),
                    dy,
                    (&mut to, x),
                    accumulate,
                    finish,
                );
            }
        },
        5 => copy::copy(level, (&xs, x), (&mut ys, y), accumulate, finish),
        6 => layouts(draw, level, (&xs, x), (&mut ys, y)),
        _ => norms(draw, level, (&xs, x), (&mut ys, y), finish),
    }
}

fn convolutions(
    draw: &mut Draw<'_>,
    level: Level,
    kernel: usize,
    (xs, x): (&[f32], View),
    (ys, y): (&mut [f32], View),
    finish: Finish<'_>,
) {
    let sides = [
        x.height.wrapping_sub(y.height),
        x.width.wrapping_sub(y.width),
    ];
    let positions = sides
        .map(|side| side.wrapping_add(1))
        .iter()
        .fold(1, |n, side| n * side % MAX_LEN);
    let n_weights = positions
        .saturating_mul(x.channels)
        .saturating_mul(y.channels);
    let mut weight = near(draw, n_weights.min(MAX_LEN));
    let mut bias = near(draw, y.channels.min(MAX_LEN));
    match kernel {
        0 => {
            let start = [Start::Bias(&bias), Start::Zero, Start::Existing][draw.below(3)];
            let stride = draw.pick(&[1, 1, 2, 0, usize::MAX]);
            conv::strided(level, stride, (xs, x), &weight, (ys, y), start, finish);
        }
        1 => {
            let (xs, ys) = ((xs, x), (&*ys, y));
            let stride = draw.pick(&[1, 1, 2, 0, usize::MAX]);
            conv::strided_weight_gradient(level, stride, xs, ys, &mut weight);
        }
        _ => {
            conv::bias_gradient(level, (ys, y), &mut bias);
            let mut turned = near(draw, weight.len());
            conv::turned(&weight, (x.channels, y.channels), &mut turned);
        }
    }
}

fn layouts(
    draw: &mut Draw<'_>,
    level: Level,
    (xs, x): (&[f32], View),
    (ys, y): (&mut [f32], View),
) {
    let positions = [draw.below(40), draw.below(4)];
    let mut planes = near(draw, positions.len() * x.height * x.width);
    match draw.below(4) {
        0 => copy::mask(level, (xs, x), (ys, y)),
        1 => copy::from_nchw(&planes, &positions, (ys, y)),
        2 => copy::to_nchw((xs, x), &positions, &mut planes),
        _ => {
            loss::squared_error((xs, x), &positions, &planes, 1.0, (ys, y));
        }
    }
}

fn norms(
    draw: &mut Draw<'_>,
    level: Level,
    (xs, x): (&[f32], View),
    (ys, y): (&mut [f32], View),
    finish: Finish<'_>,
) {
    let n = x.channels.min(MAX_LEN);
    let (by, mut sum, mut product) = (near(draw, n), near(draw, n), near(draw, n));
    match draw.below(4) {
        0 => norm::moments(level, (xs, x), &mut sum, &mut product),
        1 => norm::normalize(level, (xs, x), (&by, &sum), (ys, y), finish),
        2 => norm::gradient_sums(
            level,
            (xs, x),
            (ys, y),
            (&by, &by),
            (&mut sum, &mut product),
        ),
        _ => {
            let batch = BatchGradient {
                mean: &by,
                rstd: &by,
                scale: &sum,
                mean_dy: &product,
                mean_product: &by,
            };
            let accumulate = Accumulate::Add;
            norm::input_gradient(level, (xs, x), (xs, x), batch, (ys, y), accumulate, finish);
        }
    }
}
