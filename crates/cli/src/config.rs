//! The resolved configuration of a run: defaults, under the configuration file, under the flags.
//!
//! What is resolved is written to `config.toml` in the run folder; given back as `--config` it
//! repeats the run. The keys of the file are the fields of [`RunConfig`].

mod changes;
mod layers;
mod resolve;
mod saving;
mod validation;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use juggle_dataset::{ColorMode, ImageShape, ReadOptions, SplitOptions, Validation};
use serde::{Deserialize, Serialize};

pub(crate) use changes::{differences, digest};
pub(crate) use resolve::{check, resolve_autoencoder, resolve_classifier};
pub(crate) use saving::{OnNan, SavingConfig};
pub(crate) use validation::ValidationConfig;

/// Everything that decides what a training run computes, and on which machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunConfig {
    pub(crate) kind: Kind,
    pub(crate) seed: u64,
    /// CPU threads; 0 means all.
    pub(crate) threads: usize,
    pub(crate) device: String,
    /// Runs of before there was a choice do not name it.
    #[serde(default)]
    pub(crate) engine: EngineName,
    pub(crate) data: DataConfig,
    pub(crate) network: NetworkConfig,
    pub(crate) training: TrainingConfig,
    /// Runs of before there were checkpoints do not name it.
    #[serde(default)]
    pub(crate) saving: SavingConfig,
}

/// What does the arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EngineName {
    /// The cpu engine on a CPU, candle on a GPU
    #[default]
    Auto,
    /// Our own kernels, on the CPU only: fast, and the same bits whatever the number of threads
    Cpu,
    /// The candle library, on CPU and GPU: slow on a CPU
    Candle,
}

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Classifier,
    Autoencoder,
}

/// The data folder, how it is read, and what was found in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataConfig {
    pub(crate) path: PathBuf,
    pub(crate) channels: Channels,
    /// Height of the images in pixels; 0 before they were read.
    pub(crate) height: usize,
    /// Width of the images in pixels; 0 before they were read.
    pub(crate) width: usize,
    /// Class names in label order; none before the images were read, and none for clips.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) classes: Vec<String>,
    pub(crate) val_fraction: f64,
    pub(crate) test_fraction: f64,
    pub(crate) split_seed: u64,
    /// Validation images other than the folder's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<ValidationConfig>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Channels {
    /// Gray when every file is gray, else RGB
    Auto,
    /// One channel
    Gray,
    /// Three channels
    Rgb,
}

/// The network's own settings; which fields there are says the kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum NetworkConfig {
    Autoencoder(AutoencoderNetwork),
    Classifier(ClassifierNetwork),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutoencoderNetwork {
    pub(crate) input_frames: usize,
    pub(crate) widths: Vec<usize>,
    pub(crate) skip: bool,
    pub(crate) batch_norm: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassifierNetwork {
    pub(crate) batch_norm: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainingConfig {
    pub(crate) epochs: usize,
    pub(crate) batch_size: usize,
    pub(crate) optimizer: OptimizerKind,
    pub(crate) learning_rate: f64,
    pub(crate) weight_decay: f64,
    /// Used by `sgd` alone.
    pub(crate) momentum: f64,
    pub(crate) schedule: ScheduleName,
    pub(crate) warmup_epochs: f64,
    /// Used by the `step` schedule alone, as is `step_gamma`.
    pub(crate) step_epochs: usize,
    pub(crate) step_gamma: f64,
    /// Used by the classifier alone.
    pub(crate) label_smoothing: f64,
    /// Decay of the moving average of the weights; 0 is off.
    pub(crate) ema: f64,
    /// `none`, or a list that `juggle_dataset::Augment` reads.
    pub(crate) augment: String,
    /// The norm that gradients are clipped to; 0 is off.
    #[serde(default)]
    pub(crate) clip_norm: f64,
    /// What a loss that is no finite number does.
    #[serde(default)]
    pub(crate) on_nan: OnNan,
    /// Epochs without a lower validation loss after which the training ends; 0 is off.
    #[serde(default)]
    pub(crate) patience: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OptimizerKind {
    /// Adam; weight decay is L2
    Adam,
    /// Adam with decoupled weight decay
    Adamw,
    /// Stochastic gradient descent with momentum
    Sgd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ScheduleName {
    /// The same rate throughout
    Constant,
    /// The rate is multiplied by a factor every few epochs
    Step,
    /// The rate falls to zero along a half cosine
    Cosine,
}

const FILE_HEADER: &str = "\
# The resolved configuration of a run. To repeat the run in a new folder:
#   juggle train KIND --config THIS-FILE
# `data.height`, `data.width` and `data.classes` record what was found in the data folder.

";

impl RunConfig {
    /// The defaults of a kind, before any data are known.
    pub(crate) fn defaults(kind: Kind) -> Self {
        let (epochs, batch_size, network) = match kind {
            Kind::Classifier => (
                25,
                32,
                NetworkConfig::Classifier(ClassifierNetwork { batch_norm: false }),
            ),
            Kind::Autoencoder => {
                let widths = vec![16, 32, 64];
                let network = AutoencoderNetwork {
                    input_frames: 4,
                    widths,
                    skip: true,
                    batch_norm: false,
                };
                (30, 16, NetworkConfig::Autoencoder(network))
            }
        };
        let split = SplitOptions::default();
        Self {
            kind,
            seed: 0,
            threads: 0,
            device: "auto".to_owned(),
            engine: EngineName::Auto,
            data: DataConfig {
                path: PathBuf::new(),
                channels: Channels::Auto,
                height: 0,
                width: 0,
                classes: Vec::new(),
                val_fraction: split.val_fraction,
                test_fraction: split.test_fraction,
                split_seed: split.seed,
                validation: None,
            },
            network,
            training: TrainingConfig {
                epochs,
                batch_size,
                optimizer: OptimizerKind::Adam,
                learning_rate: 1e-3,
                weight_decay: 0.0,
                momentum: 0.9,
                schedule: ScheduleName::Constant,
                warmup_epochs: 0.0,
                step_epochs: 10,
                step_gamma: 0.1,
                label_smoothing: 0.0,
                ema: 0.0,
                augment: "none".to_owned(),
                clip_norm: 0.0,
                on_nan: OnNan::Stop,
                patience: 0,
            },
            saving: SavingConfig::default(),
        }
    }

    /// Reads the `config.toml` of a run folder, which is complete.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let config: Self = toml::from_str(&text)
            .map_err(|error| layers::one_line(&error))
            .with_context(|| format!("{} is not a run's configuration", path.display()))?;
        let complete = config.data.height > 0 && config.data.width > 0;
        let kind_fits = match config.network {
            NetworkConfig::Classifier(_) => config.kind == Kind::Classifier,
            NetworkConfig::Autoencoder(_) => config.kind == Kind::Autoencoder,
        };
        if !complete || !kind_fits || config.data.channels == Channels::Auto {
            bail!(
                "{} is not a complete configuration of a run",
                path.display()
            );
        }
        Ok(config)
    }

    /// Whether the file is, by its looks, the configuration of a run: of this version or another one.
    pub(crate) fn is_at(path: &Path) -> bool {
        let table = std::fs::read_to_string(path)
            .ok()
            .and_then(|text| text.parse::<toml::Table>().ok());
        table.is_some_and(|table| {
            ["kind", "data", "training"]
                .iter()
                .all(|key| table.contains_key(*key))
        })
    }

    /// The text of the run folder's `config.toml`.
    pub(crate) fn to_toml(&self) -> Result<String> {
        let body = toml::to_string(self).context("cannot write the configuration as TOML")?;
        Ok(format!(
            "{}{body}",
            FILE_HEADER.replace("KIND", &self.kind.to_string())
        ))
    }
}

impl DataConfig {
    /// How the data folder is to be read.
    pub(crate) fn read_options(&self) -> ReadOptions {
        ReadOptions {
            color: self.channels.color_mode(),
            split: SplitOptions {
                val_fraction: self.val_fraction,
                test_fraction: self.test_fraction,
                seed: self.split_seed,
            },
            validation: self
                .validation
                .map_or(Validation::AsGiven, Validation::from),
            ..ReadOptions::default()
        }
    }

    /// The shape of one image, once it is known.
    pub(crate) fn image_shape(&self) -> ImageShape {
        ImageShape {
            channels: self.color_mode().channels(),
            height: self.height,
            width: self.width,
        }
    }

    /// Gray or RGB, once it is known.
    pub(crate) fn color_mode(&self) -> ColorMode {
        self.channels.color_mode().unwrap_or(ColorMode::Gray)
    }

    /// Records what was found in the folder. Where the configuration already states it (a repeated
    /// run), the folder must still be the same.
    pub(crate) fn settle(&mut self, shape: ImageShape, classes: &[String]) -> Result<()> {
        let folder = self.path.display();
        if self.height > 0 && (self.height, self.width) != (shape.height, shape.width) {
            bail!(
                "{folder} has images of {}×{} pixels, but the configuration expects {}×{}: \
                 name the folder with --data to train on it as it is",
                shape.height,
                shape.width,
                self.height,
                self.width
            );
        }
        if !self.classes.is_empty() && self.classes != classes {
            bail!(
                "{folder} has the classes {}, but the configuration expects {}: \
                 name the folder with --data to train on it as it is",
                list(classes),
                list(&self.classes)
            );
        }
        self.channels = if shape.channels == 1 {
            Channels::Gray
        } else {
            Channels::Rgb
        };
        (self.height, self.width) = (shape.height, shape.width);
        self.classes = classes.to_vec();
        Ok(())
    }
}

impl Channels {
    pub(crate) fn color_mode(self) -> Option<ColorMode> {
        match self {
            Self::Auto => None,
            Self::Gray => Some(ColorMode::Gray),
            Self::Rgb => Some(ColorMode::Rgb),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classifier => "classifier",
            Self::Autoencoder => "autoencoder",
        })
    }
}

/// Names for a sentence: the first few, and how many more.
pub(crate) fn list(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        format!("{shown} and {} more", names.len() - SHOWN)
    } else {
        shown
    }
}
