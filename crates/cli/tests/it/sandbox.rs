//! A temporary folder, small data sets in it, and runs of the binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use juggle_dataset::{Image, ImageShape, write_png};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Sandbox {
    dir: TempDir,
}

/// How the process ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// With `bars/{train,val,test}/{level,upright}`: gray 8×8 bars that a network learns in a few steps.
    pub(crate) fn with_bars() -> Self {
        let sandbox = Self::new();
        for (split, n) in [("train", 12), ("val", 4), ("test", 4)] {
            for class in ["level", "upright"] {
                sandbox.write_bars(&format!("bars/{split}/{class}"), class, n, 8);
            }
        }
        sandbox
    }

    /// With `clips/{train,val}`: a dot that moves one pixel a frame, 12×12, 6 frames a clip.
    pub(crate) fn with_clips() -> Self {
        let sandbox = Self::new();
        for (split, clips) in [("train", 4), ("val", 2)] {
            for clip in 0..clips {
                for frame in 0..6 {
                    let row = clip + 1;
                    sandbox.write_gray(
                        &format!("clips/{split}/clip{clip}/frame_{frame:02}.png"),
                        12,
                        |y, x| {
                            if y == row && x == frame { 250 } else { 10 }
                        },
                    );
                }
            }
        }
        sandbox
    }

    /// `n` images of a bar, one row or column after the other.
    pub(crate) fn write_bars(&self, folder: &str, class: &str, n: usize, size: usize) {
        for i in 0..n {
            self.write_gray(&format!("{folder}/{i}.png"), size, |y, x| {
                let position = if class == "level" { y } else { x };
                if position == i % size { 200 } else { 20 }
            });
        }
    }

    pub(crate) fn write_gray(&self, name: &str, size: usize, pixel: impl Fn(usize, usize) -> u8) {
        let pixels = (0..size * size)
            .map(|i| pixel(i / size, i % size))
            .collect();
        self.write_image(
            name,
            ImageShape {
                channels: 1,
                height: size,
                width: size,
            },
            pixels,
        );
    }

    pub(crate) fn write_image(&self, name: &str, shape: ImageShape, pixels: Vec<u8>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_png(&path, &Image { shape, pixels }).unwrap();
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// The lines of a run's event log that are of a kind.
    pub(crate) fn events(&self, run: &str, kind: &str) -> Vec<Value> {
        let text = self.read(&format!("{run}/events.jsonl"));
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|event: &Value| event["kind"] == kind)
            .collect()
    }

    /// Cuts a file to a share of its length.
    pub(crate) fn truncate(&self, name: &str) {
        let bytes = self.bytes(name);
        fs::write(self.path(name), &bytes[..bytes.len() * 2 / 3]).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where the data folder is in a configuration or a message.
    pub(crate) fn canonical(&self, name: &str) -> String {
        self.path(name)
            .canonicalize()
            .unwrap()
            .display()
            .to_string()
    }

    /// The binary in the sandbox, its arguments split at spaces, without the environment's wishes.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_juggle"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.dir.path());
        for variable in ["RUST_LOG", "NO_COLOR", "RUST_BACKTRACE", "COLUMNS"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn juggle(&self, arguments: &str) -> Output {
        Output::of(&mut self.command(arguments))
    }

    /// Trains a classifier on the bars for two epochs into `run`.
    pub(crate) fn train_bars(&self, run: &str) {
        self.juggle(&format!(
            "train classifier --data bars --run {run} --epochs 2 --threads 1"
        ))
        .done();
    }

    /// Trains an autoencoder on the clips for one epoch into `run`.
    pub(crate) fn train_clips(&self, run: &str) {
        self.juggle(&format!(
            "train autoencoder --data clips --run {run} --epochs 1 --widths 4,8 --threads 1"
        ))
        .done();
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }
}

impl Output {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The standard output of a command that must succeed.
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }

    /// The one JSON document on the standard output of a command that must succeed.
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }

    /// The sentence of a command that must fail with exit code 1 and nothing on standard output.
    pub(crate) fn error(self) -> String {
        self.sentence(1)
    }

    /// The same for wrong usage, exit code 2.
    pub(crate) fn usage(self) -> String {
        self.sentence(2)
    }

    fn sentence(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert_eq!(self.stdout, "", "a failure has no result");
        let sentences: Vec<_> = self
            .stderr
            .lines()
            .filter_map(|line| line.strip_prefix("error: "))
            .collect();
        assert_eq!(sentences.len(), 1, "one sentence: {}", self.stderr);
        sentences[0].to_owned()
    }
}

/// The names in a folder, sorted.
pub(crate) fn file_names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
