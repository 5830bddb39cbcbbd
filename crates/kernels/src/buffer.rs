//! Memory that begins at a cache line.

use std::ops::{Deref, DerefMut};

/// A slice of `f32` whose first value begins a cache line, so that no vector of 16 crosses two. It begins as zeros.
///
/// # Examples
///
/// ```
/// let mut buffer = juggle_kernels::Buffer::zeros(20);
/// buffer[19] = 1.0;
/// assert_eq!(buffer.iter().sum::<f32>(), 1.0);
/// assert_eq!(buffer.as_ptr().addr() % 64, 0);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

impl Buffer {
    /// So many zeros.
    #[must_use]
    pub fn zeros(len: usize) -> Self {
        Self {
            lines: vec![Line([0.0; 16]); len.div_ceil(16)],
            len,
        }
    }
}

impl Deref for Buffer {
    type Target = [f32];

    #[expect(unsafe_code, reason = "cache lines as plain values")]
    fn deref(&self) -> &[f32] {
        // SAFETY: a line is 16 floats without padding, and there are enough lines for `len` floats.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    #[expect(unsafe_code, reason = "cache lines as plain values")]
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as for `deref`; the borrow of the lines is unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}
