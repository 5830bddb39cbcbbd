//! Everything that a training needs to go on, outside any engine.

use crate::network::{Network, TensorSpec};
use crate::state::{State, StateTensor, Values};
use crate::{Error, Optimizer, Result, TrainingOptions};

/// Steps that the optimiser has taken; steps that moved nothing do not count.
const STEPS: &str = "steps";
/// The moving average of a parameter or of a running statistic.
pub(crate) const AVERAGE: &str = "ema";

/// The weights and the optimiser's memory between two steps.
///
/// Both parts are [`State`]s and can be written with [`State::to_bytes`]. `model` is what `load_state_dict(strict=True)`
/// accepts. `optimizer` has the counter `steps` and, named as `torch.optim` does, `exp_avg/NAME` and `exp_avg_sq/NAME` for
/// Adam and AdamW or `momentum_buffer/NAME` for SGD; with a moving average also `ema/NAME` for every parameter and
/// running statistic. Every tensor has the shape of the parameter.
///
/// # Examples
///
/// ```
/// use juggle_models::{
///     CnnConfig, CpuEngine, Engine, Loss, Optimizer, Targets, TrainingOptions, cnn, initialize,
/// };
///
/// let network = cnn(&CnnConfig { n_classes: 2, in_channels: 1, height: 8, width: 8, batch_norm: true })?;
/// let options = TrainingOptions {
///     loss: Loss::CrossEntropy { label_smoothing: 0.0 },
///     optimizer: Optimizer::Adam { weight_decay: 0.0 },
///     ema_decay: Some(0.9),
///     clip_norm: None,
/// };
/// let images = [vec![0.1; 64], vec![0.9; 64]].concat();
/// let step = |engine: &mut CpuEngine| engine.train_step(&images, Targets::Labels(&[0, 1]), 1e-2).map(|step| step.loss);
///
/// let mut engine = CpuEngine::new(&network, &initialize(&network, 0), options)?;
/// step(&mut engine)?;
/// let saved = engine.training_state()?;
/// let expected = [step(&mut engine)?, step(&mut engine)?];
///
/// let mut other = CpuEngine::new(&network, &initialize(&network, 1), options)?;
/// other.restore(&saved)?;
/// assert_eq!([step(&mut other)?, step(&mut other)?], expected);
/// # Ok::<(), juggle_models::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrainingState {
    /// The weights as they are, not averaged, and the buffers of batch normalisations.
    pub model: State,
    /// The optimiser's moments and steps, and the moving averages.
    pub optimizer: State,
}

impl TrainingState {
    /// Steps that the optimiser has taken.
    #[must_use]
    pub fn steps(&self) -> Option<i64> {
        match &self.optimizer.get(STEPS)?.values {
            Values::I64(values) => values.first().copied(),
            Values::F32(_) => None,
        }
    }

    pub(crate) fn set_steps(&mut self, steps: i32) {
        let counter = StateTensor::counter(steps.into());
        self.optimizer.insert(STEPS.to_owned(), counter);
    }

    /// The steps for an engine whose counter is 32 bits wide; it was checked before.
    pub(crate) fn checked_steps(&self) -> i32 {
        let steps = self.steps().map(i32::try_from);
        steps.expect("it was checked").expect("it was checked")
    }

    /// Whether there are moving averages, which begin with the first step.
    pub(crate) fn has_average(&self, options: &TrainingOptions) -> bool {
        options.ema_decay.is_some() && self.steps() != Some(0)
    }

    /// The values of one of the optimiser's tensors, which was checked before.
    pub(crate) fn memory(&self, what: &str, name: &str) -> &[f32] {
        let values = self.optimizer.floats(&memory_name(what, name));
        values.expect("it was checked")
    }

    /// Checks that the tensors are those of a training of this network with these options.
    ///
    /// # Errors
    /// [`Error::State`] that names the first tensor that is missing, not wanted, or of another shape or type, or a weight
    /// that is not finite.
    pub fn check(&self, network: &Network, options: &TrainingOptions) -> Result<()> {
        let misfit = |reason| Error::State {
            path: "the training state".into(),
            reason,
        };
        self.model.check(network).map_err(misfit)?;
        self.check_optimizer(network, options).map_err(misfit)
    }

    fn check_optimizer(&self, network: &Network, options: &TrainingOptions) -> Result<(), String> {
        let steps = self.steps().map(i32::try_from);
        if !matches!(steps, Some(Ok(0..))) {
            return Err(format!(
                "the optimiser's counter `{STEPS}` is missing or out of range"
            ));
        }
        let specs = network.tensors();
        let (mut n, is_parameter) = (1, |spec: &&TensorSpec| spec.initial.is_parameter());
        for what in moments(options.optimizer) {
            for spec in specs.iter().filter(is_parameter) {
                self.check_memory(what, spec)?;
                n += 1;
            }
        }
        if self.has_average(options) {
            for spec in specs.iter().filter(|spec| spec.initial.is_float()) {
                self.check_memory(AVERAGE, spec)?;
                n += 1;
            }
        }
        if self.optimizer.iter().count() != n {
            let found = self.optimizer.iter().count();
            return Err(format!("the optimiser has {found} tensors, expected {n}"));
        }
        Ok(())
    }

    fn check_memory(&self, what: &str, spec: &TensorSpec) -> Result<(), String> {
        let name = memory_name(what, &spec.name);
        let Some(tensor) = self.optimizer.get(&name) else {
            return Err(format!("the optimiser's tensor `{name}` is missing"));
        };
        let (found, expected) = (&tensor.shape, &spec.shape);
        if found != expected || !matches!(tensor.values, Values::F32(_)) {
            return Err(format!(
                "the optimiser's tensor `{name}` is of shape {found:?}, expected floats of shape {expected:?}"
            ));
        }
        Ok(())
    }
}

/// What the optimiser remembers of each parameter, by the names of `torch.optim`.
pub(crate) fn moments(optimizer: Optimizer) -> &'static [&'static str] {
    match optimizer {
        Optimizer::Adam { .. } | Optimizer::AdamW { .. } => &["exp_avg", "exp_avg_sq"],
        Optimizer::Sgd { .. } => &["momentum_buffer"],
    }
}

/// The name of one of the optimiser's tensors.
pub(crate) fn memory_name(what: &str, name: &str) -> String {
    format!("{what}/{name}")
}
