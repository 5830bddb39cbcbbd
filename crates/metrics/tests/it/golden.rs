//! Values that scikit-learn produced; `tests/golden/generate_reports.py` writes them.

use juggle_metrics::{ClassificationReport, ConfusionMatrix};
use serde_json::Value;

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
        // Without integers among them, text is text.
        let report = ClassificationReport::from_labels(&true_labels, &predicted_labels);
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
        let integers =
            |labels: &Value| -> Vec<i64> { serde_json::from_value(labels.clone()).unwrap() };
        let report = ClassificationReport::from_labels(
            &integers(&case["true_labels"]),
            &integers(&case["predicted_labels"]),
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
