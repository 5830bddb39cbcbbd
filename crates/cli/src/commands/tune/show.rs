//! `juggle tune --show`: a study in words or as JSON, from what its storage holds.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use juggle_metrics::{Interval, mean_interval};
use juggle_tracking::Disk;
use juggle_tuning::{
    Direction, ImportanceOptions, Storage, StudyRecord, TrialRecord, TrialState, importances, open,
};
use serde_json::{Value, json};

use super::record::{self, Counts};
use super::{page, search, space};
use crate::args::tune::ShowArgs;
use crate::failure::Usage;
use crate::output::{self, json_number};
use crate::sparkline::{Scale, sparkline};
use crate::suggest::{closest, did_you_mean};

const SHOWN: usize = 10;
const WIDTH: usize = 80;
const LEVEL: f64 = 0.95;
/// Characters of the history and of an importance's bar.
const CURVE: usize = 60;
const BAR: usize = 30;

/// A study as it is now.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) study: StudyRecord,
    pub(super) direction: Direction,
    pub(super) trials: Vec<Arc<TrialRecord>>,
}

pub(super) fn run(args: &ShowArgs) -> Result<()> {
    let Some(name) = &args.show else {
        return Err(Usage::new(
            "name what to search (`juggle tune classifier`), or a study with --show",
        )
        .into());
    };
    let out = search::folder(&args.place, name)?;
    let address = search::address(&args.place, &out);
    if let Some(path) = address.strip_prefix("journal:")
        && !std::path::Path::new(path).exists()
    {
        bail!("there is no study {name:?}: {path} does not exist");
    }
    let storage = open(&address)?;
    let shown = Shown::read(&*storage, name)?;
    if let Some(file) = &args.export {
        let best = shown
            .best()
            .with_context(|| format!("no trial of the study {name:?} is complete"))?;
        let config = space::configure(&record::base(&shown.study)?, &record::params(best))?;
        Disk::default().replace(file, config.to_toml()?.as_bytes())?;
    }
    if let Some(file) = &args.html {
        Disk::default().replace(file, page::render(&shown).as_bytes())?;
    }
    if args.json {
        output::print_json(&shown.to_json())
    } else {
        output::print(shown.to_text())
    }
}

/// What is told at the end of a search.
pub(super) fn print_summary(storage: &dyn Storage, name: &str) -> Result<()> {
    output::print(Shown::read(storage, name)?.to_text())
}

impl Shown {
    fn read(storage: &dyn Storage, name: &str) -> Result<Self> {
        let Some(study) = storage.find_study(name)? else {
            let studies = storage.studies()?;
            let names: Vec<&str> = studies.iter().map(|study| study.name.as_str()).collect();
            if names.is_empty() {
                bail!("there is no study {name:?}: the storage holds none");
            }
            let offer = did_you_mean(closest(name, names.iter().copied()).map(str::to_owned));
            bail!(
                "there is no study {name:?} in this storage{offer} (studies: {})",
                names.join(", ")
            );
        };
        let [direction] = study.directions[..] else {
            bail!(
                "the study {name:?} has {} objectives, expected one",
                study.directions.len()
            );
        };
        Ok(Self {
            direction,
            trials: storage.trials(study.id)?,
            study,
        })
    }

    /// Complete trials with a value, the best first; of equal ones the earlier.
    pub(super) fn ranked(&self) -> Vec<(f64, &TrialRecord)> {
        let complete = self
            .trials
            .iter()
            .filter(|trial| trial.content.state == TrialState::Complete);
        let mut ranked: Vec<_> = complete
            .filter_map(|trial| Some((trial.content.value()?, &**trial)))
            .collect();
        ranked.sort_by(|(a, _), (b, _)| match self.direction {
            Direction::Minimize => a.total_cmp(b),
            Direction::Maximize => b.total_cmp(a),
        });
        ranked
    }

    pub(super) fn best(&self) -> Option<&TrialRecord> {
        self.ranked().first().map(|(_, trial)| *trial)
    }

    /// The best value up to each complete trial, in the order of their numbers.
    pub(super) fn history(&self) -> Vec<(u64, f64, f64)> {
        let mut best: Option<f64> = None;
        let mut history = vec![];
        for trial in &self.trials {
            let Some(value) = trial.content.value() else {
                continue;
            };
            if trial.content.state != TrialState::Complete {
                continue;
            }
            let so_far = match best {
                Some(best) if !self.direction.is_better(value, best) => best,
                _ => value,
            };
            best = Some(so_far);
            history.push((trial.number, value, so_far));
        }
        history
    }

    pub(super) fn importances(&self) -> Vec<(String, f64)> {
        importances(&self.trials, self.direction, ImportanceOptions::default())
    }

    /// The metric that trials are judged by.
    pub(super) fn objective(&self) -> &str {
        self.judging("objective").as_str().unwrap_or("value")
    }

    fn judging(&self, key: &str) -> &Value {
        let about = self.study.user_attrs.get(record::ABOUT);
        about.map_or(&Value::Null, |about| &about["judging"][key])
    }

    /// Whether trials were judged by the images that the result is measured on.
    pub(super) fn overfits(&self) -> bool {
        self.judging("overfits").as_bool().unwrap_or(false)
    }

    /// How trials are judged, for a sentence.
    pub(super) fn judged(&self) -> String {
        let goal = match self.direction {
            Direction::Minimize => "lowest",
            Direction::Maximize => "highest",
        };
        let name = match self.objective() {
            "psnr_db" => "PSNR",
            other => other,
        };
        let parts = self.judging("parts");
        let number = |key: &str| parts[key].as_u64();
        let on = match (
            self.judging("judge").as_str(),
            number("folds"),
            number("repeats"),
        ) {
            (Some("held-out"), Some(n), _) => {
                format!(
                    "mean over {n} parts of the training images, each not seen by the network that it judges"
                )
            }
            (Some("held-out"), _, Some(1)) => format!(
                "on a random share of {} of the training images, not seen by the network",
                self.judging("held_out")
            ),
            (Some("held-out"), _, Some(n)) => format!(
                "mean over {n} random shares of {} of the training images, not seen by the networks",
                self.judging("held_out")
            ),
            (Some(split), ..) => format!("on the {split} images"),
            (None, ..) => return format!("{goal} {name}"),
        };
        format!("{goal} {name}, {on}")
    }

    pub(super) fn winner(&self) -> Option<&Value> {
        self.study.user_attrs.get(record::WINNER)
    }

    /// What the winner achieved, in a line.
    pub(super) fn winner_in_words(&self) -> Option<String> {
        let winner = self.winner()?;
        let measures = [("accuracy", 4), ("psnr_db", 2), ("ssim", 4), ("loss", 5)];
        let told = measures.iter().filter_map(|&(name, digits)| {
            let values = numbers(&winner[name]);
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let mean = super::trial::mean(&values);
            (!values.is_empty())
                .then(|| format!("{name} {mean:.digits$} ({low:.digits$} to {high:.digits$})"))
        });
        let told: Vec<String> = told.collect();
        let n_seeds = winner["seeds"].as_array().map_or(0, Vec::len);
        Some(format!(
            "trial {}, trained on all training images with {}: {} on {} {} examples",
            winner["trial"],
            search::words(n_seeds, "fresh seed"),
            told.join(", "),
            winner["n"],
            winner["split"].as_str().unwrap_or_default(),
        ))
    }

    fn to_text(&self) -> String {
        let counts = Counts::of(&self.trials);
        let mut text = fact("study", &self.study.name);
        text += &fact("trials", &counts_in_words(counts));
        text += &fact("judged", &self.judged());
        if self.overfits() {
            text += &fact(
                "WARNING",
                "these trials were judged by the images that results are measured on: the values look better than they are",
            );
        }
        if let Some(winner) = self.winner_in_words() {
            text += &fact("winner", &winner);
        }
        text += &self.best_in_words();
        text += &self.importances_in_words();
        let history: Vec<f64> = self.history().iter().map(|(.., best)| *best).collect();
        if history.len() > 1 {
            let curve = sparkline(&history, CURVE, Scale::Logarithmic);
            let _ = writeln!(text, "\nbest value so far, trial by trial\n  {curve}");
        }
        text
    }

    fn best_in_words(&self) -> String {
        let ranked = self.ranked();
        if ranked.is_empty() {
            return "\nno trial is complete yet\n".to_owned();
        }
        let n = ranked.len().min(SHOWN);
        let mut text = format!(
            "\nbest {} by {}\n",
            search::words(n, "trial"),
            self.objective()
        );
        for (value, trial) in &ranked[..n] {
            let interval = interval(trial).map_or(String::new(), |Interval { low, high }| {
                format!("  ({low:.5} to {high:.5})")
            });
            let params = record::params_in_words(&record::params(trial));
            let _ = writeln!(text, "  {:>4}  {value:.5}{interval}", trial.number);
            for line in textwrap::wrap(&params, 70) {
                let _ = writeln!(text, "        {line}");
            }
        }
        if ranked.iter().any(|(_, trial)| interval(trial).is_some()) {
            text +=
                "  in brackets: 95% interval of the mean over the parts (Student); they are few\n";
        }
        text
    }

    fn importances_in_words(&self) -> String {
        let importances = self.importances();
        if importances.len() < 2 {
            return String::new();
        }
        let mut text =
            "\nwhat decides whether a trial is among the best tenth (PED-ANOVA)\n".to_owned();
        for (name, share) in importances {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of the bar's characters"
            )]
            let bar = "█".repeat((share * BAR as f64).round() as usize);
            let _ = writeln!(text, "  {name:<16} {share:.3} {bar}");
        }
        text
    }

    fn to_json(&self) -> Value {
        let counts = Counts::of(&self.trials);
        let trials = self.trials.iter().map(|trial| {
            let content = &trial.content;
            json!({
                "number": trial.number,
                "state": content.state.to_string(),
                "value": content.value().map(json_number),
                "parts": record::parts(trial),
                "interval": interval(trial).map(|Interval { low, high }| [low, high]),
                "params": record::params(trial),
                "intermediate": content.intermediate.iter().map(|(step, value)| json!([step, json_number(*value)])).collect::<Vec<_>>(),
            })
        });
        json!({
            "study": self.study.name,
            "direction": self.direction.to_string(),
            "objective": self.objective(),
            "judged": self.judged(),
            "overfits": self.overfits(),
            "about": self.study.user_attrs.get(record::ABOUT),
            "counts": {
                "complete": counts.complete, "pruned": counts.pruned, "failed": counts.failed,
                "running": counts.running, "waiting": counts.waiting,
            },
            "best": self.best().map(|trial| trial.number),
            "importances": self.importances().into_iter().map(|(name, share)| json!({"name": name, "share": share})).collect::<Vec<_>>(),
            "winner": self.winner(),
            "trials": trials.collect::<Vec<_>>(),
        })
    }
}

/// A name and what is to be said of it, in lines of a terminal's width.
fn fact(name: &str, text: &str) -> String {
    let first = format!("{name:<9}");
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(&first)
        .subsequent_indent("         ");
    textwrap::fill(text, options) + "\n"
}

/// The interval of the mean over the trial's networks, where it has two or more.
pub(super) fn interval(trial: &TrialRecord) -> Option<Interval> {
    mean_interval(&record::parts(trial), LEVEL).ok()
}

pub(super) fn counts_in_words(counts: Counts) -> String {
    let kinds = [
        (counts.complete, "complete"),
        (counts.pruned, "pruned"),
        (counts.failed, "failed"),
        (counts.running, "running"),
        (counts.waiting, "waiting"),
    ];
    let told: Vec<String> = kinds
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, kind)| format!("{n} {kind}"))
        .collect();
    if told.is_empty() {
        "none yet".to_owned()
    } else {
        told.join(", ")
    }
}

fn numbers(list: &Value) -> Vec<f64> {
    let numbers = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64);
    numbers.collect()
}
