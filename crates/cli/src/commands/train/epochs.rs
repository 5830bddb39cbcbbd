//! The training loop, the same for both kinds of model.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use juggle_dataset::{Augment, epoch_order};
use juggle_models::{Engine, Loss, Schedule};
use juggle_tracking::events::{FinishReason, Finished, StopReason, Stopped};
use juggle_tracking::run::{BEST_WEIGHTS, LAST_WEIGHTS, METRICS};
use juggle_tracking::{Epoch, Event, Number, Record, RunFolder, Step};
use serde::Serialize;

use crate::config::{Kind, OnNan, RunConfig};
use crate::examples::{Augmentation, Batch, Examples, Score, Tally};
use crate::failure::{Interrupted, TimeIsUp};
use crate::model;
use crate::output::Messages;
use crate::progress::{self, Plan, Progress};

use super::board::{Predictions, View};
use super::position::{Best, Position, Snapshot};
use super::saving::Saving;
use super::stop::Stop;
use super::timed::Timed;

/// Steps in a row without a finite loss after which even `--on-nan skip` gives up: the weights are beyond repair.
const SKIPPED_IN_A_ROW: u32 = 20;

/// `metrics.json`: the last weights in evaluation mode on the whole splits.
#[derive(Debug, Serialize)]
pub(super) struct Metrics {
    #[serde(skip)]
    pub(super) run: PathBuf,
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
        run: &'a RunFolder,
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

    /// Trains from `position`, which `engine` is at, to the end.
    pub(super) fn train(mut self, engine: &mut dyn Engine, position: Position) -> Result<Metrics> {
        let best = position.best.map(|best| (best.epoch, best.loss));
        self.progress.resume(best);
        self.position = position;
        let engine = &mut Timed::new(engine);
        while self.finish_reason().is_none() {
            self.progress
                .start_epoch(self.position.epoch, self.position.batches);
            self.train_epoch(engine)?;
            self.end_epoch(engine)?;
        }
        self.finish(engine)
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
    fn train_epoch(&mut self, engine: &mut Timed<'_>) -> Result<()> {
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

    fn train_batch(&mut self, engine: &mut Timed<'_>, n: usize, batch: &Batch) -> Result<()> {
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

    /// After a step that moved nothing, since its loss or its gradient is no finite number.
    fn skip_or_stop(&mut self, step: Step, gradient_norm: Option<f64>) -> Result<()> {
        self.position.skipped_in_a_row += 1;
        let (skipped, Number(loss)) = (self.position.skipped_in_a_row, step.loss);
        let what = match gradient_norm {
            Some(norm) if loss.is_finite() => format!("the norm of the gradient is {norm}"),
            _ => format!("the loss is {loss}"),
        };
        if self.config.training.on_nan == OnNan::Skip && skipped < SKIPPED_IN_A_ROW {
            tracing::warn!("{what} at step {}, which is skipped", step.step);
            return self.saving.record(Event::Skipped(step));
        }
        let in_a_row = if skipped > 1 {
            format!(", for the {skipped}th step in a row")
        } else {
            String::new()
        };
        self.stop_for_good(&format!("{what}{in_a_row} at"))
    }

    /// Ends the run with an error at a number that is none. `what` comes before the position.
    fn stop_for_good(&mut self, what: &str) -> Result<()> {
        let (epoch, step) = (self.position.epoch, self.position.step);
        self.saving.record(Event::Stopped(Stopped {
            reason: StopReason::NotFinite,
            epoch,
            step,
        }))?;
        self.saving.finish()?;
        let kept = match self.saving.newest() {
            Some(path) => format!("the last good checkpoint is {}", path.display()),
            None => "there is no checkpoint yet".to_owned(),
        };
        bail!(
            "{what} step {step} (epoch {epoch}) with learning rate {:?}: try a lower --lr; {kept}",
            self.position.learning_rate
        )
    }

    /// Validates, records the epoch, saves, and goes to the beginning of the next.
    fn end_epoch(&mut self, engine: &mut Timed<'_>) -> Result<()> {
        self.progress.start_validation();
        let tally = self.evaluate(engine, self.val)?;
        let (train, val) = (self.position.tally.score(), tally.score());
        if !val.loss.is_finite() {
            let what = format!("the validation loss is {} after", val.loss);
            return self.stop_for_good(&what);
        }
        self.count_time(engine);
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

        let (weights, view) = (engine.state()?, self.view(engine)?);
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
        Ok(())
    }

    /// What TensorBoard is to show of the epoch, if it is to show anything.
    fn view(&self, engine: &Timed<'_>) -> Result<Option<View>> {
        if !self.config.saving.tensorboard {
            return Ok(None);
        }
        Ok(Some(View {
            images_per_s: self.progress.images_per_s(),
            gradients: engine.last_gradients()?,
            predictions: Predictions::of(engine, self.val, self.config)?,
        }))
    }

    fn finish(mut self, engine: &mut Timed<'_>) -> Result<Metrics> {
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

    fn evaluate(&mut self, engine: &mut Timed<'_>, examples: &Examples<'_>) -> Result<Tally> {
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

    fn save_checkpoint(&mut self, engine: &mut Timed<'_>) -> Result<()> {
        self.count_time(engine);
        let snapshot = self.snapshot(engine)?;
        self.saving
            .write(move |writer| writer.checkpoint(&snapshot))?;
        self.saved = Instant::now();
        Ok(())
    }

    fn snapshot(&mut self, engine: &Timed<'_>) -> Result<Snapshot> {
        let state = engine.training_state()?;
        let mut tensors = state.model.iter();
        // A finite loss can have a gradient that is not; such weights are no place to go on from.
        if !tensors.all(|(name, _)| is_finite(state.model.floats(name))) {
            self.stop_for_good("a weight is no finite number after")?;
        }
        drop(tensors);
        Ok(Snapshot {
            position: self.position.clone(),
            state,
        })
    }

    /// Adds the time since the last call to the position's.
    fn count_time(&mut self, engine: &Timed<'_>) {
        let passed = self.counted.elapsed();
        self.counted += passed;
        let seconds = |duration: Duration| duration.as_secs_f64();
        self.position.elapsed_s += seconds(passed);
        self.position.epoch_s += seconds(passed);
        self.position.engine_s += seconds(engine.take());
    }

    /// Between two steps: puts everything away and ends with the reason, when there is one.
    fn stop_if_asked(&mut self, engine: &mut Timed<'_>) -> Result<()> {
        let Some(reason) = self.stop.reason() else {
            return Ok(());
        };
        self.count_time(engine);
        let (epoch, step) = (self.position.epoch, self.position.step);
        self.saving.record(Event::Stopped(Stopped {
            reason,
            epoch,
            step,
        }))?;
        let (snapshot, weights) = (self.snapshot(engine)?, engine.state()?);
        self.saving.write(move |writer| {
            writer.run.replace(LAST_WEIGHTS, &weights.to_bytes())?;
            writer.checkpoint(&snapshot)
        })?;
        self.saving.finish()?;
        self.progress.finish();
        let place = format!(
            "in epoch {epoch} after step {step}; to continue: juggle train {} --run {} --resume",
            self.config.kind,
            self.run.path().display()
        );
        Err(match reason {
            StopReason::TimeLimit => TimeIsUp(place).into(),
            _ => Interrupted(place).into(),
        })
    }
}

fn is_finite(values: Option<&[f32]>) -> bool {
    values.is_none_or(|values| values.iter().all(|value| value.is_finite()))
}
