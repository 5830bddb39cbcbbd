//! `cargo xtask interop`: our numbers and files against PyTorch, scikit-image and scikit-learn.
//!
//! Python is needed here and nowhere else. The versions are pinned in
//! `xtask/interop/requirements.txt`, in a virtual environment of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::juggle::{build, copy_clips};
use crate::reproduce::{BALLS, FRAMES};

const REQUIREMENTS: &str = "xtask/interop/requirements.txt";
const LOAD_STATE_DICT: &str = "xtask/interop/load_state_dict.py";
const FOLDER: &str = "target/interop";
const TRAIN_CLIPS: usize = 8;

/// The golden files that the tests of the crates compare with; their scripts check themselves.
const GOLDEN_SCRIPTS: [&str; 2] = [
    "crates/metrics/tests/golden/generate.py",
    "crates/models/tests/golden/generate.py",
];

/// Networks that PyTorch loads; the check script knows each by its name.
const CASES: [(&str, &str); 5] = [
    ("classifier", "classifier"),
    ("classifier-batch-norm", "classifier --batch-norm"),
    ("autoencoder", "autoencoder"),
    ("autoencoder-batch-norm", "autoencoder --batch-norm"),
    ("autoencoder-no-skip", "autoencoder --no-skip"),
];

/// Compare with PyTorch, scikit-image and scikit-learn.
///
/// `$PYTHON` names the interpreter that makes the virtual environment; `python3` otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The virtual environment, made when it is not there
    #[arg(long, value_name = "DIR", default_value = "target/interop-venv")]
    venv: PathBuf,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let python = environment(&options.venv)?;
    for script in GOLDEN_SCRIPTS {
        call(Command::new(&python).args([script, "--check"]))?;
    }
    let juggle = build()?;
    let folder = Path::new(FOLDER);
    let frames = folder.join("frames");
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {FOLDER}"))?;
    }
    copy_clips(Path::new(FRAMES), &frames, TRAIN_CLIPS)?;
    for (name, arguments) in CASES {
        let data = if name.starts_with("classifier") {
            Path::new(BALLS)
        } else {
            &frames
        };
        train_and_evaluate(&juggle, &folder.join(name), arguments, data)?;
    }
    call(
        Command::new(&python)
            .args([LOAD_STATE_DICT, "--runs", FOLDER, "--balls", BALLS])
            .arg("--frames")
            .arg(&frames),
    )?;
    println!("interop: everything agrees");
    Ok(())
}

/// One epoch is enough: weights and running statistics have moved away from where they began.
fn train_and_evaluate(juggle: &Path, run: &Path, arguments: &str, data: &Path) -> Result<()> {
    let mut train = Command::new(juggle);
    train
        .arg("train")
        .args(arguments.split(' '))
        .arg("--data")
        .arg(data)
        .arg("--run")
        .arg(run);
    call(train.args(["--epochs", "1", "--device", "cpu"]))?;
    let mut evaluate = Command::new(juggle);
    evaluate
        .arg("evaluate")
        .arg(run)
        .args(["--weights", "last", "--json"]);
    save(&mut evaluate, &run.join("evaluation.json"))?;
    if arguments.starts_with("classifier") {
        let mut predict = Command::new(juggle);
        predict
            .arg("predict")
            .arg(run)
            .args(["--weights", "last", "--json"]);
        save(
            predict.args(test_images(data)?),
            &run.join("predictions.json"),
        )?;
    }
    Ok(())
}

fn test_images(data: &Path) -> Result<Vec<PathBuf>> {
    let mut images = vec![];
    for class in ["1", "2", "3"] {
        let folder = data.join("test").join(class);
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            images.push(entry?.path());
        }
    }
    images.sort();
    Ok(images)
}

/// The interpreter of the virtual environment, with the pinned packages in it.
fn environment(venv: &Path) -> Result<PathBuf> {
    let python = if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    };
    let python = venv.join(python);
    let requirements =
        fs::read_to_string(REQUIREMENTS).with_context(|| format!("cannot read {REQUIREMENTS}"))?;
    // What was installed is noted after it succeeded, so a second call has nothing to do.
    let installed = venv.join("juggle-requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == requirements) {
        return Ok(python);
    }
    let system = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    if !python.exists() {
        let made = call(Command::new(&system).args(["-m", "venv"]).arg(venv));
        made.with_context(|| {
            format!(
                "interop needs Python 3.11 or newer with its modules `venv` and `pip`, and \
                 `{system}` did not make a virtual environment; install it, or name another \
                 interpreter in $PYTHON"
            )
        })?;
    }
    call(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r", REQUIREMENTS]))
        .context("the pinned packages could not be installed")?;
    fs::write(&installed, requirements)
        .with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(python)
}

fn call(command: &mut Command) -> Result<()> {
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

/// Runs a command with its stdout in a file.
fn save(command: &mut Command, path: &Path) -> Result<()> {
    let file =
        fs::File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    call(command.stdout(file))
}

/// The command as it is typed; the many images of a prediction are cut short.
fn line(command: &Command) -> String {
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
