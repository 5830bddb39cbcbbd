//! 3×3 convolution by Winograd's minimal filtering F(2×2, 3×3), 16 products where the direct form has 36.
//!
//! ```text
//! for each strip of 4×4 input tiles, two pixels apart:
//!     V[k][tile][in]  = Bᵀ d B           sums and differences of the tile's pixels, k = 0 … 15
//!     M[k][tile][out] = V[k] · U[k]      16 matrix products, U = G g Gᵀ made from the weights once a step
//!     y               = Aᵀ M A           2×2 output pixels, then bias, ReLU or mask
//! ```
//!
//! 1. *An upsampled input is never made.* A row of a tile of an image that was doubled is [a, b, b, c], and Bᵀ takes it
//!    to [a − b, 2b, 0, b − c]: the small image gives 9 of the 16 matrices, the others are zero and are not multiplied.
//! 2. *Nor is the gradient of one.* The sum over a 2×2 square of output pixels is [1 2 0 −1] M [1 2 0 −1]ᵀ: the same 9.
//! 3. *Concatenated inputs* are read from where they lie and meet in V.
//!
//! The matrix products are the direct kernels with a 1×1 kernel and the strip's tiles as pixels. Every output is a fixed
//! chain of operations whatever the strip, the register tile and the level. Source: A. Lavin, S. Gray, *Fast Algorithms for
//! Convolutional Neural Networks*, 2015, section 4.1; the transforms' matrices are theirs.

mod gradient;
pub mod large;
mod transform;
mod weights;

use super::{Forward, Start};
use crate::simd::{Kernel, Vector};
use crate::{Finish, Level, View};

pub use gradient::weight_gradient;
pub use weights::{N_PRODUCTS, transform_weights, turned, untransform_gradient};

use transform::Strip;

/// How the pixels of an input belong to the pixels of the convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// One for one.
    Same,
    /// One for each square of 2×2: the input is upsampled by 2 first.
    Half,
}

/// What is written of each square of 2×2 pixels of the convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Square {
    /// Its pixels.
    Pixels,
    /// Their sum: the gradient of an input that was upsampled by 2.
    Sum,
    /// The greatest of the finished pixels: max-pooling by 2.
    Maximum,
}

impl Square {
    /// How much smaller than the convolution the output is.
    fn side(self) -> usize {
        match self {
            Self::Pixels => 1,
            Self::Sum | Self::Maximum => 2,
        }
    }
}

/// Some of the channels that a convolution reads.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// Where the values are.
    pub values: &'a [f32],
    /// The image with one more pixel on each side, as it lies, before any upsampling.
    pub view: View,
    /// Whether it is upsampled.
    pub scale: Scale,
}

/// Some of the channels that a convolution writes.
#[derive(Debug)]
pub struct Output<'a> {
    /// Where the values go.
    pub values: &'a mut [f32],
    /// The image, as it lies.
    pub view: View,
    /// What is written.
    pub square: Square,
    /// What is added to the sums; a bias holds the values of this output's channels.
    pub start: Start<'a>,
    /// What becomes of them.
    pub finish: Finish<'a>,
}

impl Input<'_> {
    /// Whether seven of the matrices are zero.
    fn has_zeros(&self) -> bool {
        self.scale == Scale::Half
    }
}

impl Output<'_> {
    /// Whether seven of the matrices do not count.
    fn has_zeros(&self) -> bool {
        self.square == Square::Sum
    }
}

/// Tiles that are worked on together, at least, where the image has so many: enough rows for the matrix products.
const STRIP_TILES: usize = 16;

/// The 16 matrices of a strip, `[k][tile][channel]`.
#[derive(Debug, Clone, Copy)]
struct Matrices {
    /// Values from one matrix to the next.
    stride: usize,
    channels: usize,
}

impl Matrices {
    /// Three cache lines more than a matrix has, since strides of powers of two would put the 16 into few sets of the cache.
    fn new(n_tiles: usize, channels: usize) -> Self {
        Self {
            stride: n_tiles * channels + 48,
            channels,
        }
    }

    fn len(self) -> usize {
        16 * self.stride
    }

    /// Tiles `0..n_tiles` of matrix `k` as the pixels of one row, and these of its channels.
    fn view(self, k: usize, n_tiles: usize, (first, channels): (usize, usize)) -> View {
        View {
            offset: k * self.stride + first,
            row: n_tiles * self.channels,
            pixel: self.channels,
            height: 1,
            width: n_tiles,
            channels,
        }
    }
}

/// How an image is cut into tiles and strips.
#[derive(Debug, Clone, Copy)]
struct Tiling {
    rows: usize,
    columns: usize,
    strip_rows: usize,
}

impl Tiling {
    /// For an image of this size, strips of at least so many tiles if it has them.
    fn new((height, width): (usize, usize), strip_tiles: usize) -> Self {
        let (rows, columns) = (height / 2, width / 2);
        Self {
            rows,
            columns,
            strip_rows: strip_tiles.div_ceil(columns.max(1)).clamp(1, rows.max(1)),
        }
    }

    fn strip_tiles(self) -> usize {
        self.strip_rows * self.columns
    }

    fn strip(self, first_row: usize) -> Strip {
        Strip {
            first_row,
            rows: self.strip_rows.min(self.rows - first_row),
            columns: self.columns,
        }
    }
}

/// Whether matrix `k` is one of the seven that are zero for upsampled channels, and do not count for their gradients.
fn is_zero(k: usize) -> bool {
    k / 4 == 2 || k % 4 == 2
}

/// The channels of the parts, of which some have zeros, for which a matrix counts that may be zero for those; one run, since at
/// most one part of two has zeros.
fn channels_of(is_zero: bool, parts: impl Iterator<Item = (bool, usize)>) -> (usize, usize) {
    let (mut at, mut run) = (0, (0, 0));
    for (has_zeros, channels) in parts {
        if !(has_zeros && is_zero) {
            if run.1 == 0 {
                run.0 = at;
            }
            run.1 += channels;
        }
        at += channels;
    }
    run
}

/// Values of scratch memory that [`convolve`] and [`weight_gradient`] need for a convolution of this size.
#[must_use]
pub fn scratch_len(
    (height, width): (usize, usize),
    in_channels: usize,
    out_channels: usize,
) -> usize {
    let len = |strip_tiles| {
        let n_tiles = Tiling::new((height, width), strip_tiles).strip_tiles();
        Matrices::new(n_tiles, in_channels).len() + Matrices::new(n_tiles, out_channels).len()
    };
    len(STRIP_TILES).max(len(gradient::STRIP_TILES))
}

/// The 3×3 cross-correlation of the concatenated inputs with the weights, its channels handed out to the outputs in order.
///
/// `products` are the weights as [`transform_weights`] makes them, `[k][in][out]`. The convolution's height and width are
/// even. The gradient of a convolution's input is this on the output's gradient with turned weights, as for
/// [`forward`](super::forward). The results differ from the direct form by a few roundings; they are the same at every level.
///
/// # Panics
/// When a view leaves its slice, a shape does not fit or is odd, a number of channels is no multiple of 16, more than one of
/// several parts is halved, or `scratch` is shorter than [`scratch_len`].
pub fn convolve(
    level: Level,
    inputs: &[Input<'_>],
    products: &[f32],
    outputs: &mut [Output<'_>],
    scratch: &mut [f32],
) {
    let in_channels = inputs.iter().map(|input| input.view.channels).sum();
    let out_channels = outputs.iter().map(|output| output.view.channels).sum();
    let size = outputs.first().map_or((0, 0), |output| full_size(output));
    check_inputs(inputs, size);
    for output in &*outputs {
        output.view.check_vectors(output.values.len());
        assert_eq!(full_size(output), size, "outputs of one size");
        assert!(
            output.square != Square::Maximum
                || !matches!(output.start, Start::Existing)
                    && !matches!(output.finish, Finish::Mask(..)),
            "a maximum is of new values, without a mask"
        );
        if let Start::Bias(bias) = output.start {
            let channels = output.view.channels;
            assert_eq!(bias.len(), channels, "one bias for each output channel");
        }
        output.finish.check(&output.view);
    }
    check_parts(outputs.iter().map(Output::has_zeros));
    assert_eq!(
        products.len(),
        N_PRODUCTS * in_channels * out_channels,
        "16 transformed weights for each pair of channels"
    );
    assert!(
        scratch.len() >= scratch_len(size, in_channels, out_channels),
        "scratch memory for a strip"
    );
    level.run(Convolve {
        inputs,
        products,
        outputs,
        scratch,
        tiling: Tiling::new(size, STRIP_TILES),
        channels: (in_channels, out_channels),
    });
}

fn full_size(output: &Output<'_>) -> (usize, usize) {
    let by = output.square.side();
    (by * output.view.height, by * output.view.width)
}

/// # Panics
/// When an input does not fit a convolution of this size.
fn check_inputs(inputs: &[Input<'_>], (height, width): (usize, usize)) {
    assert!(
        height.is_multiple_of(2) && width.is_multiple_of(2),
        "{height}×{width} is even"
    );
    check_sizes(inputs, (height, width));
}

/// # Panics
/// As [`check_inputs`], but for odd sizes.
fn check_sizes(inputs: &[Input<'_>], (height, width): (usize, usize)) {
    for input in inputs {
        input.view.check_vectors(input.values.len());
        let by = match input.scale {
            Scale::Same => 1,
            Scale::Half => 2,
        };
        assert_eq!(
            (input.view.height, input.view.width),
            (height / by + 2, width / by + 2),
            "an input with a border of one pixel for a convolution of {height}×{width}"
        );
    }
    check_parts(inputs.iter().map(Input::has_zeros));
}

fn check_parts(have_zeros: impl Iterator<Item = bool> + Clone) {
    let with_zeros = have_zeros.clone().filter(|&has_zeros| has_zeros);
    assert!(
        have_zeros.count() <= 2 && with_zeros.count() <= 1,
        "at most two parts, at most one of them halved"
    );
}

struct Convolve<'a, 'b> {
    inputs: &'a [Input<'a>],
    products: &'a [f32],
    outputs: &'a mut [Output<'b>],
    scratch: &'a mut [f32],
    tiling: Tiling,
    channels: (usize, usize),
}

impl Kernel for Convolve<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let n_tiles = self.tiling.strip_tiles();
        let (n_in, n_out) = self.channels;
        let (v, m) = (Matrices::new(n_tiles, n_in), Matrices::new(n_tiles, n_out));
        let (vs, ms) = self.scratch.split_at_mut(v.len());
        let mut row = 0;
        while row < self.tiling.rows {
            let strip = self.tiling.strip(row);
            transform::inputs::<V>(self.inputs, strip, (vs, v));
            for k in 0..N_PRODUCTS {
                let of_inputs = self.inputs.iter().map(|i| (i.has_zeros(), i.view.channels));
                let of_outputs = self
                    .outputs
                    .iter()
                    .map(|o| (o.has_zeros(), o.view.channels));
                let (from, to) = (
                    channels_of(is_zero(k), of_inputs),
                    channels_of(is_zero(k), of_outputs),
                );
                let weight = &self.products[k * n_in * n_out..][..n_in * n_out];
                Forward {
                    xs: vs,
                    x: v.view(k, strip.n_tiles(), from),
                    weight: &weight[from.0 * n_out + to.0..],
                    weight_row: n_out,
                    ys: ms,
                    y: m.view(k, strip.n_tiles(), to),
                    kernel_height: 1,
                    kernel_width: 1,
                    stride: 1,
                    start: Start::Zero,
                    finish: Finish::Keep,
                }
                .run::<V>();
            }
            let mut first = 0;
            for output in &mut *self.outputs {
                transform::output::<V>((ms, m), first, strip, output);
                first += output.view.channels;
            }
            row += strip.rows;
        }
    }
}
