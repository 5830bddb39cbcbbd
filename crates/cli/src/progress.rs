//! How long work is told: of training, bars on a terminal, plain lines elsewhere, JSON lines for programs; of files, one bar.

mod live;
mod pace;

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::examples::Score;
use crate::output::{Messages, View};
use live::Live;
use pace::Pace;

/// How much a training run is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) epochs: usize,
    /// Training steps of each epoch.
    pub(crate) steps_per_epoch: usize,
    /// Training examples of each epoch.
    pub(crate) examples_per_epoch: usize,
}

/// One training step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Examples in its batch.
    pub(crate) examples: usize,
    pub(crate) learning_rate: f64,
    /// The mean loss of its batch.
    pub(crate) loss: f64,
    /// The epoch up to and with this step.
    pub(crate) so_far: Score,
}

/// The progress of one training run.
#[derive(Debug)]
pub(crate) struct Progress {
    messages: Messages,
    plan: Plan,
    pace: Pace,
    epoch: usize,
    /// Steps of this epoch that are done.
    steps: usize,
    training_time: Duration,
    screen: Screen,
}

/// Where it is told.
#[derive(Debug)]
enum Screen {
    /// A line an epoch, unless `--quiet`.
    Lines,
    Live(Box<Live>),
    /// A JSON object an epoch and, at most once a second, a step.
    Json {
        last: Instant,
    },
}

impl Progress {
    pub(crate) fn new(messages: Messages, plan: Plan) -> Self {
        Self {
            messages,
            plan,
            pace: Pace::new(plan),
            epoch: 0,
            steps: 0,
            training_time: Duration::ZERO,
            screen: match messages.view {
                View::Live => Screen::Live(Box::new(Live::new(messages.color, plan))),
                View::Json => Screen::Json {
                    last: Instant::now(),
                },
                View::Plain | View::Nothing => Screen::Lines,
            },
        }
    }

    /// The run goes on after others of its epochs, of which one was the best so far, with its validation loss.
    pub(crate) fn resume(&mut self, best: Option<(usize, f64)>) {
        if let Screen::Live(live) = &mut self.screen {
            live.resume(best);
        }
    }

    /// Training examples a second in this epoch.
    pub(crate) fn images_per_s(&self) -> f64 {
        self.pace.images_per_s()
    }

    /// An epoch begins, or goes on after `steps` of its steps that were done before.
    pub(crate) fn start_epoch(&mut self, epoch: usize, steps: usize) {
        (self.epoch, self.steps) = (epoch, steps);
        self.pace.start_epoch(epoch, steps);
        if let Screen::Live(live) = &mut self.screen {
            live.start_epoch(epoch, steps);
        }
    }

    pub(crate) fn step(&mut self, step: Step) {
        self.steps += 1;
        self.pace.step(step.examples);
        match &mut self.screen {
            Screen::Lines => {}
            Screen::Live(live) => live.step(self.steps, &step, &self.pace),
            Screen::Json { last } if last.elapsed() < Duration::from_secs(1) => {}
            Screen::Json { last } => {
                *last = Instant::now();
                let line = json!({
                    "kind": "step",
                    "epoch": self.epoch,
                    "epochs": self.plan.epochs,
                    "step": self.steps,
                    "steps": self.plan.steps_per_epoch,
                    "learning_rate": step.learning_rate,
                    "loss": step.loss,
                    "so_far": step.so_far,
                    "images_per_s": self.pace.images_per_s(),
                    "left_s": self.pace.left().map(|left| left.as_secs_f64()),
                });
                self.messages.line(line);
            }
        }
    }

    /// Training is through, validation begins.
    pub(crate) fn start_validation(&mut self) {
        self.pace.end_training();
        self.training_time = self.pace.training_time();
        if let Screen::Live(live) = &mut self.screen {
            live.start_validation();
        }
    }

    pub(crate) fn end_epoch(&mut self, train: Score, val: Score, is_best: bool) {
        self.pace.end_epoch();
        let line = format!(
            "epoch {}  train {}  val {}  {:.0} images/s{}",
            count(self.epoch, self.plan.epochs),
            describe(train),
            describe(val),
            self.pace.images_per_s(),
            if is_best { "  best" } else { "" }
        );
        match &mut self.screen {
            Screen::Lines => self.messages.note(line),
            Screen::Live(live) => live.end_epoch(train, val, is_best, &self.pace),
            Screen::Json { .. } => self.messages.line(self.epoch_as_json(train, val, is_best)),
        }
    }

    /// Takes the bars away, so that what is printed next stands alone.
    pub(crate) fn finish(&self) {
        if let Screen::Live(live) = &self.screen {
            live.finish();
        }
    }

    fn epoch_as_json(&self, train: Score, val: Score, is_best: bool) -> Value {
        json!({
            "kind": "epoch",
            "epoch": self.epoch,
            "epochs": self.plan.epochs,
            "train": train,
            "val": val,
            "is_best": is_best,
            "training_s": self.training_time.as_secs_f64(),
            "images_per_s": self.pace.images_per_s(),
            "left_s": self.pace.left().map(|left| left.as_secs_f64()),
        })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // An error must not be printed onto a half-drawn bar.
        self.finish();
    }
}

/// ` 3/25`: as wide for every number.
fn count(n: usize, of: usize) -> String {
    let width = of.to_string().len();
    format!("{n:>width$}/{of}")
}

/// The progress of work on files; it goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Files {
    bar: ProgressBar,
}

impl Files {
    pub(crate) fn new(messages: Messages, n: usize) -> Self {
        let bar = bar(messages, "{pos}/{len} images", "{eta} left");
        bar.set_length(n as u64);
        Self { bar }
    }

    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar between two texts, hidden where none may be drawn.
fn bar(messages: Messages, before: &str, after: &str) -> ProgressBar {
    let bar = if messages.draws_bars() {
        ProgressBar::new(0)
    } else {
        ProgressBar::hidden()
    };
    let bar_color = if messages.color { ":.cyan" } else { "" };
    // The bar takes what the text leaves, so that a line is never wider than the terminal.
    let template = format!("{before}  {{wide_bar{bar_color}}}  {after}");
    bar.set_style(
        ProgressStyle::with_template(&template).expect("the template is fixed and well formed"),
    );
    bar
}

/// A score in words, for one line.
pub(crate) fn describe(score: Score) -> String {
    let mut text = format!("loss {:.5}", score.loss);
    if let Some(accuracy) = score.accuracy {
        text += &format!("  accuracy {accuracy:.4}");
    }
    if let Some(psnr_db) = score.psnr_db {
        text += &format!("  PSNR {psnr_db:.2} dB");
    }
    text
}
