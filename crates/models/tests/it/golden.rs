//! One training step of each network against PyTorch in float64; `golden/generate.py` made the files.

use std::path::Path;

use juggle_kernels::Level;
use juggle_models::{
    AutoencoderConfig, CandleEngine, CnnConfig, CpuEngine, Engine, Layer, Loss, Network, Optimizer,
    Precision, Source, State, StateTensor, Targets, TrainingOptions, autoencoder, cnn,
};
use safetensors::{Dtype, SafeTensors};

/// What a comparison allows: a share of the value itself, and of the largest value of its tensor.
#[derive(Clone, Copy)]
struct Tolerance {
    value: f32,
    tensor: f32,
}

/// Both sides compute in f64 and are rounded to f32 once.
const F64: Tolerance = Tolerance {
    value: 2e-7,
    tensor: 1e-9,
};
/// Ours computes in f32.
const F32: Tolerance = Tolerance {
    value: 2e-5,
    tensor: 2e-5,
};

const CROSS_ENTROPY: Loss = Loss::CrossEntropy {
    label_smoothing: 0.0,
};

struct Golden {
    bytes: Vec<u8>,
}

impl Golden {
    fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(format!("{name}.safetensors"));
        Self {
            bytes: std::fs::read(&path)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        }
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).unwrap()
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        let tensors = self.tensors();
        let view = tensors.tensor(name).unwrap();
        assert_eq!(view.dtype(), Dtype::F32, "{name}");
        view.data()
            .as_chunks()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect()
    }

    fn integers(&self, name: &str) -> Vec<i64> {
        let tensors = self.tensors();
        tensors
            .tensor(name)
            .unwrap()
            .data()
            .as_chunks()
            .0
            .iter()
            .map(|bytes| i64::from_le_bytes(*bytes))
            .collect()
    }

    fn state(&self, prefix: &str) -> State {
        let mut state = State::default();
        for (name, view) in self.tensors().iter() {
            if let Some(short) = name.strip_prefix(prefix) {
                let tensor = match view.dtype() {
                    Dtype::I64 => StateTensor::counter(self.integers(name)[0]),
                    _ => StateTensor::floats(view.shape().to_vec(), self.floats(name)),
                };
                state.insert(short.to_owned(), tensor);
            }
        }
        state
    }
}

#[track_caller]
fn assert_close(what: &str, ours: &[f32], theirs: &[f32], tolerance: Tolerance) {
    assert_eq!(ours.len(), theirs.len(), "{what}: length");
    let largest = theirs.iter().fold(0_f32, |max, value| max.max(value.abs()));
    for (i, (&ours, &theirs)) in ours.iter().zip(theirs).enumerate() {
        let allowed = tolerance.value * theirs.abs() + tolerance.tensor * largest;
        assert!(
            (ours - theirs).abs() <= allowed,
            "{what}[{i}]: ours {ours:e}, PyTorch {theirs:e}, allowed {allowed:e}"
        );
    }
}

fn check(name: &str, network: &Network, loss: Loss, optimizer: Optimizer, learning_rate: f64) {
    let options = TrainingOptions {
        loss,
        optimizer,
        ema_decay: None,
        clip_norm: None,
    };
    check_with(name, network, options, learning_rate);
}

fn check_with(name: &str, network: &Network, options: TrainingOptions, learning_rate: f64) {
    let golden = Golden::read(name);
    let before = golden.state("before/");
    for (precision, tolerance) in [(Precision::F64, F64), (Precision::F32, F32)] {
        let mut engine = CandleEngine::with_precision(
            network,
            &before,
            options,
            crate::candle_device(),
            precision,
        )
        .unwrap();
        check_engine(
            &golden,
            network,
            options,
            learning_rate,
            &mut engine,
            tolerance,
        );
    }
    for level in Level::supported() {
        let mut engine = CpuEngine::with_level(network, &before, options, level).unwrap();
        check_engine(&golden, network, options, learning_rate, &mut engine, F32);
    }
}

fn check_engine(
    golden: &Golden,
    network: &Network,
    TrainingOptions {
        loss,
        optimizer,
        clip_norm,
        ..
    }: TrainingOptions,
    learning_rate: f64,
    engine: &mut dyn Engine,
    tolerance: Tolerance,
) {
    let inputs = golden.floats("inputs");
    let (labels, images);
    let targets = match loss {
        Loss::CrossEntropy { .. } => {
            labels = golden
                .integers("targets")
                .into_iter()
                .map(|x| u32::try_from(x).unwrap())
                .collect::<Vec<_>>();
            Targets::Labels(&labels)
        }
        _ => {
            images = golden.floats("targets");
            Targets::Images(&images)
        }
    };

    let gradients = engine.gradients(&inputs, targets).unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "the golden loss is f32")]
    let value = gradients.loss as f32;
    assert_close("loss", &[value], &golden.floats("loss"), tolerance);
    assert_close(
        "outputs",
        &gradients.outputs,
        &golden.floats("outputs"),
        tolerance,
    );
    for (name, gradient) in &gradients.parameters {
        if is_bias_before_batch_norm(network, name) {
            assert!(
                gradient.iter().all(|&value| value == 0.0),
                "gradient of {name} is exactly zero"
            );
        } else {
            assert_close(
                &format!("gradient of {name}"),
                gradient,
                &golden.floats(&format!("gradient/{name}")),
                tolerance,
            );
        }
    }

    let step = engine.train_step(&inputs, targets, learning_rate).unwrap();
    assert_eq!(
        (step.loss, step.outputs),
        (gradients.loss, &*gradients.outputs)
    );
    assert_eq!(step.gradient_norm.is_some(), clip_norm.is_some());
    if let Some(norm) = step.gradient_norm {
        #[expect(clippy::cast_possible_truncation, reason = "the golden norm is f32")]
        let norm = norm as f32;
        let theirs = golden.floats("gradient_norm");
        assert_close("norm of the gradient", &[norm], &theirs, tolerance);
    }
    let after = engine.state().unwrap();
    assert_eq!(after.iter().count(), golden.state("after/").iter().count());
    for (name, tensor) in golden.state("after/").iter() {
        match after.floats(name) {
            Some(ours) => assert_close(
                &format!("{name} after the step"),
                ours,
                golden.state("after/").floats(name).unwrap(),
                step_tolerance(tolerance, optimizer),
            ),
            None => assert_eq!(after.get(name), Some(tensor), "{name}"),
        }
    }
    assert_close(
        "evaluation",
        &engine.forward(&inputs).unwrap(),
        &golden.floats("evaluation"),
        step_tolerance(tolerance, optimizer),
    );
}

/// Adam's first step is the gradient's sign: where a gradient is rounding noise in f32, so is the step.
fn step_tolerance(tolerance: Tolerance, optimizer: Optimizer) -> Tolerance {
    match optimizer {
        Optimizer::Sgd { .. } => tolerance,
        _ if tolerance.value == F64.value => tolerance,
        _ => Tolerance {
            tensor: 2e-3,
            ..tolerance
        },
    }
}

fn is_bias_before_batch_norm(network: &Network, name: &str) -> bool {
    let mut nodes = network.nodes().iter().enumerate();
    nodes.any(|(i, node)| name == format!("{}.bias", node.name) && network.feeds_only_batch_norm(i))
}

#[test]
fn classifier_step_equals_pytorch() {
    let config = CnnConfig {
        n_classes: 3,
        in_channels: 1,
        height: 10,
        width: 10,
        batch_norm: false,
    };
    check(
        "cnn",
        &cnn(&config).unwrap(),
        CROSS_ENTROPY,
        Optimizer::Adam { weight_decay: 0.0 },
        1e-3,
    );
}

#[test]
fn rgb_classifier_with_label_smoothing_and_adamw_equals_pytorch() {
    let config = CnnConfig {
        n_classes: 4,
        in_channels: 3,
        height: 8,
        width: 8,
        batch_norm: false,
    };
    let loss = Loss::CrossEntropy {
        label_smoothing: 0.05,
    };
    check(
        "cnn-rgb-smoothing-adamw",
        &cnn(&config).unwrap(),
        loss,
        Optimizer::AdamW { weight_decay: 0.01 },
        1e-3,
    );
}

#[test]
fn classifier_with_batch_norm_and_l2_equals_pytorch() {
    let config = CnnConfig {
        n_classes: 3,
        in_channels: 1,
        height: 9,
        width: 9,
        batch_norm: true,
    };
    check(
        "cnn-batch-norm",
        &cnn(&config).unwrap(),
        CROSS_ENTROPY,
        Optimizer::Adam { weight_decay: 1e-3 },
        1e-3,
    );
}

#[test]
fn a_clipped_step_equals_pytorch() {
    let config = CnnConfig {
        n_classes: 3,
        in_channels: 1,
        height: 9,
        width: 9,
        batch_norm: true,
    };
    let options = TrainingOptions {
        loss: CROSS_ENTROPY,
        optimizer: Optimizer::Sgd {
            momentum: 0.9,
            weight_decay: 1e-3,
        },
        ema_decay: None,
        clip_norm: Some(0.05),
    };
    check_with("tight-clip", &cnn(&config).unwrap(), options, 1e-1);
}

fn small_autoencoder(skip: bool, batch_norm: bool) -> Network {
    let config = AutoencoderConfig {
        input_frames: 2,
        channels: 1,
        height: 8,
        width: 8,
        widths: vec![8, 16, 24],
        skip,
        batch_norm,
    };
    autoencoder(&config).unwrap()
}

#[test]
fn strided_convolutions_equal_pytorch() {
    let conv = |in_channels, out_channels, kernel_size, stride, padding| Layer::Conv2d {
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
    };
    let layers = [
        conv(3, 8, 5, 2, 2),
        Layer::BatchNorm2d { num_features: 8 },
        Layer::Relu,
        conv(8, 12, 3, 2, 1),
        Layer::Relu,
        conv(12, 6, 1, 2, 0),
        Layer::Relu,
        conv(6, 5, 2, 3, 2),
        Layer::Flatten,
        Layer::Linear {
            in_features: 20,
            out_features: 4,
        },
    ];
    let mut network = Network::new([3, 19, 16]);
    let mut last = Source::Input;
    for (i, layer) in layers.into_iter().enumerate() {
        last = network.push(&i.to_string(), layer, &[last]).unwrap();
    }
    let optimizer = Optimizer::Adam { weight_decay: 0.0 };
    check("strided", &network, CROSS_ENTROPY, optimizer, 1e-3);
}

#[test]
fn autoencoder_step_equals_pytorch() {
    let config = AutoencoderConfig {
        input_frames: 4,
        channels: 1,
        height: 8,
        width: 8,
        widths: vec![16, 32, 64],
        skip: true,
        batch_norm: false,
    };
    let optimizer = Optimizer::Adam { weight_decay: 5e-5 };
    check(
        "autoencoder",
        &autoencoder(&config).unwrap(),
        Loss::MeanSquaredError,
        optimizer,
        1e-3,
    );
}

#[test]
fn autoencoder_with_batch_norm_and_momentum_equals_pytorch() {
    let optimizer = Optimizer::Sgd {
        momentum: 0.9,
        weight_decay: 0.0,
    };
    check(
        "autoencoder-batch-norm",
        &small_autoencoder(true, true),
        Loss::MeanSquaredError,
        optimizer,
        1e-2,
    );
}

#[test]
fn autoencoder_without_skips_equals_pytorch() {
    let optimizer = Optimizer::Adam { weight_decay: 0.0 };
    check(
        "autoencoder-no-skip",
        &small_autoencoder(false, false),
        Loss::MeanSquaredError,
        optimizer,
        5e-4,
    );
}
