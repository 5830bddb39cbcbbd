//! Any kernel on any shape that fits: a panic is a wrong result, and AddressSanitizer sees what is read beside a slice.
#![no_main]

#[path = "../../tests/it/draw.rs"]
mod draw;
#[path = "../../tests/it/images.rs"]
mod images;
#[path = "../../tests/it/shapes.rs"]
mod shapes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shapes::check(bytes));
