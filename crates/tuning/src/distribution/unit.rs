//! Distributions from numbers in [0, 1).

use super::{Distribution, FloatScale, IntScale};

impl Distribution {
    /// The internal value at a place in [0, 1): uniform places give each value its share.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ints have at most 53 bits, and there are fewer choices"
    )]
    pub(crate) fn at(&self, unit: f64) -> f64 {
        let between = |low: f64, high: f64| low + unit * (high - low);
        match *self {
            Self::Float { low, high, scale } => match scale {
                FloatScale::Linear => between(low, high).clamp(low, high),
                FloatScale::Log => between(low.ln(), high.ln()).exp().clamp(low, high),
                FloatScale::Step(step) => on_grid(
                    between(low - step / 2.0, high + step / 2.0),
                    low,
                    high,
                    step,
                ),
            },
            Self::Int { low, high, scale } => {
                let (low, high) = (low as f64, high as f64);
                match scale {
                    IntScale::Log => {
                        let x = between((low - 0.5).ln(), (high + 0.5).ln()).exp();
                        on_grid(x, low, high, 1.0)
                    }
                    IntScale::Step(step) => {
                        let step = step as f64;
                        on_grid(
                            between(low - step / 2.0, high + step / 2.0),
                            low,
                            high,
                            step,
                        )
                    }
                }
            }
            Self::Categorical { ref choices } => {
                let n_choices = choices.len() as f64;
                (unit * n_choices).floor().min(n_choices - 1.0)
            }
        }
    }
}

/// The nearest of `low`, `low + step`, … `high`.
pub(crate) fn on_grid(x: f64, low: f64, high: f64, step: f64) -> f64 {
    (low + ((x - low) / step).round_ties_even() * step).clamp(low, high)
}
