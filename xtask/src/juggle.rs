//! The `juggle` binary: building it with cargo, and the subset of its data that short runs use.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// The cargo that runs this program, so that a toolchain override carries over.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Builds the binary in release mode and returns its path.
pub(crate) fn build() -> Result<PathBuf> {
    let arguments = ["--package", "juggle-cli", "--bin", "juggle"];
    let [juggle] = build_targets(&arguments, ["juggle"])?;
    Ok(juggle)
}

/// Builds what cargo's arguments say in release mode, and returns the paths of the named programs.
pub(crate) fn build_targets<const N: usize>(
    arguments: &[&str],
    names: [&str; N],
) -> Result<[PathBuf; N]> {
    eprintln!("building {} in release mode", names.join(" and "));
    let output = Command::new(cargo())
        .args(["build", "--release", "--locked"])
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        let arguments = arguments.join(" ");
        bail!("the build failed; to repeat it: cargo build --release --locked {arguments}");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut paths = vec![];
    for name in names {
        let path = executable_in(&messages, name);
        paths.push(path.with_context(|| format!("cargo built {name} without naming its path"))?);
    }
    paths
        .try_into()
        .map_err(|_| anyhow::anyhow!("there is one path for each name"))
}

/// Cargo reports one JSON object a line; the executable is the artifact's of that name.
fn executable_in(messages: &str, name: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
        target: Option<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.target.as_ref().is_some_and(|t| t.name == name))
        .find_map(|message| message.executable)
}

/// Copies the first clips of each split of a clip folder, as many as `n` says for training and validation.
///
/// Short runs train on fewer clips instead of on a smaller network, so that they go through the
/// very network, windows and metrics of the full run.
pub(crate) fn copy_clips(from: &Path, to: &Path, n: [usize; 2]) -> Result<()> {
    for (split, n_clips) in ["train", "val"].into_iter().zip(n) {
        for clip in sorted_entries(&from.join(split))?.into_iter().take(n_clips) {
            let name = clip.file_name().context("a clip folder has a name")?;
            let target = to.join(split).join(name);
            fs::create_dir_all(&target)
                .with_context(|| format!("cannot create {}", target.display()))?;
            for frame in sorted_entries(&clip)? {
                let name = frame.file_name().context("a frame has a name")?;
                fs::copy(&frame, target.join(name))
                    .with_context(|| format!("cannot copy {}", frame.display()))?;
            }
        }
    }
    Ok(())
}

/// Copies the first `n` images of each class of the training and validation splits of an image folder.
pub(crate) fn copy_images(from: &Path, to: &Path, n: usize) -> Result<()> {
    for split in ["train", "val"] {
        for class in sorted_entries(&from.join(split))? {
            let target = to
                .join(split)
                .join(class.file_name().context("a class has a name")?);
            fs::create_dir_all(&target)
                .with_context(|| format!("cannot create {}", target.display()))?;
            for image in sorted_entries(&class)?.into_iter().take(n) {
                let name = image.file_name().context("an image has a name")?;
                fs::copy(&image, target.join(name))
                    .with_context(|| format!("cannot copy {}", image.display()))?;
            }
        }
    }
    Ok(())
}

fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("cannot list {}", folder.display()))?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_that_of_the_named_target() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"other"},"executable":"/t/other"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"juggle"},"executable":"/t/juggle"}"#,
            "\nnot json\n",
        );
        assert_eq!(
            executable_in(messages, "juggle"),
            Some(PathBuf::from("/t/juggle"))
        );
        assert_eq!(executable_in("", "juggle"), None);
    }

    #[test]
    fn a_subset_has_the_first_training_clips_and_all_of_validation() {
        let folder = tempfile::tempdir().unwrap();
        let full = folder.path().join("full");
        for clip in [
            "train/clip000",
            "train/clip001",
            "val/clip000",
            "val/clip001",
        ] {
            fs::create_dir_all(full.join(clip)).unwrap();
            fs::write(full.join(clip).join("frame_00.png"), clip).unwrap();
        }
        let subset = folder.path().join("subset");
        copy_clips(&full, &subset, [1, usize::MAX]).unwrap();
        assert!(subset.join("train/clip000/frame_00.png").exists());
        assert!(!subset.join("train/clip001").exists());
        assert!(subset.join("val/clip001/frame_00.png").exists());
    }
}
