//! The behaviour of `juggle-models`, seen from outside.
#![expect(
    clippy::unwrap_used,
    reason = "a test that fails by panicking is what a test is for"
)]

mod allocations; // none in a training step
mod cases; // networks of every kind, with what they are trained on
mod cpu; // the two engines against each other; the same bits on every level and thread count
mod engine; // training and inference: overfitting, determinism, averaging, errors
mod golden; // one training step against PyTorch float64
mod network; // descriptions, summaries, initialisation
mod occlusion; // maps of a network whose answer is known; what is refused
mod onnx; // files for other programs
mod resume; // a training that goes on with the same bits; steps that move nothing
mod state; // weights on disk

/// Where the Candle engine runs: on the device that `JUGGLE_TEST_DEVICE` names, else on the CPU.
fn candle_device() -> juggle_models::Device {
    match std::env::var("JUGGLE_TEST_DEVICE") {
        Ok(name) => name.parse().unwrap(),
        Err(_) => juggle_models::Device::Cpu,
    }
}
