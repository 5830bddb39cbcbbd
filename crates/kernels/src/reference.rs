//! What each kernel means: plain loops in f64 where sums are long, over images with the channels last and no border.
//!
//! Nothing here is fast. Every function has the name of the kernel it defines.

/// An image as rows of pixels of channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Number of rows.
    pub height: usize,
    /// Number of pixels in a row.
    pub width: usize,
    /// Number of values of a pixel.
    pub channels: usize,
    /// `[row][column][channel]`.
    pub values: Vec<f64>,
}

impl Image {
    /// An image of zeros.
    #[must_use]
    pub fn zeros(height: usize, width: usize, channels: usize) -> Self {
        Self {
            height,
            width,
            channels,
            values: vec![0.0; height * width * channels],
        }
    }

    /// Index of a value.
    #[must_use]
    pub fn at(&self, row: usize, column: usize, channel: usize) -> usize {
        (row * self.width + column) * self.channels + channel
    }

    /// The value at a position that may lie outside, where it is zero.
    fn padded(&self, row: Option<usize>, column: Option<usize>, channel: usize) -> f64 {
        match (row, column) {
            (Some(y), Some(x)) if y < self.height && x < self.width => {
                self.values[self.at(y, x, channel)]
            }
            _ => 0.0,
        }
    }
}

/// How a square kernel moves over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the kernel.
    pub side: usize,
    /// Pixels from one position to the next.
    pub stride: usize,
    /// Rows and columns of zeros on every side of the image.
    pub padding: usize,
}

impl Window {
    /// The positions in a row or column of so many pixels.
    #[must_use]
    pub fn positions(self, pixels: usize) -> usize {
        (pixels + 2 * self.padding - self.side) / self.stride + 1
    }
}

/// The cross-correlation with `weight` `[kernel row][kernel column][in][out]` of a square kernel, zeros around, plus bias.
#[must_use]
pub fn convolution(xs: &Image, weight: &[f64], bias: &[f64], window: Window) -> Image {
    let (height, width) = (window.positions(xs.height), window.positions(xs.width));
    let mut ys = Image::zeros(height, width, bias.len());
    for_each_product(xs, (height, width, bias.len()), window, |x, w, y| {
        ys.values[y] += x * weight[w];
    });
    for (i, y) in ys.values.iter_mut().enumerate() {
        *y += bias[i % bias.len()];
    }
    ys
}

/// The gradients of [`convolution`]'s weights and bias.
#[must_use]
pub fn convolution_gradients(xs: &Image, dys: &Image, window: Window) -> (Vec<f64>, Vec<f64>) {
    let mut weight = vec![0.0; window.side.pow(2) * xs.channels * dys.channels];
    let shape = (dys.height, dys.width, dys.channels);
    for_each_product(xs, shape, window, |x, w, y| {
        weight[w] += x * dys.values[y];
    });
    let mut bias = vec![0.0; dys.channels];
    for (i, dy) in dys.values.iter().enumerate() {
        bias[i % dys.channels] += dy;
    }
    (weight, bias)
}

/// The gradient of [`convolution`]'s input, of the shape of `xs`.
#[must_use]
pub fn convolution_input_gradient(
    xs: &Image,
    dys: &Image,
    weight: &[f64],
    window: Window,
) -> Image {
    // Numbering the input's values shows which of them each product reads.
    let mut numbered = Image::zeros(xs.height, xs.width, xs.channels);
    for (i, value) in numbered.values.iter_mut().enumerate() {
        *value = (i + 1) as f64;
    }
    let mut dxs = Image::zeros(xs.height, xs.width, xs.channels);
    let shape = (dys.height, dys.width, dys.channels);
    for_each_product(&numbered, shape, window, |number, w, y| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the numbers written above; 0 is the border"
        )]
        if let Some(i) = (number as usize).checked_sub(1) {
            dxs.values[i] += weight[w] * dys.values[y];
        }
    });
    dxs
}

/// Calls `visit` with the input's value, the weight's index and the output's index of every product of a convolution.
fn for_each_product(
    xs: &Image,
    (height, width, out_channels): (usize, usize, usize),
    Window {
        side,
        stride,
        padding,
    }: Window,
    mut visit: impl FnMut(f64, usize, usize),
) {
    for y in 0..height * width * out_channels {
        let (o, column, row) = (
            y % out_channels,
            y / out_channels % width,
            y / out_channels / width,
        );
        for w in 0..side * side * xs.channels {
            let (c, kx, ky) = (
                w % xs.channels,
                w / xs.channels % side,
                w / xs.channels / side,
            );
            let from_row = (row * stride + ky).checked_sub(padding);
            let from_column = (column * stride + kx).checked_sub(padding);
            visit(xs.padded(from_row, from_column, c), w * out_channels + o, y);
        }
    }
}

/// The maximum of every square; a last row or column that fills none is left out.
#[must_use]
pub fn max_pool(xs: &Image, side: usize) -> Image {
    let mut ys = Image::zeros(xs.height / side, xs.width / side, xs.channels);
    for y in 0..ys.values.len() {
        ys.values[y] = xs.values[first_maximum(xs, side, y)];
    }
    ys
}

/// The gradient of [`max_pool`]'s input: each square's goes to its first maximum in row order.
#[must_use]
pub fn max_pool_gradient(xs: &Image, dys: &Image, side: usize) -> Image {
    let mut dxs = Image::zeros(xs.height, xs.width, xs.channels);
    for (y, dy) in dys.values.iter().enumerate() {
        dxs.values[first_maximum(xs, side, y)] += dy;
    }
    dxs
}

/// Index of the first maximum of the square that output value `y` comes from.
fn first_maximum(xs: &Image, side: usize, y: usize) -> usize {
    let (channel, pixel) = (y % xs.channels, y / xs.channels);
    let (row, column) = (pixel / (xs.width / side), pixel % (xs.width / side));
    let mut best = xs.at(row * side, column * side, channel);
    for i in 0..side * side {
        let next = xs.at(row * side + i / side, column * side + i % side, channel);
        if xs.values[next] > xs.values[best] {
            best = next;
        }
    }
    best
}

/// Every pixel as a square.
#[must_use]
pub fn upsample(xs: &Image, side: usize) -> Image {
    let mut ys = Image::zeros(xs.height * side, xs.width * side, xs.channels);
    for y in 0..ys.values.len() {
        ys.values[y] = xs.values[upsampled_from(xs, side, y)];
    }
    ys
}

/// The gradient of [`upsample`]'s input, which was of the shape of `xs`.
#[must_use]
pub fn upsample_gradient(xs: &Image, dys: &Image, side: usize) -> Image {
    let mut dxs = Image::zeros(xs.height, xs.width, xs.channels);
    for (y, dy) in dys.values.iter().enumerate() {
        dxs.values[upsampled_from(xs, side, y)] += dy;
    }
    dxs
}

fn upsampled_from(xs: &Image, side: usize, y: usize) -> usize {
    let (channel, pixel) = (y % xs.channels, y / xs.channels);
    let width = xs.width * side;
    xs.at(pixel / width / side, pixel % width / side, channel)
}

/// Mean and biased variance by channel over a batch.
#[must_use]
pub fn batch_moments(images: &[Image]) -> (Vec<f64>, Vec<f64>) {
    let channels = images.first().map_or(0, |image| image.channels);
    let values = |c| {
        images
            .iter()
            .flat_map(move |image| image.values.iter().skip(c).step_by(channels))
    };
    let mean_of = |c, f: &dyn Fn(f64) -> f64| {
        values(c).map(|&x| f(x)).sum::<f64>() / values(c).count() as f64
    };
    let mean: Vec<f64> = (0..channels).map(|c| mean_of(c, &|x| x)).collect();
    let variance = (0..channels)
        .map(|c| mean_of(c, &|x| (x - mean[c]).powi(2)))
        .collect();
    (mean, variance)
}

/// The gradient of the input of batch normalisation with weight 1 over a batch: `rstd · (dy − mean(dy) − x̂ · mean(dy · x̂))`.
#[must_use]
pub fn batch_norm_input_gradient(images: &[Image], gradients: &[Image], eps: f64) -> Vec<Image> {
    let (mean, variance) = batch_moments(images);
    let rstd: Vec<f64> = variance.iter().map(|v| 1.0 / (v + eps).sqrt()).collect();
    let channels = mean.len();
    let normal = |image: &Image| {
        let mut image = image.clone();
        for (i, x) in image.values.iter_mut().enumerate() {
            *x = (*x - mean[i % channels]) * rstd[i % channels];
        }
        image
    };
    let normals: Vec<Image> = images.iter().map(normal).collect();
    let mut products = gradients.to_vec();
    for (product, normal) in products.iter_mut().zip(&normals) {
        for (product, x) in product.values.iter_mut().zip(&normal.values) {
            *product *= x;
        }
    }
    let (mean_dy, _) = batch_moments(gradients);
    let (mean_product, _) = batch_moments(&products);
    let mut dxs = gradients.to_vec();
    for (dx, normal) in dxs.iter_mut().zip(&normals) {
        for (i, (dx, x)) in dx.values.iter_mut().zip(&normal.values).enumerate() {
            let c = i % channels;
            *dx = rstd[c] * (*dx - mean_dy[c] - x * mean_product[c]);
        }
    }
    dxs
}

/// Cross-entropy of logits against a class with label smoothing, and its gradient.
#[must_use]
pub fn cross_entropy(logits: &[f64], label: usize, label_smoothing: f64) -> (f64, Vec<f64>) {
    let total: f64 = logits.iter().map(|x| x.exp()).sum();
    let uniform = label_smoothing / logits.len() as f64;
    let target = |class| f64::from(u8::from(class == label)) * (1.0 - label_smoothing) + uniform;
    let loss = logits
        .iter()
        .enumerate()
        .map(|(class, x)| target(class) * (total.ln() - x))
        .sum();
    let gradient = logits
        .iter()
        .enumerate()
        .map(|(class, x)| x.exp() / total - target(class))
        .collect();
    (loss, gradient)
}

/// One parameter's step of Adam (`decoupled` 0) or AdamW (`penalty` 0): the parameter and its moments after step `t`.
#[must_use]
pub fn adam(
    [x, first, second]: [f64; 3],
    gradient: f64,
    learning_rate: f64,
    (penalty, decoupled): (f64, f64),
    t: i32,
) -> [f64; 3] {
    let gradient = gradient + penalty * x;
    let first = 0.9 * first + 0.1 * gradient;
    let second = 0.999 * second + 0.001 * gradient * gradient;
    let (mean, deviation) = (
        first / (1.0 - 0.9_f64.powi(t)),
        (second / (1.0 - 0.999_f64.powi(t))).sqrt(),
    );
    let x = x * (1.0 - learning_rate * decoupled) - learning_rate * mean / (deviation + 1e-8);
    [x, first, second]
}
