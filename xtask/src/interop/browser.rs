//! Reports in a real browser: as a reader opens them, on a narrow and a wide screen, in light and dark.
//!
//! `xtask/interop/browser/check.mjs` drives Chromium and says what it checks. Node and Chromium are needed here and nowhere else; where
//! one is missing the step says so aloud and is not counted as passed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::juggle::copy_clips;
use crate::python::call;
use crate::reproduce::{BALLS, FRAMES};

const SOURCE: &str = "xtask/interop/browser";
const MODULES: &str = "target/browser";
const FOLDER: &str = "target/interop-browser";
const CHROMIUMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// A class, and with it a folder, that would run a script in a page that trusts names.
const NASTY: &str = "<img src=x onerror=alert(1)>";
/// A group of a study may be named anything at all.
const NASTY_GROUP: &str = "tuned \"'></td></table><script>alert(3)</script>";
/// Images of each class and split; enough for some to be wrong.
const IMAGES: usize = 60;
const TRAIN_CLIPS: usize = 6;

/// Whether the browser looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// With the reason.
    NotRun(String),
}

/// Trains a few short runs, writes their reports, and has them looked at.
pub(crate) fn check(juggle: &Path) -> Result<Outcome> {
    let Some(chromium) = chromium() else {
        let reason = "no Chromium was found; install it (Debian: apt-get install chromium) or name it in $CHROMIUM";
        return Ok(Outcome::NotRun(reason.to_owned()));
    };
    for program in ["node", "npm"] {
        if !answers(program) {
            let reason = format!("no {program} was found; Node 18 or newer is needed");
            return Ok(Outcome::NotRun(reason));
        }
    }
    install()?;
    let reports = reports(juggle, Path::new(FOLDER))?;
    let shots = Path::new(FOLDER).join("screenshots");
    fs::create_dir_all(&shots).with_context(|| format!("cannot create {}", shots.display()))?;
    let mut node = Command::new("node");
    node.arg(Path::new(SOURCE).join("check.mjs"))
        .arg(MODULES)
        .arg(&chromium)
        .arg(&shots)
        .args(&reports);
    call(&mut node).context("a browser finds fault with a report")?;
    println!("interop: screenshots are in {}", shots.display());
    Ok(Outcome::Passed)
}

/// `$CHROMIUM`, or the first that answers.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let files = CHROMIUMS
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    files.into_iter().find(|file| file.is_file())
}

fn answers(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// The pinned packages, installed anew when the pins change.
fn install() -> Result<()> {
    let modules = Path::new(MODULES);
    fs::create_dir_all(modules).with_context(|| format!("cannot create {MODULES}"))?;
    let lock = fs::read(Path::new(SOURCE).join("package-lock.json"))
        .context("cannot read the pins of the browser check")?;
    let installed = modules.join("installed.json");
    if fs::read(&installed).is_ok_and(|found| found == lock) {
        return Ok(());
    }
    for name in ["package.json", "package-lock.json"] {
        fs::copy(Path::new(SOURCE).join(name), modules.join(name))
            .with_context(|| format!("cannot copy {name}"))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    call(npm.current_dir(modules)).context("the pinned packages could not be installed")?;
    fs::write(&installed, lock).with_context(|| format!("cannot write {}", installed.display()))
}

/// The pages to look at: a run of each kind, two runs, a run without its data, a study, and the reproduction's.
fn reports(juggle: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let (balls, frames) = (folder.join("balls"), folder.join("frames"));
    copy_balls(&balls)?;
    copy_clips(Path::new(FRAMES), &frames, [TRAIN_CLIPS, usize::MAX])?;
    for seed in 0..2 {
        for (name, flags) in [("plain", ""), ("tuned", "--batch-norm --schedule cosine")] {
            let arguments = format!("classifier --epochs 4 --seed {seed} {flags}");
            train(
                juggle,
                &arguments,
                &balls,
                &folder.join(format!("{name}-{seed}")),
            )?;
        }
    }
    train(
        juggle,
        "autoencoder --epochs 3",
        &frames,
        &folder.join("next"),
    )?;
    train(
        juggle,
        "autoencoder --epochs 1 --no-skip",
        &frames,
        &folder.join("no-skip"),
    )?;
    let study = folder.join("study.json");
    fs::write(&study, self::study().to_string())
        .with_context(|| format!("cannot write {}", study.display()))?;

    let report = |name: &str, arguments: &[&str]| -> Result<PathBuf> {
        let page = folder.join(format!("{name}.html"));
        let mut command = Command::new(juggle);
        command.arg("report");
        for argument in arguments {
            // Runs and studies are in the folder, flags are not.
            if argument.starts_with('-') {
                command.arg(argument);
            } else {
                command.arg(folder.join(argument));
            }
        }
        call(command.arg("--out").arg(&page))?;
        Ok(page)
    };
    Ok(vec![
        report("classifier", &["plain-0"])?,
        report("autoencoder", &["next"])?,
        report("two-classifiers", &["plain-0", "tuned-0"])?,
        report("two-autoencoders", &["next", "no-skip"])?,
        report("without-data", &["plain-0", "--data", "gone"])?,
        report("study", &["--study", "study.json"])?,
        reproduction(folder)?,
    ])
}

/// The page that a quick reproduction ends in.
fn reproduction(folder: &Path) -> Result<PathBuf> {
    let out = folder.join("reproduction");
    let xtask = std::env::current_exe().context("cannot find xtask's own program")?;
    let mut command = Command::new(xtask);
    command.args(["reproduce", "--quick", "--out"]).arg(&out);
    call(command.stdout(Stdio::null())).context("the quick reproduction failed")?;
    let page = folder.join("reproduction.html");
    fs::copy(out.join("report.html"), &page)
        .with_context(|| format!("cannot write {}", page.display()))?;
    Ok(page)
}

fn train(juggle: &Path, arguments: &str, data: &Path, run: &Path) -> Result<()> {
    let mut command = Command::new(juggle);
    command
        .args(["--quiet", "train"])
        .args(arguments.split_whitespace())
        .arg("--data")
        .arg(data)
        .arg("--run")
        .arg(run);
    call(&mut command)
}

/// Images of one ball and of three, under names that a page must not take at their word.
fn copy_balls(to: &Path) -> Result<()> {
    for split in ["train", "val", "test"] {
        for (class, name) in [("1", NASTY), ("3", "plain")] {
            let from = Path::new(BALLS).join(split).join(class);
            let target = to.join(split).join(name);
            fs::create_dir_all(&target)
                .with_context(|| format!("cannot create {}", target.display()))?;
            let entries =
                fs::read_dir(&from).with_context(|| format!("cannot list {}", from.display()))?;
            let mut files = entries
                .map(|entry| Ok(entry?.path()))
                .collect::<Result<Vec<_>>>()?;
            files.sort();
            for (i, file) in files.iter().take(IMAGES).enumerate() {
                let copy = target.join(format!("{i:02}\"><svg onload=alert(2)>.png"));
                fs::copy(file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
            }
        }
    }
    Ok(())
}

/// Every key that a study may have.
fn study() -> serde_json::Value {
    let runs = |name: &str| json!([{"run": format!("{name}-0")}, {"run": format!("{name}-1")}]);
    json!({
        "title": "A study <b>of</b> names",
        "lead": ["What was asked.", "What was found."],
        "limits": ["These runs are too short to mean anything."],
        "groups": [
            {"name": "plain", "shows": "nothing added", "weights": "last", "runs": runs("plain")},
            {"name": NASTY_GROUP, "weights": "last", "runs": runs("tuned")},
            {"name": "next frame", "runs": [{"run": "next"}]},
            {"name": "no skips", "runs": [{"run": "no-skip"}]},
        ],
        "claims": [
            {"group": "plain", "metric": "accuracy", "published": 0.83, "decimals": 2, "n": 200},
            {"group": NASTY_GROUP, "metric": "accuracy", "published": 0.97, "decimals": 2, "n": 200, "against": "plain"},
            {"group": "next frame", "metric": "psnr_db", "published": 30.05, "decimals": 2},
        ],
        "comparisons": [["plain", NASTY_GROUP], ["next frame", "no skips"]],
        "sections": [{
            "heading": "Where it breaks",
            "task": "classifier",
            "paragraphs": ["Numbers that are made up."],
            "charts": [{
                "title": "accuracy by radius", "x_label": "radius, px", "y_label": "accuracy",
                "lines": [
                    {"name": "plain", "x": [2.0, 2.5, 3.0], "y": [0.5, 0.7, 0.9], "intervals": [[0.4, 0.6], [0.6, 0.8], [0.85, 0.95]]},
                    {"name": NASTY_GROUP, "x": [2.0, 2.5, 3.0], "y": [0.6, null, 0.97]},
                ],
            }],
            "tables": [{"caption": "Radii", "columns": ["radius", "plain"], "rows": [["2", "0.5"], ["3", "0.9"]]}],
        }],
        "provenance": [["commit", "none"]],
        "commands": ["cargo xtask interop --only browser"],
    })
}
