//! The windows of SSIM.

/// A square window, used as a row of taps in both directions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Window {
    /// So many equal taps.
    Uniform(usize),
    /// Taps that add up to one.
    Gaussian(Vec<f64>),
}

impl Window {
    /// `exp(−d²/2σ²)` for an odd number of taps, scaled to add up to one.
    pub(crate) fn gaussian(sigma: f64, size: usize) -> Self {
        let middle = (size / 2) as f64;
        let weights: Vec<f64> = (0..size)
            .map(|i| {
                let d = i as f64 - middle;
                (-0.5 / (sigma * sigma) * (d * d)).exp()
            })
            .collect();
        let total: f64 = weights.iter().sum();
        Self::Gaussian(weights.into_iter().map(|weight| weight / total).collect())
    }

    /// The same as pytorch-msssim makes it: in single precision, whatever the images are in.
    ///
    /// The sum of the weights is rounded once here; that library adds them in an order that depends on its processor, which for some
    /// windows (not its default) is another last bit.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounding is what it is for"
    )]
    pub(crate) fn gaussian_single(sigma: f64, size: usize) -> Self {
        let twice_variance = (2.0 * sigma * sigma) as f32;
        let weights: Vec<f32> = (0..size)
            .map(|i| {
                let d = i as f32 - (size / 2) as f32;
                f64::from(-(d * d) / twice_variance).exp() as f32
            })
            .collect();
        let total = weights.iter().map(|&weight| f64::from(weight)).sum::<f64>() as f32;
        let taps = weights.into_iter().map(|weight| f64::from(weight / total));
        Self::Gaussian(taps.collect())
    }

    /// Pixels on each side.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Uniform(size) => *size,
            Self::Gaussian(taps) => taps.len(),
        }
    }

    /// The taps in a row, divided by the middle one.
    pub(crate) fn taps_of_middle_one(&self) -> Vec<f64> {
        match self {
            Self::Uniform(size) => vec![1.0; *size],
            Self::Gaussian(taps) => {
                let middle = taps[taps.len() / 2];
                taps.iter().map(|tap| tap / middle).collect()
            }
        }
    }

    /// What the formula multiplies sums of pixels times [those taps](Self::taps_of_middle_one) by, turned round.
    pub(crate) fn weight(&self) -> f64 {
        match self {
            Self::Uniform(size) => (size * size) as f64,
            Self::Gaussian(taps) => {
                let middle = taps[taps.len() / 2];
                1.0 / (middle * middle)
            }
        }
    }

    /// Pixels on either side of the middle.
    pub(crate) fn radius(&self) -> usize {
        self.size() / 2
    }
}
