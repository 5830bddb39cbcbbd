//! The Cpu engine on networks of every kind: the same bits whatever runs them, and the Candle engine's numbers.

use juggle_kernels::Level;
use juggle_models::{
    AutoencoderConfig, CandleEngine, CpuEngine, Engine, Loss, Optimizer, State, TrainingOptions,
    Values, autoencoder, initialize,
};
use sha2::{Digest as _, Sha256};

use crate::cases::{Case, braid, cases, classifier};

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
            let mut candle = CandleEngine::new(
                &case.network,
                &state,
                case.options(),
                crate::candle_device(),
            )
            .unwrap();
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
fn trained(case: &Case, clip_norm: Option<f64>, level: Level, threads: usize) -> (State, Vec<f32>) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        let state = initialize(&case.network, 5);
        let options = TrainingOptions {
            clip_norm,
            ..case.options()
        };
        let mut engine = CpuEngine::with_level(&case.network, &state, options, level).unwrap();
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
    let clipped = (Case::new("clipped", classifier(1, 8, 8, true)), Some(0.01));
    let cases = cases().into_iter().map(|case| (case, None));
    for (case, clip_norm) in cases.chain([clipped]) {
        let one = trained(&case, clip_norm, Level::best(), 1);
        for threads in [2, 3, 7] {
            assert_eq!(
                one,
                trained(&case, clip_norm, Level::best(), threads),
                "{}, {threads} threads",
                case.name
            );
        }
        for level in Level::supported() {
            assert_eq!(
                one,
                trained(&case, clip_norm, level, 2),
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
        (classifier(1, 32, 32, false), "e692fd30335835b1"),
        (classifier(1, 32, 32, true), "408f9d1a8c3aaefd"),
        (autoencoder(&coursework).unwrap(), "50b68c4b9087d9c8"),
    ] {
        let case = Case::new("", network);
        let mut hash = Sha256::new();
        for (name, tensor) in trained(&case, None, Level::best(), 2).0.iter() {
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
        clip_norm: None,
    };
    let refused = CpuEngine::new(&network, &initialize(&network, 0), options).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the network's output is of shape [6, 6, 7], expected a vector of logits for the cross-entropy loss"
    );
}

/// As in PyTorch. A ReLU that made zero of it would hide a broken network from whoever watches the loss.
#[test]
fn what_is_no_number_shows_in_outputs_and_loss() {
    for case in cases() {
        let state = initialize(&case.network, 5);
        let cpu = CpuEngine::new(&case.network, &state, case.options()).unwrap();
        let candle = CandleEngine::new(
            &case.network,
            &state,
            case.options(),
            crate::candle_device(),
        )
        .unwrap();
        let engines: [Box<dyn Engine>; 2] = [Box::new(cpu), Box::new(candle)];
        let mut inputs = case.inputs(2);
        inputs[0] = f32::NAN;
        for engine in engines {
            let gradients = case.with_targets(2, |targets| engine.gradients(&inputs, targets));
            let gradients = gradients.unwrap();
            assert!(gradients.outputs[0].is_nan(), "{}", case.name);
            assert!(gradients.loss.is_nan(), "{}", case.name);
        }
    }
}
