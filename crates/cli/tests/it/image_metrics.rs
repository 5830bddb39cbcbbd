//! PSNR, SSIM and MS-SSIM of two images and of two folders.

use expect_test::expect;
use juggle_dataset::ImageShape;
use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// PSNR of images that differ by 10 everywhere.
fn psnr_of_ten() -> f64 {
    20.0 * 25.5_f64.log10()
}

fn pixel(y: usize, x: usize) -> u8 {
    u8::try_from((y * 16 + x) % 200).unwrap()
}

/// `truth` and `same` are equal, and `other` differs from them by 10 everywhere.
pub(crate) fn with_images() -> Sandbox {
    let sandbox = Sandbox::new();
    for folder in ["truth", "same", "other"] {
        let offset = if folder == "other" { 10 } else { 0 };
        sandbox.write_gray(&format!("{folder}/a.png"), 16, |y, x| pixel(y, x) + offset);
        sandbox.write_gray(&format!("{folder}/inner/b.png"), 16, |y, x| {
            pixel(x, y) + offset
        });
    }
    sandbox
}

/// Eight images, each farther from the truth than the one before, except that the last equals `3.png`.
pub(crate) fn with_series() -> Sandbox {
    let sandbox = Sandbox::new();
    for i in 0..8 {
        let offset = if i == 7 { 4 } else { i + 1 };
        sandbox.write_gray(&format!("truth/{i}.png"), 16, pixel);
        sandbox.write_gray(&format!("other/{i}.png"), 16, |y, x| {
            pixel(y, x) + u8::try_from(offset * (1 + x % 2)).unwrap()
        });
    }
    sandbox
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn names(files: &Value) -> Vec<&str> {
    let files = files.as_array().unwrap();
    files
        .iter()
        .map(|file| file["file"].as_str().unwrap())
        .collect()
}

#[test]
fn psnr_of_two_images() {
    let sandbox = with_images();
    let psnr =
        |flags: &str| sandbox.juggle(&format!("metrics psnr truth/a.png other/a.png {flags}"));
    let result = psnr("--json").json();
    assert_eq!(result["metric"], "psnr");
    assert_eq!(result["convention"], Value::Null);
    assert_eq!(
        (&result["n"], &result["data_range"]),
        (&json!(1), &json!(255.0))
    );
    assert!((number(&result["mean"]) - psnr_of_ten()).abs() < 1e-12);
    let file = json!([{"file": "other/a.png", "value": result["mean"]}]);
    assert_eq!((&result["files"], &result["worst"]), (&file, &file));
    assert_eq!(result["interval"], Value::Null);
    assert_eq!(result["no_interval"], "1 image, expected at least 2");
    let half = psnr("--data-range 127.5 --json").json();
    assert!((number(&half["mean"]) - (psnr_of_ten() - 20.0 * 2_f64.log10())).abs() < 1e-12);
    assert_eq!(psnr("").done(), "other/a.png  28.1308 dB\n");
}

#[test]
fn ssim_of_two_images_by_each_convention() {
    let sandbox = with_images();
    let mut values = Vec::new();
    for convention in [
        "scikit-image",
        "scikit-image-gaussian",
        "torchmetrics",
        "pytorch-msssim",
    ] {
        let arguments =
            format!("metrics ssim truth/a.png other/a.png --convention {convention} --json");
        let result = sandbox.juggle(&arguments).json();
        assert_eq!(
            (&result["metric"], &result["convention"]),
            (&json!("ssim"), &json!(convention))
        );
        values.push(number(&result["mean"]));
    }
    assert!(
        values.iter().all(|value| (0.9..1.0).contains(value)),
        "{values:?}"
    );
    assert!(
        (values[1] - values[3]).abs() < 1e-6,
        "the same window: {values:?}"
    );
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        assert!((values[i] - values[j]).abs() > 1e-6, "{values:?}");
    }
    let ssim = |flags: &str| {
        let arguments = format!("metrics ssim truth/a.png other/a.png --json {flags}");
        sandbox.juggle(&arguments).json()
    };
    let (default, gaussian) = (ssim(""), ssim("--gaussian"));
    assert_eq!(default["convention"], "scikit-image");
    assert_eq!(number(&default["mean"]), values[0]);
    assert_eq!(gaussian["convention"], "scikit-image-gaussian");
    assert_eq!(number(&gaussian["mean"]), values[1]);
}

#[test]
fn settings_of_ssim_count() {
    let sandbox = with_images();
    let ssim = |flags: &str| {
        let arguments = format!("metrics ssim truth/a.png other/a.png --json {flags}");
        number(&sandbox.juggle(&arguments).json()["mean"])
    };
    for (convention, flags) in [
        ("scikit-image", "--window-size 9"),
        ("scikit-image", "--k1 0.1"),
        ("scikit-image-gaussian", "--sigma 1"),
        ("torchmetrics", "--sigma 1"),
        ("torchmetrics", "--k2 0.3"),
        ("pytorch-msssim", "--window-size 9"),
        ("pytorch-msssim", "--sigma 1"),
    ] {
        let convention = format!("--convention {convention}");
        let (default, set) = (ssim(&convention), ssim(&format!("{convention} {flags}")));
        assert_ne!(default, set, "{convention} {flags}");
    }
    assert_eq!(ssim("--window-size 7 --k1 0.01 --k2 0.03"), ssim(""));
}

#[test]
fn ms_ssim_of_images_and_folders() {
    let sandbox = Sandbox::new();
    for (folder, offset) in [("truth", 0), ("other", 20)] {
        for (name, step) in [("a", 5), ("b", 3)] {
            sandbox.write_gray(&format!("{folder}/{name}.png"), 176, |y, x| {
                u8::try_from((y * step + x) % 200 + offset * (x % 2)).unwrap()
            });
        }
    }
    let ms_ssim = |arguments: &str| sandbox.juggle(&format!("metrics ms-ssim {arguments}"));
    let image = ms_ssim("truth/a.png other/a.png --json").json();
    assert_eq!(
        (&image["metric"], &image["convention"]),
        (&json!("ms_ssim"), &json!("torchmetrics"))
    );
    let folders = ms_ssim("truth other --json").json();
    assert_eq!(
        folders["files"][0],
        json!({"file": "a.png", "value": image["mean"]})
    );
    assert!((0.5..1.0).contains(&number(&folders["mean"])));
    let pytorch = ms_ssim("truth other --convention pytorch-msssim --json").json();
    assert_eq!(pytorch["convention"], "pytorch-msssim");
    assert_ne!(pytorch["mean"], folders["mean"]);
    let weighted = ms_ssim("truth other --weights 0.5,0.5 --json").json();
    assert_ne!(weighted["mean"], folders["mean"]);
    assert_eq!(
        ms_ssim("truth/a.png truth/a.png").done(),
        "truth/a.png  1.000000\n"
    );

    sandbox.write_gray("small.png", 32, pixel);
    assert_eq!(
        ms_ssim("small.png small.png").error(),
        "small.png and small.png: image of height 32 and width 32 is smaller than the 176×176 pixels \
         that the window needs; fewer --weights need fewer pixels"
    );
    ms_ssim("small.png small.png --weights 0.5,0.5").done();
}

#[test]
fn folders_are_matched_by_path_and_summed_up() {
    let sandbox = with_images();
    sandbox.write("truth/._a.png", "what some systems leave beside a file");
    let result = sandbox.juggle("metrics ssim truth other --json").json();
    assert_eq!(
        (&result["metric"], &result["n"]),
        (&json!("ssim"), &json!(2))
    );
    assert_eq!(names(&result["files"]), ["a.png", "inner/b.png"]);
    let values = [0, 1].map(|i| number(&result["files"][i]["value"]));
    let mean = (values[0] + values[1]) / 2.0;
    assert!((number(&result["mean"]) - mean).abs() < 1e-12);
    assert_eq!(result["mean_of_finite"], result["mean"]);
    assert_eq!(result["n_infinite"], 0);

    let sandbox = with_series();
    let json = sandbox.juggle("metrics psnr truth other --json").json();
    let interval = &json["interval"];
    assert_eq!(interval["level"], 0.95);
    assert!(number(&interval["low"]) < number(&json["mean"]));
    assert!(number(&interval["high"]) > number(&json["mean"]));
    assert_eq!(json.get("no_interval"), None);
    assert_eq!(names(&json["files"]).len(), 8);
    // 7 is as far off as 3.
    assert_eq!(
        names(&json["worst"]),
        ["6.png", "5.png", "4.png", "3.png", "7.png"]
    );
    assert_eq!(json["worst"][0], json["files"][6]);
    expect![[r#"
        metric        PSNR, data range 255
        images        8
        mean          33.3902 dB
        95% interval  [30.4943, 38.0029] dB
        worst         6.png  27.2494 dB
                      5.png  28.5884 dB
                      4.png  30.1720 dB
                      3.png  32.1102 dB
                      7.png  32.1102 dB
    "#]]
    .assert_eq(&sandbox.juggle("metrics psnr truth other").done());
    expect![[r#"
        metric        SSIM as scikit-image-gaussian, data range 255
        images        8
        mean          0.995326
        95% interval  [0.992362, 0.997469]
        worst         6.png  0.988372
                      5.png  0.991400
                      4.png  0.993989
                      3.png  0.996130
                      7.png  0.996130
    "#]]
    .assert_eq(&sandbox.juggle("metrics ssim truth other --gaussian").done());
}

#[test]
fn folders_of_one_image_have_no_interval() {
    let sandbox = with_images();
    expect![[r#"
        metric        SSIM as scikit-image, data range 255
        images        1
        mean          0.994815
        95% interval  none: 1 image, expected at least 2
        worst         b.png  0.994815
    "#]]
    .assert_eq(
        &sandbox
            .juggle("metrics ssim truth/inner other/inner")
            .done(),
    );
}

#[test]
fn identical_images() {
    let sandbox = with_images();
    expect![[r#"
        metric        SSIM as scikit-image, data range 255
        images        2
        mean          1.000000
        95% interval  [1.000000, 1.000000]
        worst         a.png        1.000000
                      inner/b.png  1.000000
    "#]]
    .assert_eq(&sandbox.juggle("metrics ssim truth same").done());
    // Every PSNR is infinite.
    let result = sandbox.juggle("metrics psnr truth same --json").json();
    assert_eq!(
        (&result["mean"], &result["files"][1]["value"]),
        (&json!("inf"), &json!("inf"))
    );
    assert_eq!(
        (&result["n_infinite"], &result["mean_of_finite"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(result["interval"], Value::Null);
    expect![[r#"
        metric        PSNR, data range 255
        images        2, 2 of them identical to the truth
        mean          inf dB
        95% interval  none: 0 of 2 images with a finite value, expected at least 2
        worst         a.png        inf dB
                      inner/b.png  inf dB
    "#]]
    .assert_eq(&sandbox.juggle("metrics psnr truth same").done());
    assert_eq!(
        sandbox.juggle("metrics psnr truth/a.png same/a.png").done(),
        "same/a.png  inf dB\n"
    );
}

#[test]
fn an_infinite_psnr_leaves_the_interval_of_the_others() {
    let sandbox = with_series();
    let without = sandbox.juggle("metrics psnr truth other --json").json();
    sandbox.write_gray("truth/8.png", 16, pixel);
    sandbox.write_gray("other/8.png", 16, pixel);
    let with = sandbox.juggle("metrics psnr truth other --json").json();
    assert_eq!((&with["n"], &with["n_infinite"]), (&json!(9), &json!(1)));
    assert_eq!(
        (&with["mean"], &with["files"][8]["value"]),
        (&json!("inf"), &json!("inf"))
    );
    assert_eq!(with["mean_of_finite"], without["mean"]);
    for part in ["interval", "worst"] {
        assert_eq!(with[part], without[part]);
    }
    expect![[r#"
        metric        PSNR, data range 255
        images        9, 1 of them identical to the truth
        mean          inf dB; 33.3902 dB without the identical ones
        95% interval  [30.4943, 38.0029] dB, without the identical ones
        worst         6.png  27.2494 dB
                      5.png  28.5884 dB
                      4.png  30.1720 dB
                      3.png  32.1102 dB
                      7.png  32.1102 dB
    "#]]
    .assert_eq(&sandbox.juggle("metrics psnr truth other").done());
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let sandbox = with_series();
    for metric in [
        "psnr",
        "ssim",
        "ssim --convention torchmetrics",
        "ms-ssim --weights 0.5,0.5",
    ] {
        for flags in ["", "--json"] {
            let [one, two, default] = ["--threads 1", "--threads 2", ""].map(|threads| {
                let output =
                    sandbox.juggle(&format!("metrics {metric} truth other {flags} {threads}"));
                assert_eq!(output.stderr, "", "no bar where there is no terminal");
                output.done()
            });
            assert!(one == two && two == default, "{metric} {flags}");
        }
    }
    // Of several files that cannot be read, the first is named.
    for name in ["2", "5", "6"] {
        sandbox.truncate(&format!("other/{name}.png"));
    }
    for threads in [1, 2] {
        let error = sandbox
            .juggle(&format!("metrics psnr truth other --threads {threads}"))
            .error();
        assert!(error.starts_with("other/2.png is truncated"), "{error}");
    }
}

#[test]
fn colour_is_not_read_as_gray() {
    let sandbox = with_images();
    let shape = ImageShape {
        channels: 3,
        height: 16,
        width: 16,
    };
    // Two colours of equal luma differ all the same.
    sandbox.write_image("red.png", shape, [[255; 256], [0; 256], [0; 256]].concat());
    sandbox.write_image("gray.png", shape, vec![76; 768]);
    let result = sandbox
        .juggle("metrics psnr red.png gray.png --json")
        .json();
    assert!(number(&result["mean"]) < 10.0, "{result}");
}
