//! What a page shows of a search of settings: trials with their values and settings.

use serde_json::Value;

use super::machine::Made;

/// Everything that the page of a search shows.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) title: String,
    /// Paragraphs.
    pub(crate) lead: Vec<String>,
    /// What the reader must know before believing it.
    pub(crate) warning: Option<String>,
    /// The metric, and whether low is good.
    pub(crate) objective: String,
    pub(crate) goal: Goal,
    /// By number.
    pub(crate) trials: Vec<Trial>,
    /// By name.
    pub(crate) settings: Vec<Setting>,
    /// The shares of the settings, greatest first.
    pub(crate) importances: Vec<(String, f64)>,
    /// What was asked for, by name.
    pub(crate) about: Vec<(String, String)>,
    pub(crate) made: Made,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    Low,
    High,
}

#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) number: u64,
    pub(crate) state: State,
    pub(crate) value: Option<f64>,
    /// Of the mean over its networks.
    pub(crate) interval: Option<(f64, f64)>,
    /// In the order of the search's settings; none where the trial has no such setting.
    pub(crate) settings: Vec<Option<Value>>,
    /// The value after each epoch, from 1.
    pub(crate) curve: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Complete,
    Pruned,
    Failed,
    Unfinished,
}

/// A setting that was searched.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) range: Range,
}

/// Where a setting's values lie.
#[derive(Debug)]
pub(crate) enum Range {
    Numbers {
        low: f64,
        high: f64,
        spacing: Spacing,
    },
    /// One of these.
    Choices(Vec<Value>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spacing {
    Even,
    Log,
}

impl Goal {
    pub(crate) fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            Self::Low => a < b,
            Self::High => a > b,
        }
    }
}

impl Search {
    /// Complete trials with a value, the best first; of equal ones the earlier.
    pub(crate) fn ranked(&self) -> Vec<(f64, &Trial)> {
        let complete = self
            .trials
            .iter()
            .filter(|trial| trial.state == State::Complete);
        let mut ranked: Vec<_> = complete
            .filter_map(|trial| Some((trial.value?, trial)))
            .collect();
        ranked.sort_by(|(a, _), (b, _)| match self.goal {
            Goal::Low => a.total_cmp(b),
            Goal::High => b.total_cmp(a),
        });
        ranked
    }
}

impl Range {
    /// Where a value lies, from 0 to 1.
    pub(crate) fn place(&self, value: &Value) -> Option<f64> {
        match self {
            Self::Numbers { low, high, spacing } => {
                let along = |x: f64| match spacing {
                    Spacing::Even => x,
                    Spacing::Log => x.ln(),
                };
                let (low, high) = (along(*low), along(*high));
                let place = (along(value.as_f64()?) - low) / (high - low);
                Some(if high > low { place } else { 0.5 })
            }
            Self::Choices(choices) => {
                let i = choices.iter().position(|choice| choice == value)?;
                let steps = choices.len().saturating_sub(1);
                Some(if steps == 0 {
                    0.5
                } else {
                    i as f64 / steps as f64
                })
            }
        }
    }
}
