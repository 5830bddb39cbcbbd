//! Labels, probabilities, weights and options that need not fit: a metric answers with a number or an error, and never panics.
#![no_main]

#[path = "../../tests/it/any_labels.rs"]
mod any_labels;
#[path = "../../tests/it/draw.rs"]
mod draw;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_labels::run(bytes));
