//! Shapes, layouts and modes out of bytes.

use juggle_kernels::reference::Image;
use juggle_kernels::{Finish, View};

use crate::images::{Numbers, floats};

/// Numbers from bytes; zeros when they are used up.
pub(crate) struct Draw<'a>(pub(crate) &'a [u8]);

impl Draw<'_> {
    /// A number below `n`, which is at most 256.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let Some((&byte, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(byte) % n
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Small integers.
    pub(crate) fn image(&mut self, height: usize, width: usize, channels: usize) -> Image {
        let seed = self.below(256) as u64;
        Numbers::SmallIntegers.image(height, width, channels, seed)
    }

    /// The image in a slice with a border of zeros, gaps between pixels and rows, and not a value more than it needs.
    pub(crate) fn placed(&mut self, image: &Image, border: usize) -> (Vec<f32>, View) {
        let channels = image.channels;
        let gap = self.pick(&[0, 0, 16, 1, 7]);
        // Strides that networks have are compiled separately.
        let known = [16, 32, 48, 64, 96].into_iter().find(|&n| n > channels);
        let pixel = self.pick(&[Some(channels + gap), known]);
        let pixel = pixel.unwrap_or(channels + gap);
        let row = (image.width + 2 * border) * pixel + self.pick(&[0, 0, 16, 3]);
        let first = self.below(pixel - channels + 1);
        let view = View {
            offset: self.below(20) + first + border * (row + pixel),
            row,
            pixel,
            height: image.height,
            width: image.width,
            channels,
        };
        let all = view.padded(border);
        let mut values = vec![7.0; all.end()];
        for y in 0..all.height {
            for x in 0..all.width {
                values[all.at(y, x)..][..channels].fill(0.0);
            }
        }
        for (i, pixel) in image.values.chunks(channels).enumerate() {
            let at = view.at(i / image.width, i % image.width);
            values[at..][..channels].copy_from_slice(&floats(pixel));
        }
        (values, view)
    }
}

/// A third image from the values of two.
pub(crate) fn zip(a: &Image, b: &Image, f: impl Fn(f64, f64) -> f64) -> Image {
    let values = a.values.iter().zip(&b.values).map(|(&a, &b)| f(a, b));
    Image {
        values: values.collect(),
        ..a.clone()
    }
}

/// A finish by number, and what it does to the expected values.
pub(crate) fn finish<'a>(
    number: usize,
    sum: &Image,
    (mask, (masks, view)): (&Image, (&'a [f32], View)),
) -> (Finish<'a>, Image) {
    match number {
        0 => (Finish::Keep, sum.clone()),
        1 => (Finish::Relu, zip(sum, sum, |x, _| x.max(0.0))),
        _ => {
            let kept = zip(sum, mask, |x, mask| if mask > 0.0 { x } else { 0.0 });
            (Finish::Mask(masks, view), kept)
        }
    }
}
