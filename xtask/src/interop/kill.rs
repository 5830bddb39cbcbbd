//! Runs that are killed with SIGKILL at random moments and resumed, until they end: with the bytes of the run that nobody
//! killed, and with every event of it once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::juggle::{copy_clips, copy_images};
use crate::reproduce::{BALLS, FRAMES};

const FOLDER: &str = "target/interop-kill";
/// Times that one run is killed at most.
const KILLS: u64 = 5;
const IMAGES_A_CLASS: usize = 12;
const CLIPS: usize = 1;

/// Small trainings in which everything that a checkpoint holds changes at every step. Each is to take about a second.
const TRAININGS: [(&str, &str); 4] = [
    (
        "classifier",
        "--epochs 4 --batch-size 8 --batch-norm --ema 0.9 --augment hflip,gain=0.2 --checkpoint-steps 3 --log-steps 1",
    ),
    (
        "classifier",
        "--epochs 3 --batch-size 7 --optimizer sgd --clip-norm 0.5 --schedule cosine --checkpoint-steps 1 --keep-checkpoints 1",
    ),
    (
        "autoencoder",
        "--epochs 8 --batch-size 4 --widths 8,16 --batch-norm --ema 0.98 --augment vflip --checkpoint-steps 2 --log-steps 1",
    ),
    (
        "autoencoder",
        "--epochs 8 --batch-size 4 --widths 8,16 --optimizer adamw --weight-decay 0.01 --clip-norm 0.1 --patience 3 \
         --checkpoint-minutes 0.001",
    ),
];

/// What a run came to, without its times.
#[derive(Debug, PartialEq)]
struct Outcome {
    best: String,
    last: String,
    metrics: Value,
    events: Vec<Value>,
    /// The lengths of the records of the event file for TensorBoard, which do not depend on the clock.
    records: Vec<u64>,
}

/// Kills `runs` runs, each once or more, and resumes them. The same seed asks for the same moments; when they come is the machine's.
pub(super) fn run(juggle: &Path, runs: usize, seed: u64) -> Result<()> {
    let folder = Path::new(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {FOLDER}"))?;
    }
    let (balls, frames) = (folder.join("balls"), folder.join("frames"));
    copy_images(Path::new(BALLS), &balls, IMAGES_A_CLASS)?;
    copy_clips(Path::new(FRAMES), &frames, [CLIPS, CLIPS])?;
    let mut whole = vec![];
    for (i, (kind, flags)) in TRAININGS.iter().enumerate() {
        let data = if *kind == "classifier" {
            &balls
        } else {
            &frames
        };
        let training = Training {
            juggle,
            kind,
            flags,
            data,
        };
        let run = folder.join(format!("whole-{i}"));
        let started = Instant::now();
        let status = training.command(&run).status();
        ensure!(status?.success(), "the training {kind} {flags} failed");
        let took = started.elapsed();
        eprintln!("{kind} {flags}: {:.2} s", took.as_secs_f64());
        whole.push((training, took, outcome(&run)?));
    }
    let mut random = seed;
    let (mut kills, mut most, mut n_killed) = (0, 0, 0);
    // A run that ends before its first moment comes was not killed, and does not count.
    for i in 0.. {
        if n_killed == runs {
            break;
        }
        ensure!(
            i < 3 * runs,
            "of {i} runs only {n_killed} could be killed before they ended"
        );
        let (training, took, expected) = &whole[i % whole.len()];
        let run = folder.join("killed");
        let killed = training.kill_and_resume(&run, *took, &mut random)?;
        let found = outcome(&run)?;
        if found != *expected {
            bail!(
                "run {i} of {} {} was killed {killed} times and came to {found:#?}, expected {expected:#?}; it is in {}; \
                 to repeat it: cargo xtask interop --only kill --seed {seed}",
                training.kind,
                training.flags,
                run.display()
            );
        }
        (kills, most) = (kills + killed, most.max(killed));
        n_killed += usize::from(killed > 0);
        fs::remove_dir_all(&run).with_context(|| format!("cannot remove {}", run.display()))?;
    }
    println!(
        "interop: {n_killed} runs were killed {kills} times, up to {most} times each, and came to the same bytes and events"
    );
    Ok(())
}

struct Training<'a> {
    juggle: &'a Path,
    kind: &'a str,
    flags: &'a str,
    data: &'a Path,
}

impl Training<'_> {
    fn command(&self, run: &Path) -> Command {
        let mut command = Command::new(self.juggle);
        command
            .args(["train", self.kind, "--threads", "1", "--quiet", "--resume"])
            .args(self.flags.split_whitespace())
            .arg("--data")
            .arg(self.data)
            .arg("--run")
            .arg(run)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// Gives back how often it was killed.
    fn kill_and_resume(&self, run: &Path, took: Duration, random: &mut u64) -> Result<u64> {
        let planned = 1 + splitmix(random) % KILLS;
        for killed in 0..planned {
            let moment = took.mul_f64((splitmix(random) >> 11) as f64 / (1_u64 << 53) as f64);
            let mut child = self.command(run).spawn()?;
            std::thread::sleep(moment);
            if let Some(status) = child.try_wait()? {
                ensure!(
                    status.success(),
                    "{} did not go on: {status}",
                    run.display()
                );
                return Ok(killed);
            }
            // SIGKILL; the process has no say in it.
            child.kill()?;
            child.wait()?;
        }
        let status = self.command(run).status()?;
        ensure!(
            status.success(),
            "{} did not go on: {status}",
            run.display()
        );
        Ok(planned)
    }
}

fn outcome(run: &Path) -> Result<Outcome> {
    let read = |name: &str| {
        let path: PathBuf = run.join(name);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let hash = |name: &str| -> Result<String> {
        let digest = Sha256::digest(read(name)?);
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    };
    let mut metrics: Value = serde_json::from_slice(&read("metrics.json")?)?;
    metrics["elapsed_s"] = Value::Null;
    let log = String::from_utf8(read("events.jsonl")?)?;
    let mut events = vec![];
    for line in log.lines() {
        let mut event: serde_json::Map<String, Value> = serde_json::from_str(line)?;
        for time in ["elapsed_s", "epoch_s", "engine_s", "unix_time_s"] {
            event.remove(time);
        }
        if event["kind"] != "resumed" {
            events.push(Value::Object(event));
        }
    }
    Ok(Outcome {
        best: hash("best.safetensors")?,
        last: hash("last.safetensors")?,
        metrics,
        events,
        records: record_lengths(&run.join("tensorboard"))?,
    })
}

/// The lengths in the frames of the one event file in a folder.
fn record_lengths(folder: &Path) -> Result<Vec<u64>> {
    /// Length, its checksum, the checksum of the record.
    const FRAME: u64 = 16;
    let files: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .collect::<std::io::Result<_>>()?;
    ensure!(
        files.len() == 1,
        "{} has {} files",
        folder.display(),
        files.len()
    );
    let bytes = fs::read(files[0].path())?;
    let (mut lengths, mut rest) = (vec![], &*bytes);
    while let Some((length, _)) = rest.split_first_chunk() {
        let length = u64::from_le_bytes(*length);
        let end = usize::try_from(length + FRAME)?;
        rest = rest.get(end..).context("a record is cut")?;
        lengths.push(length);
    }
    Ok(lengths)
}

/// Steele and others, "Fast splittable pseudorandom number generators" (2014).
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
