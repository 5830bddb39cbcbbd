//! The event file of a training. What is in it is checked by the tensorboard package itself, in `cargo xtask interop`.

use std::path::PathBuf;

use crate::sandbox::{Sandbox, file_names};

const TRAIN: &str =
    "train classifier --data bars --epochs 3 --batch-size 5 --log-steps 2 --threads 1";

/// The one event file of a run.
fn event_file(sandbox: &Sandbox, run: &str) -> PathBuf {
    let folder = sandbox.path(&format!("{run}/tensorboard"));
    let names = file_names(&folder);
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].starts_with("events.out.tfevents."), "{names:?}");
    folder.join(&names[0])
}

/// The lengths of the records, frames included. Records of the same values have the same length, whatever the clock says.
fn lengths(bytes: &[u8]) -> Vec<usize> {
    let mut lengths = vec![];
    let mut rest = bytes;
    while let Some((length, _)) = rest.split_first_chunk() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap() + 16;
        lengths.push(length);
        rest = &rest[length..];
    }
    lengths
}

#[test]
fn a_run_that_goes_on_ends_with_the_records_of_one_that_was_never_stopped() {
    let sandbox = Sandbox::with_bars();
    sandbox.juggle(&format!("{TRAIN} --run whole")).done();
    let whole = lengths(&std::fs::read(event_file(&sandbox, "whole")).unwrap());
    // The version, what comes first, steps 2, 4, … 14, three epochs, the end.
    assert_eq!(whole.len(), 2 + 7 + 3 + 1);

    let fewer = TRAIN.replace("--epochs 3", "--epochs 2");
    sandbox.juggle(&format!("{fewer} --run stopped")).done();
    let file = event_file(&sandbox, "stopped");
    // What a killed process may leave behind its last checkpoint: a torn record.
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend_from_within(40..60);
    std::fs::write(&file, bytes).unwrap();
    let output = sandbox.juggle("train classifier --run stopped --resume --epochs 3");
    assert!(
        !output.stderr.contains("warning: stopped/tensorboard"),
        "{}",
        output.stderr
    );
    output.done();
    assert_eq!(event_file(&sandbox, "stopped"), file);
    let resumed = lengths(&std::fs::read(&file).unwrap());
    assert_eq!(resumed, whole);
}

#[test]
fn who_wants_no_event_file_has_none() {
    let sandbox = Sandbox::with_bars();
    sandbox.juggle(&format!("{TRAIN} --run out")).done();
    event_file(&sandbox, "out");
    let without = format!("{TRAIN} --run out --no-tensorboard");
    sandbox.juggle(&format!("{without} --overwrite")).done();
    assert!(!sandbox.exists("out/tensorboard"));
    assert!(
        sandbox
            .read("out/config.toml")
            .contains("tensorboard = false")
    );
    // It may be wanted later.
    let more = "train classifier --run out --resume --epochs 4 --no-tensorboard=false";
    sandbox.juggle(more).done();
    let records = lengths(&std::fs::read(event_file(&sandbox, "out")).unwrap());
    assert_eq!(
        records.len(),
        2 + 3 + 1 + 1,
        "steps 16, 18 and 20, an epoch, the end"
    );
}
