//! Small vision networks as data, an engine that trains and runs them, and their PyTorch-compatible state.
//!
//! A [`Network`] is a graph of layers with PyTorch's parameter names. [`cnn`] and [`autoencoder`] build the two networks
//! of the coursework; any other graph of the same layers works too. Everything else reads the description:
//! [`Network::summary`], [`initialize`], the engines, and [`State`], whose file loads into PyTorch with
//! `load_state_dict(strict=True)`.
//!
//! ```
//! use juggle_models::{
//!     CnnConfig, CpuEngine, Engine, Loss, Optimizer, Schedule, ScheduleKind, Targets, TrainingOptions, cnn, initialize,
//! };
//!
//! let network = cnn(&CnnConfig { n_classes: 2, in_channels: 1, height: 8, width: 8, batch_norm: true })?;
//! let options = TrainingOptions {
//!     loss: Loss::CrossEntropy { label_smoothing: 0.0 },
//!     optimizer: Optimizer::Adam { weight_decay: 1e-3 },
//!     ema_decay: None,
//!     clip_norm: None,
//! };
//! let mut engine = CpuEngine::new(&network, &initialize(&network, 0), options)?;
//! let schedule = Schedule { kind: ScheduleKind::Constant, learning_rate: 1e-3, warmup_steps: 0, total_steps: 2 };
//! let images: Vec<f32> = (0..4 * 64).map(|i| (i % 7) as f32 / 7.0).collect();
//! for step in 0..2 {
//!     let output = engine.train_step(&images, Targets::Labels(&[0, 1, 0, 1]), schedule.learning_rate_at(step))?;
//!     assert!(output.loss.is_finite());
//! }
//! assert_eq!(engine.forward(&images)?.len(), 4 * 2);
//! # Ok::<(), juggle_models::Error>(())
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`network`] | layers as data, shape checks, the names of the tensors |
//! | `architectures` | [`cnn`], [`autoencoder`] |
//! | `summary` | the table of layers and parameters |
//! | `init` | [`initialize`]: PyTorch's rules from our own seeded streams |
//! | `state` | [`State`]: weights and buffers, and their safetensors file |
//! | `occlusion` | [`occlusion_map`]: which parts of an image a classification hangs on |
//! | `onnx` | [`onnx_model`], [`save_onnx`]: a network and its weights for other programs |
//! | `training_state` | [`TrainingState`]: everything that a training needs to go on |
//! | `loss`, `optimizer`, `schedule` | the training's configuration |
//! | [`engine`] | [`Engine`]: what a training step takes and gives; [`CpuEngine`] on our kernels, [`CandleEngine`] for GPUs |
//! | `device` | [`Device`]: CPU, CUDA, Metal |

pub mod engine;
pub mod network;

mod architectures;
mod device;
mod error;
mod init;
mod loss;
mod occlusion;
mod onnx;
mod optimizer;
mod schedule;
mod state;
mod summary;
mod training_state;

pub use architectures::{AutoencoderConfig, CnnConfig, autoencoder, cnn};
pub use device::Device;
pub use engine::candle::CandleEngine;
pub use engine::cpu::CpuEngine;
pub use engine::{Engine, Gradients, Precision, StepOutput, TrainingOptions};
pub use error::{Error, Result};
pub use init::initialize;
pub use loss::{Loss, Targets, loss_value, softmax};
pub use network::{Layer, Network, Source};
pub use occlusion::{Occlusion, OcclusionMap, occlusion_map};
pub use onnx::{OnnxInfo, onnx_model, save_onnx};
pub use optimizer::Optimizer;
pub use schedule::{Schedule, ScheduleKind};
pub use state::{State, StateTensor, Values};
pub use summary::{LayerSummary, Summary};
pub use training_state::TrainingState;
