//! The two losses and their gradients by the outputs of one image.

use crate::{View, math};

/// The least gradient by a logit that counts.
const NEGLIGIBLE: f64 = 1e-30;

/// The cross-entropy of one image's logits against a class, with label smoothing as in `torch.nn.CrossEntropyLoss`.
///
/// `gradient[i]` becomes `weight` times the loss's gradient by logit i; values after the logits become 0. A gradient below
/// 1e-30 becomes 0 too: what it leads to would be subnormal, which moves no weight and takes a processor many times as long.
///
/// # Panics
/// When the label is no class, or `gradient` is shorter than `logits`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to f32 is the point"
)]
pub fn cross_entropy(
    logits: &[f32],
    label: usize,
    label_smoothing: f64,
    weight: f64,
    gradient: &mut [f32],
) -> f64 {
    assert!(label < logits.len(), "class {label} of {}", logits.len());
    let max = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let shares = logits.iter().map(|&x| math::exp(f64::from(x) - max));
    let total: f64 = shares.clone().sum();
    let log_total = max + math::ln(total);
    let uniform = label_smoothing / logits.len() as f64;
    let target = |class| {
        if class == label {
            1.0 - label_smoothing + uniform
        } else {
            uniform
        }
    };
    gradient[logits.len()..].fill(0.0);
    for ((class, share), gradient) in shares.enumerate().zip(gradient) {
        let exact = weight * (share / total - target(class));
        *gradient = if exact.abs() < NEGLIGIBLE {
            0.0
        } else {
            exact as f32
        };
    }
    let costs = logits.iter().map(|&x| log_total - f64::from(x));
    let mean = costs.sum::<f64>() / logits.len() as f64;
    let nll = log_total - f64::from(logits[label]);
    (1.0 - label_smoothing) * nll + label_smoothing * mean
}

/// The sum of one image's squared errors against `targets` `[channel][row][column]`, in f64.
///
/// Channel i of the targets is channel `positions[i]` of the outputs. `dys` becomes `weight · 2 · (y − target)`; its other
/// channels are untouched.
///
/// # Panics
/// When a view leaves its slice or a shape does not fit.
pub fn squared_error(
    (ys, y): (&[f32], View),
    positions: &[usize],
    targets: &[f32],
    weight: f32,
    (dys, dy): (&mut [f32], View),
) -> f64 {
    y.check(ys.len());
    dy.check(dys.len());
    y.check_same(&dy);
    assert_eq!(
        targets.len(),
        positions.len() * y.height * y.width,
        "one target for each channel and pixel"
    );
    let mut sum = 0.0;
    for (plane, &channel) in targets.chunks_exact(y.height * y.width).zip(positions) {
        assert!(channel < y.channels, "the output has channel {channel}");
        for (row, values) in plane.chunks_exact(y.width).enumerate() {
            for (column, &target) in values.iter().enumerate() {
                let error = ys[y.at(row, column) + channel] - target;
                sum += f64::from(error) * f64::from(error);
                dys[dy.at(row, column) + channel] = weight * (2.0 * error);
            }
        }
    }
    sum
}
