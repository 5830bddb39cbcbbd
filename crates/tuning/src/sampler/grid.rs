//! Every combination of values that can occur, once.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Assignment, Situation, setting};
use crate::distribution::{Distribution, FloatScale, IntScale, on_grid};
use crate::error::Result;
use crate::record::{TrialRecord, TrialState};
use crate::space::{Condition, Space};
use crate::stream::Stream;

/// More combinations than anybody tries.
const MAX_POINTS: usize = 100_000;

pub(super) fn check(space: &Space, resolution: usize) -> Result<()> {
    if resolution < 2 {
        return Err(setting("resolution of the grid", &resolution, "at least 2"));
    }
    match points(space, resolution) {
        Some(_) => Ok(()),
        None => Err(setting(
            "number of combinations of the grid",
            &format!("more than {MAX_POINTS}"),
            "at most 100000",
        )),
    }
}

pub(super) fn is_exhausted(space: &Space, resolution: usize, trials: &[Arc<TrialRecord>]) -> bool {
    let points = points(space, resolution).unwrap_or_default();
    points.iter().all(|point| is_tried(point, trials))
}

/// The trial's number counts through the shuffled combinations; beyond their end come those that failed or were
/// passed over for a waiting trial.
pub(super) fn draw(situation: &Situation<'_>, resolution: usize) -> Assignment {
    let mut points = points(situation.space, resolution).unwrap_or_default();
    Stream::new(situation.seed, "grid order", 0).shuffle(&mut points);
    let n_points = points.len() as u64;
    let index = usize::try_from(situation.number % n_points).expect("an index into a vector");
    if situation.number < n_points {
        return points.swap_remove(index);
    }
    let untried = points
        .iter()
        .position(|point| !is_tried(point, situation.trials));
    points.swap_remove(untried.unwrap_or(index))
}

fn is_tried(point: &Assignment, trials: &[Arc<TrialRecord>]) -> bool {
    trials.iter().any(|trial| {
        let params = &trial.content.params;
        trial.content.state != TrialState::Fail
            && params.len() == point.len()
            && point.iter().all(|(name, internal, _)| {
                params
                    .get(name)
                    .is_some_and(|param| param.internal == *internal)
            })
    })
}

/// All combinations; nothing when there are too many.
fn points(space: &Space, resolution: usize) -> Option<Vec<Assignment>> {
    let mut points: Vec<(Assignment, BTreeMap<&str, Value>)> = vec![Default::default()];
    for parameter in space.parameters() {
        let distribution = &parameter.distribution;
        let values = match parameter.fixed {
            Some(internal) => vec![internal],
            None => axis(distribution, resolution),
        };
        let mut longer = vec![];
        for (point, seen) in points {
            let holds = |condition: &Condition| {
                seen.get(condition.parameter.as_str())
                    .is_some_and(|value| condition.any_of.contains(value))
            };
            if !parameter.when.iter().all(holds) {
                longer.push((point, seen));
                continue;
            }
            for &internal in &values {
                let (mut point, mut seen) = (point.clone(), seen.clone());
                point.push((parameter.name.clone(), internal, Arc::clone(distribution)));
                seen.insert(&parameter.name, distribution.value(internal));
                longer.push((point, seen));
            }
            if longer.len() > MAX_POINTS {
                return None;
            }
        }
        points = longer;
    }
    Some(points.into_iter().map(|(point, _)| point).collect())
}

/// The values of one parameter: all, or `resolution` of them evenly on its scale.
#[expect(
    clippy::cast_precision_loss,
    reason = "ints have at most 53 bits, and a resolution is small"
)]
fn axis(distribution: &Distribution, resolution: usize) -> Vec<f64> {
    let evenly = |low: f64, high: f64| {
        let last = (resolution - 1) as f64;
        (0..resolution).map(move |i| low + (high - low) * (i as f64 / last))
    };
    let mut values: Vec<f64> = match *distribution {
        Distribution::Categorical { ref choices } => (0..choices.len()).map(|i| i as f64).collect(),
        Distribution::Float { low, high, scale } => match scale {
            FloatScale::Linear => evenly(low, high).collect(),
            FloatScale::Log => evenly(low.ln(), high.ln())
                .map(|x| x.exp().clamp(low, high))
                .collect(),
            FloatScale::Step(step) => stepped(low, high, step, resolution),
        },
        Distribution::Int { low, high, scale } => {
            let (low, high) = (low as f64, high as f64);
            match scale {
                IntScale::Step(step) => stepped(low, high, step as f64, resolution),
                IntScale::Log if high - low < resolution as f64 => {
                    stepped(low, high, 1.0, resolution)
                }
                IntScale::Log => evenly(low.ln(), high.ln())
                    .map(|x| on_grid(x.exp(), low, high, 1.0))
                    .collect(),
            }
        }
    };
    values.dedup();
    values
}

/// All steps where they are few, else `resolution` of them.
#[expect(
    clippy::cast_precision_loss,
    reason = "a resolution is small, and steps are counted up to it"
)]
fn stepped(low: f64, high: f64, step: f64, resolution: usize) -> Vec<f64> {
    let n_steps = ((high - low) / step).round();
    let n = (n_steps + 1.0).min(resolution as f64);
    let mut values = vec![];
    let mut i = 0.0;
    while i < n {
        let steps = if n > 1.0 {
            n_steps * (i / (n - 1.0))
        } else {
            0.0
        };
        values.push(on_grid(low + steps * step, low, high, step));
        i += 1.0;
    }
    values
}
