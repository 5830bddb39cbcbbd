//! Times our engines for `cargo xtask bench`: requests on stdin, one JSON answer a line on stdout.
//!
//! ```text
//! {"prepare":{"key":"a","work":"train","network":"classifier","engine":"cpu","batch_size":32}}
//! {"run":{"key":"a","seconds":0.5}}
//! {"drop":{}}
//! ```
//!
//! The number of threads is the environment's: `RAYON_NUM_THREADS`, and `CANDLE_NUM_THREADS` for the Candle engine.

#![expect(
    clippy::print_stdout,
    reason = "the answers go to the program at the other end of the pipe"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufRead as _;
use std::time::Instant;

use juggle_kernels::Level;
use juggle_models::{
    AutoencoderConfig, CandleEngine, CnnConfig, CpuEngine, Device, Engine, Loss, Network,
    Optimizer, Targets, TrainingOptions, autoencoder, cnn, initialize,
};
use serde::Deserialize;
use serde_json::{Value, json};

const SIDE: usize = 32;
const N_CLASSES: u32 = 3;
/// The weights hardly move, so that a long measurement does not end in another regime than it began in.
const LEARNING_RATE: f64 = 1e-7;
/// Steps before anything is timed: buffers are allocated, caches and branch predictors warm.
const WARM_UP_STEPS: usize = 3;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Prepare(Box<Prepare>),
    Run { key: String, seconds: f64 },
    Drop {},
}

#[derive(Deserialize)]
struct Prepare {
    key: String,
    work: Work,
    network: String,
    engine: String,
    batch_size: usize,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Work {
    Train,
    Infer,
}

struct Workload {
    work: Work,
    engine: Box<dyn Engine>,
    inputs: Vec<f32>,
    labels: Vec<u32>,
    frames: Vec<f32>,
    batch_size: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut workloads = BTreeMap::new();
    println!("{}", json!({"level": Level::best().name()}));
    for line in std::io::stdin().lock().lines() {
        let answer = serde_json::from_str(&line?)
            .map_err(Into::into)
            .and_then(|request| answer(request, &mut workloads))
            .unwrap_or_else(|error| json!({"error": error.to_string()}));
        println!("{answer}");
    }
    Ok(())
}

fn answer(
    request: Request,
    workloads: &mut BTreeMap<String, Workload>,
) -> Result<Value, Box<dyn Error>> {
    match request {
        Request::Prepare(prepare) => {
            let mut workload = Workload::new(&prepare)?;
            for _ in 0..WARM_UP_STEPS {
                workload.step()?;
            }
            workloads.insert(prepare.key, workload);
            Ok(json!({}))
        }
        Request::Run { key, seconds } => {
            let workload = workloads.get_mut(&key).ok_or("no such workload")?;
            let mut n_steps = 0;
            let started = Instant::now();
            while n_steps == 0 || started.elapsed().as_secs_f64() < seconds {
                workload.step()?;
                n_steps += 1;
            }
            let elapsed = started.elapsed().as_secs_f64();
            Ok(json!({"seconds": elapsed, "count": n_steps * workload.batch_size}))
        }
        Request::Drop {} => {
            workloads.clear();
            Ok(json!({}))
        }
    }
}

impl Workload {
    fn new(prepare: &Prepare) -> Result<Self, Box<dyn Error>> {
        let (network, loss, in_channels) = match prepare.network.as_str() {
            "classifier" => (classifier(false)?, CROSS_ENTROPY, 1),
            "classifier-batch-norm" => (classifier(true)?, CROSS_ENTROPY, 1),
            "autoencoder" => (frame_predictor()?, Loss::MeanSquaredError, 4),
            other => return Err(format!("no network is named {other}").into()),
        };
        let options = TrainingOptions {
            loss,
            optimizer: Optimizer::Adam { weight_decay: 0.0 },
            ema_decay: None,
            clip_norm: None,
        };
        let state = initialize(&network, 0);
        let engine: Box<dyn Engine> = match prepare.engine.as_str() {
            "cpu" => Box::new(CpuEngine::new(&network, &state, options)?),
            "candle" => Box::new(CandleEngine::new(&network, &state, options, Device::Cpu)?),
            other => return Err(format!("no engine is named {other}").into()),
        };
        let batch_size = prepare.batch_size;
        let is_classifier = loss == CROSS_ENTROPY;
        let mut random = SplitMix(1);
        Ok(Self {
            work: prepare.work,
            engine,
            inputs: random.units(batch_size * in_channels * SIDE * SIDE),
            labels: if is_classifier {
                (0..batch_size).map(|_| random.below(N_CLASSES)).collect()
            } else {
                Vec::new()
            },
            frames: random.units(batch_size * SIDE * SIDE),
            batch_size,
        })
    }

    fn step(&mut self) -> juggle_models::Result<()> {
        match self.work {
            Work::Train => {
                let targets = if self.labels.is_empty() {
                    Targets::Images(&self.frames)
                } else {
                    Targets::Labels(&self.labels)
                };
                let output = self
                    .engine
                    .train_step(&self.inputs, targets, LEARNING_RATE)?;
                std::hint::black_box(output.loss);
            }
            Work::Infer => {
                std::hint::black_box(self.engine.forward(&self.inputs)?);
            }
        }
        Ok(())
    }
}

const CROSS_ENTROPY: Loss = Loss::CrossEntropy {
    label_smoothing: 0.0,
};

fn classifier(batch_norm: bool) -> juggle_models::Result<Network> {
    cnn(&CnnConfig {
        n_classes: N_CLASSES as usize,
        in_channels: 1,
        height: SIDE,
        width: SIDE,
        batch_norm,
    })
}

fn frame_predictor() -> juggle_models::Result<Network> {
    autoencoder(&AutoencoderConfig {
        input_frames: 4,
        channels: 1,
        height: SIDE,
        width: SIDE,
        widths: vec![16, 32, 64],
        skip: true,
        batch_norm: false,
    })
}

/// A small generator: the pixels only have to be the same in every run.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn units(&mut self, n: usize) -> Vec<f32> {
        let unit = |bits: u64| (bits >> 40) as f32 / (1_u64 << 24) as f32;
        (0..n).map(|_| unit(self.next())).collect()
    }

    fn below(&mut self, n: u32) -> u32 {
        u32::try_from(self.next() % u64::from(n)).expect("the remainder is below a u32")
    }
}
