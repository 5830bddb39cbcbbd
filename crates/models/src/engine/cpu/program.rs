//! The order of one training step: forward, loss, backward, cut where the whole batch must meet.
//!
//! Gradients have the places of the values. The first contribution to a gradient writes it, later ones add to it; where
//! the first does not cover the buffer (a part of a concatenation), the buffer is cleared before. The last contribution
//! applies the mask of a joined ReLU, when it reads the value itself; otherwise the mask is a pass of its own.

use juggle_kernels::Accumulate;

use super::plan::{Kind, Operation, Plan};

/// One thing to do with one image, or with all images of a chunk where [`Plan`] says so.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item {
    /// Brings the image into its place.
    Load,
    /// An operation; of a batch normalisation, its second half.
    Forward(usize),
    /// The moments that a batch normalisation needs of the image.
    Moments(usize),
    /// The loss, the gradient of the output, and the output itself.
    Loss,
    /// Clears the gradients in a buffer.
    Clear(usize),
    /// Puts zeros where the ReLU of an operation gave zeros.
    Mask(usize),
    /// The sums that the gradient of a batch normalisation needs of the image.
    Sums(usize),
    /// Adds to the gradients of an operation's weights and bias.
    ParameterGradient(usize),
    /// The gradients of an operation's inputs, as many as there are.
    InputGradient {
        operation: usize,
        into: [PartGradient; 2],
    },
    /// Turns the gradient of a Winograd convolution's products into that of its weights.
    Untransform(usize),
}

impl Item {
    /// Whether it is done once for all images of a chunk.
    pub(super) fn is_for_chunk(&self, plan: &Plan) -> bool {
        match *self {
            Self::Forward(i)
            | Self::ParameterGradient(i)
            | Self::InputGradient { operation: i, .. } => {
                matches!(plan.operations[i].kind, Kind::Linear { .. })
            }
            Self::Untransform(_) => true,
            _ => false,
        }
    }

    /// The buffers whose gradients it reads or writes.
    fn gradients(&self, plan: &Plan) -> Vec<usize> {
        let buffer = |value: usize| plan.values[value].buffer;
        match *self {
            Self::Load | Self::Forward(_) | Self::Moments(_) | Self::Untransform(_) => Vec::new(),
            Self::Loss => vec![buffer(plan.output)],
            Self::Clear(cleared) => vec![cleared],
            Self::Mask(i) | Self::Sums(i) | Self::ParameterGradient(i) => {
                vec![buffer(plan.operations[i].output)]
            }
            Self::InputGradient { operation: i, .. } => {
                let operation = &plan.operations[i];
                let inputs = operation.inputs.iter().map(|part| buffer(part.value));
                inputs.chain([buffer(operation.output)]).collect()
            }
        }
    }
}

/// How the gradient of one input is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartGradient {
    pub(super) accumulate: Accumulate,
    /// Whether zeros are put where the input's ReLU gave zeros.
    pub(super) masked: bool,
}

/// What all images put together before the next phase begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meeting {
    /// A batch normalisation's mean and variance.
    Moments(usize),
    /// The sums of its gradient.
    Sums(usize),
}

/// What every chunk does on its own, and the meeting at its end.
#[derive(Debug, Default)]
pub(super) struct Phase {
    pub(super) items: Vec<Item>,
    pub(super) then: Option<Meeting>,
}

#[derive(Debug)]
pub(super) struct Program {
    pub(super) phases: Vec<Phase>,
    /// The operations whose input's gradient is computed, and which need turned weights for it.
    pub(super) turned: Vec<usize>,
    /// The buffers whose gradients are made and used up while a phase works on one image: all images share their place, which
    /// stays in the cache.
    pub(super) transient: Vec<bool>,
}

impl Program {
    /// One training step of the plan.
    pub(super) fn training(plan: &Plan) -> Self {
        let mut writer = Writer {
            plan,
            phases: vec![Phase::default()],
            filled: vec![false; plan.buffers.len()],
            masked: vec![false; plan.operations.len()],
            learns: learning_buffers(plan),
            turned: Vec::new(),
        };
        writer.push(Item::Load);
        for (i, operation) in plan.operations.iter().enumerate() {
            if matches!(operation.kind, Kind::BatchNorm { .. }) {
                writer.push(Item::Moments(i));
                writer.meet(Meeting::Moments(i));
            }
            writer.push(Item::Forward(i));
        }
        writer.push(Item::Loss);
        writer.filled[plan.values[plan.output].buffer] = true;
        for i in (0..plan.operations.len()).rev() {
            writer.backward(i);
        }
        for (i, operation) in plan.operations.iter().enumerate() {
            if operation.is_winograd() {
                writer.push(Item::Untransform(i));
            }
        }
        Self {
            transient: transient_gradients(plan, &writer.phases),
            phases: writer.phases,
            turned: writer.turned,
        }
    }
}

/// Consecutive items that are done image by image, or all on the chunk.
pub(super) fn runs<'a>(plan: &'a Plan, items: &'a [Item]) -> impl Iterator<Item = &'a [Item]> {
    items.chunk_by(|a, b| a.is_for_chunk(plan) == b.is_for_chunk(plan))
}

/// Which buffers' gradients no run of items leaves to another.
fn transient_gradients(plan: &Plan, phases: &[Phase]) -> Vec<bool> {
    let mut n_runs = vec![0; plan.buffers.len()];
    let mut by_chunk = vec![false; plan.buffers.len()];
    for run in phases.iter().flat_map(|phase| runs(plan, &phase.items)) {
        let mut touched: Vec<usize> = run.iter().flat_map(|item| item.gradients(plan)).collect();
        touched.sort_unstable();
        touched.dedup();
        for buffer in touched {
            n_runs[buffer] += 1;
            by_chunk[buffer] |= run[0].is_for_chunk(plan);
        }
    }
    let counts = n_runs.into_iter().zip(by_chunk);
    counts.map(|(n, by_chunk)| n <= 1 && !by_chunk).collect()
}

/// Which buffers' gradients lead to a parameter.
fn learning_buffers(plan: &Plan) -> Vec<bool> {
    let mut learns = vec![false; plan.buffers.len()];
    for operation in &plan.operations {
        let has_parameters = matches!(
            operation.kind,
            Kind::Convolution { .. } | Kind::Linear { .. } | Kind::BatchNorm { .. }
        );
        if has_parameters || any_learns(plan, operation, &learns) {
            learns[plan.values[operation.output].buffer] = true;
        }
    }
    learns
}

fn any_learns(plan: &Plan, operation: &Operation, learns: &[bool]) -> bool {
    let mut parts = operation.inputs.iter();
    parts.any(|part| learns[plan.values[part.value].buffer])
}

struct Writer<'a> {
    plan: &'a Plan,
    phases: Vec<Phase>,
    /// Which buffers hold gradients already.
    filled: Vec<bool>,
    /// Which operations' ReLU is already in the gradient of their output.
    masked: Vec<bool>,
    learns: Vec<bool>,
    turned: Vec<usize>,
}

impl Writer<'_> {
    fn push(&mut self, item: Item) {
        let phase = self.phases.last_mut().expect("there is a first phase");
        phase.items.push(item);
    }

    fn meet(&mut self, meeting: Meeting) {
        let phase = self.phases.last_mut().expect("there is a first phase");
        phase.then = Some(meeting);
        self.phases.push(Phase::default());
    }

    fn backward(&mut self, i: usize) {
        let plan = self.plan;
        let operation = &plan.operations[i];
        if !self.filled[plan.values[operation.output].buffer] {
            // Nothing that leads to the loss reads the output.
            return;
        }
        if operation.relu && !self.masked[i] {
            self.push(Item::Mask(i));
        }
        match operation.kind {
            Kind::Convolution { .. } | Kind::Linear { .. } => self.push(Item::ParameterGradient(i)),
            Kind::BatchNorm { .. } => {
                self.push(Item::Sums(i));
                self.meet(Meeting::Sums(i));
            }
            _ => {}
        }
        if !any_learns(plan, operation, &self.learns) {
            return;
        }
        if matches!(
            operation.kind,
            Kind::Convolution { .. } | Kind::Linear { .. }
        ) {
            self.turned.push(i);
        }
        let first = self.part_gradient(i, operation.input());
        let into = match operation.inputs.get(1) {
            Some(second) => [first, self.part_gradient(i, second.value)],
            None => [first; 2],
        };
        self.push(Item::InputGradient { operation: i, into });
    }

    /// How operation `i` adds to the gradient of an input, which it clears before where that is needed.
    fn part_gradient(&mut self, i: usize, value: usize) -> PartGradient {
        let input = &self.plan.values[value];
        let is_whole = input.view.channels == input.view.pixel;
        if !self.filled[input.buffer] && !is_whole {
            self.push(Item::Clear(input.buffer));
            self.filled[input.buffer] = true;
        }
        let accumulate = if self.filled[input.buffer] {
            Accumulate::Add
        } else {
            Accumulate::Write
        };
        self.filled[input.buffer] = true;
        PartGradient {
            accumulate,
            masked: self.can_mask(i, value),
        }
    }

    /// Whether operation `i` is the last to add to an input's gradient, and the input is some ReLU's output.
    fn can_mask(&mut self, i: usize, input: usize) -> bool {
        let plan = self.plan;
        let earlier = &plan.operations[..i];
        let Some(producer) = earlier
            .iter()
            .position(|earlier| earlier.output == input && earlier.relu)
        else {
            return false;
        };
        let mut parts = earlier.iter().flat_map(|earlier| &earlier.inputs);
        let is_last = !parts.any(|part| overlap(plan, part.value, input));
        self.masked[producer] |= is_last;
        is_last
    }
}

/// Whether two values share places.
fn overlap(plan: &Plan, a: usize, b: usize) -> bool {
    let (a, b) = (&plan.values[a], &plan.values[b]);
    let channels = |first: usize, channels: usize, pixel: usize| {
        let first = first % pixel;
        first..first + channels
    };
    let (of_a, of_b) = (
        channels(a.view.offset, a.view.channels, a.view.pixel),
        channels(b.view.offset, b.view.channels, b.view.pixel),
    );
    a.buffer == b.buffer && of_a.start < of_b.end && of_b.start < of_a.end
}
