//! Training and inference: overfitting, determinism, averaging, borders, errors.

use juggle_models::{
    AutoencoderConfig, CandleEngine, CnnConfig, CpuEngine, Engine, Error, Layer, Loss, Network,
    Optimizer, Source, State, StateTensor, Targets, TrainingOptions, autoencoder, cnn, initialize,
};

const CROSS_ENTROPY: Loss = Loss::CrossEntropy {
    label_smoothing: 0.0,
};

fn options(loss: Loss) -> TrainingOptions {
    TrainingOptions {
        loss,
        optimizer: Optimizer::Adam { weight_decay: 0.0 },
        ema_decay: None,
        clip_norm: None,
    }
}

fn small_cnn(batch_norm: bool) -> Network {
    cnn(&CnnConfig {
        n_classes: 3,
        in_channels: 1,
        height: 8,
        width: 8,
        batch_norm,
    })
    .unwrap()
}

/// Both engines on the CPU, in the same state.
fn engines(network: &Network, state: &State, options: TrainingOptions) -> [Box<dyn Engine>; 2] {
    [
        Box::new(CpuEngine::new(network, state, options).unwrap()),
        Box::new(CandleEngine::new(network, state, options, crate::candle_device()).unwrap()),
    ]
}

/// Values in [0, 1) without a pattern.
fn noise(n: usize) -> Vec<f32> {
    (0..n)
        .map(|i| (i * 2_654_435_761 % 1024) as f32 / 1024.0)
        .collect()
}

#[test]
fn one_batch_is_learnt_by_heart() {
    let labels = [0, 1, 2, 2, 1, 0];
    let images = noise(6 * 64);
    for batch_norm in [false, true] {
        let network = small_cnn(batch_norm);
        for mut engine in engines(&network, &initialize(&network, 1), options(CROSS_ENTROPY)) {
            let mut loss = f64::INFINITY;
            for _ in 0..150 {
                loss = engine
                    .train_step(&images, Targets::Labels(&labels), 5e-3)
                    .unwrap()
                    .loss;
            }
            assert!(loss < 0.01, "batch norm {batch_norm}: loss {loss}");
        }
    }
}

#[test]
fn autoencoder_learns_one_window_by_heart() {
    let config = AutoencoderConfig {
        input_frames: 2,
        channels: 1,
        height: 8,
        width: 8,
        widths: vec![8, 16],
        skip: true,
        batch_norm: false,
    };
    let network = autoencoder(&config).unwrap();
    let loss = options(Loss::MeanSquaredError);
    for mut engine in engines(&network, &initialize(&network, 1), loss) {
        let (inputs, target) = (noise(2 * 64), noise(64));
        let first = engine
            .train_step(&inputs, Targets::Images(&target), 3e-3)
            .unwrap()
            .loss;
        let mut last = first;
        for _ in 0..200 {
            last = engine
                .train_step(&inputs, Targets::Images(&target), 3e-3)
                .unwrap()
                .loss;
        }
        assert!(last < first / 50.0, "loss {first} → {last}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_with_any_number_of_threads() {
    let train = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let network = small_cnn(true);
            let mut engine = CandleEngine::new(
                &network,
                &initialize(&network, 5),
                options(CROSS_ENTROPY),
                crate::candle_device(),
            )
            .unwrap();
            for _ in 0..3 {
                engine
                    .train_step(
                        &noise(11 * 64),
                        Targets::Labels(&[0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]),
                        1e-3,
                    )
                    .unwrap();
            }
            engine.state().unwrap()
        })
    };
    let one = train(1);
    for threads in [2, 3, 7] {
        assert_eq!(one, train(threads), "{threads} threads");
    }
}

#[test]
fn a_batch_gives_what_its_images_give_alone() {
    let network = small_cnn(true);
    for engine in engines(&network, &initialize(&network, 5), options(CROSS_ENTROPY)) {
        let images = noise(5 * 64);
        let together = engine.forward(&images).unwrap();
        let alone: Vec<f32> = images
            .chunks(64)
            .flat_map(|image| engine.forward(image).unwrap())
            .collect();
        assert!(
            together
                .iter()
                .zip(&alone)
                .all(|(a, b)| (a - b).abs() < 1e-5),
            "{together:?} {alone:?}"
        );
    }
}

#[test]
fn max_pooling_sends_the_whole_gradient_to_the_first_maximum() {
    // The convolution's output is its second channel, 0.5 everywhere, so that every square is one tie of four. The first
    // channel counts the pixels with weight 0: the gradient of that weight tells which pixels were chosen.
    let mut network = Network::new([2, 4, 4]);
    let conv = Layer::Conv2d {
        in_channels: 2,
        out_channels: 1,
        kernel_size: 1,
        stride: 1,
        padding: 0,
    };
    let xs = network.push("0", conv, &[Source::Input]).unwrap();
    network
        .push("1", Layer::MaxPool2d { kernel_size: 2 }, &[xs])
        .unwrap();
    let mut state = State::default();
    state.insert(
        "0.weight".into(),
        StateTensor::floats(vec![1, 2, 1, 1], vec![0.0, 1.0]),
    );
    state.insert("0.bias".into(), StateTensor::floats(vec![1], vec![0.0]));
    let inputs: Vec<f32> = (0..32_u8)
        .map(|i| if i < 16 { f32::from(i) } else { 0.5 })
        .collect();
    for engine in engines(&network, &state, options(Loss::MeanSquaredError)) {
        let gradients = engine
            .gradients(&inputs, Targets::Images(&[0.0; 4]))
            .unwrap();
        // Each of the four squares' gradient is 2 · 0.5 / 4, at its first pixel: 0, 2, 8, 10.
        assert_eq!(
            gradients.parameters["0.weight"],
            [0.25 * 20.0, 0.25 * 4.0 * 0.5]
        );
        assert_eq!(gradients.parameters["0.bias"], [1.0]);
    }
}

#[test]
fn the_gradient_of_the_last_step_is_the_one_that_the_optimiser_saw() {
    let (images, labels) = (noise(4 * 64), [0, 1, 2, 2]);
    let targets = Targets::Labels(&labels);
    let network = small_cnn(true);
    let state = initialize(&network, 3);
    for clip_norm in [None, Some(0.25)] {
        let options = TrainingOptions {
            clip_norm,
            ..options(CROSS_ENTROPY)
        };
        for mut engine in engines(&network, &state, options) {
            assert_eq!(engine.last_gradients().unwrap(), None);
            let whole = engine.gradients(&images, targets).unwrap().parameters;
            assert_eq!(engine.last_gradients().unwrap(), None, "no step was taken");
            engine.train_step(&images, targets, 1e-3).unwrap();
            let seen = engine.last_gradients().unwrap().unwrap();
            let squares = whole.values().flatten().map(|&x| f64::from(x).powi(2));
            let norm = squares.sum::<f64>().sqrt();
            let factor = clip_norm.map_or(1.0, |clip_norm| clip_norm / norm);
            assert!(factor <= 1.0, "the gradient is clipped: {norm}");
            assert_eq!(
                seen.keys().collect::<Vec<_>>(),
                whole.keys().collect::<Vec<_>>()
            );
            for (&seen, &whole) in seen.values().flatten().zip(whole.values().flatten()) {
                let expected = f64::from(whole) * factor;
                assert!((f64::from(seen) - expected).abs() <= 1e-6 * expected.abs() + 1e-9);
            }
        }
    }
}

#[test]
fn upsampling_adds_the_gradients_of_two_readers() {
    let mut network = Network::new([1, 2, 2]);
    let conv = |channels| Layer::Conv2d {
        in_channels: channels,
        out_channels: 1,
        kernel_size: 1,
        stride: 1,
        padding: 0,
    };
    let xs = network.push("first", conv(1), &[Source::Input]).unwrap();
    let up = network
        .push("up", Layer::UpsampleNearest2d { scale_factor: 2 }, &[xs])
        .unwrap();
    let again = network
        .push("again", Layer::UpsampleNearest2d { scale_factor: 2 }, &[xs])
        .unwrap();
    let cat = network.push("cat", Layer::Concat, &[up, again]).unwrap();
    network.push("last", conv(2), &[cat]).unwrap();
    let mut state = State::default();
    for (name, shape, values) in [
        ("first.weight", vec![1, 1, 1, 1], vec![1.0]),
        ("first.bias", vec![1], vec![0.0]),
        ("last.weight", vec![1, 2, 1, 1], vec![1.0, 1.0]),
        ("last.bias", vec![1], vec![0.0]),
    ] {
        state.insert(name.into(), StateTensor::floats(shape, values));
    }
    for engine in engines(&network, &state, options(Loss::MeanSquaredError)) {
        // outputs = 2x = 1, target 0: d(loss)/d(output) sums to 2, times two readers of weight 1.
        let gradients = engine
            .gradients(&[0.5; 4], Targets::Images(&[0.0; 16]))
            .unwrap();
        assert_eq!(gradients.parameters["first.bias"], [4.0]);
    }
}

#[test]
fn averaging_follows_its_formula() {
    let network = small_cnn(true);
    let averaged = TrainingOptions {
        ema_decay: Some(0.75),
        clip_norm: None,
        ..options(CROSS_ENTROPY)
    };
    let state = initialize(&network, 2);
    let plain = engines(&network, &state, options(CROSS_ENTROPY));
    for (mut plain, mut engine) in plain.into_iter().zip(engines(&network, &state, averaged)) {
        let (images, labels) = (noise(3 * 64), [0, 1, 2]);
        let mut expected: Option<Vec<f32>> = None;
        for _ in 0..4 {
            plain
                .train_step(&images, Targets::Labels(&labels), 1e-2)
                .unwrap();
            engine
                .train_step(&images, Targets::Labels(&labels), 1e-2)
                .unwrap();
            let state = plain.state().unwrap();
            let newest = state.floats("0.weight").unwrap();
            expected = Some(match expected {
                None => newest.to_vec(),
                Some(average) => average
                    .iter()
                    .zip(newest)
                    .map(|(a, x)| 0.75 * a + 0.25 * x)
                    .collect(),
            });
        }
        let state = engine.state().unwrap();
        let ours = state.floats("0.weight").unwrap();
        assert!(
            ours.iter()
                .zip(expected.unwrap())
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
        assert_eq!(
            state.get("1.num_batches_tracked"),
            Some(&StateTensor::counter(4))
        );
    }
}

#[test]
fn slices_that_do_not_fit_are_refused_and_nothing_moves() {
    let network = small_cnn(false);
    let state = initialize(&network, 0);
    for engine in engines(&network, &state, options(CROSS_ENTROPY)) {
        refuses_slices(engine, &state);
    }
}

fn refuses_slices(mut engine: Box<dyn Engine>, state: &State) {
    let message = |error: Error| error.to_string();
    let mut step =
        |inputs: &[f32], targets| message(engine.train_step(inputs, targets, 1e-3).unwrap_err());
    let images = noise(2 * 64);
    assert_eq!(
        step(&images[1..], Targets::Labels(&[0, 1])),
        "the inputs hold 127 values, expected a multiple of 64 (1×8×8)"
    );
    assert_eq!(
        step(&[], Targets::Labels(&[])),
        "the inputs hold 0 values, expected a multiple of 64 (1×8×8)"
    );
    assert_eq!(
        step(&images, Targets::Labels(&[0])),
        "the labels hold 1 values, expected 2"
    );
    assert_eq!(
        step(&images, Targets::Labels(&[0, 3])),
        "label 3 at position 1 is out of range, expected 0 to 2"
    );
    assert_eq!(
        step(&images, Targets::Images(&[0.0; 6])),
        "the cross-entropy loss got images, expected labels"
    );
    assert_eq!(&engine.state().unwrap(), state);
}

#[test]
fn options_out_of_range_are_refused() {
    let network = small_cnn(false);
    let state = initialize(&network, 0);
    let refused = |options| {
        let candle =
            CandleEngine::new(&network, &state, options, crate::candle_device()).unwrap_err();
        let cpu = CpuEngine::new(&network, &state, options).unwrap_err();
        assert_eq!(candle.to_string(), cpu.to_string());
        cpu.to_string()
    };
    let base = options(CROSS_ENTROPY);
    assert_eq!(
        refused(TrainingOptions {
            optimizer: Optimizer::Adam { weight_decay: -1.0 },
            ..base
        }),
        "the weight decay is -1, expected 0 or more"
    );
    assert_eq!(
        refused(TrainingOptions {
            optimizer: Optimizer::Sgd {
                momentum: 1.0,
                weight_decay: 0.0
            },
            ..base
        }),
        "the momentum is 1, expected at least 0 and below 1"
    );
    assert_eq!(
        refused(TrainingOptions {
            ema_decay: Some(1.5),
            clip_norm: None,
            ..base
        }),
        "the decay of the weight average is 1.5, expected at least 0 and below 1"
    );
    assert_eq!(
        refused(options(Loss::CrossEntropy {
            label_smoothing: f64::NAN
        })),
        "the label smoothing is NaN, expected 0 to 1"
    );
}

#[test]
#[cfg(not(any(feature = "cuda", feature = "metal")))]
fn a_device_that_was_not_built_in_is_refused_by_name() {
    use juggle_models::Device;

    let network = small_cnn(false);
    let refused = |device| {
        CandleEngine::new(
            &network,
            &initialize(&network, 0),
            options(CROSS_ENTROPY),
            device,
        )
        .unwrap_err()
        .to_string()
    };
    assert_eq!(
        refused(Device::Cuda(1)),
        "device `cuda:1` is not available: this binary was built without the cargo feature `cuda`"
    );
    assert_eq!(
        refused(Device::Metal),
        "device `metal` is not available: this binary was built without the cargo feature `metal`"
    );
}
