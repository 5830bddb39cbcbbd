//! The search for a weight decay, done rightly and as the coursework did it, side by side.

use serde_json::{Value, json};

use super::super::report::thousands;
use super::super::results::search::SearchResults;
use super::{Told, percent, table};

pub(super) fn section(told: &Told<'_>) -> Option<Value> {
    let searches = &told.results.searches;
    let first = searches.first()?;
    let mut paragraphs = vec![format!(
        "The coursework looked for a weight decay with Optuna and judged each trial by the test images, until one made no error on them. Here \
         the same search is done twice by `juggle tune`, {} trials of {} epochs each: judged on clips held out of the training images, and judged by \
         the test images, which the command does only when told that it overfits.",
        first.trials, first.epochs
    )];
    paragraphs.extend(verdict(searches));
    let rows = searches.iter().map(row).collect();
    Some(json!({
        "heading": "A search that looks at the test set",
        "task": "classifier",
        "paragraphs": paragraphs,
        "tables": [table(
            "The two searches, and their winners trained again",
            &["judged by", "trials (pruned)", "best weight decay", "its value", "trials as good", "test images", "fresh images"],
            rows,
        )],
        "charts": searches.iter().map(chart).collect::<Vec<_>>(),
    }))
}

fn row(search: &SearchResults) -> Vec<String> {
    let spread =
        |spread: Option<_>| spread.map_or_else(|| "–".to_owned(), |spread| percent(&spread));
    vec![
        search.name.to_owned(),
        format!("{} ({})", search.trials, search.pruned),
        format!("{:.2e}", search.weight_decay),
        format!("{:.4}", search.value),
        search.ties.to_string(),
        spread(search.test),
        spread(search.fresh),
    ]
}

/// Does the error that the search saw on the test images hold on fresh ones?
fn verdict(searches: &[SearchResults]) -> Vec<String> {
    let mut sentences = vec![];
    let of = |name: &str| searches.iter().find(|search| search.name == name);
    if let Some(search) = of("test-set")
        && let Some(first) = search.first
    {
        let seen = first.test_errors / first.test_images as f64;
        let fresh = 1.0 - first.fresh_accuracy;
        let holds = if fresh > 2.0 * seen && fresh > 0.005 {
            "What the search saw does not hold"
        } else {
            "What the search saw holds here"
        };
        sentences.push(format!(
            "The network that the search on the test images chose makes {} errors on those {} images, {:.1} %; on {} fresh images {:.1} %. {holds}.",
            first.test_errors,
            first.test_images,
            100.0 * seen,
            thousands(first.fresh_images),
            100.0 * fresh,
        ));
        if let Some(others) = search.test
            && others.min < 1.0 - seen - 0.05
        {
            sentences.push(format!(
                "But it was chosen for its seed as much as for its settings: trained again with each seed, they are right on {} of the test images.",
                percent(&others)
            ));
        }
    }
    if let (Some(right), Some(wrong)) = (of("held-out"), of("test-set"))
        && let (Some(right), Some(wrong)) = (right.fresh, wrong.fresh)
    {
        let difference = 100.0 * (right.mean - wrong.mean);
        let apart = right.min > wrong.max || wrong.min > right.max;
        let meaning = if apart {
            "the seeds of one lie all above those of the other"
        } else {
            "which is no more than the seeds differ"
        };
        sentences.push(format!(
            "On fresh images the settings of the honest search are right on {}, those of the other on {}: {difference:+.1} points, {meaning}.",
            percent(&right),
            percent(&wrong),
        ));
    }
    sentences
}

/// Value by weight decay.
fn chart(search: &SearchResults) -> Value {
    let mut points = search.curve.clone();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (x, y): (Vec<f64>, Vec<f64>) = points
        .iter()
        .map(|(decay, value)| (decay.log10(), *value))
        .unzip();
    json!({
        "title": format!("Trials judged by {}", search.judged),
        "x_label": "weight decay, as a power of ten",
        "y_label": if search.name == "test-set" { "accuracy" } else { "loss" },
        "lines": [{"name": search.name, "x": x, "y": y}],
    })
}
