//! `cargo xtask ci`: every check, the same here as on a server.

use std::ffi::OsString;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::juggle::cargo;

/// Run every check; the first that fails ends it.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only this step; may be repeated
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,

    /// List the steps with their commands, and run nothing
    #[arg(long)]
    list: bool,
}

/// One check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    name: &'static str,
    /// What a reader types, without the leading `cargo`.
    arguments: &'static str,
    environment: Option<(&'static str, &'static str)>,
}

impl Step {
    const fn cargo(name: &'static str, arguments: &'static str) -> Self {
        Self {
            name,
            arguments,
            environment: None,
        }
    }

    fn line(&self) -> String {
        let variable = self
            .environment
            .map(|(name, value)| format!("{name}='{value}' "));
        format!("{}cargo {}", variable.unwrap_or_default(), self.arguments)
    }

    /// A step of xtask itself runs in this very program, which is built already.
    fn command(&self) -> Result<Command> {
        let words = || self.arguments.split(' ');
        let (program, arguments): (OsString, Vec<&str>) = if words().next() == Some("xtask") {
            let program = std::env::current_exe().context("cannot find xtask's own program")?;
            (program.into(), words().skip(1).collect())
        } else {
            (cargo(), words().collect())
        };
        let mut command = Command::new(program);
        command.args(arguments).envs(self.environment);
        Ok(command)
    }
}

/// Cheap checks first. Features that need a vendor's SDK are never built, so there is no
/// `--all-features` for the workspace; `juggle-metrics` has none of them and is used on its own.
const STEPS: [Step; 10] = [
    Step::cargo("fmt", "fmt --all --check"),
    Step::cargo("tidy", "xtask tidy"),
    Step::cargo(
        "clippy",
        "clippy --workspace --all-targets --locked -- -D warnings",
    ),
    Step::cargo(
        "metrics-all-features",
        "clippy -p juggle-metrics --all-targets --all-features --locked -- -D warnings",
    ),
    Step::cargo(
        "metrics-no-features",
        "clippy -p juggle-metrics --all-targets --no-default-features --locked -- -D warnings",
    ),
    Step::cargo("metrics-alone", "xtask alone"),
    Step::cargo(
        "tuning-no-features",
        "clippy -p juggle-tuning --all-targets --no-default-features --locked -- -D warnings",
    ),
    Step {
        name: "docs",
        arguments: "doc --workspace --no-deps --locked",
        environment: Some(("RUSTDOCFLAGS", "-D warnings")),
    },
    Step::cargo("test", "test --workspace --locked"),
    Step::cargo("reproduce", "xtask reproduce --quick --verify"),
];

const NOT_RUN: &str = "\
not run here: `cargo xtask interop` and `cargo xtask bench` (need python3 and download PyTorch and
other libraries; a benchmark wants an idle machine); `cargo xtask verify` (tools that are not
everywhere); the features `cuda` and `metal` (need the vendors' SDKs); the full
`cargo xtask reproduce`";

pub(crate) fn run(options: &Options) -> Result<()> {
    let steps = select(&options.only)?;
    if options.list {
        for step in steps {
            println!("{:22}{}", step.name, step.line());
        }
        return Ok(());
    }
    let mut times = vec![];
    let n_steps = steps.len();
    for (index, step) in steps.into_iter().enumerate() {
        eprintln!("\n[{}/{n_steps}] {}: {}", index + 1, step.name, step.line());
        let started = Instant::now();
        let status = step
            .command()?
            .status()
            .with_context(|| format!("cannot start `{}`", step.line()))?;
        if !status.success() {
            eprint!("{}", summary(&times));
            bail!("step {} failed; to repeat it: {}", step.name, step.line());
        }
        times.push((step.name, started.elapsed()));
    }
    println!("\n{}{NOT_RUN}", summary(&times));
    Ok(())
}

fn select(only: &[String]) -> Result<Vec<Step>> {
    if let Some(unknown) = only
        .iter()
        .find(|&name| STEPS.iter().all(|step| step.name != name))
    {
        let names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        bail!(
            "no step is named `{unknown}`; there are {}",
            names.join(", ")
        );
    }
    let wanted = |step: &Step| only.is_empty() || only.iter().any(|name| name == step.name);
    Ok(STEPS.into_iter().filter(wanted).collect())
}

fn summary(times: &[(&str, Duration)]) -> String {
    let line =
        |name: &str, time: Duration| format!("{name:22}{:8.1} s  passed\n", time.as_secs_f64());
    times.iter().map(|&(name, time)| line(name, time)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_chosen_by_name_and_keep_their_order() {
        let names = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(|&name| name.to_owned()).collect();
            select(&only).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap().len(), STEPS.len());
        assert_eq!(names(&["test", "fmt"]).unwrap(), ["fmt", "test"]);
        let message = names(&["tests"]).unwrap_err().to_string();
        assert!(message.contains("no step is named `tests`"), "{message}");
    }

    #[test]
    fn lines_can_be_typed() {
        let docs = STEPS.iter().find(|step| step.name == "docs").unwrap();
        assert_eq!(
            docs.line(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked"
        );
    }

    #[test]
    fn a_step_of_xtask_runs_this_program() {
        let tidy = STEPS.iter().find(|step| step.name == "tidy").unwrap();
        let command = tidy.command().unwrap();
        assert_eq!(
            command.get_program(),
            std::env::current_exe().unwrap().as_os_str()
        );
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["tidy"]);
    }

    #[test]
    fn the_summary_has_a_line_for_each_step() {
        let text = summary(&[("fmt", Duration::from_millis(1250))]);
        assert_eq!(text, "fmt                        1.2 s  passed\n");
    }
}
