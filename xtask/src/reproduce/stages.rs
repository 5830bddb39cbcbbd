//! The table of stages: what each one shows, its command lines, and the files it leaves.
//!
//! A stage is data. Command lines name paths relative to the repository's root, so a line copied
//! from a log or from the report repeats that stage. The recipes are in `recipes`; `table` builds the stages that train
//! from them, `after` those that look at what was trained.

mod after;
mod recipes;
mod search;
mod table;

use std::path::{Path, PathBuf};

pub(crate) use after::{EXPLAINED, FRESH_SETS, OCCLUSION_MAPS, ROLL_OUT_PICTURES, ROLLED_OUT};
pub(crate) use recipes::{
    AUTOENCODER_RECIPES, AutoencoderRecipe, CLASSIFIER_RECIPES, ClassifierRecipe, SUMMARIES,
};
pub(crate) use search::{FRAMES_SEARCH, FRAMES_STUDY, SEARCHES};

/// What a reproduction runs: its sizes, its seeds, and where it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) size: Size,
    pub(crate) classifier_epochs: u64,
    pub(crate) autoencoder_epochs: u64,
    pub(crate) classifier_seeds: Vec<u64>,
    pub(crate) autoencoder_seeds: Vec<u64>,
    pub(crate) out: PathBuf,
}

/// Full size is the published work; quick goes once through every kind of stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Full,
    Quick,
}

/// Epochs of the published recipes, and those to which the acceptance bands belong.
pub(crate) const CLASSIFIER_EPOCHS: u64 = 25;
pub(crate) const AUTOENCODER_EPOCHS: u64 = 30;

/// Training clips of a quick run, of the 240: 384 windows an epoch instead of 3840.
pub(crate) const QUICK_TRAIN_CLIPS: usize = 24;

pub(crate) const BALLS: &str = "data/balls";
pub(crate) const FRAMES: &str = "data/frames";
pub(crate) const CHECKSUMS: &str = "data/SHA256SUMS";

/// The stage that every training waits for.
pub(crate) const SYNTH: &str = "data/synth";
const QUICK_CLIPS: &str = "data/quick-clips";
pub(crate) const REPORT: &str = "report";

/// One stage. It is up to date when none of its ingredients changed and its outputs exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) shows: &'static str,
    /// Stages whose outputs this one reads or relies on.
    pub(crate) after: Vec<String>,
    pub(crate) steps: Vec<Step>,
    pub(crate) outputs: Vec<PathBuf>,
    /// Training work in arbitrary units; long stages start first so that the cores end together.
    pub(crate) cost: u64,
}

/// One step of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Runs `juggle`; its stdout goes to the file, or to the log when there is none.
    Juggle {
        arguments: Vec<String>,
        stdout: Option<PathBuf>,
    },
    /// Removes a folder of an earlier, perhaps interrupted, attempt.
    Remove(PathBuf),
    /// Fails unless two files hold the same bytes.
    Same { expected: PathBuf, found: PathBuf },
    /// Copies the first training clips and all validation clips.
    CopyClips {
        from: PathBuf,
        to: PathBuf,
        n_train: usize,
    },
}

impl Step {
    /// The step as a line that can be typed, for logs, for the report and for the stamp.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Juggle { arguments, stdout } => {
                let mut line = "juggle".to_owned();
                for argument in arguments {
                    line.push(' ');
                    line.push_str(&quoted(argument));
                }
                if let Some(path) = stdout {
                    line.push_str(" > ");
                    line.push_str(&quoted(&text(path)));
                }
                line
            }
            Self::Remove(path) => format!("rm -rf {}", path.display()),
            Self::Same { expected, found } => {
                format!("cmp {} {}", expected.display(), found.display())
            }
            Self::CopyClips { from, to, n_train } => format!(
                "copy {n_train} training clips and all validation clips of {} to {}",
                from.display(),
                to.display()
            ),
        }
    }
}

impl Plan {
    pub(crate) fn classifier_stage(&self, recipe: &str, seed: u64) -> String {
        format!("classifier/{recipe}/seed-{seed}")
    }

    pub(crate) fn autoencoder_stage(&self, recipe: &str, seed: u64) -> String {
        format!("autoencoder/{recipe}/seed-{seed}")
    }

    pub(crate) fn run_folder(&self, stage: &str) -> PathBuf {
        self.out.join("runs").join(stage)
    }

    pub(crate) fn evaluation(&self, stage: &str) -> PathBuf {
        self.out.join("evaluations").join(format!("{stage}.json"))
    }

    pub(crate) fn summary(&self, network: &str) -> PathBuf {
        self.out.join("summaries").join(format!("{network}.json"))
    }

    pub(crate) fn inspection(&self, folder: &str) -> PathBuf {
        self.out.join("inspections").join(format!("{folder}.json"))
    }

    /// A set of fresh images.
    pub(crate) fn fresh(&self, set: &str) -> PathBuf {
        self.out.join("fresh").join(set)
    }

    /// The predictions of a run for a set of fresh images, or with another extension its evaluation on them.
    pub(crate) fn fresh_file(
        &self,
        set: &str,
        recipe: &str,
        seed: u64,
        extension: &str,
    ) -> PathBuf {
        let name = format!("seed-{seed}.{extension}");
        self.out
            .join("fresh/results")
            .join(set)
            .join(recipe)
            .join(name)
    }

    pub(crate) fn n_fresh(&self) -> usize {
        match self.size {
            Size::Full => 20_000,
            Size::Quick => 900,
        }
    }

    /// What the occlusion maps of a recipe say; its pictures lie beside the other figures.
    pub(crate) fn explanation(&self, recipe: &str) -> PathBuf {
        self.out.join("explanations").join(format!("{recipe}.json"))
    }

    pub(crate) fn figures(&self, what: &str, recipe: &str) -> PathBuf {
        self.out.join("figures").join(format!("{what}-{recipe}"))
    }

    /// Relative to the report, in a folder of its own so that both can be copied together.
    pub(crate) fn picture(&self, recipe: &str, seed: u64) -> PathBuf {
        Path::new("figures").join(format!("autoencoder-{recipe}-seed-{seed}.png"))
    }

    fn frames(&self) -> PathBuf {
        match self.size {
            Size::Full => FRAMES.into(),
            Size::Quick => self.out.join("quick-frames"),
        }
    }

    /// The stage that makes them.
    fn clips_stage(&self) -> &'static str {
        match self.size {
            Size::Full => SYNTH,
            Size::Quick => QUICK_CLIPS,
        }
    }
}

/// The stages that `only` selects by name or leading part of a name, with all they depend on.
///
/// No selection means every stage. Returns the selector that matches nothing as the error.
pub(crate) fn select(stages: Vec<Stage>, only: &[String]) -> Result<Vec<Stage>, String> {
    if only.is_empty() {
        return Ok(stages);
    }
    let matches = |name: &str, prefix: &str| {
        name.strip_prefix(prefix.trim_end_matches('/'))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some(unknown) = only.iter().find(|prefix| {
        *prefix != REPORT && !stages.iter().any(|stage| matches(&stage.name, prefix))
    }) {
        return Err(unknown.clone());
    }
    let mut wanted: Vec<String> = stages
        .iter()
        .filter(|stage| only.iter().any(|prefix| matches(&stage.name, prefix)))
        .map(|stage| stage.name.clone())
        .collect();
    // Dependencies precede their dependents in the table, so one pass from the end finds them all.
    for stage in stages.iter().rev() {
        if wanted.contains(&stage.name) {
            wanted.extend(stage.after.iter().cloned());
        }
    }
    Ok(stages
        .into_iter()
        .filter(|stage| wanted.contains(&stage.name))
        .collect())
}

/// An argument as a POSIX shell reads it back.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests;
