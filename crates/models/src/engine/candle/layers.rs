//! One forward pass over the graph, layer by layer, with gradients equal to PyTorch's.
//!
//! `n, c, h, w` are the batch, the channels, the rows and the columns throughout.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};

use super::conv::conv2d;
use crate::network::{BATCH_NORM_EPS, Layer, Network, Source};

/// Which statistics batch normalisation uses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The batch's own, which it hands out for the running ones.
    Training,
    /// The running ones.
    Evaluation,
}

/// What one batch-norm layer saw in training mode, each of shape `[c]`.
pub(super) struct BatchStatistics {
    pub(super) layer: String,
    pub(super) mean: Tensor,
    pub(super) unbiased_variance: Tensor,
}

/// Runs the network on images `[n, c, h, w]` with the tensors of `weights`, by name.
pub(super) fn forward(
    network: &Network,
    xs: &Tensor,
    weights: &BTreeMap<String, Tensor>,
    mode: Mode,
) -> Result<(Tensor, Vec<BatchStatistics>)> {
    let mut outputs: Vec<Tensor> = Vec::with_capacity(network.nodes().len());
    let mut statistics = Vec::new();
    for (i, node) in network.nodes().iter().enumerate() {
        let inputs: Vec<&Tensor> = node
            .inputs
            .iter()
            .map(|source| match source {
                Source::Input => xs,
                Source::Node(j) => &outputs[*j],
            })
            .collect();
        let input = inputs[0];
        let weight = |name: &str| &weights[&format!("{}.{name}", node.name)];
        let output = match node.layer {
            Layer::Conv2d {
                stride, padding, ..
            } => {
                let bias = weight("bias");
                let bias = if network.feeds_only_batch_norm(i) {
                    bias.detach()
                } else {
                    bias.clone()
                };
                conv2d(input, weight("weight"), &bias, (stride, padding))?
            }
            Layer::BatchNorm2d { .. } => {
                let (mean, variance) = match mode {
                    Mode::Evaluation => (
                        weight("running_mean").clone(),
                        weight("running_var").clone(),
                    ),
                    Mode::Training => {
                        let (mean, variance) = batch_moments(input)?;
                        let count = input.elem_count() / mean.elem_count();
                        // One value has no spread: PyTorch divides by zero there, we keep the biased zero.
                        let unbias = count as f64 / (count - 1).max(1) as f64;
                        let unbiased_variance = (variance.detach() * unbias)?;
                        statistics.push(BatchStatistics {
                            layer: node.name.clone(),
                            mean: mean.detach(),
                            unbiased_variance,
                        });
                        (mean, variance)
                    }
                };
                batch_norm(input, &mean, &variance, weight("weight"), weight("bias"))?
            }
            Layer::Relu => relu(input)?,
            Layer::MaxPool2d { kernel_size } => max_pool2d(input, kernel_size)?,
            Layer::UpsampleNearest2d { scale_factor } => upsample_nearest2d(input, scale_factor)?,
            Layer::Concat => Tensor::cat(&inputs, 1)?,
            Layer::Flatten => input.flatten_from(1)?,
            Layer::Linear { .. } => input
                .matmul(&weight("weight").t()?)?
                .broadcast_add(weight("bias"))?,
        };
        outputs.push(output);
    }
    Ok((outputs.pop().unwrap_or_else(|| xs.clone()), statistics))
}

/// `max(x, 0)` with a gradient of zero at zero; candle's own `relu` passes the gradient there. What is no number stays so.
fn relu(xs: &Tensor) -> Result<Tensor> {
    let zeros = xs.zeros_like()?;
    xs.le(&zeros)?.where_cond(&zeros, xs)
}

/// The first maximum of every `k`×`k` square, in row order; candle's own pooling shares its gradient out.
fn max_pool2d(xs: &Tensor, k: usize) -> Result<Tensor> {
    let (n, c, h, w) = xs.dims4()?;
    let (out_h, out_w) = (h / k, w / k);
    let squares = xs
        .narrow(2, 0, out_h * k)?
        .narrow(3, 0, out_w * k)?
        .reshape(&[n, c, out_h, k, out_w, k][..])?
        .permute([3, 5, 0, 1, 2, 4])?
        .reshape((k * k, n, c, out_h, out_w))?;
    let mut best = squares.get(0)?;
    for i in 1..k * k {
        let next = squares.get(i)?;
        best = next.gt(&best)?.where_cond(&next, &best)?;
    }
    Ok(best)
}

/// Every pixel as an `s`×`s` square. Built from a broadcast, whose gradient is the sum over the square; candle's own
/// upsampling overwrites the gradient where the input has another reader.
fn upsample_nearest2d(xs: &Tensor, s: usize) -> Result<Tensor> {
    let (n, c, h, w) = xs.dims4()?;
    let columns = xs
        .reshape((n, c, h, w, 1))?
        .broadcast_as((n, c, h, w, s))?
        .reshape((n, c, h, 1, w * s))?;
    columns
        .broadcast_as((n, c, h, s, w * s))?
        .reshape((n, c, h * s, w * s))
}

/// Mean and biased variance by channel, each `[c]`.
fn batch_moments(xs: &Tensor) -> Result<(Tensor, Tensor)> {
    let mean = channel_mean(xs)?;
    let centered = xs.broadcast_sub(&per_channel(&mean, xs)?)?;
    Ok((mean, channel_mean(&centered.sqr()?)?))
}

/// The mean over n, h and w. Rows first: candle sums the last dimension fast and the others slowly.
fn channel_mean(xs: &Tensor) -> Result<Tensor> {
    xs.flatten_from(2)?.mean(2)?.mean(0)
}

fn batch_norm(
    xs: &Tensor,
    mean: &Tensor,
    variance: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
) -> Result<Tensor> {
    let scale = (weight / (variance + BATCH_NORM_EPS)?.sqrt()?)?;
    let shift = (bias - (mean * &scale)?)?;
    xs.broadcast_mul(&per_channel(&scale, xs)?)?
        .broadcast_add(&per_channel(&shift, xs)?)
}

/// `[c]` as `[n, c, 1, 1]`, so that the gradient is summed over h and w first, which candle does fast.
fn per_channel(values: &Tensor, xs: &Tensor) -> Result<Tensor> {
    values
        .reshape((1, (), 1, 1))?
        .broadcast_as((xs.dim(0)?, values.dim(0)?, 1, 1))
}
