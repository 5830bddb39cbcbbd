//! A classifier on the images of one split.

use std::path::Path;

use anyhow::Result;
use juggle_dataset::{Error, ImageFolder, LabelledImages, ReadOptions, Split};
use juggle_metrics::{ClassificationReport, ConfusionMatrix};
use juggle_models::{loss_value, softmax};

use super::{check_classes, check_shape, no_split};
use crate::config::Kind;
use crate::examples::{Examples, argmax};
use crate::model::{self, Trained};

/// The predictions for every image of a split, in its order, and what they come to.
#[derive(Debug)]
pub(crate) struct ClassifierEvaluation {
    pub(crate) split: Split,
    pub(crate) images: LabelledImages,
    /// The mean cross-entropy, without label smoothing.
    pub(crate) loss: f64,
    /// N×C.
    pub(crate) probabilities: Vec<f32>,
    /// The most probable class of each image.
    pub(crate) predicted: Vec<usize>,
    pub(crate) report: ClassificationReport,
    pub(crate) confusion_matrix: ConfusionMatrix,
}

impl ClassifierEvaluation {
    /// The probabilities of the classes for image `i`.
    pub(crate) fn of_image(&self, i: usize) -> &[f32] {
        let n_classes = self.images.classes.len();
        &self.probabilities[i * n_classes..(i + 1) * n_classes]
    }

    /// That of the predicted class of image `i`.
    pub(crate) fn confidence(&self, i: usize) -> f32 {
        self.of_image(i)[self.predicted[i]]
    }

    pub(crate) fn is_correct(&self, i: usize) -> bool {
        self.predicted[i] == self.images.labels[i]
    }

    /// The images that were taken for another class, in the order of the split.
    pub(crate) fn errors(&self) -> impl Iterator<Item = usize> {
        (0..self.images.len()).filter(|&i| !self.is_correct(i))
    }
}

/// Reads the split and predicts all of its images. Without a wish these are the test images, or the validation images where
/// there are none.
pub(crate) fn evaluate(
    trained: &Trained,
    folder: &Path,
    split: Option<Split>,
) -> Result<ClassifierEvaluation> {
    let (split, images) = read(folder, &trained.config.data.read_options(), split)?;
    check_shape(images.shape, &trained.config, folder)?;
    check_classes(&images.classes, &trained.config, folder)?;

    let loss = model::evaluation_loss(Kind::Classifier);
    let n_classes = images.classes.len();
    let mut sum = 0.0;
    let (mut predicted, mut probabilities) = (Vec::new(), Vec::new());
    Examples::Images(&images).forward(&*trained.engine, |indices, batch, outputs| {
        let weight = indices.len() as f64;
        sum += loss_value(loss, outputs, batch.targets())? * weight;
        for logits in outputs.chunks_exact(n_classes) {
            predicted.push(argmax(logits));
            probabilities.extend(softmax(logits));
        }
        Ok(())
    })?;
    Ok(ClassifierEvaluation {
        split,
        loss: sum / images.len() as f64,
        report: ClassificationReport::new(&images.labels, &predicted, &images.classes)?,
        confusion_matrix: ConfusionMatrix::new(&images.labels, &predicted, n_classes)?,
        images,
        probabilities,
        predicted,
    })
}

/// A folder of a test split alone is as good here as one that could be trained on.
fn read(
    folder: &Path,
    options: &ReadOptions,
    split: Option<Split>,
) -> Result<(Split, LabelledImages)> {
    let all = match ImageFolder::read(folder, options) {
        Err(Error::MissingTrain { .. }) => {
            let split = split.unwrap_or(Split::Test);
            let images = LabelledImages::read_split(folder, split, options)?;
            return Ok((split, images.ok_or_else(|| no_split(folder, split))?));
        }
        read => read?,
    };
    let split = split.unwrap_or(if all.test.is_some() {
        Split::Test
    } else {
        Split::Val
    });
    let images = match split {
        Split::Train => Some(all.train),
        Split::Val => Some(all.val),
        Split::Test => all.test,
    };
    Ok((split, images.ok_or_else(|| no_split(folder, split))?))
}
