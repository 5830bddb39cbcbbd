//! `study.json`: the reproduction told for `juggle report --study`, which draws `report.html` from it.
//!
//! Every sentence with a number is made from the results, so that none can contradict the tables. What a published number or a
//! comparison is worth is judged by the report itself, from the runs: claims and questions only name them. [`claims`] has the
//! published numbers, [`story`] what stands first, [`counting`] and [`frames`] the sections of the two networks, [`fresh`] that
//! of the fresh images, [`search`] that of the searches, [`background`] checks, times and origins.

mod background;
mod claims;
mod counting;
mod frames;
mod fresh;
mod search;
mod story;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::results::{RecipeResults, Results, Spread};
use super::stages::{AUTOENCODER_RECIPES, CLASSIFIER_RECIPES, Plan};
use crate::bench::ratios::Ratios;

pub(crate) use background::{times_source, training_times};
pub(crate) use search::{settings, told_of};

/// What a sentence can be made of.
struct Told<'a> {
    plan: &'a Plan,
    results: &'a Results,
    ratios: Option<&'a Ratios>,
}

/// Writes `study.json` and has the report made of it. Nothing is written before a run is there.
pub(crate) fn write(
    plan: &Plan,
    results: &Results,
    ratios: Option<&Ratios>,
    juggle: &Path,
) -> Result<Option<PathBuf>> {
    let told = Told {
        plan,
        results,
        ratios,
    };
    let mut study = told.study();
    without_marks(&mut study);
    if study["groups"].as_array().is_none_or(Vec::is_empty) {
        return Ok(None);
    }
    let file = plan.out.join("study.json");
    fs::write(&file, serde_json::to_string_pretty(&study)? + "\n")
        .with_context(|| format!("cannot write {}", file.display()))?;
    let page = plan.out.join("report.html");
    let status = Command::new(juggle)
        .args(["--quiet", "report", "--study"])
        .arg(&file)
        .arg("--out")
        .arg(&page)
        .stdout(std::process::Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", juggle.display()))?;
    if !status.success() {
        bail!("juggle report --study {} failed: {status}", file.display());
    }
    Ok(Some(page))
}

/// A recipe of the autoencoder beside those of the classifier, which have some of its names.
pub(super) fn frames_group(recipe: &str) -> String {
    match recipe {
        "no-skip" => "next frame without skips".to_owned(),
        "tuned" => "next frame tuned, as published".to_owned(),
        "searched" => "next frame tuned, by search".to_owned(),
        other => format!("next frame {other}"),
    }
}

impl Told<'_> {
    fn study(&self) -> Value {
        let mut sections = vec![background::checks(self)];
        sections.extend(counting::ablation(self));
        sections.extend(counting::causes(self));
        sections.extend(fresh::section(self));
        sections.extend(search::section(self));
        sections.extend(frames::skips(self));
        sections.extend(search::of_frames(self));
        sections.extend(frames::next_frame(self));
        sections.extend(background::times(self));
        json!({
            "title": story::title(self),
            "lead": story::lead(self),
            "limits": story::limits(self),
            "questions": story::questions(self),
            "groups": self.groups(),
            "claims": claims::all(self),
            "comparisons": self.comparisons(),
            "sections": sections,
            "provenance": background::provenance(self),
            "commands": [self.results.invocation.command],
        })
    }

    fn groups(&self) -> Vec<Value> {
        let mut groups = vec![];
        for recipe in &CLASSIFIER_RECIPES {
            if let Some(found) = self.classifier(recipe.name) {
                groups.push(self.group(recipe.name, recipe.shows, "test", found));
            }
        }
        for recipe in &AUTOENCODER_RECIPES {
            if let Some(found) = self.autoencoder(recipe.name) {
                let name = frames_group(recipe.name);
                groups.push(self.group(&name, recipe.shows, "val", found));
            }
        }
        groups
    }

    /// Paths are relative to the study's folder.
    fn group<E>(&self, name: &str, shows: &str, split: &str, found: &RecipeResults<E>) -> Value {
        let relative = |path: PathBuf| {
            let inside = path.strip_prefix(&self.plan.out).unwrap_or(&path);
            inside.display().to_string()
        };
        let runs = found.runs.iter().map(|run| {
            json!({
                "run": relative(self.plan.run_folder(&run.stage)),
                "evaluation": relative(self.plan.evaluation(&run.stage)),
            })
        });
        let runs: Vec<Value> = runs.collect();
        json!({"name": name, "shows": shows, "weights": "last", "split": split, "runs": runs})
    }

    fn comparisons(&self) -> Vec<[String; 2]> {
        let classifier = [
            ("original", "tuned"),
            ("tuned", "searched"),
            ("tuned", "robust"),
        ];
        let autoencoder = [
            ("no-skip", "original"),
            ("original", "tuned"),
            ("tuned", "searched"),
        ];
        let mut pairs = vec![];
        for (first, second) in classifier {
            if self.classifier(first).is_some() && self.classifier(second).is_some() {
                pairs.push([first.to_owned(), second.to_owned()]);
            }
        }
        for (first, second) in autoencoder {
            if self.autoencoder(first).is_some() && self.autoencoder(second).is_some() {
                pairs.push([first, second].map(frames_group));
            }
        }
        pairs
    }

    /// A recipe that has runs.
    fn classifier(
        &self,
        name: &str,
    ) -> Option<&RecipeResults<super::outputs::ClassifierEvaluation>> {
        let mut recipes = self.results.classifier.iter();
        recipes.find(|recipe| recipe.recipe == name && !recipe.runs.is_empty())
    }

    fn autoencoder(
        &self,
        name: &str,
    ) -> Option<&RecipeResults<super::outputs::AutoencoderEvaluation>> {
        let mut recipes = self.results.autoencoder.iter();
        recipes.find(|recipe| recipe.recipe == name && !recipe.runs.is_empty())
    }

    /// A question, where both recipes of the classifier have runs.
    fn asked(&self, question: &str, first: &str, second: &str, metric: &str) -> Option<Value> {
        self.classifier(first)?;
        self.classifier(second)?;
        Some(json!({"question": question, "first": first, "second": second, "metric": metric}))
    }

    fn asked_of_frames(
        &self,
        question: &str,
        first: &str,
        second: &str,
        metric: &str,
    ) -> Option<Value> {
        self.autoencoder(first)?;
        self.autoencoder(second)?;
        let [first, second] = [first, second].map(frames_group);
        Some(json!({"question": question, "first": first, "second": second, "metric": metric}))
    }
}

/// The page shows text as it is: marks of Markdown, which these sentences share with `report.md`, go.
fn without_marks(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|c| c != '`'),
        Value::Array(values) => values.iter_mut().for_each(without_marks),
        Value::Object(values) => values.values_mut().for_each(without_marks),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `84.0% (81.5 to 85.5% over 5 seeds)`.
fn percent(spread: &Spread) -> String {
    over_seeds(&spread.scaled(100.0), 1, "%")
}

/// The mean, with its unit, and its least and largest over seeds.
fn over_seeds(spread: &Spread, decimals: usize, unit: &str) -> String {
    let [mean, min, max] =
        [spread.mean, spread.min, spread.max].map(|value| format!("{value:.decimals$}"));
    // A percent sign stands close.
    let (space, end) = if unit == "%" { ("", unit) } else { (" ", "") };
    match spread.n {
        1 => format!("{mean}{space}{unit} (one seed)"),
        n if min == max => format!("{mean}{space}{unit} (with each of {n} seeds)"),
        n => format!("{mean}{space}{unit} ({min} to {max}{end} over {n} seeds)"),
    }
}

fn table(caption: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Value {
    json!({"caption": caption, "columns": columns, "rows": rows})
}

#[cfg(test)]
mod tests;
