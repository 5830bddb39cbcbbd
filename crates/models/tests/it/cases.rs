//! Networks of every kind, with what they are trained on.

use juggle_models::{
    AutoencoderConfig, CnnConfig, Engine, Layer, Loss, Network, Optimizer, Source, Targets,
    TrainingOptions, autoencoder, cnn,
};

/// A network and what it is trained on.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) network: Network,
    pub(crate) loss: Loss,
}

impl Case {
    pub(crate) fn new(name: &'static str, network: Network) -> Self {
        let loss = if network.output_shape().len() == 1 {
            Loss::CrossEntropy {
                label_smoothing: 0.1,
            }
        } else {
            Loss::MeanSquaredError
        };
        Self {
            name,
            network,
            loss,
        }
    }

    pub(crate) fn options(&self) -> TrainingOptions {
        TrainingOptions {
            loss: self.loss,
            optimizer: Optimizer::Sgd {
                momentum: 0.9,
                weight_decay: 1e-3,
            },
            ema_decay: Some(0.5),
            clip_norm: None,
        }
    }

    pub(crate) fn inputs(&self, n: usize) -> Vec<f32> {
        noise(n * self.network.input_shape().iter().product::<usize>(), 1)
    }

    /// Calls `f` with targets for `n` images.
    pub(crate) fn with_targets<T>(&self, n: usize, f: impl FnOnce(Targets<'_>) -> T) -> T {
        let row = self.network.output_shape().iter().product::<usize>();
        match self.loss {
            Loss::CrossEntropy { .. } => {
                let labels: Vec<u32> = (0..n)
                    .map(|i| u32::try_from(i * 7 % row).unwrap())
                    .collect();
                f(Targets::Labels(&labels))
            }
            _ => f(Targets::Images(&noise(n * row, 2))),
        }
    }

    pub(crate) fn step(&self, engine: &mut dyn Engine, n: usize) -> f64 {
        let inputs = self.inputs(n);
        self.with_targets(n, |targets| {
            engine.train_step(&inputs, targets, 1e-2).unwrap().loss
        })
    }
}

/// Values in [−0.5, 0.5) without a pattern.
pub(crate) fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..n)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            f32::from(u16::try_from(state >> 48).unwrap()) / 65536.0 - 0.5
        })
        .collect()
}

pub(crate) fn classifier(
    in_channels: usize,
    height: usize,
    width: usize,
    batch_norm: bool,
) -> Network {
    let config = CnnConfig {
        n_classes: 5,
        in_channels,
        height,
        width,
        batch_norm,
    };
    cnn(&config).unwrap()
}

pub(crate) fn skipping(channels: usize, batch_norm: bool, skip: bool) -> Network {
    let config = AutoencoderConfig {
        input_frames: 3,
        channels,
        height: 12,
        width: 20,
        widths: vec![5, 18, 24],
        skip,
        batch_norm,
    };
    autoencoder(&config).unwrap()
}

/// Everything that the two networks of the coursework do not do: kernels of other sizes and paddings, values with several
/// readers of every kind, ReLU and normalisation in odd places, concatenations of one another and of the input, an output
/// that nothing reads.
pub(crate) fn tangle() -> Network {
    let mut network = Network::new([2, 11, 9]);
    let mut push =
        |name: &str, layer, inputs: &[Source]| network.push(name, layer, inputs).unwrap();
    let conv = |in_channels, out_channels, kernel_size, padding| Layer::Conv2d {
        in_channels,
        out_channels,
        kernel_size,
        stride: 1,
        padding,
    };
    let norm = |num_features| Layer::BatchNorm2d { num_features };
    let a = push("a", conv(2, 7, 5, 2), &[Source::Input]);
    let a = push("a-relu", Layer::Relu, &[a]);
    let b = push("b", conv(7, 3, 1, 0), &[a]);
    let b_relu = push("b-relu", Layer::Relu, &[b]);
    let b_norm = push("b-norm", norm(3), &[b_relu]);
    let ab = push("ab", Layer::Concat, &[a, b_norm, Source::Input, a]);
    let c = push("c", conv(19, 4, 3, 2), &[ab]);
    let c = push("c-crop", conv(4, 4, 3, 0), &[c]);
    let c_norm = push("c-norm", norm(4), &[c]);
    let c_norm = push("c-norm-twice", norm(4), &[c_norm]);
    let all = push("all", Layer::Concat, &[ab, c_norm, b]);
    push("dead", conv(4, 2, 1, 0), &[c_norm]);
    let pooled = push("pooled", Layer::MaxPool2d { kernel_size: 3 }, &[all]);
    let pooled = push("pooled-relu", Layer::Relu, &[pooled]);
    let up = push(
        "up",
        Layer::UpsampleNearest2d { scale_factor: 3 },
        &[pooled],
    );
    let wide = push("wide", conv(26, 6, 1, 1), &[up]);
    let flat = push("flat", Layer::Flatten, &[wide]);
    let hidden = push(
        "hidden",
        Layer::Linear {
            in_features: 6 * 11 * 11,
            out_features: 21,
        },
        &[flat],
    );
    let hidden = push("hidden-relu", Layer::Relu, &[hidden]);
    let hidden = push("hidden-relu-twice", Layer::Relu, &[hidden]);
    push(
        "logits",
        Layer::Linear {
            in_features: 21,
            out_features: 4,
        },
        &[hidden],
    );
    network
}

/// Concatenations inside concatenations whose parts read one another, and a concatenation as the output.
pub(crate) fn braid() -> Network {
    let mut network = Network::new([1, 6, 7]);
    let mut push =
        |name: &str, layer, inputs: &[Source]| network.push(name, layer, inputs).unwrap();
    let conv = |in_channels, out_channels| Layer::Conv2d {
        in_channels,
        out_channels,
        kernel_size: 3,
        stride: 1,
        padding: 1,
    };
    let a = push("a", conv(1, 16), &[Source::Input]);
    let a = push("a-relu", Layer::Relu, &[a]);
    let b = push("b", conv(16, 17), &[a]);
    let b = push("b-relu", Layer::Relu, &[b]);
    let inner = push("inner", Layer::Concat, &[a, b]);
    let c = push("c", conv(16, 3), &[a]);
    let c = push("c-relu", Layer::Relu, &[c]);
    let outer = push("outer", Layer::Concat, &[inner, c, inner]);
    let d = push("d", conv(69, 2), &[outer]);
    let e = push("e", conv(3, 2), &[c]);
    push("output", Layer::Concat, &[d, e, d]);
    network
}

/// Upsampling in every place: before a convolution, as the first, the second and both parts of a concatenation, with two
/// readers, before a convolution that cannot take it over, and of an image that comes from a ReLU or does not.
pub(crate) fn ladder() -> Network {
    let mut network = Network::new([3, 8, 12]);
    let mut push =
        |name: &str, layer, inputs: &[Source]| network.push(name, layer, inputs).unwrap();
    let conv = |in_channels, out_channels, kernel_size| Layer::Conv2d {
        in_channels,
        out_channels,
        kernel_size,
        stride: 1,
        padding: kernel_size / 2,
    };
    let up = || Layer::UpsampleNearest2d { scale_factor: 2 };
    let pool = || Layer::MaxPool2d { kernel_size: 2 };
    let a = push("a", conv(3, 20, 3), &[Source::Input]);
    let a = push("a-relu", Layer::Relu, &[a]);
    let half = push("half", pool(), &[a]);
    let b = push("b", conv(20, 17, 3), &[half]);
    let b = push("b-relu", Layer::Relu, &[b]);
    let c = push("c", conv(17, 4, 3), &[b]);
    let b_up = push("b-up", up(), &[b]);
    let second = push("second", Layer::Concat, &[a, b_up]);
    let d = push("d", conv(37, 8, 3), &[second]);
    let c_up = push("c-up", up(), &[c]);
    let first = push("first", Layer::Concat, &[c_up, d]);
    let e = push("e", conv(12, 6, 3), &[first]);
    let e = push("e-relu", Layer::Relu, &[e]);
    let alone = push("alone", up(), &[b]);
    let f = push("f", conv(17, 3, 3), &[alone]);
    let both = [push("both-b", up(), &[b]), push("both-c", up(), &[c])];
    let both = push("both", Layer::Concat, &both);
    let g = push("g", conv(21, 5, 3), &[both]);
    let shared = push("shared", up(), &[c]);
    let h = push("h", conv(4, 2, 3), &[shared]);
    let point = push("point", up(), &[b]);
    let i = push("i", conv(17, 1, 1), &[point]);
    let all = push("all", Layer::Concat, &[e, f, g, shared, h, i]);
    push("output", conv(21, 2, 3), &[all]);
    network
}

/// Strides of 2, 3 and 4: with a last row left over and without, with kernels smaller than the stride, of a concatenation, into one,
/// and beside a reader without a stride.
pub(crate) fn strides() -> Network {
    let mut network = Network::new([3, 13, 18]);
    let mut push =
        |name: &str, layer, inputs: &[Source]| network.push(name, layer, inputs).unwrap();
    let conv = |in_channels, out_channels, kernel_size, stride, padding| Layer::Conv2d {
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
    };
    let first = push("first", conv(3, 16, 3, 2, 1), &[Source::Input]);
    let first = push("first-relu", Layer::Relu, &[first]);
    let same = push("same", conv(16, 7, 3, 1, 1), &[first]);
    let same = push("same-relu", Layer::Relu, &[same]);
    let half = push("half", conv(7, 17, 3, 2, 1), &[same]);
    let half = push("half-relu", Layer::Relu, &[half]);
    let point = push("point", conv(7, 5, 1, 2, 0), &[same]);
    let both = push("both", Layer::Concat, &[half, point]);
    let a = push("a", conv(22, 6, 3, 3, 1), &[both]);
    let a = push("a-norm", Layer::BatchNorm2d { num_features: 6 }, &[a]);
    let a = push("a-relu", Layer::Relu, &[a]);
    let b = push("b", conv(22, 4, 2, 4, 2), &[both]);
    let ends = push("ends", Layer::Concat, &[a, b]);
    let flat = push("flat", Layer::Flatten, &[ends]);
    push(
        "logits",
        Layer::Linear {
            in_features: 40,
            out_features: 4,
        },
        &[flat],
    );
    network
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("classifier", classifier(1, 16, 16, false)),
        Case::new("classifier with batch norm", classifier(3, 13, 10, true)),
        Case::new("autoencoder", skipping(1, false, true)),
        Case::new("autoencoder with batch norm", skipping(3, true, true)),
        Case::new("autoencoder without skips", skipping(1, false, false)),
        Case::new("tangle", tangle()),
        Case::new("braid", braid()),
        Case::new("ladder", ladder()),
        Case::new("strides", strides()),
    ]
}
