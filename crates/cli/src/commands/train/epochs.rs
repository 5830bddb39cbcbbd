//! The training loop, the same for both kinds of model.

mod stopping;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use juggle_dataset::{Augment, epoch_order};
use juggle_models::{Engine as _, Loss, Schedule};
use juggle_tracking::events::{FinishReason, Finished};
use juggle_tracking::run::{BEST_WEIGHTS, LAST_WEIGHTS, METRICS};
use juggle_tracking::{Epoch, Event, Number, Record, RunFolder, Step};
use serde::Serialize;

use crate::config::{Kind, RunConfig};
use crate::examples::{Augmentation, Batch, Examples, Score, Tally};
use crate::model;
use crate::output::Messages;
use crate::progress::{self, Plan, Progress};

use super::board::{Predictions, View};
use super::position::{Best, Position, Snapshot};
use super::saving::Saving;
use super::stop::Stop;
use super::timed::{Gradients, Timed, norms};

/// `metrics.json`: the last weights in evaluation mode on the whole splits.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct Metrics {
    #[serde(skip)]
    pub(in crate::commands) run: PathBuf,
    kind: Kind,
    pub(in crate::commands) epochs: usize,
    steps: u64,
    pub(in crate::commands) best_epoch: usize,
    pub(in crate::commands) train: Score,
    pub(in crate::commands) val: Score,
    elapsed_s: f64,
}

pub(super) struct Trainer<'a> {
    config: &'a RunConfig,
    run: RunFolder,
    train: &'a Examples<'a>,
    val: &'a Examples<'a>,
    augment: Option<Augment>,
    schedule: Schedule,
    loss: Loss,
    progress: Progress,
    stop: Stop,
    saving: Saving,
    position: Position,
    /// Up to when the position's times are counted.
    counted: Instant,
    saved: Instant,
}

impl<'a> Trainer<'a> {
    pub(super) fn new(
        config: &'a RunConfig,
        run: RunFolder,
        [train, val]: [&'a Examples<'a>; 2],
        messages: Messages,
        (stop, saving): (Stop, Saving),
    ) -> Result<Self> {
        let augment: Augment = config.training.augment.parse()?;
        let plan = Plan {
            epochs: config.training.epochs,
            steps_per_epoch: train.len().div_ceil(config.training.batch_size),
            examples_per_epoch: train.len(),
        };
        Ok(Self {
            config,
            run,
            train,
            val,
            augment: (!augment.is_none()).then_some(augment),
            schedule: model::schedule(config, plan.steps_per_epoch),
            loss: model::evaluation_loss(config.kind),
            progress: Progress::new(messages, plan),
            stop,
            saving,
            position: Position::default(),
            counted: Instant::now(),
            saved: Instant::now(),
        })
    }

    /// Goes on from `position`, which the engine is at.
    pub(super) fn at(mut self, position: Position) -> Self {
        let best = position.best.map(|best| (best.epoch, best.loss));
        self.progress.resume(best);
        self.position = position;
        self
    }

    /// Trains on what is left of the epoch in progress and validates; the validation's score. Nothing when the training is over.
    pub(super) fn next_epoch(&mut self, engine: &mut Timed) -> Result<Option<Score>> {
        if self.finish_reason().is_some() {
            return Ok(None);
        }
        self.progress
            .start_epoch(self.position.epoch, self.position.batches);
        self.train_epoch(engine)?;
        self.end_epoch(engine).map(Some)
    }

    fn finish_reason(&self) -> Option<FinishReason> {
        let (training, position) = (&self.config.training, &self.position);
        if position.epoch > training.epochs {
            Some(FinishReason::Epochs)
        } else if training.patience > 0 && position.stale_epochs >= training.patience {
            Some(FinishReason::Patience)
        } else {
            None
        }
    }

    /// One pass over the training examples in the epoch's own order, or the rest of one; the last batch may be short.
    fn train_epoch(&mut self, engine: &mut Timed) -> Result<()> {
        let (seed, epoch) = (self.config.seed, self.position.epoch as u64);
        let order = epoch_order(self.train.len(), seed, epoch);
        let batches = order.chunks(self.config.training.batch_size);
        let n_batches = batches.len();
        let mut batch = Batch::default();
        for indices in batches.skip(self.position.batches) {
            self.stop_if_asked(engine)?;
            match &self.augment {
                Some(augment) => {
                    let by = Augmentation {
                        augment,
                        seed,
                        epoch,
                    };
                    self.train.fill_augmented(indices, by, &mut batch)?;
                }
                None => self.train.fill(indices, &mut batch),
            }
            self.train_batch(engine, indices.len(), &batch)?;
            if self.position.batches < n_batches && self.is_checkpoint_due() {
                self.save_checkpoint(engine)?;
            }
        }
        Ok(())
    }

    fn train_batch(&mut self, engine: &mut Timed, n: usize, batch: &Batch) -> Result<()> {
        let position = &mut self.position;
        let learning_rate = self.schedule.learning_rate_at(position.step);
        let output = engine.train_step(&batch.inputs, batch.targets(), learning_rate)?;
        position.learning_rate = learning_rate;
        position.step += 1;
        position.batches += 1;
        let step = Step {
            epoch: position.epoch,
            step: position.step,
            learning_rate,
            loss: Number(output.loss),
        };
        tracing::debug!(step = step.step, learning_rate, loss = output.loss);
        if !output.is_finite() {
            let norm = output.gradient_norm;
            return self.skip_or_stop(step, norm);
        }
        position.skipped_in_a_row = 0;
        position
            .tally
            .add_step(output.loss, output.outputs, batch, n);
        self.progress.step(progress::Step {
            examples: n,
            learning_rate,
            loss: step.loss.0,
            so_far: position.tally.score(),
        });
        let every = self.config.saving.log_steps as u64;
        if every > 0 && step.step.is_multiple_of(every) {
            self.saving.record(Event::Step(step))?;
        }
        Ok(())
    }

    /// Validates, records the epoch, saves, and goes to the beginning of the next.
    fn end_epoch(&mut self, engine: &mut Timed) -> Result<Score> {
        self.progress.start_validation();
        let tally = self.evaluate(engine, self.val)?;
        let (train, val) = (self.position.tally.score(), tally.score());
        if !val.loss.is_finite() {
            let what = format!("the validation loss is {} after", val.loss);
            return Err(self.stop_for_good(&what));
        }
        self.count_time(engine);
        let gradients = engine.last_gradients()?;
        let position = &mut self.position;
        // Strictly lower, so that of equal epochs the earlier stays the best.
        let is_best = position.best.is_none_or(|best| val.loss < best.loss);
        if is_best {
            position.best = Some(Best {
                epoch: position.epoch,
                loss: val.loss,
                step: position.step,
            });
        }
        let epoch = Epoch {
            epoch: position.epoch,
            step: position.step,
            learning_rate: position.learning_rate,
            train: train.metrics(),
            val: val.metrics(),
            elapsed_s: position.elapsed_s,
            epoch_s: position.epoch_s,
            engine_s: position.engine_s,
            is_best,
            gradient_norms: norms(gradients.as_ref()),
        };
        position.stale_epochs = if is_best {
            0
        } else {
            position.stale_epochs + 1
        };
        position.val = Some(tally);
        position.epoch += 1;
        position.batches = 0;
        position.tally = Tally::default();
        (position.epoch_s, position.engine_s) = (0.0, 0.0);

        let (weights, view) = (engine.state()?, self.view(engine, gradients)?);
        let snapshot = self.snapshot(engine)?;
        self.saving.write(move |writer| {
            // The event comes after its weights, and the checkpoint after its event.
            if let (Some(board), Some(view)) = (&mut writer.board, view) {
                board.epoch(&epoch, &weights, &view)?;
            }
            let weights = weights.to_bytes();
            if is_best {
                writer.run.replace(BEST_WEIGHTS, &weights)?;
            }
            writer.run.replace(LAST_WEIGHTS, &weights)?;
            writer.record(&Record::now(Event::Epoch(epoch)))?;
            writer.checkpoint(&snapshot)
        })?;
        self.saved = Instant::now();
        self.progress.end_epoch(train, val, is_best);
        Ok(val)
    }

    /// What TensorBoard is to show of the epoch, if it is to show anything.
    fn view(&self, engine: &Timed, gradients: Option<Gradients>) -> Result<Option<View>> {
        if !self.config.saving.tensorboard {
            return Ok(None);
        }
        Ok(Some(View {
            images_per_s: self.progress.images_per_s(),
            gradients,
            predictions: Predictions::of(engine, self.val, self.config)?,
        }))
    }

    pub(super) fn finish(mut self, engine: &mut Timed) -> Result<Metrics> {
        self.progress.finish();
        let reason = self.finish_reason().context("the training is not over")?;
        let train = self.evaluate(engine, self.train)?.score();
        self.count_time(engine);
        let position = &self.position;
        let val = position.val.context("no epoch was trained")?.score();
        let metrics = Metrics {
            run: self.run.path().to_owned(),
            kind: self.config.kind,
            epochs: position.epoch - 1,
            steps: position.step,
            best_epoch: position.best.map_or(0, |best| best.epoch),
            train,
            val,
            elapsed_s: position.elapsed_s,
        };
        let text = serde_json::to_string_pretty(&metrics);
        let text = text.context("cannot write the metrics as JSON")? + "\n";
        let record = Record::now(Event::Finished(Finished {
            reason,
            epoch: metrics.epochs,
            step: metrics.steps,
            best_epoch: metrics.best_epoch,
            train: train.metrics(),
            val: val.metrics(),
        }));
        self.saving.write(move |writer| {
            writer.run.replace(METRICS, text.as_bytes())?;
            writer.record(&record)?;
            writer.sync()
        })?;
        self.saving.finish()?;
        Ok(metrics)
    }

    fn evaluate(&mut self, engine: &mut Timed, examples: &Examples<'_>) -> Result<Tally> {
        let mut tally = Tally::default();
        let (loss, stop) = (self.loss, &self.stop);
        let passed = examples.forward(&*engine, |indices, batch, outputs| {
            if stop.reason().is_some() {
                bail!("the evaluation was not finished");
            }
            tally.add_evaluation(loss, outputs, batch, (indices.len(), examples.shape()))
        });
        self.stop_if_asked(engine)?;
        passed?;
        Ok(tally)
    }

    fn is_checkpoint_due(&self) -> bool {
        let saving = &self.config.saving;
        let steps = saving.checkpoint_steps as u64;
        (steps > 0 && self.position.step.is_multiple_of(steps))
            || (saving.checkpoint_minutes > 0.0
                && self.saved.elapsed().as_secs_f64() >= saving.checkpoint_minutes * 60.0)
    }

    fn save_checkpoint(&mut self, engine: &mut Timed) -> Result<()> {
        self.count_time(engine);
        let snapshot = self.snapshot(engine)?;
        self.saving
            .write(move |writer| writer.checkpoint(&snapshot))?;
        self.saved = Instant::now();
        Ok(())
    }

    fn snapshot(&mut self, engine: &Timed) -> Result<Snapshot> {
        let state = engine.training_state()?;
        let mut tensors = state.model.iter();
        // A finite loss can have a gradient that is not; such weights are no place to go on from.
        if !tensors.all(|(name, _)| is_finite(state.model.floats(name))) {
            return Err(self.stop_for_good("a weight is no finite number after"));
        }
        drop(tensors);
        Ok(Snapshot {
            position: self.position.clone(),
            state,
        })
    }

    /// Adds the time since the last call to the position's.
    fn count_time(&mut self, engine: &Timed) {
        let passed = self.counted.elapsed();
        self.counted += passed;
        let seconds = |duration: Duration| duration.as_secs_f64();
        self.position.elapsed_s += seconds(passed);
        self.position.epoch_s += seconds(passed);
        self.position.engine_s += seconds(engine.take());
    }
}

fn is_finite(values: Option<&[f32]>) -> bool {
    values.is_none_or(|values| values.iter().all(|value| value.is_finite()))
}
