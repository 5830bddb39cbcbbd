//! The weights and everything else that the engine remembers from step to step, in and out by PyTorch's names.

use juggle_kernels::Buffer;

use super::CpuEngine;
use super::layout::{Slot, Slots};
use super::plan::Plan;
use crate::state::{State, StateTensor, Values};
use crate::training_state::{AVERAGE, TrainingState, memory_name, moments};

impl CpuEngine {
    /// These parameters and running statistics with the counters.
    pub(super) fn model_state(&self, parameters: &[f32], running: &[f32]) -> State {
        let mut state = State::default();
        for (slots, flat) in [
            (&self.plan.parameters, parameters),
            (&self.plan.running, running),
        ] {
            for slot in &slots.slots {
                state.insert(slot.name.clone(), tensor(slot, flat));
            }
        }
        for (norm, &count) in self.plan.batch_norms.iter().zip(&self.counters) {
            state.insert(counter_name(&norm.name), StateTensor::counter(count));
        }
        state
    }

    pub(super) fn read_memory(&self) -> TrainingState {
        let mut state = TrainingState {
            model: self.model_state(&self.parameters, &self.running),
            optimizer: State::default(),
        };
        state.set_steps(self.moments.steps);
        let mut insert = |what: &str, slots: &Slots, flat: &[f32]| {
            for slot in &slots.slots {
                let name = memory_name(what, &slot.name);
                state.optimizer.insert(name, tensor(slot, flat));
            }
        };
        let flats = [&self.moments.first, &self.moments.second];
        for (what, flat) in moments(self.options.optimizer).iter().zip(flats) {
            insert(what, &self.plan.parameters, flat);
        }
        if let Some((parameters, running)) = &self.ema {
            insert(AVERAGE, &self.plan.parameters, parameters);
            insert(AVERAGE, &self.plan.running, running);
        }
        state
    }

    /// Takes over a state that was checked.
    pub(super) fn write_memory(&mut self, state: &TrainingState) {
        let pack = |what: &str, slots: &Slots| {
            let mut flat = Buffer::zeros(slots.len);
            for slot in &slots.slots {
                slot.pack(state.memory(what, &slot.name), &mut flat);
            }
            flat
        };
        self.parameters = self.plan.parameters.pack(&state.model);
        self.running = self.plan.running.pack(&state.model);
        self.counters = counters(&self.plan, &state.model);
        self.moments.steps = state.checked_steps();
        let flats = [&mut self.moments.first, &mut self.moments.second];
        for (what, flat) in moments(self.options.optimizer).iter().zip(flats) {
            *flat = pack(what, &self.plan.parameters);
        }
        self.ema = state.has_average(&self.options).then(|| {
            let parameters = pack(AVERAGE, &self.plan.parameters);
            (parameters, pack(AVERAGE, &self.plan.running))
        });
        self.folded.take();
    }
}

/// The counters of the batch normalisations, in the plan's order.
pub(super) fn counters(plan: &Plan, state: &State) -> Vec<i64> {
    let counters = plan.batch_norms.iter().map(|norm| {
        let counter = state.get(&counter_name(&norm.name));
        match counter.map(|tensor| &tensor.values) {
            Some(Values::I64(values)) => values[0],
            _ => 0,
        }
    });
    counters.collect()
}

fn counter_name(norm: &str) -> String {
    format!("{norm}.num_batches_tracked")
}

fn tensor(slot: &Slot, flat: &[f32]) -> StateTensor {
    StateTensor::floats(slot.shape.clone(), slot.unpack(flat))
}
