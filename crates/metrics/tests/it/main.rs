//! Behaviour tests of the public interface, in one binary.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod errors; // every way to be refused
mod golden; // values that scikit-learn produced
mod images; // values that scikit-image, torchmetrics and pytorch-msssim produced
mod labels; // metrics of labels and scores that scikit-learn and torchmetrics produced
mod patterns; // the images of the golden files, drawn as their generator draws them
mod properties; // what must hold for any input
mod shorthand; // metrics as functions of one kind
mod uncertainty; // intervals and tests: golden values, coverage, errors
mod uncertainty_properties; // what must hold for intervals and tests of any input
