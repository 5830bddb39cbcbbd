//! Which values a trial gets.
//!
//! A sampler is a function of the study so far, the seed and the trial's number. [`Sampler::Random`] and
//! [`Sampler::Halton`] look at the seed and the number only, [`Sampler::Grid`] beyond that only at trials that failed: their
//! trials are the same for any number of workers and any timing. [`Sampler::Tpe`] learns from the trials that have ended,
//! so with several workers it depends on which ended first; with one worker it repeats exactly.

use std::sync::Arc;

use crate::distribution::Distribution;
use crate::error::{Error, Result};
use crate::record::{Direction, TrialRecord, TrialState};
use crate::space::Space;
use crate::stream::Stream;

mod grid;
mod halton;
mod normal;
mod parzen;
mod tpe;

pub use tpe::TpeOptions;

pub(crate) use parzen::{Kernels, Mixture, Support};

/// A way to choose parameters.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Sampler {
    /// Each value on its own, by chance.
    Random,
    /// Every combination once, in a shuffled order.
    Grid {
        /// How many values a float or a longer int has on the grid, ends included; at least 2.
        resolution: usize,
    },
    /// A scrambled Halton sequence: by chance in any one trial, evenly spread over many.
    Halton,
    /// The tree-structured Parzen estimator, Optuna's.
    Tpe(TpeOptions),
}

/// Parameters of a trial: name, internal value, distribution.
pub(crate) type Assignment = Vec<(String, f64, Arc<Distribution>)>;

/// What a sampler may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) space: &'a Space,
    pub(crate) direction: Direction,
    pub(crate) seed: u64,
    /// The trial that gets the values.
    pub(crate) number: u64,
    /// All trials of the study.
    pub(crate) trials: &'a [Arc<TrialRecord>],
}

impl Sampler {
    /// Says what is wrong with the settings.
    pub(crate) fn check(&self, space: &Space) -> Result<()> {
        match self {
            Self::Random | Self::Halton => Ok(()),
            Self::Grid { resolution } => grid::check(space, *resolution),
            Self::Tpe(options) => options.check(),
        }
    }

    /// Whether every combination of a grid was tried.
    pub(crate) fn is_exhausted(&self, space: &Space, trials: &[Arc<TrialRecord>]) -> bool {
        match self {
            Self::Grid { resolution } => grid::is_exhausted(space, *resolution, trials),
            Self::Random | Self::Halton | Self::Tpe(_) => false,
        }
    }

    /// The values for a trial.
    pub(crate) fn draw(&self, situation: &Situation<'_>) -> Assignment {
        match self {
            Self::Random => random(situation),
            Self::Grid { resolution } => grid::draw(situation, *resolution),
            Self::Halton => halton::draw(situation),
            Self::Tpe(options) => options.draw(situation),
        }
    }
}

impl Situation<'_> {
    /// Trials that ended with something to learn from.
    fn finished(&self) -> impl Iterator<Item = &Arc<TrialRecord>> {
        self.trials.iter().filter(|trial| {
            matches!(
                trial.content.state,
                TrialState::Complete | TrialState::Pruned
            )
        })
    }
}

fn random(situation: &Situation<'_>) -> Assignment {
    situation.space.assign(|parameter| {
        let mut stream = Stream::new(situation.seed, &parameter.name, situation.number);
        parameter.distribution.at(stream.unit())
    })
}

fn setting(what: &'static str, found: &dyn ToString, expected: &'static str) -> Error {
    let found = found.to_string();
    Error::Setting {
        what,
        found,
        expected,
    }
}

#[cfg(test)]
mod tests;
