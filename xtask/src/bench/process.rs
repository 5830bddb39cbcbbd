//! Programs under measurement: started on fixed processors, watched while they run.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::neighbours::Meter;
use super::statistics::Sample;
use crate::python::line;

/// Where the error output of the programs goes, and everything else that this command makes.
pub(crate) const FOLDER: &str = "target/bench";
/// Lines of a failed program's error output that are worth repeating.
const TAIL: usize = 12;
/// How often a running command's memory and processor time are looked up.
const WATCH_EVERY: Duration = Duration::from_millis(4);

/// How programs are kept on as many processors as they have threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pinning {
    /// With `taskset`, on the processors from 0.
    Taskset,
    /// The system does not have it; threads go where the kernel puts them.
    None,
}

impl Pinning {
    pub(crate) fn detect() -> Self {
        let pinned = Command::new("taskset").args(["-c", "0", "true"]).output();
        match pinned {
            Ok(output) if output.status.success() => Self::Taskset,
            _ => Self::None,
        }
    }

    /// A command on the first `threads` processors, with the variables that size the pools of both sides.
    pub(crate) fn command(self, program: impl AsRef<OsStr>, threads: usize) -> Command {
        let mut command = match self {
            Self::Taskset => {
                let mut command = Command::new("taskset");
                command.args(["-c", &format!("0-{}", threads - 1)]);
                command.arg(program);
                command
            }
            Self::None => Command::new(program),
        };
        for name in ["OMP_NUM_THREADS", "RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
            command.env(name, threads.to_string());
        }
        command.stdin(Stdio::null());
        command
    }
}

/// A file for a program's error output.
pub(crate) fn error_file(name: &str) -> Result<(File, PathBuf)> {
    let path = Path::new(FOLDER).join(format!("{name}.stderr"));
    fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok((file, path))
}

/// The last lines that a program wrote before it failed.
pub(crate) fn tail(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    last_lines(&text, TAIL)
}

fn last_lines(text: &str, n: usize) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(n)..].join("\n  ")
}

/// What a command that ran to its end took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) sample: Sample,
    /// The most memory that was resident, where the system tells.
    pub(crate) peak_bytes: Option<u64>,
}

/// Runs a command to its end and watches it from outside.
pub(crate) fn run(command: &mut Command, name: &str, meter: Meter) -> Result<Finished> {
    let (errors, path) = error_file(name)?;
    let shown = line(command);
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(errors)
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let mut peak_bytes = None;
    let mut cpu_seconds = None;
    let status = loop {
        if let Some(status) = child.try_wait().context("cannot wait for a program")? {
            break status;
        }
        peak_bytes = peak_memory(&child).or(peak_bytes);
        cpu_seconds = cpu_time(&child).or(cpu_seconds);
        std::thread::sleep(WATCH_EVERY);
    };
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!("`{shown}` failed ({status}):\n  {}", tail(&path));
    }
    Ok(Finished {
        sample: Sample {
            seconds,
            cpu_seconds,
            count: 1,
            others: meter.others(seconds, cpu_seconds),
        },
        peak_bytes,
    })
}

/// Processor time of all threads of a running process, in seconds.
///
/// From `schedstat`, which counts nanoseconds; `stat` counts hundredths of a second.
pub(crate) fn cpu_time(child: &Child) -> Option<f64> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{}/task", child.id())).ok()? {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(nanoseconds as f64 * 1e-9).filter(|seconds| *seconds > 0.0)
}

fn peak_memory(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    peak_in(&status)
}

/// The line `VmHWM:     1234 kB`.
fn peak_in(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_the_status() {
        let status = "Name:\tjuggle\nVmPeak:\t  900 kB\nVmHWM:\t    20 kB\nVmRSS:\t 10 kB\n";
        assert_eq!(peak_in(status), Some(20 * 1024));
        assert_eq!(peak_in("Name:\tjuggle\n"), None);
    }

    #[test]
    fn a_failed_program_is_quoted_by_its_last_lines() {
        assert_eq!(last_lines("a\n\nb\nc\n", 2), "b\n  c");
        assert_eq!(last_lines("", 2), "");
    }
}
