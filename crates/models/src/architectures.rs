//! The two networks of the coursework, for any image size, channel count and number of classes.

use crate::{Error, Layer, Network, Result, Source};

/// What the classifier is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CnnConfig {
    /// Number of classes, at least 2.
    pub n_classes: usize,
    /// Channels of the images: 1 for gray, 3 for RGB.
    pub in_channels: usize,
    /// Height of the images in pixels, at least 4.
    pub height: usize,
    /// Width of the images in pixels, at least 4.
    pub width: usize,
    /// Whether a batch normalisation follows each convolution.
    pub batch_norm: bool,
}

/// The convolutional classifier: two blocks of two 3×3 convolutions (16, 32, 16, 16 channels), each block ended by
/// 2×2 max-pooling, then linear layers to 64 and to the classes.
///
/// Its tensors carry the names of a `torch.nn.Sequential` of the same layers in the same order; on 1×32×32 images with
/// three classes and without batch normalisation it has 77,539 parameters.
///
/// # Errors
/// [`Error::Config`] when a size is too small.
///
/// # Examples
///
/// ```
/// use juggle_models::{CnnConfig, cnn};
///
/// let network = cnn(&CnnConfig { n_classes: 3, in_channels: 1, height: 32, width: 32, batch_norm: false })?;
/// assert_eq!(network.n_parameters(), 77_539);
/// # Ok::<(), juggle_models::Error>(())
/// ```
pub fn cnn(config: &CnnConfig) -> Result<Network> {
    at_least("the number of classes", config.n_classes, 2)?;
    at_least("the number of channels", config.in_channels, 1)?;
    at_least("the image height", config.height, 4)?;
    at_least("the image width", config.width, 4)?;

    let mut sequential = Sequential {
        network: Network::new([config.in_channels, config.height, config.width]),
        last: Source::Input,
        len: 0,
    };
    let mut in_channels = config.in_channels;
    for block in [[16, 32], [16, 16]] {
        for out_channels in block {
            sequential.push(conv(in_channels, out_channels, 3))?;
            if config.batch_norm {
                sequential.push(Layer::BatchNorm2d {
                    num_features: out_channels,
                })?;
            }
            sequential.push(Layer::Relu)?;
            in_channels = out_channels;
        }
        sequential.push(Layer::MaxPool2d { kernel_size: 2 })?;
    }
    sequential.push(Layer::Flatten)?;
    let in_features = sequential.network.output_shape()[0];
    sequential.push(Layer::Linear {
        in_features,
        out_features: 64,
    })?;
    sequential.push(Layer::Relu)?;
    sequential.push(Layer::Linear {
        in_features: 64,
        out_features: config.n_classes,
    })?;
    Ok(sequential.network)
}

/// What the autoencoder is built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoencoderConfig {
    /// Number of frames in the input, at least 1.
    pub input_frames: usize,
    /// Channels of one frame: 1 for gray, 3 for RGB.
    pub channels: usize,
    /// Height of the frames in pixels, divisible by 2 to the number of poolings.
    pub height: usize,
    /// Width of the frames in pixels, divisible by 2 to the number of poolings.
    pub width: usize,
    /// Channels of each resolution, the finest first; one pooling between neighbours. The coursework: 16, 32, 64.
    pub widths: Vec<usize>,
    /// Whether each decoder block also reads the encoder's output of its resolution.
    pub skip: bool,
    /// Whether a batch normalisation follows each 3×3 convolution.
    pub batch_norm: bool,
}

/// The skip-connection autoencoder that predicts the next frame from the frames before it, stacked along the channels.
///
/// Blocks of two 3×3 convolutions with ReLU; 2×2 max-pooling on the way down; nearest upsampling and concatenation
/// (`torch.cat([upsampled, skip], 1)`) on the way up; a 1×1 convolution without activation at the end. Its outputs are
/// to be clamped to [0, 1] at evaluation: a sigmoid head collapses to black on mostly black frames.
///
/// The PyTorch module with the same names is written out in `docs/models.md`.
///
/// # Errors
/// [`Error::Config`] when a size is too small, or does not divide by 2 as often as there are poolings.
///
/// # Examples
///
/// ```
/// use juggle_models::{AutoencoderConfig, autoencoder};
///
/// let config = AutoencoderConfig {
///     input_frames: 4, channels: 1, height: 32, width: 32, widths: vec![16, 32, 64], skip: true, batch_norm: false,
/// };
/// assert_eq!(autoencoder(&config)?.output_shape(), [1, 32, 32]);
/// # Ok::<(), juggle_models::Error>(())
/// ```
pub fn autoencoder(config: &AutoencoderConfig) -> Result<Network> {
    check_autoencoder(config)?;
    let depth = config.widths.len() - 1;
    let mut network = Network::new([
        config.input_frames * config.channels,
        config.height,
        config.width,
    ]);

    let mut xs = (Source::Input, config.input_frames * config.channels);
    let mut skips = Vec::with_capacity(depth);
    for (level, &width) in config.widths[..depth].iter().enumerate() {
        xs = block(
            &mut network,
            &format!("encoder{}", level + 1),
            xs,
            width,
            config.batch_norm,
        )?;
        skips.push(xs);
        xs.0 = network.push(
            &format!("pool{}", level + 1),
            Layer::MaxPool2d { kernel_size: 2 },
            &[xs.0],
        )?;
    }
    xs = block(
        &mut network,
        "bottleneck",
        xs,
        config.widths[depth],
        config.batch_norm,
    )?;
    for (level, skip) in skips.into_iter().enumerate().rev() {
        let upsample = Layer::UpsampleNearest2d { scale_factor: 2 };
        xs.0 = network.push(&format!("upsample{}", level + 1), upsample, &[xs.0])?;
        if config.skip {
            xs.0 = network.push(
                &format!("concat{}", level + 1),
                Layer::Concat,
                &[xs.0, skip.0],
            )?;
            xs.1 += skip.1;
        }
        xs = block(
            &mut network,
            &format!("decoder{}", level + 1),
            xs,
            config.widths[level],
            config.batch_norm,
        )?;
    }
    network.push("head", conv(xs.1, config.channels, 1), &[xs.0])?;
    Ok(network)
}

fn check_autoencoder(config: &AutoencoderConfig) -> Result<()> {
    at_least("the number of input frames", config.input_frames, 1)?;
    at_least("the number of channels", config.channels, 1)?;
    at_least("the number of widths", config.widths.len(), 1)?;
    for &width in &config.widths {
        at_least("a width", width, 1)?;
    }
    let step = u32::try_from(config.widths.len() - 1)
        .ok()
        .and_then(|depth| 2_usize.checked_pow(depth));
    for (what, side) in [
        ("the image height", config.height),
        ("the image width", config.width),
    ] {
        let divides = step.is_some_and(|step| side > 0 && side.is_multiple_of(step));
        if !divides {
            return Err(Error::Config {
                what,
                found: side.to_string(),
                expected: format!(
                    "a multiple of 2^{} pixels, since {} widths mean that many poolings",
                    config.widths.len() - 1,
                    config.widths.len()
                ),
            });
        }
    }
    Ok(())
}

/// Two 3×3 convolutions with ReLU, numbered like the layers of a `torch.nn.Sequential` called `name`.
fn block(
    network: &mut Network,
    name: &str,
    (mut xs, mut in_channels): (Source, usize),
    out_channels: usize,
    batch_norm: bool,
) -> Result<(Source, usize)> {
    let mut index = 0;
    let mut push = |layer, xs| {
        index += 1;
        network.push(&format!("{name}.{}", index - 1), layer, &[xs])
    };
    for _ in 0..2 {
        xs = push(conv(in_channels, out_channels, 3), xs)?;
        if batch_norm {
            xs = push(
                Layer::BatchNorm2d {
                    num_features: out_channels,
                },
                xs,
            )?;
        }
        xs = push(Layer::Relu, xs)?;
        in_channels = out_channels;
    }
    Ok((xs, out_channels))
}

/// A convolution that keeps the image's size.
fn conv(in_channels: usize, out_channels: usize, kernel_size: usize) -> Layer {
    Layer::Conv2d {
        in_channels,
        out_channels,
        kernel_size,
        stride: 1,
        padding: kernel_size / 2,
    }
}

fn at_least(what: &'static str, found: usize, least: usize) -> Result<()> {
    if found < least {
        return Err(Error::Config {
            what,
            found: found.to_string(),
            expected: format!("at least {least}"),
        });
    }
    Ok(())
}

/// A chain of layers named by their positions.
struct Sequential {
    network: Network,
    last: Source,
    len: usize,
}

impl Sequential {
    fn push(&mut self, layer: Layer) -> Result<()> {
        self.last = self
            .network
            .push(&self.len.to_string(), layer, &[self.last])?;
        self.len += 1;
        Ok(())
    }
}
