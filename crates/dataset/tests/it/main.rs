//! Behaviour of the crate through its public interface.
#![expect(
    clippy::unwrap_used,
    reason = "the whole binary is a test; clippy's exemption covers test functions, not their helpers"
)]

mod audit; // what `inspect` finds, on the committed data and on built cases
mod audit_findings; // its rules, and that they are silent on clean folders
mod audit_numbers; // its numbers against imagehash, scikit-image, scipy and statsmodels
mod clips; // clip folders and windows
mod folder; // image folders: layouts and splits
mod folder_errors; // faulty image folders, sentence by sentence
mod png; // the corpus of PNG files: every colour type, and broken ones
mod synth; // the committed data, byte for byte
mod tree; // builds folders of small images for the other tests
mod validation; // validation images that are held out of the training images
