//! How a training run is told on standard error: plain lines, JSON lines; bars are for terminals and tested where they are drawn.

use serde_json::Value;

use crate::sandbox::Sandbox;

const TRAIN: &str = "train classifier --data bars --run out --epochs 3 --batch-size 5 --threads 1";

#[test]
fn every_json_line_is_an_object() {
    let sandbox = Sandbox::with_bars();
    let output = sandbox.juggle(&format!("{TRAIN} --progress json"));
    let lines: Vec<Value> = output
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let epochs: Vec<_> = lines
        .iter()
        .filter(|line| line["kind"] == "epoch")
        .collect();
    assert_eq!(epochs.len(), 3);
    let events = sandbox.read("out/events.jsonl");
    let logged = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let logged =
        logged.filter(|event| event["train"].is_object() && event["learning_rate"].is_number());
    for (told, logged) in epochs.iter().zip(logged) {
        assert_eq!(told["epoch"], logged["epoch"]);
        assert_eq!(told["val"], logged["val"]);
        assert_eq!(told["train"], logged["train"]);
        assert!(told["images_per_s"].as_f64().unwrap() > 0.0);
    }
    assert!(lines.iter().any(|line| line["kind"] == "note"));
    assert!(
        output.done().starts_with("run    out\n"),
        "the result is no JSON"
    );

    let output = sandbox.juggle(&format!("{TRAIN} --progress json"));
    let last: Value = serde_json::from_str(output.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((output.code, &last["kind"]), (Some(1), &"error".into()));
    let text = last["text"].as_str().unwrap();
    assert!(text.starts_with("out already holds a run"), "{text}");
}

#[test]
fn quiet_leaves_no_json_either() {
    let sandbox = Sandbox::with_bars();
    let output = sandbox.juggle(&format!("{TRAIN} --progress json -q"));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn without_a_terminal_there_are_plain_lines() {
    let sandbox = Sandbox::with_bars();
    for (wish, note) in [("auto", false), ("plain", false), ("fancy", true)] {
        let output = sandbox.juggle(&format!("{TRAIN} --overwrite --progress {wish}"));
        let lines = output.stderr.lines();
        assert_eq!(lines.filter(|line| line.starts_with("epoch ")).count(), 3);
        assert!(!output.stderr.contains('\x1b') && !output.stderr.contains('\r'));
        let noted = output.stderr.contains("--progress fancy is for terminals");
        assert_eq!(noted, note, "{}", output.stderr);
    }
}
