//! The training loop, the same for both kinds of model.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use juggle_dataset::{Augment, epoch_order};
use juggle_models::{Engine, Loss, Schedule, State};
use serde::Serialize;

use crate::config::{Kind, RunConfig};
use crate::examples::{Augmentation, Batch, Examples, Score, Tally};
use crate::failure::Interrupted;
use crate::model;
use crate::output::Messages;
use crate::progress::Progress;
use crate::run::{BEST_WEIGHTS, LAST_WEIGHTS, RunFolder};

use super::saving::Saving;
use super::timed::Timed;

/// One line of `events.jsonl`.
#[derive(Debug, Serialize)]
struct Event {
    epoch: usize,
    /// Training steps so far.
    step: u64,
    /// That of the epoch's last step.
    learning_rate: f64,
    /// Means over the epoch, with the weights as they changed.
    train: Score,
    /// After the epoch, in evaluation mode.
    val: Score,
    /// Since the training began.
    elapsed_s: f64,
    /// Since the event before: this epoch with its validation, and what handing over the files of the one before took.
    epoch_s: f64,
    /// The part of it spent in training steps and forward passes.
    engine_s: f64,
}

/// `metrics.json`: the last weights in evaluation mode on the whole splits.
#[derive(Debug, Serialize)]
pub(super) struct Metrics {
    kind: Kind,
    pub(super) epochs: usize,
    steps: u64,
    pub(super) best_epoch: usize,
    pub(super) train: Score,
    pub(super) val: Score,
    elapsed_s: f64,
}

pub(super) struct Trainer<'a> {
    config: &'a RunConfig,
    run: &'a RunFolder,
    train: &'a Examples<'a>,
    val: &'a Examples<'a>,
    augment: Option<Augment>,
    schedule: Schedule,
    loss: Loss,
    progress: Progress,
    started: Instant,
    interrupted: Arc<AtomicBool>,
    saving: Saving,
    /// Steps taken so far.
    step: u64,
}

impl<'a> Trainer<'a> {
    pub(super) fn new(
        config: &'a RunConfig,
        run: &'a RunFolder,
        train: &'a Examples<'a>,
        val: &'a Examples<'a>,
        messages: Messages,
    ) -> Result<Self> {
        let augment: Augment = config.training.augment.parse()?;
        Ok(Self {
            config,
            run,
            train,
            val,
            augment: (!augment.is_none()).then_some(augment),
            schedule: model::schedule(config, train.len().div_ceil(config.training.batch_size)),
            loss: model::evaluation_loss(config.kind),
            progress: Progress::new(messages, config.training.epochs),
            started: Instant::now(),
            interrupted: on_interrupt()?,
            saving: Saving::default(),
            step: 0,
        })
    }

    pub(super) fn train(mut self, engine: &mut dyn Engine) -> Result<Metrics> {
        let engine = &mut Timed::new(engine);
        let epochs = self.config.training.epochs;
        let mut best = (0, f64::INFINITY);
        let mut last_val = None;
        let mut epoch_started = self.started;
        for epoch in 1..=epochs {
            self.progress.start_epoch(epoch, self.train.len());
            let (train, learning_rate) = self.train_epoch(engine, epoch)?;
            let training_time = self.progress.start_validation();
            let val = self.evaluate(engine, self.val, epoch)?;
            if !val.loss.is_finite() {
                bail!(
                    "the validation loss is {} after {}",
                    val.loss,
                    self.position(epoch, learning_rate)
                );
            }
            // Strictly lower, so that of equal epochs the earlier stays the best.
            let is_best = val.loss < best.1;
            if is_best {
                best = (epoch, val.loss);
            }
            let event = Event {
                epoch,
                step: self.step,
                learning_rate,
                train,
                val,
                elapsed_s: self.started.elapsed().as_secs_f64(),
                epoch_s: epoch_started.elapsed().as_secs_f64(),
                engine_s: engine.take().as_secs_f64(),
            };
            epoch_started = Instant::now();
            let (run, state) = (self.run.clone(), engine.state()?);
            self.saving
                .begin(move || save(&run, &state, is_best, &event))?;
            self.progress
                .end_epoch(epoch, train, val, training_time, is_best);
            last_val = Some(val);
        }
        self.progress.finish();
        self.saving.wait()?;
        let train = self.evaluate(engine, self.train, epochs)?;
        Ok(Metrics {
            kind: self.config.kind,
            epochs,
            steps: self.step,
            best_epoch: best.0,
            train,
            val: last_val.context("no epoch was trained")?,
            elapsed_s: self.started.elapsed().as_secs_f64(),
        })
    }

    /// One pass over the training examples in the epoch's own order; the last batch may be short.
    fn train_epoch(&mut self, engine: &mut dyn Engine, epoch: usize) -> Result<(Score, f64)> {
        let seed = self.config.seed;
        let order = epoch_order(self.train.len(), seed, epoch as u64);
        let mut batch = Batch::default();
        let mut tally = Tally::default();
        let mut learning_rate = self.schedule.learning_rate;
        for indices in order.chunks(self.config.training.batch_size) {
            self.stop_if_interrupted(engine, epoch)?;
            match &self.augment {
                Some(augment) => {
                    let by = Augmentation {
                        augment,
                        seed,
                        epoch: epoch as u64,
                    };
                    self.train.fill_augmented(indices, by, &mut batch)?;
                }
                None => self.train.fill(indices, &mut batch),
            }
            learning_rate = self.schedule.learning_rate_at(self.step);
            let output = engine.train_step(&batch.inputs, batch.targets(), learning_rate)?;
            self.step += 1;
            tracing::debug!(step = self.step, learning_rate, loss = output.loss);
            if !output.loss.is_finite() {
                bail!(
                    "the loss is {} at {}",
                    output.loss,
                    self.position(epoch, learning_rate)
                );
            }
            tally.add_step(output.loss, output.outputs, &batch, indices.len());
            self.progress.step(indices.len(), tally.score());
        }
        Ok((tally.score(), learning_rate))
    }

    fn evaluate(
        &self,
        engine: &dyn Engine,
        examples: &Examples<'_>,
        epoch: usize,
    ) -> Result<Score> {
        let mut tally = Tally::default();
        examples.forward(engine, |indices, batch, outputs| {
            self.stop_if_interrupted(engine, epoch)?;
            tally.add_evaluation(self.loss, outputs, batch, (indices.len(), examples.shape()))
        })?;
        Ok(tally.score())
    }

    /// Where the training stands, for a loss that is no number, with what to do about it.
    fn position(&self, epoch: usize, learning_rate: f64) -> String {
        let kept = if epoch > 1 {
            "; the files of the epochs before are kept"
        } else {
            ""
        };
        format!(
            "step {} (epoch {epoch}) with learning rate {learning_rate:?}: try a lower --lr{kept}",
            self.step
        )
    }

    fn stop_if_interrupted(&self, engine: &dyn Engine, epoch: usize) -> Result<()> {
        if !self.interrupted.load(Ordering::Relaxed) {
            return Ok(());
        }
        // The weights of the epoch before would otherwise come last.
        self.saving.wait()?;
        let last = self.run.file(LAST_WEIGHTS);
        engine.state()?.save(&last)?;
        self.progress.finish();
        let at = format!("in epoch {epoch} after step {}", self.step);
        Err(Interrupted(format!("{at}; the weights are in {}", last.display())).into())
    }
}

/// Writes what an epoch leaves; the event comes last, so that its weights are there when it is.
fn save(run: &RunFolder, state: &State, is_best: bool, event: &Event) -> Result<()> {
    if is_best {
        state.save(&run.file(BEST_WEIGHTS))?;
    }
    state.save(&run.file(LAST_WEIGHTS))?;
    run.append_event(event)?;
    tracing::info!("saved {}", run.file(LAST_WEIGHTS).display());
    Ok(())
}

/// A flag that the first Ctrl-C or request to terminate raises; the second ends the process at once.
fn on_interrupt() -> Result<Arc<AtomicBool>> {
    let raised = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&raised);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .context("cannot watch for Ctrl-C")?;
    Ok(raised)
}
