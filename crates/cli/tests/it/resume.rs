//! Runs that are killed, stopped, damaged or changed, and go on.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{Sandbox, file_names};

/// Everything that a training remembers: batch norm, moments, averages, augmentation, a schedule; and a clipped gradient.
const BARS: &str = "train classifier --data bars --epochs 4 --batch-size 5 --batch-norm --ema 0.9 --augment hflip,gain=0.2 \
                    --schedule cosine --clip-norm 1 --checkpoint-steps 2 --log-steps 1";

/// What a run comes to, without its times.
fn result(sandbox: &Sandbox, run: &str) -> (Vec<u8>, Vec<u8>, Value, Vec<Value>) {
    let mut metrics = sandbox.json(&format!("{run}/metrics.json"));
    metrics["elapsed_s"] = Value::Null;
    let events = ["started", "step", "epoch", "finished"];
    let mut events: Vec<Value> = events
        .iter()
        .flat_map(|kind| sandbox.events(run, kind))
        .collect();
    for event in &mut events {
        let event = event.as_object_mut().unwrap();
        for time in ["elapsed_s", "epoch_s", "engine_s", "unix_time_s"] {
            event.remove(time);
        }
    }
    (
        sandbox.bytes(&format!("{run}/best.safetensors")),
        sandbox.bytes(&format!("{run}/last.safetensors")),
        metrics,
        events,
    )
}

/// Short form of `cargo xtask interop --only kill`.
#[test]
fn a_killed_run_ends_with_the_same_bytes() {
    let sandbox = Sandbox::with_bars();
    sandbox.juggle(&format!("{BARS} --run whole")).done();
    let expected = result(&sandbox, "whole");
    let command = format!("{BARS} --run killed --resume");
    let mut kills = 0;
    for attempt in 0_u64.. {
        let mut child = sandbox
            .command(&command)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Later and later, so that it comes to its end on any machine.
        let patience = Duration::from_millis(20 + 15 * attempt);
        let started = Instant::now();
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.success();
            }
            if started.elapsed() > patience {
                child.kill().unwrap();
                kills += 1;
                break child.wait().unwrap().success();
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        if ended {
            break;
        }
    }
    assert!(kills > 0, "it was over before it could be killed");
    assert_eq!(result(&sandbox, "killed"), expected);
}

#[test]
fn a_run_that_is_out_of_time_goes_on() {
    let sandbox = Sandbox::with_bars();
    sandbox.juggle(&format!("{BARS} --run whole")).done();
    let output = sandbox.juggle(&format!("{BARS} --run short --max-minutes 1e-9"));
    assert_eq!(output.code, Some(0), "{output:#?}");
    let last = output.stderr.lines().last().unwrap();
    assert_eq!(
        last,
        "time is up: in epoch 1 after step 0; to continue: juggle train classifier --run short --resume"
    );
    assert_eq!(
        sandbox.events("short", "stopped")[0]["reason"],
        "time_limit"
    );
    sandbox
        .juggle("train classifier --run short --resume --max-minutes 0")
        .done();
    assert_eq!(result(&sandbox, "short"), result(&sandbox, "whole"));
    assert_eq!(sandbox.events("short", "resumed")[0]["step"], 0);
}

#[test]
fn more_epochs_are_what_a_longer_run_had() {
    let sandbox = Sandbox::with_bars();
    let run = "train classifier --data bars --batch-size 5 --epochs";
    sandbox.juggle(&format!("{run} 3 --run long")).done();
    sandbox.juggle(&format!("{run} 1 --run grown")).done();
    let more = "train classifier --run grown --resume --epochs 3 --threads 1";
    sandbox.juggle(more).done();
    let (best, last, metrics, _) = result(&sandbox, "grown");
    let (long_best, long_last, long_metrics, _) = result(&sandbox, "long");
    assert_eq!((best, last, metrics), (long_best, long_last, long_metrics));
    assert!(sandbox.read("grown/config.toml").contains("epochs = 3"));

    // With a cosine the epochs say what every learning rate was.
    let cosine =
        "train classifier --data bars --batch-size 5 --run cosine --schedule cosine --epochs";
    sandbox.juggle(&format!("{cosine} 1")).done();
    let error = sandbox
        .juggle("train classifier --run cosine --resume --epochs 2")
        .error();
    assert_eq!(
        error,
        "cosine cannot be resumed with another configuration: training.epochs is 2, but the run has 1"
    );
}

#[test]
fn another_configuration_is_refused_with_its_keys() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let error = sandbox
        .juggle(
            "train classifier --run out --resume --lr 0.5 --seed 3 --epochs 9 --checkpoint-steps 7",
        )
        .error();
    assert_eq!(
        error,
        "out cannot be resumed with another configuration: seed is 3, but the run has 0; \
         training.learning_rate is 0.5, but the run has 0.001"
    );
    let error = sandbox
        .juggle("train autoencoder --run out --resume")
        .error();
    assert!(
        error.contains("is for `juggle train classifier`"),
        "{error}"
    );
    assert_eq!(
        sandbox
            .juggle("train classifier --data bars --resume")
            .usage(),
        "--resume needs --run DIR: the run to go on with"
    );
    let both = "train classifier --run out --resume --overwrite";
    assert!(sandbox.juggle(both).usage().contains("cannot be used with"));
}

#[test]
fn changed_data_are_refused_unless_told() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let hashes = sandbox.read("out/data.sha256");
    assert_eq!(hashes.lines().count(), 32, "the test split is never opened");
    assert!(
        hashes
            .lines()
            .next()
            .unwrap()
            .ends_with("  train/level/0.png")
    );
    sandbox.write_gray("bars/train/level/3.png", 8, |_, _| 7);
    std::fs::remove_file(sandbox.path("bars/val/level/0.png")).unwrap();
    let again = "train classifier --run out --resume --epochs 3";
    assert_eq!(
        sandbox.juggle(again).error(),
        "the data are not those that out began with: 1 changed (train/level/3.png), 1 missing (val/level/0.png); \
         put them back, or go on with --allow-changed-data"
    );
    let output = sandbox.juggle(&format!("{again} --allow-changed-data"));
    assert!(
        output
            .stderr
            .contains("warning: the data changed: 1 changed"),
        "{output:#?}"
    );
    output.done();
    sandbox.juggle(again).done();

    // Where they lie does not matter.
    std::fs::rename(sandbox.path("bars"), sandbox.path("moved")).unwrap();
    sandbox
        .juggle("train classifier --data moved --run out --resume --epochs 4")
        .done();
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_used() {
    let sandbox = Sandbox::with_bars();
    let run = "train classifier --data bars --batch-size 5 --epochs 3 --run";
    sandbox.juggle(&format!("{run} whole")).done();
    sandbox.juggle(&format!("{run} damaged")).done();
    assert_eq!(
        file_names(&sandbox.path("damaged/checkpoints")),
        ["step-10", "step-15", "step-5"]
    );
    let mut bytes = sandbox.bytes("damaged/checkpoints/step-15/optimizer.safetensors");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(
        sandbox.path("damaged/checkpoints/step-15/optimizer.safetensors"),
        bytes,
    )
    .unwrap();
    let output = sandbox.juggle("train classifier --run damaged --resume");
    assert!(
        output.stderr.contains(
            "warning: damaged/checkpoints/step-15 is not used: its optimizer.safetensors does not match its hash; it is \
             set aside and the checkpoint before it is used"
        ),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("resumed in epoch 3 after step 10"),
        "{}",
        output.stderr
    );
    output.done();
    assert_eq!(result(&sandbox, "damaged"), result(&sandbox, "whole"));
}

#[test]
fn a_torn_event_is_cut_off() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let mut log = sandbox.read("out/events.jsonl");
    log += "{\"kind\":\"step\",\"epo";
    sandbox.write("out/events.jsonl", &log);
    sandbox
        .juggle("train classifier --run out --resume --epochs 3")
        .done();
    let epochs = sandbox.events("out", "epoch");
    let numbers: Vec<_> = epochs
        .iter()
        .map(|epoch| epoch["epoch"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(sandbox.events("out", "finished").len(), 1);
}

#[test]
fn two_processes_do_not_share_a_run() {
    let sandbox = Sandbox::with_bars();
    let mut first = sandbox
        .command("train classifier --data bars --run out --epochs 100000")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while !sandbox.exists("out/last.safetensors") {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it did not get so far"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    for flag in ["--resume", "--overwrite"] {
        assert_eq!(
            sandbox
                .juggle(&format!(
                    "train classifier --data bars --run out --epochs 100000 {flag}"
                ))
                .error(),
            "out is being written by another process"
        );
    }
    // A dead process keeps no lock.
    first.kill().unwrap();
    first.wait().unwrap();
    sandbox
        .juggle("train classifier --data bars --run out --overwrite --epochs 1")
        .done();
}

#[test]
fn a_folder_that_vanishes_ends_the_run_with_a_sentence() {
    let sandbox = Sandbox::with_bars();
    let child = sandbox
        .command("train classifier --data bars --run out --epochs 100000")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let has_checkpoint = || {
        sandbox.exists("out/checkpoints")
            && file_names(&sandbox.path("out/checkpoints"))
                .iter()
                .any(|name| name.starts_with("step-"))
    };
    while !has_checkpoint() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "it did not get so far"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::rename(sandbox.path("out"), sandbox.path("elsewhere")).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let last = stderr.lines().last().unwrap();
    assert!(
        last.starts_with("error: the run cannot be written any more, its last checkpoint is out/checkpoints/step-"),
        "{last}"
    );
    assert!(
        last.ends_with("No such file or directory (os error 2)"),
        "{last}"
    );
    assert!(!sandbox.exists("out"));
}

#[test]
fn epochs_without_progress_end_the_training() {
    let sandbox = Sandbox::with_bars();
    sandbox
        .juggle("train classifier --data bars --run out --epochs 9 --lr 1e-30 --patience 2")
        .done();
    assert_eq!(sandbox.json("out/metrics.json")["epochs"], 3);
    assert_eq!(sandbox.events("out", "finished")[0]["reason"], "patience");
    sandbox
        .juggle("train classifier --run out --resume --patience 4")
        .done();
    assert_eq!(sandbox.json("out/metrics.json")["epochs"], 5);
}

#[test]
fn steps_without_a_finite_loss_can_be_skipped_for_a_while() {
    let sandbox = Sandbox::with_bars();
    let error = sandbox
        .juggle("train classifier --data bars --run out --lr 1e30 --epochs 9 --optimizer sgd --batch-size 1 --on-nan skip")
        .error();
    assert!(
        error.contains(", for the 20th step in a row at step ")
            || error.contains("weight is no finite number"),
        "{error}"
    );
    assert!(error.contains("there is no checkpoint yet"), "{error}");
    assert!(!sandbox.events("out", "skipped").is_empty());
    assert_eq!(sandbox.events("out", "stopped")[0]["reason"], "not_finite");
}
