//! A short run whose disk fails at every operation in turn, as a full disk and as the death of the process: each goes on to
//! the bytes of the run that nothing happened to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use juggle_dataset::{ImageShape, LabelledImages};
use juggle_tracking::disk::{Fault, Faults};
use juggle_tracking::{Disk, Event, read_events};
use serde_json::Value;

use super::begin::{Begin, DataChange};
use super::fingerprint::DataHashes;
use super::stop::Stop;
use super::training::Training;
use crate::args::{ColorWhen, GlobalArgs};
use crate::config::{Kind, RunConfig};
use crate::examples::Examples;
use crate::output::Messages;
use crate::run::Existing;

fn images(n: usize) -> LabelledImages {
    let shape = ImageShape {
        channels: 1,
        height: 8,
        width: 8,
    };
    let pixel = |i: usize| u8::try_from(i * 37 % 251).expect("it is below 251");
    LabelledImages {
        shape,
        classes: vec!["a".to_owned(), "b".to_owned()],
        pixels: (0..n * shape.len()).map(pixel).collect(),
        labels: (0..n).map(|i| i % 2).collect(),
        paths: (0..n).map(|i| PathBuf::from(format!("{i}.png"))).collect(),
    }
}

/// Two epochs of three steps with checkpoints between, of which old ones are removed, and everything that has a memory:
/// moments, averages, running statistics.
fn config(images: &LabelledImages) -> RunConfig {
    let mut config = RunConfig::defaults(Kind::Classifier);
    config
        .data
        .settle(images.shape, &images.classes)
        .expect("there are no expectations yet");
    config.training.epochs = 2;
    config.training.batch_size = 4;
    config.training.ema = 0.5;
    config.training.clip_norm = 0.5;
    config.saving.checkpoint_steps = 2;
    config.saving.keep_checkpoints = 1;
    config.saving.log_steps = 1;
    config
}

/// Trains in `folder`, from its newest checkpoint when there is one.
fn train(folder: &Path, disk: Disk) -> Result<(), String> {
    let (train, val) = (images(11), images(6));
    let config = config(&train);
    let begin = Begin {
        existing: Existing::Resume,
        data: DataChange::Refused,
        hashes: DataHashes::default(),
        disk,
        stop: Stop::default(),
        messages: Messages::new(&GlobalArgs {
            verbose: 0,
            quiet: true,
            color: ColorWhen::Never,
        }),
    };
    let (train, val) = (Examples::Images(&train), Examples::Images(&val));
    let training = begin.open(Some(folder), &config, &train, &val);
    let trained = training.and_then(Training::run);
    trained.map(drop).map_err(|error| format!("{error:#}"))
}

/// What a finished run consists of, without its times: files by name, and its events but for the resumptions.
fn result(folder: &Path) -> (BTreeMap<String, Vec<u8>>, Vec<Value>) {
    let read = |name: &str| fs::read(folder.join(name)).expect("a finished run has its files");
    let names = ["best.safetensors", "last.safetensors", "config.toml"];
    let mut files: BTreeMap<_, _> = names.map(|name| (name.to_owned(), read(name))).into();
    let mut metrics: Value = serde_json::from_slice(&read("metrics.json")).expect("it is JSON");
    metrics["elapsed_s"] = Value::Null;
    files.insert("metrics.json".to_owned(), metrics.to_string().into_bytes());
    let events = read_events(&folder.join("events.jsonl")).expect("the log is whole");
    assert_eq!(events.torn_bytes, 0);
    let kept = events.records.into_iter().map(|record| record.event);
    let kept = kept.filter(|event| !matches!(event, Event::Resumed(_)));
    let events = kept.map(|event| {
        let mut event = serde_json::to_value(event).expect("an event is JSON");
        for time in ["elapsed_s", "epoch_s", "engine_s"] {
            event
                .as_object_mut()
                .expect("an event is an object")
                .remove(time);
        }
        event
    });
    (files, events.collect())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a temporary folder can be written");
    for entry in fs::read_dir(from).expect("it is a folder") {
        let entry = entry.expect("it can be listed");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a temporary folder can be written");
        }
    }
}

fn sound() -> Disk {
    Disk::with_faults(Arc::new(Faults::none()))
}

fn on_a_disk_with(fault: Fault, at: u64) -> (Disk, Arc<Faults>) {
    let faults = Arc::new(Faults::new(fault, at));
    (Disk::with_faults(Arc::clone(&faults)), faults)
}

/// From the state that `prepare` leaves in a folder, lets every operation in turn fail, then goes on without faults.
fn survives_every_fault(prepare: impl Fn(&Path)) {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let whole = folder.path().join("whole");
    train(&whole, sound()).expect("nothing fails");
    let expected = result(&whole);
    for fault in [Fault::Error, Fault::Death] {
        for at in 0.. {
            let run = folder.path().join(format!("{fault:?}-{at}"));
            prepare(&run);
            let (disk, faults) = on_a_disk_with(fault, at);
            let outcome = train(&run, disk);
            if faults.operations() <= at {
                assert_eq!(outcome, Ok(()));
                assert!(at > 20, "{at} operations are too few for a run");
                break;
            }
            let sentence = outcome.expect_err("a failure is told");
            assert!(
                sentence.contains("cannot "),
                "{fault:?} at {at}: {sentence}"
            );
            train(&run, sound()).unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
            assert_eq!(result(&run), expected, "{fault:?} at {at}");
            fs::remove_dir_all(&run).expect("it is a temporary folder");
        }
    }
}

#[test]
fn a_run_survives_every_fault() {
    survives_every_fault(|_| {});
}

#[test]
fn a_resumed_run_survives_every_fault() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let died = folder.path().join("died");
    let (disk, _) = on_a_disk_with(Fault::Death, 60);
    train(&died, disk).expect_err("the process died");
    survives_every_fault(|run| copy(&died, run));
}
