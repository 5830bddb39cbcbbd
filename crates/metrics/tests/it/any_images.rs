//! Images and settings drawn from bytes: whatever they are, a metric answers with a number or an error.

use juggle_metrics::ndarray::{Array4, ArrayView2, ArrayView4, Axis, s};
use juggle_metrics::{
    Convention, Covariance, MsSsim, Normalization, Pixel, Ssim, mse_batch, nrmse, psnr, psnr_batch,
};

use crate::draw::Draw;

pub(crate) fn run(bytes: &[u8]) {
    let mut draw = Draw(bytes);
    match draw.below(4) {
        0 => measure(&mut draw, |draw| draw.byte()),
        1 => measure(&mut draw, |draw| {
            u16::from_le_bytes([draw.byte(), draw.byte()])
        }),
        2 => measure(&mut draw, single),
        _ => measure(&mut draw, |draw| draw.number()),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not fit becomes infinite, which is an input too"
)]
fn single(draw: &mut Draw<'_>) -> f32 {
    draw.number() as f32
}

fn measure<T: Pixel>(draw: &mut Draw<'_>, pixel: fn(&mut Draw<'_>) -> T) {
    let shape = [draw.below(3), draw.below(3), draw.below(48), draw.below(48)];
    let mut other = shape;
    if draw.below(8) == 0 {
        other[draw.below(4)] = draw.below(48);
    }
    let data_range = draw.number();
    let ssim = settings(draw, data_range);
    let weights: Vec<f64> = (0..draw.below(4)).map(|_| draw.number()).collect();
    let step = draw.pick(&[1, 1, -1, 2]);
    // Few pixels of their own, repeated: long inputs teach a fuzzer nothing.
    let few: Vec<T> = (0..16).map(|_| pixel(draw)).collect();
    let image = |shape: [usize; 4], odd: usize| {
        let mut i = 0;
        Array4::from_shape_simple_fn(shape, || {
            i += odd;
            few[i % few.len()]
        })
    };
    let (truth, prediction) = (image(shape, 5), image(other, 7));
    let (truth, prediction) = (
        truth.slice(s![.., .., ..;step, ..;-step]),
        prediction.slice(s![.., .., ..;step, ..;-step]),
    );
    batches(truth, prediction, &ssim, data_range, &weights);
    if truth.dim().0 > 0 && truth.dim().1 > 0 && prediction.dim().0 > 0 && prediction.dim().1 > 0 {
        let (truth, prediction) = (
            truth.slice(s![0, 0, .., ..]),
            prediction.slice(s![0, 0, .., ..]),
        );
        images(truth, prediction, &ssim, data_range, &weights);
    }
}

fn settings(draw: &mut Draw<'_>, data_range: f64) -> Ssim {
    let convention = draw.pick(&[
        Convention::ScikitImage,
        Convention::ScikitImageGaussian,
        Convention::Torchmetrics,
        Convention::PytorchMsssim,
    ]);
    let mut ssim = Ssim::new(convention, data_range);
    if draw.below(2) == 0 {
        ssim = ssim.window_size(draw.below(20));
    }
    if draw.below(3) == 0 {
        ssim = ssim.sigma(draw.number());
    }
    if draw.below(3) == 0 {
        ssim = ssim.k1(draw.number()).k2(draw.number());
    }
    if draw.below(2) == 0 {
        ssim = ssim.covariance(draw.pick(&[Covariance::Sample, Covariance::Population]));
    }
    ssim
}

fn batches<T: Pixel>(
    truth: ArrayView4<'_, T>,
    prediction: ArrayView4<'_, T>,
    ssim: &Ssim,
    data_range: f64,
    weights: &[f64],
) {
    for values in [
        ssim.batch(truth, prediction),
        MsSsim::new(Convention::Torchmetrics, data_range)
            .weights(weights)
            .batch(truth, prediction),
        mse_batch(truth, prediction),
    ]
    .into_iter()
    .flatten()
    {
        assert!(values.iter().all(|value| value.is_finite()));
    }
    for value in psnr_batch(truth, prediction, data_range)
        .into_iter()
        .flatten()
    {
        assert!(!value.is_nan());
    }
    if let (Some(truth), Some(prediction)) =
        (truth.outer_iter().next(), prediction.outer_iter().next())
    {
        let _ = ssim.per_channel(truth, prediction, Axis(weights.len()));
    }
}

fn images<T: Pixel>(
    truth: ArrayView2<'_, T>,
    prediction: ArrayView2<'_, T>,
    ssim: &Ssim,
    data_range: f64,
    weights: &[f64],
) {
    let ms_ssim = MsSsim::new(Convention::PytorchMsssim, data_range).weights(weights);
    let values = [
        ssim.mean(truth, prediction),
        ms_ssim.mean(truth, prediction),
    ];
    assert!(values.into_iter().flatten().all(f64::is_finite));
    if let Ok(value) = psnr(truth, prediction, data_range) {
        assert!(!value.is_nan());
    }
    let _ = ssim.map(truth, prediction);
    let _ = ssim.gradient(truth, prediction);
    let _ = nrmse(truth, prediction, Normalization::MinMax);
}
