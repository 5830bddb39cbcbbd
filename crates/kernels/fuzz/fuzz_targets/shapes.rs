//! Any kernel on any shape that fits: a panic is a wrong result, and AddressSanitizer sees what is read beside a slice.
#![no_main]

#[path = "../../tests/it/draw.rs"]
mod draw;
#[path = "../../tests/it/images.rs"]
mod images;
#[path = "../../tests/it/shapes.rs"]
mod shapes;
#[path = "../../tests/it/winograd.rs"]
#[expect(dead_code, reason = "the fixed shapes are for the tests")]
mod winograd;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| shapes::check(bytes));
