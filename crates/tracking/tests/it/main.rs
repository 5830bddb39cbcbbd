//! The behaviour of `juggle-tracking`, seen from outside.
#![expect(
    clippy::unwrap_used,
    reason = "a test that fails by panicking is what a test is for"
)]

mod checkpoint; // written whole, never read in part; kept and swept
mod events; // the log: kinds, torn lines, logs of before
mod faults; // every operation on the disk fails in turn
mod lock; // one writer at a time
mod tensorboard; // event files: golden bytes, cuts, damage
