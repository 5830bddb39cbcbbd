//! The published numbers, as claims about the groups.

use serde_json::{Value, json};

use super::super::published;
use super::{Told, frames_group};

/// Images of the published test set.
const N_TEST: u64 = 200;

pub(super) fn all(told: &Told<'_>) -> Vec<Value> {
    let mut claims = vec![];
    if told.classifier("original").is_some() {
        claims.extend(original());
    }
    for recipe in ["tuned", "searched"] {
        if told.classifier(recipe).is_some() && told.classifier("original").is_some() {
            claims.extend(tested(recipe, Some("original")));
        }
    }
    for recipe in ["original", "tuned"] {
        if told.autoencoder(recipe).is_some() {
            let against = recipe == "tuned" && told.autoencoder("original").is_some();
            claims.extend(frames(recipe, against.then(|| frames_group("original"))));
        }
    }
    unjudged(told, &mut claims);
    claims
}

/// How far our mean may lie from a published number, however far our runs scatter: five points of a share, a decibel, 0.02 of
/// SSIM. Losses have no such scale.
fn tolerance(metric: &str) -> Option<f64> {
    match metric.split([':', '_']).next() {
        Some("accuracy" | "precision" | "recall") => Some(0.05),
        Some("psnr") => Some(1.0),
        Some("ssim") => Some(0.02),
        _ => None,
    }
}

fn claim(group: &str, metric: &str, published: f64, decimals: u32) -> Value {
    let mut claim =
        json!({"group": group, "metric": metric, "published": published, "decimals": decimals});
    if let Some(tolerance) = tolerance(
        metric
            .trim_start_matches("final_train_")
            .trim_start_matches("final_val_"),
    ) {
        claim["tolerance"] = json!(tolerance);
    }
    claim
}

/// Runs of another length than the published ones get no verdict.
fn unjudged(told: &Told<'_>, claims: &mut [Value]) {
    let epochs = told.results.epochs;
    for claim in claims {
        let of_frames = claim["group"]
            .as_str()
            .is_some_and(|group| group.starts_with("next frame"));
        let (ours, published) = if of_frames {
            (epochs.autoencoder, epochs.autoencoder_published)
        } else {
            (epochs.classifier, epochs.classifier_published)
        };
        if ours != published {
            claim["unjudged"] = json!(format!("{ours} epochs, not {published}"));
        }
    }
}

/// Tasks 2 and 3.
fn original() -> Vec<Value> {
    let (train, val) = (published::TRAIN, published::VALIDATION);
    let mut claims = tested("original", None);
    claims.extend([
        claim("original", "final_train_loss", train.loss, 5),
        claim("original", "final_train_accuracy", train.accuracy, 2),
        claim("original", "final_val_loss", val.loss, 5),
        claim("original", "final_val_accuracy", val.accuracy, 2),
    ]);
    for (column, values) in [
        ("precision", published::PRECISION),
        ("recall", published::RECALL),
    ] {
        for (class, value) in (1..).zip(values) {
            claims.push(claim("original", &format!("{column}:{class}"), value, 2));
        }
    }
    claims
}

/// Accuracy and loss on the test images.
fn tested(recipe: &str, against: Option<&str>) -> Vec<Value> {
    let Some((loss, accuracy)) = published::test(recipe) else {
        return vec![];
    };
    // "No test error" leaves no room for rounding.
    let decimals = if accuracy < 1.0 { 2 } else { 3 };
    let mut claims = vec![claim(recipe, "accuracy", accuracy, decimals)];
    claims[0]["n"] = json!(N_TEST);
    claims.extend(loss.map(|loss| claim(recipe, "loss", loss, 4)));
    if let Some(against) = against {
        for claim in &mut claims {
            claim["against"] = json!(against);
        }
    }
    claims
}

/// Task 6.
fn frames(recipe: &str, against: Option<String>) -> Vec<Value> {
    let Some([truth, last_frame]) = published::next_frame(recipe) else {
        return vec![];
    };
    let group = frames_group(recipe);
    let mut claims = vec![
        claim(&group, "psnr_db", truth.psnr_db, 2),
        claim(&group, "ssim", truth.ssim, 3),
    ];
    if let Some(against) = against {
        for claim in &mut claims {
            claim["against"] = json!(against);
        }
    }
    claims.extend([
        claim(&group, "psnr_db_vs_last_frame", last_frame.psnr_db, 2),
        claim(&group, "ssim_vs_last_frame", last_frame.ssim, 3),
    ]);
    claims
}
