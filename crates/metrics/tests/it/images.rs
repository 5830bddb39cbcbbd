//! Values that scikit-image, torchmetrics and pytorch-msssim produced; `tests/golden/generate_images.py` writes them.

use juggle_metrics::{
    Convention, Covariance, MsSsim, Normalization, Pixel, Ssim, mse, mse_batch, nrmse, psnr,
    psnr_batch,
};
use ndarray::{Array3, Axis};
use serde_json::Value;

use crate::fresh::golden_file;
use crate::patterns::{checksum, unit_pixels};
use crate::shorthand::{ssim, ssim_batch, ssim_gaussian, ssim_gaussian_batch};

/// Against scikit-image in float64, decibels and SSIM alike. The largest deviations over these
/// cases are 1.4e-14 dB and 1.8e-13; what remains is the order of summation. Against scikit-image
/// in float32, where it chooses that, each case states its tolerance: scikit-image's rounding
/// error, 1e-6 but for one ill-conditioned pair of images.
const FLOAT64: f64 = 1e-12;

/// Calls a check with the case and the function that makes a pixel of the case's type from a value in [0, 1].
macro_rules! for_each_type {
    ($case:expr, $check:ident) => {
        let range = $case["data_range"].as_f64().unwrap();
        match $case["dtype"].as_str().unwrap() {
            "u8" => $check($case, |x| (x * range + 0.5).floor() as u8),
            "u16" => $check($case, |x| (x * range + 0.5).floor() as u16),
            "f32" => $check($case, |x| (x * range) as f32),
            "f64" => $check($case, |x| x * range),
            dtype => panic!("unknown dtype {dtype}"),
        }
    };
}

#[test]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels are within the range of their type, and f32 is meant to round"
)]
fn images_agree_with_scikit_image() {
    let document: Value = serde_json::from_str(&golden_file!("images.json")).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert!(cases.len() > 90, "{} cases", cases.len());
    for case in cases {
        for_each_type!(case, check_images);
    }
}

#[test]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pixels are within the range of their type, and f32 is meant to round"
)]
fn every_convention_agrees_with_its_library() {
    let document: Value = serde_json::from_str(&golden_file!("ssim.json")).unwrap();
    for case in document["ssim"].as_array().unwrap() {
        for_each_type!(case, check_ssim);
    }
    for case in document["ms_ssim"].as_array().unwrap() {
        for_each_type!(case, check_ms_ssim);
    }
    for case in document["errors"].as_array().unwrap() {
        for_each_type!(case, check_errors);
    }
}

fn convention(case: &Value) -> Convention {
    match case["convention"].as_str().unwrap() {
        "scikit-image" => Convention::ScikitImage,
        "scikit-image-gaussian" => Convention::ScikitImageGaussian,
        "torchmetrics" => Convention::Torchmetrics,
        "pytorch-msssim" => Convention::PytorchMsssim,
        other => panic!("unknown convention {other}"),
    }
}

/// What the library computed itself, and for `f32` what it computes of the same pixels in `f64`; with the allowed difference.
fn references(case: &Value) -> Vec<(&Value, f64)> {
    match case["dtype"].as_str().unwrap() {
        "f32" => {
            let (native, float64) = (&case["native"], &case["float64"]);
            vec![
                (native, single_precision(native, float64)),
                (float64, FLOAT64),
            ]
        }
        _ => vec![(&case["native"], FLOAT64)],
    }
}

/// What we may be away from a library in single precision: 1e-6, or what it is away from itself in double precision, with which we agree
/// closely. In these cases that is 1.0e-6 for torchmetrics' SSIM of a checkerboard, whose means almost cancel, and up to 3.3e-6 for its
/// MS-SSIM, which is made of several of them.
fn single_precision(native: &Value, float64: &Value) -> f64 {
    let mean = |value: &Value| value.get("mean").unwrap_or(value).as_f64();
    let own = mean(native).zip(mean(float64)).map(|(a, b)| (a - b).abs());
    let allowed = own.map_or(1e-6, |own| (own + FLOAT64).max(1e-6));
    assert!(
        allowed < 4e-6,
        "{native} and {float64} are of different metrics"
    );
    allowed
}

fn check_ssim<T: Pixel>(case: &Value, pixel: impl Fn(f64) -> T) {
    let [truth, prediction] = pair(case, pixel);
    let mut ssim = Ssim::new(convention(case), case["data_range"].as_f64().unwrap());
    let number = |name: &str| case.get(name).and_then(Value::as_f64);
    if let Some(size) = case.get("window_size").and_then(Value::as_u64) {
        ssim = ssim.window_size(usize::try_from(size).unwrap());
    }
    ssim = number("sigma").map_or(ssim, |sigma| ssim.sigma(sigma));
    ssim = number("k1").map_or(ssim, |k1| ssim.k1(k1));
    ssim = number("k2").map_or(ssim, |k2| ssim.k2(k2));
    ssim = match case.get("covariance").and_then(Value::as_str) {
        Some("sample") => ssim.covariance(Covariance::Sample),
        Some(_) => ssim.covariance(Covariance::Population),
        None => ssim,
    };
    let (xs, ys) = (truth.view(), prediction.view());
    let per_channel = ssim.per_channel(xs, ys, Axis(0)).unwrap();
    let mean = ssim.channel_mean(xs, ys, Axis(0)).unwrap();
    for (expected, tolerance) in references(case) {
        compare(Some(mean), &expected["mean"], tolerance, case);
        for (&found, expected) in per_channel
            .iter()
            .zip(expected["per_channel"].as_array().unwrap())
        {
            compare(Some(found), expected, tolerance, case);
        }
    }
    let image = (
        truth.index_axis(Axis(0), 0),
        prediction.index_axis(Axis(0), 0),
    );
    let arrays = [
        ("map", ssim.map(image.0, image.1)),
        ("gradient", ssim.gradient(image.0, image.1)),
    ];
    for (name, array) in arrays {
        let Some(expected) = case["native"].get(name) else {
            continue;
        };
        let tolerance = match (case["dtype"].as_str(), convention(case)) {
            // PyTorch's single precision is not mirrored: a variance of few digits shows in single pixels.
            (Some("f32"), Convention::Torchmetrics) => 1e-4,
            (Some("f32"), _) => 1e-6,
            _ => FLOAT64,
        };
        let array = array.unwrap();
        let expected = expected.as_array().unwrap();
        assert_eq!(array.len(), expected.len());
        for (found, expected) in array.iter().zip(expected) {
            compare(Some(found.to_f64()), expected, tolerance, case);
        }
    }
}

fn check_ms_ssim<T: Pixel>(case: &Value, pixel: impl Fn(f64) -> T) {
    let [truth, prediction] = pair(case, pixel);
    let mut ms_ssim = MsSsim::new(convention(case), case["data_range"].as_f64().unwrap());
    if let Some(weights) = case.get("weights") {
        let weights: Vec<f64> = serde_json::from_value(weights.clone()).unwrap();
        ms_ssim = ms_ssim.weights(&weights);
    }
    let (xs, ys) = (
        truth.view().insert_axis(Axis(0)),
        prediction.view().insert_axis(Axis(0)),
    );
    let found = ms_ssim.batch(xs, ys).unwrap()[0];
    compare(Some(found), &case["float64"], FLOAT64, case);
    let tolerance = match case["dtype"].as_str() {
        Some("f32") => single_precision(&case["native"], &case["float64"]),
        _ => FLOAT64,
    };
    compare(Some(found), &case["native"], tolerance, case);
}

fn check_errors<T: Pixel>(case: &Value, pixel: impl Fn(f64) -> T) {
    let [truth, prediction] = pair(case, pixel);
    let (xs, ys) = (truth.view(), prediction.view());
    for (expected, tolerance) in references(case) {
        let scale = expected["mse"].as_f64().unwrap().max(1.0);
        compare(
            Some(mse(xs, ys).unwrap()),
            &expected["mse"],
            tolerance * scale,
            case,
        );
        for (name, normalization) in [
            ("euclidean", Normalization::Euclidean),
            ("min-max", Normalization::MinMax),
            ("mean", Normalization::Mean),
        ] {
            compare(
                nrmse(xs, ys, normalization).ok(),
                &expected[name],
                tolerance,
                case,
            );
        }
    }
    let of_batch = mse_batch(xs.insert_axis(Axis(0)), ys.insert_axis(Axis(0))).unwrap();
    assert_eq!(of_batch, [mse(xs, ys).unwrap()]);
}

/// The two images that a case describes, C×H×W.
fn pair<T: Pixel>(case: &Value, pixel: impl Fn(f64) -> T) -> [Array3<T>; 2] {
    let shape: Vec<usize> = serde_json::from_value(case["shape"].clone()).unwrap();
    let shape: [usize; 3] = shape.try_into().unwrap();
    ["truth", "prediction"].map(|role| {
        let pixels = unit_pixels(&case[role], shape).mapv(&pixel);
        if let Some(expected) = case.get(format!("{role}_checksum")) {
            assert_eq!(checksum(&pixels), *expected, "{case}");
        }
        pixels
    })
}

fn check_images<T: Pixel>(case: &Value, pixel: impl Fn(f64) -> T) {
    let [truth, prediction] = pair(case, pixel);
    let range = case["data_range"].as_f64().unwrap();
    let found = measure(&truth, &prediction, range);
    let native_tolerance = case["native_tolerance"].as_f64().unwrap();
    for (name, found) in ["psnr", "ssim", "ssim_gaussian"].into_iter().zip(found) {
        compare(found, &case["float64"][name], FLOAT64, case);
        compare(found, &case["native"][name], native_tolerance, case);
    }
}

/// PSNR, SSIM and Gaussian SSIM by the batch functions, which must equal the functions of one
/// image.
fn measure<T: Pixel>(truth: &Array3<T>, prediction: &Array3<T>, range: f64) -> [Option<f64>; 3] {
    let batch = (
        truth.view().insert_axis(Axis(0)),
        prediction.view().insert_axis(Axis(0)),
    );
    let of_batch = [
        psnr_batch(batch.0, batch.1, range),
        ssim_batch(batch.0, batch.1, range),
        ssim_gaussian_batch(batch.0, batch.1, range),
    ];
    let of_batch = of_batch.map(|values| values.ok().map(|values| values[0]));
    if truth.len_of(Axis(0)) == 1 {
        let image = (
            truth.index_axis(Axis(0), 0),
            prediction.index_axis(Axis(0), 0),
        );
        let of_image = [
            psnr(image.0, image.1, range),
            ssim(image.0, image.1, range),
            ssim_gaussian(image.0, image.1, range),
        ];
        assert_eq!(of_batch, of_image.map(juggle_metrics::Result::ok));
    }
    of_batch
}

fn compare(found: Option<f64>, expected: &Value, tolerance: f64, case: &Value) {
    match expected {
        Value::Null => assert_eq!(found, None, "{case}"),
        Value::String(_) => assert_eq!(found, Some(f64::INFINITY), "{case}"),
        _ => {
            let deviation = (found.unwrap() - expected.as_f64().unwrap()).abs();
            assert!(
                deviation <= tolerance,
                "{found:?} is off by {deviation:e} in {case}"
            );
        }
    }
}
