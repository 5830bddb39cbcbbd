//! From a configuration to a network, and from a run folder to an engine with its weights.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use juggle_models::{
    AutoencoderConfig, CandleEngine, CnnConfig, CpuEngine, Device, Engine, Loss, Network,
    Optimizer, Schedule, ScheduleKind, State, TrainingOptions,
};

use crate::args::{MachineArgs, Weights};
use crate::config::{EngineName, Kind, NetworkConfig, OptimizerKind, RunConfig, ScheduleName};
use crate::run;
use juggle_tracking::RunFolder;
use juggle_tracking::run::{BEST_WEIGHTS, LAST_WEIGHTS};

/// A trained run, ready to be used.
pub(crate) struct Trained {
    pub(crate) folder: RunFolder,
    pub(crate) config: RunConfig,
    pub(crate) engine: Box<dyn Engine>,
}

/// A trained run as it lies on the disk.
pub(crate) struct Stored {
    pub(crate) folder: RunFolder,
    pub(crate) config: RunConfig,
    pub(crate) network: Network,
    pub(crate) state: State,
}

/// Reads a run and its weights, which must fit its configuration to the letter.
pub(crate) fn load(path: &Path, weights: Weights) -> Result<Stored> {
    let (folder, config) = run::open(path)?;
    let network =
        network(&config).with_context(|| format!("the configuration of {}", path.display()))?;
    if weights == Weights::Best
        && !folder.file(BEST_WEIGHTS).exists()
        && folder.file(LAST_WEIGHTS).exists()
    {
        bail!(
            "{} was interrupted before its first epoch ended: use --weights last",
            path.display()
        );
    }
    let state = State::load(&folder.file(weights.file_name()), &network)?;
    Ok(Stored {
        folder,
        config,
        network,
        state,
    })
}

/// Opens a run with an engine on the machine that the flags ask for.
pub(crate) fn open(run: &Path, weights: Weights, machine: &MachineArgs) -> Result<Trained> {
    use_threads(machine.threads.unwrap_or(0))?;
    with_engine(load(run, weights)?, machine)
}

/// Puts a stored run on the machine that the flags ask for; the threads must have been chosen before.
pub(crate) fn with_engine(stored: Stored, machine: &MachineArgs) -> Result<Trained> {
    let Stored {
        folder,
        mut config,
        network,
        state,
    } = stored;
    config.threads = machine.threads.unwrap_or(0);
    config.device = machine.device.clone().unwrap_or_else(|| "auto".to_owned());
    config.engine = machine.engine.unwrap_or_default();
    let machine = Machine::of(&config)?;
    let engine = machine.engine(&config, &network, &state)?;
    Ok(Trained {
        folder,
        config,
        engine,
    })
}

/// Sizes the pools that everything parallel runs on; 0 means one thread a core.
///
/// candle reads the size of its own pool from the environment alone, and a program cannot safely change its own
/// environment: where the two disagree the process starts itself over, in place, before any work was done.
pub(crate) fn use_threads(threads: usize) -> Result<()> {
    #[cfg(unix)]
    if threads > 0
        && CANDLE_THREADS
            .iter()
            .any(|name| std::env::var(name) != Ok(threads.to_string()))
    {
        return Err(start_over(threads));
    }
    start_pool(threads)
}

/// Sizes rayon's pool alone, for what does not touch candle; 0 means one thread a core.
pub(crate) fn start_pool(threads: usize) -> Result<()> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .context("cannot start the threads")
}

/// What candle sizes its pool of workers and its matrix products by.
#[cfg(unix)]
const CANDLE_THREADS: [&str; 2] = ["CANDLE_NUM_THREADS", "RAYON_NUM_THREADS"];

/// Replaces the process by the same command with candle's variables set; returns only when that failed.
#[cfg(unix)]
fn start_over(threads: usize) -> anyhow::Error {
    use std::os::unix::process::CommandExt as _;
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            return anyhow::Error::new(error).context("cannot find this program's own file");
        }
    };
    let mut command = std::process::Command::new(program);
    command.args(std::env::args_os().skip(1));
    for name in CANDLE_THREADS {
        command.env(name, threads.to_string());
    }
    anyhow::Error::new(command.exec())
        .context("cannot start over with the number of threads asked for")
}

/// What does the arithmetic, and where. Its name tells whether the bits of two machines can be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// The cpu engine, on the processor.
    Cpu,
    /// The candle engine, on this device.
    Candle(Device),
}

impl Machine {
    /// What the configuration asks for, when this machine has the device and the engine runs there.
    pub(crate) fn of(config: &RunConfig) -> Result<Self> {
        let device: Device = config.device.parse()?;
        let settled = device.settled()?;
        match (config.engine, settled) {
            (EngineName::Auto | EngineName::Cpu, Device::Cpu) => Ok(Self::Cpu),
            // A GPU that happens to be there is no reason to refuse what was asked for by name.
            (EngineName::Cpu, _) if device == Device::Auto => Ok(Self::Cpu),
            (EngineName::Cpu, _) => {
                bail!(
                    "the cpu engine does not run on `{device}`: use --device cpu or --engine candle"
                )
            }
            (EngineName::Auto | EngineName::Candle, _) => Ok(Self::Candle(settled)),
        }
    }

    /// The engine with the given weights.
    pub(crate) fn engine(
        self,
        config: &RunConfig,
        network: &Network,
        state: &State,
    ) -> Result<Box<dyn Engine>> {
        tracing::info!("{} threads, {self}", rayon::current_num_threads());
        let options = training_options(config);
        Ok(match self {
            Self::Cpu => Box::new(CpuEngine::new(network, state, options)?),
            Self::Candle(device) => Box::new(CandleEngine::new(network, state, options, device)?),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu engine"),
            Self::Candle(device) => write!(f, "candle engine on {device}"),
        }
    }
}

/// The network that the configuration describes, once the images' shape is known.
pub(crate) fn network(config: &RunConfig) -> Result<Network> {
    let shape = config.data.image_shape();
    let network = match &config.network {
        NetworkConfig::Classifier(network) => juggle_models::cnn(&CnnConfig {
            n_classes: config.data.classes.len(),
            in_channels: shape.channels,
            height: shape.height,
            width: shape.width,
            batch_norm: network.batch_norm,
        }),
        NetworkConfig::Autoencoder(network) => juggle_models::autoencoder(&AutoencoderConfig {
            input_frames: network.input_frames,
            channels: shape.channels,
            height: shape.height,
            width: shape.width,
            widths: network.widths.clone(),
            skip: network.skip,
            batch_norm: network.batch_norm,
        }),
    }?;
    Ok(network)
}

/// The loss that results are reported in: without label smoothing, so that runs compare.
pub(crate) fn evaluation_loss(kind: Kind) -> Loss {
    match kind {
        Kind::Classifier => Loss::CrossEntropy {
            label_smoothing: 0.0,
        },
        Kind::Autoencoder => Loss::MeanSquaredError,
    }
}

pub(crate) fn training_options(config: &RunConfig) -> TrainingOptions {
    let training = &config.training;
    let weight_decay = training.weight_decay;
    TrainingOptions {
        loss: match config.kind {
            Kind::Classifier => Loss::CrossEntropy {
                label_smoothing: training.label_smoothing,
            },
            Kind::Autoencoder => Loss::MeanSquaredError,
        },
        optimizer: match training.optimizer {
            OptimizerKind::Adam => Optimizer::Adam { weight_decay },
            OptimizerKind::Adamw => Optimizer::AdamW { weight_decay },
            OptimizerKind::Sgd => Optimizer::Sgd {
                momentum: training.momentum,
                weight_decay,
            },
        },
        ema_decay: (training.ema > 0.0).then_some(training.ema),
        clip_norm: (training.clip_norm > 0.0).then_some(training.clip_norm),
    }
}

pub(crate) fn schedule(config: &RunConfig, steps_per_epoch: usize) -> Schedule {
    let training = &config.training;
    let per_epoch = steps_per_epoch as u64;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a number of steps, rounded; the range of warmup_epochs was checked"
    )]
    let warmup_steps = (training.warmup_epochs * per_epoch as f64).round() as u64;
    Schedule {
        kind: match training.schedule {
            ScheduleName::Constant => ScheduleKind::Constant,
            ScheduleName::Cosine => ScheduleKind::Cosine,
            ScheduleName::Step => ScheduleKind::Step {
                every_steps: training.step_epochs as u64 * per_epoch,
                gamma: training.step_gamma,
            },
        },
        learning_rate: training.learning_rate,
        warmup_steps,
        total_steps: training.epochs as u64 * per_epoch,
    }
}
