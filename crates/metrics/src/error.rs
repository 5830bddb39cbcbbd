//! The one error type of the crate.

use std::fmt;

use crate::mse::Normalization;
use crate::ssim::Convention;

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

/// The items from which a bootstrap computed its statistic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// All items, each once: the estimate.
    Original,
    /// The draws of a replicate, numbered from 0.
    Replicate(usize),
    /// All items but the one at this position: the jackknife.
    Without(usize),
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original => f.write_str("all items"),
            Self::Replicate(replicate) => write!(f, "bootstrap replicate {replicate}"),
            Self::Without(position) => write!(f, "all items but {position}"),
        }
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

    /// The image does not hold a single window.
    #[error(
        "image of height {height} and width {width} is smaller than the {least}×{least} pixels that the window needs"
    )]
    ImageTooSmall {
        /// Height of the image in pixels.
        height: usize,
        /// Width of the image in pixels.
        width: usize,
        /// The smallest height and width.
        least: usize,
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
    #[error("pixel values are too large for f64 arithmetic with this data_range")]
    Overflow,

    /// Windows without a value, since `k1` or `k2` is zero.
    #[error(
        "a window over constant pixels has no SSIM when k1 or k2 is 0: it is zero divided by zero"
    )]
    ZeroDenominator,

    /// MS-SSIM without a scale.
    #[error("MS-SSIM needs at least one weight, found none")]
    NoWeights,

    /// A window of SSIM that has no middle.
    #[error("window_size must be an odd number of at least 3, found {found}")]
    WindowSize {
        /// The value passed.
        found: usize,
    },

    /// A window size for a Gaussian that has its size from sigma.
    #[error(
        "{convention} takes the size of its Gaussian window from sigma ({expected} for this sigma); window_size is not for it"
    )]
    WindowFromSigma {
        /// The convention asked for.
        convention: Convention,
        /// The window's size.
        expected: usize,
    },

    /// A setting of SSIM out of its range.
    #[error("{name} must be {expected}, found {found}")]
    Setting {
        /// The setter's name.
        name: &'static str,
        /// The value passed.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },

    /// Something that the peer of a convention does not define.
    #[error("{convention} defines no {what}")]
    Undefined {
        /// The convention asked for.
        convention: Convention,
        /// What it lacks.
        what: &'static str,
    },

    /// The truth's measure, by which the error is divided, is zero.
    #[error("the truth's {} is zero, so there is nothing to normalise by", normalization.measure())]
    NoNormalization {
        /// What was asked for.
        normalization: Normalization,
    },

    /// An axis that the images do not have.
    #[error("channel axis {axis} is none of the {n_axes} axes, which begin with 0")]
    ChannelAxis {
        /// The axis asked for.
        axis: usize,
        /// Axes of the images.
        n_axes: usize,
    },

    /// A confidence level that is not a probability above 0 and below 1, such as a percentage.
    #[error("confidence level must be above 0 and below 1, found {found}")]
    ConfidenceLevel {
        /// The value passed.
        found: f64,
    },

    /// A share of no trials has no interval.
    #[error("expected at least one trial, found none")]
    NoTrials,

    /// More trials succeeded than there were.
    #[error("found {successes} successes among {n} trials")]
    TooManySuccesses {
        /// Number of successes.
        successes: u64,
        /// Number of trials.
        n: u64,
    },

    /// More trials than exact intervals and tests are computed for.
    #[error("found {n} trials, expected at most {limit}")]
    TooManyTrials {
        /// Number of trials.
        n: u64,
        /// The largest number accepted.
        limit: u64,
    },

    /// A bootstrap needs at least two replicates, and memory for all of them.
    #[error("found {found} bootstrap replicates, expected between 2 and {limit}")]
    ReplicateCount {
        /// Number of replicates.
        found: usize,
        /// The largest number accepted.
        limit: usize,
    },

    /// A bootstrap draws from at least two items, and needs memory for a draw of all of them.
    #[error("found {found} items to draw from, expected between 2 and {limit}")]
    ItemCount {
        /// Number of items.
        found: usize,
        /// The largest number accepted.
        limit: usize,
    },

    /// A value to average is NaN or infinite.
    #[error("the value at position {position} is {value}, expected finite values")]
    NonFiniteValue {
        /// Position in the slice.
        position: usize,
        /// What was found there.
        value: f64,
    },

    /// The statistic that the bootstrap repeats is NaN or infinite.
    #[error("the statistic of {sample} is {value}, expected a finite number")]
    NonFiniteStatistic {
        /// The items it was computed from.
        sample: Sample,
        /// What it was.
        value: f64,
    },

    /// BCa has no end points: every replicate is on one side of the estimate, or the statistic does not change when
    /// one item is left out.
    #[error(
        "the BCa interval is undefined with bias correction {bias_correction} and acceleration {acceleration}; use the \
         percentile method"
    )]
    BcaUndefined {
        /// The normal quantile of the share of replicates below the estimate.
        bias_correction: f64,
        /// A sixth of the skewness of the jackknife's influences.
        acceleration: f64,
    },

    /// There are not as many results of one model as of the other.
    #[error("found {first} results of the first model but {second} of the second")]
    PairMismatch {
        /// Number of results of the first model.
        first: usize,
        /// Number of results of the second model.
        second: usize,
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

    /// There are not as many weights as labels.
    #[error("found {found} weights for {n_labels} labels")]
    WeightCount {
        /// Number of weights.
        found: usize,
        /// Number of labels.
        n_labels: usize,
    },

    /// Weights by which nothing counts.
    #[error("expected at least one weight other than 0")]
    ZeroWeights,

    /// A report is asked for a class that the names do not have.
    #[error("`{name}` is not the name of a class")]
    UnknownClass {
        /// What was asked for.
        name: String,
    },

    /// A report without rows.
    #[error("expected at least one class to report on, found none")]
    NoClasses,

    /// A number that these labels do not determine, where the Python libraries return NaN or 0 with a warning.
    #[error("{metric} is undefined: {reason}")]
    UndefinedScore {
        /// The metric.
        metric: &'static str,
        /// Why it has no value.
        reason: &'static str,
    },

    /// A value that is no probability.
    #[error(
        "the probability of class {class_idx} in row {row} is {found}, expected a number from 0 to 1"
    )]
    NotProbability {
        /// Row of the matrix.
        row: usize,
        /// Column of the matrix.
        class_idx: usize,
        /// What was found there.
        found: f64,
    },

    /// Probabilities of one image that do not add up to 1.
    #[error("the probabilities in row {row} add up to {found}, expected 1")]
    ProbabilitySum {
        /// Row of the matrix.
        row: usize,
        /// Their sum.
        found: f64,
    },

    /// A count that must be at least one, such as k of top-k accuracy or the number of bins.
    #[error("{what} must be at least 1, found 0")]
    Zero {
        /// What was counted.
        what: &'static str,
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
