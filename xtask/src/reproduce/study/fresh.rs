//! Fresh images: how good each recipe is when chance has no part in it, and where it breaks.

use serde_json::{Value, json};

use super::super::report::thousands;
use super::super::results::fresh::{
    Bin, ByFactor, Factor, FreshRecipe, TRAINED_BRIGHTNESS, TRAINED_RADIUS,
};
use super::{Told, table};

/// Where a recipe counts as broken.
const BROKEN: f64 = 0.9;

/// A ball of the middle of the training ranges.
const MIDDLE: [f64; 3] = [3.1, 0.85, 1.4];

pub(super) fn section(told: &Told<'_>) -> Option<Value> {
    let fresh = told.results.fresh.as_ref()?;
    let n = thousands(fresh.images as u64);
    let [radius, brightness] = [TRAINED_RADIUS, TRAINED_BRIGHTNESS];
    let paragraphs = vec![
        format!(
            "{n} images were made like the test images, from another seed: an accuracy on them has an interval of about a percent at most, and \
             no recipe was chosen by them. {n} more have wider ranges than any image of the data set; in each of them all balls are alike."
        ),
        format!(
            "The curves show one factor where the others are as in training: by radius with a brightness of {} to {}, by brightness with a \
             radius of {} to {} pixels, by nearness with both (centres of the nearest two balls in sums of their radii; below 1 they \
             overlap). Points are means over the seeds, whiskers Wilson's 95 % for so many images.",
            brightness[0], brightness[1], radius[0], radius[1]
        ),
    ];
    let charts: Vec<Value> = Factor::ALL
        .iter()
        .map(|&factor| chart(told, factor))
        .collect();
    let rows = fresh.recipes.iter().map(|recipe| row(told, recipe));
    let mut section = json!({
        "heading": "Fresh images: where each recipe breaks",
        "task": "classifier",
        "paragraphs": paragraphs,
        "charts": charts,
        "tables": [table(
            &format!("Accuracy on 200 test images and on {n} fresh ones, and where it stays above {:.0} %", 100.0 * BROKEN),
            &["recipe", "test images", "fresh images", "95 %, one run", "lowest seed", "highest seed", "radius, px", "brightness", "nearness"],
            rows.collect(),
        )],
    });
    if let Some(chart) = excess(told) {
        section["charts"].as_array_mut()?.push(chart);
    }
    Some(section)
}

fn row(told: &Told<'_>, found: &FreshRecipe) -> Vec<String> {
    let test = told
        .classifier(found.recipe)
        .and_then(|recipe| recipe.spreads.get("test_accuracy"));
    let number = |value: f64| format!("{value:.3}");
    let [low, high] = found.interval;
    let mut row = vec![
        found.recipe.to_owned(),
        test.map_or_else(|| "–".to_owned(), |spread| number(spread.mean)),
        number(found.accuracy.mean),
        format!("{low:.3} to {high:.3}"),
        number(found.accuracy.min),
        number(found.accuracy.max),
    ];
    row.extend(
        found
            .by
            .iter()
            .zip(MIDDLE)
            .map(|(by, middle)| unbroken(by, middle)),
    );
    row
}

/// The range around the middle in which the accuracy stays high.
fn unbroken(by: &ByFactor, middle: f64) -> String {
    let bins = &by.bins;
    let is_good = |bin: &Bin| bin.accuracy >= BROKEN;
    let Some(start) = bins
        .iter()
        .position(|bin| bin.low <= middle && middle < bin.high)
    else {
        return "–".to_owned();
    };
    if !is_good(&bins[start]) {
        return "broken".to_owned();
    }
    let below = bins[..start]
        .iter()
        .rev()
        .take_while(|bin| is_good(bin))
        .count();
    let above = bins[start..].iter().take_while(|bin| is_good(bin)).count();
    let (first, last) = (start - below, start + above - 1);
    format!("{:.1} to {:.1}", bins[first].low, bins[last].high)
}

fn chart(told: &Told<'_>, factor: Factor) -> Value {
    let (title, label) = words(factor);
    let lines = told.results.fresh.iter().flat_map(|fresh| &fresh.recipes);
    let lines: Vec<Value> = lines
        .map(|recipe| {
            let bins = bins(recipe, factor);
            json!({
                "name": recipe.recipe,
                "x": bins.iter().map(middle_of).collect::<Vec<_>>(),
                "y": bins.iter().map(|bin| bin.accuracy).collect::<Vec<_>>(),
                "intervals": bins.iter().map(|bin| bin.interval).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({"title": format!("Accuracy by {title}"), "x_label": label, "y_label": "accuracy", "lines": lines})
}

/// Balls counted less balls there, by brightness: what tells counting from adding up light.
fn excess(told: &Told<'_>) -> Option<Value> {
    let fresh = told.results.fresh.as_ref()?;
    let lines: Vec<Value> = fresh
        .recipes
        .iter()
        .map(|recipe| {
            let bins = bins(recipe, Factor::Brightness);
            json!({
                "name": recipe.recipe,
                "x": bins.iter().map(middle_of).collect::<Vec<_>>(),
                "y": bins.iter().map(|bin| bin.excess).collect::<Vec<_>>(),
            })
        })
        .collect();
    Some(json!({
        "title": "Balls counted less balls there, by brightness",
        "x_label": "brightness of the balls",
        "y_label": "balls too many",
        "lines": lines,
    }))
}

fn words(factor: Factor) -> (&'static str, &'static str) {
    match factor {
        Factor::Radius => ("radius", "radius of the balls, px"),
        Factor::Brightness => ("brightness", "brightness of the balls"),
        Factor::NearestPair => (
            "nearness",
            "distance of the nearest two balls, sums of radii",
        ),
    }
}

fn bins(recipe: &FreshRecipe, factor: Factor) -> &[Bin] {
    let by = recipe.by.iter().find(|by| by.factor == factor);
    by.map_or(&[], |by| &by.bins)
}

fn middle_of(bin: &Bin) -> f64 {
    // To the digits that the edges have, for the eye in the file.
    (500.0 * (bin.low + bin.high)).round() / 1000.0
}

/// Whether the original counts fewer balls where they are fainter, in a sentence.
pub(super) fn light(told: &Told<'_>) -> Option<String> {
    let fresh = told.results.fresh.as_ref()?;
    let of = |name: &str| {
        let recipe = fresh.recipes.iter().find(|recipe| recipe.recipe == name)?;
        let bins = bins(recipe, Factor::Brightness);
        Some((*bins.first()?, *bins.last()?))
    };
    let (faint, bright) = of("original")?;
    let fall = bright.excess - faint.excess;
    let verdict = if fall > 0.25 {
        "It counts light as much as balls"
    } else if fall > 0.05 {
        "It counts light a little"
    } else {
        "It does not count light"
    };
    let mut text = format!(
        "What it learned: shown balls of training size, the plain counter finds {:+.2} balls against the truth where they are faint (brightness \
         {:.1} to {:.1}) and {:+.2} where they are bright ({:.1} to {:.1}). {verdict}.",
        faint.excess, faint.low, faint.high, bright.excess, bright.low, bright.high
    );
    for recipe in ["tuned", "robust"] {
        if let Some((faint, bright)) = of(recipe) {
            text += &format!(
                " For {recipe} it is {:+.2} and {:+.2}.",
                faint.excess, bright.excess
            );
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(accuracies: &[f64]) -> ByFactor {
        let bin = |(i, &accuracy): (usize, &f64)| Bin {
            low: 2.0 + i as f64,
            high: 3.0 + i as f64,
            images: 100,
            accuracy,
            interval: [0.0, 1.0],
            excess: 0.0,
        };
        ByFactor {
            factor: Factor::Radius,
            bins: accuracies.iter().enumerate().map(bin).collect(),
        }
    }

    #[test]
    fn a_recipe_holds_as_far_as_it_holds_without_a_gap() {
        assert_eq!(
            unbroken(&by(&[0.95, 0.5, 0.9, 0.99, 0.8, 0.99]), 4.5),
            "4.0 to 6.0"
        );
        assert_eq!(unbroken(&by(&[0.95, 0.5, 0.9]), 3.5), "broken");
        assert_eq!(unbroken(&by(&[0.95]), 3.5), "–");
    }
}
