//! One trial: its networks trained epoch by epoch in turns, reported together, pruned together.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use juggle_tracking::events::StopReason;
use juggle_tracking::run::{BEST_WEIGHTS, EVENTS, LAST_WEIGHTS};
use juggle_tracking::{Disk, Event, RunFolder, read_events};
use juggle_tuning::{Trial, TrialState};

use super::judging::Part;
use super::search::Searching;
use crate::commands::train::{Begin, DataChange, Training};
use crate::config::RunConfig;
use crate::failure::{Interrupted, NotFinite, TimeIsUp};
use crate::run::Existing;

/// How a trial ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) state: TrialState,
    /// The last mean over its parts.
    pub(super) value: Option<f64>,
    pub(super) epochs: usize,
    /// The time in which networks were trained and judged.
    pub(super) training: Duration,
}

/// The networks of a trial, and how they have done after each epoch.
struct Parts<'a> {
    trainings: Vec<Training<'a>>,
    /// One list a part: epochs that were trained before an interruption come from its log.
    values: Vec<Vec<f64>>,
    spent: Duration,
}

/// Runs the trial to its end and tells the study. A trial that is interrupted goes back to the study, to be taken up again.
///
/// # Errors
///
/// [`Interrupted`] or [`TimeIsUp`] when it was asked to stop; whatever keeps files from being written or read.
pub(super) fn run(searching: &Searching<'_>, trial: Trial<'_>) -> Result<Ended> {
    // What repeats an earlier trial goes on from that one's checkpoints.
    let first = trial.repeats().first().copied();
    let folder = searching.trial_folder(first.unwrap_or(trial.number()));
    let config = searching.search.config(trial.params())?;
    trial.set_user_attr("juggle:run", folder.display().to_string())?;
    let parts = &searching.parts;
    let configs: Vec<RunConfig> = parts.iter().map(|part| part.config(&config)).collect();
    match train(searching, &trial, &configs, &folder) {
        Ok((values, is_pruned, training)) => {
            let last = |values: &Vec<f64>| values.last().copied().unwrap_or(f64::NAN);
            let of_parts: Vec<f64> = values.iter().map(last).collect();
            let (value, epochs) = (mean(&of_parts), values[0].len());
            trial.set_user_attr("juggle:parts", of_parts)?;
            let state = if is_pruned {
                trial.prune()?
            } else {
                trial.complete(value)?
            };
            clean(&folder, parts)?;
            Ok(Ended {
                state,
                value: Some(value),
                epochs,
                training,
            })
        }
        Err(error) if error.is::<NotFinite>() => {
            trial.set_user_attr("juggle:failure", format!("{error:#}"))?;
            let state = trial.fail()?;
            clean(&folder, parts)?;
            Ok(Ended::without_value(state))
        }
        // Another process took this one for dead, as after a long sleep of the machine, and has put the trial back.
        Err(error) if is_lost(&error) => Ok(Ended::without_value(TrialState::Fail)),
        Err(error) => {
            trial.repeat()?;
            Err(error)
        }
    }
}

impl Ended {
    fn without_value(state: TrialState) -> Self {
        Self {
            state,
            value: None,
            epochs: 0,
            training: Duration::ZERO,
        }
    }
}

fn is_lost(error: &Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(juggle_tuning::Error::TrialFinished { .. })
    )
}

/// The values of all parts after each epoch, whether the trial was pruned, and the time spent on training.
fn train(
    searching: &Searching<'_>,
    trial: &Trial<'_>,
    configs: &[RunConfig],
    folder: &Path,
) -> Result<(Vec<Vec<f64>>, bool, Duration)> {
    let examples = searching.parts.iter().zip(configs);
    let examples: Result<Vec<_>> = examples
        .map(|(part, config)| part.examples(config))
        .collect();
    let examples = examples?;
    // A folder of this number that nobody repeats is of a study that is gone.
    let existing = match trial.repeats() {
        [] => Existing::Replace,
        _ => Existing::Resume,
    };
    let mut parts = Parts {
        trainings: vec![],
        values: vec![],
        spent: Duration::ZERO,
    };
    let began = Instant::now();
    for (index, config) in configs.iter().enumerate() {
        let [train, val] = &examples[index];
        let begin = Begin {
            existing,
            data: DataChange::Refused,
            hashes: searching.parts[index].hashes.clone(),
            disk: Disk::default(),
            stop: searching.stop.clone(),
            messages: searching.messages.silent(),
        };
        let path = part_folder(folder, index);
        parts
            .trainings
            .push(begin.open(Some(&path), config, train, val)?);
        parts.values.push(logged(&path, searching)?);
    }
    parts.spent += began.elapsed();
    match parts.train(searching, trial, configs[0].training.epochs) {
        Ok(is_pruned) => {
            let (values, began) = (parts.values, Instant::now());
            for training in parts.trainings {
                match is_pruned {
                    true => training.stop(StopReason::Pruned)?,
                    false => drop(training.finish()?),
                }
            }
            Ok((values, is_pruned, parts.spent + began.elapsed()))
        }
        Err((at, error)) => {
            // The part that failed has said so in its own log.
            let reason = reason(&error);
            for (index, training) in parts.trainings.into_iter().enumerate() {
                if index != at {
                    training.stop(reason)?;
                }
            }
            Err(error)
        }
    }
}

impl Parts<'_> {
    /// Trains all parts on the same epoch before the next, so that what is reported is the mean of all. Whether the trial is pruned;
    /// or the part that failed and why.
    fn train(
        &mut self,
        searching: &Searching<'_>,
        trial: &Trial<'_>,
        epochs: usize,
    ) -> Result<bool, (usize, Error)> {
        let nobody = self.trainings.len();
        for epoch in 0..epochs {
            for (index, training) in self.trainings.iter_mut().enumerate() {
                if self.values[index].len() > epoch {
                    continue;
                }
                let began = Instant::now();
                let score = training.next_epoch().map_err(|error| (index, error))?;
                self.spent += began.elapsed();
                let Some(score) = score else { continue };
                self.values[index].push(searching.objective().of(score));
            }
            let at = |values: &Vec<f64>| values.get(epoch).copied();
            // With --patience a part may have ended before the others: then its last value stands.
            let values = self
                .values
                .iter()
                .filter_map(|values| at(values).or(values.last().copied()));
            let value = mean(&values.collect::<Vec<_>>());
            let step = i64::try_from(epoch).unwrap_or(i64::MAX);
            trial
                .report(step, value)
                .map_err(|error| (nobody, error.into()))?;
            let is_last = epoch + 1 == epochs;
            if !is_last
                && trial
                    .should_prune()
                    .map_err(|error| (nobody, error.into()))?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What the log of a part says of the epochs that were trained before.
fn logged(run: &Path, searching: &Searching<'_>) -> Result<Vec<f64>> {
    let events = read_events(&run.join(EVENTS))?;
    let name = searching.objective().name();
    let epochs = events
        .records
        .iter()
        .filter_map(|record| match &record.event {
            Event::Epoch(epoch) => Some(epoch.val.get(name).map_or(f64::NAN, |value| value.0)),
            _ => None,
        });
    Ok(epochs.collect())
}

fn reason(error: &Error) -> StopReason {
    if error.is::<NotFinite>() {
        StopReason::NotFinite
    } else if error.is::<TimeIsUp>() {
        StopReason::TimeLimit
    } else {
        StopReason::Interrupted
    }
}

/// A trial that has ended keeps its logs; its weights and checkpoints would fill a disk.
fn clean(folder: &Path, parts: &[Part]) -> Result<()> {
    for index in 0..parts.len() {
        let path = part_folder(folder, index);
        let disk = Disk::default();
        let run = RunFolder::new(&path, disk.clone());
        run.checkpoints().clear()?;
        for name in [BEST_WEIGHTS, LAST_WEIGHTS] {
            disk.remove_file(&run.file(name))?;
        }
    }
    Ok(())
}

fn part_folder(trial: &Path, index: usize) -> std::path::PathBuf {
    trial.join(format!("part-{}", index + 1))
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Whether the error only says that the work was put away for later.
pub(super) fn is_pause(error: &Error) -> bool {
    error.is::<Interrupted>() || error.is::<TimeIsUp>()
}
