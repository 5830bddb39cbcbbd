//! The numbers of the audit against imagehash, scikit-image, scipy and statsmodels: `tests/golden/audit.json`, which
//! `generate_audit.py` beside it writes.

use juggle_dataset::audit::{holm, inspect, ks_2samp, phash, rules};
use juggle_dataset::{ColorMode, ReadOptions, read_png};
use serde_json::Value;

use crate::tree::{Tree, committed, gray};

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/audit.json")).unwrap()
}

fn cases(key: &str) -> Vec<Value> {
    golden()[key].as_array().unwrap().clone()
}

fn floats(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|x| x.as_f64().unwrap()).collect()
}

/// The integers that the script makes from four numbers.
fn sample(value: &Value) -> Vec<f64> {
    let [_, step, modulus, offset] = floats(value)[..] else {
        panic!("four numbers: {value}")
    };
    let n = value[0].as_u64().unwrap();
    (0..n)
        .map(|i| (i as f64 * step) % modulus + offset)
        .collect()
}

#[test]
fn kolmogorov_smirnov_is_scipys() {
    let mut smallest = 1.0_f64;
    for case in cases("ks") {
        let test = ks_2samp(&sample(&case["a"]), &sample(&case["b"]));
        let (d, p) = (
            case["statistic"].as_f64().unwrap(),
            case["p_value"].as_f64().unwrap(),
        );
        assert!((test.statistic - d).abs() < 1e-12, "{case}: {test:?}");
        // Below 1e-290 both are at the edge of the numbers of 64 bits.
        let tolerance = 1e-9 * p + 1e-290;
        // Near p = 1 scipy sums other series than Pelz and Good's for the asymptotic value.
        let tolerance = if p > 0.9 {
            tolerance.max(2e-6)
        } else {
            tolerance
        };
        assert!((test.p_value - p).abs() <= tolerance, "{case}: {test:?}");
        let swapped = ks_2samp(&sample(&case["b"]), &sample(&case["a"]));
        assert!(
            (swapped.p_value - test.p_value).abs() <= 1e-11 * p,
            "{case}: {swapped:?}"
        );
        smallest = smallest.min(p);
    }
    assert!(smallest < 1e-100, "the tail is covered: {smallest}");
}

#[test]
fn holms_correction_is_statsmodels() {
    for case in cases("holm") {
        let adjusted = holm(&floats(&case["p_values"]));
        for (ours, expected) in adjusted.iter().zip(floats(&case["adjusted"])) {
            assert!((ours - expected).abs() < 1e-14, "{case}");
        }
    }
}

#[test]
fn perceptual_hashes_are_imagehashs() {
    for case in cases("images") {
        let hex = case["pixels"].as_str().unwrap();
        let pixels: Vec<u8> = (0..hex.len() / 2)
            .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        let side = |key: &str| usize::try_from(case[key].as_u64().unwrap()).unwrap();
        let hash = phash(&pixels, side("height"), side("width"));
        assert_eq!(format!("{hash:016x}"), case["phash"], "{}", case["name"]);
        let tree = Tree::new();
        tree.pixels(
            "train/a/1.png",
            gray(side("height"), side("width")),
            pixels.clone(),
        )
        .image("val/a/1.png", gray(4, 4), 1);
        assert_foreground(&tree, &case["foreground"]);
    }
    for case in cases("balls") {
        let path = committed("balls").join(case["path"].as_str().unwrap());
        let image = read_png(&path, ColorMode::Gray, &ReadOptions::default().limits).unwrap();
        let hash = phash(&image.pixels, 32, 32);
        assert_eq!(format!("{hash:016x}"), case["phash"], "{}", case["path"]);
        let tree = Tree::new();
        tree.pixels("train/a/1.png", image.shape, image.pixels.clone())
            .image("val/a/1.png", gray(32, 32), 1);
        assert_foreground(&tree, &case["foreground"]);
    }
}

/// The share above Otsu's threshold, of the one training image.
fn assert_foreground(tree: &Tree, expected: &Value) {
    let audit = inspect(tree.path(), &ReadOptions::default()).unwrap();
    let found = audit
        .shifts
        .iter()
        .find(|test| test.quantity.name() == "foreground");
    let found = found.expect("the two images differ").train_median;
    assert!(
        (found - expected.as_f64().unwrap()).abs() < 1e-12,
        "{found} {expected}"
    );
}

#[test]
fn p_values_are_written_short() {
    assert_eq!(rules::p_text(0.0123), "0.012");
    assert_eq!(rules::p_text(3.4e-9), "3e-9");
}
