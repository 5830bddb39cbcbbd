//! Batches: the order of an epoch, and images as the numbers a network takes.
//!
//! A batch is written into vectors that the caller keeps, so that a training loop allocates once. Values
//! are `u8 / 255` as f32, in [0, 1]; images lie NCHW.

use crate::augment::{Augment, Transform};
use crate::clips::{Clips, Window};
use crate::error::{Error, Result};
use crate::folder::LabelledImages;
use crate::stream::{Purpose, Stream};

#[cfg(test)]
mod tests;

/// What composing images needs to know of the classes; see [`Augment::compose`].
#[derive(Debug)]
struct Composition {
    /// The count that each class stands for.
    counts: Vec<usize>,
    /// The label of class `1`.
    one: usize,
}

/// The order in which an epoch visits `n` samples: a uniformly random permutation of `0..n`, and a pure
/// function of its arguments.
///
/// ```
/// use juggle_dataset::epoch_order;
///
/// let order = epoch_order(5, 0, 1);
/// assert_eq!(order, epoch_order(5, 0, 1));
/// let mut sorted = order.clone();
/// sorted.sort();
/// assert_eq!(sorted, [0, 1, 2, 3, 4]);
/// ```
pub fn epoch_order(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    Stream::new(seed, Purpose::EpochOrder, epoch, 0).shuffle(&mut order);
    order
}

impl LabelledImages {
    /// Replaces the content of `xs` by the images at `indices` (N × CHW, values in [0, 1]) and that of
    /// `labels` by their labels.
    ///
    /// # Panics
    ///
    /// When an index is not below [`len`](Self::len).
    pub fn fill_batch(&self, indices: &[usize], xs: &mut Vec<f32>, labels: &mut Vec<u32>) {
        xs.clear();
        xs.reserve(indices.len() * self.shape.len());
        for &i in indices {
            extend_with_unit(xs, self.image(i));
        }
        self.fill_labels(indices, labels);
    }

    /// [`fill_batch`](Self::fill_batch) with random transforms. The transform of an image depends on
    /// `seed`, `epoch` and its index in this split only, not on the batch it is in.
    ///
    /// # Errors
    ///
    /// As [`check_augment`](Self::check_augment).
    ///
    /// # Panics
    ///
    /// When an index is not below [`len`](Self::len).
    pub fn fill_augmented_batch(
        &self,
        indices: &[usize],
        augment: &Augment,
        seed: u64,
        epoch: u64,
        xs: &mut Vec<f32>,
        labels: &mut Vec<u32>,
    ) -> Result<()> {
        augment.check(self.shape)?;
        let composition = self.composition(augment)?;
        xs.clear();
        xs.reserve(indices.len() * self.shape.len());
        for &i in indices {
            if let Some(composition) = &composition {
                let mut stream = Stream::new(seed, Purpose::Compose, epoch, i as u64);
                if stream.unit() < f64::from(augment.compose) {
                    let count = composition.counts[self.labels[i]];
                    self.compose(count, composition.one, augment, &mut stream, xs);
                    continue;
                }
            }
            Transform::draw(augment, seed, epoch, i as u64).apply(self.image(i), self.shape, xs);
        }
        self.fill_labels(indices, labels);
        Ok(())
    }

    /// Checks that these images can be transformed.
    ///
    /// # Errors
    ///
    /// As [`Augment::check`]; [`Error::ComposeNeedsCounts`] when images are to be composed and a class name is no whole number,
    /// or there is no image of class `1`.
    pub fn check_augment(&self, augment: &Augment) -> Result<()> {
        augment.check(self.shape)?;
        self.composition(augment).map(drop)
    }

    /// What composing needs to know, where it is asked for.
    fn composition(&self, augment: &Augment) -> Result<Option<Composition>> {
        if augment.compose == 0.0 {
            return Ok(None);
        }
        let counts: Option<Vec<usize>> = self.classes.iter().map(|c| c.parse().ok()).collect();
        counts
            .and_then(|counts| {
                let one = counts.iter().position(|&count| count == 1)?;
                let composition = Composition { counts, one };
                self.labels.contains(&one).then_some(Some(composition))
            })
            .ok_or_else(|| Error::ComposeNeedsCounts {
                classes: self.classes.clone(),
            })
    }

    /// Appends so many images of class `one`, each transformed on its own, laid over one another.
    fn compose(
        &self,
        count: usize,
        one: usize,
        augment: &Augment,
        stream: &mut Stream,
        xs: &mut Vec<f32>,
    ) {
        let first = xs.len();
        xs.resize(first + self.shape.len(), 0.0);
        let mut layer = Vec::with_capacity(self.shape.len());
        for _ in 0..count {
            // Images of the class are drawn with equal chances, without a list of them.
            let mut i = stream.below(self.len());
            while self.labels[i] != one {
                i = stream.below(self.len());
            }
            layer.clear();
            Transform::draw_from(stream, augment).apply(self.image(i), self.shape, &mut layer);
            for (x, &value) in xs[first..].iter_mut().zip(&layer) {
                *x = x.max(value);
            }
        }
    }

    fn fill_labels(&self, indices: &[usize], labels: &mut Vec<u32>) {
        labels.clear();
        labels.extend(indices.iter().map(|&i| {
            u32::try_from(self.labels[i]).expect("classes are folders, fewer than 2^32")
        }));
    }
}

impl Clips {
    /// Replaces the content of `inputs` by the input frames of the windows, oldest first along the
    /// channels (N × (K·C) × H × W), and that of `targets` by the frames that follow (N × C × H × W).
    /// Values are in [0, 1].
    ///
    /// # Panics
    ///
    /// When a window reaches beyond the last frame; [`windows`](Self::windows) gives none that does.
    pub fn fill_batch(
        &self,
        windows: &[Window],
        input_frames: usize,
        inputs: &mut Vec<f32>,
        targets: &mut Vec<f32>,
    ) {
        inputs.clear();
        targets.clear();
        inputs.reserve(windows.len() * input_frames * self.shape.len());
        targets.reserve(windows.len() * self.shape.len());
        for window in windows {
            for i in window.first..window.first + input_frames {
                extend_with_unit(inputs, self.frame(i));
            }
            extend_with_unit(targets, self.frame(window.first + input_frames));
        }
    }

    /// Checks that these clips can be transformed.
    ///
    /// # Errors
    ///
    /// As [`Augment::check`]; [`Error::ComposeNeedsLabels`] when images are to be composed.
    pub fn check_augment(&self, augment: &Augment) -> Result<()> {
        if augment.compose > 0.0 {
            return Err(Error::ComposeNeedsLabels);
        }
        augment.check(self.shape)
    }

    /// [`fill_batch`](Self::fill_batch) with random transforms, the same one for all frames of a window.
    /// The transform depends on `seed`, `epoch` and the window's first frame only.
    ///
    /// # Errors
    ///
    /// As [`check_augment`](Self::check_augment).
    ///
    /// # Panics
    ///
    /// When a window reaches beyond the last frame; [`windows`](Self::windows) gives none that does.
    #[expect(
        clippy::too_many_arguments,
        reason = "the seven values are independent, and the two outputs are reused by the caller"
    )]
    pub fn fill_augmented_batch(
        &self,
        windows: &[Window],
        input_frames: usize,
        augment: &Augment,
        seed: u64,
        epoch: u64,
        inputs: &mut Vec<f32>,
        targets: &mut Vec<f32>,
    ) -> Result<()> {
        self.check_augment(augment)?;
        inputs.clear();
        targets.clear();
        inputs.reserve(windows.len() * input_frames * self.shape.len());
        targets.reserve(windows.len() * self.shape.len());
        for window in windows {
            let transform = Transform::draw(augment, seed, epoch, window.first as u64);
            for i in window.first..window.first + input_frames {
                transform.apply(self.frame(i), self.shape, inputs);
            }
            let target = self.frame(window.first + input_frames);
            transform.apply(target, self.shape, targets);
        }
        Ok(())
    }
}

fn extend_with_unit(xs: &mut Vec<f32>, pixels: &[u8]) {
    xs.extend(pixels.iter().map(|&pixel| f32::from(pixel) / 255.0));
}
