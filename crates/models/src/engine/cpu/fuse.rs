//! Upsampling as part of the convolution after it, which then reads the small image, and max-pooling as part of the one before.
//!
//! A Winograd convolution needs no upsampled pixels: it reads an image of half the size, alone or concatenated with
//! another, and gives that image's gradient. The upsampling, the concatenation and their buffers disappear. Going forward only, it
//! writes the greatest pixel of each tile where nothing but a pooling reads the others; going back needs them all.

use juggle_kernels::conv::winograd::Scale;

use super::plan::{Builder, Kind, Part};

impl Builder<'_> {
    /// Lets every convolution read the images behind the upsamplings that nothing else reads.
    pub(super) fn fuse_upsampling(&mut self) {
        let mut i = 0;
        while i < self.operations.len() {
            let upsampling = if self.operations[i].is_winograd() {
                self.fuse_into(i)
            } else {
                None
            };
            match upsampling {
                // The upsampling lies before its reader, which moves up by one.
                Some(upsampling) => drop(self.operations.remove(upsampling)),
                None => i += 1,
            }
        }
    }

    /// Lets every convolution do the max-pooling by 2 that alone reads its output.
    pub(super) fn fuse_pooling(&mut self) {
        let mut i = 0;
        while i < self.operations.len() {
            let output = self.operations[i].output;
            let is_fit = self.operations[i].is_winograd() && self.n_readers(output) == 1;
            let pooling = self.operations.iter().position(|operation| {
                operation.reads(output) && matches!(operation.kind, Kind::MaxPool { side: 2 })
            });
            if let Some(pooling) = pooling.filter(|_| is_fit) {
                // The pooling lies after the convolution, whose place does not move.
                let pooling = self.operations.remove(pooling);
                self.operations[i].output = pooling.output;
                self.operations[i].pools = true;
            }
            i += 1;
        }
    }

    /// Lets the Winograd convolutions of images that consist of tiles of 4×4 take those: fewer products, and rounding errors that
    /// a prediction bears and a gradient would not.
    pub(super) fn enlarge_tiles(&mut self) {
        for operation in &mut self.operations {
            let Part { value, scale } = operation.inputs[0];
            let by = match scale {
                Scale::Same => 1,
                Scale::Half => 2,
            };
            let shape = &self.shapes[value];
            let is_whole = |side: usize| (by * side).is_multiple_of(4);
            operation.large_tiles =
                operation.is_winograd() && is_whole(shape.height) && is_whole(shape.width);
        }
    }

    /// Rewrites the inputs of convolution `i` and gives back the upsampling that it made useless.
    fn fuse_into(&mut self, i: usize) -> Option<usize> {
        let input = self.operations[i].input();
        if self.n_readers(input) != 1 {
            return None;
        }
        if let Some(upsampling) = self.upsampling(input) {
            self.operations[i].inputs = vec![self.small(upsampling)];
            return Some(upsampling);
        }
        let mut concatenations = self.concatenations.iter();
        let at = concatenations.position(|(value, _)| *value == input)?;
        let &[first, second] = self.concatenations[at].1.as_slice() else {
            return None;
        };
        let of_part = |part| self.upsampling(part).filter(|_| self.n_readers(part) == 1);
        let same = |value| Part {
            value,
            scale: Scale::Same,
        };
        let (upsampling, inputs) = if let Some(upsampling) = of_part(first) {
            (upsampling, vec![self.small(upsampling), same(second)])
        } else {
            let upsampling = of_part(second)?;
            (upsampling, vec![same(first), self.small(upsampling)])
        };
        self.concatenations.remove(at);
        self.operations[i].inputs = inputs;
        Some(upsampling)
    }

    /// The operation that makes a value by doubling an image.
    fn upsampling(&self, value: usize) -> Option<usize> {
        self.operations.iter().position(|operation| {
            operation.output == value && matches!(operation.kind, Kind::Upsample { side: 2 })
        })
    }

    /// What an upsampling reads.
    fn small(&self, upsampling: usize) -> Part {
        Part {
            value: self.operations[upsampling].input(),
            scale: Scale::Half,
        }
    }

    /// Operations and concatenations that read a value, each as often as it does.
    fn n_readers(&self, value: usize) -> usize {
        let operations = self
            .operations
            .iter()
            .flat_map(|operation| &operation.inputs);
        let concatenations = self.concatenations.iter().flat_map(|(_, parts)| parts);
        operations.filter(|part| part.value == value).count()
            + concatenations.filter(|&&part| part == value).count()
    }

    /// Whether anything reads or writes a value.
    pub(super) fn is_used(&self, value: usize) -> bool {
        let is_concatenation = self.concatenations.iter().any(|(whole, _)| *whole == value);
        let is_output = self.value_of.last() == Some(&value);
        let mut operations = self.operations.iter();
        value == 0
            || is_output
            || is_concatenation
            || self.n_readers(value) > 0
            || operations.any(|operation| operation.output == value)
    }
}
