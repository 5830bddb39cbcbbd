//! What must hold for any input.

use juggle_metrics::{
    ClassificationReport, ConfusionMatrix, Convention, MsSsim, Result, psnr, psnr_batch,
};
use ndarray::{Array2, Array4, ArrayView2, ArrayView4, s};
use proptest::collection::vec;
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;

use crate::patterns::SplitMix64;
use crate::shorthand::{ssim, ssim_batch, ssim_gaussian, ssim_gaussian_batch, torch, torch_batch};

fn image(height: usize, width: usize, seed: u64) -> Array2<f64> {
    let mut rng = SplitMix64::new(seed);
    Array2::from_shape_simple_fn((height, width), || rng.unit())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "f32 pixels are meant to be rounded"
)]
fn batch(shape: [usize; 4], seed: u64) -> Array4<f32> {
    let mut rng = SplitMix64::new(seed);
    Array4::from_shape_simple_fn(shape, || rng.unit() as f32)
}

type Metric = fn(ArrayView2<'_, f64>, ArrayView2<'_, f64>, f64) -> Result<f64>;
type BatchMetric = fn(ArrayView4<'_, f32>, ArrayView4<'_, f32>, f64) -> Result<Vec<f64>>;

fn metrics() -> [Metric; 4] {
    [psnr, ssim, ssim_gaussian, torch]
}

/// Of two scales, the first of which leaves the luminance out.
fn ms_ssim(x: ArrayView2<'_, f64>, y: ArrayView2<'_, f64>, data_range: f64) -> Result<f64> {
    let ms_ssim = MsSsim::new(Convention::Torchmetrics, data_range);
    ms_ssim.weights(&[0.5, 0.5]).mean(x, y)
}

fn batch_metrics() -> [BatchMetric; 4] {
    [psnr_batch, ssim_batch, ssim_gaussian_batch, torch_batch]
}

/// A pixel of any kind: ordinary, huge, tiny, not a number.
fn any_pixel() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -2.0..2.0_f64,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![0.0, -0.0, 1e77, -1e154, 5e-324, f64::NAN, f64::INFINITY]),
    ]
}

proptest! {
    #[test]
    fn metrics_are_symmetric_to_the_bit(height in 11..40_usize, width in 11..40_usize, seed: u64) {
        let (x, y) = (image(height, width, seed), image(height, width, !seed));
        for metric in metrics() {
            prop_assert_eq!(metric(x.view(), y.view(), 1.0), metric(y.view(), x.view(), 1.0));
        }
    }

    #[test]
    fn identical_images_are_perfect(
        height in 11..40_usize,
        width in 11..40_usize,
        seed: u64,
        scale in 1e-3..1e3_f64,
    ) {
        let x = image(height, width, seed) * scale;
        prop_assert_eq!(psnr(x.view(), x.view(), 1.0), Ok(f64::INFINITY));
        prop_assert_eq!(ssim(x.view(), x.view(), 1.0), Ok(1.0));
        prop_assert_eq!(ssim_gaussian(x.view(), x.view(), 1.0), Ok(1.0));
    }

    #[test]
    fn ssim_is_between_minus_one_and_one(height in 11..40_usize, width in 11..40_usize, seed: u64) {
        let (x, y) = (image(height, width, seed), image(height, width, !seed));
        for metric in [ssim, ssim_gaussian] {
            let value = metric(x.view(), y.view(), 1.0).unwrap();
            prop_assert!((-1.0..1.0).contains(&value), "{}", value);
        }
    }

    #[test]
    fn more_noise_is_less_psnr(
        height in 1..40_usize,
        width in 1..40_usize,
        seed: u64,
        amplitude in 1e-3..1.0_f64,
        factor in 1.01..100.0_f64,
    ) {
        let (x, noise) = (image(height, width, seed), image(height, width, !seed));
        let psnr_at = |amplitude: f64| psnr(x.view(), (&x + &noise * amplitude).view(), 1.0).unwrap();
        let (quiet, loud) = (psnr_at(amplitude), psnr_at(amplitude * factor));
        prop_assert!(quiet > loud, "{} {}", quiet, loud);
        // Noise times a factor costs exactly that factor, in decibels.
        prop_assert!((quiet - loud - 20.0 * factor.log10()).abs() < 1e-6);
    }

    #[test]
    fn scaling_pixels_and_data_range_changes_no_bit(
        height in 23..40_usize,
        width in 23..40_usize,
        seed: u64,
        exponent in -100..100_i32,
    ) {
        // A power of two, so that no product is rounded.
        let scale = 2.0_f64.powi(exponent);
        let (x, noise) = (image(height, width, seed), image(height, width, !seed));
        let y = 0.5 * (&x + noise);
        let (scaled_x, scaled_y) = (&x * scale, &y * scale);
        for metric in metrics().into_iter().chain([ms_ssim as Metric]) {
            let value = metric(x.view(), y.view(), 1.0).unwrap();
            let scaled = metric(scaled_x.view(), scaled_y.view(), scale).unwrap();
            prop_assert_eq!(value.to_bits(), scaled.to_bits(), "{} {}", value, scaled);
        }
    }

    #[test]
    fn strides_do_not_matter(height in 11..30_usize, width in 11..30_usize, seed: u64) {
        let wide = (image(2 * height, 3 * width, seed), image(2 * height, 3 * width, !seed));
        let row = wide.0.row(0);
        let views = [
            (wide.0.slice(s![..;2, ..;3]), wide.1.slice(s![..;2, ..;3])),
            (wide.0.slice(s![..;-1, ..;-1]), wide.1.slice(s![..;-1, ..;-1])),
            (wide.0.t(), wide.1.t()),
            (row.broadcast((height, 3 * width)).unwrap(), wide.1.slice(s![..height, ..])),
        ];
        for (x, y) in &views {
            let standard = (x.as_standard_layout(), y.as_standard_layout());
            for metric in metrics() {
                let expected = metric(standard.0.view(), standard.1.view(), 1.0).unwrap();
                let found = metric(x.reborrow(), y.reborrow(), 1.0).unwrap();
                prop_assert_eq!(found.to_bits(), expected.to_bits());
            }
        }
    }

    #[test]
    fn threads_do_not_matter(
        shape in [1..12_usize, 1..4_usize, 11..20_usize, 11..20_usize],
        seed: u64,
        n_threads in 2..5_usize,
    ) {
        let (x, y) = (batch(shape, seed), batch(shape, !seed));
        let in_pool = |n_threads, metric: BatchMetric| {
            let pool = ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| metric(x.view(), y.view(), 1.0)).unwrap()
        };
        for metric in batch_metrics() {
            let (one, many) = (in_pool(1, metric), in_pool(n_threads, metric));
            let bits = |values: Vec<f64>| values.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            prop_assert_eq!(bits(one), bits(many));
        }
    }

    #[test]
    fn a_batch_is_its_images(n in 1..20_usize, height in 11..20_usize, width in 11..40_usize, seed: u64) {
        let (x, y) = (batch([n, 1, height, width], seed), batch([n, 1, height, width], !seed));
        let gray = s![.., 0, .., ..];
        let (images_x, images_y) = (x.slice(gray), y.slice(gray));
        let images = || images_x.outer_iter().zip(images_y.outer_iter());
        let psnr_db: Result<Vec<_>> = images().map(|(x, y)| psnr(x, y, 1.0)).collect();
        let ssims: Result<Vec<_>> = images().map(|(x, y)| ssim(x, y, 1.0)).collect();
        let gaussian: Result<Vec<_>> = images().map(|(x, y)| ssim_gaussian(x, y, 1.0)).collect();
        prop_assert_eq!(psnr_batch(x.view(), y.view(), 1.0), psnr_db);
        prop_assert_eq!(ssim_batch(x.view(), y.view(), 1.0), ssims);
        prop_assert_eq!(ssim_gaussian_batch(x.view(), y.view(), 1.0), gaussian);
        let mirrored: Result<Vec<_>> = images().map(|(x, y)| torch(x, y, 1.0)).collect();
        prop_assert_eq!(torch_batch(x.view(), y.view(), 1.0), mirrored);
    }

    #[test]
    fn no_image_makes_a_metric_panic(
        truth_shape in (0..14_usize, 0..14_usize),
        prediction_shape in (0..14_usize, 0..14_usize),
        same_shape: bool,
        pixels in vec(any_pixel(), 2 * 14 * 14),
        data_range in prop_oneof![Just(1.0), any::<f64>()],
        steps in prop::sample::select(vec![(1, 1), (-1, 1), (2, -3), (-1, -1)]),
    ) {
        let prediction_shape = if same_shape { truth_shape } else { prediction_shape };
        let (truth_pixels, prediction_pixels) = pixels.split_at(14 * 14);
        let array = |(height, width), pixels: &[f64]| {
            Array2::from_shape_vec((height, width), pixels[..height * width].to_vec()).unwrap()
        };
        let (x, y) = (array(truth_shape, truth_pixels), array(prediction_shape, prediction_pixels));
        let (x, y) = (x.slice(s![..;steps.0, ..;steps.1]), y.slice(s![..;steps.0, ..;steps.1]));
        for metric in metrics() {
            if let Ok(value) = metric(x.reborrow(), y.reborrow(), data_range) {
                prop_assert!(value.is_finite() || value == f64::INFINITY, "{}", value);
            }
        }
    }

    #[test]
    fn no_batch_makes_a_metric_panic(
        truth_shape in [0..3_usize, 0..3_usize, 0..13_usize, 0..13_usize],
        prediction_shape in [0..3_usize, 0..3_usize, 0..13_usize, 0..13_usize],
        same_shape: bool,
        seed: u64,
    ) {
        let prediction_shape = if same_shape { truth_shape } else { prediction_shape };
        let (x, y) = (batch(truth_shape, seed), batch(prediction_shape, !seed));
        for metric in batch_metrics() {
            if let Ok(values) = metric(x.view(), y.view(), 1.0) {
                prop_assert_eq!(values.len(), truth_shape[0]);
            }
        }
    }

    #[test]
    fn no_labels_make_the_report_panic(
        true_labels in vec(0..6_usize, 0..20),
        predicted_labels in vec(0..6_usize, 0..20),
        same_length: bool,
        class_names in vec(".{0,20}", 0..7),
        digits in 0..400_u16,
    ) {
        let length = true_labels.len().min(predicted_labels.len());
        let predicted_labels = if same_length { &predicted_labels[..length] } else { &predicted_labels };
        let true_labels = if same_length { &true_labels[..length] } else { &true_labels };
        let report = ClassificationReport::new(true_labels, predicted_labels, &class_names);
        let matrix = ConfusionMatrix::new(true_labels, predicted_labels, class_names.len());
        prop_assert_eq!(report.is_ok(), matrix.is_ok());
        if let (Ok(report), Ok(matrix)) = (report, matrix) {
            prop_assert!(report.to_text(digits).ends_with('\n'));
            prop_assert_eq!(report.accuracy(), matrix.accuracy());
            let counts = matrix.counts();
            for (class_idx, scores) in report.classes().iter().enumerate() {
                prop_assert_eq!(scores.support, counts.row(class_idx).sum() as f64);
                for score in [scores.precision, scores.recall, scores.f1_score] {
                    prop_assert!((0.0..=1.0).contains(&score));
                }
            }
        }
    }

    #[test]
    fn no_text_makes_the_report_panic(pairs in vec((".{0,3}", "-?[0-9]{0,2}"), 1..20)) {
        let (true_labels, predicted_labels): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let report = ClassificationReport::from_text_labels(&true_labels, &predicted_labels).unwrap();
        let supports = report.classes().iter().map(|scores| scores.support);
        prop_assert_eq!(supports.sum::<f64>(), true_labels.len() as f64);
        let correct = true_labels.iter().zip(&predicted_labels).filter(|(t, p)| t == p).count();
        prop_assert!(report.accuracy() * true_labels.len() as f64 > correct as f64 - 0.5);
    }
}

#[test]
fn long_names_and_many_digits() {
    let name = "x".repeat(100_000);
    let report = ClassificationReport::new(&[0, 1], &[0, 0], &[name.as_str(), "y"]).unwrap();
    assert_eq!(
        report.to_text(2).lines().next().unwrap().len(),
        100_000 + 1 + 4 * 10
    );
    assert!(
        report
            .to_text(u16::MAX)
            .contains(&format!(" 0.5{} ", "0".repeat(65_534)))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_images_make_a_metric_panic(bytes in vec(any::<u8>(), 0..120)) {
        crate::any_images::run(&bytes);
    }

    #[test]
    fn no_labels_make_a_metric_panic(bytes in vec(any::<u8>(), 0..200)) {
        crate::any_labels::run(&bytes);
    }
}
