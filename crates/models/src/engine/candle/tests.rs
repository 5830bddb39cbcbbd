//! What the engine keeps between steps.

use super::CandleEngine;
use crate::{
    CnnConfig, Device, Engine, Loss, Optimizer, Targets, TrainingOptions, cnn, initialize,
};

/// What `JUGGLE_TEST_DEVICE` names, else the CPU.
pub(super) fn device() -> Device {
    match std::env::var("JUGGLE_TEST_DEVICE") {
        Ok(name) => name.parse().unwrap(),
        Err(_) => Device::Cpu,
    }
}

#[test]
fn nothing_that_outlives_a_step_holds_its_graph() {
    let config = CnnConfig {
        n_classes: 2,
        in_channels: 1,
        height: 8,
        width: 8,
        batch_norm: true,
    };
    let network = cnn(&config).unwrap();
    let options = TrainingOptions {
        loss: Loss::CrossEntropy {
            label_smoothing: 0.1,
        },
        optimizer: Optimizer::Adam { weight_decay: 1e-3 },
        ema_decay: Some(0.9),
        clip_norm: None,
    };
    let mut engine =
        CandleEngine::new(&network, &initialize(&network, 0), options, device()).unwrap();
    let (images, labels) = (vec![0.5; 2 * 64], [0, 1]);
    for _ in 0..2 {
        engine
            .train_step(&images, Targets::Labels(&labels), 1e-3)
            .unwrap();
    }
    let pass = engine.pass(&images, Targets::Labels(&labels)).unwrap();
    assert!(
        pass.gradients.iter().all(|gradient| !gradient.track_op()),
        "gradients"
    );
    assert!(
        !pass.loss.track_op() && !pass.outputs.track_op(),
        "loss and outputs"
    );
    assert!(
        engine.moments.tensors().all(|tensor| !tensor.track_op()),
        "moments"
    );
    assert!(
        engine.buffers.values().all(|tensor| !tensor.track_op()),
        "running statistics"
    );
    assert!(
        engine
            .ema
            .unwrap()
            .values()
            .all(|tensor| !tensor.track_op()),
        "weight average"
    );
}

#[test]
fn weights_of_a_dead_unit_end_at_zero_and_never_as_subnormal_numbers() {
    let config = CnnConfig {
        n_classes: 2,
        in_channels: 1,
        height: 8,
        width: 8,
        batch_norm: false,
    };
    let network = cnn(&config).unwrap();
    let options = TrainingOptions {
        loss: Loss::CrossEntropy {
            label_smoothing: 0.0,
        },
        optimizer: Optimizer::Sgd {
            momentum: 0.0,
            weight_decay: 1.0,
        },
        ema_decay: None,
        clip_norm: None,
    };
    // A black image: the first layer's weights get no gradient but that of the decay.
    let mut engine =
        CandleEngine::new(&network, &initialize(&network, 0), options, device()).unwrap();
    let mut smallest = f32::INFINITY;
    for _ in 0..160 {
        engine
            .train_step(&[0.0; 64], Targets::Labels(&[0]), 0.5)
            .unwrap();
        let state = engine.state().unwrap();
        let weights = state.floats("0.weight").unwrap();
        let sizes = weights.iter().map(|w| w.abs()).filter(|&w| w > 0.0);
        smallest = sizes.fold(smallest, f32::min);
    }
    assert!(smallest > 1e-20, "{smallest:e}");
    let state = engine.state().unwrap();
    assert_eq!(state.floats("0.weight").unwrap(), [0.0; 16 * 9]);
}
