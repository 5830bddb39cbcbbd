//! The optimisers' arithmetic on candle tensors, in the order of operations of `torch.optim`.
//!
//! All parameters are moved as one long tensor: on a GPU an operation on a few thousand numbers costs its launch, whatever it computes.

use candle_core::{Result, Tensor, Var};

use crate::Optimizer;
use crate::optimizer::{ADAM_BETA1, ADAM_BETA2, ADAM_EPS};

/// Parameters and first moments below this size become zero.
///
/// L2 shrinks the weights of a dead unit geometrically, in the end to subnormal numbers, on which a multiplication takes
/// about a hundred times as long: an autoencoder's training fell from 170 to 26 images/s within eight epochs. Adam's ε of
/// 1e-8 lets a moment of this size move a weight by 1e-12 learning rates, far below the rounding of any live weight.
const NEGLIGIBLE: f64 = 1e-20;

/// What the optimiser remembers of all parameters, one after the other.
#[derive(Debug)]
pub(super) struct Moment {
    /// Adam's first moment, or the momentum buffer.
    pub(super) first: Tensor,
    /// Adam's second moment; unused by SGD.
    pub(super) second: Tensor,
}

/// What the optimiser remembers between steps.
#[derive(Debug, Default)]
pub(super) struct Moments {
    pub(super) steps: i32,
    /// None before the first step.
    pub(super) moment: Option<Moment>,
}

impl Moments {
    /// Moves every parameter by its gradient. Gradients come in the order of the parameters.
    pub(super) fn update(
        &mut self,
        optimizer: Optimizer,
        parameters: &[(String, Var)],
        gradients: &[Tensor],
        learning_rate: f64,
    ) -> Result<()> {
        let xs = joined(parameters.iter().map(|(_, var)| var.as_detached_tensor()))?;
        let gradient = joined(gradients.iter().cloned())?;
        let moment = match &mut self.moment {
            Some(moment) => moment,
            none => none.insert(Moment {
                first: xs.zeros_like()?,
                second: xs.zeros_like()?,
            }),
        };
        self.steps = self.steps.saturating_add(1);
        let moved = match optimizer {
            Optimizer::Adam { weight_decay } => {
                let gradient = decayed(gradient, &xs, weight_decay)?;
                adam(&xs, &gradient, moment, self.steps, learning_rate)?
            }
            Optimizer::AdamW { weight_decay } => {
                let shrunk = (&xs * (1.0 - learning_rate * weight_decay))?;
                adam(&shrunk, &gradient, moment, self.steps, learning_rate)?
            }
            Optimizer::Sgd {
                momentum,
                weight_decay,
            } => {
                let gradient = decayed(gradient, &xs, weight_decay)?;
                moment.first = ((&moment.first * momentum)? + gradient)?;
                (xs - (&moment.first * learning_rate)?)?
            }
        };
        let moved = flushed(&moved, NEGLIGIBLE)?;
        moment.first = flushed(&moment.first, NEGLIGIBLE)?;
        moment.second = flushed(&moment.second, f64::from(f32::MIN_POSITIVE))?;
        let mut first = 0;
        for (_, var) in parameters {
            var.set(&part(&moved, &mut first, var)?)?;
        }
        Ok(())
    }
}

/// One long tensor of all.
fn joined(tensors: impl Iterator<Item = Tensor>) -> Result<Tensor> {
    let flat: Vec<Tensor> = tensors.map(|xs| xs.flatten_all()).collect::<Result<_>>()?;
    Tensor::cat(&flat, 0)
}

/// The part of a long tensor that belongs to `like` and begins at `first`, which then is the beginning of the next one.
pub(super) fn part(joined: &Tensor, first: &mut usize, like: &Tensor) -> Result<Tensor> {
    let n = like.elem_count();
    let part = joined.narrow(0, *first, n)?.reshape(like.shape())?;
    *first += n;
    Ok(part)
}

/// Zero where a value's size is below `least`; NaN stays.
fn flushed(xs: &Tensor, least: f64) -> Result<Tensor> {
    xs.abs()?.lt(least)?.where_cond(&xs.zeros_like()?, xs)
}

#[cfg(test)]
impl Moments {
    pub(super) fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        self.moment
            .iter()
            .flat_map(|moment| [&moment.first, &moment.second])
    }
}

/// The gradient with the L2 penalty's.
fn decayed(gradient: Tensor, xs: &Tensor, weight_decay: f64) -> Result<Tensor> {
    if weight_decay == 0.0 {
        Ok(gradient)
    } else {
        gradient + (xs * weight_decay)?
    }
}

/// Kingma and Ba, "Adam" (2015), algorithm 1, with the bias corrections where `torch.optim.Adam` applies them.
fn adam(
    xs: &Tensor,
    gradient: &Tensor,
    moment: &mut Moment,
    step: i32,
    learning_rate: f64,
) -> Result<Tensor> {
    moment.first = ((&moment.first * ADAM_BETA1)? + (gradient * (1.0 - ADAM_BETA1))?)?;
    moment.second = ((&moment.second * ADAM_BETA2)? + (gradient.sqr()? * (1.0 - ADAM_BETA2))?)?;
    let step_size = learning_rate / (1.0 - ADAM_BETA1.powi(step));
    let correction = (1.0 - ADAM_BETA2.powi(step)).sqrt();
    let denominator = ((moment.second.sqrt()? / correction)? + ADAM_EPS)?;
    xs - ((&moment.first / denominator)? * step_size)?
}
