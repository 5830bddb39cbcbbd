//! Numbers by their names, and what a log without much in it gives.

use serde_json::json;

use super::recorded_number;
use super::run::{Ending, Log};

fn log(text: &str) -> Log {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.jsonl");
    std::fs::write(&path, text).unwrap();
    Log::read(&path)
}

#[test]
fn an_evaluation_that_was_printed_gives_its_numbers_by_name() {
    let frames = json!({"loss": 0.5, "psnr_db": {"prediction": 30.0, "prediction_vs_last_frame": 14.0, "last_frame": "inf"},
        "ssim": {"prediction": 0.97}, "ssim_gaussian": null});
    for (name, expected) in [
        ("loss", Some(0.5)),
        ("psnr_db", Some(30.0)),
        ("psnr_db_vs_last_frame", Some(14.0)),
        ("psnr_db_last_frame", None),
        ("ssim", Some(0.97)),
        ("ssim_last_frame", None),
        ("ssim_gaussian", None),
        ("accuracy", None),
    ] {
        assert_eq!(recorded_number(&frames, name), expected, "{name}");
    }
    assert_eq!(
        recorded_number(&json!({"accuracy": 0.83}), "accuracy"),
        Some(0.83)
    );
}

#[test]
fn a_log_of_before_there_were_kinds_is_epochs() {
    let log = log(
        r#"{"epoch":1,"step":4,"learning_rate":0.001,"train":{"loss":0.5},"val":{"loss":0.7,"accuracy":0.5},"elapsed_s":1.0}
{"epoch":2,"step":8,"learning_rate":0.001,"train":{"loss":0.4},"val":{"loss":"NaN","accuracy":0.75},"elapsed_s":2.0}
"#,
    );
    assert_eq!(
        (log.epochs.len(), log.ending, log.trouble.clone()),
        (2, Ending::Unknown, None)
    );
    assert_eq!(log.number("val_accuracy"), Some(0.75));
    assert_eq!(log.number("train_accuracy"), None);
    assert_eq!(log.number("accuracy"), None);
    assert_eq!(
        log.best_epoch(),
        Some(1),
        "a loss that is no number is not the lowest"
    );
}

#[test]
fn a_log_says_how_the_run_went() {
    let log = log(
        r#"{"kind":"started","version":"0.1.0","task":"classifier","epochs":3,"steps_per_epoch":4,"train_examples":9,"val_examples":3,"parameters":7,"data_sha256":"ab","unix_time_s":10.0}
{"kind":"skipped","epoch":1,"step":2,"learning_rate":0.1,"loss":"inf","unix_time_s":11.0}
{"kind":"stopped","reason":"interrupted","epoch":1,"step":2,"unix_time_s":12.0}
{"kind":"resumed","version":"0.1.0","step":2,"epoch":1,"epochs":3,"unix_time_s":13.0}
{"kind":"hologram","unix_time_s":14.0}
{"kind":"finished","reason":"epochs","ep"#,
    );
    assert_eq!(
        (log.skipped, log.resumed, log.ending),
        (1, 1, Ending::Unknown)
    );
    assert_eq!(log.unix_time_s, (10.0, 14.0));
    assert_eq!(log.trouble.as_deref(), Some("no epoch was completed"));
    assert_eq!(log.started.unwrap().train_examples, 9);
}

#[test]
fn a_log_that_is_broken_or_absent_is_said() {
    assert!(
        log("{}\n")
            .trouble
            .unwrap()
            .starts_with("the event log cannot be read: ")
    );
    assert_eq!(log("").trouble.as_deref(), Some("no epoch was completed"));
    let absent = Log::read(std::path::Path::new("nowhere/events.jsonl"));
    assert_eq!(absent.trouble.as_deref(), Some("the run has no event log"));
}
