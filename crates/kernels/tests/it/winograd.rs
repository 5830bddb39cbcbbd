use juggle_kernels::conv::winograd::large::{self, Pool};
use juggle_kernels::conv::winograd::{self, Input, N_PRODUCTS, Output, Scale, Square};
use juggle_kernels::conv::{self, Start};
use juggle_kernels::reference::{self, Image, Window};
use juggle_kernels::{Buffer, Finish, Level, View};

use crate::images::{Numbers, assert_image, assert_near, at_every_level, floats, placed};

/// The stated error: a share of the largest value, against f64. The direct form is held to 2e-6.
const TOLERANCE: f64 = 4e-6;
/// The same for tiles of 4×4, whose transforms are not exact on integers either.
const LARGE_TOLERANCE: f64 = 2e-5;

/// The only kernel there is.
const WINDOW: Window = Window {
    side: 3,
    stride: 1,
    padding: 1,
};

/// Height, width, upsampled channels, other channels, output channels.
const SHAPES: [[usize; 5]; 12] = [
    [2, 2, 0, 16, 16],
    [4, 6, 0, 16, 32],
    [2, 34, 0, 32, 16],
    [10, 14, 0, 48, 48],
    [36, 4, 0, 64, 80],
    [2, 2, 16, 0, 16],
    [6, 8, 16, 16, 32],
    [8, 22, 32, 16, 16],
    [32, 6, 64, 32, 48],
    [4, 4, 0, 16, 16],
    [8, 12, 0, 48, 32],
    [12, 36, 16, 16, 80],
];

/// A convolution of the concatenation of an upsampled image and another; each may have no channels.
struct Case {
    small: Image,
    large: Image,
    /// What the convolution reads, in full.
    xs: Image,
    weight: Vec<f64>,
    bias: Vec<f64>,
    numbers: Numbers,
    what: String,
}

impl Case {
    fn new([height, width, n_small, n_large, n_out]: [usize; 5], numbers: Numbers) -> Self {
        let small = numbers.image(height / 2, width / 2, n_small, 1);
        let large = numbers.image(height, width, n_large, 2);
        let n_in = n_small + n_large;
        Self {
            xs: concatenated(&reference::upsample(&small, 2), &large),
            small,
            large,
            weight: numbers.values(9 * n_in * n_out, 3),
            bias: numbers.values(n_out, 4),
            numbers,
            what: format!("{height}×{width}, {n_small} + {n_large} to {n_out}, {numbers:?}"),
        }
    }

    fn tolerance(&self) -> f64 {
        match self.numbers {
            Numbers::SmallIntegers => 0.0,
            Numbers::Fractions => TOLERANCE,
        }
    }

    fn n_in(&self) -> usize {
        self.xs.channels
    }

    fn scratch(&self) -> Buffer {
        let size = (self.xs.height, self.xs.width);
        let len = winograd::scratch_len(size, self.n_in(), self.bias.len());
        let mut scratch = Buffer::zeros(len);
        // What an earlier call left behind must not matter.
        scratch.fill(f32::NAN);
        scratch
    }

    fn products(&self, level: Level, weight: &[f32]) -> Vec<f32> {
        let mut products = vec![0.0; N_PRODUCTS * self.n_in() * self.bias.len()];
        winograd::transform_weights(level, weight, &mut products);
        products
    }

    /// Calls `f` with the inputs, those without channels left out; strangers lie beside each pixel.
    fn with_inputs<T>(&self, f: impl FnOnce(&[Input<'_>]) -> T) -> T {
        let (smalls, small) = placed(&self.small, self.small.channels + 16, 1);
        let (larges, large) = placed(&self.large, self.large.channels, 1);
        let inputs = [(&smalls, small, Scale::Half), (&larges, large, Scale::Same)];
        let there = inputs.into_iter().filter(|(_, view, _)| view.channels > 0);
        let inputs = there.map(|(values, view, scale)| Input {
            values,
            view: view.padded(1),
            scale,
        });
        f(&inputs.collect::<Vec<_>>())
    }
}

fn concatenated(a: &Image, b: &Image) -> Image {
    let mut whole = Image::zeros(b.height, b.width, a.channels + b.channels);
    for pixel in 0..b.height * b.width {
        let to = &mut whole.values[pixel * whole.channels..][..whole.channels];
        to[..a.channels].copy_from_slice(&a.values[pixel * a.channels..][..a.channels]);
        to[a.channels..].copy_from_slice(&b.values[pixel * b.channels..][..b.channels]);
    }
    whole
}

fn channels_of(image: &Image, first: usize, channels: usize) -> Image {
    let mut part = Image::zeros(image.height, image.width, channels);
    for (to, from) in part
        .values
        .chunks_exact_mut(channels.max(1))
        .zip(image.values.chunks_exact(image.channels))
    {
        to.copy_from_slice(&from[first..][..channels]);
    }
    part
}

/// Every kernel on small integers and images of this size, which is even, with these numbers of channels.
pub(crate) fn check(shape: [usize; 5]) {
    let case = Case::new(shape, Numbers::SmallIntegers);
    check_convolution(&case);
    check_upsampling(&case);
    check_weight_gradient(&case);
    check_input_gradients(&case);
    check_large(&case);
}

fn for_each_case(check: impl Fn(&Case)) {
    for shape in SHAPES {
        for numbers in Numbers::ALL {
            check(&Case::new(shape, numbers));
        }
    }
}

#[test]
fn convolution_is_the_reference() {
    for_each_case(check_convolution);
}

fn check_convolution(case: &Case) {
    let (weight, bias) = (floats(&case.weight), floats(&case.bias));
    let expected = reference::convolution(&case.xs, &case.weight, &case.bias, WINDOW);
    let empty = Image::zeros(expected.height, expected.width, expected.channels);
    let (before, y) = placed(&empty, expected.channels + 16, 1);
    let run = |square: Square, finish: Finish<'_>, (before, y): (&Buffer, View)| {
        at_every_level(|level| {
            let mut ys = before.clone();
            let output = Output {
                values: &mut ys,
                view: y,
                square,
                start: Start::Bias(&bias),
                finish,
            };
            let (products, mut scratch) = (case.products(level, &weight), case.scratch());
            case.with_inputs(|inputs| {
                winograd::convolve(level, inputs, &products, &mut [output], &mut scratch);
            });
            ys.to_vec()
        })
    };
    let ys = run(Square::Pixels, Finish::Keep, (&before, y));
    assert_image(&case.what, (&ys, y), &before, &expected, case.tolerance());
    let mut positive = expected.clone();
    positive.values.iter_mut().for_each(|y| *y = y.max(0.0));
    let ys = run(Square::Pixels, Finish::Relu, (&before, y));
    assert_image(&case.what, (&ys, y), &before, &positive, case.tolerance());
    let (height, width) = (expected.height / 2, expected.width / 2);
    let empty = Image::zeros(height, width, expected.channels);
    let (before, y) = placed(&empty, expected.channels + 16, 1);
    for (whole, finish) in [(expected, Finish::Keep), (positive, Finish::Relu)] {
        let pooled = reference::max_pool(&whole, 2);
        let ys = run(Square::Maximum, finish, (&before, y));
        assert_image(&case.what, (&ys, y), &before, &pooled, case.tolerance());
    }
}

#[test]
fn tiles_of_four_give_the_reference() {
    for_each_case(check_large);
}

/// Tiles of 4×4, on images that consist of them.
fn check_large(case: &Case) {
    let (height, width) = (case.xs.height, case.xs.width);
    if !height.is_multiple_of(4) || !width.is_multiple_of(4) {
        return;
    }
    let (weight, bias) = (floats(&case.weight), floats(&case.bias));
    let (n_in, n_out) = (case.n_in(), bias.len());
    let whole = reference::convolution(&case.xs, &case.weight, &case.bias, WINDOW);
    let mut positive = whole.clone();
    positive.values.iter_mut().for_each(|y| *y = y.max(0.0));
    for (finish, expected) in [(Finish::Keep, &whole), (Finish::Relu, &positive)] {
        for pool in [Pool::None, Pool::Maximum] {
            let expected = match pool {
                Pool::None => expected.clone(),
                Pool::Maximum => reference::max_pool(expected, 2),
            };
            let empty = Image::zeros(expected.height, expected.width, n_out);
            let (before, y) = placed(&empty, n_out + 16, 1);
            let ys = at_every_level(|level| {
                let mut products = vec![0.0; large::N_PRODUCTS * n_in * n_out];
                large::transform_weights(level, &weight, &mut products);
                let mut scratch = vec![f32::NAN; large::scratch_len((height, width), n_in, n_out)];
                let mut ys = before.clone();
                case.with_inputs(|inputs| {
                    let (start, output) = ((&*bias, finish), (&mut *ys, y, pool));
                    large::convolve(level, inputs, &products, start, output, &mut scratch);
                });
                ys.to_vec()
            });
            assert_image(&case.what, (&ys, y), &before, &expected, LARGE_TOLERANCE);
        }
    }
}

#[test]
#[should_panic(expected = "whole number of tiles")]
fn an_image_without_whole_tiles_is_refused() {
    let (xs, view) = ([0.0; 8 * 8 * 16], View::bordered(6, 6, 16, 1));
    let mut ys = [0.0; 6 * 6 * 16];
    let output = (&mut ys[..], View::bordered(6, 6, 16, 0), Pool::None);
    let products = [0.0; large::N_PRODUCTS * 256];
    let start = (&[0.0; 16][..], Finish::Keep);
    let input = Input {
        values: &xs,
        view: view.padded(1),
        scale: Scale::Same,
    };
    let inputs = [input];
    large::convolve(
        Level::best(),
        &inputs,
        &products,
        start,
        output,
        &mut [0.0; 9999],
    );
}

#[test]
fn an_upsampled_input_gives_the_bits_of_one_that_was_made() {
    for_each_case(check_upsampling);
}

fn check_upsampling(case: &Case) {
    let weight = floats(&case.weight);
    let (xs, x) = placed(&case.xs, case.n_in(), 1);
    let made = Input {
        values: &xs,
        view: x.padded(1),
        scale: Scale::Same,
    };
    let run = |inputs: &[Input<'_>]| {
        let mut ys = Buffer::zeros(case.xs.height * case.xs.width * case.bias.len());
        let output = Output {
            values: &mut ys,
            view: View::bordered(case.xs.height, case.xs.width, case.bias.len(), 0),
            square: Square::Pixels,
            start: Start::Zero,
            finish: Finish::Keep,
        };
        let products = case.products(Level::best(), &weight);
        let scratch = &mut case.scratch();
        winograd::convolve(Level::best(), inputs, &products, &mut [output], scratch);
        ys
    };
    assert!(*case.with_inputs(run) == *run(&[made]), "{}", case.what);
}

#[test]
fn gradient_of_the_weights_is_the_reference() {
    for_each_case(check_weight_gradient);
}

fn check_weight_gradient(case: &Case) {
    let gradient = case
        .numbers
        .image(case.xs.height, case.xs.width, case.bias.len(), 5);
    let (dys, dy) = placed(&gradient, gradient.channels + 16, 0);
    let ours = at_every_level(|level| {
        let mut products = vec![0.0; N_PRODUCTS * case.n_in() * case.bias.len()];
        let mut scratch = case.scratch();
        // Twice half of it, so that adding counts.
        case.with_inputs(|inputs| {
            for _ in 0..2 {
                winograd::weight_gradient(level, inputs, (&dys, dy), &mut products, &mut scratch);
            }
        });
        let mut weight = vec![f32::NAN; case.weight.len()];
        winograd::untransform_gradient(level, &products, &mut weight);
        weight.iter().map(|x| x / 2.0).collect::<Vec<_>>()
    });
    let (expected, _) = reference::convolution_gradients(&case.xs, &gradient, WINDOW);
    assert_near(&case.what, &ours, &expected, case.tolerance());
}

#[test]
fn turned_weights_give_the_gradients_of_both_inputs() {
    for_each_case(check_input_gradients);
}

fn check_input_gradients(case: &Case) {
    let (n_small, n_in, n_out) = (case.small.channels, case.n_in(), case.bias.len());
    let gradient = case.numbers.image(case.xs.height, case.xs.width, n_out, 5);
    let (dys, dy) = placed(&gradient, n_out, 1);
    let mut turned = vec![0.0; case.weight.len()];
    conv::turned(&floats(&case.weight), (n_in, n_out), &mut turned);
    let there = case
        .numbers
        .image(case.small.height, case.small.width, n_small, 6);
    let (small_before, small) = placed(&there, n_small + 16, 1);
    let (large_before, large) = placed(
        &Image::zeros(case.xs.height, case.xs.width, case.large.channels),
        case.large.channels,
        0,
    );
    let (smalls, larges) = at_every_level(|level| {
        let (mut smalls, mut larges) = (small_before.clone(), large_before.clone());
        let outputs = [
            (&mut smalls, small, Square::Sum, Start::Existing),
            (&mut larges, large, Square::Pixels, Start::Zero),
        ];
        let there = outputs
            .into_iter()
            .filter(|(_, view, ..)| view.channels > 0);
        let mut outputs: Vec<_> = there
            .map(|(values, view, square, start)| Output {
                values,
                view,
                square,
                start,
                finish: Finish::Keep,
            })
            .collect();
        let input = Input {
            values: &dys,
            view: dy.padded(1),
            scale: Scale::Same,
        };
        let (products, mut scratch) = (case.products(level, &turned), case.scratch());
        let forward = case.products(level, &floats(&case.weight));
        let mut transposed = vec![0.0; products.len()];
        winograd::turned(&forward, (n_in, n_out), &mut transposed);
        assert!(transposed == products, "{}: turned products", case.what);
        winograd::convolve(level, &[input], &products, &mut outputs, &mut scratch);
        (smalls.to_vec(), larges.to_vec())
    });
    let whole = reference::convolution_input_gradient(&case.xs, &gradient, &case.weight, WINDOW);
    let mut expected =
        reference::upsample_gradient(&case.small, &channels_of(&whole, 0, n_small), 2);
    for (value, there) in expected.values.iter_mut().zip(&there.values) {
        *value += there;
    }
    if n_small > 0 {
        assert_image(
            &case.what,
            (&smalls, small),
            &small_before,
            &expected,
            case.tolerance(),
        );
    }
    let expected = channels_of(&whole, n_small, n_in - n_small);
    if n_in > n_small {
        assert_image(
            &case.what,
            (&larges, large),
            &large_before,
            &expected,
            case.tolerance(),
        );
    }
}

#[test]
#[should_panic(expected = "5×4 is even")]
fn an_odd_image_is_refused() {
    let values = [0.0; 7 * 6 * 16];
    let input = Input {
        values: &values,
        view: View::bordered(7, 6, 16, 0),
        scale: Scale::Same,
    };
    let output = Output {
        values: &mut [0.0; 5 * 4 * 16],
        view: View::bordered(5, 4, 16, 0),
        square: Square::Pixels,
        start: Start::Zero,
        finish: Finish::Keep,
    };
    let (products, mut scratch) = ([0.0; 16 * 256], [0.0; 1 << 14]);
    winograd::convolve(
        Level::best(),
        &[input],
        &products,
        &mut [output],
        &mut scratch,
    );
}
