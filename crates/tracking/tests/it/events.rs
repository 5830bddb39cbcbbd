//! The event log.

use std::fs;

use juggle_tracking::events::{StopReason, Stopped};
use juggle_tracking::{Epoch, Event, EventLog, Number, Record, Step, read_events};

fn at(unix_time_s: f64, event: Event) -> Record {
    Record { event, unix_time_s }
}

fn step(step: u64) -> Record {
    let event = Event::Step(Step {
        epoch: 1,
        step,
        learning_rate: 1e-3,
        loss: Number(0.1 + 0.2),
    });
    at(0.25, event)
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let metrics = |loss: f64| [("loss".to_owned(), Number(loss))].into();
    let records = [
        step(1),
        at(
            2.5,
            Event::Epoch(Epoch {
                epoch: 1,
                step: 2,
                learning_rate: 1e-3,
                train: metrics(0.5),
                val: metrics(f64::INFINITY),
                elapsed_s: 1.5,
                epoch_s: 1.5,
                engine_s: 1.0,
                is_best: true,
                gradient_norms: [("0.weight".to_owned(), Number(0.25))].into(),
            }),
        ),
        at(
            4.75,
            Event::Stopped(Stopped {
                reason: StopReason::TimeLimit,
                epoch: 2,
                step: 2,
            }),
        ),
    ];
    let mut log = EventLog::open(&path).unwrap();
    for record in &records {
        log.append(record).unwrap();
    }
    let events = read_events(&path).unwrap();
    assert_eq!(events.records, records);
    assert_eq!(events.whole_bytes, fs::metadata(&path).unwrap().len());
    assert_eq!(events.epochs().count(), 1);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.lines()
            .nth(1)
            .unwrap()
            .contains(r#""val":{"loss":"inf"}"#),
        "{text}"
    );
}

#[test]
fn a_torn_last_line_is_left_out_at_every_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let mut log = EventLog::open(&path).unwrap();
    log.append(&step(1)).unwrap();
    let whole = fs::metadata(&path).unwrap().len();
    log.append(&step(2)).unwrap();
    let bytes = fs::read(&path).unwrap();
    for length in usize::try_from(whole).unwrap()..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let events = read_events(&path).unwrap();
        assert_eq!(events.records.len(), 1);
        assert_eq!(
            (events.whole_bytes, events.whole_bytes + events.torn_bytes),
            (whole, length as u64)
        );
    }
}

#[test]
fn a_line_of_before_there_were_kinds_is_an_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let old = r#"{"epoch":1,"step":5,"learning_rate":0.001,"train":{"loss":0.7,"accuracy":0.5},"val":{"loss":0.6,"psnr_db":"inf"},"elapsed_s":0.5}"#;
    let later = r#"{"kind":"weather","unix_time_s":12.5,"rain":true}"#;
    fs::write(&path, format!("{old}\n{later}\n")).unwrap();
    let events = read_events(&path).unwrap();
    let epoch = events.epochs().next().unwrap();
    assert_eq!((epoch.epoch, epoch.train["accuracy"]), (1, Number(0.5)));
    assert_eq!(epoch.val["psnr_db"], Number(f64::INFINITY));
    assert_eq!(events.records[1].event, Event::Unknown);
    assert_eq!(events.records[1].unix_time_s, 12.5);
}

#[test]
fn a_whole_line_that_is_no_event_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    fs::write(&path, "{\"kind\":\"weather\"}\n[]\n").unwrap();
    let error = read_events(&path).unwrap_err().to_string();
    assert_eq!(error, format!("{}:2 is not an event", path.display()));
    let error = read_events(&folder.path().join("none"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot read ") && error.ends_with("none"),
        "{error}"
    );
}
