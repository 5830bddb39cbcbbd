//! How fast a training run goes and how long it will take.

use std::time::{Duration, Instant};

use super::Plan;

/// Counts the work of this process, so that a run which was resumed has a pace of its own.
#[derive(Debug)]
pub(super) struct Pace {
    plan: Plan,
    started: Instant,
    /// Epochs done before this process began, and the part of the one it began in.
    before: f64,
    /// The same now.
    done: f64,
    epoch: usize,
    epoch_started: Instant,
    /// How long the training part of the epoch took, once it is over.
    trained_for: Option<Duration>,
    /// Examples of this epoch that this process trained on.
    examples: usize,
}

impl Pace {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            plan,
            started: Instant::now(),
            before: f64::NAN,
            done: 0.0,
            epoch: 0,
            epoch_started: Instant::now(),
            trained_for: None,
            examples: 0,
        }
    }

    pub(super) fn start_epoch(&mut self, epoch: usize, steps: usize) {
        (self.epoch, self.examples) = (epoch, 0);
        (self.epoch_started, self.trained_for) = (Instant::now(), None);
        let done = steps as f64 / self.plan.steps_per_epoch.max(1) as f64;
        self.done = (epoch - 1) as f64 + done;
        if self.before.is_nan() {
            (self.started, self.before) = (self.epoch_started, self.done);
        }
    }

    pub(super) fn step(&mut self, examples: usize) {
        self.examples += examples;
        self.done += examples as f64 / self.plan.examples_per_epoch.max(1) as f64;
    }

    pub(super) fn end_training(&mut self) {
        self.trained_for = Some(self.epoch_started.elapsed());
    }

    pub(super) fn end_epoch(&mut self) {
        self.done = self.epoch as f64;
    }

    /// How long this process has been training in this epoch.
    pub(super) fn training_time(&self) -> Duration {
        self.trained_for
            .unwrap_or_else(|| self.epoch_started.elapsed())
    }

    /// Training examples a second in this epoch.
    pub(super) fn images_per_s(&self) -> f64 {
        self.examples as f64 / self.training_time().as_secs_f64().max(1e-9)
    }

    /// How long the rest will take if it goes on as it went; nothing before there is something to go by.
    pub(super) fn left(&self) -> Option<Duration> {
        left(
            self.started.elapsed(),
            self.done - self.before,
            self.plan.epochs as f64 - self.done,
        )
    }
}

/// The time for `left` epochs when `done` epochs took `elapsed`.
fn left(elapsed: Duration, done: f64, left: f64) -> Option<Duration> {
    const ENOUGH: Duration = Duration::from_secs(1);
    if elapsed < ENOUGH || done <= 0.0 {
        return None;
    }
    Duration::try_from_secs_f64(elapsed.as_secs_f64() / done * left.max(0.0)).ok()
}

/// `45s`, `4m 10s`, `2h 05m`.
pub(super) fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_in_proportion() {
        let seconds = Duration::from_secs;
        assert_eq!(left(seconds(30), 1.5, 3.0), Some(seconds(60)));
        assert_eq!(left(seconds(30), 1.5, 0.0), Some(seconds(0)));
        assert_eq!(
            left(Duration::from_millis(900), 1.5, 3.0),
            None,
            "too early"
        );
        assert_eq!(left(seconds(30), 0.0, 3.0), None, "nothing to go by");
        assert_eq!(
            left(seconds(30), 1e-300, 3.0),
            None,
            "longer than a clock can tell"
        );
    }

    #[test]
    fn a_resumed_run_goes_by_its_own_pace() {
        let mut pace = Pace::new(Plan {
            epochs: 10,
            steps_per_epoch: 4,
            examples_per_epoch: 40,
        });
        pace.start_epoch(6, 2);
        assert_eq!((pace.before, pace.done), (5.5, 5.5));
        pace.step(10);
        assert_eq!(pace.done - pace.before, 0.25);
        pace.end_training();
        pace.end_epoch();
        pace.start_epoch(7, 0);
        assert_eq!((pace.before, pace.done), (5.5, 6.0));
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let shown = [9, 61, 3599, 7322].map(|s| in_words(Duration::from_secs(s)));
        assert_eq!(shown, ["9s", "1m 01s", "59m 59s", "2h 02m"]);
    }
}
