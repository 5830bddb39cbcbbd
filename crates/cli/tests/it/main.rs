//! The binary from outside, as a user or a script meets it.
//!
//! | module | what it checks |
//! |---|---|
//! | `sandbox` | a temporary folder, small data sets in it, and runs of the binary |
//! | `surface` | help, version, completions, manual; streams, colours and exit codes |
//! | `data` | `data synth`, `data inspect` |
//! | `train` | the run folder, what may be overwritten, wrong data |
//! | `configuration` | defaults, under the configuration file, under the flags |
//! | `evaluate` | both kinds of run, data that do not fit, broken weights |
//! | `predict` | classes of images, next frames of a clip |
//! | `metrics` | images, folders, label files |
//! | `summary` | the tables of layers |
//! | `interrupt` | Ctrl-C |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod configuration;
mod data;
mod evaluate;
#[cfg(unix)]
mod interrupt;
mod metrics;
mod predict;
mod sandbox;
mod summary;
mod surface;
mod train;
