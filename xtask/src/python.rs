//! The virtual environment that the Python peers live in, and calling programs in general.
//!
//! Python is needed to compare with other libraries and for nothing else. Versions are pinned in a
//! `requirements.txt` beside the scripts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Where the environment is made unless a flag names another place; its commands share it, since
/// PyTorch is large.
pub(crate) const VENV: &str = "target/venv";

/// The interpreter of the virtual environment, with the pinned packages in it.
pub(crate) fn environment(venv: &Path, requirements: &str) -> Result<PathBuf> {
    let python = if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    };
    let python = venv.join(python);
    let pinned =
        fs::read_to_string(requirements).with_context(|| format!("cannot read {requirements}"))?;
    // What was installed is noted after it succeeded, so a second call has nothing to do.
    let installed = venv.join(format!("juggle-{}", requirements.replace('/', "-")));
    if fs::read_to_string(&installed).is_ok_and(|text| text == pinned) {
        return Ok(python);
    }
    let system = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    if !python.exists() {
        let made = call(Command::new(&system).args(["-m", "venv"]).arg(venv));
        made.with_context(|| {
            format!(
                "this command needs Python 3.11 or newer with its modules `venv` and `pip`, and \
                 `{system}` did not make a virtual environment; install it, or name another \
                 interpreter in $PYTHON"
            )
        })?;
    }
    call(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r", requirements]))
        .context("the pinned packages could not be installed")?;
    fs::write(&installed, pinned)
        .with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(python)
}

/// Runs a command to its end, with its output where ours goes.
pub(crate) fn call(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", line(command));
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{status}; to repeat it: {}", line(command));
    }
    Ok(())
}

/// The command as it is typed; the many images of a prediction are cut short.
pub(crate) fn line(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.display().to_string())
        .collect();
    match words.get(..12) {
        Some(first) if words.len() > 30 => format!("{} …", first.join(" ")),
        _ => words.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_says_how_to_repeat_it() {
        let message = call(Command::new("cargo").arg("no-such-command"))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("to repeat it: cargo no-such-command"),
            "{message}"
        );
    }

    #[test]
    fn long_lines_are_cut() {
        let mut command = Command::new("juggle");
        command.args((0..40).map(|i| i.to_string()));
        assert_eq!(line(&command), "juggle 0 1 2 3 4 5 6 7 8 9 10 …");
    }
}
