//! Runs one stage: its steps in order, its log, its stamp.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::stages::{Stage, Step};
use super::stamp::{Freshness, Ingredients, OutputFiles, Stamp, Stamps, freshness};
use super::stamp::{sha256, sha256_of_file};
use crate::provenance;

/// Lines of a failed stage's log that are repeated on the terminal.
const LOG_TAIL: usize = 15;

/// What every stage needs to know: the binary, the data, and where things go.
#[derive(Debug)]
pub(crate) struct Context {
    program: PathBuf,
    binary: String,
    data: String,
    logs: PathBuf,
    stamps: Stamps,
    started: AtomicUsize,
}

impl Context {
    /// Hashes the binary and checks every data file against the committed checksums, so that
    /// their hash stands for the files themselves.
    pub(crate) fn new(
        program: &Path,
        checksums: &Path,
        out: &Path,
        stamps: Stamps,
    ) -> Result<Self> {
        Ok(Self {
            program: program.to_owned(),
            binary: sha256_of_file(program)?,
            data: verify(checksums)?,
            logs: out.join("logs"),
            stamps,
            started: AtomicUsize::new(0),
        })
    }

    pub(crate) fn binary(&self) -> &str {
        &self.binary
    }

    pub(crate) fn data(&self) -> &str {
        &self.data
    }

    pub(crate) fn stamp(&self, stage: &str) -> Option<Stamp> {
        self.stamps.read(stage)
    }

    pub(crate) fn freshness(&self, stage: &Stage) -> Freshness {
        let stamp = self.stamps.read(&stage.name);
        freshness(
            stamp.as_ref(),
            &self.ingredients(stage),
            OutputFiles::of(stage),
        )
    }

    fn ingredients(&self, stage: &Stage) -> Ingredients {
        let keys: Vec<_> = stage
            .after
            .iter()
            .map(|name| {
                self.stamps
                    .read(name)
                    .map_or_else(String::new, |stamp| stamp.key)
            })
            .collect();
        Ingredients::new(stage, &self.binary, &self.data, &keys)
    }

    /// Runs a stage unless it is up to date, with one line on stderr at each end.
    pub(crate) fn run(&self, stage: &Stage, n_stages: usize) -> Result<()> {
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let width = n_stages.to_string().len();
        let label = format!("[{number:width$}/{n_stages}] {}", stage.name);
        if self.freshness(stage) == Freshness::UpToDate {
            eprintln!("{label}: up to date");
            return Ok(());
        }
        eprintln!("{label}: started");
        let started = Instant::now();
        self.stamps.remove(&stage.name)?;
        self.steps(stage)
            .with_context(|| format!("stage {} failed", stage.name))?;
        let wall_s = started.elapsed().as_secs_f64();
        let ingredients = self.ingredients(stage);
        self.stamps.write(&Stamp {
            stage: stage.name.clone(),
            key: ingredients.key(),
            ingredients,
            wall_s,
            finished: provenance::now(),
        })?;
        eprintln!("{label}: done in {}", provenance::duration(wall_s));
        Ok(())
    }

    fn steps(&self, stage: &Stage) -> Result<()> {
        let path = self.logs.join(format!("{}.log", stage.name));
        let mut log = create(&path)?;
        for step in &stage.steps {
            writeln!(log, "$ {}", step.line())
                .with_context(|| format!("cannot write {}", path.display()))?;
            match step {
                Step::Juggle { arguments, stdout } => {
                    self.juggle(step, arguments, stdout.as_deref(), &log, &path)?;
                }
                Step::Remove(folder) => remove(folder)?,
                Step::Same { expected, found } => same(expected, found)?,
                Step::CopyClips { from, to, n_train } => {
                    crate::juggle::copy_clips(from, to, [*n_train, usize::MAX])?;
                }
            }
        }
        if let Some(missing) = stage.outputs.iter().find(|output| !output.exists()) {
            bail!("it ended well but left no {}", missing.display());
        }
        Ok(())
    }

    fn juggle(
        &self,
        step: &Step,
        arguments: &[String],
        stdout: Option<&Path>,
        log: &File,
        log_path: &Path,
    ) -> Result<()> {
        let handle = || log.try_clone().context("cannot share the log file");
        let stdout = stdout.map_or_else(handle, create)?;
        // The folder of a file is made here because no command of juggle makes folders for it.
        for argument in arguments
            .iter()
            .filter(|argument| argument.ends_with(".png") || argument.ends_with(".csv"))
        {
            make_parent(Path::new(argument))?;
        }
        let status = Command::new(&self.program)
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(handle()?)
            .status()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        if !status.success() {
            let text = fs::read_to_string(log_path).unwrap_or_default();
            bail!(
                "{status}\n{}\n  log: {}\n  to repeat it: {}",
                tail(&text, LOG_TAIL),
                log_path.display(),
                step.line()
                    .replacen("juggle", &self.program.display().to_string(), 1),
            );
        }
        Ok(())
    }
}

/// Checks files against a list in the format of `sha256sum`; returns the hash of the list itself.
fn verify(checksums: &Path) -> Result<String> {
    let text = fs::read_to_string(checksums)
        .with_context(|| format!("cannot read {}", checksums.display()))?;
    let folder = checksums.parent().unwrap_or(Path::new(""));
    for (number, line) in text.lines().enumerate() {
        let Some((expected, name)) = line.split_once("  ") else {
            bail!(
                "{}:{}: expected `SHA-256  FILE`",
                checksums.display(),
                number + 1
            );
        };
        let path = folder.join(name);
        if sha256_of_file(&path)? != expected {
            bail!(
                "{} is not the committed file: its SHA-256 differs from {}",
                path.display(),
                checksums.display()
            );
        }
    }
    Ok(sha256(text.as_bytes()))
}

fn same(expected: &Path, found: &Path) -> Result<()> {
    if sha256_of_file(expected)? != sha256_of_file(found)? {
        bail!("{} differs from {}", found.display(), expected.display());
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn create(path: &Path) -> Result<File> {
    make_parent(path)?;
    File::create(path).with_context(|| format!("cannot create {}", path.display()))
}

fn make_parent(path: &Path) -> Result<()> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))
}

fn tail(text: &str, n_lines: usize) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("  | {line}")).collect();
    lines[lines.len().saturating_sub(n_lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A context whose binary is a program that every system has: `cat` or `false`.
    fn context(program: &str, out: &Path) -> Context {
        Context {
            program: program.into(),
            binary: "binary".into(),
            data: "data".into(),
            logs: out.join("logs"),
            stamps: Stamps::new(out),
            started: AtomicUsize::new(0),
        }
    }

    fn stage(argument: &Path, output: &Path) -> Stage {
        let arguments = vec![argument.display().to_string()];
        Stage {
            name: "group/stage".into(),
            shows: "",
            after: vec![],
            steps: vec![Step::Juggle {
                arguments,
                stdout: Some(output.to_owned()),
            }],
            outputs: vec![output.to_owned()],
            cost: 1,
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_stage_runs_once_and_again_when_its_output_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (
            folder.path().join("in.txt"),
            folder.path().join("deep/out.txt"),
        );
        fs::write(&input, "first").unwrap();
        let (context, stage) = (context("cat", folder.path()), stage(&input, &output));
        let output_after_run = || {
            context.run(&stage, 1).unwrap();
            fs::read_to_string(&output).unwrap()
        };
        assert_eq!(output_after_run(), "first");
        fs::write(&input, "second").unwrap();
        assert_eq!(output_after_run(), "first");
        fs::remove_file(&output).unwrap();
        assert_eq!(output_after_run(), "second");
        let log = fs::read_to_string(folder.path().join("logs/group/stage.log")).unwrap();
        assert!(log.starts_with("$ juggle "), "{log}");
    }

    #[test]
    #[cfg(unix)]
    fn a_failed_stage_says_how_to_repeat_it_and_leaves_no_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("absent"), folder.path().join("out.txt"));
        let context = context("cat", folder.path());
        let stage = stage(&input, &output);
        let message = format!("{:#}", context.run(&stage, 1).unwrap_err());
        assert!(message.contains("stage group/stage failed"), "{message}");
        assert!(message.contains("to repeat it: cat "), "{message}");
        assert!(message.contains("absent"), "{message}");
        assert_eq!(context.freshness(&stage), Freshness::Missing);
    }

    #[test]
    fn changed_data_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let sums = folder.path().join("SHA256SUMS");
        fs::write(folder.path().join("a.png"), "abc").unwrap();
        fs::write(&sums, format!("{}  a.png\n", sha256(b"abc"))).unwrap();
        verify(&sums).unwrap();
        fs::write(folder.path().join("a.png"), "abd").unwrap();
        let message = verify(&sums).unwrap_err().to_string();
        assert!(
            message.contains("a.png is not the committed file"),
            "{message}"
        );
    }

    #[test]
    fn a_tail_is_the_last_lines() {
        assert_eq!(tail("a\nb\nc", 2), "  | b\n  | c");
        assert_eq!(tail("", 2), "");
    }
}
