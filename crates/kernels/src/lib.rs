//! CPU kernels for training and running small vision networks.
//!
//! Slices in, slices out: no allocation, no threads, no global state. Images are NHWC, usually with a border of zeros
//! and with their channels padded to a multiple of [`LANES`]; a [`View`] says where one lies in a slice. Each kernel runs
//! at a [`Level`], the instruction set, and gives the same bits at every level: vector lanes hold independent outputs, and
//! each output is one chain of operations in a fixed order. [`mod@reference`] holds the plain-loop definition of each.
//!
//! ```
//! use juggle_kernels::conv::{self, Start};
//! use juggle_kernels::{Buffer, Finish, Level, View};
//!
//! // A 3×3 convolution of one gray image of 4×4 to 16 channels: every weight 1, so each output counts its neighbours.
//! let (x, y) = (View::bordered(4, 4, 1, 1), View::bordered(4, 4, 16, 0));
//! let (mut xs, mut ys) = (Buffer::zeros(6 * 6), Buffer::zeros(4 * 4 * 16));
//! for row in 0..4 {
//!     xs[x.at(row, 0)..][..4].fill(1.0);
//! }
//! let weight = [1.0; 9 * 16];
//! conv::forward(Level::best(), (&xs, x.padded(1)), &weight, (&mut ys, y), Start::Zero, Finish::Keep);
//! assert_eq!((ys[y.at(0, 0)], ys[y.at(0, 1)], ys[y.at(1, 1)]), (4.0, 6.0, 9.0));
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`conv`] | convolution and linear layers, forward and their gradients |
//! | [`copy`] | copies, ReLU and its gradient, between our layout and NCHW |
//! | [`pool`] | max-pooling and nearest upsampling |
//! | [`norm`] | batch normalisation in training mode |
//! | [`loss`] | softmax cross-entropy and mean squared error |
//! | [`optimizer`] | Adam, AdamW, SGD, moving averages, sums of partial gradients |
//! | [`peak`] | the yardstick of the benches: what a core does at most |
//! | [`math`] | `exp` and `ln`, the same on every platform |
//! | [`mod@reference`] | what each kernel means |

pub mod conv;
pub mod copy;
pub mod loss;
pub mod math;
pub mod norm;
pub mod optimizer;
pub mod peak;
pub mod pool;
pub mod reference;

mod buffer;
mod finish;
mod simd;
mod view;

pub use buffer::Buffer;
pub use finish::{Accumulate, Finish};
pub use simd::Level;
pub use view::View;

/// What the number of channels that vectors run over must be a multiple of.
pub const LANES: usize = 16;
