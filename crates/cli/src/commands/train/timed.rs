//! How much of an epoch is spent in the engine, and how large the gradients are at its end.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use juggle_models::{Engine, Result, State, StepOutput, Targets, TrainingState};
use juggle_tracking::Number;
use juggle_tracking::events::Metrics;

/// The gradient of a step, by the name of the parameter.
pub(super) type Gradients = BTreeMap<String, Vec<f32>>;

/// The Euclidean norm of each parameter's gradient.
pub(super) fn norms(gradients: Option<&Gradients>) -> Metrics {
    let norm = |(name, values): (&String, &Vec<f32>)| {
        let squares = values.iter().map(|&x| f64::from(x) * f64::from(x));
        (name.clone(), Number(squares.sum::<f64>().sqrt()))
    };
    gradients.into_iter().flatten().map(norm).collect()
}

/// An engine that adds up the time of its steps and passes. The rest of an epoch is reading, augmenting, scoring, saving.
#[derive(Debug)]
pub(super) struct Timed {
    engine: Box<dyn Engine>,
    spent: Cell<Duration>,
}

impl Timed {
    pub(super) fn new(engine: Box<dyn Engine>) -> Self {
        Self {
            engine,
            spent: Cell::default(),
        }
    }

    /// The time since the last call.
    pub(super) fn take(&self) -> Duration {
        self.spent.take()
    }
}

/// A function of the time alone, since a step's output still borrows the engine.
fn add(spent: &Cell<Duration>, started: Instant) {
    spent.set(spent.get() + started.elapsed());
}

impl Engine for Timed {
    fn train_step(
        &mut self,
        inputs: &[f32],
        targets: Targets<'_>,
        learning_rate: f64,
    ) -> Result<StepOutput<'_>> {
        let started = Instant::now();
        let output = self.engine.train_step(inputs, targets, learning_rate);
        add(&self.spent, started);
        output
    }

    fn gradients(&self, inputs: &[f32], targets: Targets<'_>) -> Result<juggle_models::Gradients> {
        self.engine.gradients(inputs, targets)
    }

    fn last_gradients(&self) -> Result<Option<Gradients>> {
        self.engine.last_gradients()
    }

    fn forward(&self, inputs: &[f32]) -> Result<Vec<f32>> {
        let started = Instant::now();
        let outputs = self.engine.forward(inputs);
        add(&self.spent, started);
        outputs
    }

    fn state(&self) -> Result<State> {
        self.engine.state()
    }

    fn training_state(&self) -> Result<TrainingState> {
        self.engine.training_state()
    }

    fn restore(&mut self, state: &TrainingState) -> Result<()> {
        self.engine.restore(state)
    }
}
