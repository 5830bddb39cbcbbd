//! Reading folders of images and clips for training small vision models, and making a data set of moving
//! balls.
//!
//! ```
//! use juggle_dataset::{ImageFolder, ReadOptions, epoch_order};
//!
//! # fn main() -> juggle_dataset::Result<()> {
//! # let dir = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/balls"));
//! let folder = ImageFolder::read(dir, &ReadOptions::default())?;
//! assert_eq!(folder.train.classes, ["1", "2", "3"]);
//!
//! let (seed, epoch, batch_size) = (0, 1, 32);
//! let (mut xs, mut labels) = (Vec::new(), Vec::new());
//! for indices in epoch_order(folder.train.len(), seed, epoch).chunks(batch_size) {
//!     folder.train.fill_batch(indices, &mut xs, &mut labels); // N×C×H×W in [0, 1]
//!     assert_eq!(xs.len(), indices.len() * folder.train.shape.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`png`] | PNG files: every colour type and bit depth to 8-bit gray or RGB, within limits |
//! | [`folder`] | folders of labelled images, with or without split folders |
//! | [`clips`] | folders of clips, and windows of K input frames and one target |
//! | [`split`] | the seeded, stratified, group-aware rule that divides data |
//! | [`batch`] | the order of an epoch, and batches as f32 |
//! | [`augment`] | flips, shifts and gains of training images |
//! | [`audit`] | counts, balance, duplicates and leaks of a data folder |
//! | [`synth`] | the ball simulator and the data set made with it |
//!
//! Everything random is a pure function of a seed: batches, splits and transforms do not depend on the
//! number of threads, on the order in which a directory is listed, or on what was asked for before.
//!
//! Images are held decoded in memory, 8 bits a value.

pub use augment::Augment;
pub use batch::epoch_order;
pub use clips::{Clip, ClipFolder, Clips, Window};
pub use error::{Error, Result};
pub use folder::{ImageFolder, LabelledImages, ReadOptions};
pub use natural::natural_cmp;
pub use png::{
    ColorMode, Image, ImageShape, Limits, encode_png, read_png, write_animated_png, write_png,
};
pub use split::{Split, SplitOptions, SplitOrigin, Validation};

pub mod audit;
pub mod augment;
pub mod batch;
pub mod clips;
pub mod error;
pub mod folder;
mod layout;
mod load;
mod natural;
pub mod png;
pub mod split;
mod stream;
pub mod synth;
