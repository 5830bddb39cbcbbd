//! Images, windows and settings that need not fit: a metric answers with a number or an error, and never panics.
#![no_main]

#[path = "../../tests/it/any_images.rs"]
mod any_images;
#[path = "../../tests/it/draw.rs"]
mod draw;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_images::run(bytes));
