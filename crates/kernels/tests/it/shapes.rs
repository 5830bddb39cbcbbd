//! Kernels on shapes, layouts and modes that are read from bytes, which proptest draws here and the fuzzer `shapes` in
//! `fuzz/`.
//!
//! [`check`] demands that every level gives the same bits and that they are the reference's: exactly on small integers,
//! within a tolerance where there is a division or a root.

use juggle_kernels::conv::{self, Start};
use juggle_kernels::optimizer::{self, Adam};
use juggle_kernels::reference::{self, Image, Window};
use juggle_kernels::{Accumulate, Finish, View, copy, loss, norm, pool};

use crate::draw::{Draw, finish, zip};
use crate::images::{Numbers, assert_image, assert_near, at_every_level, floats};

/// Products of the largest convolution: the scalar level calls the C library for each.
const MAX_PRODUCTS: usize = if cfg!(miri) { 5_000 } else { 300_000 };

/// Checks the kernel that the bytes name.
pub(crate) fn check(bytes: &[u8]) {
    let mut draw = Draw(bytes);
    match draw.below(7) {
        0 => convolution(&mut draw),
        1 => rectangle(&mut draw),
        2 => squares(&mut draw),
        3 => copies(&mut draw),
        4 => batch_norm(&mut draw),
        5 => winograd(&mut draw),
        _ => parameters(&mut draw),
    }
}

fn convolution(draw: &mut Draw<'_>) {
    let (mut height, width) = (1 + draw.below(5), 1 + draw.below(36));
    let mut in_channels = draw.pick(&[16, 1, 3, 4, 5, 17, 20, 32, 48, 64, 96]);
    let out_channels = 16 * (1 + draw.below(6));
    let (mut side, padding) = (1 + draw.below(5), draw.below(4));
    if side > height.min(width) + 2 * padding {
        side = 1;
    }
    let products = |height, in_channels| {
        (height + 2 * padding) * (width + 2 * padding) * side * side * in_channels * out_channels
    };
    if products(height, in_channels) > MAX_PRODUCTS {
        height = height.min(side);
    }
    if products(height, in_channels) > MAX_PRODUCTS {
        in_channels = 1;
    }
    let xs = draw.image(height, width, in_channels);
    let weight = Numbers::SmallIntegers.values(side * side * in_channels * out_channels, 2);
    let window = Window {
        side,
        stride: draw.pick(&[1, 1, 2, 3]),
        padding,
    };
    forward(draw, &xs, &weight, (out_channels, window));
    gradients(draw, &xs, &weight, (out_channels, window));
}

fn forward(
    draw: &mut Draw<'_>,
    xs_image: &Image,
    weight: &[f64],
    (out_channels, window): (usize, Window),
) {
    let bias = Numbers::SmallIntegers.values(out_channels, 3);
    let zeros = vec![0.0; out_channels];
    let start = draw.below(3);
    let from = if start == 0 { &bias } else { &zeros };
    let mut sum = reference::convolution(xs_image, weight, from, window);
    let there = draw.image(sum.height, sum.width, out_channels);
    if start == 2 {
        sum = zip(&sum, &there, |x, there| x + there);
    }
    let mask = draw.image(sum.height, sum.width, out_channels);
    let (masks, view) = draw.placed(&mask, 0);
    let (finish, expected) = finish(draw.below(3), &sum, (&mask, (&masks, view)));
    let (xs, x) = draw.placed(xs_image, window.padding);
    let border = draw.below(2);
    let (before, y) = draw.placed(&there, border);
    let (weight, bias) = (floats(weight), floats(&bias));
    let start = [Start::Bias(&bias), Start::Zero, Start::Existing][start];
    let ys = at_every_level(|level| {
        let mut ys = before.clone();
        let x = (&*xs, read(x, window));
        conv::strided(
            level,
            window.stride,
            x,
            &weight,
            (&mut ys, y),
            start,
            finish,
        );
        ys
    });
    assert_image("forward", (&ys, y), &before, &expected, 0.0);
}

/// What a convolution reads of its input.
fn read(x: View, window: Window) -> View {
    x.padded(window.padding).covered(window.side, window.stride)
}

fn gradients(
    draw: &mut Draw<'_>,
    xs_image: &Image,
    weight: &[f64],
    (out_channels, window): (usize, Window),
) {
    let [height, width] = [xs_image.height, xs_image.width].map(|n| window.positions(n));
    let dys_image = draw.image(height, width, out_channels);
    let (xs, x) = draw.placed(xs_image, window.padding);
    let (dys, dy) = draw.placed(&dys_image, 0);
    let (by_weight, by_bias) = at_every_level(|level| {
        let (mut by_weight, mut by_bias) = (floats(weight), vec![1.0; out_channels]);
        let (x, dy) = ((&*xs, read(x, window)), (&*dys, dy));
        conv::strided_weight_gradient(level, window.stride, x, dy, &mut by_weight);
        conv::bias_gradient(level, dy, &mut by_bias);
        (by_weight, by_bias)
    });
    let (mut expected, mut bias) = reference::convolution_gradients(xs_image, &dys_image, window);
    // Both are added to what is there.
    expected.iter_mut().zip(weight).for_each(|(x, w)| *x += w);
    bias.iter_mut().for_each(|x| *x += 1.0);
    assert_near("weight gradient", &by_weight, &expected, 0.0);
    assert_near("bias gradient", &by_bias, &bias, 0.0);

    if !xs_image.channels.is_multiple_of(16) {
        return;
    }
    // As many pixels as at a stride of 1; those between the strided ones are zeros.
    let reach = window.side - 1;
    let full = |pixels: usize| pixels + 2 * window.padding - reach;
    let mut zeros = Image::zeros(full(xs_image.height), full(xs_image.width), out_channels);
    for (i, pixel) in dys_image.values.chunks(out_channels).enumerate() {
        let (row, column) = (i / width * window.stride, i % width * window.stride);
        let to = zeros.at(row, column, 0);
        zeros.values[to..][..out_channels].copy_from_slice(pixel);
    }
    let (dys, dy) = draw.placed(&zeros, reach);
    // Of an output larger than the input, the kernel does not reach the outermost pixels.
    let wide = match reach.checked_sub(window.padding) {
        Some(border) => dy.padded(border),
        None => dy.cropped(window.padding - reach),
    };
    let mut turned = vec![0.0; weight.len()];
    conv::turned(
        &floats(weight),
        (xs_image.channels, out_channels),
        &mut turned,
    );
    let (before, dx) = draw.placed(xs_image, 0);
    let dxs = at_every_level(|level| {
        let (mut dxs, dy) = (before.clone(), (&*dys, wide));
        conv::forward(
            level,
            dy,
            &turned,
            (&mut dxs, dx),
            Start::Zero,
            Finish::Keep,
        );
        dxs
    });
    let expected = reference::convolution_input_gradient(xs_image, &dys_image, weight, window);
    assert_image("input gradient", (&dxs, dx), &before, &expected, 0.0);
}

/// Winograd's form of all three, with an upsampled input, another, or both.
fn winograd(draw: &mut Draw<'_>) {
    let [height, width] = [1 + draw.below(4), 1 + draw.below(18)].map(|half| 2 * half);
    let (n_small, mut n_large) = (16 * draw.below(4), 16 * draw.below(4));
    if n_small + n_large == 0 {
        n_large = 16;
    }
    let n_out = 16 * (1 + draw.below(3));
    let products = |height| height * width * 9 * (n_small + n_large) * n_out;
    let height = if products(height) > MAX_PRODUCTS {
        2
    } else {
        height
    };
    crate::winograd::check([height, width, n_small, n_large, n_out]);
}

/// A kernel of unequal sides: the reference's square one with zeros for what it lacks.
fn rectangle(draw: &mut Draw<'_>) {
    let sides = [1 + draw.below(4), 1 + draw.below(4)];
    let (height, width) = (1 + draw.below(3), 1 + draw.below(20));
    let (in_channels, out_channels) = (draw.pick(&[1, 2, 16, 18]), 16 * (1 + draw.below(3)));
    let side = sides[0].max(sides[1]);
    let xs_image = draw.image(height + side - 1, width + side - 1, in_channels);
    let position = in_channels * out_channels;
    let mut square = vec![0.0; side * side * position];
    let mut weight = vec![];
    for row in 0..sides[0] {
        let to = &mut square[row * side * position..][..sides[1] * position];
        to.copy_from_slice(&Numbers::SmallIntegers.values(to.len(), row as u64));
        weight.extend(floats(to));
    }
    let zeros = vec![0.0; out_channels];
    let window = Window {
        side,
        stride: 1,
        padding: 0,
    };
    let expected = reference::convolution(&xs_image, &square, &zeros, window);
    let (xs, x) = draw.placed(&xs_image, 0);
    let x = View {
        height: height + sides[0] - 1,
        width: width + sides[1] - 1,
        ..x
    };
    let (before, y) = draw.placed(&expected, 0);
    let ys = at_every_level(|level| {
        let mut ys = before.clone();
        let to = (&mut *ys, y);
        conv::forward(level, (&xs, x), &weight, to, Start::Zero, Finish::Keep);
        ys
    });
    assert_image("rectangle", (&ys, y), &before, &expected, 0.0);
}

fn squares(draw: &mut Draw<'_>) {
    let (height, width) = (1 + draw.below(9), 1 + draw.below(9));
    let (channels, side) = (16 * (1 + draw.below(4)), 1 + draw.below(4));
    let fine = draw.image(height, width, channels);
    let coarse = draw.image(height / side, width / side, channels);
    let (accumulate, is_added) = draw.pick(&[(Accumulate::Write, 0.0), (Accumulate::Add, 1.0)]);
    let number = draw.below(3);

    let (xs, x) = draw.placed(&fine, 0);
    let (before, y) = draw.placed(&coarse, 0);
    let ys = at_every_level(|level| {
        let mut ys = before.clone();
        pool::max_pool(level, side, (&xs, x), (&mut ys, y));
        ys
    });
    let expected = reference::max_pool(&fine, side);
    assert_image("max pool", (&ys, y), &before, &expected, 0.0);
    let there = draw.image(height, width, channels);
    let (into, dx) = draw.placed(&there, 0);
    let share = reference::max_pool_gradient(&fine, &coarse, side);
    let sum = zip(&share, &there, |x, there| x + is_added * there);
    let (by, expected) = finish(number, &sum, (&fine, (&xs, x)));
    let dxs = at_every_level(|level| {
        let mut dxs = into.clone();
        let (x, dy, dx) = ((&*xs, x), (&*before, y), (&mut *dxs, dx));
        pool::max_pool_gradient(level, side, x, dy, dx, accumulate, by);
        dxs
    });
    assert_image("max pool gradient", (&dxs, dx), &into, &expected, 0.0);

    let expected = reference::upsample(&fine, side);
    let (before, y) = draw.placed(&expected, 0);
    let ys = at_every_level(|level| {
        let mut ys = before.clone();
        pool::upsample(level, side, (&xs, x), (&mut ys, y));
        ys
    });
    assert_image("upsample", (&ys, y), &before, &expected, 0.0);
    let share = reference::upsample_gradient(&fine, &expected, side);
    let sum = zip(&share, &there, |x, there| x + is_added * there);
    let (by, expected) = finish(number, &sum, (&fine, (&xs, x)));
    let dxs = at_every_level(|level| {
        let mut dxs = into.clone();
        pool::upsample_gradient(level, side, (&ys, y), (&mut dxs, dx), accumulate, by);
        dxs
    });
    assert_image("upsample gradient", (&dxs, dx), &into, &expected, 0.0);
}

fn copies(draw: &mut Draw<'_>) {
    let (height, width, channels) = (
        1 + draw.below(9),
        1 + draw.below(9),
        16 * (1 + draw.below(4)),
    );
    let (image, there) = (
        draw.image(height, width, channels),
        draw.image(height, width, channels),
    );
    let ((xs, x), (before, y)) = (draw.placed(&image, 1), draw.placed(&there, 2));
    let (accumulate, is_added) = draw.pick(&[(Accumulate::Write, 0.0), (Accumulate::Add, 1.0)]);
    let sum = zip(&image, &there, |x, there| x + is_added * there);
    let (by, expected) = finish(draw.below(3), &sum, (&image, (&xs, x)));
    let ys = at_every_level(|level| {
        let mut ys = before.clone();
        copy::copy(level, (&xs, x), (&mut ys, y), accumulate, by);
        ys
    });
    assert_image("copy", (&ys, y), &before, &expected, 0.0);

    let step = 1 + draw.below(5);
    let positions: Vec<usize> = (0..channels).rev().step_by(step).collect();
    let mut planes = vec![0.0; positions.len() * height * width];
    copy::to_nchw((&xs, x), &positions, &mut planes);
    let mut back = before.clone();
    copy::from_nchw(&planes, &positions, (&mut back, y));
    let mut expected = there;
    for (i, value) in expected.values.iter_mut().enumerate() {
        if positions.contains(&(i % channels)) {
            *value = image.values[i];
        }
    }
    assert_image("there and back", (&back, y), &before, &expected, 0.0);
}

fn batch_norm(draw: &mut Draw<'_>) {
    let (height, width) = (1 + draw.below(9), 2 + draw.below(9));
    let channels = 16 * (1 + draw.below(4));
    let (image, gradient) = (
        draw.image(height, width, channels),
        draw.image(height, width, channels),
    );
    let ((xs, x), (dys, dy)) = (draw.placed(&image, 1), draw.placed(&gradient, 0));
    let (into, dx) = draw.placed(&image, 0);
    let area = height * width;
    let (mean, variance) = reference::batch_moments(std::slice::from_ref(&image));
    let moments = at_every_level(|level| {
        let (mut mean, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
        norm::moments(level, (&xs, x), &mut mean, &mut squares);
        [mean, squares]
    });
    let squares: Vec<f64> = variance.iter().map(|v| v * area as f64).collect();
    assert_near("mean", &moments[0], &mean, 1e-6);
    assert_near("squares", &moments[1], &squares, 1e-5);

    let rstd: Vec<f64> = variance.iter().map(|v| 1.0 / (v + 0.5).sqrt()).collect();
    let (mean32, rstd32) = (floats(&mean), floats(&rstd));
    let dxs = at_every_level(|level| {
        let (mut sum, mut product) = (vec![0.0; channels], vec![0.0; channels]);
        let (x, dy) = ((&*xs, x), (&*dys, dy));
        norm::gradient_sums(level, x, dy, (&mean32, &rstd32), (&mut sum, &mut product));
        for value in sum.iter_mut().chain(&mut product) {
            *value /= area as f32;
        }
        let batch = norm::BatchGradient {
            mean: &mean32,
            rstd: &rstd32,
            scale: &rstd32,
            mean_dy: &sum,
            mean_product: &product,
        };
        let mut dxs = into.clone();
        let to = (&mut *dxs, dx);
        norm::input_gradient(level, x, dy, batch, to, Accumulate::Write, Finish::Keep);
        dxs
    });
    let expected = &reference::batch_norm_input_gradient(&[image], &[gradient], 0.5)[0];
    assert_image("norm gradient", (&dxs, dx), &into, expected, 2e-5);
}

fn parameters(draw: &mut Draw<'_>) {
    let n = 16 * draw.below(6);
    let (seed, t) = (draw.below(256) as u64, 1 + draw.below(9) as i32);
    let values = |seed| Numbers::Fractions.values(n, seed);
    let (start, gradient, first) = (values(seed), values(seed + 1), values(seed + 2));
    let second: Vec<f64> = values(seed + 3).into_iter().map(f64::abs).collect();
    let (penalty, decoupled) = draw.pick(&[(0.0, 0.0), (0.01, 0.0), (0.0, 0.01)]);
    let step = Adam {
        beta1: 0.9,
        one_minus_beta1: 0.1,
        beta2: 0.999,
        one_minus_beta2: 0.001,
        eps: 1e-8,
        step_size: (0.01 / (1.0 - 0.9_f64.powi(t))) as f32,
        correction: (1.0 - 0.999_f64.powi(t)).sqrt() as f32,
        penalty: penalty as f32,
        shrink: (1.0 - 0.01 * decoupled) as f32,
    };
    let ours = at_every_level(|level| {
        let mut all = [floats(&start), floats(&first), floats(&second)];
        let [xs, first, second] = &mut all;
        optimizer::adam(level, step, xs, &floats(&gradient), first, second);
        all
    });
    for i in 0..n {
        let state = [start[i], first[i], second[i]];
        let expected = reference::adam(state, gradient[i], 0.01, (penalty, decoupled), t);
        let ours: Vec<f32> = ours.iter().map(|values| values[i]).collect();
        assert_near("adam", &ours, &expected, 1e-4);
    }

    let logits = Numbers::Fractions.values(1 + draw.below(40), seed);
    let label = draw.below(logits.len());
    let mut gradient = vec![9.0; logits.len() + draw.below(5)];
    let cost = loss::cross_entropy(&floats(&logits), label, 0.1, 1.0, &mut gradient);
    let (expected, mut by_logit) = reference::cross_entropy(&logits, label, 0.1);
    by_logit.resize(gradient.len(), 0.0);
    assert!((cost - expected).abs() < 1e-12, "{cost}, {expected}");
    assert_near("logits", &gradient, &by_logit, 1e-7);
}
