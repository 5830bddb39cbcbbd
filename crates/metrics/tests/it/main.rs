//! Behaviour tests of the public interface, in one binary.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod errors; // every way to be refused
mod golden; // values that scikit-image and scikit-learn produced
mod patterns; // the images of the golden files, drawn as their generator draws them
mod properties; // what must hold for any input
