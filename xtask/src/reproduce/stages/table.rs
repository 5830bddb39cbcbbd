//! The stages of a plan, each built from its recipe.

use std::path::{Path, PathBuf};

use super::recipes::Settings;
use super::{
    AUTOENCODER_EPOCHS, AUTOENCODER_RECIPES, AutoencoderRecipe, BALLS, CHECKSUMS,
    CLASSIFIER_RECIPES, ClassifierRecipe, FRAMES, FRAMES_SEARCH, FRAMES_STUDY, Plan, QUICK_CLIPS,
    QUICK_TRAIN_CLIPS, SUMMARIES, SYNTH, Size, Stage, Step, text,
};

impl Plan {
    /// Every stage but the report, in the order of the coursework.
    pub(crate) fn stages(&self) -> Vec<Stage> {
        let mut stages = vec![self.synth(), self.inspect()];
        if self.size == Size::Quick {
            stages.push(self.quick_clips());
        }
        stages.push(self.summaries());
        for recipe in &CLASSIFIER_RECIPES {
            stages.extend(
                self.classifier_seeds
                    .iter()
                    .map(|&seed| self.classifier(recipe, seed)),
            );
        }
        stages.push(self.frames_search());
        for recipe in &AUTOENCODER_RECIPES {
            stages.extend(
                self.autoencoder_seeds
                    .iter()
                    .map(|&seed| self.autoencoder(recipe, seed)),
            );
        }
        stages.extend(self.stages_after_training());
        stages
    }

    fn synth(&self) -> Stage {
        let out = self.out.join("data");
        let sums = out.join("SHA256SUMS");
        Stage {
            name: SYNTH.into(),
            shows: "the data set is written again, byte for byte as committed",
            after: vec![],
            steps: vec![
                Step::Remove(out.clone()),
                juggle(&["data", "synth", "--out", &text(&out)], None),
                Step::Same {
                    expected: CHECKSUMS.into(),
                    found: sums.clone(),
                },
            ],
            outputs: vec![sums],
            cost: 1,
        }
    }

    fn inspect(&self) -> Stage {
        let folders = [("balls", BALLS), ("frames", FRAMES)];
        Stage {
            name: "data/inspect".into(),
            shows: "counts, sizes and class balance of the data set",
            after: vec![],
            steps: folders
                .map(|(name, folder)| {
                    juggle(
                        &["data", "inspect", folder, "--json"],
                        Some(self.inspection(name)),
                    )
                })
                .into(),
            outputs: folders.map(|(name, _)| self.inspection(name)).into(),
            cost: 1,
        }
    }

    fn quick_clips(&self) -> Stage {
        let to = self.frames();
        Stage {
            name: QUICK_CLIPS.into(),
            shows: "a tenth of the training clips, for this quick run only",
            after: vec![SYNTH.into()],
            outputs: vec![to.join("train"), to.join("val")],
            steps: vec![
                Step::Remove(to.clone()),
                Step::CopyClips {
                    from: FRAMES.into(),
                    to,
                    n_train: QUICK_TRAIN_CLIPS,
                },
            ],
            cost: 1,
        }
    }

    fn summaries(&self) -> Stage {
        Stage {
            name: "summary".into(),
            shows: "task 1: layers, output shapes and parameters",
            after: vec![],
            steps: SUMMARIES
                .iter()
                .map(|(name, arguments)| {
                    let arguments = [&["summary"], *arguments, &["--json"]].concat();
                    juggle(&arguments, Some(self.summary(name)))
                })
                .collect(),
            outputs: SUMMARIES
                .iter()
                .map(|(name, _)| self.summary(name))
                .collect(),
            cost: 1,
        }
    }

    fn classifier(&self, recipe: &ClassifierRecipe, seed: u64) -> Stage {
        let name = self.classifier_stage(recipe.name, seed);
        let run = text(&self.run_folder(&name));
        let mut train = words("train classifier --data");
        train.extend([BALLS.to_owned(), "--run".to_owned(), run.clone()]);
        train.extend(words("--batch-size 32"));
        train.extend(words(recipe.flags));
        train.extend(run_flags(self.classifier_epochs, seed));
        let evaluation = self.evaluation(&name);
        let mut evaluate = vec!["evaluate".to_owned(), run];
        evaluate.extend(words("--split test --weights last --json"));
        evaluate.extend(words(MACHINE));
        Stage {
            shows: recipe.shows,
            after: vec![SYNTH.into()],
            steps: vec![
                Step::Juggle {
                    arguments: train,
                    stdout: None,
                },
                Step::Juggle {
                    arguments: evaluate,
                    stdout: Some(evaluation.clone()),
                },
            ],
            outputs: run_outputs(&self.run_folder(&name), evaluation),
            cost: 10 * self.classifier_epochs,
            name,
        }
    }

    fn autoencoder(&self, recipe: &AutoencoderRecipe, seed: u64) -> Stage {
        let name = self.autoencoder_stage(recipe.name, seed);
        let run = text(&self.run_folder(&name));
        let mut train = words("train autoencoder --data");
        train.extend([text(&self.frames()), "--run".to_owned(), run.clone()]);
        train.extend(words("--input-frames 4"));
        let mut after = vec![self.clips_stage().to_owned()];
        match recipe.settings {
            Settings::Flags(flags) => train.extend(words(flags)),
            Settings::Searched => {
                train.extend([
                    "--config".to_owned(),
                    text(&self.best_settings(FRAMES_STUDY)),
                ]);
                after.push(FRAMES_SEARCH.to_owned());
            }
        }
        let epochs = (recipe.epochs * self.autoencoder_epochs / AUTOENCODER_EPOCHS).max(1);
        train.extend(run_flags(epochs, seed));
        let picture = self.out.join(self.picture(recipe.name, seed));
        let evaluation = self.evaluation(&name);
        let mut evaluate = vec!["evaluate".to_owned(), run];
        evaluate.extend(words("--split val --weights last --json --pictures"));
        evaluate.push(text(&picture));
        evaluate.extend(words(MACHINE));
        let mut outputs = run_outputs(&self.run_folder(&name), evaluation.clone());
        outputs.push(picture);
        Stage {
            name,
            shows: recipe.shows,
            after,
            steps: vec![
                Step::Juggle {
                    arguments: train,
                    stdout: None,
                },
                Step::Juggle {
                    arguments: evaluate,
                    stdout: Some(evaluation),
                },
            ],
            outputs,
            cost: 140 * epochs,
        }
    }
}

/// One thread a run: two runs side by side use two cores better than one run with two threads.
pub(super) const MACHINE: &str = "--threads 1 --device cpu";

pub(super) fn run_flags(epochs: u64, seed: u64) -> Vec<String> {
    words(&format!(
        "--epochs {epochs} --seed {seed} {MACHINE} --overwrite"
    ))
}

pub(super) fn run_outputs(run: &Path, evaluation: PathBuf) -> Vec<PathBuf> {
    let mut outputs: Vec<_> = [
        "config.toml",
        "events.jsonl",
        "last.safetensors",
        "metrics.json",
    ]
    .iter()
    .map(|file| run.join(file))
    .collect();
    outputs.push(evaluation);
    outputs
}

pub(super) fn juggle(arguments: &[&str], stdout: Option<PathBuf>) -> Step {
    Step::Juggle {
        arguments: arguments.iter().map(|&a| a.to_owned()).collect(),
        stdout,
    }
}

pub(super) fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
