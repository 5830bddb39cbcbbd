//! The stand-in data: a bit-exact simulator of moving balls, and the data set made with it.
//!
//! All reals are IEEE f64, and only `+ − × ÷ √`, comparisons, `floor`, `min` and `max` occur, never a
//! fused multiply-add. So every pixel is the same on every machine. [`write()`] writes the data set as PNG
//! files; [`generate`] gives the same pixels in memory. [`Fresh`] images are further ones, which are no part of it.
//!
//! ```
//! use juggle_dataset::synth::{self, StreamKind};
//!
//! let mut rng = synth::stream(synth::DEFAULT_SEED, StreamKind::Test, 2, 0);
//! let balls = synth::start(&mut rng, 2, &synth::TEST);
//! assert_eq!(balls[0].x, 26.126117520207586);
//! assert_eq!(synth::render(&balls).len(), 32 * 32);
//! ```

pub use fresh::{FRESH_SEED, Fresh, FreshSummary, MAX_FRESH, Ranges, WIDE, write_fresh};
pub use generate::{SynthImage, SynthSplit, generate};
pub use render::render;
pub use simulator::{
    Ball, Collisions, POOL, Recipe, SEQUENCES, SIDE, SplitMix64, StreamKind, TEST, start, step,
    stream,
};
pub use write::{SplitSummary, Spread, SynthSummary, write};

mod datasheet;
mod fresh;
mod generate;
mod render;
mod simulator;
mod write;

#[cfg(test)]
mod tests;

/// The seed of the committed data.
pub const DEFAULT_SEED: u64 = 20_240_601;
