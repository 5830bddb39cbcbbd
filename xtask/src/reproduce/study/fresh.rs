//! Fresh images: how good each recipe is when chance has no part in it, and where it breaks.

use serde_json::{Value, json};

use super::super::report::thousands;
use super::super::results::fresh::{
    Bin, ByFactor, Factor, FreshRecipe, TRAINED_BRIGHTNESS, TRAINED_RADIUS,
};
use super::{Told, table};

/// Below it a recipe counts as broken.
const BROKEN: f64 = 0.9;

/// A ball of the middle of the training ranges.
const MIDDLE: [f64; 3] = [3.1, 0.85, 1.4];

pub(super) fn section(told: &Told<'_>) -> Option<Value> {
    let fresh = told.results.fresh.as_ref()?;
    let n = thousands(fresh.images as u64);
    let widths = fresh
        .recipes
        .iter()
        .map(|recipe| recipe.interval[1] - recipe.interval[0]);
    let width = 100.0 * widths.fold(0.0, f64::max);
    let [radius, brightness] = [TRAINED_RADIUS, TRAINED_BRIGHTNESS];
    let paragraphs = vec![
        format!(
            "{n} images were made like the test images, from another seed; no recipe was chosen by them. The 95% interval of one run's accuracy \
             on them is at most {width:.1} points wide, on 200 test images it can be 14. {n} more have wider ranges than any image of the data \
             set; in each of those all balls are alike."
        ),
        format!(
            "The curves show one factor where the others are as in training: by radius with a brightness of {} to {}, by brightness with a \
             radius of {} to {} pixels, both without balls that overlap; by nearness (centres of the nearest two balls in sums of their radii; \
             below 1 they overlap) with such a radius and brightness. Points are means over the seeds, whiskers Wilson's 95% for so many images.",
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
            &format!("Accuracy on 200 test images and on {n} fresh ones, and where it stays above {:.0}%", 100.0 * BROKEN),
            &["recipe", "test images", "fresh images", "95%, one run", "lowest seed", "highest seed", "radius, px", "brightness", "nearness"],
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
        return "not in the middle".to_owned();
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
    let (faint, bright) = ends(told, "original")?;
    let fall = bright.excess - faint.excess;
    let verdict = if fall > 0.25 {
        "it counts light as much as balls"
    } else if fall > 0.05 {
        "it counts light a little"
    } else {
        "it does not count light"
    };
    Some(format!(
        "Shown balls of training size, the plain counter finds {} where they are faint (brightness {:.1} to {:.1}) and {} where they are bright ({:.1} \
         to {:.1}), on average: {verdict}.",
        count(faint.excess),
        faint.low,
        faint.high,
        count(bright.excess),
        bright.low,
        bright.high
    ))
}

/// The same of the remedies.
pub(super) fn light_of_others(told: &Told<'_>) -> Option<String> {
    let parts = ["tuned", "robust"].into_iter().filter_map(|recipe| {
        let (faint, bright) = ends(told, recipe)?;
        Some(format!(
            "{recipe} {} and {}",
            count(faint.excess),
            count(bright.excess)
        ))
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| format!("Of the same images, {}.", parts.join("; ")))
}

/// The faintest and the brightest bin.
fn ends(told: &Told<'_>, name: &str) -> Option<(Bin, Bin)> {
    let fresh = told.results.fresh.as_ref()?;
    let recipe = fresh.recipes.iter().find(|recipe| recipe.recipe == name)?;
    let bins = bins(recipe, Factor::Brightness);
    Some((*bins.first()?, *bins.last()?))
}

/// `0.60 balls too few`.
fn count(excess: f64) -> String {
    let number = format!("{:.2}", excess.abs());
    match number.as_str() {
        "0.00" => "just as many as there are".to_owned(),
        _ if excess < 0.0 => format!("{number} balls too few"),
        _ => format!("{number} balls too many"),
    }
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
        assert_eq!(unbroken(&by(&[0.95, 0.5, 0.9]), 3.5), "not in the middle");
        assert_eq!(unbroken(&by(&[0.95]), 3.5), "–");
    }
}
