//! The engine on candle: its tensors and its autograd, on CUDA, Metal, and the CPU as reference.
//!
//! Where candle 0.11's gradients differ from PyTorch's (ReLU at zero, max-pooling, upsampling), the layers are built
//! from candle operations whose gradients are right; see `candle/layers.rs`. The CPU's convolution is our own
//! operation under candle's autograd; see `candle/conv.rs`.

mod conv;
mod layers;
mod memory;
mod update;

use std::collections::BTreeMap;

use candle_core::{DType, Tensor, Var};

use self::layers::{BatchStatistics, Mode};
use self::update::Moments;
use super::{
    Engine, Gradients, Precision, StepOutput, TrainingOptions, check_images, check_options,
    clip_factor,
};
use crate::network::{BATCH_NORM_MOMENTUM, Network};
use crate::state::Values;
use crate::{Device, Error, Loss, Result, State, Targets, TrainingState};

/// A network with its weights, ready to train and to predict.
///
/// Images go in as NCHW slices of any batch size, values in [0, 1] by convention; outputs come back as row-major slices.
///
/// # Examples
///
/// ```
/// use juggle_models::{
///     CandleEngine, CnnConfig, Device, Engine, Loss, Optimizer, Targets, TrainingOptions, cnn, initialize,
/// };
///
/// let network = cnn(&CnnConfig { n_classes: 2, in_channels: 1, height: 8, width: 8, batch_norm: false })?;
/// let options = TrainingOptions {
///     loss: Loss::CrossEntropy { label_smoothing: 0.0 },
///     optimizer: Optimizer::Adam { weight_decay: 0.0 },
///     ema_decay: None,
///     clip_norm: None,
/// };
/// let mut engine = CandleEngine::new(&network, &initialize(&network, 0), options, Device::Cpu)?;
///
/// let (dark, bright) = (vec![0.1; 64], vec![0.9; 64]);
/// let images = [dark, bright].concat();
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
pub struct CandleEngine {
    network: Network,
    options: TrainingOptions,
    device: candle_core::Device,
    dtype: DType,
    parameters: Vec<(String, Var)>,
    buffers: BTreeMap<String, Tensor>,
    counters: BTreeMap<String, i64>,
    moments: Moments,
    ema: Option<BTreeMap<String, Tensor>>,
    /// Of the last training step, in the order of the parameters; none before the first.
    gradients: Vec<Tensor>,
    /// Of the last training step.
    outputs: Vec<f32>,
}

/// A training-mode pass with its gradients still on the device.
struct Pass {
    loss: Tensor,
    outputs: Tensor,
    gradients: Vec<Tensor>,
    statistics: Vec<BatchStatistics>,
}

impl CandleEngine {
    /// An engine in `f32` that begins with the given state.
    ///
    /// # Errors
    /// [`Error::Device`], [`Error::State`] when the state is another network's, [`Error::Config`] for options out of range.
    pub fn new(
        network: &Network,
        state: &State,
        options: TrainingOptions,
        device: Device,
    ) -> Result<Self> {
        Self::with_precision(network, state, options, device, Precision::F32)
    }

    /// An engine that computes in the given precision; states and slices stay `f32`.
    ///
    /// # Errors
    /// As [`CandleEngine::new`].
    pub fn with_precision(
        network: &Network,
        state: &State,
        options: TrainingOptions,
        device: Device,
        precision: Precision,
    ) -> Result<Self> {
        state.check(network).map_err(|reason| Error::State {
            path: "the state".into(),
            reason,
        })?;
        check_options(&options)?;
        let dtype = match precision {
            Precision::F32 => DType::F32,
            Precision::F64 => DType::F64,
        };
        let mut engine = Self {
            network: network.clone(),
            options,
            device: device.resolve()?,
            dtype,
            parameters: Vec::new(),
            buffers: BTreeMap::new(),
            counters: BTreeMap::new(),
            moments: Moments::default(),
            ema: None,
            gradients: Vec::new(),
            outputs: Vec::new(),
        };
        for spec in network.tensors() {
            let Some(tensor) = state.get(&spec.name) else {
                unreachable!("the check above found every tensor");
            };
            match &tensor.values {
                Values::I64(values) => {
                    engine.counters.insert(spec.name, values[0]);
                }
                Values::F32(values) => {
                    let values = engine.tensor(values, tensor.shape.as_slice())?;
                    if spec.initial.is_parameter() {
                        engine
                            .parameters
                            .push((spec.name, Var::from_tensor(&values)?));
                    } else {
                        engine.buffers.insert(spec.name, values);
                    }
                }
            }
        }
        Ok(engine)
    }

    fn pass(&self, inputs: &[f32], targets: Targets<'_>) -> Result<Pass> {
        let xs = self.images(inputs)?;
        let n = xs.dim(0)?;
        self.options
            .loss
            .check(n, self.network.output_shape().iter().product(), &targets)?;
        let weights = self
            .parameters
            .iter()
            .map(|(name, var)| (name.clone(), var.as_tensor().clone()))
            .collect();
        let (outputs, statistics) = layers::forward(&self.network, &xs, &weights, Mode::Training)?;
        let loss = self.loss(&outputs, targets)?;
        let mut store = loss.backward()?;
        let mut gradients = Vec::with_capacity(self.parameters.len());
        for (_, var) in &self.parameters {
            gradients.push(match store.remove(var) {
                // A gradient may carry the graph it was computed in; in the optimiser's memory it would keep every
                // step's activations alive.
                Some(gradient) => gradient.detach(),
                // A bias that only feeds batch normalisation is outside the graph: its gradient is exactly zero.
                None => var.zeros_like()?,
            });
        }
        Ok(Pass {
            loss: loss.detach(),
            outputs: outputs.detach(),
            gradients,
            statistics,
        })
    }

    fn loss(&self, outputs: &Tensor, targets: Targets<'_>) -> Result<Tensor> {
        Ok(match (self.options.loss, targets) {
            (Loss::CrossEntropy { label_smoothing }, Targets::Labels(labels)) => {
                let labels = Tensor::from_slice(labels, labels.len(), &self.device)?;
                let log_probabilities = candle_nn::ops::log_softmax(outputs, 1)?;
                let nll = candle_nn::loss::nll(&log_probabilities, &labels)?;
                if label_smoothing == 0.0 {
                    nll
                } else {
                    let mean = log_probabilities.mean_all()?.neg()?;
                    ((nll * (1.0 - label_smoothing))? + (mean * label_smoothing)?)?
                }
            }
            (Loss::MeanSquaredError, Targets::Images(images)) => {
                candle_nn::loss::mse(outputs, &self.tensor(images, outputs.shape())?)?
            }
            _ => unreachable!("the loss and its targets were checked before the pass"),
        })
    }

    fn clip(&self, gradients: &mut [Tensor], norm: Option<f64>) -> Result<()> {
        if let (Some(clip_norm), Some(norm)) = (self.options.clip_norm, norm) {
            let factor = clip_factor(clip_norm, norm);
            for gradient in gradients {
                *gradient = (&*gradient * factor)?;
            }
        }
        Ok(())
    }

    fn update_buffers(&mut self, statistics: Vec<BatchStatistics>) -> Result<()> {
        for BatchStatistics {
            layer,
            mean,
            unbiased_variance,
        } in statistics
        {
            for (name, newest) in [("running_mean", mean), ("running_var", unbiased_variance)] {
                let running = self
                    .buffers
                    .get_mut(&format!("{layer}.{name}"))
                    .expect("the layer has its buffers");
                let kept = (&*running * (1.0 - BATCH_NORM_MOMENTUM))?;
                *running = (kept + (newest * BATCH_NORM_MOMENTUM)?)?;
            }
            *self
                .counters
                .get_mut(&format!("{layer}.num_batches_tracked"))
                .expect("the layer has its counter") += 1;
        }
        Ok(())
    }

    /// Gradients by the names of their parameters.
    fn by_name(&self, gradients: &[Tensor]) -> Result<BTreeMap<String, Vec<f32>>> {
        let named = self.parameters.iter().zip(gradients);
        named
            .map(|((name, _), gradient)| Ok((name.clone(), values(gradient)?)))
            .collect()
    }

    fn update_ema(&mut self) -> Result<()> {
        let Some(decay) = self.options.ema_decay else {
            return Ok(());
        };
        let newest = self.raw_weights();
        let Some(average) = &mut self.ema else {
            // A variable changes in place, so the first average must be a copy.
            let copies = newest
                .into_iter()
                .map(|(name, tensor)| Ok((name, tensor.copy()?)));
            self.ema = Some(copies.collect::<candle_core::Result<_>>()?);
            return Ok(());
        };
        for (name, tensor) in newest {
            let averaged = average
                .get_mut(&name)
                .expect("the average began with every tensor");
            *averaged = ((&*averaged * decay)? + (tensor * (1.0 - decay))?)?;
        }
        Ok(())
    }

    /// Parameters and running statistics as they are, outside the autograd graph.
    fn raw_weights(&self) -> BTreeMap<String, Tensor> {
        let parameters = self
            .parameters
            .iter()
            .map(|(name, var)| (name.clone(), var.as_detached_tensor()));
        parameters
            .chain(
                self.buffers
                    .iter()
                    .map(|(name, tensor)| (name.clone(), tensor.clone())),
            )
            .collect()
    }

    fn evaluation_weights(&self) -> BTreeMap<String, Tensor> {
        self.ema.clone().unwrap_or_else(|| self.raw_weights())
    }

    fn images(&self, inputs: &[f32]) -> Result<Tensor> {
        let n = check_images(&self.network, inputs)?;
        let [c, h, w] = self.network.input_shape();
        self.tensor(inputs, (n, c, h, w))
    }

    fn tensor(&self, values: &[f32], shape: impl Into<candle_core::Shape>) -> Result<Tensor> {
        Ok(Tensor::from_slice(values, shape, &self.device)?.to_dtype(self.dtype)?)
    }
}

impl Engine for CandleEngine {
    fn train_step(
        &mut self,
        inputs: &[f32],
        targets: Targets<'_>,
        learning_rate: f64,
    ) -> Result<StepOutput<'_>> {
        let mut pass = self.pass(inputs, targets)?;
        let loss = scalar(&pass.loss)?;
        let gradient_norm = match self.options.clip_norm {
            Some(_) => Some(norm(&pass.gradients)?),
            None => None,
        };
        if loss.is_finite() && gradient_norm.is_none_or(f64::is_finite) {
            self.clip(&mut pass.gradients, gradient_norm)?;
            self.update_buffers(pass.statistics)?;
            self.moments.update(
                self.options.optimizer,
                &self.parameters,
                &pass.gradients,
                learning_rate,
            )?;
            self.update_ema()?;
        }
        self.outputs = values(&pass.outputs)?;
        self.gradients = pass.gradients;
        Ok(StepOutput {
            loss,
            outputs: &self.outputs,
            gradient_norm,
        })
    }

    fn gradients(&self, inputs: &[f32], targets: Targets<'_>) -> Result<Gradients> {
        let pass = self.pass(inputs, targets)?;
        Ok(Gradients {
            loss: scalar(&pass.loss)?,
            outputs: values(&pass.outputs)?,
            parameters: self.by_name(&pass.gradients)?,
        })
    }

    fn last_gradients(&self) -> Result<Option<BTreeMap<String, Vec<f32>>>> {
        if self.gradients.is_empty() {
            return Ok(None);
        }
        self.by_name(&self.gradients).map(Some)
    }

    fn forward(&self, inputs: &[f32]) -> Result<Vec<f32>> {
        let xs = self.images(inputs)?;
        let (outputs, _) = layers::forward(
            &self.network,
            &xs,
            &self.evaluation_weights(),
            Mode::Evaluation,
        )?;
        values(&outputs)
    }

    fn state(&self) -> Result<State> {
        self.model_state(self.evaluation_weights())
    }

    fn training_state(&self) -> Result<TrainingState> {
        self.read_memory()
    }

    fn restore(&mut self, state: &TrainingState) -> Result<()> {
        state.check(&self.network, &self.options)?;
        self.write_memory(state)
    }
}

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?)
}

fn scalar(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.to_dtype(DType::F64)?.to_scalar()?)
}

/// The Euclidean norm over all tensors: one sum of squares a tensor on the device, then added in f64.
fn norm(tensors: &[Tensor]) -> Result<f64> {
    let sums = tensors.iter().map(|tensor| tensor.sqr()?.sum_all());
    let sums: Vec<Tensor> = sums.collect::<candle_core::Result<_>>()?;
    let sums: Vec<f64> = Tensor::stack(&sums, 0)?.to_dtype(DType::F64)?.to_vec1()?;
    Ok(sums.iter().sum::<f64>().sqrt())
}

#[cfg(test)]
mod tests;
