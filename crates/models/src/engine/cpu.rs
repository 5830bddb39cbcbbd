//! The engine on our own kernels: CPU only, no autograd, the same bits on every run, thread count and instruction set.
//!
//! A network becomes a plan once: where every layer's output lies, and a list of operations on these places
//! (`cpu/plan.rs`, `cpu/fuse.rs`, `cpu/places.rs`, `cpu/layout.rs`). A training step brings the weights into the forms that
//! the kernels want (`cpu/prepared.rs`), runs a program of the plan (`cpu/program.rs`) on eight chunks of the batch
//! (`cpu/chunk.rs`, `cpu/backward.rs`, `cpu/winograd.rs`, `cpu/linear.rs`), sums their gradients in order (`cpu/step.rs`) and
//! moves the weights (`cpu/update.rs`). What it remembers from step to step goes in and out in `cpu/memory.rs`.

mod backward;
mod chunk;
mod fuse;
mod inference;
mod layout;
mod linear;
mod memory;
mod places;
mod plan;
mod prepared;
mod program;
mod step;
mod update;
mod winograd;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use juggle_kernels::{Buffer, Level, optimizer};

use self::inference::{Folded, Inference};
use self::plan::{Plan, Purpose};
use self::program::Program;
use self::step::{Batch, Workspace};
use self::update::{Moments, norm, rounded};
use super::{
    Engine, Gradients, StepOutput, TrainingOptions, check_images, check_options, clip_factor,
};
use crate::network::{BATCH_NORM_MOMENTUM, Network};
use crate::{Error, Loss, Result, State, Targets, TrainingState};

/// A network with its weights on the CPU, ready to train and to predict.
///
/// # Examples
///
/// ```
/// use juggle_models::{
///     CnnConfig, CpuEngine, Engine, Loss, Optimizer, Targets, TrainingOptions, cnn, initialize,
/// };
///
/// let network = cnn(&CnnConfig { n_classes: 2, in_channels: 1, height: 8, width: 8, batch_norm: false })?;
/// let options = TrainingOptions {
///     loss: Loss::CrossEntropy { label_smoothing: 0.0 },
///     optimizer: Optimizer::Adam { weight_decay: 0.0 },
///     ema_decay: None,
///     clip_norm: None,
/// };
/// let mut engine = CpuEngine::new(&network, &initialize(&network, 0), options)?;
///
/// let images = [vec![0.1; 64], vec![0.9; 64]].concat();
/// let first = engine.train_step(&images, Targets::Labels(&[0, 1]), 1e-2)?.loss;
/// for _ in 0..20 {
///     engine.train_step(&images, Targets::Labels(&[0, 1]), 1e-2)?;
/// }
/// let last = engine.train_step(&images, Targets::Labels(&[0, 1]), 1e-2)?.loss;
/// assert!(last < first);
/// assert_eq!(engine.forward(&images)?.len(), 2 * 2);
/// # Ok::<(), juggle_models::Error>(())
/// ```
#[derive(Debug)]
pub struct CpuEngine {
    network: Network,
    options: TrainingOptions,
    level: Level,
    plan: Plan,
    program: Program,
    inference: Inference,
    parameters: Buffer,
    running: Buffer,
    /// Of each batch normalisation, in the plan's order.
    counters: Vec<i64>,
    moments: Moments,
    /// Averages of the parameters and the running statistics.
    ema: Option<(Buffer, Buffer)>,
    workspace: Mutex<Workspace>,
    /// What [`Engine::forward`] computes with, until the weights move again.
    folded: OnceLock<Folded>,
}

impl CpuEngine {
    /// An engine that begins with the given state and uses the fastest instructions of this processor.
    ///
    /// # Errors
    /// [`Error::State`] when the state is another network's, [`Error::Config`] for options out of range.
    pub fn new(network: &Network, state: &State, options: TrainingOptions) -> Result<Self> {
        Self::with_level(network, state, options, Level::best())
    }

    /// An engine that uses the given instructions; the results are the same bits.
    ///
    /// # Errors
    /// As [`CpuEngine::new`].
    pub fn with_level(
        network: &Network,
        state: &State,
        options: TrainingOptions,
        level: Level,
    ) -> Result<Self> {
        state.check(network).map_err(|reason| Error::State {
            path: "the state".into(),
            reason,
        })?;
        check_options(&options)?;
        check_output(network, options.loss)?;
        let plan = Plan::new(network, Purpose::Training);
        let program = Program::training(&plan);
        Ok(Self {
            network: network.clone(),
            options,
            level,
            inference: Inference::new(Plan::new(network, Purpose::Inference)),
            parameters: plan.parameters.pack(state),
            running: plan.running.pack(state),
            counters: memory::counters(&plan, state),
            moments: Moments::new(plan.parameters.len),
            ema: None,
            workspace: Mutex::new(Workspace::new(&plan, &program)),
            program,
            folded: OnceLock::new(),
            plan,
        })
    }

    fn pass(&self, workspace: &mut Workspace, inputs: &[f32], targets: Targets<'_>) -> Result<f64> {
        let n = check_images(&self.network, inputs)?;
        let loss = self.options.loss;
        loss.check(n, self.network.output_shape().iter().product(), &targets)?;
        let batch = Batch {
            inputs,
            loss,
            targets,
            n,
        };
        Ok(workspace.pass(
            (&self.plan, &self.program, self.level),
            &self.parameters,
            &batch,
        ))
    }

    /// One training step; leaves the outputs in the workspace and gives back the loss and the gradient's norm.
    fn step(
        &mut self,
        inputs: &[f32],
        targets: Targets<'_>,
        learning_rate: f64,
    ) -> Result<(f64, Option<f64>)> {
        let slot = self.workspace.get_mut();
        let slot = slot.unwrap_or_else(PoisonError::into_inner);
        let mut workspace = std::mem::replace(slot, Workspace::empty());
        let result = self.pass(&mut workspace, inputs, targets).map(|loss| {
            let norm = self.options.clip_norm.map(|_| norm(&workspace.gradient));
            if loss.is_finite() && norm.is_none_or(f64::is_finite) {
                self.clip(&mut workspace.gradient, norm);
                self.update_running(&workspace, inputs.len() / image_len(&self.network));
                let values = (&mut *self.parameters, &*workspace.gradient);
                self.moments
                    .update(self.level, self.options.optimizer, values, learning_rate);
                self.update_ema();
                self.folded.take();
            }
            workspace.holds_a_step = true;
            (loss, norm)
        });
        let slot = self.workspace.get_mut();
        *slot.unwrap_or_else(PoisonError::into_inner) = workspace;
        result
    }

    fn clip(&self, gradient: &mut [f32], norm: Option<f64>) {
        if let (Some(clip_norm), Some(norm)) = (self.options.clip_norm, norm) {
            let factor = rounded(clip_factor(clip_norm, norm));
            gradient.iter_mut().for_each(|x| *x *= factor);
        }
    }

    fn update_running(&mut self, workspace: &Workspace, n: usize) {
        let share = rounded(BATCH_NORM_MOMENTUM);
        let kept = rounded(1.0 - BATCH_NORM_MOMENTUM);
        for (index, tensors) in self.plan.batch_norms.iter().enumerate() {
            let norm = &workspace.norms[index];
            let count = n * workspace.area(&self.plan, index);
            // One value has no spread: PyTorch divides by zero there, we keep the biased zero.
            let unbias = rounded(count as f64 / (count - 1).max(1) as f64);
            for (range, newest, factor) in [
                (&tensors.mean, &norm.mean, 1.0),
                (&tensors.variance, &norm.variance, unbias),
            ] {
                for (running, &newest) in self.running[range.clone()].iter_mut().zip(newest) {
                    *running = *running * kept + newest * factor * share;
                }
            }
            self.counters[index] += 1;
        }
    }

    fn update_ema(&mut self) {
        let Some(decay) = self.options.ema_decay else {
            return;
        };
        let Some((parameters, running)) = &mut self.ema else {
            self.ema = Some((self.parameters.clone(), self.running.clone()));
            return;
        };
        let factors = (rounded(decay), rounded(1.0 - decay));
        optimizer::average(self.level, factors, parameters, &self.parameters);
        optimizer::average(self.level, factors, running, &self.running);
    }

    /// Each parameter's part of a gradient, in the parameter's layout.
    fn unpacked(&self, gradient: &Buffer) -> BTreeMap<String, Vec<f32>> {
        let slots = self.plan.parameters.slots.iter();
        slots
            .map(|slot| (slot.name.clone(), slot.unpack(gradient)))
            .collect()
    }

    fn evaluation_weights(&self) -> (&Buffer, &Buffer) {
        match &self.ema {
            Some((parameters, running)) => (parameters, running),
            None => (&self.parameters, &self.running),
        }
    }
}

impl Engine for CpuEngine {
    fn train_step(
        &mut self,
        inputs: &[f32],
        targets: Targets<'_>,
        learning_rate: f64,
    ) -> Result<StepOutput<'_>> {
        // On a thread of the pool from beginning to end: from outside, each parallel part would wake one and wait for it.
        let step = rayon::scope(|_| self.step(inputs, targets, learning_rate));
        let (loss, gradient_norm) = step?;
        let workspace = self.workspace.get_mut();
        Ok(StepOutput {
            loss,
            outputs: &workspace.unwrap_or_else(PoisonError::into_inner).outputs,
            gradient_norm,
        })
    }

    fn gradients(&self, inputs: &[f32], targets: Targets<'_>) -> Result<Gradients> {
        let mut workspace = self
            .workspace
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let loss = self.pass(&mut workspace, inputs, targets)?;
        workspace.holds_a_step = false;
        Ok(Gradients {
            loss,
            outputs: workspace.outputs.clone(),
            parameters: self.unpacked(&workspace.gradient),
        })
    }

    fn last_gradients(&self) -> Result<Option<BTreeMap<String, Vec<f32>>>> {
        let workspace = self
            .workspace
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let gradient = workspace.holds_a_step.then_some(&workspace.gradient);
        Ok(gradient.map(|gradient| self.unpacked(gradient)))
    }

    fn forward(&self, inputs: &[f32]) -> Result<Vec<f32>> {
        let n = check_images(&self.network, inputs)?;
        let folded = self.folded.get_or_init(|| {
            let (parameters, running) = self.evaluation_weights();
            self.inference.fold(self.level, parameters, running)
        });
        Ok(self.inference.forward(self.level, folded, inputs, n))
    }

    fn state(&self) -> Result<State> {
        let (parameters, running) = self.evaluation_weights();
        Ok(self.model_state(parameters, running))
    }

    fn training_state(&self) -> Result<TrainingState> {
        Ok(self.read_memory())
    }

    fn restore(&mut self, state: &TrainingState) -> Result<()> {
        state.check(&self.network, &self.options)?;
        self.write_memory(state);
        Ok(())
    }
}

fn image_len(network: &Network) -> usize {
    network.input_shape().iter().product()
}

/// Cross-entropy needs one vector of logits an image.
fn check_output(network: &Network, loss: Loss) -> Result<()> {
    match (loss, network.output_shape()) {
        (Loss::CrossEntropy { .. }, shape) if shape.len() != 1 => Err(Error::Config {
            what: "the network's output",
            found: format!("of shape {shape:?}"),
            expected: "a vector of logits for the cross-entropy loss".to_owned(),
        }),
        _ => Ok(()),
    }
}
