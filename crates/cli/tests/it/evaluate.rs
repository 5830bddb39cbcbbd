//! Both kinds of run, data that do not fit, broken weights.

use juggle_dataset::{ColorMode, Limits, read_png};

use crate::sandbox::Sandbox;

#[test]
fn a_classifier_reports_what_scripts_rely_on() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let evaluation = sandbox.juggle("evaluate out --json").json();
    assert_eq!(evaluation["split"], "test");
    assert_eq!(evaluation["n"], 8);
    assert_eq!(
        evaluation["classes"],
        serde_json::json!(["level", "upright"])
    );
    let matrix: Vec<Vec<u64>> =
        serde_json::from_value(evaluation["confusion_matrix"].clone()).unwrap();
    assert_eq!(
        matrix
            .iter()
            .map(|row| row.iter().sum())
            .collect::<Vec<u64>>(),
        [4, 4],
        "rows are true"
    );
    let accuracy = evaluation["accuracy"].as_f64().unwrap();
    assert_eq!(evaluation["report"]["accuracy"].as_f64(), Some(accuracy));
    assert_eq!(evaluation["report"]["level"]["support"].as_f64(), Some(4.0));
    assert!(
        evaluation["report_text"]
            .as_str()
            .unwrap()
            .contains("weighted avg")
    );
    let errors = evaluation["errors"].as_array().unwrap();
    assert_eq!(errors.len() as u64, matrix[0][1] + matrix[1][0]);
    for error in errors {
        assert_ne!(error["true"], error["predicted"]);
        assert!(error["probability"].as_f64().unwrap() >= 0.5);
        assert!(sandbox.exists(&format!("bars/{}", error["file"].as_str().unwrap())));
    }
}

#[test]
fn metrics_and_evaluation_agree_on_the_last_weights() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let metrics = sandbox.json("out/metrics.json");
    for split in ["train", "val"] {
        let evaluation = sandbox
            .juggle(&format!(
                "evaluate out --weights last --split {split} --json"
            ))
            .json();
        assert_eq!(evaluation["loss"], metrics[split]["loss"]);
        assert_eq!(evaluation["accuracy"], metrics[split]["accuracy"]);
    }
}

#[test]
fn a_classifier_s_text_has_report_matrix_and_errors() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    // A class whose test images are those of the other is misclassified whatever the weights are.
    sandbox.write_bars("bars/test/upright", "level", 4, 8);
    let output = sandbox.juggle("evaluate out --weights last");
    assert!(
        output
            .stderr
            .contains("evaluating out/last.safetensors on the test split of "),
        "{}",
        output.stderr
    );
    let text = output.done();
    for part in [
        "split     test (8 images)\n",
        "\naccuracy  0.5000\n",
        "   macro avg ",
        "confusion matrix (rows are true, columns predicted)\n",
        "\nmisclassified (4 of 8)\nfile ",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
}

#[test]
fn an_autoencoder_reports_three_rows() {
    let sandbox = Sandbox::with_clips();
    sandbox.train_clips("out");
    let output = sandbox.juggle("evaluate out --json --pictures grid.png");
    let evaluation = output.json();
    assert_eq!(
        (evaluation["split"].as_str(), evaluation["n"].as_u64()),
        (Some("val"), Some(4))
    );
    assert!(evaluation["loss"].as_f64().unwrap() > 0.0);
    for metric in ["psnr_db", "ssim", "ssim_gaussian"] {
        let rows = evaluation[metric].as_object().unwrap();
        assert_eq!(
            rows.keys().collect::<Vec<_>>(),
            ["prediction", "prediction_vs_last_frame", "last_frame"]
        );
        assert!(rows.values().all(serde_json::Value::is_f64), "{rows:?}");
    }
    // The dot moves by one pixel, so two pixels of 144 differ by 240/255.
    let copy = 10.0 * (144.0 / (2.0 * (240.0_f64 / 255.0).powi(2))).log10();
    assert!((evaluation["psnr_db"]["last_frame"].as_f64().unwrap() - copy).abs() < 1e-4);

    let grid = read_png(
        &sandbox.path("grid.png"),
        ColorMode::Gray,
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(
        (grid.shape.height, grid.shape.width),
        (2 * 50 + 2, 4 * 50 + 2),
        "two rows, one column a window"
    );
    let text = sandbox.juggle("evaluate out --split train").done();
    assert!(
        text.contains("split  train (8 windows)")
            && text.contains("prediction vs last input frame"),
        "{text}"
    );
}

#[test]
fn still_clips_have_an_infinite_copy_baseline() {
    let sandbox = Sandbox::with_clips();
    sandbox.train_clips("out");
    for frame in 0..6 {
        for split in ["train", "val"] {
            sandbox.write_gray(&format!("still/{split}/a/{frame}.png"), 12, |y, x| {
                u8::from(y > x) * 200
            });
        }
    }
    let evaluation = sandbox.juggle("evaluate out --data still --json").json();
    assert_eq!(evaluation["psnr_db"]["last_frame"], "inf");
    assert_eq!(evaluation["ssim"]["last_frame"], 1.0);
    let text = sandbox.juggle("evaluate out --data still").done();
    assert!(text.contains("copying)        inf   1.0000"), "{text}");
}

#[test]
fn frames_smaller_than_a_window_have_no_ssim() {
    let sandbox = Sandbox::new();
    for split in ["train", "val"] {
        for frame in 0..6 {
            sandbox.write_gray(&format!("clips/{split}/a/{frame}.png"), 8, |y, x| {
                u8::from(x == frame + y) * 90
            });
        }
    }
    sandbox.train_clips("out");
    let evaluation = sandbox.juggle("evaluate out --json").json();
    assert!(evaluation["ssim"]["prediction"].is_f64());
    assert!(evaluation["ssim_gaussian"].is_null(), "its window is 11×11");
}

#[test]
fn data_of_other_classes_or_sizes_are_refused() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    for class in ["level", "upright", "oblique"] {
        sandbox.write_bars(&format!("three/{class}"), class, 8, 8);
        sandbox.write_bars(&format!("large/{class}"), class, 8, 12);
    }
    assert_eq!(
        sandbox.juggle("evaluate out --data three").error(),
        "three has 3 classes (level, oblique, upright), but the run was trained on 2 (level, upright)"
    );
    assert_eq!(
        sandbox.juggle("evaluate out --data large").error(),
        "large has images of 1×12×12, but the run was trained on 1×8×8"
    );
}

#[test]
fn a_split_or_a_folder_that_is_not_there_is_named() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let data = sandbox.canonical("bars");
    std::fs::remove_dir_all(sandbox.path("bars/test")).unwrap();
    assert_eq!(
        sandbox.juggle("evaluate out").error(),
        format!("{data} has no test split: choose another with --split")
    );
    std::fs::rename(sandbox.path("bars"), sandbox.path("moved")).unwrap();
    assert_eq!(
        sandbox.juggle("evaluate out").error(),
        format!(
            "the run was trained on {data}, which is not there any more: name the data folder with --data"
        )
    );
    sandbox
        .juggle("evaluate out --data moved --split val")
        .done();
}

#[test]
fn a_folder_that_is_no_run_is_refused() {
    let sandbox = Sandbox::with_bars();
    assert_eq!(
        sandbox.juggle("evaluate nowhere").error(),
        "there is no run folder nowhere"
    );
    assert_eq!(
        sandbox.juggle("evaluate bars").error(),
        "bars is not a run folder: it has no config.toml"
    );
    sandbox.write("empty/config.toml", "");
    let error = sandbox.juggle("evaluate empty").error();
    assert!(
        error.starts_with("empty/config.toml is not a run's configuration: "),
        "{error}"
    );
}

#[test]
fn weights_that_do_not_load_are_named() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    sandbox.truncate("out/last.safetensors");
    let error = sandbox.juggle("evaluate out --weights last").error();
    assert!(
        error.starts_with("out/last.safetensors is not a safetensors file"),
        "{error}"
    );
    std::fs::remove_file(sandbox.path("out/last.safetensors")).unwrap();
    let error = sandbox.juggle("evaluate out --weights last").error();
    assert!(
        error.starts_with("cannot read out/last.safetensors: "),
        "{error}"
    );
    let config = sandbox
        .read("out/config.toml")
        .replace("batch_norm = false", "batch_norm = true");
    sandbox.write("out/config.toml", &config);
    let error = sandbox.juggle("evaluate out").error();
    assert!(
        error.starts_with("out/best.safetensors does not fit the network: "),
        "{error}"
    );
}

#[test]
fn a_run_without_a_finished_epoch_has_no_best_weights() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    std::fs::remove_file(sandbox.path("out/best.safetensors")).unwrap();
    assert_eq!(
        sandbox.juggle("evaluate out").error(),
        "out was interrupted before its first epoch ended: use --weights last"
    );
    sandbox.juggle("evaluate out --weights last").done();
}

#[test]
fn pictures_are_for_autoencoders() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    assert_eq!(
        sandbox.juggle("evaluate out --pictures grid.png").usage(),
        "--pictures is for autoencoders"
    );
}

#[test]
fn predictions_are_a_table_that_the_evaluation_agrees_with() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let evaluation = sandbox
        .juggle("evaluate out --json --predictions test.csv --no-report")
        .json();
    let table = sandbox.read("test.csv");
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("file,true,predicted,probability,p(level),p(upright)")
    );
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 8);
    let right = rows.iter().filter(|row| row[1] == row[2]).count() as f64;
    assert_eq!(evaluation["accuracy"].as_f64(), Some(right / 8.0));
    for row in &rows {
        assert!(sandbox.exists(&format!("bars/{}", row[0])), "{}", row[0]);
        let number = |i: usize| row[i].parse::<f32>().unwrap();
        let of_predicted = if row[2] == "level" { 4 } else { 5 };
        assert_eq!(number(3), number(of_predicted));
        assert!((number(4) + number(5) - 1.0).abs() < 1e-5);
    }
    let frames = Sandbox::with_clips();
    frames.train_clips("out");
    assert_eq!(
        frames.juggle("evaluate out --predictions x.csv").usage(),
        "--predictions is for classifiers"
    );
}

#[test]
fn no_report_leaves_the_page_of_before() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let page = sandbox.read("out/report.html");
    sandbox.juggle("evaluate out --no-report").done();
    assert_eq!(sandbox.read("out/report.html"), page);
    sandbox.juggle("evaluate out").done();
    assert_ne!(sandbox.read("out/report.html"), page);
}

#[test]
fn a_folder_of_a_test_split_alone_can_be_evaluated() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let whole = sandbox.juggle("evaluate out --json").done();
    for split in ["train", "val"] {
        std::fs::remove_dir_all(sandbox.path("bars").join(split)).unwrap();
    }
    assert_eq!(sandbox.juggle("evaluate out --json").done(), whole);
    assert_eq!(
        sandbox.juggle("evaluate out --split val").error(),
        format!(
            "{} has no val split: choose another with --split",
            sandbox.path("bars").display()
        )
    );
}
