//! The gradient of the weights, summed in the transformed domain: V[k]ᵀ · (A dy Aᵀ)[k], turned back once a step.

use super::super::gradient::WeightGradient;
use super::{
    Input, Matrices, N_PRODUCTS, Tiling, channels_of, check_inputs, is_zero, scratch_len, transform,
};
use crate::simd::{Kernel, Vector};
use crate::{Level, View};

/// Tiles of a strip: more than going forward, since every strip loads and stores all gradients.
pub(super) const STRIP_TILES: usize = 64;

/// Adds to `products`, `[k][in][out]`, the gradient of the transformed weights of [`convolve`](super::convolve).
///
/// `dy` is the gradient of the output, without border. [`untransform_gradient`](super::untransform_gradient) makes the gradient
/// of the weights of it, once for the sum over all images.
///
/// # Panics
/// As [`convolve`](super::convolve).
pub fn weight_gradient(
    level: Level,
    inputs: &[Input<'_>],
    (dys, dy): (&[f32], View),
    products: &mut [f32],
    scratch: &mut [f32],
) {
    let size = (dy.height, dy.width);
    check_inputs(inputs, size);
    dy.check_vectors(dys.len());
    let in_channels: usize = inputs.iter().map(|input| input.view.channels).sum();
    assert_eq!(
        products.len(),
        N_PRODUCTS * in_channels * dy.channels,
        "16 gradients for each pair of channels"
    );
    assert!(
        scratch.len() >= scratch_len(size, in_channels, dy.channels),
        "scratch memory for a strip"
    );
    level.run(Gradient {
        inputs,
        dys,
        dy,
        products,
        scratch,
        tiling: Tiling::new(size, STRIP_TILES),
        in_channels,
    });
}

struct Gradient<'a> {
    inputs: &'a [Input<'a>],
    dys: &'a [f32],
    dy: View,
    products: &'a mut [f32],
    scratch: &'a mut [f32],
    tiling: Tiling,
    in_channels: usize,
}

impl Kernel for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let n_tiles = self.tiling.strip_tiles();
        let (n_in, n_out) = (self.in_channels, self.dy.channels);
        let (v, w) = (Matrices::new(n_tiles, n_in), Matrices::new(n_tiles, n_out));
        let (vs, ws) = self.scratch.split_at_mut(v.len());
        let mut row = 0;
        while row < self.tiling.rows {
            let strip = self.tiling.strip(row);
            transform::inputs::<V>(self.inputs, strip, (vs, v));
            transform::gradient::<V>((self.dys, self.dy), strip, (ws, w));
            for (k, gradient) in self.products.chunks_exact_mut(n_in * n_out).enumerate() {
                let of_inputs = self.inputs.iter().map(|i| (i.has_zeros(), i.view.channels));
                let (first, channels) = channels_of(is_zero(k), of_inputs);
                WeightGradient {
                    xs: vs,
                    x: v.view(k, strip.n_tiles(), (first, channels)),
                    dys: ws,
                    dy: w.view(k, strip.n_tiles(), (0, n_out)),
                    gradient: &mut gradient[first * n_out..][..channels * n_out],
                    kernel_height: 1,
                    kernel_width: 1,
                    stride: 1,
                }
                .run::<V>();
            }
            row += strip.rows;
        }
    }
}
