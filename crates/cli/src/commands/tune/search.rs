//! A study: opened or gone on with, worked on by one or several workers, and what its storage keeps of how it was begun.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Error, Result, bail};
use juggle_tracking::RunLock;
use juggle_tuning::{
    HalvingOptions, HyperbandOptions, PercentileOptions, Pruner, Sampler, Study, StudyOptions,
    TpeOptions, TrialRecord, TrialState, open,
};
use serde_json::{Value, json};

use super::judging::{Judging, Part};
use super::record::{self, Counts};
use super::space::Search;
use super::trial::{self, Ended, is_pause};
use super::{pool, winner};
use crate::args::tune::{Objective, PlaceArgs, PrunerName, SamplerName, SearchArgs};
use crate::commands::train::Stop;
use crate::config::{RunConfig, differences};
use crate::failure::{Interrupted, TimeIsUp};
use crate::model::{self, Machine};
use crate::output::{Messages, View};

/// How often a trial is taken up again whose process was killed. It goes on from its checkpoints, so this ends only those that
/// kill their process themselves.
const MAX_RETRIES: u64 = 10;

/// Everything that the workers of this process share.
pub(super) struct Searching<'a> {
    args: &'a SearchArgs,
    pub(super) out: PathBuf,
    pub(super) search: Search,
    judging: Judging,
    pub(super) parts: Vec<Part>,
    pub(super) study: Study,
    pub(super) stop: Stop,
    pub(super) messages: Messages,
    /// One worker at a time looks whether a trial is left and takes it.
    asking: Mutex<()>,
}

/// Searches as the flags say, and trains and measures the winner. `given` are the settings that have flags of their own on the command
/// line.
pub(super) fn run(
    args: &SearchArgs,
    mut config: RunConfig,
    given: &[&'static str],
    messages: Messages,
) -> Result<()> {
    let name = args.study.clone().unwrap_or(config.kind.to_string());
    let out = folder(&args.place, &name)?;
    let judging = Judging::new(args, &config)?;
    Machine::of(&config)?;
    model::use_threads(config.threads)?;
    let stop = Stop::on_signals(&config.saving)?;
    let parts = judging.read(&mut config, messages)?;
    let shape = parts.first().context("a trial has parts")?.shape();
    let search = Search::new(config, args, given, shape)?;
    std::fs::create_dir_all(&out)
        .with_context(|| format!("cannot create the folder {}", out.display()))?;
    let storage = open(&address(&args.place, &out))?;
    let options = options(args, &judging, &search);
    let study = Study::open(storage, &name, options)?;
    let searching = Searching {
        args,
        out,
        search,
        judging,
        parts,
        study,
        stop,
        messages,
        asking: Mutex::new(()),
    };
    searching.introduce()?;
    searching.work_side_by_side()?;
    searching.end()
}

/// The folder of a study.
pub(super) fn folder(place: &PlaceArgs, name: &str) -> Result<PathBuf> {
    if let Some(out) = &place.out {
        return Ok(out.clone());
    }
    let is_plain = Path::new(name).file_name().is_some_and(|file| file == name);
    if !is_plain {
        bail!("a study named {name:?} needs --out DIR: its name is not one of a folder");
    }
    Ok(Path::new("studies").join(name))
}

/// The address of the storage.
pub(super) fn address(place: &PlaceArgs, out: &Path) -> String {
    match &place.storage {
        Some(address) => address.clone(),
        None => format!("journal:{}", out.join("journal.log").display()),
    }
}

fn options(args: &SearchArgs, judging: &Judging, search: &Search) -> StudyOptions {
    let percentile = PercentileOptions {
        n_warmup_steps: i64::from(args.prune_after),
        ..PercentileOptions::default()
    };
    StudyOptions {
        direction: judging.objective().direction(),
        sampler: match args.sampler {
            SamplerName::Tpe => Sampler::Tpe(TpeOptions {
                n_startup_trials: args.startup_trials,
                ..TpeOptions::default()
            }),
            SamplerName::Random => Sampler::Random,
            SamplerName::Halton => Sampler::Halton,
            SamplerName::Grid => Sampler::Grid {
                resolution: args.grid_points,
            },
        },
        pruner: match args.pruner {
            PrunerName::Median => Pruner::Median(percentile),
            PrunerName::Percentile => Pruner::Percentile {
                percentile: args.percentile,
                options: percentile,
            },
            PrunerName::Halving => Pruner::SuccessiveHalving(HalvingOptions {
                min_resource: Some(1),
                ..HalvingOptions::default()
            }),
            PrunerName::Hyperband => Pruner::Hyperband(HyperbandOptions {
                max_resource: u32::try_from(search.base.training.epochs).ok(),
                ..HyperbandOptions::default()
            }),
            PrunerName::None => Pruner::None,
        },
        seed: search.base.seed,
        max_retries: MAX_RETRIES,
        ..StudyOptions::new(search.space.clone())
    }
}

impl Searching<'_> {
    pub(super) fn objective(&self) -> Objective {
        self.judging.objective()
    }

    pub(super) fn trial_folder(&self, number: u64) -> PathBuf {
        self.out.join("trials").join(format!("{number:05}"))
    }

    /// Notes in a new study how it is judged and what all trials have in common; an old one must have been begun alike.
    fn introduce(&self) -> Result<()> {
        let base = &self.search.base;
        let about = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "kind": base.kind.to_string(),
            "epochs": base.training.epochs,
            "data_sha256": self.parts[0].hashes.sha256(),
            "judging": self.judging.to_json(base.kind),
        });
        let storage = self.study.storage();
        let record = storage.find_study(self.study.name())?;
        let record = record.context("the study was opened")?;
        let Some(before) = record.user_attrs.get(record::ABOUT) else {
            self.study.set_user_attr(record::CONFIG, base.to_toml()?)?;
            return Ok(self.study.set_user_attr(record::ABOUT, about)?);
        };
        let mut differing = vec![];
        for key in ["kind", "epochs", "data_sha256", "judging"] {
            if before[key] != about[key] {
                differing.push(format!(
                    "{key} is {}, but the study has {}",
                    about[key], before[key]
                ));
            }
        }
        let stored = record::base(&record)?;
        let searched = self.search.space.parameters().iter();
        let searched: Vec<_> = searched.map(|parameter| parameter.name.as_str()).collect();
        for difference in differences("study", &stored, base)? {
            let key = difference.split(' ').next().unwrap_or_default();
            let setting = key.rsplit('.').next().unwrap_or_default();
            if !searched.contains(&setting) && key != "training.epochs" {
                differing.push(difference);
            }
        }
        if !differing.is_empty() {
            bail!(
                "the study {:?} was begun with other settings: {}; give the same flags, or another --study",
                self.study.name(),
                differing.join("; ")
            );
        }
        Ok(())
    }

    fn work_side_by_side(&self) -> Result<()> {
        let counts = Counts::of(&self.study.trials()?);
        self.messages.note(format_args!(
            "study {}: {} of {} trials done, {} parameters, {} a trial, {}",
            self.study.name(),
            counts.done(),
            self.args.trials,
            self.search.space.parameters().len(),
            words(self.parts.len(), "network"),
            words(self.args.workers, "worker"),
        ));
        let failed: Mutex<Option<Error>> = Mutex::new(None);
        pool::side_by_side(self.args.workers, || {
            if let Err(error) = self.work() {
                self.stop.request();
                let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                // What stops the others is not why it ended.
                if first.as_ref().is_none_or(is_pause) {
                    *first = Some(error);
                }
            }
        })?;
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        match failed {
            Some(error) if is_pause(&error) => Err(self.paused(&error)),
            Some(error) => Err(error.context(format!(
                "the study {:?} stopped; what is done is kept",
                self.study.name()
            ))),
            None => Ok(()),
        }
    }

    /// One worker: trials, until the study has as many as it is to have.
    fn work(&self) -> Result<()> {
        loop {
            let started = Instant::now();
            let trial = {
                let _one = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
                if self.stop.reason().is_some() {
                    return Err(Interrupted(String::new()).into());
                }
                if Counts::of(&self.study.trials()?).taken() >= self.args.trials {
                    return Ok(());
                }
                match self.study.ask()? {
                    Some(trial) => trial,
                    None => return Ok(()),
                }
            };
            let (number, params) = (trial.number(), trial.params().clone());
            let ended = trial::run(self, trial)?;
            self.tell(number, ended, &params, started.elapsed().as_secs_f64())?;
        }
    }

    fn tell(
        &self,
        number: u64,
        ended: Ended,
        params: &std::collections::BTreeMap<String, Value>,
        seconds: f64,
    ) -> Result<()> {
        let best = self.study.best()?;
        let best = best.map(|best| (best.number, best.content.value()));
        let name = self.objective().name();
        if self.messages.view == View::Json {
            self.messages.line(json!({
                "kind": "trial", "number": number, "state": ended.state.to_string(), "value": ended.value,
                "epochs": ended.epochs, "params": params, "seconds": seconds,
                "training_s": ended.training.as_secs_f64(),
                "best": best.map(|(number, value)| json!({"number": number, "value": value})),
            }));
            return Ok(());
        }
        let outcome = match (ended.state, ended.value) {
            (TrialState::Complete, Some(value)) => format!("{name} {value:.5}"),
            (TrialState::Pruned, Some(value)) => {
                format!(
                    "{name} {value:.5}, pruned after {}",
                    words(ended.epochs, "epoch")
                )
            }
            _ => "failed".to_owned(),
        };
        let best = match best {
            Some((best, _)) if best == number => "best so far".to_owned(),
            Some((best, Some(value))) => format!("best {value:.5} in trial {best}"),
            _ => "none complete yet".to_owned(),
        };
        self.messages.note(format_args!(
            "trial {number:>3}  {outcome}  ({best})  {seconds:.1} s  {}",
            record::params_in_words(params)
        ));
        Ok(())
    }

    fn paused(&self, error: &Error) -> Error {
        let done = match self.study.trials() {
            Ok(trials) => Counts::of(&trials).done(),
            Err(error) => return error.into(),
        };
        let place = format!(
            "{done} of {} trials are done; the same command goes on with the study",
            self.args.trials
        );
        if error.is::<TimeIsUp>() {
            TimeIsUp(place).into()
        } else {
            Interrupted(place).into()
        }
    }

    /// When all trials have ended: what was found, and the winner trained and measured, by the last process that works on the study.
    fn end(&self) -> Result<()> {
        let running = Counts::of(&self.study.trials()?).running;
        if running > 0 {
            self.messages.note(format_args!(
                "{} still run in other processes: the last of these trains the winner, or this command again",
                words(running, "trial")
            ));
            return Ok(());
        }
        // Two processes may find at once that they are the last.
        let _lock = match RunLock::acquire(&self.out) {
            Ok(lock) => lock,
            Err(juggle_tracking::Error::Locked { .. }) => {
                let note = "another process trains and measures the winner";
                self.messages.note(note);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let best: Option<Arc<TrialRecord>> = self.study.best()?;
        let Some(best) = best else {
            bail!("no trial of the study {:?} is complete", self.study.name());
        };
        winner::run(self, self.args, &best)
    }
}

/// `1 trial`, `2 trials`.
pub(super) fn words(n: usize, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {what}{s}")
}
