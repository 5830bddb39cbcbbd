//! The second half of planning: a place for every value.

use juggle_kernels::View;

use super::layout::Value;
use super::plan::{Builder, Kind, Operation, Plan};

impl Builder<'_> {
    /// The plan, once every layer was seen.
    pub(super) fn finish(mut self) -> Plan {
        let homes = self.homes();
        let output = self.value_of.last().copied().unwrap_or(0);
        let borders = self.borders(&homes);
        let mut buffers = Vec::new();
        let mut buffer_of = vec![usize::MAX; self.shapes.len()];
        let mut whole = vec![None; self.shapes.len()];
        for (value, shape) in self.shapes.iter().enumerate() {
            if homes[value].is_none() {
                let border = borders[value];
                buffer_of[value] = buffers.len();
                let (height, width) = (shape.height + 2 * border, shape.width + 2 * border);
                let is_used = self.is_used(value);
                buffers.push(if is_used {
                    height * width * shape.channels
                } else {
                    0
                });
                whole[value] = Some(View::bordered(
                    shape.height,
                    shape.width,
                    shape.channels,
                    border,
                ));
            }
        }
        let mut values: Vec<Value> = Vec::with_capacity(self.shapes.len());
        for (value, shape) in self.shapes.iter().enumerate() {
            let (owner, first) = homes[value].unwrap_or((value, 0));
            let view = whole[owner].expect("an owner has a buffer of its own");
            values.push(Value {
                buffer: buffer_of[owner],
                view: view.part(first, shape.channels),
                positions: shape.positions.clone(),
            });
        }
        self.add_copies(&homes, &mut values);
        Plan {
            values,
            buffers,
            input: 0,
            output,
            operations: self.operations,
            batch_norms: self.batch_norms,
            parameters: self.parameters,
            running: self.running,
        }
    }

    /// For each value that lies inside a concatenation: which, and from which channel on.
    fn homes(&self) -> Vec<Option<(usize, usize)>> {
        let mut homes = vec![None; self.shapes.len()];
        for (concatenation, parts) in &self.concatenations {
            let mut first = 0;
            for &part in parts {
                let is_once = parts.iter().filter(|&&other| other == part).count() == 1;
                if is_once && self.may_live_in(part, *concatenation, &homes) {
                    homes[part] = Some((*concatenation, first));
                }
                first += self.shapes[part].channels;
            }
        }
        homes
    }

    /// Whether the part can lie in the concatenation's buffer. No operation may read and write one buffer.
    fn may_live_in(
        &self,
        part: usize,
        concatenation: usize,
        homes: &[Option<(usize, usize)>],
    ) -> bool {
        let lives_there =
            |value: usize| homes[value].is_some_and(|(home, _)| home == concatenation);
        let is_output = self
            .operations
            .iter()
            .any(|operation| operation.output == part);
        let clashes = self.operations.iter().any(|operation| {
            (operation.output == part
                && operation.inputs.iter().any(|part| lives_there(part.value)))
                || (operation.reads(part) && lives_there(operation.output))
        });
        is_output && homes[part].is_none() && !clashes
    }

    /// The border that each owner of a buffer needs, for values and gradients alike.
    fn borders(&self, homes: &[Option<(usize, usize)>]) -> Vec<usize> {
        let owner = |value: usize| homes[value].map_or(value, |(home, _)| home);
        let mut borders = vec![0; self.shapes.len()];
        for operation in &self.operations {
            if let Kind::Convolution {
                side,
                stride,
                padding,
                ..
            } = operation.kind
            {
                for part in &operation.inputs {
                    let input = &mut borders[owner(part.value)];
                    *input = padding.max(*input);
                }
                // At a stride, the gradient is spread in memory of its own.
                if stride == 1 {
                    let output = &mut borders[owner(operation.output)];
                    *output = (side - 1).saturating_sub(padding).max(*output);
                }
            }
        }
        borders
    }

    /// The copies of parts that lie elsewhere, before the first reader of each concatenation; and flattened images seen
    /// as the images they were, so that a flattening is a copy from image to image.
    fn add_copies(&mut self, homes: &[Option<(usize, usize)>], values: &mut Vec<Value>) {
        for operation in &mut self.operations {
            let (from, to) = (&values[operation.input()], &values[operation.output]);
            if matches!(operation.kind, Kind::Copy)
                && from.view.height * from.view.width > to.view.height * to.view.width
            {
                let View {
                    height,
                    width,
                    channels,
                    ..
                } = from.view;
                let image = Value {
                    buffer: to.buffer,
                    view: View::bordered(height, width, channels, 0),
                    positions: Vec::new(),
                };
                operation.output = values.len();
                values.push(image);
            }
        }
        // The last first: a copy of one concatenation into another is a reader of the former.
        for (concatenation, parts) in std::mem::take(&mut self.concatenations).into_iter().rev() {
            let mut first = 0;
            for part in parts {
                let channels = self.shapes[part].channels;
                if homes[part] != Some((concatenation, first)) {
                    let whole = values[concatenation].clone();
                    let copy = Operation::new(Kind::Copy, part, values.len(), false);
                    values.push(Value {
                        buffer: whole.buffer,
                        view: whole.view.part(first, channels),
                        positions: Vec::new(),
                    });
                    let reads = |operation: &Operation| operation.reads(concatenation);
                    let at = self
                        .operations
                        .iter()
                        .position(reads)
                        .unwrap_or(self.operations.len());
                    self.operations.insert(at, copy);
                }
                first += channels;
            }
        }
    }
}
