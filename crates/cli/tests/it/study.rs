//! Studies: groups of runs, published numbers, and files that do not fit together.

use serde_json::json;

use crate::report::{NASTY, check, report, text};
use crate::sandbox::Sandbox;

/// A study with two recipes of two seeds each.
fn study() -> serde_json::Value {
    json!({
        "title": format!("Does it hold? {NASTY}"),
        "lead": ["A question.", "An answer."],
        "limits": ["The bars are not photographs."],
        "questions": [{"question": "Does it help?", "first": "plain", "second": NASTY, "metric": "accuracy"}],
        "groups": [
            {"name": "plain", "shows": "nothing added", "weights": "last", "split": "test",
             "runs": [{"run": "runs/plain-0", "evaluation": "plain-0.json"}, {"run": "runs/plain-1"}]},
            {"name": NASTY, "runs": [{"run": "runs/norm-0"}, {"run": "runs/norm-1"}]},
        ],
        "claims": [
            {"group": "plain", "metric": "accuracy", "published": 0.5, "decimals": 2, "n": 200},
            {"group": NASTY, "metric": "accuracy", "published": 0.97, "decimals": 2, "against": "plain", "tolerance": 0.1},
            {"group": "plain", "metric": "recall:level", "published": 0.5, "decimals": 2, "unjudged": "one epoch only"},
        ],
        "comparisons": [["plain", NASTY]],
        "sections": [{
            "heading": "Where it breaks",
            "task": "classifier",
            "paragraphs": ["Smaller is harder."],
            "questions": [{"question": "And the curves?", "first": "plain", "second": NASTY, "metric": "final_train_loss"}],
            "charts": [{"title": "accuracy by radius", "x_label": "radius, px", "y_label": "accuracy",
                "lines": [{"name": "plain", "x": [1.0, 2.0, 3.0], "y": [0.5, null, 0.9], "intervals": [[0.4, 0.6], [0.0, 1.0], [0.8, 1.0]]}]}],
            "tables": [{"caption": "Radii", "columns": ["radius", "accuracy"], "rows": [["1", "0.5"], ["3", "0.9"]]}],
            "pictures": [{"file": "bars/test/level/0.png", "caption": "A bar", "alt": "A white bar"}],
        }],
        "provenance": [["commit", "abcdef"]],
        "commands": ["make everything"],
    })
}

fn with_study() -> Sandbox {
    let sandbox = Sandbox::with_bars();
    for seed in 0..2 {
        for (name, flags) in [("plain", ""), ("norm", "--batch-norm")] {
            let run = format!("runs/{name}-{seed}");
            let train = format!(
                "train classifier --data bars --run {run} --epochs 1 --threads 1 --seed {seed} {flags}"
            );
            sandbox.juggle(&train).done();
        }
    }
    let evaluation = sandbox
        .juggle("evaluate runs/plain-0 --weights last --json")
        .done();
    sandbox.write("plain-0.json", &evaluation);
    sandbox.write("study.json", &study().to_string());
    sandbox
}

#[test]
fn a_study_groups_runs_and_judges_what_was_published() {
    let sandbox = with_study();
    let page = report(&sandbox, "--study study.json --out study.html");
    check(&page);
    let text = text(&page);
    for part in [
        "An answer.",
        "Of 3 published numbers, ",
        "Does it help?",
        "The 95% interval of the difference",
        "And the curves?",
        "By training loss: ",
        "recall of level",
        "one epoch only",
        "± 0.1",
        "1 is without a verdict",
        "The bars are not photographs.",
        "Published and measured",
        "Recipes over their seeds",
        "plain, published",
        "seed 1",
        "Where it breaks",
        "Smaller is harder.",
        "accuracy by radius",
        "abcdef",
        "make everything",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(page.contains("alt=\"A white bar\"") && !page.contains("<img src=x"));
    assert!(
        !text.contains("but these weights give"),
        "the evaluation and the weights agree"
    );
}

#[test]
fn a_study_falls_back_on_what_was_printed_and_notes_a_contradiction() {
    let sandbox = with_study();
    let wrong = sandbox
        .read("plain-0.json")
        .replace("\"loss\":", "\"loss\": 9, \"was\":");
    sandbox.write("plain-0.json", &wrong);
    let page = report(&sandbox, "--study study.json --out study.html");
    assert!(text(&page).contains("says loss 9, but these weights give"));
    std::fs::remove_file(sandbox.path("runs/plain-0/last.safetensors")).unwrap();
    let page = report(&sandbox, "--study study.json --out study.html");
    assert!(text(&page).contains("cannot read runs/plain-0/last.safetensors"));
    assert!(text(&page).contains("9.0000"), "the printed loss stands in");
}

#[test]
fn a_study_that_does_not_fit_together_is_refused() {
    let sandbox = with_study();
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut document = study();
        change(&mut document);
        sandbox.write("wrong.json", &document.to_string());
        sandbox
            .juggle("report --study wrong.json --out wrong.html")
            .error()
    };
    for (change, sentence) in [
        (
            &(|d: &mut serde_json::Value| d["claims"][0]["group"] = json!("x"))
                as &dyn Fn(&mut serde_json::Value),
            "wrong.json does not fit together: no group is named \"x\"",
        ),
        (
            &|d| d["claims"][1]["metric"] = json!("loss"),
            "for which no loss is published",
        ),
        (
            &|d| d["sections"][0]["questions"][0]["second"] = json!("y"),
            "wrong.json does not fit together: no group is named \"y\"",
        ),
        (
            &|d| d["titel"] = json!("x"),
            "wrong.json is not a study: unknown field `titel`",
        ),
        (
            &|d| d["sections"][0]["tables"][0]["rows"][0] = json!(["1"]),
            "a table of \"Where it breaks\" has 2 columns and a row of 1",
        ),
        (
            &|d| d["sections"][0]["charts"][0]["lines"][0]["x"] = json!([1.0]),
            "has 1 x, 3 y and 3 intervals",
        ),
        (
            &|d| d["sections"][0]["pictures"][0]["file"] = json!("study.json"),
            "study.json is not a PNG file",
        ),
        (
            &|d| d["groups"][0]["runs"][0]["run"] = json!("gone"),
            "there is no run folder gone",
        ),
        (&|d| d["groups"][0]["split"] = json!("tset"), "tset"),
    ] {
        let error = refused(change);
        assert!(
            error.contains(sentence),
            "{error:?} does not say {sentence:?}"
        );
    }
    assert!(!sandbox.exists("wrong.html"));
    sandbox.juggle("report").usage();
    sandbox.juggle("report --study study.json").usage();
    sandbox
        .juggle("report runs/plain-0 --study study.json --out x.html")
        .usage();
}
