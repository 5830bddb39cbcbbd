//! Occlusion maps: which parts of an image a classifier's answer hangs on.
//!
//! A patch of one colour is slid over the image, and the drop of a class's probability is noted at each place (Zeiler and
//! Fergus, *Visualizing and Understanding Convolutional Networks*, 2014, section 4.2, who slid a gray square).

use crate::{Engine, Error, Result, softmax};

/// The patch and how it moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Occlusion {
    /// Side of the patch in pixels, at most the image's shorter side.
    pub patch: usize,
    /// Pixels from one place to the next, at most `patch`, so that every pixel is hidden at some place.
    pub stride: usize,
    /// The patch's value in each channel, in the units of the image.
    pub fill: Vec<f32>,
}

/// What hiding each place does to the probability of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct OcclusionMap {
    /// The class looked at.
    pub class_idx: usize,
    /// Its probability with nothing hidden.
    pub probability: f32,
    /// Side of the patch in pixels.
    pub patch: usize,
    /// First pixel row of the patch, for each row of `drop`, ascending; the last place ends at the border.
    pub tops: Vec<usize>,
    /// First pixel column of the patch, for each column of `drop`.
    pub lefts: Vec<usize>,
    /// Probability with nothing hidden minus probability with the patch there, row-major, −1 to 1. Where it is negative,
    /// what is hidden spoke against the class.
    pub drop: Vec<f32>,
}

impl OcclusionMap {
    /// First row and column of the patch where the drop is largest, and the drop; of equal ones the first.
    #[must_use]
    pub fn largest(&self) -> (usize, usize, f32) {
        let mut best = 0;
        for (i, drop) in self.drop.iter().enumerate() {
            if *drop > self.drop[best] {
                best = i;
            }
        }
        let n = self.lefts.len();
        (self.tops[best / n], self.lefts[best % n], self.drop[best])
    }

    /// For each pixel of a `height`×`width` image the mean drop over the places that hide it, row-major.
    #[must_use]
    pub fn per_pixel(&self, height: usize, width: usize) -> Vec<f32> {
        let mut sums = vec![(0.0_f64, 0.0_f64); height * width];
        for (place, &drop) in self.drop.iter().enumerate() {
            let (top, left) = (
                self.tops[place / self.lefts.len()],
                self.lefts[place % self.lefts.len()],
            );
            for y in top..top + self.patch {
                for (sum, n) in &mut sums[y * width + left..][..self.patch] {
                    *sum += f64::from(drop);
                    *n += 1.0;
                }
            }
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounded once, from f64 to f32"
        )]
        let means = sums.iter().map(|(sum, n)| (sum / n) as f32).collect();
        means
    }
}

/// Slides a patch over one image (`[channels, height, width]`, CHW) and looks at one class: `class_idx`, or the predicted one.
///
/// The result depends on the engine's outputs alone; places are taken in row order.
///
/// # Errors
/// [`Error::Config`] when the patch or its stride does not fit, or the fill has not one value a channel; [`Error::Label`] for
/// a class that the network does not have; [`Error::Length`] when the image has another number of values.
///
/// # Examples
///
/// ```
/// use juggle_models::{
///     CnnConfig, CpuEngine, Loss, Occlusion, Optimizer, TrainingOptions, cnn, initialize, occlusion_map,
/// };
///
/// let network = cnn(&CnnConfig { n_classes: 2, in_channels: 1, height: 8, width: 8, batch_norm: false })?;
/// let options = TrainingOptions {
///     loss: Loss::CrossEntropy { label_smoothing: 0.0 },
///     optimizer: Optimizer::Adam { weight_decay: 0.0 },
///     ema_decay: None,
///     clip_norm: None,
/// };
/// let engine = CpuEngine::new(&network, &initialize(&network, 0), options)?;
/// let occlusion = Occlusion { patch: 4, stride: 2, fill: vec![0.0] };
/// let map = occlusion_map(&engine, network.input_shape(), &[0.5; 64], None, &occlusion)?;
/// assert_eq!((map.tops.as_slice(), map.drop.len()), ([0, 2, 4].as_slice(), 9));
/// # Ok::<(), juggle_models::Error>(())
/// ```
pub fn occlusion_map(
    engine: &dyn Engine,
    shape: [usize; 3],
    image: &[f32],
    class_idx: Option<usize>,
    occlusion: &Occlusion,
) -> Result<OcclusionMap> {
    let [channels, height, width] = shape;
    check(shape, image, occlusion)?;
    let probabilities = softmax(&engine.forward(image)?);
    let class_idx = class_idx.unwrap_or_else(|| first_maximum(&probabilities));
    let Some(&probability) = probabilities.get(class_idx) else {
        return Err(Error::Label {
            position: 0,
            found: u32::try_from(class_idx).unwrap_or(u32::MAX),
            last: probabilities.len() - 1,
        });
    };
    let tops = places(height, occlusion);
    let lefts = places(width, occlusion);
    let all: Vec<_> = tops
        .iter()
        .flat_map(|&top| lefts.iter().map(move |&left| (top, left)))
        .collect();
    let mut drop = Vec::with_capacity(all.len());
    let mut batch = Vec::new();
    for places in all.chunks(batch_size(image.len())) {
        batch.clear();
        for &(top, left) in places {
            let start = batch.len();
            batch.extend_from_slice(image);
            for c in 0..channels {
                for y in top..top + occlusion.patch {
                    let row = start + (c * height + y) * width + left;
                    batch[row..row + occlusion.patch].fill(occlusion.fill[c]);
                }
            }
        }
        let logits = engine.forward(&batch)?;
        let rows = logits.chunks_exact(probabilities.len());
        drop.extend(rows.map(|logits| probability - softmax(logits)[class_idx]));
    }
    Ok(OcclusionMap {
        class_idx,
        probability,
        patch: occlusion.patch,
        tops,
        lefts,
        drop,
    })
}

fn check([channels, height, width]: [usize; 3], image: &[f32], by: &Occlusion) -> Result<()> {
    if image.len() != channels * height * width {
        return Err(Error::Length {
            what: "the image's pixels",
            found: image.len(),
            expected: format!("{channels}×{height}×{width}"),
        });
    }
    let within = |what, found: usize, last: usize, of: &str| {
        if (1..=last).contains(&found) {
            return Ok(());
        }
        Err(Error::Config {
            what,
            found: found.to_string(),
            expected: format!("1 to {last}, {of}"),
        })
    };
    let side = height.min(width);
    within(
        "the patch's side",
        by.patch,
        side,
        "the image's shorter side",
    )?;
    within(
        "the patch's stride",
        by.stride,
        by.patch,
        "the patch's side, so that every pixel is hidden once",
    )?;
    if by.fill.len() != channels {
        return Err(Error::Config {
            what: "the number of the patch's values",
            found: by.fill.len().to_string(),
            expected: format!("{channels}, one a channel"),
        });
    }
    Ok(())
}

/// Every stride, and the border.
fn places(side: usize, occlusion: &Occlusion) -> Vec<usize> {
    let last = side - occlusion.patch;
    (0..last)
        .step_by(occlusion.stride)
        .chain(std::iter::once(last))
        .collect()
}

/// As many images as 64 of 64×64 pixels are, so that memory stays bounded.
fn batch_size(image_len: usize) -> usize {
    const IMAGES: usize = 64;
    const VALUES: usize = IMAGES * 64 * 64;
    (VALUES / image_len).clamp(1, IMAGES)
}

fn first_maximum(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best
}
