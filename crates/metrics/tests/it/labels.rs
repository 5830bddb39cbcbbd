//! Metrics of labels and scores against scikit-learn and torchmetrics; `tests/golden/generate_labels.py` writes the values.

use juggle_metrics::{
    ConfusionMatrix, Error, KappaWeights, ShareOf, average_precision, expected_calibration_error,
    log_loss, roc_auc, roc_auc_one_vs_rest, top_k_accuracy,
};
use ndarray::{Array2, array};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use crate::fresh::golden_file;

fn golden(section: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(&golden_file!("labels.json")).unwrap();
    match document[section].clone() {
        Value::Array(cases) => cases,
        case => vec![case],
    }
}

fn field<T: for<'a> serde::Deserialize<'a>>(case: &Value, name: &str) -> T {
    serde_json::from_value(case[name].clone()).unwrap()
}

fn matrix(rows: Vec<Vec<f64>>) -> Array2<f64> {
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

fn close(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "found {found}, expected {expected}"
    );
}

#[test]
fn confusion_matrices_agree_with_scikit_learn() {
    for case in golden("matrices") {
        let (truth, predicted): (Vec<usize>, Vec<usize>) = (
            field(&case, "true_labels"),
            field(&case, "predicted_labels"),
        );
        let found = ConfusionMatrix::new(&truth, &predicted, field(&case, "n_classes")).unwrap();
        close(found.balanced_accuracy(), field(&case, "balanced_accuracy"));
        close(found.matthews_corrcoef(), field(&case, "matthews_corrcoef"));
        let kinds = [
            ("None", KappaWeights::Equal),
            ("linear", KappaWeights::Linear),
            ("quadratic", KappaWeights::Quadratic),
        ];
        for (name, weights) in kinds {
            match case["cohen_kappa"][name].as_f64() {
                Some(expected) => close(found.cohen_kappa(weights).unwrap(), expected),
                None => assert!(matches!(
                    found.cohen_kappa(weights),
                    Err(Error::UndefinedScore { .. })
                )),
            }
        }
        let kinds = [
            ("true", ShareOf::True),
            ("pred", ShareOf::Predicted),
            ("all", ShareOf::All),
        ];
        for (name, share_of) in kinds {
            let expected = matrix(field(&case["normalized"], name));
            let found = found.normalized(share_of);
            assert!((found - expected).iter().all(|x| x.abs() < 1e-15), "{name}");
        }
    }
}

#[test]
fn probabilities_agree_with_scikit_learn_and_torchmetrics() {
    for case in golden("probabilities") {
        let labels: Vec<usize> = field(&case, "labels");
        let probabilities = matrix(field(&case, "probabilities"));
        let view = probabilities.view();
        close(log_loss(&labels, view).unwrap(), field(&case, "log_loss"));
        for (k, expected) in case["top_k_accuracy"].as_object().unwrap() {
            let found = top_k_accuracy(&labels, view, k.parse().unwrap()).unwrap();
            close(found, expected.as_f64().unwrap());
        }
        let areas = roc_auc_one_vs_rest(&labels, view).unwrap();
        let expected: Vec<f64> = field(&case, "roc_auc_one_vs_rest");
        for (&found, expected) in areas.iter().zip(expected) {
            close(found, expected);
        }
        for (n_bins, expected) in case["calibration_error"].as_object().unwrap() {
            let n_bins = n_bins.parse().unwrap();
            let found = expected_calibration_error(&labels, view, n_bins).unwrap();
            let expected = expected.as_f64().unwrap();
            assert!(
                (found - expected).abs() < 1e-6,
                "{n_bins} bins: {found}, expected {expected}"
            );
        }
    }
    for case in golden("ties") {
        let labels: Vec<usize> = field(&case, "labels");
        let scores = matrix(field(&case, "scores"));
        for (k, expected) in case["top_k_accuracy"].as_object().unwrap() {
            let found = top_k_accuracy(&labels, scores.view(), k.parse().unwrap()).unwrap();
            close(found, expected.as_f64().unwrap());
        }
    }
}

#[test]
fn rankings_agree_with_scikit_learn() {
    for case in golden("rankings") {
        let is_positive: Vec<bool> = field(&case, "is_positive");
        let scores: Vec<f64> = field(&case, "scores");
        close(
            roc_auc(&is_positive, &scores).unwrap(),
            field(&case, "roc_auc"),
        );
        let found = average_precision(&is_positive, &scores).unwrap();
        close(found, field(&case, "average_precision"));
    }
}

#[test]
fn what_has_no_value_says_why() {
    let probabilities = array![[0.5, 0.5], [0.25, 0.75]];
    let view = probabilities.view();
    let check = |found: Result<f64, Error>, expected: &str| {
        assert_eq!(found.unwrap_err().to_string(), expected);
    };
    check(
        log_loss(&[0], view),
        "found 1 true labels but 2 predicted labels",
    );
    check(
        log_loss(&[0, 2], view),
        "truth label 2 at position 1 is not below the number of classes, 2",
    );
    check(
        log_loss(&[0, 1], array![[0.5, 0.5], [1.5, -0.5]].view()),
        "the probability of class 0 in row 1 is 1.5, expected a number from 0 to 1",
    );
    check(
        log_loss(&[0, 1], array![[0.5, 0.5], [f64::NAN, 0.5]].view()),
        "the probability of class 0 in row 1 is NaN, expected a number from 0 to 1",
    );
    check(
        log_loss(&[0, 1], array![[0.5, 0.25], [0.5, 0.5]].view()),
        "the probabilities in row 0 add up to 0.75, expected 1",
    );
    check(
        top_k_accuracy(&[0, 1], view, 0),
        "k must be at least 1, found 0",
    );
    check(
        expected_calibration_error(&[0, 1], view, 0),
        "the number of bins must be at least 1, found 0",
    );
    check(
        roc_auc(&[true, true], &[0.1, 0.2]),
        "ROC-AUC is undefined: all images are positive, or all negative",
    );
    check(
        average_precision(&[false], &[0.1]),
        "average precision is undefined: no image is positive",
    );
    check(
        roc_auc(&[true, false], &[0.1, f64::INFINITY]),
        "the value at position 1 is inf, expected finite values",
    );
}

proptest! {
    #[test]
    fn no_scores_make_them_panic(
        labels in vec(0..5_usize, 0..12),
        n_classes in 0..5_usize,
        values in vec(prop_oneof![0.0..=1.0_f64, Just(f64::NAN), Just(1e300), Just(-1.0)], 60),
        k in 0..7_usize,
    ) {
        let n = labels.len();
        let scores = Array2::from_shape_fn((n, n_classes), |(i, j)| values[i * n_classes + j]);
        let is_positive: Vec<bool> = labels.iter().map(|label| label % 2 == 0).collect();
        let found = [
            log_loss(&labels, scores.view()),
            top_k_accuracy(&labels, scores.view(), k),
            expected_calibration_error(&labels, scores.view(), k),
            roc_auc(&is_positive, &values[..n]),
            average_precision(&is_positive, &values[..n]),
        ];
        for value in found.into_iter().flatten() {
            prop_assert!(value.is_finite() && value >= 0.0);
        }
        drop(roc_auc_one_vs_rest(&labels, scores.view()));
    }

    /// The order of scores turned round turns the area round.
    #[test]
    fn opposite_scores_have_the_rest_of_the_area(pairs in vec((any::<bool>(), -9..9_i32), 2..40)) {
        let is_positive: Vec<bool> = pairs.iter().map(|pair| pair.0).collect();
        let scores: Vec<f64> = pairs.iter().map(|pair| f64::from(pair.1)).collect();
        let opposite: Vec<f64> = scores.iter().map(|score| -score).collect();
        if let (Ok(a), Ok(b)) = (roc_auc(&is_positive, &scores), roc_auc(&is_positive, &opposite)) {
            prop_assert!((a + b - 1.0).abs() < 1e-15);
        }
    }
}
