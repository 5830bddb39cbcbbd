//! A study as the report's page shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use juggle_tuning::{Direction, Distribution, FloatScale, IntScale, TrialRecord, TrialState};
use serde_json::Value;

use super::record::{self, Counts};
use super::show::{Shown, counts_in_words, interval};
use crate::report::machine::Made;
use crate::report::page;
use crate::report::search::{Goal, Range, Search, Setting, Spacing, State, Trial};

pub(super) fn render(shown: &Shown) -> String {
    page::search::render(&search(shown))
}

fn search(shown: &Shown) -> Search {
    let counts = counts_in_words(Counts::of(&shown.trials));
    let mut lead = vec![format!("Trials: {counts}. Wanted: {}.", shown.judged())];
    if let (Some((value, _)), Some(best)) = (shown.ranked().first(), shown.best()) {
        lead.push(format!(
            "Best is trial {} with {} {value:.5}: {}.",
            best.number,
            shown.objective(),
            record::params_in_words(&record::params(best))
        ));
    }
    if let Some(winner) = shown.winner_in_words() {
        lead.push(format!("The winner, {winner}."));
    }
    let settings = settings(&shown.trials);
    Search {
        title: format!("Search of settings: {}", shown.study.name),
        lead,
        warning: shown.overfits().then(|| {
            "These trials were judged by the images that results are measured on: the values look better than they are."
                .to_owned()
        }),
        objective: shown.objective().to_owned(),
        goal: match shown.direction {
            Direction::Minimize => Goal::Low,
            Direction::Maximize => Goal::High,
        },
        trials: shown.trials.iter().map(|trial| of_trial(trial, &settings)).collect(),
        settings,
        importances: shown.importances(),
        about: about(shown),
        made: Made::now(),
    }
}

/// Every parameter that any trial has, as the first one has it.
fn settings(trials: &[Arc<TrialRecord>]) -> Vec<Setting> {
    let mut found: BTreeMap<&String, &Distribution> = BTreeMap::new();
    for (name, param) in trials.iter().flat_map(|trial| &trial.content.params) {
        found.entry(name).or_insert(&param.distribution);
    }
    found
        .into_iter()
        .map(|(name, distribution)| Setting {
            name: name.clone(),
            range: range(distribution),
        })
        .collect()
}

fn range(distribution: &Distribution) -> Range {
    let spacing = |is_log| if is_log { Spacing::Log } else { Spacing::Even };
    match distribution {
        Distribution::Float {
            low, high, scale, ..
        } => Range::Numbers {
            low: *low,
            high: *high,
            spacing: spacing(*scale == FloatScale::Log),
        },
        #[expect(clippy::cast_precision_loss, reason = "a place on a chart")]
        Distribution::Int {
            low, high, scale, ..
        } => Range::Numbers {
            low: *low as f64,
            high: *high as f64,
            spacing: spacing(*scale == IntScale::Log),
        },
        Distribution::Categorical { choices, .. } => Range::Choices(choices.clone()),
    }
}

fn of_trial(trial: &TrialRecord, settings: &[Setting]) -> Trial {
    let content = &trial.content;
    let value = |setting: &Setting| content.params.get(&setting.name).map(|param| param.value());
    let interval = interval(trial).map(|interval| (interval.low, interval.high));
    Trial {
        number: trial.number,
        state: match content.state {
            TrialState::Complete => State::Complete,
            TrialState::Pruned => State::Pruned,
            TrialState::Fail => State::Failed,
            TrialState::Running | TrialState::Waiting => State::Unfinished,
        },
        value: content.value(),
        interval,
        settings: settings.iter().map(value).collect(),
        #[expect(clippy::cast_precision_loss, reason = "an epoch")]
        curve: content
            .intermediate
            .iter()
            .map(|(&step, &value)| ((step + 1) as f64, value))
            .collect(),
    }
}

fn about(shown: &Shown) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let about = shown
        .study
        .user_attrs
        .get(record::ABOUT)
        .and_then(Value::as_object);
    let pairs = about.into_iter().flatten();
    pairs
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}
