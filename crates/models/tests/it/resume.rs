//! A training that goes on in another engine with the same bits, and steps that move nothing.

use std::path::Path;

use juggle_models::{
    CandleEngine, CpuEngine, Engine, Optimizer, State, StateTensor, Targets, TrainingOptions,
    TrainingState, initialize,
};

use crate::cases::{Case, cases, classifier, noise, skipping};

const OPTIMIZERS: [Optimizer; 3] = [
    Optimizer::Adam { weight_decay: 1e-3 },
    Optimizer::AdamW { weight_decay: 1e-2 },
    Optimizer::Sgd {
        momentum: 0.9,
        weight_decay: 1e-3,
    },
];

fn engines(case: &Case, options: TrainingOptions, seed: u64) -> [Box<dyn Engine>; 2] {
    let state = initialize(&case.network, seed);
    [
        Box::new(CpuEngine::new(&case.network, &state, options).unwrap()),
        Box::new(
            CandleEngine::new(&case.network, &state, options, crate::candle_device()).unwrap(),
        ),
    ]
}

/// What comes back from the disk.
fn round_trip(state: &TrainingState) -> TrainingState {
    let read = |state: &State| State::from_bytes(&state.to_bytes(), Path::new("memory")).unwrap();
    TrainingState {
        model: read(&state.model),
        optimizer: read(&state.optimizer),
    }
}

fn with(case: &Case, optimizer: Optimizer, ema_decay: Option<f64>) -> TrainingOptions {
    TrainingOptions {
        optimizer,
        ema_decay,
        ..case.options()
    }
}

#[test]
fn a_restored_training_goes_on_with_the_same_bits() {
    for case in cases() {
        for optimizer in OPTIMIZERS {
            for ema_decay in [None, Some(0.9)] {
                let options = with(&case, optimizer, ema_decay);
                let what = format!("{}, {optimizer:?}, average {ema_decay:?}", case.name);
                let others = engines(&case, options, 8);
                for (mut engine, mut other) in engines(&case, options, 3).into_iter().zip(others) {
                    // The other engine has a past of its own, of which nothing may stay.
                    case.step(&mut *other, 5);
                    for _ in 0..2 {
                        case.step(&mut *engine, 5);
                    }
                    let saved = engine.training_state().unwrap();
                    assert_eq!(saved.steps(), Some(2));
                    other.restore(&round_trip(&saved)).unwrap();
                    assert_eq!(other.training_state().unwrap(), saved, "{what}");
                    for n in [5, 2] {
                        assert_eq!(
                            case.step(&mut *engine, n),
                            case.step(&mut *other, n),
                            "{what}"
                        );
                    }
                    assert_eq!(
                        engine.training_state().unwrap(),
                        other.training_state().unwrap()
                    );
                    assert_eq!(engine.state().unwrap(), other.state().unwrap(), "{what}");
                    let inputs = case.inputs(3);
                    assert_eq!(
                        engine.forward(&inputs).unwrap(),
                        other.forward(&inputs).unwrap()
                    );
                }
            }
        }
    }
}

#[test]
fn a_training_can_be_saved_before_its_first_step() {
    let case = Case::new("classifier", classifier(1, 8, 8, true));
    let options = with(&case, OPTIMIZERS[0], Some(0.5));
    let others = engines(&case, options, 8);
    for (mut engine, mut other) in engines(&case, options, 3).into_iter().zip(others) {
        case.step(&mut *other, 4);
        other
            .restore(&round_trip(&engine.training_state().unwrap()))
            .unwrap();
        assert_eq!(case.step(&mut *engine, 4), case.step(&mut *other, 4));
        assert_eq!(
            engine.training_state().unwrap(),
            other.training_state().unwrap()
        );
    }
}

#[test]
fn a_state_of_another_training_is_refused_and_changes_nothing() {
    let case = Case::new("classifier", classifier(1, 8, 8, true));
    let options = with(&case, OPTIMIZERS[0], Some(0.5));
    for mut engine in engines(&case, options, 3) {
        case.step(&mut *engine, 4);
        let saved = engine.training_state().unwrap();
        let broken = |change: &dyn Fn(&mut TrainingState)| {
            let mut state = saved.clone();
            change(&mut state);
            state
        };
        let tensor = |shape: Vec<usize>| {
            let n = shape.iter().product();
            StateTensor::floats(shape, vec![0.0; n])
        };
        let no_steps = TrainingState {
            model: saved.model.clone(),
            optimizer: State::default(),
        };
        for (state, expected) in [
            (
                broken(&|state| {
                    state
                        .optimizer
                        .insert("exp_avg/0.weight".into(), tensor(vec![2]));
                }),
                "the training state does not fit the network: the optimiser's tensor `exp_avg/0.weight` is of shape \
                 [2], expected floats of shape [16, 1, 3, 3]",
            ),
            (
                broken(&|state| {
                    state.optimizer.insert("more".into(), tensor(vec![2]));
                }),
                "the training state does not fit the network: the optimiser has 70 tensors, expected 69",
            ),
            (
                broken(&|state| {
                    state.model.insert("0.bias".into(), tensor(vec![2]));
                }),
                "the training state does not fit the network: tensor `0.bias` is F32 of shape [2], expected F32 of \
                 shape [16]",
            ),
            (
                no_steps,
                "the training state does not fit the network: the optimiser's counter `steps` is missing or out of range",
            ),
        ] {
            assert_eq!(engine.restore(&state).unwrap_err().to_string(), expected);
            assert_eq!(engine.training_state().unwrap(), saved);
        }
        for other in [
            with(&case, OPTIMIZERS[2], Some(0.5)),
            with(&case, OPTIMIZERS[0], None),
        ] {
            for mut other in engines(&case, other, 3) {
                other.restore(&saved).unwrap_err();
            }
        }
    }
}

#[test]
fn a_step_without_a_finite_loss_moves_nothing() {
    let case = Case::new("autoencoder", skipping(1, true, true));
    for clip_norm in [None, Some(1.0)] {
        let options = TrainingOptions {
            clip_norm,
            ..case.options()
        };
        for mut engine in engines(&case, options, 3) {
            case.step(&mut *engine, 2);
            let before = engine.training_state().unwrap();
            let inputs = case.inputs(2);
            let mut target = noise(2 * 12 * 20, 2);
            let mut step = |target: &[f32]| {
                let step = engine
                    .train_step(&inputs, Targets::Images(target), 1e-2)
                    .unwrap();
                (step.is_finite(), engine.training_state().unwrap())
            };
            target[7] = f32::INFINITY;
            assert_eq!(step(&target), (false, before.clone()));
            target[7] = 0.5;
            let (is_finite, after) = step(&target);
            assert!(is_finite && after != before);
        }
    }
}

#[test]
fn a_norm_that_is_never_reached_changes_no_bit() {
    for case in cases() {
        let off = case.options();
        let wide = TrainingOptions {
            clip_norm: Some(1e9),
            ..off
        };
        for (mut off, mut wide) in engines(&case, off, 3)
            .into_iter()
            .zip(engines(&case, wide, 3))
        {
            for _ in 0..2 {
                case.step(&mut *off, 5);
                case.step(&mut *wide, 5);
            }
            assert_eq!(
                off.training_state().unwrap(),
                wide.training_state().unwrap()
            );
        }
    }
}
