//! The weights that take an output's gradient to the input's.

/// Writes the weights flipped in both kernel directions and with their channels exchanged.
///
/// `weight` is `[kernel position][in_channels][out_channels]`, `turned` becomes
/// `[last to first kernel position][out_channels][in_channels]`: [`forward`](super::forward) on the padded gradient of the
/// output with these weights is the gradient of the input. Where the convolution had a stride, the gradient of the output is
/// first written [`every`](crate::View::every) so many pixels of an image of zeros.
///
/// # Panics
/// When the lengths do not fit.
pub fn turned(weight: &[f32], (in_channels, out_channels): (usize, usize), turned: &mut [f32]) {
    let position = check(weight, (in_channels, out_channels), turned);
    let flipped = turned.chunks_exact_mut(position).rev();
    for (from, to) in weight.chunks_exact(position).zip(flipped) {
        transpose(from, (in_channels, out_channels), to);
    }
}

/// The weights of one position of the kernel.
///
/// # Panics
/// When the lengths do not fit.
pub(super) fn check(
    weight: &[f32],
    (in_channels, out_channels): (usize, usize),
    turned: &[f32],
) -> usize {
    assert_eq!(weight.len(), turned.len(), "as many weights as before");
    let position = in_channels * out_channels;
    assert!(
        position > 0 && weight.len().is_multiple_of(position),
        "whole kernel positions"
    );
    position
}

/// From `[in][out]` to `[out][in]`.
pub(super) fn transpose(from: &[f32], (in_channels, out_channels): (usize, usize), to: &mut [f32]) {
    // Blocks of 16×16, so that both sides stay in a few cache lines.
    for first in (0..out_channels).step_by(16) {
        for (i, row) in from.chunks_exact(out_channels).enumerate() {
            let last = out_channels.min(first + 16);
            for (o, &value) in (first..last).zip(&row[first..last]) {
                to[o * in_channels + i] = value;
            }
        }
    }
}
