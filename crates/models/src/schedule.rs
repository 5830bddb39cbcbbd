//! Learning-rate schedules: pure functions of the step, so that resuming needs no state.

use crate::{Error, Result};

/// How the learning rate moves after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScheduleKind {
    /// It stays.
    Constant,
    /// It is multiplied by `gamma` every `every_steps` steps, as `torch.optim.lr_scheduler.StepLR` does.
    Step {
        /// Steps between two multiplications, at least 1.
        every_steps: u64,
        /// The factor.
        gamma: f64,
    },
    /// Half a cosine from the base rate to zero over the steps after the warm-up, as `CosineAnnealingLR` stepped once
    /// a batch.
    Cosine,
}

/// A learning-rate schedule with linear warm-up.
///
/// # Examples
///
/// ```
/// use juggle_models::{Schedule, ScheduleKind};
///
/// let schedule = Schedule { kind: ScheduleKind::Cosine, learning_rate: 0.1, warmup_steps: 10, total_steps: 110 };
/// assert_eq!(schedule.learning_rate_at(0), 0.01);
/// assert_eq!(schedule.learning_rate_at(10), 0.1);
/// assert!((schedule.learning_rate_at(60) - 0.05).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// What happens after the warm-up.
    pub kind: ScheduleKind,
    /// The base rate, reached at the end of the warm-up.
    pub learning_rate: f64,
    /// Steps over which the rate rises linearly from base/`warmup_steps`; 0 for none.
    pub warmup_steps: u64,
    /// Steps of the whole training.
    pub total_steps: u64,
}

impl Schedule {
    /// Checks the values that a user may set.
    ///
    /// # Errors
    /// [`Error::Config`] when the rate is not positive and finite, or a step schedule has no steps or no positive factor.
    pub fn check(&self) -> Result<()> {
        let config = |what, found: String, expected: &str| Error::Config {
            what,
            found,
            expected: expected.to_owned(),
        };
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(config(
                "the learning rate",
                self.learning_rate.to_string(),
                "a number above 0",
            ));
        }
        if let ScheduleKind::Step { every_steps, gamma } = self.kind {
            if every_steps == 0 {
                return Err(config("the schedule's step", "0".to_owned(), "at least 1"));
            }
            if !(gamma.is_finite() && gamma > 0.0) {
                return Err(config(
                    "the schedule's factor",
                    gamma.to_string(),
                    "a number above 0",
                ));
            }
        }
        Ok(())
    }

    /// The rate of the step of this number, counted from 0.
    #[must_use]
    pub fn learning_rate_at(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            return self.learning_rate * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let step = step - self.warmup_steps;
        match self.kind {
            ScheduleKind::Constant => self.learning_rate,
            ScheduleKind::Step { every_steps, gamma } => {
                let drops = i32::try_from(step / every_steps.max(1)).unwrap_or(i32::MAX);
                self.learning_rate * gamma.powi(drops)
            }
            ScheduleKind::Cosine => {
                let length = self.total_steps.saturating_sub(self.warmup_steps).max(1);
                let progress = step.min(length) as f64 / length as f64;
                self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
        }
    }
}
