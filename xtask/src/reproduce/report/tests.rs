use std::collections::BTreeMap;

use super::super::document::to_terminal;
use super::super::outputs::{Layer, Summary};
use super::super::results::search::{Candidate, FramesSearch};
use super::super::results::tests::{autoencoder_runs, classifier_runs};
use super::super::results::{
    Epochs, Invocation, StageRecord, autoencoder_results, bands, classifier_results,
};
use super::super::stages::Size;
use super::super::stamp::Freshness;
use super::*;
use crate::provenance::{Provenance, WorkTree};

fn frames_search() -> FramesSearch {
    let candidate = |number, psnr_db, rate: f64| Candidate {
        number,
        psnr_db,
        settings: BTreeMap::from([
            ("learning_rate".to_owned(), rate.into()),
            ("batch_norm".to_owned(), true.into()),
            ("optimizer".to_owned(), "adamw".into()),
        ]),
    };
    FramesSearch {
        judged: "highest PSNR on a share of the training clips".into(),
        trials: 24,
        pruned: 11,
        epochs: 6,
        best: vec![candidate(7, 31.25, 0.02), candidate(3, 30.5, 0.001)],
        importances: vec![],
    }
}

pub(in crate::reproduce) fn results(size: Size) -> Results {
    let classifier: Vec<_> = [
        "original",
        "tuned",
        "searched",
        "batch-norm",
        "l2",
        "robust",
    ]
    .into_iter()
    .map(|recipe| classifier_results(recipe, classifier_runs(3)))
    .collect();
    let autoencoder: Vec<_> = [
        ("original", 29.5),
        ("tuned", 30.9),
        ("no-skip", 27.5),
        ("searched", 35.5),
    ]
    .into_iter()
    .map(|(recipe, psnr_db)| autoencoder_results(recipe, autoencoder_runs(psnr_db)))
    .collect();
    let epochs = Epochs {
        classifier: 25,
        classifier_published: 25,
        autoencoder: 8,
        autoencoder_published: 30,
    };
    let layers = published::LAYER_PARAMETERS
        .iter()
        .enumerate()
        .map(|(index, &parameters)| Layer {
            name: index.to_string(),
            kind: "Conv2d".into(),
            output_shape: vec![16, 32, 32],
            parameters,
        });
    let summary = Summary {
        layers: layers.collect(),
        parameters: published::PARAMETERS,
    };
    let stage = |name: &str, freshness| StageRecord {
        name: name.into(),
        freshness,
        wall_s: Some(75.0),
        finished: None,
        commands: vec![format!("juggle {name}")],
    };
    Results {
        quick: size == Size::Quick,
        provenance: Provenance {
            date: "2026-01-02 03:04 UTC".into(),
            commit: "0123abc".into(),
            work_tree: WorkTree::Changed,
            cpu: "Example CPU".into(),
            n_cores: 2,
            system: "Linux".into(),
            rustc: "rustc 1.95.0".into(),
        },
        invocation: Invocation {
            command: "cargo xtask reproduce".into(),
            jobs: 2,
            wall_s: 150.0,
        },
        binary_sha256: "b".into(),
        data_sha256: "d".into(),
        epochs,
        data: BTreeMap::new(),
        summaries: BTreeMap::from([("classifier", summary)]),
        bands: bands(size, epochs, &classifier, &autoencoder),
        classifier,
        autoencoder,
        fresh: None,
        searches: vec![],
        frames_search: Some(frames_search()),
        explanations: BTreeMap::new(),
        hashes: BTreeMap::new(),
        stages: vec![
            stage("data/synth", Freshness::UpToDate),
            stage("classifier/original/seed-0", Freshness::OtherBinary),
            stage("classifier/original/seed-1", Freshness::Missing),
        ],
    }
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    // Tables are padded, so runs of spaces count as one.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn the_first_paragraph_says_what_agreement_means() {
    let blocks = blocks(&results(Size::Full), None);
    let Block::Paragraph(first) = &blocks[1] else {
        panic!("{:?}", blocks[1])
    };
    for part in [
        "images are lost",
        "synthetic stand-in",
        "a calibration",
        "no independent finding",
    ] {
        assert!(first.contains(part), "{first}");
    }
}

#[test]
fn published_numbers_stand_beside_measured_ones() {
    has(
        &to_markdown(&blocks(&results(Size::Full), None)),
        &[
            "| 1 | Conv2d | 16×32×32 | 4,640 | 4,640 | yes |",
            "| total | | | 77,539 | 77,539 | yes |",
            "| training loss | 0.00088 | 0.00100 | 0.00100 | 0.00100 | 3 |",
            "| test accuracy | 0.830 | 0.840 | 0.830 | 0.850 | 3 |",
            "| 3 balls: recall | 0.54 | 0.54 | 0.54 | 0.54 | 3 |",
            "| images of 3 balls taken for 2, of 67 | 31 | 32.0 | 31.0 | 33.0 | 3 |",
            "| L2 0.001 | `l2` | 0.840 | 0.830 | 0.850 | 3 |",
            "| output vs truth: PSNR dB | 31.13 | 30.900 | 30.900 | 30.900 | 1 |",
            "| output vs truth: PSNR dB | – | 35.500 | 35.500 | 35.500 | 1 |",
            "| output vs last input frame: SSIM | 0.668 | 0.6800 |",
            "| without skips: PSNR dB | – | 27.500 |",
            "| copy baseline, PSNR dB | 13.91348 | 13.91348 | yes |",
            "| copy baseline, SSIM | 0.67633 | 0.67633 | yes |",
            "| classifier original | test accuracy | 8 | 0.825–0.865 | 0.840 | 3 | yes |",
            "| autoencoder original | PSNR dB | 2 | 29.11–30.18 | 29.50 | 1 | – |",
            "0123abc with uncommitted changes",
            "# data/synth juggle data/synth",
            "![Classifier, original: loss](figures/classifier-original-loss.svg)",
            "(figures/autoencoder-tuned-seed-0.png)",
            "(figures/autoencoder-skips-psnr.svg)",
        ],
    );
}

#[test]
fn a_baseline_that_is_off_fails_its_check() {
    let mut results = results(Size::Full);
    let spread = results.autoencoder[1]
        .spreads
        .get_mut("psnr_db_last_frame")
        .unwrap();
    spread.max = 13.9136;
    assert_eq!(broken_checks(&results), ["copy baseline, PSNR dB"]);
    has(
        &to_markdown(&blocks(&results, None)),
        &["| copy baseline, PSNR dB | 13.91348 | 13.91348 | NO |"],
    );
}

#[test]
fn what_is_not_comparable_says_so() {
    let full = to_terminal(&blocks(&results(Size::Full), None));
    has(
        &full,
        &[
            "Deviation: the autoencoder was trained for 8 instead of 30 epochs",
            "Not run, and shown as –: `classifier/original/seed-1`",
            "another build of the binary: `classifier/original/seed-0`",
        ],
    );
    assert!(!full.contains("quick run"));
    has(
        &to_terminal(&blocks(&results(Size::Quick), None)),
        &["quick: not for comparison", "not meant for comparison"],
    );
}

#[test]
fn a_report_of_nothing_has_gaps_and_no_figures() {
    let mut empty = results(Size::Full);
    empty.summaries.clear();
    for recipe in &mut empty.classifier {
        *recipe = classifier_results(recipe.recipe, vec![]);
    }
    for recipe in &mut empty.autoencoder {
        *recipe = autoencoder_results(recipe.recipe, vec![]);
    }
    let text = to_markdown(&blocks(&empty, None));
    has(
        &text,
        &[
            "| test accuracy | 0.830 | – | – | – | – |",
            "Not run: `summary`.",
        ],
    );
    assert!(!text.contains("!["), "{text}");
    assert!(figures::draw(&empty).unwrap().is_empty());
    assert!(broken_checks(&empty).is_empty());
}

#[test]
fn every_figure_that_is_shown_is_drawn() {
    let results = results(Size::Full);
    let drawn: Vec<_> = figures::draw(&results)
        .unwrap()
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    for block in blocks(&results, None) {
        if let Block::Image { path, .. } = block
            && path.ends_with(".svg")
        {
            assert!(
                drawn.iter().any(|drawn| drawn.as_os_str() == path.as_str()),
                "{path}"
            );
        }
    }
}

#[test]
fn thousands_are_grouped() {
    assert_eq!(thousands(0), "0");
    assert_eq!(thousands(77_539), "77,539");
    assert_eq!(thousands(1_000_000), "1,000,000");
}
