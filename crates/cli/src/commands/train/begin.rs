//! Where a training begins: in a new folder, over an old run, or at a checkpoint.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use juggle_models::{Engine, initialize};
use juggle_tracking::events::{Resumed, Started};
use juggle_tracking::run::{CONFIG, DATA_HASHES};
use juggle_tracking::{Disk, Event, EventLog, Record, RunFolder};

use super::board::Board;
use super::epochs::Trainer;
use super::fingerprint::DataHashes;
use super::position::{Position, Snapshot};
use super::saving::{Saving, Writer};
use super::stop::Stop;
use super::training::Training;
use crate::config::{RunConfig, differences, digest};
use crate::examples::Examples;
use crate::model::{self, Machine};
use crate::output::Messages;
use crate::run::{self, Existing, Found};

/// What a training begins with besides its configuration and its examples.
pub(in crate::commands) struct Begin {
    pub(in crate::commands) existing: Existing,
    pub(in crate::commands) data: DataChange,
    pub(in crate::commands) hashes: DataHashes,
    pub(in crate::commands) disk: Disk,
    pub(in crate::commands) stop: Stop,
    pub(in crate::commands) messages: Messages,
}

/// What a change of the data since the run began does to its resumption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum DataChange {
    Refused,
    Allowed,
}

impl Begin {
    /// Opens the folder at `path`, or a new one, and goes to where its training begins or goes on.
    pub(in crate::commands) fn open<'a>(
        self,
        path: Option<&Path>,
        config: &'a RunConfig,
        train: &'a Examples<'a>,
        val: &'a Examples<'a>,
    ) -> Result<Training<'a>> {
        let network = model::network(config)?;
        let state = initialize(&network, config.seed);
        let machine = Machine::of(config)?;
        let mut engine = machine.engine(config, &network, &state)?;
        train.check_augment(&config.training.augment.parse()?)?;

        let found = path.map_or(Ok(Found::Nothing), |path| run::check(path, self.existing))?;
        let path = run::create(path, config.kind)?;
        let run = RunFolder::new(&path, self.disk.clone());
        let lock = run.lock()?;
        let checkpoint = match (found, self.existing) {
            (Found::Run, Existing::Resume) => self.checkpoint(&run, config)?,
            _ => None,
        };
        let started = Event::Started(Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            task: config.kind.to_string(),
            epochs: config.training.epochs,
            steps_per_epoch: train.len().div_ceil(config.training.batch_size),
            train_examples: train.len(),
            val_examples: val.len(),
            parameters: network.n_parameters(),
            data_sha256: self.hashes.sha256(),
            machine: machine.to_string(),
        });
        self.introduce(config, train, val, network.n_parameters());
        let is_resumed = checkpoint.is_some();
        let (position, log) = match checkpoint {
            Some((snapshot, events)) => {
                self.check_machine(machine, &snapshot.position);
                self.resume(&run, config, (&mut *engine, machine), snapshot, events)?
            }
            None => self.start(&run, config, machine, started)?,
        };
        self.messages
            .note(format_args!("writing to {}", run.path().display()));
        let newest = (position.step > 0).then_some(position.step);
        let keep = config.saving.keep_checkpoints;
        let board = match (config.saving.tensorboard, is_resumed) {
            (false, _) => None,
            (true, false) => Some(Board::create(run.path(), config, self.disk.clone())?),
            (true, true) => {
                let place = (run.path(), position.step);
                Some(Board::resume(
                    place,
                    config,
                    self.disk.clone(),
                    self.messages,
                )?)
            }
        };
        let saving = Saving::start(Writer::new(&run, (log, board), keep, newest));
        let trainer = Trainer::new(
            config,
            run,
            [train, val],
            self.messages,
            (self.stop, saving),
        )?;
        Ok(Training::new(trainer.at(position), engine, lock))
    }

    fn introduce(
        &self,
        config: &RunConfig,
        train: &Examples<'_>,
        val: &Examples<'_>,
        n_parameters: usize,
    ) {
        let examples = if config.data.classes.is_empty() {
            "windows"
        } else {
            "images"
        };
        self.messages.note(format_args!(
            "{}: {} training {examples}, {} for validation, {}, {n_parameters} parameters, seed {}",
            config.kind,
            train.len(),
            val.len(),
            config.data.image_shape(),
            config.seed
        ));
    }

    /// The first step of a run. The old files go before the configuration comes, which makes the folder a run's; all else
    /// comes after it, so that a process that dies here leaves a run which can be started again, or nothing.
    fn start(
        &self,
        run: &RunFolder,
        config: &RunConfig,
        machine: Machine,
        started: Event,
    ) -> Result<(Position, EventLog)> {
        run.clear()?;
        // The folder may be new itself.
        let parent = run.path().parent().unwrap_or(Path::new("."));
        self.disk.sync_folder(parent)?;
        run.replace(CONFIG, config.to_toml()?.as_bytes())?;
        run.checkpoints().prepare()?;
        run.replace(DATA_HASHES, self.hashes.text.as_bytes())?;
        let mut log = run.open_events()?;
        log.append(&Record::now(started))?;
        let position = Position {
            epoch: 1,
            data_sha256: self.hashes.sha256(),
            config_sha256: digest(config)?,
            machine: machine.to_string(),
            ..Position::default()
        };
        Ok((position, log))
    }

    /// The newest checkpoint that is whole and of this run, with the length of the event log then. None when the run has not
    /// come so far.
    fn checkpoint(&self, run: &RunFolder, config: &RunConfig) -> Result<Option<(Snapshot, u64)>> {
        let before = RunConfig::load(&run.file(CONFIG))?;
        let differing = differences("run", &before, config)?;
        if !differing.is_empty() {
            bail!(
                "{} cannot be resumed with another configuration: {}",
                run.path().display(),
                differing.join("; ")
            );
        }
        let checkpoints = run.checkpoints();
        checkpoints.prepare()?;
        let (newest, refused) = checkpoints.newest()?;
        for refused in &refused {
            let (path, reason) = (refused.path.display(), &refused.reason);
            self.messages.line(format_args!(
                "warning: {path} is not used: {reason}; it is set aside and the checkpoint before it is used"
            ));
            checkpoints.set_aside(refused)?;
        }
        let Some(checkpoint) = newest else {
            if !refused.is_empty() {
                bail!(
                    "{} has no checkpoint that is whole: start over with --overwrite",
                    run.path().display()
                );
            }
            self.messages
                .note("the run has no checkpoint yet: it starts from the beginning");
            return Ok(None);
        };
        let snapshot = Snapshot::of(&checkpoint, &checkpoints)?;
        if snapshot.position.config_sha256 != digest(config)? {
            bail!(
                "{} is a checkpoint of another configuration than {}",
                checkpoints.path(checkpoint.step).display(),
                run.file(CONFIG).display()
            );
        }
        self.check_data(run, &snapshot.position)?;
        let events = checkpoint.logs.first().map_or(0, |(_, bytes)| *bytes);
        Ok(Some((snapshot, events)))
    }

    fn check_data(&self, run: &RunFolder, position: &Position) -> Result<()> {
        if position.data_sha256 == self.hashes.sha256() {
            return Ok(());
        }
        // Without the list of before, all that can be said is that something changed.
        let text = std::fs::read_to_string(run.file(DATA_HASHES)).unwrap_or_default();
        let changes = self.hashes.changes_since(&DataHashes { text });
        if self.data == DataChange::Refused {
            bail!(
                "the data are not those that {} began with: {changes}; \
                 put them back, or go on with --allow-changed-data",
                run.path().display()
            );
        }
        self.messages
            .line(format_args!("warning: the data changed: {changes}"));
        Ok(())
    }

    /// `auto` may be another device than it was.
    fn check_machine(&self, machine: Machine, position: &Position) {
        let (before, now) = (&position.machine, machine.to_string());
        if !before.is_empty() && *before != now {
            self.messages.line(format_args!(
                "warning: the run was trained by the {before} and goes on with the {now}: its weights will have other last bits than either \
                 would give alone"
            ));
        }
    }

    fn resume(
        &self,
        run: &RunFolder,
        config: &RunConfig,
        (engine, machine): (&mut dyn Engine, Machine),
        Snapshot { position, state }: Snapshot,
        events: u64,
    ) -> Result<(Position, EventLog)> {
        let path = run.checkpoints().path(position.step);
        let restored = engine.restore(&state);
        restored.with_context(|| format!("cannot go on from {}", path.display()))?;
        let mut log = run.open_events()?;
        if log.len() < events {
            self.messages.line(format_args!(
                "warning: events.jsonl ends before {}: its last events are lost",
                path.display()
            ));
        }
        log.rewind(events)?;
        run.replace(DATA_HASHES, self.hashes.text.as_bytes())?;
        run.replace(CONFIG, config.to_toml()?.as_bytes())?;
        log.append(&Record::now(Event::Resumed(Resumed {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            step: position.step,
            epoch: position.epoch,
            epochs: config.training.epochs,
            machine: machine.to_string(),
        })))?;
        self.messages.note(format_args!(
            "resumed in epoch {} after step {}, from {}",
            position.epoch,
            position.step,
            path.display()
        ));
        let data_sha256 = self.hashes.sha256();
        Ok((
            Position {
                data_sha256,
                machine: machine.to_string(),
                ..position
            },
            log,
        ))
    }
}
