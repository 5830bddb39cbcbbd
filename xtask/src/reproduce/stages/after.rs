//! The stages that look at what was trained: fresh images, occlusion maps, roll-outs.

use super::table::{MACHINE, juggle, words};
use super::{CLASSIFIER_RECIPES, FRAMES, Plan, Stage, Step, text};

/// Sets of fresh images: names, and what `juggle data fresh` calls their ranges. The first is like the test set.
pub(crate) const FRESH_SETS: [&str; 2] = ["test", "wide"];

/// Classifiers whose decisions are looked at, by their first seed.
pub(crate) const EXPLAINED: [&str; 3] = ["original", "tuned", "robust"];

/// The first test image of each class.
pub(crate) const EXPLAINED_IMAGES: [&str; 3] = [
    "data/balls/test/1/clip00_frame00.png",
    "data/balls/test/2/clip00_frame00.png",
    "data/balls/test/3/clip00_frame00.png",
];

/// Autoencoders that predict from their own predictions, by their first seed.
pub(crate) const ROLLED_OUT: [&str; 4] = ["original", "tuned", "no-skip", "searched"];

pub(super) const FRESH: &str = "data/fresh";

impl Plan {
    pub(super) fn stages_after_training(&self) -> Vec<Stage> {
        let mut stages = vec![self.fresh_images()];
        for recipe in &CLASSIFIER_RECIPES {
            let seeds = self.classifier_seeds.iter();
            stages.extend(seeds.map(|&seed| self.fresh_evaluation(recipe.name, seed)));
        }
        if let Some(&seed) = self.classifier_seeds.first() {
            stages.extend(EXPLAINED.iter().map(|recipe| self.explain(recipe, seed)));
        }
        if let Some(&seed) = self.autoencoder_seeds.first() {
            stages.extend(ROLLED_OUT.iter().map(|recipe| self.roll_out(recipe, seed)));
        }
        stages.extend(self.searches());
        stages
    }

    /// Written anew from a seed, so that nothing but the generator's ranges is shared with what was trained on.
    fn fresh_images(&self) -> Stage {
        let sets = FRESH_SETS.map(|set| (set, self.fresh(set)));
        let write = |(set, out): &(&str, std::path::PathBuf)| {
            let n = self.n_fresh().to_string();
            let arguments = [
                "data",
                "fresh",
                "--out",
                &text(out),
                "--ranges",
                set,
                "--images",
                &n,
            ];
            [Step::Remove(out.clone()), juggle(&arguments, None)]
        };
        Stage {
            name: FRESH.into(),
            shows: "images that no recipe was trained, chosen or tested on",
            after: vec![],
            steps: sets.iter().flat_map(write).collect(),
            outputs: sets
                .iter()
                .flat_map(|(_, out)| ["SHA256SUMS", "images.csv"].map(|file| out.join(file)))
                .collect(),
            cost: 2,
        }
    }

    fn fresh_evaluation(&self, recipe: &str, seed: u64) -> Stage {
        let classifier = self.classifier_stage(recipe, seed);
        let run = text(&self.run_folder(&classifier));
        let mut steps = vec![];
        let mut outputs = vec![];
        for set in FRESH_SETS {
            let [table, evaluation] =
                ["csv", "json"].map(|extension| self.fresh_file(set, recipe, seed, extension));
            let mut arguments = vec!["evaluate".to_owned(), run.clone(), "--data".to_owned()];
            arguments.push(text(&self.fresh(set)));
            arguments.extend(words(
                "--split test --weights last --json --no-report --predictions",
            ));
            arguments.push(text(&table));
            arguments.extend(words(MACHINE));
            steps.push(Step::Juggle {
                arguments,
                stdout: Some(evaluation.clone()),
            });
            outputs.extend([table, evaluation]);
        }
        Stage {
            name: Self::fresh_stage(recipe, seed),
            shows: "where the recipe breaks: fresh images, by radius, brightness and overlap",
            after: vec![FRESH.into(), classifier],
            steps,
            outputs,
            cost: 20,
        }
    }

    pub(crate) fn fresh_stage(recipe: &str, seed: u64) -> String {
        format!("fresh/{recipe}/seed-{seed}")
    }

    fn explain(&self, recipe: &str, seed: u64) -> Stage {
        let classifier = self.classifier_stage(recipe, seed);
        let folder = self.figures("occlusion", recipe);
        let mut arguments = vec!["predict".to_owned(), text(&self.run_folder(&classifier))];
        arguments.extend(EXPLAINED_IMAGES.map(str::to_owned));
        // A patch that hides a ball, and little else.
        arguments.extend(words(
            "--explain --patch 8 --stride 2 --weights last --json --overwrite --out",
        ));
        arguments.push(text(&folder));
        arguments.extend(words(MACHINE));
        let explanation = self.explanation(recipe);
        let mut outputs: Vec<_> = OCCLUSION_MAPS
            .iter()
            .map(|file| folder.join(file))
            .collect();
        outputs.push(explanation.clone());
        Stage {
            name: Self::explain_stage(recipe),
            shows: "occlusion maps: what a decision hangs on",
            after: vec![classifier],
            steps: vec![Step::Juggle {
                arguments,
                stdout: Some(explanation),
            }],
            outputs,
            cost: 1,
        }
    }

    pub(crate) fn explain_stage(recipe: &str) -> String {
        format!("explain/{recipe}")
    }

    fn roll_out(&self, recipe: &str, seed: u64) -> Stage {
        let autoencoder = self.autoencoder_stage(recipe, seed);
        let folder = self.figures("roll-out", recipe);
        let clip = format!("{FRAMES}/val/clip000");
        let mut arguments = words("predict");
        arguments.extend([text(&self.run_folder(&autoencoder)), clip]);
        arguments.extend(words(
            "--start 1 --steps 10 --weights last --overwrite --out",
        ));
        arguments.push(text(&folder));
        arguments.extend(words(MACHINE));
        Stage {
            name: Self::roll_out_stage(recipe),
            shows: "ten frames, each predicted from the predictions before",
            after: vec![autoencoder],
            steps: vec![Step::Juggle {
                arguments,
                stdout: None,
            }],
            outputs: ROLL_OUT_PICTURES
                .iter()
                .map(|file| folder.join(file))
                .collect(),
            cost: 1,
        }
    }

    pub(crate) fn roll_out_stage(recipe: &str) -> String {
        format!("roll-out/{recipe}")
    }
}

/// The pictures of [`EXPLAINED_IMAGES`], which have one name in three folders.
pub(crate) const OCCLUSION_MAPS: [&str; 3] = [
    "clip00_frame00.occlusion.png",
    "clip00_frame00-2.occlusion.png",
    "clip00_frame00-3.occlusion.png",
];

/// What `juggle predict` leaves of a roll-out.
pub(crate) const ROLL_OUT_PICTURES: [&str; 2] = ["animation.png", "strip.png"];
