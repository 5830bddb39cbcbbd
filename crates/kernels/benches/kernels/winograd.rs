//! Winograd's convolution and the gradient of its weights. Each is credited with the operations of the direct sum, so that its
//! share of the peak may pass 1.
//!
//! The gradient of an input is the convolution with other numbers of channels.

use criterion::Criterion;
use juggle_kernels::conv::Start;
use juggle_kernels::conv::winograd::large::{self, Pool};
use juggle_kernels::conv::winograd::{self, Input, N_PRODUCTS, Output, Scale, Square};
use juggle_kernels::{Buffer, Finish, Level, View};

use crate::convolution::filled;
use crate::table::{Table, Work};

/// Side of the image, upsampled channels, other channels, output channels: the layers of the two networks.
const SHAPES: [[usize; 4]; 9] = [
    [32, 0, 16, 16],
    [32, 0, 16, 32],
    [32, 0, 48, 16],
    [32, 32, 16, 16],
    [16, 0, 32, 16],
    [16, 0, 32, 32],
    [16, 0, 96, 32],
    [16, 64, 32, 32],
    [8, 0, 64, 64],
];

struct Memory {
    small: View,
    large: View,
    y: View,
    smalls: Buffer,
    larges: Buffer,
    products: Buffer,
    large_products: Buffer,
    bias: Buffer,
    ys: Buffer,
    gradient: Buffer,
    scratch: Buffer,
}

impl Memory {
    fn new([side, n_small, n_large, n_out]: [usize; 4]) -> Self {
        let area = |side: usize| (side + 2) * (side + 2);
        let n_in = n_small + n_large;
        Self {
            small: View::bordered(side / 2, side / 2, n_small, 1),
            large: View::bordered(side, side, n_large, 1),
            y: View::bordered(side, side, n_out, 1),
            smalls: filled(area(side / 2) * n_small),
            larges: filled(area(side) * n_large),
            products: filled(N_PRODUCTS * n_in * n_out),
            large_products: filled(large::N_PRODUCTS * n_in * n_out),
            bias: filled(n_out),
            ys: filled(area(side) * n_out),
            gradient: Buffer::zeros(N_PRODUCTS * n_in * n_out),
            scratch: Buffer::zeros(
                winograd::scratch_len((side, side), n_in, n_out).max(large::scratch_len(
                    (side, side),
                    n_in,
                    n_out,
                )),
            ),
        }
    }
}

/// Both inputs; the first has no channels where nothing is upsampled.
fn inputs<'a>(m: &Memory, smalls: &'a [f32], larges: &'a [f32]) -> [Input<'a>; 2] {
    let input = |values, view: View, scale| Input {
        values,
        view: view.padded(1),
        scale,
    };
    [
        input(smalls, m.small, Scale::Half),
        input(larges, m.large, Scale::Same),
    ]
}

fn forward(level: Level, m: &mut Memory) {
    let inputs = inputs(m, &m.smalls, &m.larges);
    let output = Output {
        values: &mut m.ys,
        view: m.y,
        square: Square::Pixels,
        start: Start::Bias(&m.bias),
        finish: Finish::Relu,
    };
    winograd::convolve(level, &inputs, &m.products, &mut [output], &mut m.scratch);
}

fn large_forward(level: Level, m: &mut Memory) {
    let inputs = inputs(m, &m.smalls, &m.larges);
    let start = (&*m.bias, Finish::Relu);
    let output = (&mut *m.ys, m.y, Pool::None);
    large::convolve(
        level,
        &inputs,
        &m.large_products,
        start,
        output,
        &mut m.scratch,
    );
}

fn weight_gradient(level: Level, m: &mut Memory) {
    // Sums from step to step would grow without end.
    m.gradient.fill(0.0);
    let inputs = inputs(m, &m.smalls, &m.larges);
    let dys = (&*m.ys, m.y);
    winograd::weight_gradient(level, &inputs, dys, &mut m.gradient, &mut m.scratch);
}

pub(crate) fn bench(criterion: &mut Criterion, table: &mut Table) {
    let kernels = [
        ("forward", forward as fn(Level, &mut Memory)),
        ("forward, large tiles,", large_forward),
        ("weight gradient", weight_gradient),
    ];
    for (kernel, run) in kernels {
        for shape in SHAPES {
            let [side, n_small, n_large, n_out] = shape;
            let upsampled = match n_small {
                0 => String::new(),
                n => format!("{n} upsampled + "),
            };
            let name =
                format!("winograd {kernel} 3x3, {side}x{side}, {upsampled}{n_large} to {n_out}");
            let work = Work::Flops(2 * side * side * 9 * (n_small + n_large) * n_out);
            let mut memory = Memory::new(shape);
            table.measure(criterion, &name, work, |level| run(level, &mut memory));
        }
    }
}
