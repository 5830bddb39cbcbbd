//! Every kernel against its plain-loop definition, at every level this processor has.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests round to f32 and count in small numbers"
)]

#[cfg(not(miri))] // which would take minutes
mod bits; // a constant for all architectures
mod channels; // pooling, upsampling, copies, batch normalisation
mod convolution; // forward, gradients, turned weights
mod draw; // shapes, layouts and modes out of bytes
mod images; // the images that the tests work on
mod scalars; // losses, optimisers, exp and ln
mod shapes; // any kernel on any shape
mod strangers; // views that need not fit
mod winograd; // the same through fewer products, with concatenated and upsampled inputs

use juggle_kernels::Level;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};

proptest::proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 16 } else { 512 },
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn any_shape_gives_the_reference(bytes in vec(any::<u8>(), 40)) {
        shapes::check(&bytes);
    }

    #[test]
    fn any_view_is_refused_or_stays_inside(bytes in vec(any::<u8>(), 40)) {
        strangers::run(&bytes);
    }
}

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
