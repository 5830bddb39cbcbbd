use serde_json::json;

use super::*;

/// Runs as `juggle` would leave them, with test accuracies that differ by seed.
pub(in crate::reproduce) fn classifier_runs(n: u64) -> Vec<Run<ClassifierEvaluation>> {
    (0..n).map(classifier_run).collect()
}

fn classifier_run(seed: u64) -> Run<ClassifierEvaluation> {
    let accuracy = 0.83 + 0.01 * seed as f64;
    let class =
        |recall: f64| json!({"precision": 0.9, "recall": recall, "f1-score": 0.8, "support": 67.0});
    let evaluation = json!({
        "split": "test", "n": 200, "loss": 0.5, "accuracy": accuracy,
        "report": {
            "1": class(1.0), "2": class(0.96), "3": class(0.54), "accuracy": accuracy,
            "macro avg": class(0.8), "weighted avg": class(0.8),
        },
        "report_text": "              precision    recall\n",
        "confusion_matrix": [[65, 0, 0], [3, 65, 0], [0, 31 + seed, 36 - seed]],
        "classes": ["1", "2", "3"],
        "errors": [],
    });
    Run {
        stage: format!("classifier/original/seed-{seed}"),
        seed,
        epochs: (1..=3).map(epoch).collect(),
        metrics: parse(json!({
            "kind": "classifier", "epochs": 3, "steps": 114, "best_epoch": 3,
            "train": {"loss": 0.001, "accuracy": 1.0},
            "val": {"loss": 0.002, "accuracy": 0.995}, "elapsed_s": 9.5,
        })),
        evaluation: parse(evaluation),
    }
}

pub(in crate::reproduce) fn autoencoder_runs(psnr_db: f64) -> Vec<Run<AutoencoderEvaluation>> {
    let rows = |scale: f64| json!({"prediction": scale, "prediction_vs_last_frame": 14.0, "last_frame": 13.91348});
    let evaluation = json!({
        "split": "val", "n": 256, "loss": 0.001, "psnr_db": rows(psnr_db),
        "ssim": {"prediction": 0.98, "prediction_vs_last_frame": 0.68, "last_frame": 0.676329},
        "ssim_gaussian": rows(0.97),
    });
    vec![Run {
        stage: "autoencoder/original/seed-0".into(),
        seed: 0,
        epochs: (1..=3).map(epoch).collect(),
        metrics: parse(json!({
            "epochs": 3, "train": {"loss": 0.001}, "val": {"loss": 0.002, "psnr_db": 29.0},
            "elapsed_s": 9.5,
        })),
        evaluation: parse(evaluation),
    }]
}

fn epoch(epoch: u64) -> Epoch {
    let loss = 1.0 / epoch as f64;
    parse(json!({
        "epoch": epoch, "step": 38 * epoch, "learning_rate": 0.001,
        "train": {"loss": loss, "accuracy": 0.9},
        "val": {"loss": loss, "accuracy": 0.8, "psnr_db": 20.0 + epoch as f64}, "elapsed_s": 1.0,
    }))
}

fn parse<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

const PUBLISHED_EPOCHS: Epochs = Epochs {
    classifier: 25,
    classifier_published: 25,
    autoencoder: 30,
    autoencoder_published: 30,
};

#[test]
fn a_spread_is_mean_lowest_and_highest() {
    let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
    assert_eq!(
        spread,
        Spread {
            mean: 2.0,
            min: 1.0,
            max: 3.0,
            n: 3
        }
    );
    assert_eq!(Spread::of([]), None);
}

#[test]
fn runs_are_aggregated_over_seeds() {
    let results = classifier_results("original", classifier_runs(3));
    let spread = |key: &str| results.spreads[key];
    assert!((spread("test_accuracy").mean - 0.84).abs() < 1e-12);
    assert_eq!(spread("test_accuracy").n, 3);
    assert_eq!(
        spread("errors_3_as_2"),
        Spread {
            mean: 32.0,
            min: 31.0,
            max: 33.0,
            n: 3
        }
    );
    assert_eq!(spread("errors_2_as_1").mean, 3.0);
    assert_eq!(spread("val_accuracy").mean, 0.995);
    assert!(classifier_results("original", vec![]).spreads.is_empty());
}

#[test]
fn errors_go_by_the_names_of_classes() {
    let mut evaluation = classifier_run(0).evaluation;
    evaluation.classes = ["3", "2", "1"].map(str::to_owned).into();
    assert_eq!(evaluation.errors("2", "3"), Some(3));
    assert_eq!(evaluation.errors("4", "2"), None);
    assert_eq!(evaluation.of_class("3", "recall"), Some(0.54));
    assert_eq!(evaluation.of_class("4", "recall"), None);
}

#[test]
fn bands_judge_the_mean_and_only_at_the_published_length() {
    let classifier = [classifier_results("original", classifier_runs(3))];
    let autoencoder = [autoencoder_results("original", autoencoder_runs(28.0))];
    let verdicts = |size, epochs| -> Vec<_> {
        let bands = bands(size, epochs, &classifier, &autoencoder);
        bands.iter().map(|band| band.verdict).collect()
    };
    let full = verdicts(Size::Full, PUBLISHED_EPOCHS);
    assert_eq!(full[0], Some(Verdict::Inside));
    assert_eq!(full[1], None);
    assert_eq!(full[3..5], [Some(Verdict::Below), Some(Verdict::Inside)]);
    let short = verdicts(
        Size::Full,
        Epochs {
            autoencoder: 8,
            ..PUBLISHED_EPOCHS
        },
    );
    assert_eq!(short[0], Some(Verdict::Inside));
    assert_eq!(short[3..5], [None, None]);
    assert!(
        verdicts(Size::Quick, PUBLISHED_EPOCHS)
            .iter()
            .all(Option::is_none)
    );
}

#[test]
fn a_malformed_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let line = serde_json::to_string(&epoch(1)).unwrap();
    std::fs::write(&path, format!("{line}\n{{\"epoch\":\n")).unwrap();
    let message = format!("{:#}", read_epochs(&path).unwrap_err());
    assert!(
        message.contains("events.jsonl:2 is not as expected"),
        "{message}"
    );
    let message = format!("{:#}", read::<Metrics>(&path).unwrap_err());
    assert!(
        message.contains("events.jsonl is not as expected"),
        "{message}"
    );
}
