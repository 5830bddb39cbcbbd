//! PyTorch's default initialisation from our own seeded streams.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::network::{Initial, Network, TensorSpec};
use crate::state::{State, StateTensor};

/// Keeps these streams apart from those that other purposes derive from the same seed.
const PURPOSE: u64 = u64::from_le_bytes(*b"init    ");

/// The state that training begins with.
///
/// Weights and biases of convolutions and linear layers are drawn from U(−1/√`fan_in`, 1/√`fan_in`), which is what
/// PyTorch's `reset_parameters` does (Kaiming-uniform with a = √5 for weights); batch normalisation begins as the
/// identity. The rule is PyTorch's, the numbers are not: tensor number i of the network reads `ChaCha8` stream i under
/// the key (seed, purpose), so a tensor's values depend on nothing but the seed, its position and its shape.
///
/// # Examples
///
/// ```
/// use juggle_models::{CnnConfig, cnn, initialize};
///
/// let network = cnn(&CnnConfig { n_classes: 3, in_channels: 1, height: 32, width: 32, batch_norm: false })?;
/// let state = initialize(&network, 0);
/// let bound = 1.0 / 9_f32.sqrt();
/// assert!(state.floats("0.weight").expect("the first convolution").iter().all(|w| w.abs() <= bound));
/// assert_eq!(state, initialize(&network, 0));
/// # Ok::<(), juggle_models::Error>(())
/// ```
#[must_use]
pub fn initialize(network: &Network, seed: u64) -> State {
    let mut state = State::default();
    for (stream, spec) in (0..).zip(network.tensors()) {
        state.insert(spec.name.clone(), initial_tensor(&spec, seed, stream));
    }
    state
}

fn initial_tensor(spec: &TensorSpec, seed: u64, stream: u64) -> StateTensor {
    let numel = spec.shape.iter().product();
    let values = match spec.initial {
        Initial::Uniform { bound } => {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&seed.to_le_bytes());
            key[8..16].copy_from_slice(&PURPOSE.to_le_bytes());
            let mut rng = ChaCha8Rng::from_seed(key);
            rng.set_stream(stream);
            (0..numel).map(|_| uniform(&mut rng, bound)).collect()
        }
        Initial::Constant(value) | Initial::Buffer(value) => vec![value; numel],
        Initial::Counter => return StateTensor::counter(0),
    };
    StateTensor::floats(spec.shape.clone(), values)
}

/// A draw from U(−bound, bound) with 24 random bits, as many as an `f32` holds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to f32 is the point"
)]
fn uniform(rng: &mut ChaCha8Rng, bound: f64) -> f32 {
    let unit = f64::from(rng.next_u32() >> 8) / f64::from(1_u32 << 24);
    ((2.0 * unit - 1.0) * bound) as f32
}
