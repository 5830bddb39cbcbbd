//! Values that scikit-image and scikit-learn produced; `tests/golden/generate.py` writes them.

use juggle_metrics::{
    ClassificationReport, ConfusionMatrix, Pixel, psnr, psnr_batch, ssim, ssim_batch,
    ssim_gaussian, ssim_gaussian_batch,
};
use ndarray::{Array3, Axis};
use serde_json::Value;

use crate::patterns::{checksum, unit_pixels};

/// Against scikit-image in float64, decibels and SSIM alike. The largest deviations over these
/// cases are 1.4e-14 dB and 1.8e-13; what remains is the order of summation. Against scikit-image
/// in float32, where it chooses that, each case states its tolerance: scikit-image's rounding
/// error, 1e-6 but for one ill-conditioned pair of images.
const FLOAT64: f64 = 1e-12;

#[test]
#[expect(
    clippy::cast_possible_truncation,
    reason = "pixels are within the range of their type, and f32 is meant to round"
)]
fn images_agree_with_scikit_image() {
    let document: Value = serde_json::from_str(include_str!("../golden/images.json")).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert!(cases.len() > 90, "{} cases", cases.len());
    for case in cases {
        let range = case["data_range"].as_f64().unwrap();
        match case["dtype"].as_str().unwrap() {
            "u8" => check_images(case, |x| (x * range + 0.5).floor() as u8),
            "u16" => check_images(case, |x| (x * range + 0.5).floor() as u16),
            "f32" => check_images(case, |x| (x * range) as f32),
            "f64" => check_images(case, |x| x * range),
            dtype => panic!("unknown dtype {dtype}"),
        }
    }
}

fn check_images<T: Pixel>(case: &Value, pixel: impl Fn(f64) -> T) {
    let shape: Vec<usize> = serde_json::from_value(case["shape"].clone()).unwrap();
    let shape: [usize; 3] = shape.try_into().unwrap();
    let [truth, prediction] = ["truth", "prediction"].map(|role| {
        let pixels = unit_pixels(&case[role], shape).mapv(&pixel);
        assert_eq!(
            checksum(&pixels),
            case[format!("{role}_checksum")],
            "{case}"
        );
        pixels
    });
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

#[test]
fn reports_agree_with_scikit_learn() {
    let document: Value = serde_json::from_str(include_str!("../golden/reports.json")).unwrap();
    for case in document["index"].as_array().unwrap() {
        let true_labels = labels(&case["true_labels"]);
        let predicted_labels = labels(&case["predicted_labels"]);
        let names: Vec<String> = serde_json::from_value(case["class_names"].clone()).unwrap();
        let report = ClassificationReport::new(&true_labels, &predicted_labels, &names).unwrap();
        check_report(case, &report);
        let matrix = ConfusionMatrix::new(&true_labels, &predicted_labels, names.len()).unwrap();
        assert_eq!(matrix.accuracy(), report.accuracy());
        if let Some(expected) = case.get("confusion_matrix") {
            let counts = matrix.counts();
            let rows = counts.outer_iter().map(|row| row.to_vec());
            assert_eq!(rows.collect::<Value>(), *expected);
        }
    }
    for case in document["text"].as_array().unwrap() {
        let true_labels: Vec<String> = serde_json::from_value(case["true_labels"].clone()).unwrap();
        let predicted_labels: Vec<String> =
            serde_json::from_value(case["predicted_labels"].clone()).unwrap();
        let report = ClassificationReport::from_text_labels(&true_labels, &predicted_labels);
        check_report(case, &report.unwrap());
    }
    for case in document["integer"].as_array().unwrap() {
        let texts = |labels: &Value| -> Vec<String> {
            labels
                .as_array()
                .unwrap()
                .iter()
                .map(Value::to_string)
                .collect()
        };
        let report = ClassificationReport::from_text_labels(
            &texts(&case["true_labels"]),
            &texts(&case["predicted_labels"]),
        );
        check_report(case, &report.unwrap());
    }
}

fn labels(labels: &Value) -> Vec<usize> {
    serde_json::from_value(labels.clone()).unwrap()
}

fn check_report(case: &Value, report: &ClassificationReport) {
    let name = &case["name"];
    for text in case["texts"].as_array().unwrap() {
        let digits = u16::try_from(text["digits"].as_u64().unwrap()).unwrap();
        let expected = text["text"].as_str().unwrap();
        assert!(
            report.to_text(digits) == expected,
            "{name}, {digits} digits: expected\n{expected}\nfound\n{}",
            report.to_text(digits)
        );
        if digits == 2 {
            assert_eq!(report.to_string(), expected, "{name}");
        }
    }
    let accuracy = case["accuracy"].as_f64().unwrap();
    assert!((report.accuracy() - accuracy).abs() < 1e-15, "{name}");
    #[cfg(feature = "serde")]
    assert_eq!(
        serde_json::to_string(report).unwrap(),
        case["output_dict"],
        "{name}"
    );
}
