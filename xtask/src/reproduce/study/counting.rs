//! The counter: which remedy helps, and why it overfits.

use serde_json::{Value, json};

use super::super::results::Spread;
use super::super::stages::{EXPLAINED, OCCLUSION_MAPS};
use super::{Told, table};

/// With what, and by which recipe.
const ARMS: [(&str, &str); 4] = [
    ("neither", "original"),
    ("L2 0.001", "l2"),
    ("batch normalisation", "batch-norm"),
    ("both", "tuned"),
];

/// Task 4: batch normalisation and L2, each alone, both and neither.
pub(super) fn ablation(told: &Told<'_>) -> Option<Value> {
    let mut rows = vec![];
    for (with, recipe) in ARMS {
        let found = told.classifier(recipe)?;
        let number = |value: f64| format!("{value:.3}");
        let test = found.spreads.get("test_accuracy")?;
        let fresh = told.results.fresh.as_ref().and_then(|fresh| {
            let found = fresh.recipes.iter().find(|found| found.recipe == recipe)?;
            Some(number(found.accuracy.mean))
        });
        rows.push(vec![
            with.to_owned(),
            recipe.to_owned(),
            number(test.mean),
            number(test.min),
            number(test.max),
            errors(found.spreads.get("errors_3_as_2")),
            errors(found.spreads.get("errors_2_as_1")),
            fresh.unwrap_or_else(|| "–".to_owned()),
        ]);
    }
    let questions = [
        told.asked("Does L2 alone help?", "original", "l2", "accuracy"),
        told.asked(
            "Does batch normalisation alone help?",
            "original",
            "batch-norm",
            "accuracy",
        ),
        told.asked("Are both better than L2 alone?", "l2", "tuned", "accuracy"),
        told.asked(
            "Are both better than batch normalisation alone?",
            "batch-norm",
            "tuned",
            "accuracy",
        ),
    ];
    let questions: Vec<Value> = questions.into_iter().flatten().collect();
    Some(json!({
        "heading": "Which of the two helps",
        "task": "classifier",
        "paragraphs": [
            "The coursework adds batch normalisation and L2 at once. Here each is also alone, with the same seeds and everything else equal."
        ],
        "questions": questions,
        "tables": [table(
            "Accuracy on the test images, over the seeds",
            &["with", "recipe", "mean", "lowest", "highest", "3 balls taken for 2, of 67", "2 taken for 1, of 68", "on fresh images"],
            rows,
        )],
    }))
}

fn errors(spread: Option<&Spread>) -> String {
    spread.map_or_else(|| "–".to_owned(), |spread| format!("{:.1}", spread.mean))
}

/// The audit of the images, `juggle data inspect --json`.
pub(super) struct Audit<'a>(&'a Value);

impl<'a> Audit<'a> {
    pub(super) fn of(told: &Told<'a>) -> Option<Self> {
        told.results.data.get("balls").map(Self)
    }

    /// Whether validation leaks from training, in a sentence.
    pub(super) fn leak(&self) -> Option<String> {
        let overlaps = self.0.get("overlaps")?.as_array()?;
        let found = overlaps
            .iter()
            .find(|overlap| overlap["split"] == "val" && overlap["other"] == "train")?;
        let n = |key: &str| found[key].as_f64();
        let (images, shared) = (n("images")?, n("images_with_shared_prefix")?);
        Some(if shared > 0.0 {
            format!(
                "{shared:.0} of the {images:.0} validation images are frames of clips that are trained on as well, and for {:.0} of them the \
                 nearest training image is from the same clip ({:.0} by chance): validation cannot see overfitting.",
                n("nearest_with_same_prefix")?,
                n("same_prefix_by_chance")?
            )
        } else {
            "no validation image comes from a clip that is trained on.".to_owned()
        })
    }

    /// How the test images differ from the training images, in a sentence.
    pub(super) fn shift(&self) -> Option<String> {
        let shifts = self.0.get("shifts")?.as_array()?;
        let of_class = |class: &str| {
            let mut found = shifts.iter();
            let found = found.find(|shift| {
                shift["split"] == "test"
                    && shift["quantity"] == "brightness"
                    && shift["class"] == class
            })?;
            let ratio = found["median"].as_f64()? / found["train_median"].as_f64()?;
            Some((ratio, found["p_adjusted"].as_f64()?))
        };
        let classes: Vec<(f64, f64)> = ["1", "2", "3"].into_iter().filter_map(of_class).collect();
        let low = classes.iter().map(|c| c.0).fold(f64::INFINITY, f64::min);
        let high = classes
            .iter()
            .map(|c| c.0)
            .fold(f64::NEG_INFINITY, f64::max);
        let p = classes.iter().map(|c| c.1).fold(0.0, f64::max);
        if classes.is_empty() || p > 0.05 {
            return None;
        }
        Some(format!(
            "The test images come from another distribution: with equally many balls they hold {:.0} to {:.0}% of the light of training \
             images (medians by class; largest p {p:.0e}), which makes three balls look like two to a network that adds up light.",
            100.0 * low,
            100.0 * high
        ))
    }

    fn findings(&self) -> Vec<Vec<String>> {
        let findings = self.0.get("findings").and_then(Value::as_array);
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or("–").to_owned();
        findings
            .into_iter()
            .flatten()
            .map(|finding| {
                ["title", "level", "found"]
                    .map(|key| text(finding, key))
                    .to_vec()
            })
            .collect()
    }
}

/// Why the counter overfits: what the audit finds, and what its decisions hang on.
pub(super) fn causes(told: &Told<'_>) -> Option<Value> {
    let audit = Audit::of(told)?;
    let mut paragraphs = vec![
        "Two causes can be measured. One is in the data, and the audit of the folder finds it without any network; the other is in what \
         the network learned."
            .to_owned(),
    ];
    paragraphs.extend(audit.leak().map(|leak| format!("The data: {leak}")));
    paragraphs.extend(audit.shift());
    paragraphs.extend(super::fresh::light(told));
    paragraphs.extend(super::fresh::light_of_others(told));
    paragraphs.extend(hidden(told));
    let mut pictures = vec![];
    for recipe in EXPLAINED {
        for (explanation, file) in told
            .results
            .explanations
            .get(recipe)
            .into_iter()
            .flatten()
            .zip(OCCLUSION_MAPS)
        {
            let path = told.plan.figures("occlusion", recipe).join(file);
            let path = path
                .strip_prefix(&told.plan.out)
                .unwrap_or(&path)
                .display()
                .to_string();
            let truth = true_class(&explanation.file);
            let (class, p) = (&explanation.class, explanation.occlusion.probability);
            pictures.push(json!({
                "file": path,
                "caption": format!("{recipe}: {truth} there, {class} counted (p = {p:.2})"),
                "alt": format!("Image of {truth} beside the same image with red where hiding lowers the probability of {class}, for the recipe {recipe}"),
            }));
        }
    }
    Some(json!({
        "heading": "Why it overfits",
        "task": "classifier",
        "paragraphs": paragraphs,
        "tables": [table("What the audit finds in data/balls (juggle data inspect)", &["finding", "level", "what was found"], audit.findings())],
        "pictures": pictures,
    }))
}

/// The class folder of an image.
fn true_class(file: &str) -> &str {
    file.rsplit('/').nth(1).unwrap_or("?")
}

/// What hiding one ball does.
fn hidden(told: &Told<'_>) -> Option<String> {
    let mut parts = vec![];
    for recipe in EXPLAINED {
        let Some(found) = told.results.explanations.get(recipe) else {
            continue;
        };
        let drop = |explanation: &super::super::outputs::Explanation| {
            let drops = explanation.occlusion.drop.iter().flatten().copied();
            drops.fold(0.0, f64::max) / explanation.occlusion.probability
        };
        let spread = Spread::of(found.iter().map(drop))?;
        parts.push(format!("{recipe} {:.0}%", 100.0 * spread.mean));
    }
    (!parts.is_empty()).then(|| {
        format!(
            "The maps below slide a black patch of 8×8 pixels, as large as a ball, over the first test image of each class, and show where hiding \
             lowers the probability of the class that was counted (red). At the place where it lowers it most, that probability loses on average: \
             {}. The maps are red on balls, as black on black changes nothing; whether a network counts balls or adds up their light, the \
             brightness of fresh images tells.",
            parts.join(", ")
        )
    })
}
