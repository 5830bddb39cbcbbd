//! Searches: repeated, interrupted, killed, shared, misused.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::Sandbox;

/// Small and quick, with conditions, and without the nets that grow.
const SPACE: &str = r#"
learning_rate = { type = "float", low = 1e-4, high = 1e-2, log = true }
optimizer = { type = "categorical", choices = ["adam", "sgd"] }
momentum = { type = "float", low = 0.5, high = 0.95, when = { optimizer = "sgd" } }
"#;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_bars();
    sandbox.write("space.toml", SPACE);
    sandbox
}

/// A search over the bars in the study `name`.
fn search(name: &str, more: &str) -> String {
    format!(
        "tune classifier --data bars --study {name} --space space.toml --folds 2 --epochs 2 --threads 1 {more}"
    )
}

fn shown(sandbox: &Sandbox, name: &str) -> Value {
    sandbox.juggle(&format!("tune --show {name} --json")).json()
}

/// Number, state, value and parameters of every trial.
fn trials(shown: &Value) -> Vec<[Value; 4]> {
    let trials = shown["trials"].as_array().unwrap().iter();
    let of = |trial: &Value| ["number", "state", "value", "params"].map(|key| trial[key].clone());
    trials.map(of).collect()
}

#[test]
fn a_study_is_searched_once_repeats_and_its_winner_is_measured() {
    let sandbox = sandbox();
    let text = sandbox
        .juggle(&search("a", "--trials 6 --winner-seeds 2 --pruner none"))
        .done();
    assert!(text.contains("trials   6 complete\n"), "{text}");
    assert!(
        text.contains("lowest loss, mean over 2 parts of the training images"),
        "{text}"
    );
    let too_long = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(too_long, None, "{text}");
    let a = shown(&sandbox, "a");
    assert_eq!(a["winner"]["seeds"], serde_json::json!([1000, 1001]));
    assert_eq!(
        (&a["winner"]["split"], &a["winner"]["n"]),
        (&"test".into(), &8.into())
    );
    assert_eq!(a["winner"]["trial"], a["best"]);
    // Momentum is there with SGD alone.
    for trial in a["trials"].as_array().unwrap() {
        let params = &trial["params"];
        assert_eq!(
            params["optimizer"] == "sgd",
            params["momentum"].is_number(),
            "{trial}"
        );
        assert_eq!(trial["parts"].as_array().unwrap().len(), 2);
        assert_eq!(trial["intermediate"].as_array().unwrap().len(), 2);
    }

    // The same command has nothing left to do.
    sandbox
        .juggle(&search("a", "--trials 6 --winner-seeds 2 --pruner none"))
        .done();
    assert_eq!(shown(&sandbox, "a"), a);
    // With one worker another study of the same seed is the same study.
    sandbox
        .juggle(&search("b", "--trials 6 --winner-seeds 0 --pruner none"))
        .done();
    let b = shown(&sandbox, "b");
    assert_eq!(trials(&b), trials(&a));
    assert_eq!(b["winner"], Value::Null);

    // The exported settings train.
    sandbox
        .juggle("tune --show a --export best.toml --html a.html")
        .done();
    let best = &a["trials"][usize::try_from(a["best"].as_u64().unwrap()).unwrap()];
    let config: toml::Table = sandbox.read("best.toml").parse().unwrap();
    assert_eq!(
        config["training"]["learning_rate"].as_float(),
        best["params"]["learning_rate"].as_f64()
    );
    sandbox
        .juggle("train classifier --config best.toml --run best --threads 1")
        .done();
    assert!(sandbox.read("a.html").contains("<!DOCTYPE html>"));
}

/// A part of a trial is an ordinary run: its configuration says which images it was judged on.
#[test]
fn a_part_of_a_trial_can_be_trained_again() {
    let sandbox = sandbox();
    sandbox
        .juggle(&search("a", "--trials 1 --winner-seeds 0"))
        .done();
    let part = "studies/a/trials/00000/part-2";
    let config: toml::Table = sandbox
        .read(&format!("{part}/config.toml"))
        .parse()
        .unwrap();
    let validation = &config["data"]["validation"];
    assert_eq!(
        (
            validation["from"].as_str(),
            validation["index"].as_integer()
        ),
        (Some("fold"), Some(1))
    );
    sandbox
        .juggle(&format!(
            "train classifier --config {part}/config.toml --run again"
        ))
        .done();
    let epochs = |run: &str| {
        let epochs = sandbox.events(run, "epoch").into_iter();
        epochs
            .map(|epoch| (epoch["train"].clone(), epoch["val"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(epochs(part), epochs("again"));
}

#[test]
fn several_workers_and_processes_share_a_study() {
    let sandbox = sandbox();
    let command = search(
        "a",
        "--trials 10 --workers 2 --winner-seeds 1 --sampler random --pruner none",
    );
    let start = || {
        let mut command = sandbox.command(&command);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let processes = [start(), start()];
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let together = shown(&sandbox, "a");
    assert_eq!(together["counts"]["running"], 0);
    // Between looking and taking the other process may take one too.
    let n = together["counts"]["complete"].as_u64().unwrap();
    assert!((10..=11).contains(&n), "{n}");
    // Random settings do not depend on who runs a trial, and neither do the bits.
    sandbox
        .juggle(&search(
            "b",
            &format!("--trials {n} --winner-seeds 1 --sampler random --pruner none"),
        ))
        .done();
    let alone = shown(&sandbox, "b");
    assert_eq!(trials(&together), trials(&alone));
    assert_eq!(together["winner"]["loss"], alone["winner"]["loss"]);
}

#[cfg(unix)]
#[test]
fn a_stopped_search_goes_on_where_it_was() {
    let sandbox = sandbox();
    let long = "--trials 2 --epochs 150 --winner-seeds 0 --pruner none --sampler random";
    let long = search("a", long).replace("--epochs 2 ", "");
    let whole = long.replace("--study a", "--study whole");
    sandbox.juggle(&whole).done();
    let whole = trials(&shown(&sandbox, "whole"));
    for signal in ["INT", "KILL"] {
        let study = format!("study-{signal}");
        let command = long.replace("--study a", &format!("--study {study}"));
        let child = sandbox
            .command(&command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let checkpoint = sandbox.path(&format!(
            "studies/{study}/trials/00000/part-2/last.safetensors"
        ));
        let started = Instant::now();
        while !checkpoint.exists() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no trial began"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = std::process::Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        let output = child.wait_with_output().unwrap();
        if signal == "INT" {
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(130), "{stderr}");
            assert!(
                stderr.ends_with(
                    "interrupted: 0 of 2 trials are done; the same command goes on with the study\n"
                ),
                "{stderr}"
            );
        }
        let text = sandbox.juggle(&command).done();
        assert!(text.contains("trials   2 complete\n"), "{text}");
        let found = trials(&shown(&sandbox, &study));
        // Trial 0 was marked as failed, and a new trial took up its values and its checkpoints.
        assert_eq!(found[0][1], "FAIL");
        let taken_up = found[1..]
            .iter()
            .find(|trial| trial[3] == found[0][3])
            .unwrap();
        assert_eq!(
            taken_up[2], whole[0][2],
            "the same bits as without the {signal}"
        );
        assert!(!sandbox.exists(&format!("studies/{study}/trials/00001")) || found.len() > 2);
    }
}

#[test]
fn what_would_overfit_must_be_asked_for_and_is_marked() {
    let sandbox = sandbox();
    let sentence = sandbox
        .juggle(&search("a", "--trials 2 --judge test").replace("--folds 2 ", ""))
        .usage();
    assert!(
        sentence.contains("--judge test: the test images are what the result is measured on"),
        "{sentence}"
    );
    assert!(!sandbox.exists("studies/a"));
    let text = sandbox
        .juggle(
            &search(
                "a",
                "--trials 2 --judge test --i-know-this-overfits --winner-seeds 1",
            )
            .replace("--folds 2 ", ""),
        )
        .done();
    assert!(
        text.contains("WARNING  these trials were judged by the images"),
        "{text}"
    );
    assert_eq!(shown(&sandbox, "a")["overfits"], true);
    let page = sandbox.juggle("tune --show a --html a.html");
    page.done();
    assert!(sandbox.read("a.html").contains("look better than they are"));

    let clips = Sandbox::with_clips();
    let sentence = clips
        .juggle("tune autoencoder --data clips --judge val")
        .usage();
    assert!(
        sentence.contains("an autoencoder's validation clips"),
        "{sentence}"
    );
}

#[test]
fn an_autoencoder_is_searched_by_its_psnr() {
    let sandbox = Sandbox::with_clips();
    let text = sandbox
        .juggle(
            "tune autoencoder --data clips --epochs 2 --folds 2 --trials 4 --objective psnr --threads 1 --winner-seeds 1 \
             --fix batch_norm=false --search widths=4,8;2,4 --search input_frames=1..3 --only learning_rate=1e-3..1e-2:log",
        )
        .done();
    assert!(text.contains("highest PSNR"), "{text}");
    assert!(text.contains("ssim"), "{text}");
    let found = shown(&sandbox, "autoencoder");
    let values: Vec<f64> = trials(&found)
        .iter()
        .filter(|trial| trial[1] == "COMPLETE")
        .map(|trial| trial[2].as_f64().unwrap())
        .collect();
    let best = &found["trials"][usize::try_from(found["best"].as_u64().unwrap()).unwrap()];
    assert_eq!(
        best["value"].as_f64().unwrap(),
        values.iter().copied().fold(f64::MIN, f64::max)
    );
    assert_eq!(best["params"].as_object().unwrap().len(), 3);
}

#[test]
fn a_study_goes_on_only_as_it_was_begun() {
    let sandbox = sandbox();
    sandbox
        .juggle(&search("a", "--trials 1 --winner-seeds 0"))
        .done();
    for (more, expected) in [
        (
            "--label-smoothing 0.1",
            "training.label_smoothing is 0.1, but the study has 0.0",
        ),
        ("--seed 3", "seed is 3, but the study has 0"),
        ("--objective accuracy", "but the study has"),
    ] {
        let sentence = sandbox
            .juggle(&search("a", &format!("--trials 2 {more}")))
            .error();
        assert!(
            sentence.starts_with("the study \"a\" was begun with other settings: ")
                || more.contains("objective"),
            "{sentence}"
        );
        assert!(
            sentence.contains(expected) || more.contains("objective"),
            "{sentence}"
        );
    }
    sandbox.write_gray("bars/train/level/new.png", 8, |_, _| 7);
    let sentence = sandbox.juggle(&search("a", "--trials 2")).error();
    assert!(sentence.contains("data_sha256"), "{sentence}");
}

#[test]
fn mistakes_are_told_before_anything_is_written() {
    let sandbox = sandbox();
    for (more, expected) in [
        ("--search learning_rat=1..2", "did you mean `learning_rate`"),
        ("--search learning_rate=0..1", "training.learning_rate is 0"),
        ("--search learning_rate=1..0.5", "learning_rate"),
        ("--fix optimizer=foo", "--fix optimizer=foo"),
        ("--fix batch_size=2.5", "`2.5` is not a whole number"),
        ("--folds 13", "has too few images: 12, expected at least 13"),
        ("--objective psnr", "--objective psnr is for autoencoders"),
        ("--lr 0.1 --optimizer adam", "nothing is left to search"),
        ("--study a/b", "needs --out DIR"),
        ("--storage sqlite:x", "sqlite:x"),
    ] {
        let mut line = search("a", more);
        if more.contains("--folds") {
            line = line.replace("--folds 2 ", "");
        }
        if more.contains("--study") {
            line = line.replace("--study a ", "");
        }
        let output = sandbox.juggle(&line);
        assert!(matches!(output.code, Some(1 | 2)), "{more}: {output:#?}");
        assert!(output.stderr.contains(expected), "{more}: {output:#?}");
        assert_eq!(output.stdout, "");
    }
    assert!(!sandbox.exists("studies/a/journal.log"));
    let sentence = sandbox.juggle("tune --show nothing").error();
    assert!(
        sentence.starts_with("there is no study \"nothing\""),
        "{sentence}"
    );
    sandbox.juggle("tune --storage journal:x").usage();
}

/// A trial whose loss is no number fails, and the search goes on.
#[test]
fn a_trial_that_diverges_fails_alone() {
    let sandbox = sandbox();
    let text = sandbox
        .juggle(
            "tune classifier --data bars --study a --folds 2 --epochs 2 --trials 4 --threads 1 --sampler grid \
             --winner-seeds 0 --only learning_rate=0.001,1e30 --search optimizer=sgd,adam",
        )
        .done();
    assert!(text.contains("failed"), "{text}");
    let found = trials(&shown(&sandbox, "a"));
    assert_eq!(found.len(), 4);
    assert!(found.iter().any(|trial| trial[1] == "FAIL"));
    assert!(found.iter().any(|trial| trial[1] == "COMPLETE"));
}
