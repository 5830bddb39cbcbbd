use juggle_kernels::optimizer::{self, Adam};
use juggle_kernels::{Buffer, View, loss, reference};

use crate::images::{Numbers, assert_near, at_every_level, floats};

// Miri errs at random in the platform's functions.
#[cfg(not(miri))]
#[test]
fn exp_and_ln_are_the_platforms_to_a_few_units() {
    use juggle_kernels::math;

    for i in -7000..7000 {
        let x = f64::from(i) / 10.0 + 0.0123;
        let (ours, theirs) = (math::exp(x), x.exp());
        assert!(
            (ours - theirs).abs() <= 4e-16 * theirs * x.abs().max(1.0),
            "exp({x}): {ours:e}, {theirs:e}"
        );
        let (ours, theirs) = (math::ln(math::exp(x)), x);
        assert!(
            (ours - theirs).abs() <= 4e-16 * theirs.abs().max(1.0),
            "ln(exp({x})): {ours}"
        );
    }
    assert_eq!((math::exp(0.0), math::ln(1.0)), (1.0, 0.0));
    assert_eq!((math::exp(-1e9), math::exp(1e9)), (0.0, f64::INFINITY));
    assert_eq!(
        (math::ln(0.0), math::ln(f64::INFINITY)),
        (f64::NEG_INFINITY, f64::INFINITY)
    );
    assert!(math::exp(f64::NAN).is_nan() && math::ln(f64::NAN).is_nan() && math::ln(-1.0).is_nan());
}

#[test]
fn cross_entropy_is_the_reference() {
    for classes in [1, 2, 3, 16, 37] {
        let logits = Numbers::Fractions.values(classes, 1);
        for label_smoothing in [0.0, 0.05, 1.0] {
            let label = classes / 2;
            let mut gradient = vec![9.0; classes + 5];
            let ours =
                loss::cross_entropy(&floats(&logits), label, label_smoothing, 0.5, &mut gradient);
            let (expected, expected_gradient) =
                reference::cross_entropy(&logits, label, label_smoothing);
            assert!((ours - expected).abs() < 1e-12, "{ours} {expected}");
            let halves: Vec<f64> = expected_gradient
                .iter()
                .map(|x| x / 2.0)
                .chain([0.0; 5])
                .collect();
            assert_near("gradient", &gradient, &halves, 1e-7);
        }
    }
    let mut gradient = [0.0; 2];
    let huge = loss::cross_entropy(&[1e4, -1e4], 1, 0.0, 1.0, &mut gradient);
    assert_eq!((huge, gradient), (2e4, [1.0, -1.0]));
    loss::cross_entropy(&[100.0, 0.0], 0, 0.0, 1.0, &mut gradient);
    assert_eq!(gradient, [0.0, 0.0]);
}

#[test]
fn squared_error_is_its_formula() {
    let view = View::bordered(2, 3, 16, 1);
    let mut ys = Buffer::zeros(4 * 5 * 16);
    ys[view.at(1, 2) + 4] = 3.0;
    let mut dys = Buffer::zeros(ys.len());
    let targets = [1.0; 12];
    let sum = loss::squared_error((&ys, view), &[4, 0], &targets, 0.25, (&mut dys, view));
    assert_eq!(sum, 11.0 + 4.0);
    assert_eq!(
        (
            dys[view.at(1, 2) + 4],
            dys[view.at(1, 2)],
            dys[view.at(0, 0) + 1]
        ),
        (1.0, -0.5, 0.0)
    );
}

// Long because one set of inputs serves several checks in a row.
#[test]
fn optimisers_are_their_definitions() {
    let n = 48;
    for (penalty, decoupled) in [(0.0, 0.0), (0.01, 0.0), (0.0, 0.01)] {
        let start = Numbers::Fractions.values(n, 1);
        let (xs, first, second) = at_every_level(|level| {
            let (mut xs, mut first, mut second) = (floats(&start), vec![0.0; n], vec![0.0; n]);
            for t in 1..=4 {
                let gradient = floats(&Numbers::Fractions.values(n, 10 + t as u64));
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
                optimizer::adam(level, step, &mut xs, &gradient, &mut first, &mut second);
            }
            (xs, first, second)
        });
        let mut expected: Vec<[f64; 3]> = start.iter().map(|&x| [x, 0.0, 0.0]).collect();
        for t in 1..=4 {
            let gradient = Numbers::Fractions.values(n, 10 + t as u64);
            for (state, gradient) in expected.iter_mut().zip(gradient) {
                *state = reference::adam(*state, gradient, 0.01, (penalty, decoupled), t);
            }
        }
        for (i, ours) in [xs, first, second].iter().enumerate() {
            let expected: Vec<f64> = expected.iter().map(|state| state[i]).collect();
            assert_near("adam", ours, &expected, 1e-6);
        }
    }
    let sgd = at_every_level(|level| {
        let (mut xs, mut momentum) = ([1.0; 16], [2.0; 16]);
        optimizer::sgd(
            level,
            (0.5, 0.25, 0.125),
            &mut xs,
            &[1.0; 16],
            &mut momentum,
        );
        (xs, momentum)
    });
    assert_eq!(sgd, ([1.0 - 0.5 * 1.625; 16], [0.5 + 1.0 + 0.125; 16]));
    let tiny = at_every_level(|level| {
        let (mut xs, mut momentum) = ([1.0; 16], [1e-38; 16]);
        (xs[2], xs[3]) = (-1e-25, 1e-18);
        momentum[0] = -1e-38;
        momentum[1] = -1.0;
        momentum[15] = f32::NAN;
        optimizer::sgd(level, (0.5, 0.5, 0.0), &mut xs, &[0.0; 16], &mut momentum);
        (xs.map(f32::to_bits), momentum.map(f32::to_bits))
    });
    let (xs, momentum) = (tiny.0.map(f32::from_bits), tiny.1.map(f32::from_bits));
    assert_eq!(momentum[..3], [0.0, -0.5, 0.0]);
    assert_eq!(xs[..4], [1.0, 1.25, 0.0, 1e-18]);
    assert!(momentum[15].is_nan() && xs[15].is_nan());
    let average = at_every_level(|level| {
        let mut average = [8.0; 16];
        optimizer::average(level, (0.75, 0.25), &mut average, &[4.0; 16]);
        optimizer::add(level, &mut average, &[1.0; 16]);
        average
    });
    assert_eq!(average, [8.0; 16]);
}
