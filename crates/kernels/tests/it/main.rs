//! Every kernel against its plain-loop definition, at every level this processor has.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests round to f32 and count in small numbers"
)]

mod bits; // a constant for all architectures
mod channels; // pooling, upsampling, copies, batch normalisation
mod convolution; // forward, gradients, turned weights
mod images; // the images that the tests work on
mod scalars; // losses, optimisers, exp and ln
mod winograd; // the same through fewer products, with concatenated and upsampled inputs

use juggle_kernels::Level;

#[test]
#[expect(
    clippy::print_stderr,
    reason = "a level that was not run is worth a line"
)]
fn levels_that_this_processor_lacks_are_named() {
    for name in Level::NAMES {
        if Level::supported().iter().all(|level| level.name() != *name) {
            eprintln!("not run on this processor: {name}");
        }
    }
}
