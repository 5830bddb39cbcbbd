//! Reports with options against scikit-learn; `tests/golden/generate_report_options.py` writes the values.

use juggle_metrics::{
    ClassificationReport, Error, ReportOptions, Scores, ZeroDivision, weighted_confusion_matrix,
};
use serde_json::Value;

use crate::fresh::golden_file;

fn field<T: for<'a> serde::Deserialize<'a>>(case: &Value, name: &str) -> T {
    serde_json::from_value(case[name].clone()).unwrap()
}

/// `None` is NaN.
fn same(found: f64, expected: &Value) -> bool {
    match expected.as_f64() {
        Some(expected) => (found - expected).abs() <= 1e-15 * expected.abs().max(1.0),
        None => found.is_nan(),
    }
}

fn report(case: &Value) -> ClassificationReport {
    let mut options = ReportOptions::new().zero_division(match case["zero_division"].as_str() {
        Some("0") => ZeroDivision::Zero,
        Some("1") => ZeroDivision::One,
        _ => ZeroDivision::Nan,
    });
    if let Some(labels) = field::<Option<Vec<String>>>(case, "labels") {
        options = options.labels(labels);
    }
    if let Some(weights) = field::<Option<Vec<f64>>>(case, "sample_weight") {
        options = options.sample_weight(&weights);
    }
    let (names, truth, predicted): (Vec<String>, Vec<usize>, Vec<usize>) = (
        field(case, "class_names"),
        field(case, "true_labels"),
        field(case, "predicted_labels"),
    );
    if case["as_text"] == true {
        let texts = |labels: &[usize]| -> Vec<_> {
            labels.iter().map(|&label| names[label].clone()).collect()
        };
        options
            .report_of_text(&texts(&truth), &texts(&predicted))
            .unwrap()
    } else {
        options.report(&truth, &predicted, &names).unwrap()
    }
}

#[test]
fn reports_with_options_agree_with_scikit_learn() {
    let document: Value = serde_json::from_str(&golden_file!("report_options.json")).unwrap();
    for (index, case) in document["cases"].as_array().unwrap().iter().enumerate() {
        let found = report(case);
        for text in case["texts"].as_array().unwrap() {
            let digits = u16::try_from(text["digits"].as_u64().unwrap()).unwrap();
            assert_eq!(
                found.to_text(digits),
                text["text"].as_str().unwrap(),
                "case {index}"
            );
        }
        let expected = &case["output_dict"];
        let agrees = |scores: &Scores, expected: &Value| {
            same(scores.precision, &expected["precision"])
                && same(scores.recall, &expected["recall"])
                && same(scores.f1_score, &expected["f1-score"])
                && same(scores.support, &expected["support"])
        };
        for (name, scores) in found.class_names().iter().zip(found.classes()) {
            assert!(
                agrees(scores, &expected[name]),
                "case {index}, {name}: {scores:?}"
            );
        }
        assert!(
            agrees(&found.macro_avg(), &expected["macro avg"]),
            "case {index}"
        );
        assert!(
            agrees(&found.weighted_avg(), &expected["weighted avg"]),
            "case {index}"
        );
        match expected.get("accuracy") {
            Some(accuracy) => assert!(same(found.micro_avg().precision, accuracy), "case {index}"),
            None => assert!(
                agrees(&found.micro_avg(), &expected["micro avg"]),
                "case {index}"
            ),
        }
        #[cfg(feature = "serde")]
        {
            let found = serde_json::to_value(&found).unwrap();
            let keys = |value: &Value| {
                value
                    .as_object()
                    .unwrap()
                    .keys()
                    .cloned()
                    .collect::<Vec<_>>()
            };
            assert_eq!(keys(&found), keys(expected), "case {index}");
        }
    }
}

#[test]
fn f_beta_scores_agree_with_scikit_learn() {
    let document: Value = serde_json::from_str(&golden_file!("report_options.json")).unwrap();
    for (index, case) in document["cases"].as_array().unwrap().iter().enumerate() {
        let report = report(case);
        for (name, beta) in [("0", 0.0), ("0.5", 0.5), ("2", 2.0), ("inf", f64::INFINITY)] {
            let (expected, found) = (&case["f_beta"][name], report.f_beta(beta).unwrap());
            let classes = expected["classes"].as_array().unwrap();
            assert_eq!(classes.len(), found.classes.len());
            for (found, expected) in found.classes.iter().zip(classes) {
                assert!(
                    same(*found, expected),
                    "case {index}, beta {name}: {found}, {expected}"
                );
            }
            for (found, name) in [
                (found.micro_avg, "micro_avg"),
                (found.macro_avg, "macro_avg"),
                (found.weighted_avg, "weighted_avg"),
            ] {
                assert!(
                    same(found, &expected[name]),
                    "case {index}, {name}: {found}"
                );
            }
        }
    }
}

#[test]
fn weighted_confusion_matrices_agree_with_scikit_learn() {
    let document: Value = serde_json::from_str(&golden_file!("report_options.json")).unwrap();
    for case in document["cases"].as_array().unwrap() {
        let (truth, predicted): (Vec<usize>, Vec<usize>) =
            (field(case, "true_labels"), field(case, "predicted_labels"));
        let names: Vec<String> = field(case, "class_names");
        let weights = field::<Option<Vec<f64>>>(case, "sample_weight");
        let weights = weights.unwrap_or_else(|| vec![1.0; truth.len()]);
        let found = weighted_confusion_matrix(&truth, &predicted, &weights, names.len()).unwrap();
        let expected = case["confusion_matrix"].as_array().unwrap().iter();
        let expected = expected.flat_map(|row| row.as_array().unwrap());
        assert!(
            found
                .iter()
                .zip(expected)
                .all(|(&found, expected)| same(found, expected))
        );
    }
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let names = ["cat", "dog"];
    let report = |options: ReportOptions| {
        options
            .report(&[0, 1], &[1, 1], &names)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        report(ReportOptions::new().labels(["cow"])),
        "`cow` is not the name of a class"
    );
    let none = ReportOptions::new().labels::<String>([]);
    assert_eq!(
        report(none),
        "expected at least one class to report on, found none"
    );
    let few = ReportOptions::new().sample_weight(&[1.0]);
    assert_eq!(report(few), "found 1 weights for 2 labels");
    let infinite = ReportOptions::new().sample_weight(&[1.0, f64::INFINITY]);
    assert_eq!(
        report(infinite),
        "the value at position 1 is inf, expected finite values"
    );
    let zero = ReportOptions::new().sample_weight(&[0.0, 0.0]);
    assert_eq!(report(zero), "expected at least one weight other than 0");
    let right = ClassificationReport::new(&[0, 1], &[1, 1], &names).unwrap();
    let error = right.f_beta(-1.0).unwrap_err();
    assert_eq!(error.to_string(), "beta must be 0 or more, found -1");
    assert!(matches!(
        weighted_confusion_matrix(&[0], &[0], &[], 1),
        Err(Error::WeightCount {
            found: 0,
            n_labels: 1
        })
    ));
    assert!(matches!(
        weighted_confusion_matrix(&[0], &[1], &[1.0], 1),
        Err(Error::LabelOutOfRange { found: 1, .. })
    ));
}
