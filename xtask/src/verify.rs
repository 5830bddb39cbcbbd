//! `cargo xtask verify`: checks of the kernels and of the metrics that need tools which are not everywhere.
//!
//! A check whose tools are missing is not run, and the summary says so and what is missing: a green `verify` claims no more
//! than it lists as passed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// Check the kernels and the metrics with tools that are not everywhere, as far as they are here.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only this check; may be repeated
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
}

struct Check {
    name: &'static str,
    needs: &'static [Need],
    /// What a reader types.
    line: &'static str,
    /// Set where the caller has not set it.
    environment: &'static [(&'static str, &'static str)],
}

enum Need {
    /// This command succeeds.
    Runs(&'static str),
    /// The standard library is installed for this target.
    Target(&'static str),
}

const AARCH64: Need = Need::Target("aarch64-unknown-linux-gnu");

const X86_64: Need = Need::Target("x86_64-unknown-linux-gnu");
const NIGHTLY: Need = Need::Runs("cargo +nightly --version");
const FUZZ: Need = Need::Runs("cargo +nightly fuzz --version");

const CHECKS: [Check; 8] = [
    Check {
        name: "miri",
        needs: &[Need::Runs("cargo +nightly miri --version")],
        line: "cargo +nightly miri test -p juggle-kernels --locked",
        environment: &[],
    },
    Check {
        name: "address",
        needs: &[X86_64, NIGHTLY],
        // Without the target, build scripts would be instrumented too; without `--tests`, rustdoc would have to be.
        line: "cargo +nightly test -p juggle-kernels --tests --target x86_64-unknown-linux-gnu --locked",
        environment: &[("RUSTFLAGS", "-Zsanitizer=address")],
    },
    Check {
        name: "fuzz-shapes",
        needs: &[X86_64, FUZZ],
        line: "cargo +nightly fuzz run --fuzz-dir crates/kernels/fuzz shapes -- -max_len=64 \
               -len_control=0 -max_total_time=60",
        environment: &[],
    },
    Check {
        name: "fuzz-strangers",
        needs: &[X86_64, FUZZ],
        line: "cargo +nightly fuzz run --fuzz-dir crates/kernels/fuzz strangers -- -max_len=64 \
               -len_control=0 -max_total_time=60",
        environment: &[],
    },
    Check {
        name: "fuzz-images",
        needs: &[X86_64, FUZZ],
        line: "cargo +nightly fuzz run --fuzz-dir crates/metrics/fuzz images -- -max_len=128 \
               -max_total_time=60",
        environment: &[],
    },
    Check {
        name: "fuzz-labels",
        needs: &[X86_64, FUZZ],
        line: "cargo +nightly fuzz run --fuzz-dir crates/metrics/fuzz labels -- -max_len=256 \
               -max_total_time=60",
        environment: &[],
    },
    Check {
        name: "aarch64-check",
        needs: &[AARCH64],
        line: "cargo check -p juggle-kernels --target aarch64-unknown-linux-gnu --locked",
        environment: &[],
    },
    // The benches' dependencies have C code, for which gcc stands in too.
    Check {
        name: "aarch64-test",
        needs: &[
            AARCH64,
            Need::Runs("aarch64-linux-gnu-gcc --version"),
            Need::Runs("qemu-aarch64-static --version"),
        ],
        line: "cargo test -p juggle-kernels --target aarch64-unknown-linux-gnu --locked",
        environment: &[
            (
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
                "aarch64-linux-gnu-gcc",
            ),
            (
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
                "qemu-aarch64-static -L /usr/aarch64-linux-gnu",
            ),
        ],
    },
];

impl Need {
    /// What is missing, if it is.
    fn missing(&self) -> Option<String> {
        match self {
            Self::Runs(line) => {
                let status = command(line)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
                (!status.is_ok_and(|status| status.success())).then(|| format!("`{line}` fails"))
            }
            Self::Target(target) => {
                let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
                let output = Command::new(rustc)
                    .args(["--print", "target-libdir", "--target", target])
                    .output();
                let folder =
                    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
                let is_there = folder.is_ok_and(|folder| Path::new(folder.trim()).is_dir());
                (!is_there).then(|| format!("no standard library for {target}"))
            }
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(unknown) = options
        .only
        .iter()
        .find(|&name| CHECKS.iter().all(|check| check.name != name))
    {
        let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
        bail!(
            "no check is named `{unknown}`; there are {}",
            names.join(", ")
        );
    }
    let mut summary = String::new();
    for check in &CHECKS {
        if !options.only.is_empty() && options.only.iter().all(|name| name != check.name) {
            continue;
        }
        let result = if let Some(missing) = check.needs.iter().find_map(Need::missing) {
            format!("not run: {missing}")
        } else {
            let started = Instant::now();
            check.run()?;
            format!("passed in {:.0} s", started.elapsed().as_secs_f64())
        };
        summary += &format!("{:16}{result}\n", check.name);
    }
    print!("{summary}");
    Ok(())
}

impl Check {
    fn run(&self) -> Result<()> {
        let missing = |(name, _): &&(&str, &str)| std::env::var_os(name).is_none();
        let environment: Vec<_> = self.environment.iter().filter(missing).copied().collect();
        let set = environment
            .iter()
            .map(|(name, value)| format!("{name}='{value}' "));
        let line = format!("{}{}", set.collect::<String>(), self.line);
        eprintln!("\n{}: {line}", self.name);
        let status = command(self.line)
            .envs(environment)
            .status()
            .with_context(|| format!("cannot start `{}`", self.line))?;
        if !status.success() {
            bail!("check {} failed; to repeat it: {line}", self.name);
        }
        Ok(())
    }
}

/// The command of a line without quotes. `cargo` is looked up anew, since `+nightly` is a word for rustup and not for the
/// cargo that runs this program.
fn command(line: &str) -> Command {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(Need::Runs("cargo --version").missing(), None);
        let absent = Need::Runs("no-such-program-here --version").missing();
        assert_eq!(absent.unwrap(), "`no-such-program-here --version` fails");
        let unknown = Need::Target("no-such-target").missing();
        assert_eq!(unknown.unwrap(), "no standard library for no-such-target");
    }

    #[test]
    fn an_unknown_check_is_refused() {
        let only = vec!["aarch".to_owned()];
        let message = run(&Options { only }).unwrap_err().to_string();
        assert!(message.contains("there are miri, address"), "{message}");
    }
}
