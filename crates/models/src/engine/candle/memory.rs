//! The weights and everything else that the engine remembers from step to step, in and out.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::update::{Moment, part};
use super::{CandleEngine, values};
use crate::state::{State, StateTensor, Values};
use crate::training_state::{AVERAGE, TrainingState, memory_name, moments};
use crate::{Optimizer, Result};

impl CandleEngine {
    /// These parameters and running statistics with the counters.
    pub(super) fn model_state(&self, weights: BTreeMap<String, Tensor>) -> Result<State> {
        let mut state = State::default();
        for (name, tensor) in weights {
            state.insert(name, floats(&tensor)?);
        }
        for (name, &count) in &self.counters {
            state.insert(name.clone(), StateTensor::counter(count));
        }
        Ok(state)
    }

    pub(super) fn read_memory(&self) -> Result<TrainingState> {
        let mut state = TrainingState {
            model: self.model_state(self.raw_weights())?,
            optimizer: State::default(),
        };
        state.set_steps(self.moments.steps);
        let moment = self.moments.moment.as_ref();
        let pair = moment.map(|moment| [&moment.first, &moment.second]);
        for (i, what) in moments(self.options.optimizer).iter().enumerate() {
            let mut first = 0;
            for (name, var) in &self.parameters {
                let values = match pair {
                    Some(pair) => part(pair[i], &mut first, var)?,
                    None => var.zeros_like()?,
                };
                let name = memory_name(what, name);
                state.optimizer.insert(name, floats(&values)?);
            }
        }
        for (name, tensor) in self.ema.iter().flatten() {
            let name = memory_name(AVERAGE, name);
            state.optimizer.insert(name, floats(tensor)?);
        }
        Ok(state)
    }

    /// Takes over a state that was checked.
    pub(super) fn write_memory(&mut self, state: &TrainingState) -> Result<()> {
        let moment = self.moment(state)?;
        let mut parameters = Vec::new();
        for (name, var) in &self.parameters {
            let values = state.model.floats(name).expect("it was checked");
            parameters.push(self.tensor(values, var.shape())?);
        }
        let (mut buffers, mut counters) = (BTreeMap::new(), BTreeMap::new());
        for (name, tensor) in state.model.iter() {
            match &tensor.values {
                Values::I64(values) => {
                    counters.insert(name.to_owned(), values[0]);
                }
                Values::F32(values) if self.buffers.contains_key(name) => {
                    let values = self.tensor(values, tensor.shape.as_slice())?;
                    buffers.insert(name.to_owned(), values);
                }
                Values::F32(_) => {}
            }
        }
        let mut average = BTreeMap::new();
        if state.has_average(&self.options) {
            for (name, tensor) in self.raw_weights() {
                let values = self.tensor(state.memory(AVERAGE, &name), tensor.shape())?;
                average.insert(name, values);
            }
        }
        // Nothing is taken over before everything is on the device.
        for ((_, var), values) in self.parameters.iter().zip(&parameters) {
            var.set(values)?;
        }
        (self.buffers, self.counters) = (buffers, counters);
        self.moments.steps = state.checked_steps();
        self.moments.moment = Some(moment);
        self.ema = (!average.is_empty()).then_some(average);
        Ok(())
    }

    fn moment(&self, state: &TrainingState) -> Result<Moment> {
        let names = moments(self.options.optimizer);
        let read = |what: &str| {
            let memories = self
                .parameters
                .iter()
                .map(|(name, _)| state.memory(what, name));
            let values = memories.collect::<Vec<_>>().concat();
            self.tensor(&values, values.len())
        };
        let first = read(names[0])?;
        let second = match self.options.optimizer {
            Optimizer::Sgd { .. } => first.zeros_like()?,
            _ => read(names[1])?,
        };
        Ok(Moment { first, second })
    }
}

fn floats(tensor: &Tensor) -> Result<StateTensor> {
    Ok(StateTensor::floats(tensor.dims().to_vec(), values(tensor)?))
}
