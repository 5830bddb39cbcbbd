use juggle_kernels::conv::{self, Start};
use juggle_kernels::reference::{self, Image, Window};
use juggle_kernels::{Accumulate, Finish, Level, View, copy};

use crate::images::{Numbers, assert_image, assert_near, at_every_level, cases, floats, placed};

/// Height, width, input channels, output channels, kernel side, stride, padding.
const SHAPES: [[usize; 7]; 21] = [
    [1, 1, 1, 16, 1, 1, 0],
    [1, 1, 16, 16, 3, 1, 1],
    [2, 3, 1, 16, 3, 1, 1],
    [5, 7, 3, 32, 3, 1, 1],
    [4, 33, 16, 16, 3, 1, 1],
    [3, 21, 16, 48, 3, 1, 1],
    [6, 17, 48, 32, 3, 1, 1],
    [3, 8, 64, 64, 3, 1, 1],
    [2, 9, 32, 80, 1, 1, 0],
    [5, 6, 96, 16, 3, 1, 1],
    [7, 6, 16, 16, 5, 1, 2],
    [7, 6, 5, 16, 3, 1, 0],
    [4, 5, 16, 32, 2, 1, 1],
    [3, 4, 20, 16, 1, 1, 2],
    [8, 6, 16, 16, 3, 2, 1],
    [9, 41, 32, 48, 3, 2, 1],
    [7, 5, 3, 16, 7, 2, 3],
    [5, 8, 16, 32, 1, 2, 0],
    [6, 7, 16, 16, 2, 3, 0],
    [4, 9, 5, 16, 3, 4, 2],
    [3, 3, 16, 16, 2, 2, 3],
];

struct Case {
    xs: Image,
    weight: Vec<f64>,
    bias: Vec<f64>,
    window: Window,
    ys: Image,
    what: String,
}

impl Case {
    /// What the kernel reads of a view of the input.
    fn padded(&self, x: View) -> View {
        let whole = x.padded(self.window.padding);
        whole.covered(self.window.side, self.window.stride)
    }
}

fn for_each_case(mut check: impl FnMut(&Case, Numbers)) {
    for &[
        height,
        width,
        in_channels,
        out_channels,
        side,
        stride,
        padding,
    ] in cases(&SHAPES)
    {
        let window = Window {
            side,
            stride,
            padding,
        };
        for numbers in Numbers::ALL {
            let xs = numbers.image(height, width, in_channels, 1);
            let weight = numbers.values(side * side * in_channels * out_channels, 2);
            let bias = numbers.values(out_channels, 3);
            let ys = reference::convolution(&xs, &weight, &bias, window);
            let what = format!(
                "{height}×{width}, {in_channels} to {out_channels}, {window:?}, {numbers:?}"
            );
            let case = Case {
                xs,
                weight,
                bias,
                window,
                ys,
                what,
            };
            check(&case, numbers);
        }
    }
}

#[test]
fn forward_is_the_reference() {
    for_each_case(|case, numbers| {
        // Dense pixels make one run of a kernel row, a gap between them makes several.
        for gap in [0, 16] {
            let (xs, x) = placed(&case.xs, case.xs.channels + gap, case.window.padding);
            let (weight, bias) = (floats(&case.weight), floats(&case.bias));
            let empty = Image::zeros(case.ys.height, case.ys.width, case.ys.channels);
            let (before, y) = placed(&empty, case.ys.channels + gap, 1);
            let ys = at_every_level(|level| {
                let mut ys = before.clone();
                let x = (&*xs, case.padded(x));
                conv::strided(
                    level,
                    case.window.stride,
                    x,
                    &weight,
                    (&mut ys, y),
                    Start::Bias(&bias),
                    Finish::Keep,
                );
                ys.to_vec()
            });
            assert_image(&case.what, (&ys, y), &before, &case.ys, numbers.tolerance());
        }
    });
}

// Long because one set of inputs serves several checks in a row.
#[test]
fn starts_and_finishes_do_what_they_say() {
    for_each_case(|case, numbers| {
        let (xs, x) = placed(&case.xs, case.xs.channels, case.window.padding);
        let weight = floats(&case.weight);
        let there = numbers.image(case.ys.height, case.ys.width, case.ys.channels, 5);
        let (before, y) = placed(&there, case.ys.channels, 0);
        let (mask, view) = placed(
            &numbers.image(there.height, there.width, there.channels, 6),
            there.channels + 16,
            2,
        );
        let run = |start: Start<'_>, finish: Finish<'_>| {
            at_every_level(|level| {
                let mut ys = before.clone();
                conv::strided(
                    level,
                    case.window.stride,
                    (&xs, case.padded(x)),
                    &weight,
                    (&mut ys, y),
                    start,
                    finish,
                );
                ys.to_vec()
            })
        };
        let mut expected = case.ys.clone();
        for (i, value) in expected.values.iter_mut().enumerate() {
            *value -= case.bias[i % case.bias.len()];
        }
        let zero = run(Start::Zero, Finish::Keep);
        assert_image(
            &case.what,
            (&zero, y),
            &before,
            &expected,
            numbers.tolerance(),
        );
        let relu = run(Start::Zero, Finish::Relu);
        assert!(
            zero.iter().zip(&relu).all(|(x, relu)| x.max(0.0) == *relu),
            "{}: ReLU",
            case.what
        );
        let masked = run(Start::Zero, Finish::Mask(&mask, view));
        for pixel in 0..y.height * y.width {
            let (row, column) = (pixel / y.width, pixel % y.width);
            for channel in 0..y.channels {
                let kept = mask[view.at(row, column) + channel] > 0.0;
                let at = y.at(row, column) + channel;
                assert_eq!(
                    masked[at],
                    if kept { zero[at] } else { 0.0 },
                    "{}: mask",
                    case.what
                );
            }
        }
        for (value, there) in expected.values.iter_mut().zip(&there.values) {
            *value += there;
        }
        let existing = run(Start::Existing, Finish::Keep);
        assert_image(
            &case.what,
            (&existing, y),
            &before,
            &expected,
            numbers.tolerance(),
        );
    });
}

#[test]
fn gradients_of_weights_and_bias_are_the_reference() {
    for_each_case(|case, numbers| {
        for gap in [0, 16] {
            let (xs, x) = placed(&case.xs, case.xs.channels + gap, case.window.padding);
            let dys_image = numbers.image(case.ys.height, case.ys.width, case.ys.channels, 4);
            let (dys, dy) = placed(&dys_image, case.ys.channels + gap, 1);
            let (weight, bias) = at_every_level(|level| {
                let mut weight = vec![0.0; case.weight.len()];
                let mut bias = vec![0.0; case.bias.len()];
                conv::strided_weight_gradient(
                    level,
                    case.window.stride,
                    (&xs, case.padded(x)),
                    (&dys, dy),
                    &mut weight,
                );
                conv::bias_gradient(level, (&dys, dy), &mut bias);
                (weight, bias)
            });
            let (expected_weight, expected_bias) =
                reference::convolution_gradients(&case.xs, &dys_image, case.window);
            assert_near(&case.what, &weight, &expected_weight, numbers.tolerance());
            assert_near(&case.what, &bias, &expected_bias, numbers.tolerance());
        }
    });
}

#[test]
fn turned_weights_give_the_gradient_of_the_input() {
    for_each_case(|case, numbers| {
        let channels = case.xs.channels;
        if channels % 16 != 0 {
            return;
        }
        let dys_image = numbers.image(case.ys.height, case.ys.width, case.ys.channels, 4);
        let Window {
            side,
            stride,
            padding,
        } = case.window;
        let reach = side - 1;
        // As many pixels as at a stride of 1; the others are zeros.
        let full = |pixels: usize| pixels + 2 * padding - reach;
        let (height, width) = (full(case.xs.height), full(case.xs.width));
        let (mut dys, dy) = placed(
            &Image::zeros(height, width, dys_image.channels),
            dys_image.channels,
            reach,
        );
        let (from, view) = placed(&dys_image, dys_image.channels, 0);
        copy::copy(
            Level::best(),
            (&from, view),
            (&mut dys, dy.every(stride)),
            Accumulate::Write,
            Finish::Keep,
        );
        let dy = match reach.checked_sub(padding) {
            Some(border) => dy.padded(border),
            None => dy.cropped(padding - reach),
        };
        let mut turned = vec![0.0; case.weight.len()];
        conv::turned(
            &floats(&case.weight),
            (channels, case.ys.channels),
            &mut turned,
        );
        let empty = Image::zeros(case.xs.height, case.xs.width, channels);
        let (before, x) = placed(&empty, channels, 1);
        let dxs = at_every_level(|level| {
            let mut dxs = before.clone();
            conv::forward(
                level,
                (&dys, dy),
                &turned,
                (&mut dxs, x),
                Start::Zero,
                Finish::Keep,
            );
            dxs.to_vec()
        });
        let expected =
            reference::convolution_input_gradient(&case.xs, &dys_image, &case.weight, case.window);
        assert_image(
            &case.what,
            (&dxs, x),
            &before,
            &expected,
            numbers.tolerance(),
        );
    });
}

#[test]
#[should_panic(expected = "ends at")]
fn a_view_outside_its_slice_is_refused() {
    let x = View {
        row: usize::MAX / 2,
        ..View::bordered(4, 4, 16, 0)
    };
    let mut ys = [0.0; 256];
    let (xs, weight) = ([0.0; 256], [0.0; 256]);
    let y = View::bordered(4, 4, 16, 0);
    conv::forward(
        Level::best(),
        (&xs, x),
        &weight,
        (&mut ys, y),
        Start::Zero,
        Finish::Keep,
    );
}
