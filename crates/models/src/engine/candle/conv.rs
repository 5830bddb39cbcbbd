//! The CPU's convolution under candle's autograd: image by image, `im2col` and a matrix product.
//!
//! candle 0.11 computes the gradient of a convolution by a naive transposed convolution and by a convolution whose
//! kernel is the whole gradient map. Here the gradient of the input is a convolution with the flipped, transposed
//! weights, and the gradient of the weights one product an image. Images run in parallel; the weights' gradient is summed
//! over a fixed number of chunks in their order, so that the bits do not depend on the number of threads.
//!
//! `n, c, h, w` are an input's batch, channels, rows and columns; `o` the output channels; `k` the kernel's side.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, LinalgScalar};
use rayon::prelude::*;

/// Parts that a batch is cut into for the weights' gradient, whatever the number of threads.
const CHUNKS: usize = 8;

/// The cross-correlation of `xs` `[n, c, h, w]` with `weight` `[o, c, k, k]`, zeros around, plus `bias` `[o]`.
pub(super) fn conv2d(
    xs: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    (stride, padding): (usize, usize),
) -> Result<Tensor> {
    if xs.device().is_cpu() {
        xs.contiguous()?
            .apply_op3(weight, bias, Convolution { stride, padding })
    } else {
        candles_own(xs, weight, bias, (stride, padding))
    }
}

/// The same by candle's operations, for devices that it has kernels for. Its gradient at a stride takes the columns to leave over as many
/// pixels as the rows, so a stride is every so many pixels of the outputs without one.
fn candles_own(
    xs: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    (stride, padding): (usize, usize),
) -> Result<Tensor> {
    let mut ys = xs
        .conv2d(weight, padding, 1, 1, 1)?
        .broadcast_add(&bias.reshape((1, (), 1, 1))?)?;
    for dim in [2, 3].into_iter().filter(|_| stride > 1) {
        let positions: Vec<u32> = (0..)
            .step_by(stride)
            .take(ys.dim(dim)?.div_ceil(stride))
            .collect();
        ys = ys.index_select(&Tensor::new(positions, xs.device())?, dim)?;
    }
    Ok(ys)
}

/// The sizes of one convolution.
#[derive(Clone, Copy)]
struct Sizes {
    c: usize,
    h: usize,
    w: usize,
    k: usize,
    stride: usize,
    padding: usize,
}

impl Sizes {
    fn out_h(self) -> usize {
        (self.h + 2 * self.padding - self.k) / self.stride + 1
    }

    fn out_w(self) -> usize {
        (self.w + 2 * self.padding - self.k) / self.stride + 1
    }

    /// Values of one output channel.
    fn out_area(self) -> usize {
        self.out_h() * self.out_w()
    }

    /// Weights of one output channel.
    fn patch(self) -> usize {
        self.c * self.k * self.k
    }

    /// Writes row (channel, kernel row, kernel column) of `columns` as the image shifted by the kernel's position.
    fn im2col<T: LinalgScalar>(self, image: &[T], columns: &mut [T]) {
        let (out_h, out_w) = (self.out_h(), self.out_w());
        for (row, column) in columns.chunks_exact_mut(out_h * out_w).enumerate() {
            let (channel, dy, dx) = (row / (self.k * self.k), row / self.k % self.k, row % self.k);
            let plane = &image[channel * self.h * self.w..][..self.h * self.w];
            // Output column x reads input column x · stride + dx − padding, where there is one.
            let first = self.padding.saturating_sub(dx).div_ceil(self.stride);
            let first = first.min(out_w);
            let last = (self.w + self.padding)
                .saturating_sub(dx)
                .div_ceil(self.stride)
                .clamp(first, out_w);
            for (y, out) in column.chunks_exact_mut(out_w).enumerate() {
                let from = (y * self.stride + dy).checked_sub(self.padding);
                match from.filter(|&y| y < self.h) {
                    Some(y) => {
                        let row = &plane[y * self.w..][..self.w];
                        let start = (first * self.stride + dx).saturating_sub(self.padding);
                        out[..first].fill(T::zero());
                        if self.stride == 1 {
                            out[first..last].copy_from_slice(&row[start..][..last - first]);
                        } else {
                            let values = row.iter().skip(start).step_by(self.stride);
                            for (out, &value) in out[first..last].iter_mut().zip(values) {
                                *out = value;
                            }
                        }
                        out[last..].fill(T::zero());
                    }
                    None => out.fill(T::zero()),
                }
            }
        }
    }

    fn convolve<T: LinalgScalar + Send + Sync>(self, xs: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
        let (patch, area) = (self.patch(), self.out_area());
        let o = weight.len() / patch;
        let images = xs.len() / (self.c * self.h * self.w);
        let mut outputs = vec![T::zero(); images * o * area];
        let columns = || vec![T::zero(); patch * area];
        outputs
            .par_chunks_exact_mut(o * area)
            .zip(xs.par_chunks_exact(self.c * self.h * self.w))
            .for_each_init(columns, |columns, (output, image)| {
                self.im2col(image, columns);
                for (channel, &bias) in output.chunks_exact_mut(area).zip(bias) {
                    channel.fill(bias);
                }
                product(
                    matrix(weight, o),
                    matrix(columns, patch),
                    matrix_mut(output, o),
                );
            });
        outputs
    }

    /// The gradient of the weights from the inputs and the outputs' gradient `[n, o, out_h, out_w]`.
    fn weight_gradient<T: LinalgScalar + Send + Sync>(
        self,
        xs: &[T],
        gradient: &[T],
        o: usize,
    ) -> Vec<T> {
        let (patch, area, image) = (self.patch(), self.out_area(), self.c * self.h * self.w);
        let chunk = (xs.len() / image).div_ceil(CHUNKS).max(1);
        let partial = |(xs, gradient): (&[T], &[T])| {
            let mut columns = vec![T::zero(); patch * area];
            let mut sum = vec![T::zero(); o * patch];
            for (image, gradient) in xs.chunks_exact(image).zip(gradient.chunks_exact(o * area)) {
                self.im2col(image, &mut columns);
                let columns = matrix(&columns, patch);
                product(matrix(gradient, o), columns.t(), matrix_mut(&mut sum, o));
            }
            sum
        };
        let chunks = xs
            .par_chunks(chunk * image)
            .zip(gradient.par_chunks(chunk * o * area));
        let partials: Vec<Vec<T>> = chunks.map(partial).collect();
        let mut sum = vec![T::zero(); o * patch];
        for partial in partials {
            for (total, value) in sum.iter_mut().zip(partial) {
                *total = *total + value;
            }
        }
        sum
    }
}

/// `out += a · b`.
fn product<T: LinalgScalar>(
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    mut out: ArrayViewMut2<'_, T>,
) {
    general_mat_mul(T::one(), &a, &b, T::one(), &mut out);
}

fn matrix<T>(values: &[T], rows: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, values.len() / rows), values).expect("the slice holds whole rows")
}

fn matrix_mut<T>(values: &mut [T], rows: usize) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows, values.len() / rows), values)
        .expect("the slice holds whole rows")
}

/// The convolution as an operation that candle can differentiate.
struct Convolution {
    stride: usize,
    padding: usize,
}

impl Convolution {
    /// The gradient of the outputs with zeros for those that a stride of 1 would have had.
    fn spread(&self, gradient: &Tensor, xs: &Tensor, k: usize) -> Result<Tensor> {
        if self.stride == 1 {
            return Ok(gradient.clone());
        }
        let (n, o, h, w) = gradient.dims4()?;
        let full = |pixels: usize| pixels + 2 * self.padding + 1 - k;
        gradient
            .reshape(&[n, o, h, 1, w, 1][..])?
            .pad_with_zeros(3, 0, self.stride - 1)?
            .pad_with_zeros(5, 0, self.stride - 1)?
            .reshape((n, o, h * self.stride, w * self.stride))?
            .narrow(2, 0, full(xs.dim(2)?))?
            .narrow(3, 0, full(xs.dim(3)?))
    }
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "conv2d-im2col"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xl: &Layout,
        weight: &CpuStorage,
        wl: &Layout,
        bias: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = xl.shape().dims4()?;
        let (o, _, k, _) = wl.shape().dims4()?;
        let sizes = Sizes {
            c,
            h,
            w,
            k,
            stride: self.stride,
            padding: self.padding,
        };
        let shape = Shape::from((n, o, sizes.out_h(), sizes.out_w()));
        let outputs = match (xs, weight, bias) {
            (CpuStorage::F32(xs), CpuStorage::F32(weight), CpuStorage::F32(bias)) => {
                CpuStorage::F32(sizes.convolve(
                    dense(xs, xl)?,
                    dense(weight, wl)?,
                    dense(bias, bl)?,
                ))
            }
            (CpuStorage::F64(xs), CpuStorage::F64(weight), CpuStorage::F64(bias)) => {
                CpuStorage::F64(sizes.convolve(
                    dense(xs, xl)?,
                    dense(weight, wl)?,
                    dense(bias, bl)?,
                ))
            }
            _ => bail!("conv2d takes f32 or f64 images, weights and biases of one type"),
        };
        Ok((outputs, shape))
    }

    fn bwd(
        &self,
        xs: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (gradient, k) = (gradient.contiguous()?, weight.dim(3)?);
        // The images of a batch need no gradient, so the first layer is spared the larger half of its work.
        let input_gradient = if xs.track_op() {
            let turned = weight.flip(&[2, 3])?.transpose(0, 1)?.contiguous()?;
            let no_bias = Tensor::zeros(xs.dim(1)?, xs.dtype(), xs.device())?;
            let mut spread = self.spread(&gradient, xs, k)?;
            // Outputs of nothing but padding reach no pixel.
            let beyond = self.padding.saturating_sub(k - 1);
            for dim in [2, 3].into_iter().filter(|_| beyond > 0) {
                let within = spread.dim(dim)? - 2 * beyond;
                spread = spread.narrow(dim, beyond, within)?;
            }
            let spread = spread.contiguous()?;
            let op = Self {
                stride: 1,
                padding: (k - 1).saturating_sub(self.padding),
            };
            Some(spread.apply_op3_no_bwd(&turned, &no_bias, &op)?)
        } else {
            None
        };
        let op = WeightGradient {
            k,
            stride: self.stride,
            padding: self.padding,
        };
        let weight_gradient = xs.apply_op2_no_bwd(&gradient, &op)?;
        // Rows first: candle sums the last dimension fast and the others slowly.
        let bias_gradient = if bias.track_op() {
            Some(gradient.flatten_from(2)?.sum(2)?.sum(0)?)
        } else {
            None
        };
        Ok((input_gradient, Some(weight_gradient), bias_gradient))
    }
}

/// The gradient of the weights, from the inputs and the gradient of the outputs.
struct WeightGradient {
    k: usize,
    stride: usize,
    padding: usize,
}

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "conv2d-im2col-weight-gradient"
    }

    fn cpu_fwd(
        &self,
        xs: &CpuStorage,
        xl: &Layout,
        gradient: &CpuStorage,
        gl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, c, h, w) = xl.shape().dims4()?;
        let o = gl.shape().dims4()?.1;
        let sizes = Sizes {
            c,
            h,
            w,
            k: self.k,
            stride: self.stride,
            padding: self.padding,
        };
        let sum = match (xs, gradient) {
            (CpuStorage::F32(xs), CpuStorage::F32(gradient)) => {
                CpuStorage::F32(sizes.weight_gradient(dense(xs, xl)?, dense(gradient, gl)?, o))
            }
            (CpuStorage::F64(xs), CpuStorage::F64(gradient)) => {
                CpuStorage::F64(sizes.weight_gradient(dense(xs, xl)?, dense(gradient, gl)?, o))
            }
            _ => bail!("conv2d takes f32 or f64 images and gradients of one type"),
        };
        Ok((sum, Shape::from((o, c, self.k, self.k))))
    }
}

fn dense<'a, T>(values: &'a [T], layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => bail!("conv2d takes contiguous tensors"),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Var};

    use super::*;

    #[test]
    fn the_form_of_other_devices_gives_the_same_values_and_gradients() {
        for (k, stride, padding) in [(3, 1, 1), (3, 2, 1), (2, 3, 2), (1, 2, 0), (1, 1, 2)] {
            let var = |device: &Device, shape: &[usize]| {
                let n = u16::try_from(shape.iter().product::<usize>()).unwrap();
                let values: Vec<f64> = (0..n).map(|i| f64::from(i * 37 % 11) - 5.0).collect();
                Var::from_vec(values, shape, device).unwrap()
            };
            let run = |device: &Device,
                       f: fn(&Tensor, &Tensor, &Tensor, (usize, usize)) -> Result<Tensor>| {
                let all = [&[2, 3, 7, 9][..], &[4, 3, k, k], &[4]].map(|shape| var(device, shape));
                let ys = f(&all[0], &all[1], &all[2], (stride, padding)).unwrap();
                let gradients = ys.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                let values = |xs: &Tensor| xs.flatten_all().unwrap().to_vec1::<f64>().unwrap();
                let of = all
                    .each_ref()
                    .map(|var| values(gradients.get(var).unwrap()));
                (ys.dims4().unwrap(), values(&ys), of)
            };
            let other = crate::engine::candle::tests::device().resolve().unwrap();
            // Small integers: equal to the bit in any order.
            assert_eq!(
                run(&Device::Cpu, conv2d),
                run(&other, candles_own),
                "{k}, {stride}, {padding}"
            );
        }
    }
}
