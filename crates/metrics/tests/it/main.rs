//! Behaviour tests of the public interface, in one binary.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod any_images; // images and settings out of bytes, for the fuzzers too
mod any_labels; // the same of labels
mod draw; // numbers out of bytes
mod errors; // every way to be refused
mod fresh; // where golden files come from
mod golden; // values that scikit-learn produced
mod images; // values that scikit-image, torchmetrics and pytorch-msssim produced
mod labels; // metrics of labels and scores that scikit-learn and torchmetrics produced
mod patterns; // the images of the golden files, drawn as their generator draws them
mod properties; // what must hold for any input
mod report_options; // weights, chosen rows and scores without a value, as scikit-learn has them
mod shorthand; // metrics as functions of one kind
mod uncertainty; // intervals and tests: golden values, coverage, errors
mod uncertainty_properties; // what must hold for intervals and tests of any input
