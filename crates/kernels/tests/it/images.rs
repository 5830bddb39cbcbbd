//! Images as kernels see them, inside a larger buffer, and as the reference does.

use juggle_kernels::reference::Image;
use juggle_kernels::{Buffer, View};

/// All cases of a table, or under miri, which takes a thousand times as long, the first few.
pub(crate) fn cases<T>(all: &[T]) -> &[T] {
    if cfg!(miri) { &all[..3] } else { all }
}

/// What fills an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// −3 to 3: every sum is exact, so results must be equal to the bit.
    SmallIntegers,
    /// Fractions in [−1, 1).
    Fractions,
}

impl Numbers {
    pub(crate) const ALL: [Self; 2] = [Self::SmallIntegers, Self::Fractions];

    /// Share of the largest value that a result may be off by.
    pub(crate) fn tolerance(self) -> f64 {
        match self {
            Self::SmallIntegers => 0.0,
            Self::Fractions => 2e-6,
        }
    }

    pub(crate) fn values(self, n: usize, seed: u64) -> Vec<f64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
        let draw = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let fraction = f64::from((state >> 40) as u32) / f64::from(1_u32 << 24) * 2.0 - 1.0;
            match self {
                Self::SmallIntegers => (fraction * 3.49).round(),
                Self::Fractions => f64::from(fraction as f32),
            }
        };
        (0..n).map(draw).collect()
    }

    pub(crate) fn image(self, height: usize, width: usize, channels: usize, seed: u64) -> Image {
        Image {
            height,
            width,
            channels,
            values: self.values(height * width * channels, seed),
        }
    }
}

/// A buffer with the image in it, a border around and strangers beside its channels where `pixel` leaves room.
pub(crate) fn placed(image: &Image, pixel: usize, border: usize) -> (Buffer, View) {
    let whole = View::bordered(image.height, image.width, pixel, border);
    let len = (image.height + 2 * border) * (image.width + 2 * border) * pixel;
    let first = pixel - image.channels;
    let view = whole.part(first, image.channels);
    let mut buffer = Buffer::zeros(len);
    for row in 0..image.height {
        for column in 0..image.width {
            buffer[whole.at(row, column)..][..first].fill(7.0);
            for channel in 0..image.channels {
                let value = image.values[image.at(row, column, channel)] as f32;
                buffer[view.at(row, column) + channel] = value;
            }
        }
    }
    (buffer, view)
}

pub(crate) fn floats(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}

#[track_caller]
pub(crate) fn assert_near(what: &str, ours: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(1.0_f64, |max, x| max.max(x.abs()));
    for (i, (&ours, &expected)) in ours.iter().zip(expected).enumerate() {
        let error = (f64::from(ours) - expected).abs();
        assert!(
            error <= tolerance * largest,
            "{what}[{i}]: {ours}, expected {expected}"
        );
    }
}

/// The image of a view must be `expected`, and all else in its buffer as it was in `before`.
#[track_caller]
pub(crate) fn assert_image(
    what: &str,
    (buffer, view): (&[f32], View),
    before: &[f32],
    expected: &Image,
    tolerance: f64,
) {
    let mut ours = Vec::new();
    let mut untouched = buffer.to_vec();
    for row in 0..view.height {
        for column in 0..view.width {
            let range = view.at(row, column)..view.at(row, column) + view.channels;
            ours.extend_from_slice(&buffer[range.clone()]);
            untouched[range.clone()].copy_from_slice(&before[range]);
        }
    }
    assert_near(what, &ours, &expected.values, tolerance);
    assert_eq!(untouched, before, "{what}: written outside the image");
}

/// Runs `f`, whose result must be the same bits at every level.
#[track_caller]
pub(crate) fn at_every_level<T: PartialEq + std::fmt::Debug>(
    f: impl Fn(juggle_kernels::Level) -> T,
) -> T {
    let mut results = juggle_kernels::Level::supported()
        .into_iter()
        .map(|level| (level, f(level)));
    let (_, scalar) = results
        .next()
        .expect("every processor has the scalar level");
    for (level, result) in results {
        assert!(result == scalar, "{} differs from scalar", level.name());
    }
    scalar
}
