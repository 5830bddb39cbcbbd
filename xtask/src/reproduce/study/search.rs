//! The search for a weight decay, done rightly and as the coursework did it, side by side; and that for the autoencoder's settings.

use serde_json::{Value, json};

use super::super::published;
use super::super::report::thousands;
use super::super::results::search::{Candidate, FramesSearch, SearchResults};
use super::{Told, over_seeds, percent, table};

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

/// Candidates that are shown.
const SHOWN: usize = 5;

/// The search for the autoencoder's settings, and what became of its winner.
pub(super) fn of_frames(told: &Told<'_>) -> Option<Value> {
    let search = told.results.frames_search.as_ref()?;
    let winner = search.best.first()?;
    let mut paragraphs = vec![format!(
        "{}. The schedule falls to zero with the last epoch and windows are flipped in all of them. The best trial reaches {:.2} dB there, with {}.",
        told_of(search),
        winner.psnr_db,
        settings(winner),
    )];
    paragraphs.extend(importances(search));
    paragraphs.extend(beaten(told));
    let best = search.best.iter().take(SHOWN);
    let rows = best.map(|candidate| {
        vec![
            candidate.number.to_string(),
            format!("{:.2}", candidate.psnr_db),
            settings(candidate),
        ]
    });
    Some(json!({
        "heading": "A search for the next frame",
        "task": "autoencoder",
        "paragraphs": paragraphs,
        "tables": [table(
            "The best trials",
            &["trial", "PSNR on held-out clips, dB", "settings"],
            rows.collect(),
        )],
        "charts": [rates(search)],
    }))
}

/// What was searched, and how trials were judged.
pub(crate) fn told_of(search: &FramesSearch) -> String {
    let pruned = match search.pruned {
        0 => String::new(),
        n => format!(", {n} of them ended early"),
    };
    format!(
        "{} trials of {} epochs by `juggle tune`{pruned}; wanted was the {}",
        search.trials, search.epochs, search.judged
    )
}

/// `learning rate 2.0e-2, …`, in the order of their names.
pub(crate) fn settings(candidate: &Candidate) -> String {
    let setting = |(name, value): (&String, &Value)| {
        let name = name.replace('_', " ");
        match value {
            Value::Bool(true) => name,
            Value::Bool(false) => format!("no {name}"),
            Value::Number(number) => {
                format!("{name} {:.2e}", number.as_f64().unwrap_or(f64::NAN))
            }
            Value::String(text) => format!("{name} {text}"),
            other => format!("{name} {other}"),
        }
    };
    let settings: Vec<String> = candidate.settings.iter().map(setting).collect();
    settings.join(", ")
}

fn importances(search: &FramesSearch) -> Option<String> {
    let shares = search.importances.iter();
    let shares: Vec<String> = shares
        .map(|one| format!("{} {:.0} %", one.name.replace('_', " "), 100.0 * one.share))
        .collect();
    (!shares.is_empty()).then(|| {
        format!(
            "How much each setting has to do with a trial being good (PED-ANOVA): {}.",
            shares.join(", ")
        )
    })
}

/// Does the winner beat the published numbers, on clips that chose nothing?
fn beaten(told: &Told<'_>) -> Option<String> {
    let recipe = told.autoencoder("searched")?;
    let spreads = &recipe.spreads;
    let (psnr, ssim) = (
        spreads.get("psnr_db_prediction")?,
        spreads.get("ssim_prediction")?,
    );
    let [published, _] = published::next_frame("tuned")?;
    let verdict = if psnr.min > published.psnr_db && ssim.min > published.ssim {
        "With every seed that is more"
    } else if psnr.mean > published.psnr_db && ssim.mean > published.ssim {
        "On average that is more, not with every seed"
    } else {
        "That is not more in both"
    };
    Some(format!(
        "Its settings, trained on all training clips for {} epochs with fresh seeds, reach {} and an SSIM of {} on the validation clips, which took no part in the          search; published for the tuned recipe are {:.2} dB and {:.3}. {verdict}.",
        recipe.runs.first()?.epochs.len(),
        over_seeds(psnr, 2, "dB"),
        over_seeds(ssim, 4, "").replace("  ", " "),
        published.psnr_db,
        published.ssim,
    ))
}

/// PSNR by learning rate.
fn rates(search: &FramesSearch) -> Value {
    let of = |candidate: &Candidate| {
        let rate = candidate.settings.get("learning_rate")?.as_f64()?;
        Some((rate.log10(), candidate.psnr_db))
    };
    let mut points: Vec<(f64, f64)> = search.best.iter().filter_map(of).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    json!({
        "title": "Complete trials by their learning rate",
        "x_label": "learning rate, as a power of ten",
        "y_label": "PSNR on held-out clips, dB",
        "lines": [{"name": "trials", "x": x, "y": y}],
    })
}
