//! Where an image lies inside a slice.

/// An image of `height` × `width` pixels of `channels` contiguous values inside a larger slice.
///
/// Pixel (y, x) begins at `offset + y · row + x · pixel`. A border of zeros is a view that begins further inside; a part
/// of a concatenation is a view whose `pixel` exceeds its `channels`.
///
/// # Examples
///
/// ```
/// use juggle_kernels::View;
///
/// let bordered = View::bordered(4, 6, 16, 1);
/// assert_eq!((bordered.row, bordered.offset), (8 * 16, 9 * 16));
/// assert_eq!(bordered.padded(1).offset, 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Index of the first value.
    pub offset: usize,
    /// Values from one row to the next.
    pub row: usize,
    /// Values from one pixel to the next.
    pub pixel: usize,
    /// Number of rows.
    pub height: usize,
    /// Number of pixels in a row.
    pub width: usize,
    /// Number of values of a pixel.
    pub channels: usize,
}

impl View {
    /// An image in the middle of a buffer with a border of `border` pixels on every side.
    #[must_use]
    pub fn bordered(height: usize, width: usize, channels: usize, border: usize) -> Self {
        let row = (width + 2 * border) * channels;
        Self {
            offset: border * (row + channels),
            row,
            pixel: channels,
            height,
            width,
            channels,
        }
    }

    /// The view with `padding` more pixels on every side.
    ///
    /// # Panics
    /// When there is no room before the image.
    #[must_use]
    pub fn padded(self, padding: usize) -> Self {
        let before = padding * (self.row + self.pixel);
        assert!(
            before <= self.offset,
            "the image has a border of {padding} pixels"
        );
        Self {
            offset: self.offset - before,
            height: self.height + 2 * padding,
            width: self.width + 2 * padding,
            ..self
        }
    }

    /// The view with `margin` fewer pixels on every side.
    ///
    /// # Panics
    /// When nothing would be left.
    #[must_use]
    pub fn cropped(self, margin: usize) -> Self {
        assert!(
            self.height > 2 * margin && self.width > 2 * margin,
            "a margin of {margin} leaves some of {}×{}",
            self.height,
            self.width
        );
        Self {
            offset: self.offset + margin * (self.row + self.pixel),
            height: self.height - 2 * margin,
            width: self.width - 2 * margin,
            ..self
        }
    }

    /// Every `stride`-th pixel of every `stride`-th row, from the first on.
    ///
    /// # Panics
    /// When the stride is 0.
    #[must_use]
    pub fn every(self, stride: usize) -> Self {
        Self {
            row: self.row * stride,
            pixel: self.pixel * stride,
            height: self.height.div_ceil(stride),
            width: self.width.div_ceil(stride),
            ..self
        }
    }

    /// The rows and columns that squares of `side` pixels read which begin every `stride` pixels; what is left over at the
    /// end is none of them.
    ///
    /// # Panics
    /// When there is no room for one, or the stride is 0.
    #[must_use]
    pub fn covered(self, side: usize, stride: usize) -> Self {
        assert!(
            self.height >= side && self.width >= side,
            "a square of {side} pixels fits into {}×{}",
            self.height,
            self.width
        );
        Self {
            height: self.height - (self.height - side) % stride,
            width: self.width - (self.width - side) % stride,
            ..self
        }
    }

    /// `channels` of the channels from `first` on.
    ///
    /// # Panics
    /// When there are fewer.
    #[must_use]
    pub fn part(self, first: usize, channels: usize) -> Self {
        assert!(
            first + channels <= self.channels,
            "the image has so many channels"
        );
        Self {
            offset: self.offset + first,
            channels,
            ..self
        }
    }

    /// The same image so many values further into the slice.
    #[must_use]
    pub fn shifted(self, by: usize) -> Self {
        Self {
            offset: self.offset + by,
            ..self
        }
    }

    /// Index of the first value of a pixel.
    #[inline(always)]
    #[must_use]
    pub fn at(&self, y: usize, x: usize) -> usize {
        self.offset + y * self.row + x * self.pixel
    }

    /// One past the last value; the view's offset when it is empty.
    #[must_use]
    pub fn end(&self) -> usize {
        if self.height == 0 || self.width == 0 {
            self.offset
        } else {
            // Saturating, so that absurd strides cannot wrap around into range.
            let rows = (self.height - 1).saturating_mul(self.row);
            let pixels = (self.width - 1).saturating_mul(self.pixel);
            let last = self.offset.saturating_add(rows).saturating_add(pixels);
            last.saturating_add(self.channels)
        }
    }

    /// # Panics
    /// When the view leaves a slice of `len` values.
    pub(crate) fn check(&self, len: usize) {
        assert!(
            self.end() <= len,
            "{self:?} ends at {} of {len}",
            self.end()
        );
    }

    /// # Panics
    /// As [`View::check`], and when the channels are no whole number of vectors.
    pub(crate) fn check_vectors(&self, len: usize) {
        self.check(len);
        assert!(
            self.channels.is_multiple_of(crate::LANES),
            "{} channels are whole vectors",
            self.channels
        );
    }

    /// # Panics
    /// When the other view has another height, width or number of channels.
    pub(crate) fn check_same(&self, other: &Self) {
        assert_eq!(
            (self.height, self.width, self.channels),
            (other.height, other.width, other.channels),
            "views of one shape"
        );
    }
}
