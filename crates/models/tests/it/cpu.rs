//! The Cpu engine on networks of every kind: the same bits whatever runs them, and the Candle engine's numbers.

use juggle_kernels::Level;
use juggle_models::{
    AutoencoderConfig, CandleEngine, CnnConfig, CpuEngine, Device, Engine, Layer, Loss, Network,
    Optimizer, Source, State, Targets, TrainingOptions, Values, autoencoder, cnn, initialize,
};
use sha2::{Digest as _, Sha256};

/// A network and what it is trained on.
struct Case {
    name: &'static str,
    network: Network,
    loss: Loss,
}

impl Case {
    fn new(name: &'static str, network: Network) -> Self {
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

    fn options(&self) -> TrainingOptions {
        TrainingOptions {
            loss: self.loss,
            optimizer: Optimizer::Sgd {
                momentum: 0.9,
                weight_decay: 1e-3,
            },
            ema_decay: Some(0.5),
        }
    }

    fn inputs(&self, n: usize) -> Vec<f32> {
        noise(n * self.network.input_shape().iter().product::<usize>(), 1)
    }

    /// Calls `f` with targets for `n` images.
    fn with_targets<T>(&self, n: usize, f: impl FnOnce(Targets<'_>) -> T) -> T {
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

    fn step(&self, engine: &mut dyn Engine, n: usize) -> f64 {
        let inputs = self.inputs(n);
        self.with_targets(n, |targets| {
            engine.train_step(&inputs, targets, 1e-2).unwrap().loss
        })
    }
}

/// Values in [−0.5, 0.5) without a pattern.
fn noise(n: usize, seed: u64) -> Vec<f32> {
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

fn classifier(in_channels: usize, height: usize, width: usize, batch_norm: bool) -> Network {
    let config = CnnConfig {
        n_classes: 5,
        in_channels,
        height,
        width,
        batch_norm,
    };
    cnn(&config).unwrap()
}

fn skipping(channels: usize, batch_norm: bool, skip: bool) -> Network {
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
fn tangle() -> Network {
    let mut network = Network::new([2, 11, 9]);
    let mut push =
        |name: &str, layer, inputs: &[Source]| network.push(name, layer, inputs).unwrap();
    let conv = |in_channels, out_channels, kernel_size, padding| Layer::Conv2d {
        in_channels,
        out_channels,
        kernel_size,
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
fn braid() -> Network {
    let mut network = Network::new([1, 6, 7]);
    let mut push =
        |name: &str, layer, inputs: &[Source]| network.push(name, layer, inputs).unwrap();
    let conv = |in_channels, out_channels| Layer::Conv2d {
        in_channels,
        out_channels,
        kernel_size: 3,
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

fn cases() -> Vec<Case> {
    vec![
        Case::new("classifier", classifier(1, 16, 16, false)),
        Case::new("classifier with batch norm", classifier(3, 13, 10, true)),
        Case::new("autoencoder", skipping(1, false, true)),
        Case::new("autoencoder with batch norm", skipping(3, true, true)),
        Case::new("autoencoder without skips", skipping(1, false, false)),
        Case::new("tangle", tangle()),
        Case::new("braid", braid()),
    ]
}

/// Equal up to a share of the largest value; gradients below a thousandth count as that, since what is zero but for
/// rounding (all that shifts the input of a batch normalisation) has no size of its own.
#[track_caller]
fn assert_near(what: &str, a: &[f32], b: &[f32], share: f32) {
    assert_eq!(a.len(), b.len(), "{what}: length");
    let largest = b.iter().fold(1e-3_f32, |max, x| max.max(x.abs()));
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!(
            (a - b).abs() <= share * largest,
            "{what}[{i}]: {a} and {b}, largest {largest}"
        );
    }
}

#[test]
fn both_engines_agree_on_every_network_and_batch_size() {
    for case in cases() {
        let state = initialize(&case.network, 3);
        for n in [1, 3, 8, 11] {
            let what = |of: &str| format!("{} with {n} images: {of}", case.name);
            let mut cpu = CpuEngine::new(&case.network, &state, case.options()).unwrap();
            let mut candle =
                CandleEngine::new(&case.network, &state, case.options(), Device::Cpu).unwrap();
            let inputs = case.inputs(n);
            let gradients = |engine: &dyn Engine| {
                case.with_targets(n, |targets| engine.gradients(&inputs, targets).unwrap())
            };
            let (ours, theirs) = (gradients(&cpu), gradients(&candle));
            assert!(
                (ours.loss - theirs.loss).abs() < 1e-5 * theirs.loss,
                "{}",
                what("loss")
            );
            assert_near(&what("outputs"), &ours.outputs, &theirs.outputs, 2e-5);
            assert!(ours.parameters.keys().eq(theirs.parameters.keys()));
            for (name, gradient) in &ours.parameters {
                assert_near(&what(name), gradient, &theirs.parameters[name], 1e-4);
            }
            for _ in 0..2 {
                case.step(&mut cpu, n);
                case.step(&mut candle, n);
            }
            let (ours, theirs) = (cpu.state().unwrap(), candle.state().unwrap());
            assert!(ours.iter().map(|x| x.0).eq(theirs.iter().map(|x| x.0)));
            for (name, tensor) in theirs.iter() {
                match theirs.floats(name) {
                    Some(theirs) => {
                        assert_near(&what(name), ours.floats(name).unwrap(), theirs, 2e-4);
                    }
                    None => assert_eq!(ours.get(name), Some(tensor)),
                }
            }
            let (ours, theirs) = (
                cpu.forward(&inputs).unwrap(),
                candle.forward(&inputs).unwrap(),
            );
            assert_near(&what("evaluation"), &ours, &theirs, 2e-4);
        }
    }
}

/// Three steps, the last on a short batch, then the outputs of the averaged weights.
fn trained(case: &Case, level: Level, threads: usize) -> (State, Vec<f32>) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        let state = initialize(&case.network, 5);
        let mut engine =
            CpuEngine::with_level(&case.network, &state, case.options(), level).unwrap();
        for n in [10, 10, 3] {
            case.step(&mut engine, n);
        }
        (
            engine.state().unwrap(),
            engine.forward(&case.inputs(9)).unwrap(),
        )
    })
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "a level that was not run is worth a line"
)]
fn the_bits_depend_on_neither_threads_nor_instructions() {
    for name in Level::NAMES {
        if Level::supported().iter().all(|level| level.name() != *name) {
            eprintln!("not run on this processor: {name}");
        }
    }
    for case in cases() {
        let one = trained(&case, Level::best(), 1);
        for threads in [2, 3, 7] {
            assert_eq!(
                one,
                trained(&case, Level::best(), threads),
                "{}, {threads} threads",
                case.name
            );
        }
        for level in Level::supported() {
            assert_eq!(
                one,
                trained(&case, level, 2),
                "{}, {}",
                case.name,
                level.name()
            );
        }
    }
}

/// The weights after a short training, as one number. A change of it means that runs give other bits than before: that is
/// a decision, and belongs into the notes of a release.
#[test]
fn the_bits_are_those_of_before() {
    let coursework = AutoencoderConfig {
        input_frames: 4,
        channels: 1,
        height: 32,
        width: 32,
        widths: vec![16, 32, 64],
        skip: true,
        batch_norm: false,
    };
    for (network, expected) in [
        (classifier(1, 32, 32, false), "1189872d557f8d32"),
        (classifier(1, 32, 32, true), "d57d8766bd4886b4"),
        (autoencoder(&coursework).unwrap(), "bb5182404dcb0a40"),
    ] {
        let case = Case::new("", network);
        let mut hash = Sha256::new();
        for (name, tensor) in trained(&case, Level::best(), 2).0.iter() {
            hash.update(name);
            if let Values::F32(values) = &tensor.values {
                for value in values {
                    hash.update(value.to_le_bytes());
                }
            }
        }
        let hash = hash
            .finalize()
            .iter()
            .take(8)
            .fold(0_u64, |hash, &byte| hash << 8 | u64::from(byte));
        assert_eq!(format!("{hash:016x}"), expected);
    }
}

#[test]
fn a_batch_gives_the_bits_that_its_images_give_alone() {
    for case in cases() {
        let engine =
            CpuEngine::new(&case.network, &initialize(&case.network, 5), case.options()).unwrap();
        let inputs = case.inputs(19);
        let image = inputs.len() / 19;
        let alone: Vec<f32> = inputs
            .chunks(image)
            .flat_map(|image| engine.forward(image).unwrap())
            .collect();
        assert_eq!(engine.forward(&inputs).unwrap(), alone, "{}", case.name);
    }
}

#[test]
fn cross_entropy_over_an_image_is_refused() {
    let network = braid();
    let options = TrainingOptions {
        loss: Loss::CrossEntropy {
            label_smoothing: 0.0,
        },
        optimizer: Optimizer::Adam { weight_decay: 0.0 },
        ema_decay: None,
    };
    let refused = CpuEngine::new(&network, &initialize(&network, 0), options).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the network's output is of shape [6, 6, 7], expected a vector of logits for the cross-entropy loss"
    );
}
