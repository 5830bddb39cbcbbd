//! What stands first: what was asked, what was found, and what to know before believing it.

use serde_json::Value;

use super::super::published;
use super::super::stages::QUICK_TRAIN_CLIPS;
use super::{Told, over_seeds, percent};

pub(super) fn title(told: &Told<'_>) -> &'static str {
    if told.results.quick {
        "A coursework on counting balls, reproduced in a hurry: not for comparison"
    } else {
        "A coursework on counting balls and predicting frames, reproduced"
    }
}

pub(super) fn lead(told: &Told<'_>) -> Vec<String> {
    let paragraphs = [Some(asked()), counted(told), why(told), predicted(told)];
    paragraphs.into_iter().flatten().collect()
}

fn asked() -> String {
    let accuracy =
        |recipe: &str| published::test(recipe).map_or(f64::NAN, |(_, value)| 100.0 * value);
    let psnr =
        |recipe: &str| published::next_frame(recipe).map_or(f64::NAN, |[truth, _]| truth.psnr_db);
    format!(
        "Asked: a published coursework trains a small network to count the balls in an image, and an autoencoder to predict the \
         next frame of a clip. It claims that the plain counter is overfitted, with {:.0}% of its 200 test images right although \
         validation shows no error; that batch normalisation and L2 lift that to {:.0}%; that skip connections help; and \
         that tuning lifts the predicted frames from {:.2} to {:.2} dB. Each came from one run. Its images are lost; here \
         its recipes are trained again, several times, on simulated images that stand in for them.",
        accuracy("original"),
        accuracy("tuned"),
        psnr("original"),
        psnr("tuned")
    )
}

fn counted(told: &Told<'_>) -> Option<String> {
    let original = told.classifier("original")?;
    let mut text = format!(
        "Found: the plain counter is right for {} of the test images",
        percent(original.spreads.get("test_accuracy")?)
    );
    if let Some(val) = original.spreads.get("val_accuracy") {
        text += &format!(", and for {} in validation", percent(val));
    }
    if let Some(tuned) = told.classifier("tuned") {
        text += &format!(
            ". With batch normalisation and L2 it is right for {}",
            percent(tuned.spreads.get("test_accuracy")?)
        );
    }
    if let Some(robust) = told.classifier("robust") {
        text += &format!(
            ", and with a recipe of our own, chosen without the test images, for {}",
            percent(robust.spreads.get("test_accuracy")?)
        );
    }
    text += ".";
    let fresh = |recipe: &str| {
        let fresh = told.results.fresh.as_ref()?;
        let found = fresh.recipes.iter().find(|found| found.recipe == recipe)?;
        Some(format!("{} {}", recipe, percent(&found.accuracy)))
    };
    let known: Vec<String> = ["original", "tuned", "robust"]
        .into_iter()
        .filter_map(fresh)
        .collect();
    if let Some(found) = told.results.fresh.as_ref().filter(|_| !known.is_empty()) {
        text += &format!(
            " Two hundred images leave several points to chance; on {} fresh ones of the same kind the accuracies are: {}.",
            super::super::report::thousands(found.images as u64),
            known.join(", ")
        );
    }
    Some(text)
}

fn why(told: &Told<'_>) -> Option<String> {
    let audit = super::counting::Audit::of(told)?;
    let mut text = "Why: ".to_owned();
    text += &audit.leak()?;
    if let Some(shift) = audit.shift() {
        text += &format!(" {shift}");
    }
    if let Some(light) = super::fresh::light(told) {
        text += &format!(" {light}");
    }
    Some(text)
}

fn predicted(told: &Told<'_>) -> Option<String> {
    let original = told.autoencoder("original")?;
    let psnr = original.spreads.get("psnr_db_prediction")?;
    let copy = original.spreads.get("psnr_db_last_frame")?;
    let mut text = format!(
        "The autoencoder's frames reach a PSNR of {} against the true ones; repeating the last frame would reach {:.2} dB",
        over_seeds(psnr, 2, "dB"),
        copy.mean
    );
    let of = |recipe: &str| told.autoencoder(recipe)?.spreads.get("psnr_db_prediction");
    if let Some(without) = of("no-skip") {
        text += &format!(
            ", and the network without skip connections reaches {}",
            over_seeds(without, 2, "dB")
        );
    }
    if let Some(tuned) = of("tuned") {
        text += &format!(
            ". Tuned as published it reaches {}",
            over_seeds(tuned, 2, "dB")
        );
    }
    if let Some(searched) = of("searched") {
        text += &format!(
            ", and tuned by a search that saw training clips alone, with more epochs, {}",
            over_seeds(searched, 2, "dB")
        );
    }
    Some(text + ".")
}

pub(super) fn limits(told: &Told<'_>) -> Vec<String> {
    let results = told.results;
    let mut limits = vec![];
    if results.quick {
        limits.push(format!(
            "This is a quick run: one seed, few epochs, {QUICK_TRAIN_CLIPS} of the 240 training clips. It shows that everything \
             works; its numbers mean nothing."
        ));
    }
    limits.push(
        "The images are not the coursework's. The generator of the stand-ins was chosen so that the published recipes show the published \
         effects on it: that “original” and “tuned” agree with what was published is a calibration and no independent finding. All \
         else is a finding: how far runs scatter, the ablations, the causes, the fresh images, skip connections, our own recipe."
            .to_owned(),
    );
    let epochs = results.epochs;
    for (network, ours, published) in [
        ("classifier", epochs.classifier, epochs.classifier_published),
        (
            "autoencoder",
            epochs.autoencoder,
            epochs.autoencoder_published,
        ),
    ] {
        if ours != published {
            limits.push(format!(
                "The {network} was trained for {ours} epochs, and not for the published {published}."
            ));
        }
    }
    limits.push(
        "The coursework does not state the learning rate and the decay of its first autoencoder; 0.001 and 0.00005 were chosen here, near \
         its result."
            .to_owned(),
    );
    let missing: Vec<&str> = results
        .stages
        .iter()
        .filter(|stage| stage.freshness == super::super::stamp::Freshness::Missing)
        .map(|stage| stage.name.as_str())
        .collect();
    if !missing.is_empty() {
        limits.push(format!(
            "Not run, and so not shown: {}.",
            missing.join(", ")
        ));
    }
    limits
}

pub(super) fn questions(told: &Told<'_>) -> Vec<Value> {
    let questions = [
        told.asked(
            "Do batch normalisation and L2 together make the counter better on the test images?",
            "original",
            "tuned",
            "accuracy",
        ),
        told.asked(
            "Is the weight decay that a search on the test images found better than the one chosen before?",
            "tuned",
            "searched",
            "accuracy",
        ),
        told.asked(
            "Is our own recipe, chosen without the test images, better than the published one?",
            "tuned",
            "robust",
            "accuracy",
        ),
        told.asked_of_frames(
            "Do skip connections make the predicted frames better?",
            "no-skip",
            "original",
            "psnr_db",
        ),
        told.asked_of_frames(
            "Does the published tuning make the predicted frames better?",
            "original",
            "tuned",
            "psnr_db",
        ),
        told.asked_of_frames(
            "Do a search judged by held-out clips and more epochs make them better still?",
            "tuned",
            "searched",
            "psnr_db",
        ),
    ];
    questions.into_iter().flatten().collect()
}
