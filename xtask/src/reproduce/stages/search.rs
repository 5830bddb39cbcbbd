//! The searches: for the classifier's weight decay, judged on held-out clips and, as the coursework did it, on the test images; and for the
//! autoencoder's settings, whose winner is the recipe `searched`.

use std::path::PathBuf;

use super::after::FRESH;
use super::recipes::SEARCHED_EPOCHS;
use super::table::{MACHINE, juggle, run_flags, run_outputs, words};
use super::{BALLS, Plan, SYNTH, Size, Stage, Step, text};

/// A way to judge the trials of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SearchRecipe {
    pub(crate) name: &'static str,
    shows: &'static str,
    /// Flags of `juggle tune`, separated by spaces.
    flags: &'static str,
}

pub(crate) const SEARCHES: [SearchRecipe; 2] = [
    SearchRecipe {
        name: "held-out",
        shows: "task 4: the search for a weight decay, judged on clips that no network of the trial has seen",
        flags: "--judge held-out --objective loss --pruner median",
    },
    SearchRecipe {
        name: "test-set",
        shows: "task 4: the same search as the coursework did it, judged by the accuracy on the test images",
        flags: "--judge test --i-know-this-overfits --objective accuracy --pruner none",
    },
];

const STUDY: &str = "weight-decay";

/// The stage of the search for the autoencoder's settings, and what its files are named by.
pub(crate) const FRAMES_SEARCH: &str = "search/frames";
pub(crate) const FRAMES_STUDY: &str = "frames";

/// What is searched for the autoencoder, and what is not. Few epochs judge a trial, where a schedule that ends with them and flipped windows are
/// what holds for the many of the winner (`docs/frames-recipe.md`). None is ended early: in the middle of a training at a high rate the network is
/// poor, whatever it ends as.
const FRAMES_SPACE: &str = "--only learning_rate=3e-4..5e-2:log --only weight_decay=1e-6..1e-1:log --only optimizer=adam,adamw \
                            --only batch_norm=true,false --schedule cosine --batch-size 16 --augment hflip,vflip,transpose \
                            --repeats 1 --held-out 0.2 --objective psnr --startup-trials 6 --pruner none";

impl Plan {
    pub(super) fn searches(&self) -> Vec<Stage> {
        let mut stages = vec![];
        for recipe in &SEARCHES {
            stages.push(self.search(recipe));
            let seeds = self.classifier_seeds.iter();
            stages.extend(seeds.map(|&seed| self.search_winner(recipe, seed)));
        }
        stages
    }

    pub(crate) fn search_stage(name: &str) -> String {
        format!("search/{name}")
    }

    pub(crate) fn winner_stage(name: &str, seed: u64) -> String {
        format!("search/{name}/seed-{seed}")
    }

    /// Trials, and epochs of each.
    pub(crate) fn search_size(&self) -> (u64, u64) {
        match self.size {
            Size::Full => (30, 10),
            Size::Quick => (3, 1),
        }
    }

    /// The same of the search for the autoencoder.
    pub(crate) fn frames_search_size(&self) -> (u64, u64) {
        match self.size {
            Size::Full => (12, 5),
            Size::Quick => (2, 1),
        }
    }

    /// What `juggle tune --show --json` says of a search.
    pub(crate) fn search_file(&self, name: &str) -> PathBuf {
        self.out.join("searches").join(format!("{name}.json"))
    }

    /// The settings that won.
    pub(super) fn best_settings(&self, name: &str) -> PathBuf {
        self.out.join("searches").join(name).join("best.toml")
    }

    fn search(&self, recipe: &SearchRecipe) -> Stage {
        let (trials, epochs) = self.search_size();
        let mut tune = words("classifier --data");
        tune.push(BALLS.to_owned());
        tune.extend(words(
            "--only weight_decay=1e-6..1e-1:log --optimizer adam --schedule constant --lr 0.001 --batch-size 32 --batch-norm",
        ));
        tune.extend(words(recipe.flags));
        Stage {
            name: Self::search_stage(recipe.name),
            shows: recipe.shows,
            after: vec![SYNTH.into()],
            steps: self.study((recipe.name, STUDY), tune, (trials, epochs)),
            outputs: vec![
                self.best_settings(recipe.name),
                self.search_file(recipe.name),
            ],
            cost: 10 * trials * epochs,
        }
    }

    /// The autoencoder's search, before whose end its winner cannot be trained.
    pub(super) fn frames_search(&self) -> Stage {
        let (trials, epochs) = self.frames_search_size();
        let mut tune = words("autoencoder --data");
        tune.push(text(&self.frames()));
        tune.extend(words("--input-frames 4"));
        tune.extend(words(FRAMES_SPACE));
        Stage {
            name: FRAMES_SEARCH.into(),
            shows: "task 6: the search for the autoencoder's settings, judged on clips held out of the training clips",
            after: vec![self.clips_stage().into()],
            steps: self.study((FRAMES_STUDY, FRAMES_STUDY), tune, (trials, epochs)),
            outputs: vec![
                self.best_settings(FRAMES_STUDY),
                self.search_file(FRAMES_STUDY),
            ],
            // Its winner waits for it.
            cost: 140 * (trials * epochs + SEARCHED_EPOCHS),
        }
    }

    /// A search of its own folder from its first trial on, and what is asked of it.
    fn study(
        &self,
        (name, study): (&str, &str),
        what: Vec<String>,
        (trials, epochs): (u64, u64),
    ) -> Vec<Step> {
        let folder = self.out.join("searches").join(name);
        let mut tune = words("tune");
        tune.extend(what);
        tune.extend(["--out".to_owned(), text(&folder)]);
        tune.extend(words(&format!(
            "--study {study} --trials {trials} --epochs {epochs} --winner-seeds 0 --quiet"
        )));
        tune.extend(words(MACHINE));
        let (best, shown) = (self.best_settings(name), self.search_file(name));
        let show = [
            "tune",
            "--show",
            study,
            "--out",
            &text(&folder),
            "--json",
            "--export",
            &text(&best),
        ];
        vec![
            Step::Remove(folder),
            Step::Juggle {
                arguments: tune,
                stdout: None,
            },
            juggle(&show, Some(shown)),
        ]
    }

    /// The winner's settings with a seed. Of the search on the test images, seed 0 is the very network that won.
    fn search_winner(&self, recipe: &SearchRecipe, seed: u64) -> Stage {
        let name = Self::winner_stage(recipe.name, seed);
        let run = text(&self.run_folder(&name));
        let mut train = words("train classifier --config");
        train.extend([text(&self.best_settings(recipe.name)), "--data".to_owned()]);
        train.extend([BALLS.to_owned(), "--run".to_owned(), run.clone()]);
        train.extend(run_flags(self.search_size().1, seed));
        let evaluate = |more: &str| {
            let mut arguments = vec!["evaluate".to_owned(), run.clone()];
            arguments.extend(words("--split test --weights last --json --no-report"));
            arguments.extend(words(more));
            arguments.extend(words(MACHINE));
            arguments
        };
        let (test, fresh) = (
            self.evaluation(&name),
            self.fresh_evaluation_of(recipe.name, seed),
        );
        let fresh_images = format!("--data {}", text(&self.fresh("test")));
        let mut outputs = run_outputs(&self.run_folder(&name), test.clone());
        outputs.push(fresh.clone());
        Stage {
            shows: "the settings that the search found, on the test images and on fresh ones",
            after: vec![FRESH.into(), Self::search_stage(recipe.name)],
            steps: vec![
                Step::Juggle {
                    arguments: train,
                    stdout: None,
                },
                Step::Juggle {
                    arguments: evaluate(""),
                    stdout: Some(test),
                },
                Step::Juggle {
                    arguments: evaluate(&fresh_images),
                    stdout: Some(fresh),
                },
            ],
            outputs,
            cost: 10 * self.search_size().1 + 10,
            name,
        }
    }

    /// What a winner of a search does on fresh images.
    pub(crate) fn fresh_evaluation_of(&self, search: &str, seed: u64) -> PathBuf {
        self.fresh_file("test", &format!("search-{search}"), seed, "json")
    }
}
