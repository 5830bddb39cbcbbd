//! The same bits on every architecture: the levels of one machine are compared with each other by the other tests, those of
//! different machines by this constant.

use juggle_kernels::conv::{self, Start};
use juggle_kernels::optimizer::{self, Adam};
use juggle_kernels::{Accumulate, Finish, Level, View, loss, math, norm, pool};

use crate::images::{Numbers, at_every_level, floats, placed};

/// FNV-1a over the bits of everything below.
const BITS: u64 = 0x0159_ba0a_8329_8391;

struct Hash(u64);

impl Hash {
    fn of(&mut self, values: &[f32]) {
        for byte in values.iter().flat_map(|x| x.to_bits().to_le_bytes()) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[test]
fn every_architecture_gives_these_bits() {
    let hash = at_every_level(|level| {
        let mut hash = Hash(0xcbf2_9ce4_8422_2325);
        images(level, &mut hash);
        parameters(level, &mut hash);
        format!("{:#018x}", hash.0)
    });
    assert_eq!(
        hash,
        format!("{BITS:#018x}"),
        "a change of bits is a decision, noted in CHANGELOG"
    );
}

/// A convolution, pooling and batch normalisation, and their gradients.
fn images(level: Level, hash: &mut Hash) {
    let numbers = Numbers::Fractions;
    let (xs, x) = placed(&numbers.image(7, 9, 16, 1), 32, 1);
    let (dys, dy) = placed(&numbers.image(7, 9, 48, 2), 48, 0);
    let weight = floats(&numbers.values(9 * 16 * 48, 3));
    let bias = floats(&numbers.values(48, 4));
    let mut ys = vec![0.0; dys.len()];
    let padded = (&*xs, x.padded(1));
    conv::forward(
        level,
        padded,
        &weight,
        (&mut ys, dy),
        Start::Bias(&bias),
        Finish::Relu,
    );
    hash.of(&ys);
    let mut gradient = weight;
    conv::weight_gradient(level, padded, (&dys, dy), &mut gradient);
    hash.of(&gradient);
    let mut bias_gradient = vec![0.0; 48];
    conv::bias_gradient(level, (&dys, dy), &mut bias_gradient);
    hash.of(&bias_gradient);

    let (mut mean, mut squares) = (vec![0.0; 48], vec![0.0; 48]);
    norm::moments(level, (&dys, dy), &mut mean, &mut squares);
    let (mut sum, mut product) = (vec![0.0; 48], vec![0.0; 48]);
    let by = (&*mean, &*squares);
    norm::gradient_sums(level, (&ys, dy), (&dys, dy), by, (&mut sum, &mut product));
    for values in [&mean, &squares, &sum, &product] {
        hash.of(values);
    }
    let small = View::bordered(3, 4, 48, 0);
    let mut pooled = vec![0.0; 3 * 4 * 48];
    pool::max_pool(level, 2, (&ys, dy), (&mut pooled, small));
    let mut spread = vec![0.0; ys.len()];
    pool::max_pool_gradient(
        level,
        2,
        (&ys, dy),
        (&pooled, small),
        (&mut spread, dy),
        Accumulate::Add,
        Finish::Mask(&dys, dy),
    );
    hash.of(&spread);
}

/// Adam, the cross-entropy, `exp` and `ln`.
fn parameters(level: Level, hash: &mut Hash) {
    let mut xs = floats(&Numbers::Fractions.values(64, 5));
    let (mut first, mut second) = (vec![0.0; 64], vec![0.0; 64]);
    let step = Adam {
        beta1: 0.9,
        one_minus_beta1: 0.1,
        beta2: 0.999,
        one_minus_beta2: 0.001,
        eps: 1e-8,
        step_size: 0.02,
        correction: 0.5,
        penalty: 0.01,
        shrink: 0.99,
    };
    for seed in 6..9 {
        let gradient = floats(&Numbers::Fractions.values(64, seed));
        optimizer::adam(level, step, &mut xs, &gradient, &mut first, &mut second);
    }
    let mut gradient = vec![0.0; 64];
    let cost = loss::cross_entropy(&xs, 3, 0.1, 0.25, &mut gradient);
    let (exp, ln) = (math::exp(cost), math::ln(cost + 1.0));
    for values in [&xs, &first, &second, &gradient] {
        hash.of(values);
    }
    hash.of(&[cost as f32, exp as f32, ln as f32]);
}
