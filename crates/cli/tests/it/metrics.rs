//! Images, folders, label files.

use expect_test::expect;

use crate::sandbox::Sandbox;

/// `a.png` and `b.png` differ by 10 everywhere.
fn with_images() -> Sandbox {
    let sandbox = Sandbox::new();
    let pixel = |y: usize, x: usize| u8::try_from((y * 16 + x) % 200).unwrap();
    for folder in ["truth", "same", "other"] {
        let offset = if folder == "other" { 10 } else { 0 };
        sandbox.write_gray(&format!("{folder}/a.png"), 16, |y, x| pixel(y, x) + offset);
        sandbox.write_gray(&format!("{folder}/inner/b.png"), 16, |y, x| {
            pixel(x, y) + offset
        });
    }
    sandbox
}

#[test]
fn psnr_of_two_images() {
    let sandbox = with_images();
    let result = sandbox
        .juggle("metrics psnr truth/a.png other/a.png --json")
        .json();
    let expected = 20.0 * 25.5_f64.log10();
    assert_eq!(
        (result["metric"].as_str(), result["n"].as_u64()),
        (Some("psnr"), Some(1))
    );
    assert!((result["mean"].as_f64().unwrap() - expected).abs() < 1e-12);
    assert_eq!(result["values"][0]["name"], "other/a.png");
    assert_eq!(result["values"][0]["value"], result["mean"]);
    let half = sandbox
        .juggle("metrics psnr truth/a.png other/a.png --data-range 127.5 --json")
        .json();
    assert!((half["mean"].as_f64().unwrap() - (expected - 20.0 * 2_f64.log10())).abs() < 1e-12);
    assert_eq!(
        sandbox
            .juggle("metrics psnr truth/a.png other/a.png")
            .done(),
        "other/a.png  28.1308 dB\n"
    );
}

#[test]
fn folders_are_matched_by_name() {
    let sandbox = with_images();
    let result = sandbox.juggle("metrics ssim truth other --json").json();
    assert_eq!(
        (result["metric"].as_str(), result["n"].as_u64()),
        (Some("ssim"), Some(2))
    );
    assert_eq!(
        (&result["values"][0]["name"], &result["values"][1]["name"]),
        (&"a.png".into(), &"inner/b.png".into())
    );
    let gaussian = sandbox
        .juggle("metrics ssim truth other --gaussian --json")
        .json();
    assert_eq!(gaussian["metric"], "ssim_gaussian");
    assert_ne!(gaussian["mean"], result["mean"]);
    let text = sandbox.juggle("metrics ssim truth same").done();
    assert_eq!(
        text,
        "a.png        1.000000\ninner/b.png  1.000000\nmean         1.000000\n"
    );
}

#[test]
fn an_infinite_psnr_is_the_string_inf() {
    let sandbox = with_images();
    let result = sandbox.juggle("metrics psnr truth same --json").json();
    assert_eq!(
        (
            result["mean"].as_str(),
            result["values"][1]["value"].as_str()
        ),
        (Some("inf"), Some("inf"))
    );
    assert!(
        sandbox
            .juggle("metrics psnr truth same")
            .done()
            .ends_with("mean         inf dB\n")
    );
}

#[test]
fn colour_is_not_read_as_gray() {
    let sandbox = with_images();
    let shape = juggle_dataset::ImageShape {
        channels: 3,
        height: 16,
        width: 16,
    };
    // Two colours of equal luma differ all the same.
    sandbox.write_image("red.png", shape, [[255; 256], [0; 256], [0; 256]].concat());
    sandbox.write_image("gray.png", shape, vec![76; 768]);
    let psnr_db = sandbox
        .juggle("metrics psnr red.png gray.png --json")
        .json()["mean"]
        .as_f64()
        .unwrap();
    assert!(psnr_db < 10.0, "{psnr_db}");
}

#[test]
fn images_that_cannot_be_compared_are_named() {
    let sandbox = with_images();
    let error = |arguments: &str| sandbox.juggle(&format!("metrics ssim {arguments}")).error();
    assert_eq!(
        error("nowhere.png truth/a.png"),
        "there is no file or folder nowhere.png"
    );
    assert_eq!(
        error("truth truth/a.png"),
        "truth is a folder but truth/a.png is a file"
    );
    assert_eq!(
        error("truth/a.png truth"),
        "truth/a.png is a file but truth is a folder"
    );
    std::fs::remove_file(sandbox.path("other/inner/b.png")).unwrap();
    assert_eq!(
        error("truth other"),
        "truth/inner/b.png has no counterpart other/inner/b.png"
    );
    assert_eq!(
        error("other truth"),
        "truth/inner/b.png has no counterpart other/inner/b.png"
    );
    sandbox.write_gray("small.png", 5, |_, _| 0);
    assert_eq!(
        error("truth/a.png small.png"),
        "truth/a.png and small.png: truth has shape 1×1×16×16 but prediction has shape 1×1×5×5"
    );
    assert_eq!(
        error("small.png small.png"),
        "small.png and small.png: image of height 5 and width 5 is smaller than the 7×7 pixels that the window needs"
    );
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    assert_eq!(error("empty empty"), "there are no PNG images in empty");
    sandbox.truncate("other/a.png");
    assert!(error("truth/a.png other/a.png").contains("other/a.png is truncated"));
    sandbox
        .juggle("metrics psnr truth other --data-range 0")
        .usage();
    sandbox
        .juggle("metrics psnr truth other --gaussian")
        .usage();
}

#[test]
fn the_report_is_scikit_learn_s() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "labels.csv",
        "file,pred,true\na,cat,cat\nb,cat,dog\nc,dog,dog\nd,dog,dog\n",
    );
    let text = sandbox.juggle("metrics report labels.csv").done();
    expect![[r#"
                      precision    recall  f1-score   support

                 cat       0.50      1.00      0.67         1
                 dog       1.00      0.67      0.80         3

            accuracy                           0.75         4
           macro avg       0.75      0.83      0.73         4
        weighted avg       0.88      0.75      0.77         4
    "#]]
    .assert_eq(&text);
    let text = sandbox
        .juggle("metrics report labels.csv --digits 4")
        .done();
    assert!(text.contains("0.6667"), "{text}");
    let report = sandbox.juggle("metrics report labels.csv --json").json();
    assert_eq!(
        report.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["cat", "dog", "accuracy", "macro avg", "weighted avg"]
    );
    assert_eq!(report["dog"]["f1-score"], 0.8);
}

#[test]
fn label_files_that_cannot_be_read_are_named() {
    let sandbox = Sandbox::new();
    let error = |text: &str| {
        sandbox.write("labels.csv", text);
        sandbox.juggle("metrics report labels.csv").error()
    };
    assert_eq!(
        error("truth,pred\na,a\n"),
        "labels.csv has no column `true`, expected a header line with true and pred, found truth,pred"
    );
    assert_eq!(
        error("true\na\n"),
        "labels.csv has no column `pred`, expected a header line with true and pred, found true"
    );
    assert_eq!(
        error("true,pred\n"),
        "labels.csv has no lines below its header"
    );
    let ragged = error("true,pred\na,b\na\n");
    assert!(
        ragged.starts_with("cannot read labels.csv: ") && ragged.contains("line: 3"),
        "{ragged}"
    );
    let missing = sandbox.juggle("metrics report nowhere.csv").error();
    assert!(
        missing.starts_with("cannot read nowhere.csv: No such file"),
        "{missing}"
    );
    // A byte order mark, as spreadsheets write it, is no part of a name.
    sandbox.write("labels.csv", "\u{feff}true, pred\na, a\nb, b\n");
    let report = sandbox.juggle("metrics report labels.csv --json").json();
    assert_eq!(
        report["accuracy"], 1.0,
        "spaces around a value are no part of it either"
    );
}
