//! What a network is made of, each kind with its shapes and tensors.

/// One layer. Images are NCHW, convolution weights OIHW, linear weights `[out, in]`, as in PyTorch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// A cross-correlation with bias and zero padding on every side. A last row or column that fills no kernel is left out.
    Conv2d {
        /// Channels of the input.
        in_channels: usize,
        /// Channels of the output.
        out_channels: usize,
        /// Height and width of the kernel.
        kernel_size: usize,
        /// Rows and columns from one position of the kernel to the next.
        stride: usize,
        /// Rows and columns of zeros added on every side.
        padding: usize,
    },
    /// Batch normalisation over N, H and W with affine parameters and running statistics.
    BatchNorm2d {
        /// Channels of the input and the output.
        num_features: usize,
    },
    /// `max(x, 0)`, with a gradient of zero at zero.
    Relu,
    /// The maximum over non-overlapping squares; a last row or column that fills no square is left out. The
    /// gradient goes to the first maximum in row order.
    MaxPool2d {
        /// Side of the square, which is the stride too.
        kernel_size: usize,
    },
    /// Every pixel repeated into a square.
    UpsampleNearest2d {
        /// Side of the square.
        scale_factor: usize,
    },
    /// Two or more images of one size stacked along the channels, in the order of the inputs.
    Concat,
    /// Channels, rows and columns as one vector, in this order.
    Flatten,
    /// A matrix product with bias.
    Linear {
        /// Length of the input vector.
        in_features: usize,
        /// Length of the output vector.
        out_features: usize,
    },
}

impl Layer {
    /// The kind's name in `torch.nn`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "Conv2d",
            Self::BatchNorm2d { .. } => "BatchNorm2d",
            Self::Relu => "ReLU",
            Self::MaxPool2d { .. } => "MaxPool2d",
            Self::UpsampleNearest2d { .. } => "Upsample",
            Self::Concat => "Concat",
            Self::Flatten => "Flatten",
            Self::Linear { .. } => "Linear",
        }
    }

    /// The sizes that cannot be 0.
    fn sizes(&self) -> Vec<usize> {
        match *self {
            Self::Conv2d {
                in_channels,
                out_channels,
                kernel_size,
                stride,
                ..
            } => vec![in_channels, out_channels, kernel_size, stride],
            Self::BatchNorm2d { num_features: size }
            | Self::MaxPool2d { kernel_size: size }
            | Self::UpsampleNearest2d { scale_factor: size } => vec![size],
            Self::Linear {
                in_features,
                out_features,
            } => vec![in_features, out_features],
            Self::Relu | Self::Concat | Self::Flatten => vec![],
        }
    }

    /// The output's shape without the batch dimension, or what the layer would have accepted.
    pub(super) fn output_shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
        if self.sizes().contains(&0) {
            return Err(format!("a layer without a size of 0, unlike {self:?}"));
        }
        match (self, inputs) {
            (
                Self::Conv2d {
                    in_channels,
                    out_channels,
                    kernel_size,
                    stride,
                    padding,
                },
                [[c, h, w]],
            ) => {
                if c != in_channels {
                    return Err(format!("{in_channels} channels"));
                }
                let side = |x: usize| {
                    let moves = (x + 2 * padding).checked_sub(*kernel_size)?;
                    Some(moves / stride + 1)
                };
                match (side(*h), side(*w)) {
                    (Some(h), Some(w)) => Ok(vec![*out_channels, h, w]),
                    _ => Err(format!(
                        "a padded image of at least {kernel_size}×{kernel_size}"
                    )),
                }
            }
            (Self::BatchNorm2d { num_features }, [[c, h, w]]) if c == num_features => {
                Ok(vec![*c, *h, *w])
            }
            (Self::BatchNorm2d { num_features }, _) => {
                Err(format!("an image of {num_features} channels"))
            }
            (Self::Relu, [shape]) => Ok(shape.to_vec()),
            (Self::MaxPool2d { kernel_size: k }, [[c, h, w]]) if h >= k && w >= k => {
                Ok(vec![*c, h / k, w / k])
            }
            (Self::MaxPool2d { kernel_size: k }, _) => Err(format!("an image of at least {k}×{k}")),
            (Self::UpsampleNearest2d { scale_factor }, [[c, h, w]]) => {
                Ok(vec![*c, h * scale_factor, w * scale_factor])
            }
            (Self::Concat, [[_, h, w], _, ..]) => {
                let mut channels = 0;
                for shape in inputs {
                    match shape {
                        [c, other_h, other_w] if other_h == h && other_w == w => channels += c,
                        _ => return Err(format!("images of {h}×{w}")),
                    }
                }
                Ok(vec![channels, *h, *w])
            }
            (Self::Concat, _) => Err("two or more images".to_owned()),
            (Self::Flatten, [shape]) => Ok(vec![shape.iter().product()]),
            (
                Self::Linear {
                    in_features,
                    out_features,
                },
                [[n]],
            ) if n == in_features => Ok(vec![*out_features]),
            (Self::Linear { in_features, .. }, _) => Err(format!("a vector of {in_features}")),
            _ => Err("one image of channels × height × width".to_owned()),
        }
    }

    /// The tensors of the layer, by their names in the layer.
    pub(super) fn tensors(&self) -> Vec<(&'static str, Vec<usize>, Initial)> {
        match *self {
            Self::Conv2d {
                in_channels,
                out_channels,
                kernel_size,
                ..
            } => {
                let fan_in = in_channels * kernel_size * kernel_size;
                vec![
                    (
                        "weight",
                        vec![out_channels, in_channels, kernel_size, kernel_size],
                        Initial::uniform(fan_in),
                    ),
                    ("bias", vec![out_channels], Initial::uniform(fan_in)),
                ]
            }
            Self::BatchNorm2d { num_features } => vec![
                ("weight", vec![num_features], Initial::Constant(1.0)),
                ("bias", vec![num_features], Initial::Constant(0.0)),
                ("running_mean", vec![num_features], Initial::Buffer(0.0)),
                ("running_var", vec![num_features], Initial::Buffer(1.0)),
                ("num_batches_tracked", vec![], Initial::Counter),
            ],
            Self::Linear {
                in_features,
                out_features,
            } => vec![
                (
                    "weight",
                    vec![out_features, in_features],
                    Initial::uniform(in_features),
                ),
                ("bias", vec![out_features], Initial::uniform(in_features)),
            ],
            _ => vec![],
        }
    }
}

/// How a tensor of the state begins, and with it what the tensor is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// A parameter drawn from U(−bound, bound).
    Uniform {
        /// The bound: 1/√(fan in), which is PyTorch's Kaiming-uniform rule with a = √5.
        bound: f64,
    },
    /// A parameter that begins at one value.
    Constant(f32),
    /// A running statistic that begins at one value; the optimiser never sees it.
    Buffer(f32),
    /// A count of training batches, an integer.
    Counter,
}

impl Initial {
    fn uniform(fan_in: usize) -> Self {
        Self::Uniform {
            bound: 1.0 / (fan_in as f64).sqrt(),
        }
    }

    /// Whether the optimiser updates the tensor.
    #[must_use]
    pub fn is_parameter(self) -> bool {
        matches!(self, Self::Uniform { .. } | Self::Constant(_))
    }

    /// Whether the tensor holds floats: a parameter or a running statistic.
    #[must_use]
    pub fn is_float(self) -> bool {
        !matches!(self, Self::Counter)
    }
}
