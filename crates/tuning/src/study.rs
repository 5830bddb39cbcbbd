//! A search: ask for a trial, run it, tell how it went.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::distribution::Distribution;
use crate::error::{Error, Result};
use crate::pruner::Pruner;
use crate::record::{AttrKind, Direction, StudyId, TrialContent, TrialId, TrialRecord, TrialState};
use crate::sampler::{Assignment, Sampler, Situation, TpeOptions};
use crate::space::Space;
use crate::storage::Storage;
use crate::worker::{CLAIM_PREFIX, Identity, WORKER_KEY, is_dead, unique_name};

mod heartbeat;
mod trial;

use heartbeat::Heartbeat;
pub use trial::Trial;

/// Optuna's key of the values that a waiting trial must get.
const FIXED_KEY: &str = "fixed_params";
/// Optuna's keys of a trial that repeats failed ones.
const FAILED_KEY: &str = "failed_trial";
const HISTORY_KEY: &str = "retry_history";

/// How a study searches.
#[derive(Clone, Debug)]
pub struct StudyOptions {
    /// What is best.
    pub direction: Direction,
    /// What to search.
    pub space: Space,
    /// How to choose.
    pub sampler: Sampler,
    /// When to stop a trial.
    pub pruner: Pruner,
    /// Decides all random choices.
    pub seed: u64,
    /// How often a running trial says that its worker lives.
    pub beat_interval: Duration,
    /// After how long without a beat the worker of a trial on another machine counts as dead; a worker on this machine is
    /// looked for among its processes.
    pub patience: Duration,
    /// How often a trial is tried again whose worker died.
    pub max_retries: u64,
}

impl StudyOptions {
    /// Minimizing over a space with Optuna's defaults: TPE, the median pruner.
    #[must_use]
    pub fn new(space: Space) -> Self {
        Self {
            direction: Direction::Minimize,
            space,
            sampler: Sampler::Tpe(TpeOptions::default()),
            pruner: Pruner::Median(crate::PercentileOptions::default()),
            seed: 0,
            beat_interval: Duration::from_secs(60),
            patience: Duration::from_secs(300),
            max_retries: 1,
        }
    }
}

/// A study in a storage, and how this process searches in it.
///
/// Any number of processes and threads may work on one study; each asks for trials and tells how they went.
///
/// ```
/// use std::sync::Arc;
///
/// use juggle_tuning::{MemoryStorage, Space, Study, StudyOptions};
///
/// let space = Space::from_toml("x = { type = 'float', low = -10, high = 10 }")?;
/// let study = Study::open(Arc::new(MemoryStorage::new()), "parabola", StudyOptions::new(space))?;
/// for _ in 0..60 {
///     let trial = study.ask()?.expect("only a grid ends");
///     let x = trial.float("x")?;
///     trial.complete((x - 2.0).powi(2))?;
/// }
/// let best = study.best()?.expect("60 trials are complete");
/// assert!(best.content.value().unwrap() < 1.0);
/// # Ok::<(), juggle_tuning::Error>(())
/// ```
#[derive(Debug)]
pub struct Study {
    storage: Arc<dyn Storage>,
    id: StudyId,
    name: String,
    options: StudyOptions,
    here: Identity,
    /// The attribute by which this study claims waiting trials.
    claim_key: String,
    heartbeat: Heartbeat,
}

impl Study {
    /// Opens the study of this name, which is made when it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::Directions`] when it is there with another direction; [`Error::Setting`] for settings of the sampler or the
    /// pruner out of their range; what the storage returns.
    pub fn open(storage: Arc<dyn Storage>, name: &str, options: StudyOptions) -> Result<Self> {
        options.sampler.check(&options.space)?;
        options.pruner.check()?;
        let wanted = [options.direction];
        let record = match storage.find_study(name)? {
            Some(record) => Some(record),
            None => match storage.create_study(name, &wanted) {
                // Another process may have been faster.
                Ok(_) | Err(Error::StudyExists { .. }) => storage.find_study(name)?,
                Err(error) => return Err(error),
            },
        };
        let record = record.ok_or_else(|| Error::NoSuchStudy {
            study: format!("`{name}`"),
        })?;
        if record.directions != wanted {
            let found: Vec<_> = record.directions.iter().map(ToString::to_string).collect();
            return Err(Error::Directions {
                study: name.to_owned(),
                found: found.join(" and "),
                expected: options.direction.to_string(),
            });
        }
        Ok(Self {
            id: record.id,
            name: name.to_owned(),
            here: Identity::here(),
            claim_key: format!("{CLAIM_PREFIX}{}", unique_name()),
            heartbeat: Heartbeat::new(Arc::clone(&storage), options.beat_interval),
            storage,
            options,
        })
    }

    /// The study's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The storage that holds it.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    /// All trials as they are now, by number.
    ///
    /// # Errors
    ///
    /// What the storage returns.
    pub fn trials(&self) -> Result<Vec<Arc<TrialRecord>>> {
        self.storage.trials(self.id)
    }

    /// The complete trial with the best value, the first of several; `None` before any is complete.
    ///
    /// # Errors
    ///
    /// What the storage returns.
    pub fn best(&self) -> Result<Option<Arc<TrialRecord>>> {
        let mut best: Option<(f64, Arc<TrialRecord>)> = None;
        for trial in self.trials()? {
            if trial.content.state != TrialState::Complete {
                continue;
            }
            let Some(value) = trial.content.value() else {
                continue;
            };
            let is_better = |best: f64| self.options.direction.is_better(value, best);
            if best.as_ref().is_none_or(|(best, _)| is_better(*best)) {
                best = Some((value, trial));
            }
        }
        Ok(best.map(|(_, trial)| trial))
    }

    /// Sets an attribute of the study.
    ///
    /// # Errors
    ///
    /// What the storage returns.
    pub fn set_user_attr(&self, key: &str, value: impl Into<Value>) -> Result<()> {
        let value = value.into();
        self.storage
            .set_study_attr(self.id, AttrKind::User, key, value)
    }

    /// The next trial to run: a waiting one if there is any, else a new one; `None` when a grid is exhausted.
    ///
    /// Trials of dead workers are marked as failed first, see [`fail_dead`](Self::fail_dead).
    ///
    /// # Errors
    ///
    /// What the storage returns; [`Error::Value`] when a waiting trial has a value that its parameter cannot have.
    pub fn ask(&self) -> Result<Option<Trial<'_>>> {
        self.fail_dead()?;
        if let Some(id) = self.take_waiting()? {
            return self.begin(id).map(Some);
        }
        let (sampler, space) = (&self.options.sampler, &self.options.space);
        if matches!(sampler, Sampler::Grid { .. }) && sampler.is_exhausted(space, &self.trials()?) {
            return Ok(None);
        }
        let mut content = TrialContent::new(TrialState::Running);
        content
            .system_attrs
            .insert(WORKER_KEY.to_owned(), self.here.to_value());
        let id = self.storage.create_trial(self.id, &content)?;
        self.begin(id).map(Some)
    }

    /// Adds a trial that waits for a worker and gets these values; parameters not named are sampled.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchParameter`] and [`Error::Value`]; what the storage returns.
    pub fn enqueue<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<TrialId> {
        let fixed: Map<String, Value> = values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        self.with_fixed(&fixed)?;
        let mut content = TrialContent::new(TrialState::Waiting);
        content
            .system_attrs
            .insert(FIXED_KEY.to_owned(), fixed.into());
        self.storage.create_trial(self.id, &content)
    }

    /// Marks the running trials of dead workers as failed and returns their numbers.
    ///
    /// A worker of this machine is dead when its process has ended; one of another machine when its trial has not shown a
    /// sign of life for [`StudyOptions::patience`]. Trials of other programs, such as Optuna in Python, are left alone: they say
    /// nothing of their workers. Of several processes that find the same trial, one fails it. It is tried again, as a waiting
    /// trial with the same values, up to [`StudyOptions::max_retries`] times.
    ///
    /// # Errors
    ///
    /// What the storage returns.
    pub fn fail_dead(&self) -> Result<Vec<u64>> {
        let mut failed = vec![];
        for trial in self.trials()? {
            let is_running = trial.content.state == TrialState::Running;
            let attrs = &trial.content.system_attrs;
            if is_running
                && is_dead(attrs, &self.here, self.options.patience)
                && self.fail_and_repeat(&trial)?
            {
                failed.push(trial.number);
            }
        }
        Ok(failed)
    }

    /// Fails a trial and adds its repetition; false when another process was faster.
    fn fail_and_repeat(&self, trial: &TrialRecord) -> Result<bool> {
        match self.storage.set_state(trial.id, TrialState::Fail, &[]) {
            Ok(_) => {}
            Err(Error::TrialFinished { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        let attrs = &trial.content.system_attrs;
        let mut history = match attrs.get(HISTORY_KEY) {
            Some(Value::Array(history)) => history.clone(),
            _ => vec![],
        };
        let params = trial.content.params.iter();
        let mut fixed: Map<_, _> = params.map(|(name, p)| (name.clone(), p.value())).collect();
        if fixed.is_empty()
            && let Some(Value::Object(given)) = attrs.get(FIXED_KEY)
        {
            // Its worker died before it gave the trial the values that it had waited with.
            fixed.clone_from(given);
        }
        if history.len() as u64 >= self.options.max_retries || fixed.is_empty() {
            return Ok(true);
        }
        history.push(trial.number.into());
        let mut content = TrialContent::new(TrialState::Waiting);
        content.user_attrs = trial.content.user_attrs.clone();
        content.system_attrs = Map::from_iter([
            (FIXED_KEY.to_owned(), Value::from(fixed)),
            (FAILED_KEY.to_owned(), history[0].clone()),
            (HISTORY_KEY.to_owned(), history.into()),
        ]);
        self.storage.create_trial(self.id, &content)?;
        Ok(true)
    }

    /// Takes a waiting trial, of which another process may take any at any time.
    fn take_waiting(&self) -> Result<Option<TrialId>> {
        for trial in self.trials()? {
            if trial.content.state != TrialState::Waiting {
                continue;
            }
            let set = |key: &str, value: Value| {
                self.storage
                    .set_trial_attr(trial.id, AttrKind::System, key, value)
            };
            // Claimed before, so that a worker that dies before it has signed is known; signed after, so that a trial that another
            // program takes does not bear our name.
            let taken = set(&self.claim_key, self.here.to_value())
                .and_then(|()| self.storage.set_state(trial.id, TrialState::Running, &[]));
            let lost = match taken {
                Ok(true) => {
                    set(WORKER_KEY, self.here.to_value())?;
                    return Ok(Some(trial.id));
                }
                Ok(false) => set(&self.claim_key, Value::Null),
                Err(error) => Err(error),
            };
            match lost {
                Ok(()) | Err(Error::TrialFinished { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Gives a running trial its parameters.
    fn begin(&self, id: TrialId) -> Result<Trial<'_>> {
        let trials = self.trials()?;
        let record = match trials.iter().find(|trial| trial.id == id) {
            Some(record) => Arc::clone(record),
            None => self.storage.trial(id)?,
        };
        let fixed = match record.content.system_attrs.get(FIXED_KEY) {
            Some(Value::Object(fixed)) => fixed.clone(),
            _ => Map::new(),
        };
        let space = self.with_fixed(&fixed)?;
        let situation = Situation {
            space: &space,
            direction: self.options.direction,
            seed: self.options.seed,
            number: record.number,
            trials: &trials,
        };
        // A waiting trial of another program may have its parameters already.
        let mut params = self.options.sampler.draw(&situation);
        let given = &record.content.params;
        params.retain(|(name, ..)| !given.contains_key(name));
        self.storage.set_params(id, &params)?;
        self.heartbeat.begin(id);
        let given = given.iter().map(|(name, param)| {
            let distribution: &Arc<Distribution> = &param.distribution;
            (name.clone(), param.internal, Arc::clone(distribution))
        });
        let params: Assignment = given.chain(params).collect();
        Ok(Trial::new(self, &record, params))
    }

    fn with_fixed(&self, fixed: &Map<String, Value>) -> Result<Space> {
        let mut space = self.options.space.clone();
        for (name, value) in fixed {
            space = space.fix(name, value)?;
        }
        Ok(space)
    }
}

#[cfg(test)]
mod tests;
