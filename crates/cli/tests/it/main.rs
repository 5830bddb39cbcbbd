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
//! | `report` | the page that shows runs |
//! | `study` | reports of several recipes with published numbers |
//! | `predict` | classes of images, next frames of a clip |
//! | `export` | ONNX models and files of weights |
//! | `image_errors` | images and settings that have no value |
//! | `image_metrics` | PSNR, SSIM and MS-SSIM of images and of folders |
//! | `metrics` | label files |
//! | `progress` | how a training run is told |
//! | `runs` | tables of runs, one run, runs side by side |
//! | `summary` | the tables of layers |
//! | `tune` | searches: repeated, interrupted, killed, shared, misused |
//! | `tutorial` | the commands of `docs/tutorial.md` |
//! | `tensorboard` | the event file of a training |
//! | `interrupt` | Ctrl-C |
//! | `resume` | runs that are killed, stopped, damaged or changed, and go on |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod configuration;
mod data;
mod evaluate;
mod export;
mod image_errors;
mod image_metrics;
#[cfg(unix)]
mod interrupt;
mod metrics;
mod predict;
mod progress;
mod report;
mod resume;
mod runs;
mod sandbox;
mod study;
mod summary;
mod surface;
mod tensorboard;
mod train;
mod tune;
mod tutorial;
