//! Long-lived programs that do work when asked: a JSON request a line on stdin, a JSON answer a line on stdout.
//!
//! Each first says hello by an object of facts about itself. A request is `prepare`, `run` or `drop`; an answer with the
//! field `error` is a refusal, and the program lives on.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::neighbours::Meter;
use super::process::{Pinning, cpu_time, error_file, tail};
use super::statistics::Sample;

/// A program that can be asked for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Program {
    /// `crates/models/examples/throughput.rs`
    Engine,
    /// `crates/dataset/examples/read_folder.rs`
    Folder,
    /// `xtask/bench/torch_peer.py`
    Torch,
    /// `crates/metrics/examples/measure.rs`
    Metrics,
    /// `xtask/bench/metrics_peer.py`
    MetricsPeer,
    /// `xtask/bench/rivals`
    Rivals,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Engine => "throughput",
            Self::Folder => "read_folder",
            Self::Torch => "torch_peer",
            Self::Metrics => "measure",
            Self::MetricsPeer => "metrics_peer",
            Self::Rivals => "rivals",
        }
    }
}

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) juggle: PathBuf,
    pub(crate) engine: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) metrics: PathBuf,
    /// Built where a row needs it.
    pub(crate) rivals: Option<PathBuf>,
    pub(crate) python: PathBuf,
}

pub(crate) const TORCH_PEER: &str = "xtask/bench/torch_peer.py";
const METRICS_PEER: &str = "xtask/bench/metrics_peer.py";

/// The programs that run, one for each number of threads.
#[derive(Debug)]
pub(crate) struct Peers<'a> {
    paths: &'a Paths,
    pinning: Pinning,
    running: BTreeMap<(Program, usize), Peer>,
    /// What the programs said about themselves.
    pub(crate) facts: BTreeMap<String, String>,
}

impl<'a> Peers<'a> {
    pub(crate) fn new(paths: &'a Paths, pinning: Pinning) -> Self {
        Self {
            paths,
            pinning,
            running: BTreeMap::new(),
            facts: BTreeMap::new(),
        }
    }

    /// The program, started when it does not run yet.
    pub(crate) fn get(&mut self, program: Program, threads: usize) -> Result<&mut Peer> {
        if !self.running.contains_key(&(program, threads)) {
            let peer = self.start(program, threads)?;
            self.running.insert((program, threads), peer);
        }
        self.running
            .get_mut(&(program, threads))
            .context("the program was started just now")
    }

    fn start(&mut self, program: Program, threads: usize) -> Result<Peer> {
        let path = match program {
            Program::Engine => &self.paths.engine,
            Program::Folder => &self.paths.folder,
            Program::Metrics => &self.paths.metrics,
            Program::Torch | Program::MetricsPeer => &self.paths.python,
            Program::Rivals => self.paths.rivals.as_ref().context("the rivals are built")?,
        };
        let mut command = self.pinning.command(path, threads);
        let script = match program {
            Program::Torch => Some(TORCH_PEER),
            Program::MetricsPeer => Some(METRICS_PEER),
            _ => None,
        };
        if let Some(script) = script {
            command.arg(script).arg(threads.to_string());
        }
        let name = format!("{}-{threads}", program.name());
        let (errors, error_path) = error_file(&name)?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {}", path.display()))?;
        let stdin = child.stdin.take().context("the pipe was asked for")?;
        let stdout = child.stdout.take().context("the pipe was asked for")?;
        let mut peer = Peer {
            name,
            pinning: self.pinning,
            threads,
            child,
            stdin: Some(stdin),
            stdout: BufReader::new(stdout),
            error_path,
        };
        if let Value::Object(facts) = peer.receive()? {
            for (name, value) in facts {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                self.facts.insert(name, value);
            }
        }
        Ok(peer)
    }

    /// Frees what the programs hold for the rows so far.
    pub(crate) fn drop_work(&mut self) -> Result<()> {
        for peer in self.running.values_mut() {
            peer.ask(&json!({"drop": {}}))?;
        }
        Ok(())
    }
}

/// One running program.
#[derive(Debug)]
pub(crate) struct Peer {
    name: String,
    pinning: Pinning,
    threads: usize,
    child: Child,
    /// Nothing once it was closed, which tells the program to end.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    error_path: PathBuf,
}

impl Peer {
    /// Makes work ready under a key. The inner error is the program's refusal in its own words.
    pub(crate) fn prepare(
        &mut self,
        key: &str,
        request: &Value,
    ) -> Result<std::result::Result<Value, String>> {
        let mut request = request.clone();
        request["key"] = key.into();
        let answer = self.ask(&json!({"prepare": request}))?;
        Ok(match refusal(&answer) {
            Some(reason) => Err(reason),
            None => Ok(answer),
        })
    }

    /// Does prepared work for about so many seconds.
    pub(crate) fn run(&mut self, key: &str, seconds: f64) -> Result<Sample> {
        let meter = Meter::start(self.pinning, self.threads);
        let before = cpu_time(&self.child);
        let answer = self.ask(&json!({"run": {"key": key, "seconds": seconds}}))?;
        let after = cpu_time(&self.child);
        let (seconds, count) = measured(&answer)
            .map_err(|reason| anyhow::anyhow!("{} did not run {key}: {reason}", self.name))?;
        let cpu_seconds = before.zip(after).map(|(before, after)| after - before);
        Ok(Sample {
            seconds,
            cpu_seconds,
            count,
            others: meter.others(seconds, cpu_seconds),
        })
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        let stdin = self.stdin.as_mut().context("the pipe is open")?;
        if writeln!(stdin, "{request}")
            .and_then(|()| stdin.flush())
            .is_err()
        {
            bail!("{}", self.obituary());
        }
        self.receive()
    }

    fn receive(&mut self) -> Result<Value> {
        let mut line = String::new();
        match self.stdout.read_line(&mut line) {
            Ok(0) | Err(_) => bail!("{}", self.obituary()),
            Ok(_) => serde_json::from_str(&line)
                .with_context(|| format!("{} answered no JSON: {}", self.name, line.trim_end())),
        }
    }

    fn obituary(&mut self) -> String {
        let status = self.child.wait().map(|status| status.to_string());
        let status = status.unwrap_or_else(|error| error.to_string());
        format!(
            "{} ended ({status}):\n  {}",
            self.name,
            tail(&self.error_path)
        )
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The end of its input tells a program to end; nothing is left to do when it has ended already.
        self.stdin.take();
        let _ = self.child.wait();
    }
}

fn refusal(answer: &Value) -> Option<String> {
    Some(answer.get("error")?.as_str()?.to_owned())
}

/// Seconds and count of a run.
fn measured(answer: &Value) -> std::result::Result<(f64, u64), String> {
    #[derive(Deserialize)]
    struct Measured {
        seconds: f64,
        count: u64,
    }
    if let Some(reason) = refusal(answer) {
        return Err(reason);
    }
    let Measured { seconds, count } =
        Measured::deserialize(answer).map_err(|error| error.to_string())?;
    if seconds > 0.0 && count > 0 {
        Ok((seconds, count))
    } else {
        Err(format!("{count} images in {seconds} s is no measurement"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_a_measurement_or_a_refusal() {
        let read = |text: &str| measured(&serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"seconds": 0.5, "count": 64}"#), Ok((0.5, 64)));
        assert_eq!(
            read(r#"{"error": "no such work"}"#),
            Err("no such work".to_owned())
        );
        assert!(
            read(r#"{"seconds": 0.5, "count": 0}"#)
                .unwrap_err()
                .contains("no measurement")
        );
        assert!(read(r#"{"seconds": 0.5}"#).unwrap_err().contains("count"));
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_dies_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let error_path = folder.path().join("stderr");
        let mut child = std::process::Command::new("sh")
            .args(["-c", "echo out of luck >&2; exit 3"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&error_path).unwrap())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut peer = Peer {
            name: "sh".to_owned(),
            pinning: Pinning::None,
            threads: 1,
            child,
            stdin,
            stdout,
            error_path,
        };
        let message = peer.receive().unwrap_err().to_string();
        assert_eq!(message, "sh ended (exit status: 3):\n  out of luck");
    }
}
