//! Event files: the bytes that the tensorboard package writes, and what is left of a file that was cut or damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use juggle_tracking::tensorboard::{
    Experiment, HParam, Histogram, Outcome, Resumed, Summary, Writer,
};
use juggle_tracking::{Disk, Error};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn a_file_has_the_bytes_that_tensorboard_writes() {
    let golden = golden();
    let folder = tempfile::tempdir().unwrap();
    let gray = unhex(&golden["pngs"]["L"]);
    let color = unhex(&golden["pngs"]["RGB"]);
    let started = at(1_700_000_000.5);
    let residues = residues();
    let numbers = [
        ("optimizer", HParam::Text("adam".to_owned())),
        ("skip", HParam::Flag(false)),
        ("lr", HParam::Number(0.001)),
    ];
    let columns = Experiment {
        hparams: numbers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.kind()))
            .collect(),
        metrics: vec![("loss/val".to_owned(), "validation loss".to_owned())],
    };
    let start = Summary::new()
        .experiment(&columns)
        .session_start(numbers, started)
        .text("config", golden["text"].as_str().unwrap());
    let epoch = Summary::new()
        .scalar("loss/val", 0.1)
        .scalar("psnr", f64::INFINITY)
        .image("predictions", &gray)
        .unwrap()
        .image("colours", &color)
        .unwrap()
        .histogram("weights", &Histogram::of(&residues, 7));
    let ended = at(1_700_000_099.25);
    let end = Summary::new().session_end(Outcome::Finished, ended);

    let mut writer = Writer::create(folder.path(), started, Disk::default()).unwrap();
    writer.write_at(0, started, start).unwrap();
    let step = Summary::new().scalar("loss/step", 1.5);
    writer.write_at(1, at(1_700_000_001.0), step).unwrap();
    writer
        .write_at(1 << 40, at(1_700_000_002.75), epoch)
        .unwrap();
    writer.write_at(1 << 40, ended, end).unwrap();

    let name = writer.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(name, "events.out.tfevents.1700000000.juggle");
    let mut written = &*fs::read(writer.path()).unwrap();
    for (i, expected) in golden["records"].as_array().unwrap().iter().enumerate() {
        let expected = unhex(expected);
        let (record, rest) = written.split_at(expected.len());
        assert!(record == expected, "record {i}");
        written = rest;
    }
    assert!(written.is_empty());
}

#[test]
fn histograms_have_tensorboards_buckets() {
    for case in golden()["histograms"].as_array().unwrap() {
        let values = match case["name"].as_str().unwrap() {
            "quadratic residues" => residues(),
            "two" => vec![-1.5, 2.25],
            "far apart" => vec![-3e38, -1.0, 0.0, 1e-40, 1.0, 3e38],
            "smallest numbers" => vec![0.0, 1e-45, 3e-45],
            other => panic!("no case is named {other}"),
        };
        let n_buckets = case["n_buckets"].as_u64().unwrap();
        let histogram = Histogram::of(&values, usize::try_from(n_buckets).unwrap());
        let edges = histogram.edges().iter().flat_map(|edge| edge.to_le_bytes());
        assert_eq!(edges.collect::<Vec<_>>(), unhex(&case["edges"]), "{case}");
        let counts: Vec<u64> = serde_json::from_value(case["counts"].clone()).unwrap();
        assert_eq!(histogram.counts(), counts, "{case}");
    }
}

#[test]
fn values_that_are_equal_absent_or_not_finite_have_a_histogram_too() {
    let spread = |values: &[f32]| {
        let histogram = Histogram::of(values, 64);
        (histogram.edges().to_vec(), histogram.counts().to_vec())
    };
    assert_eq!(spread(&[2.5; 9]), (vec![2.5, 2.5], vec![9]));
    assert_eq!(spread(&[]), (vec![0.0, 0.0], vec![0]));
    let none = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    assert_eq!(spread(&none), (vec![0.0, 0.0], vec![0]));
    let (edges, counts) = spread(&[f32::NAN, -1.0, f32::INFINITY, 1.0]);
    assert_eq!((edges[0], edges[64]), (-1.0, 1.0));
    assert_eq!((counts[0], counts[63], counts.iter().sum()), (1, 1, 2_u64));
}

#[test]
fn a_picture_is_a_png_file() {
    let golden = golden();
    for (mode, png) in golden["pngs"].as_object().unwrap() {
        assert!(Summary::new().image(mode, &unhex(png)).is_ok(), "{mode}");
    }
    let cut = &unhex(&golden["pngs"]["L"])[..20];
    let error = Summary::new().image("predictions", cut).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the picture `predictions` is not a PNG file: its 20 bytes do not begin with a PNG header"
    );
}

#[test]
fn a_step_before_the_last_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(folder.path(), at(0.0), Disk::default()).unwrap();
    for step in [3, 3, 4] {
        writer
            .write(step, Summary::new().scalar("loss", 1.0))
            .unwrap();
    }
    let before = fs::read(writer.path()).unwrap();
    let error = writer.write(3, Summary::new()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::StepFell {
                step: 3,
                last: 4,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .starts_with("step 3 cannot be written to ")
    );
    assert_eq!(fs::read(writer.path()).unwrap(), before);
}

#[test]
fn a_new_run_removes_its_predecessors_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("events.out.tfevents.1.host.7.0");
    fs::write(&foreign, "somebody else's").unwrap();
    let first = Writer::create(folder.path(), at(5.0), Disk::default()).unwrap();
    let second = Writer::create(folder.path(), at(9.0), Disk::default()).unwrap();
    assert!(!first.path().exists() && second.path().exists() && foreign.exists());
}

#[test]
fn without_a_file_a_resumed_run_begins_one() {
    let folder = tempfile::tempdir().unwrap();
    let resumed = Writer::resume(&folder.path().join("tensorboard"), 7, Disk::default()).unwrap();
    assert_eq!(
        (resumed.last_step, resumed.n_cut, resumed.damaged),
        (0, 0, false)
    );
    assert!(resumed.is_new);
    let header = fs::read(resumed.writer.path()).unwrap();
    assert_eq!(header.len(), 40, "the file's version and nothing more");

    fs::write(resumed.writer.path(), &header[..39]).unwrap();
    let again = Writer::resume(&folder.path().join("tensorboard"), 7, Disk::default()).unwrap();
    assert_eq!(
        (again.n_cut, again.damaged, again.is_new),
        (39, false, true)
    );
    assert_eq!(fs::read(again.writer.path()).unwrap().len(), 40);
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Writer::create(&file.join("tensorboard"), at(0.0), Disk::default()).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot create ") && error.to_string().contains("file"),
        "{error}"
    );
}

/// A run of nine steps whose every third ends an epoch, with the file offset after each of its records.
struct Run {
    folder: TempDir,
    bytes: Vec<u8>,
    /// The step of each record, and where it ends.
    records: Vec<(u64, usize)>,
    path: PathBuf,
}

const STEPS: u64 = 9;

impl Run {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(folder.path(), at(1.0), Disk::default()).unwrap();
        let path = writer.path().to_owned();
        let mut records = vec![(0, length(&path))];
        for (step, summary) in (1..=STEPS).flat_map(Self::summaries) {
            writer.write_at(step, at(step as f64), summary).unwrap();
            records.push((step, length(&path)));
        }
        let ended = Summary::new().session_end(Outcome::Finished, at(99.0));
        writer.write_at(STEPS, at(99.0), ended).unwrap();
        let bytes = fs::read(&path).unwrap();
        Self {
            folder,
            bytes,
            records,
            path,
        }
    }

    fn summaries(step: u64) -> Vec<(u64, Summary)> {
        let loss = Summary::new().scalar("loss/step", 1.0 / step as f64);
        let weights: Vec<f32> = residues().into_iter().take(50).collect();
        let epoch = Summary::new()
            .scalar("loss/val", 1.0 / step as f64)
            .histogram("weights", &Histogram::of(&weights, 4));
        let mut all = vec![(step, loss)];
        all.extend(step.is_multiple_of(3).then_some((step, epoch)));
        all
    }

    /// The file is replaced by `bytes` and the run goes on from `step`.
    fn resume(&self, bytes: &[u8], step: u64) -> Resumed {
        let files = fs::read_dir(self.folder.path()).unwrap();
        for file in files {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        fs::write(&self.path, bytes).unwrap();
        Writer::resume(self.folder.path(), step, Disk::default()).unwrap()
    }

    /// Writes the steps after `step` again, as the run did the first time.
    fn finish(&self, mut resumed: Resumed, step: u64) -> Vec<u8> {
        for (step, summary) in (step + 1..=STEPS).flat_map(Self::summaries) {
            let at = at(step as f64);
            resumed.writer.write_at(step, at, summary).unwrap();
        }
        let ended = Summary::new().session_end(Outcome::Finished, at(99.0));
        resumed.writer.write_at(STEPS, at(99.0), ended).unwrap();
        fs::read(&self.path).unwrap()
    }

    /// Where the last whole record of a step up to `step` ends within the first `n_bytes`.
    fn kept(&self, n_bytes: usize, step: u64) -> usize {
        let whole = self.records.iter().filter(|(_, end)| *end <= n_bytes);
        let early = whole.take_while(|(of, _)| *of <= step);
        early.map(|&(_, end)| end).last().unwrap_or(0)
    }
}

/// Every length that a crash can leave, with every checkpoint that the run may go on from.
#[test]
fn a_file_cut_anywhere_goes_on_where_the_checkpoint_is() {
    let run = Run::new();
    for n_bytes in 0..=run.bytes.len() {
        for step in 0..=STEPS {
            let resumed = run.resume(&run.bytes[..n_bytes], step);
            let kept = run.kept(n_bytes, step);
            if kept == 0 {
                assert_ne!(resumed.writer.path(), run.path, "a new file is begun");
                continue;
            }
            assert_eq!(fs::read(&run.path).unwrap(), run.bytes[..kept]);
            assert_eq!(resumed.n_cut, (n_bytes - kept) as u64);
            // A checkpoint is written after the records of its step: then the end is as if nothing had happened.
            if run.kept(usize::MAX, step) <= n_bytes {
                assert!(run.finish(resumed, step) == run.bytes, "{n_bytes}, {step}");
            }
        }
    }
}

#[test]
fn damage_is_told_from_what_a_crash_leaves() {
    let run = Run::new();
    let end = run.kept(usize::MAX, 4);
    for n_bytes in [end, end + 1, end + 20, run.bytes.len()] {
        let resumed = run.resume(&run.bytes[..n_bytes], 4);
        assert_eq!(
            (resumed.damaged, resumed.last_step),
            (false, 4),
            "{n_bytes}"
        );
    }
    for (position, last_step) in [(end - 1, 3), (end - 30, 3), (run.bytes.len() - 1, 4)] {
        let mut bytes = run.bytes.clone();
        bytes[position] ^= 1;
        let resumed = run.resume(&bytes, 4);
        let damaged = position < end;
        assert_eq!((resumed.damaged, resumed.last_step), (damaged, last_step));
    }
    // A finished run that goes on has not ended any more.
    let resumed = run.resume(&run.bytes, STEPS);
    assert!(resumed.n_cut > 0 && !resumed.damaged);
}

proptest! {
    #[test]
    fn nothing_after_a_damaged_byte_is_kept(position in 0_usize..5000, flip in 1_u8.., step in 0..=STEPS) {
        let run = Run::new();
        let mut bytes = run.bytes.clone();
        let position = position % bytes.len();
        bytes[position] ^= flip;
        let resumed = run.resume(&bytes, step);
        let kept = run.kept(position, step);
        if kept > 0 {
            prop_assert_eq!(fs::read(&run.path).unwrap(), &run.bytes[..kept]);
        }
        prop_assert_eq!(resumed.n_cut, (bytes.len() - kept) as u64);
    }

    #[test]
    fn bytes_that_are_no_event_file_are_survived(bytes: Vec<u8>, step: u64) {
        let run = Run::new();
        let resumed = run.resume(&bytes, step);
        prop_assert_eq!(resumed.n_cut, bytes.len() as u64);
        prop_assert_eq!(resumed.last_step, 0);
    }

    #[test]
    fn every_finite_value_is_in_one_bucket(values: Vec<f32>, n_buckets in 1_usize..100) {
        let histogram = Histogram::of(&values, n_buckets);
        let finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).map(f64::from).collect();
        prop_assert_eq!(histogram.counts().iter().sum::<u64>(), finite.len() as u64);
        prop_assert_eq!(histogram.edges().len(), histogram.counts().len() + 1);
        prop_assert!(histogram.edges().is_sorted());
        if let (Some(min), Some(max)) = (finite.iter().copied().reduce(f64::min), finite.iter().copied().reduce(f64::max)) {
            prop_assert_eq!((histogram.edges()[0], histogram.edges()[histogram.counts().len()]), (min, max));
        }
    }
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/tensorboard.json")).unwrap()
}

fn unhex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes().chunks_exact(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// As in the generator.
fn residues() -> Vec<f32> {
    (0..1000_u32)
        .map(|n| (n * n % 997) as f32 / 997.0 - 0.5)
        .collect()
}

fn at(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

fn length(path: &Path) -> usize {
    usize::try_from(fs::metadata(path).unwrap().len()).unwrap()
}
