use serde_json::json;

use super::super::report::tests::results;
use super::super::results::fresh::{Bin, ByFactor, Factor, Fresh, FreshRecipe};
use super::super::stages::Size;
use super::*;
use crate::bench::ratios::Ratio;

fn plan(size: Size) -> Plan {
    Plan {
        size,
        classifier_epochs: 25,
        autoencoder_epochs: 30,
        classifier_seeds: vec![0, 1, 2],
        autoencoder_seeds: vec![0],
        out: "out".into(),
    }
}

/// An audit with a leak, and with test images that hold less light.
fn audit(shared: u64) -> Value {
    let shift = |class: &str, median: f64| json!({"split": "test", "class": class, "quantity": "brightness", "median": median, "train_median": 0.1, "p_adjusted": 1e-9});
    json!({
        "overlaps": [{"split": "val", "other": "train", "images": 240, "images_with_shared_prefix": shared,
            "nearest_with_same_prefix": 181, "same_prefix_by_chance": 29.5}],
        "shifts": [shift("1", 0.07), shift("2", 0.08), shift("3", 0.09)],
        "findings": [{"title": "val leaks", "level": "warning", "found": "24 clips"}],
    })
}

/// Counts that follow the brightness for one recipe and not for the others.
fn fresh() -> Fresh {
    let bin = |low: f64, accuracy: f64, excess: f64| Bin {
        low,
        high: low + 0.1,
        images: 500,
        accuracy,
        interval: [accuracy - 0.05, accuracy],
        excess,
    };
    let recipe = |recipe, faint: f64| FreshRecipe {
        recipe,
        accuracy: Spread {
            mean: 0.875,
            min: 0.85,
            max: 0.9,
            n: 3,
        },
        interval: [0.87, 0.88],
        by: Factor::ALL
            .map(|factor| ByFactor {
                factor,
                bins: vec![bin(0.8, 0.5, faint), bin(0.9, 0.95, 0.01)],
            })
            .into(),
    };
    Fresh {
        images: 20_000,
        recipes: vec![recipe("original", -0.6), recipe("robust", 0.0)],
    }
}

fn told<T>(results: &Results, look: impl Fn(&Told<'_>) -> T) -> T {
    let size = if results.quick {
        Size::Quick
    } else {
        Size::Full
    };
    let plan = plan(size);
    let ratios = Ratios {
        date: "2026-01-01".into(),
        commit: "abcdef0123456789".into(),
        cpu: "Example CPU".into(),
        torch: "2.15.0".into(),
        rows: vec![Ratio {
            id: "train-classifier".into(),
            threads: 1,
            median: 2.5,
            min: 2.0,
            max: 3.0,
        }],
    };
    look(&Told {
        plan: &plan,
        results,
        ratios: Some(&ratios),
    })
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn whatever_is_named_is_a_group() {
    let mut results = results(Size::Full);
    // Recipes that were not run leave no claim, comparison or question behind.
    for n_missing in 0..3 {
        let study = told(&results, |told| told.study());
        let groups = study["groups"].as_array().unwrap();
        assert_eq!(groups.len(), 10 - n_missing);
        let is_group = |name: &Value| groups.iter().any(|group| group["name"] == *name);
        for claim in study["claims"].as_array().unwrap() {
            assert!(is_group(&claim["group"]), "{claim}");
            assert!(
                claim["against"].is_null() || is_group(&claim["against"]),
                "{claim}"
            );
        }
        for name in study["comparisons"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|pair| pair.as_array().unwrap())
        {
            assert!(is_group(name), "{name}");
        }
        let sections = study["sections"].as_array().unwrap();
        let of_sections = sections
            .iter()
            .filter_map(|section| section["questions"].as_array());
        for question in of_sections.chain(study["questions"].as_array()).flatten() {
            assert!(
                is_group(&question["first"]) && is_group(&question["second"]),
                "{question}"
            );
        }
        // The tuned classifier, then the first autoencoder.
        if n_missing == 0 {
            results.classifier[1].runs.clear();
        } else {
            results.autoencoder[0].runs.clear();
        }
    }
}

#[test]
fn every_published_number_is_claimed() {
    let study = told(&results(Size::Full), |told| told.study());
    let claims = study["claims"].as_array().unwrap();
    let has = |group: &str, metric: &str, published: f64| {
        claims.iter().any(|claim| {
            claim["group"] == group && claim["metric"] == metric && claim["published"] == published
        })
    };
    assert_eq!(claims.len(), 2 + 4 + 6 + 2 + 1 + 4 + 4);
    for claim in claims {
        let of_frames = claim["group"].as_str().unwrap().starts_with("next frame");
        assert_eq!(
            claim["unjudged"].is_string(),
            of_frames,
            "8 epochs of 30: {claim}"
        );
    }
    assert_eq!(claims[0]["tolerance"], 0.05);
    assert_eq!(claims[1]["tolerance"], Value::Null, "a loss");
    assert!(has("original", "final_train_loss", 0.00088));
    assert!(has("original", "recall:3", 0.54));
    assert!(has("tuned", "loss", 0.1101));
    assert!(has("searched", "accuracy", 1.0));
    assert!(has("next frame tuned, as published", "psnr_db", 31.13));
    assert!(has("next frame original", "ssim_vs_last_frame", 0.668));
}

#[test]
fn the_lead_says_what_the_results_say() {
    let mut results = results(Size::Full);
    results.data.insert("balls", audit(240));
    results.fresh = Some(fresh());
    let lead = told(&results, story::lead).join("\n");
    has(
        &lead,
        &[
            "with 83% of its 200 test images right",
            "lift that to 97%",
            "from 30.05 to 31.13 dB",
            "the plain counter is right for 84.0% (83.0 to 85.0% over 3 seeds) of the test images",
            "on 20,000 fresh ones of the same kind the accuracies are: original 87.5%",
            "240 of the 240 validation images are frames of clips that are trained on",
            "they hold 70 to 90% of the light of training images",
            "reach a PSNR of 29.50 dB (one seed)",
        ],
    );
    results.data.insert("balls", audit(0));
    has(
        &told(&results, story::lead).join("\n"),
        &["no validation image comes from a clip that is trained on"],
    );
}

#[test]
fn whether_it_counts_light_follows_from_the_fresh_images() {
    let mut results = results(Size::Full);
    results.fresh = Some(fresh());
    let text = told(&results, fresh::light).unwrap();
    has(
        &text,
        &[
            "finds 0.60 balls too few where they are faint",
            "and 0.01 balls too many where they are bright",
            "it counts light as much as balls",
        ],
    );
    has(
        &told(&results, fresh::light_of_others).unwrap(),
        &["robust just as many as there are and 0.01 balls too many"],
    );
    let mut even = fresh();
    even.recipes[0].by[1].bins[0].excess = 0.0;
    results.fresh = Some(even);
    has(
        &told(&results, fresh::light).unwrap(),
        &["it does not count light"],
    );
}

#[test]
fn skips_are_told_by_curves_that_the_runs_have() {
    let mut results = results(Size::Full);
    let section = told(&results, frames::skips).unwrap();
    let paragraphs = section["paragraphs"].to_string();
    has(&paragraphs, &["Not every run with skips reaches"]);
    assert_eq!(
        section["charts"].as_array().unwrap().len(),
        1,
        "no run has gradients"
    );
    assert_eq!(
        section["charts"][0]["lines"][0]["y"],
        json!([21.0, 22.0, 23.0])
    );

    let without = &mut results.autoencoder[2];
    without.spreads.get_mut("psnr_db_prediction").unwrap().mean = 21.5;
    let mut summary = results.summaries["classifier"].clone();
    summary.layers.truncate(1);
    summary.layers[0].name = "encoder1.0".into();
    results.summaries.insert("autoencoder", summary);
    for (recipe, norm) in [(0, 0.5), (2, 0.1)] {
        for epoch in &mut results.autoencoder[recipe].runs[0].epochs {
            let norm = super::super::outputs::Number::Finite(norm);
            epoch
                .gradient_norms
                .insert("encoder1.0.weight".into(), norm);
        }
    }
    let section = told(&results, frames::skips).unwrap();
    has(
        &section["paragraphs"].to_string(),
        &[
            "the network with skips has after 2 epochs (one seed)",
            "The gradient that reaches the first layer (encoder1.0) is 5.0 times as large with skips as without",
        ],
    );
    assert_eq!(section["charts"].as_array().unwrap().len(), 3);
    assert_eq!(
        section["charts"][1]["lines"][0]["y"],
        json!([0.5, 0.5, 0.5])
    );
}

#[test]
fn pytorch_s_time_is_ours_by_the_measured_ratio() {
    let results = results(Size::Full);
    told(&results, |told| {
        let times = training_times(told.results, told.ratios);
        let of = |recipe: &str| times.iter().find(|time| time.recipe == recipe).unwrap();
        assert_eq!(of("original").pytorch_s(), Some(2.5 * 3.0 * 9.5));
        assert_eq!(of("tuned").pytorch_s(), None, "its row was not measured");
        let sections = background::times(told);
        has(
            &sections[0].to_string(),
            &[
                "measured 2026-01-01 on Example CPU",
                "at commit abcdef012345",
            ],
        );
    });
    let unknown = training_times(&results, None);
    assert!(unknown.iter().all(|time| time.ratio.is_none()));
}

#[test]
fn layers_stand_beside_the_published_ones() {
    let mut results = results(Size::Full);
    let tables = told(&results, background::checks)["tables"].clone();
    assert_eq!(tables[1]["rows"].as_array().unwrap().len(), 6);
    assert_eq!(
        tables[1]["rows"][4],
        json!(["4 Conv2d", "65,600", "65,600", "yes"])
    );
    results.summaries.get_mut("classifier").unwrap().layers[4].parameters = 65_601;
    let tables = told(&results, background::checks)["tables"].clone();
    assert_eq!(tables[1]["rows"][4][3], "NO");
}

#[test]
fn nothing_is_written_before_a_run_is_there() {
    let mut results = results(Size::Quick);
    for recipe in &mut results.classifier {
        recipe.runs.clear();
    }
    for recipe in &mut results.autoencoder {
        recipe.runs.clear();
    }
    let study = told(&results, |told| told.study());
    assert_eq!(study["groups"], json!([]));
    has(&study["limits"][0].to_string(), &["This is a quick run"]);
    let written = write(
        &plan(Size::Quick),
        &results,
        None,
        Path::new("no-such-program"),
    )
    .unwrap();
    assert_eq!(written, None);
}

/// The search's winner among the recipes of the autoencoder.
const SEARCHED: usize = 3;

#[test]
fn the_search_says_whether_its_winner_beats_what_was_published() {
    let mut results = results(Size::Full);
    let section = told(&results, search::of_frames).unwrap();
    has(
        &section["paragraphs"].to_string(),
        &[
            "24 trials of 6 epochs by `juggle tune`, 11 of them ended early; wanted was the highest PSNR on a share",
            "31.25 dB there, with batch norm, learning rate 2.00e-2, optimizer adamw",
            "published for the tuned recipe are 31.13 dB and 0.975",
        ],
    );
    assert_eq!(section["tables"][0]["rows"][1][0], "3");
    let spreads = &mut results.autoencoder[SEARCHED].spreads;
    *spreads.get_mut("ssim_prediction").unwrap() = Spread {
        mean: 0.98,
        min: 0.97,
        max: 0.99,
        n: 3,
    };
    let verdict =
        |results: &Results| told(results, search::of_frames).unwrap()["paragraphs"].to_string();
    has(
        &verdict(&results),
        &["On average that is more, not with every seed"],
    );
    results.autoencoder[SEARCHED]
        .spreads
        .get_mut("psnr_db_prediction")
        .unwrap()
        .mean = 31.0;
    has(&verdict(&results), &["That is not more in both"]);
}

#[test]
fn marks_of_markdown_are_taken_off() {
    let mut study =
        json!({"paragraphs": ["by `juggle tune`"], "tables": [{"rows": [["`a`", "1"]]}]});
    without_marks(&mut study);
    assert_eq!(
        study,
        json!({"paragraphs": ["by juggle tune"], "tables": [{"rows": [["a", "1"]]}]})
    );
}
