//! What judges a trial: parts of the training images that its networks have not seen, or the images of a split.

use std::sync::Arc;

use anyhow::{Result, bail};
use juggle_dataset::{ClipFolder, ImageFolder, ImageShape};
use serde_json::{Value, json};

use crate::args::tune::{Judge, Objective, SearchArgs};
use crate::commands::train::{self, DataHashes};
use crate::config::{Kind, RunConfig, ValidationConfig};
use crate::examples::{Examples, Score};
use crate::failure::Usage;
use crate::output::Messages;

/// How trials are judged.
#[derive(Clone, Debug)]
pub(super) struct Judging {
    judge: Judge,
    objective: Objective,
    division: Division,
    seed: u64,
}

/// Into how many networks a trial is divided, and what each is judged on.
#[derive(Clone, Copy, Debug)]
enum Division {
    Folds(usize),
    Shares {
        n: usize,
        fraction: f64,
    },
    /// The images of a split, by networks of so many seeds.
    Seeds(usize),
}

/// One network of each trial: what it is trained and judged on.
#[derive(Debug)]
pub(super) struct Part {
    data: Arc<Data>,
    pub(super) hashes: DataHashes,
    validation: Option<ValidationConfig>,
    /// Added to the seed of the configuration.
    seed: u64,
}

#[derive(Debug)]
enum Data {
    Images(ImageFolder),
    Clips(ClipFolder),
}

impl Judging {
    pub(super) fn new(args: &SearchArgs, config: &RunConfig) -> Result<Self> {
        match (args.objective, config.kind) {
            (Objective::Accuracy, Kind::Autoencoder) => {
                return Err(Usage::new("--objective accuracy is for classifiers").into());
            }
            (Objective::Psnr, Kind::Classifier) => {
                return Err(Usage::new("--objective psnr is for autoencoders").into());
            }
            _ => {}
        }
        let division = match (args.judge, args.folds, args.repeats) {
            (Judge::HeldOut, folds, None) => Division::Folds(folds.unwrap_or(3)),
            (Judge::HeldOut, _, Some(n)) => Division::Shares {
                n,
                fraction: args.held_out,
            },
            (_, Some(_), _) => {
                return Err(Usage::new("--folds is for --judge held-out").into());
            }
            (_, None, repeats) => Division::Seeds(repeats.unwrap_or(1)),
        };
        let judging = Self {
            judge: args.judge,
            objective: args.objective,
            division,
            seed: config.seed,
        };
        if judging.is_of_result(config.kind) && !args.i_know_this_overfits {
            let (judge, result) = match args.judge {
                Judge::Test => ("test", "the test images are"),
                _ => ("val", "an autoencoder's validation clips are"),
            };
            return Err(Usage::new(format!(
                "--judge {judge}: {result} what the result is measured on, and settings chosen by them look better \
                 than they are; leave it out, or say --i-know-this-overfits"
            ))
            .into());
        }
        Ok(judging)
    }

    /// Whether trials are judged on the images that the result is measured on.
    pub(super) fn is_of_result(&self, kind: Kind) -> bool {
        match self.judge {
            Judge::HeldOut => false,
            Judge::Val => kind == Kind::Autoencoder,
            Judge::Test => true,
        }
    }

    pub(super) fn objective(&self) -> Objective {
        self.objective
    }

    /// What the study keeps of it, to be compared when it goes on.
    pub(super) fn to_json(&self, kind: Kind) -> Value {
        let (parts, share) = match self.division {
            Division::Folds(n) => (json!({ "folds": n }), Value::Null),
            Division::Shares { n, fraction } => (json!({ "repeats": n }), json!(fraction)),
            Division::Seeds(n) => (json!({ "seeds": n }), Value::Null),
        };
        json!({
            "judge": match self.judge {
                Judge::HeldOut => "held-out",
                Judge::Val => "val",
                Judge::Test => "test",
            },
            "parts": parts,
            "held_out": share,
            "objective": self.objective.name(),
            "seed": self.seed,
            "overfits": self.is_of_result(kind),
        })
    }

    /// Reads the data of every part; `config` then says what images there are.
    pub(super) fn read(&self, config: &mut RunConfig, messages: Messages) -> Result<Vec<Part>> {
        let mut parts: Vec<Part> = vec![];
        for index in 0..self.n_parts() {
            let validation = self.validation(index);
            let seed = index as u64;
            // Parts that differ in their seed alone share their images.
            if let Some(first) = parts.first().filter(|first| first.validation == validation) {
                let (data, hashes) = (Arc::clone(&first.data), first.hashes.clone());
                parts.push(Part {
                    data,
                    hashes,
                    validation,
                    seed,
                });
                continue;
            }
            let mut of_part = config.clone();
            of_part.data.validation = validation;
            let (data, origin) = match config.kind {
                Kind::Classifier => {
                    let folder = train::read_images(&mut of_part)?;
                    let origin = folder.origin;
                    (Data::Images(folder), origin)
                }
                Kind::Autoencoder => {
                    let folder = train::read_clips(&mut of_part)?;
                    let origin = folder.origin;
                    (Data::Clips(folder), origin)
                }
            };
            messages.note(format_args!("part {}: {origin}", index + 1));
            of_part.data.validation = None;
            config.data = of_part.data;
            let hashes = data.hashes(config)?;
            parts.push(Part {
                data: Arc::new(data),
                hashes,
                validation,
                seed,
            });
        }
        Ok(parts)
    }

    fn n_parts(&self) -> usize {
        match self.division {
            Division::Folds(n) | Division::Shares { n, .. } | Division::Seeds(n) => n,
        }
    }

    fn validation(&self, index: usize) -> Option<ValidationConfig> {
        match (self.division, self.judge) {
            (Division::Folds(of), _) => Some(ValidationConfig::Fold {
                index,
                of,
                seed: self.seed,
            }),
            (Division::Shares { fraction, .. }, _) => Some(ValidationConfig::Share {
                fraction,
                seed: self.seed + index as u64,
            }),
            (Division::Seeds(_), Judge::Test) => Some(ValidationConfig::Test),
            (Division::Seeds(_), _) => None,
        }
    }
}

impl Data {
    fn hashes(&self, config: &RunConfig) -> Result<DataHashes> {
        // One frame is enough to list the files.
        match self {
            Self::Images(folder) => {
                let (train, val) = (
                    Examples::Images(&folder.train),
                    Examples::Images(&folder.val),
                );
                DataHashes::read(&config.data.path, &[&train, &val])
            }
            Self::Clips(folder) => {
                let train = Examples::windows(&folder.train, 1, &config.data.path)?;
                let val = Examples::windows(&folder.val, 1, &config.data.path)?;
                DataHashes::read(&config.data.path, &[&train, &val])
            }
        }
    }
}

impl Part {
    /// The configuration of this part's network in a trial.
    pub(super) fn config(&self, trial: &RunConfig) -> RunConfig {
        let mut config = trial.clone();
        config.seed += self.seed;
        config.data.validation = self.validation;
        config
    }

    /// Training and validation examples for the network.
    pub(super) fn examples(&self, config: &RunConfig) -> Result<[Examples<'_>; 2]> {
        use crate::config::NetworkConfig;
        match (&*self.data, &config.network) {
            (Data::Images(folder), _) => Ok([
                Examples::Images(&folder.train),
                Examples::Images(&folder.val),
            ]),
            (Data::Clips(folder), NetworkConfig::Autoencoder(network)) => {
                let (k, path) = (network.input_frames, &config.data.path);
                Ok([
                    Examples::windows(&folder.train, k, path)?,
                    Examples::windows(&folder.val, k, path)?,
                ])
            }
            (Data::Clips(_), NetworkConfig::Classifier(_)) => {
                bail!("a classifier cannot be trained on clips")
            }
        }
    }

    pub(super) fn shape(&self) -> ImageShape {
        match &*self.data {
            Data::Images(folder) => folder.train.shape,
            Data::Clips(folder) => folder.train.shape,
        }
    }
}

impl Objective {
    /// By which the event log knows it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Accuracy => "accuracy",
            Self::Psnr => "psnr_db",
        }
    }

    pub(super) fn of(self, score: Score) -> f64 {
        match self {
            Self::Loss => score.loss,
            Self::Accuracy => score.accuracy.unwrap_or(f64::NAN),
            Self::Psnr => score.psnr_db.unwrap_or(f64::NAN),
        }
    }

    pub(super) fn direction(self) -> juggle_tuning::Direction {
        match self {
            Self::Loss => juggle_tuning::Direction::Minimize,
            Self::Accuracy | Self::Psnr => juggle_tuning::Direction::Maximize,
        }
    }
}
