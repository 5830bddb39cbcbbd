//! The optimisers, as configuration. Each engine brings its own arithmetic for them.

use crate::{Error, Result};

/// β₁ of Adam and AdamW, PyTorch's default.
pub(crate) const ADAM_BETA1: f64 = 0.9;
/// β₂ of Adam and AdamW, PyTorch's default.
pub(crate) const ADAM_BETA2: f64 = 0.999;
/// Added to the square root of the second moment, PyTorch's default.
pub(crate) const ADAM_EPS: f64 = 1e-8;

/// How a gradient moves a parameter, in the arithmetic of `torch.optim` with its defaults.
///
/// Weight decay acts on every parameter, biases and batch-norm parameters included, as it does in PyTorch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// `torch.optim.Adam`: the decay is L2, added to the gradient before the moments.
    Adam {
        /// The L2 penalty's factor.
        weight_decay: f64,
    },
    /// `torch.optim.AdamW`: the decay shrinks the parameter directly.
    AdamW {
        /// The share of the parameter taken off, times the learning rate.
        weight_decay: f64,
    },
    /// `torch.optim.SGD` with momentum, without dampening.
    Sgd {
        /// The share of the last update that is kept, 0 for plain gradient descent.
        momentum: f64,
        /// The L2 penalty's factor.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// Checks the values that a user may set.
    ///
    /// # Errors
    /// [`Error::Config`] when the decay is negative or the momentum is not in [0, 1).
    pub fn check(self) -> Result<()> {
        let (Self::Adam { weight_decay }
        | Self::AdamW { weight_decay }
        | Self::Sgd { weight_decay, .. }) = self;
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            let (found, expected) = (weight_decay.to_string(), "0 or more".to_owned());
            return Err(Error::Config {
                what: "the weight decay",
                found,
                expected,
            });
        }
        match self {
            Self::Sgd { momentum, .. } if !(0.0..1.0).contains(&momentum) => Err(Error::Config {
                what: "the momentum",
                found: momentum.to_string(),
                expected: "at least 0 and below 1".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
