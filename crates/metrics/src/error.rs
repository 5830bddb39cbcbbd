//! The one error type of the crate.

use std::fmt;

/// Shorthand for a [`Result`](std::result::Result) with this crate's [`Error`](enum@Error).
pub type Result<T> = std::result::Result<T, Error>;

/// Which of the two arguments an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The ground truth: the first argument.
    Truth,
    /// What was predicted: the second argument.
    Prediction,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truth => "truth",
            Self::Prediction => "prediction",
        })
    }
}

/// Why a metric has no value for the given input.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The two images, or the two batches, differ in shape.
    #[error(
        "truth has shape {} but prediction has shape {}",
        Shape(truth),
        Shape(prediction)
    )]
    ShapeMismatch {
        /// Shape of the truth.
        truth: Vec<usize>,
        /// Shape of the prediction.
        prediction: Vec<usize>,
    },

    /// There is no pixel to measure: a batch without images, or images with an axis of length zero.
    #[error("shape {} has no pixels", Shape(shape))]
    NoPixels {
        /// Shape of both arguments.
        shape: Vec<usize>,
    },

    /// The image does not hold a single SSIM window.
    #[error(
        "image of height {height} and width {width} is smaller than the {window}×{window} window"
    )]
    ImageTooSmall {
        /// Height of the image in pixels.
        height: usize,
        /// Width of the image in pixels.
        width: usize,
        /// Side of the square window in pixels.
        window: usize,
    },

    /// `data_range` is not a positive number whose fourth power `f64` can hold.
    #[error("data_range must be a positive number between 1e-70 and 1e70, found {found}")]
    DataRange {
        /// The value passed.
        found: f64,
    },

    /// A pixel is NaN or infinite.
    #[error("{image} has the value {value} at index {index:?}, expected finite pixels")]
    NonFinitePixel {
        /// Which image holds it.
        image: Role,
        /// Where, with one number for each axis of the argument.
        index: Vec<usize>,
        /// What was found there.
        value: f64,
    },

    /// Finite pixels whose metric is not: their squares exceed `f64`, or drown `data_range`.
    #[error("pixel values are too large for f64 arithmetic with data_range {data_range}")]
    Overflow {
        /// The value passed.
        data_range: f64,
    },

    /// There are not as many predictions as true labels.
    #[error("found {truth} true labels but {prediction} predicted labels")]
    LengthMismatch {
        /// Number of true labels.
        truth: usize,
        /// Number of predicted labels.
        prediction: usize,
    },

    /// There are no labels to count.
    #[error("expected at least one label, found none")]
    NoLabels,

    /// A label is not the index of a class.
    #[error(
        "{labels} label {found} at position {position} is not below the number of classes, {n_classes}"
    )]
    LabelOutOfRange {
        /// Which labels hold it.
        labels: Role,
        /// Position in the slice.
        position: usize,
        /// The label found there.
        found: usize,
        /// Number of classes; a label must be smaller.
        n_classes: usize,
    },

    /// A confusion matrix of this many classes would not fit in memory.
    #[error("a confusion matrix holds at most {limit} classes, found {n_classes}")]
    TooManyClasses {
        /// Number of classes asked for.
        n_classes: usize,
        /// Largest number of classes accepted.
        limit: usize,
    },
}

impl Error {
    /// Puts the position of an image (and its channel) in its batch before an index within it.
    pub(crate) fn within(mut self, outer: &[usize]) -> Self {
        if let Self::NonFinitePixel { index, .. } = &mut self {
            index.splice(0..0, outer.iter().copied());
        }
        self
    }
}

/// Prints a shape as `3×32×32`.
struct Shape<'a>(&'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (axis, length) in self.0.iter().enumerate() {
            if axis > 0 {
                f.write_str("×")?;
            }
            write!(f, "{length}")?;
        }
        Ok(())
    }
}
