//! Views that need not fit: a panic is an answer, and only what AddressSanitizer sees is an error.
#![no_main]

#[path = "../../tests/it/draw.rs"]
mod draw;
#[path = "../../tests/it/images.rs"]
mod images;
#[path = "../../tests/it/strangers.rs"]
mod strangers;

libfuzzer_sys::fuzz_target!(
    // The library's own hook would end the process at the first refusal.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| {
        strangers::run(bytes);
    }
);
