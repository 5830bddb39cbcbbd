//! Convolution and linear layers, forward and their gradients.
//!
//! A new way of doing one of these is a function here and a line in [`KERNELS`]; it is credited with the direct sum's
//! operations, so that its share may pass 1.

use criterion::Criterion;
use juggle_kernels::conv::{self, Start};
use juggle_kernels::{Buffer, Finish, Level, View};

use crate::table::{Table, Work};

/// A layer with padding that keeps the image's size.
#[derive(Clone, Copy)]
struct Shape {
    height: usize,
    width: usize,
    in_channels: usize,
    out_channels: usize,
    side: usize,
}

const fn conv3(side: usize, in_channels: usize, out_channels: usize) -> Shape {
    Shape {
        height: side,
        width: side,
        in_channels,
        out_channels,
        side: 3,
    }
}

/// The layers of the classifier and of the autoencoder on 32×32 images, without repetitions; the last is the classifier's
/// first linear layer on a chunk of four images.
const SHAPES: [Shape; 9] = [
    conv3(32, 1, 16),
    conv3(32, 16, 16),
    conv3(32, 16, 32),
    conv3(32, 48, 16),
    conv3(16, 32, 16),
    conv3(16, 32, 32),
    conv3(16, 96, 32),
    conv3(8, 64, 64),
    Shape {
        height: 1,
        width: 4,
        in_channels: 1024,
        out_channels: 64,
        side: 1,
    },
];

/// A name, whether a shape suits it, and what it does with the memory.
type Kernel = (&'static str, fn(Shape) -> bool, fn(Level, &mut Memory));

const KERNELS: [Kernel; 3] = [
    ("forward", |_| true, forward),
    ("weight gradient", |_| true, weight_gradient),
    (
        "input gradient",
        |shape| shape.in_channels.is_multiple_of(16),
        input_gradient,
    ),
];

/// The inputs and outputs of every kernel for one shape.
struct Memory {
    x: View,
    y: View,
    padding: usize,
    xs: Buffer,
    weight: Buffer,
    bias: Buffer,
    ys: Buffer,
    dxs: Buffer,
    gradient: Buffer,
}

impl Memory {
    fn new(shape: Shape) -> Self {
        let padding = shape.side / 2;
        let (height, width) = (shape.height, shape.width);
        let area = (height + 2 * padding) * (width + 2 * padding);
        let n_weights = shape.side * shape.side * shape.in_channels * shape.out_channels;
        Self {
            x: View::bordered(height, width, shape.in_channels, padding),
            y: View::bordered(height, width, shape.out_channels, padding),
            padding,
            xs: filled(area * shape.in_channels),
            weight: filled(n_weights),
            bias: filled(shape.out_channels),
            ys: filled(area * shape.out_channels),
            dxs: filled(area * shape.in_channels),
            gradient: Buffer::zeros(n_weights),
        }
    }
}

/// Fractions, so that no sum overflows or becomes subnormal.
pub(crate) fn filled(len: usize) -> Buffer {
    let mut buffer = Buffer::zeros(len);
    for (i, x) in buffer.iter_mut().enumerate() {
        *x = (i * 37 % 64) as f32 / 64.0 - 0.5;
    }
    buffer
}

fn forward(level: Level, m: &mut Memory) {
    conv::forward(
        level,
        (&m.xs, m.x.padded(m.padding)),
        &m.weight,
        (&mut m.ys, m.y),
        Start::Bias(&m.bias),
        Finish::Relu,
    );
}

fn weight_gradient(level: Level, m: &mut Memory) {
    // Sums from step to step would grow without end.
    m.gradient.fill(0.0);
    let x = (&*m.xs, m.x.padded(m.padding));
    conv::weight_gradient(level, x, (&m.ys, m.y), &mut m.gradient);
}

/// The weights count as turned already: that is done once a step for all images.
fn input_gradient(level: Level, m: &mut Memory) {
    conv::forward(
        level,
        (&m.ys, m.y.padded(m.padding)),
        &m.weight,
        (&mut m.dxs, m.x),
        Start::Zero,
        Finish::Mask(&m.xs, m.x),
    );
}

pub(crate) fn bench(criterion: &mut Criterion, table: &mut Table) {
    for (kernel, suits, run) in KERNELS {
        for shape in SHAPES.into_iter().filter(|&shape| suits(shape)) {
            let Shape {
                height,
                width,
                in_channels,
                out_channels,
                side,
            } = shape;
            let multiply_adds = height * width * side * side * in_channels * out_channels;
            let name = format!(
                "{kernel} {side}x{side}, {height}x{width}, {in_channels} to {out_channels}"
            );
            let mut memory = Memory::new(shape);
            table.measure(criterion, &name, Work::Flops(2 * multiply_adds), |level| {
                run(level, &mut memory);
            });
        }
    }
}
