//! How long work is told: a bar on a terminal; of training, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::examples::Score;
use crate::output::Messages;

/// The progress of one training run.
#[derive(Debug)]
pub(crate) struct Progress {
    messages: Messages,
    epochs: usize,
    bar: ProgressBar,
    started: Instant,
    examples: usize,
}

impl Progress {
    pub(crate) fn new(messages: Messages, epochs: usize) -> Self {
        Self {
            messages,
            epochs,
            bar: bar(messages, "{prefix}", "{msg}"),
            started: Instant::now(),
            examples: 0,
        }
    }

    pub(crate) fn start_epoch(&mut self, epoch: usize, examples: usize) {
        self.started = Instant::now();
        self.examples = 0;
        self.bar.set_length(examples as u64);
        self.bar.set_position(0);
        self.bar.set_message("");
        self.bar.set_prefix(self.label(epoch));
    }

    pub(crate) fn step(&mut self, examples: usize, so_far: Score) {
        self.examples += examples;
        self.bar.set_message(format!(
            "{}  {}",
            describe(so_far),
            self.rate(self.started.elapsed())
        ));
        self.bar.set_position(self.examples as u64);
    }

    /// Training is through, validation begins.
    pub(crate) fn start_validation(&mut self) -> Duration {
        self.bar.set_message("validating");
        self.started.elapsed()
    }

    pub(crate) fn end_epoch(
        &self,
        epoch: usize,
        train: Score,
        val: Score,
        training_time: Duration,
        best: bool,
    ) {
        let line = format!(
            "{}  train {}  val {}  {}{}",
            self.label(epoch),
            describe(train),
            describe(val),
            self.rate(training_time),
            if best { "  best" } else { "" }
        );
        self.bar.suspend(|| self.messages.note(line));
    }

    /// Takes the bar away, so that what is printed next stands alone.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn label(&self, epoch: usize) -> String {
        let width = self.epochs.to_string().len();
        format!("epoch {epoch:>width$}/{}", self.epochs)
    }

    fn rate(&self, elapsed: Duration) -> String {
        let rate = self.examples as f64 / elapsed.as_secs_f64().max(1e-9);
        format!("{rate:.0} images/s")
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // An error must not be printed onto a half-drawn bar.
        self.finish();
        self.bar.set_draw_target(ProgressDrawTarget::hidden());
    }
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
