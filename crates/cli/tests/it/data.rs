//! `data synth`, `data inspect`.

use crate::sandbox::Sandbox;

#[test]
fn the_example_data_are_written_once() {
    let sandbox = Sandbox::new();
    sandbox.juggle("data synth --out data").done();
    for file in [
        "README.md",
        "SHA256SUMS",
        "balls/test/3/clip00_frame00.png",
        "frames/val/clip015/frame_19.png",
    ] {
        assert!(sandbox.exists(&format!("data/{file}")), "{file}");
    }
    assert_eq!(
        sandbox.juggle("data synth --out data").error(),
        "data is not empty, expected a new or empty folder"
    );
    sandbox.juggle("data synth").usage();

    let audit = sandbox.juggle("data inspect data/balls --json").json();
    assert!(audit.is_object());
    let text = sandbox.juggle("data inspect data/balls").done();
    for number in ["1200", "240", "200"] {
        assert!(text.contains(number), "{number} in\n{text}");
    }
    sandbox.juggle("data inspect data/frames --json").json();
}

#[test]
fn fresh_images_come_with_a_table() {
    let sandbox = Sandbox::new();
    let said = sandbox
        .juggle("data fresh --out fresh --images 10 --seed 3 --ranges wide")
        .done();
    assert!(said.contains("10 images, ranges wide, seed 3"), "{said}");
    assert_eq!(sandbox.read("fresh/images.csv").lines().count(), 11);
    assert!(sandbox.exists("fresh/test/1/00003.png"));
    for images in ["2", "30001"] {
        let usage = sandbox
            .juggle(&format!("data fresh --out other --images {images}"))
            .usage();
        assert!(usage.contains("from 3 to 30000"), "{usage}");
    }
}

#[test]
fn a_folder_without_images_cannot_be_inspected() {
    let sandbox = Sandbox::new();
    let error = sandbox.juggle("data inspect nowhere").error();
    assert!(error.contains("nowhere"), "{error}");
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    let error = sandbox.juggle("data inspect empty").error();
    assert!(error.starts_with("no PNG images in empty"), "{error}");
}

/// Class folders with a name that HTML and a terminal could obey, images of two sizes and a broken file.
fn awkward() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut number = 0_u8;
    for split in ["train", "val"] {
        for class in ["<img src=x onerror=alert(1)>", "b\x1b[31m&\"'"] {
            for i in 0..6 {
                number += 1;
                let size = if i == 0 { 6_u8 } else { 4 };
                let folder = sandbox.path(&format!("data/{split}/{class}"));
                std::fs::create_dir_all(&folder).unwrap();
                let image = juggle_dataset::Image {
                    shape: juggle_dataset::ImageShape {
                        channels: 1,
                        height: 4,
                        width: size.into(),
                    },
                    pixels: (0..4 * size).map(|p| number.wrapping_mul(p + 37)).collect(),
                };
                let name = format!("{i}<b>.png");
                juggle_dataset::write_png(&folder.join(name), &image).unwrap();
            }
            std::fs::write(
                sandbox.path(&format!("data/{split}/{class}/torn<i>.png")),
                b"no",
            )
            .unwrap();
        }
    }
    sandbox
}

#[test]
fn the_audit_fits_80_columns_and_ends_with_what_it_cannot_see() {
    let sandbox = awkward();
    let text = sandbox.juggle("data inspect data").done();
    let too_long = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(too_long, None, "{text}");
    assert!(!text.contains('\x1b'), "{text:?}");
    for words in [
        "PROBLEM",
        "4 files cannot be read",
        "Images of 2 sizes",
        "What this audit cannot see",
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
    let mut help = sandbox.command("data inspect --help");
    let help = crate::sandbox::Output::of(help.env("COLUMNS", "80")).done();
    let too_long = help.lines().find(|line| line.chars().count() > 80);
    assert_eq!(too_long, None, "{help}");
}

#[test]
fn the_page_is_self_contained_and_escapes_names() {
    let sandbox = awkward();
    let output = sandbox.juggle("data inspect data --html page.html --json");
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert!(output.stderr.contains("wrote page.html"), "{output:#?}");
    let page = sandbox.read("page.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    for forbidden in [
        "<img src=x",
        "<b>",
        "<i>",
        "<script",
        "http://",
        "https://",
        "url(",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for part in [
        "Content-Security-Policy",
        "prefers-color-scheme: dark",
        "data:image/png;base64,",
        "<svg",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let error = sandbox
        .juggle("data inspect data --html nowhere/page.html")
        .error();
    assert!(
        error.starts_with("cannot write nowhere/page.html"),
        "{error}"
    );
}

#[test]
fn json_keeps_its_keys() {
    let sandbox = awkward();
    let json = sandbox.juggle("data inspect data --json").json();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    let expected = [
        "dir",
        "kind",
        "shape",
        "sizes",
        "origin",
        "ignored",
        "findings",
        "unreadable",
        "refusals",
        "splits",
        "overlaps",
        "label_conflicts",
        "distributions",
        "shifts",
        "class_tests",
        "validation_nearer",
    ];
    assert_eq!(keys, expected);
    assert_eq!(json["unreadable"].as_array().unwrap().len(), 4);
    assert_eq!(json["findings"][0]["code"], "unreadable_files");
}

#[test]
fn strict_fails_on_findings_and_the_report_is_still_printed() {
    let sandbox = awkward();
    let output = sandbox.juggle("data inspect data --strict");
    assert_eq!(output.code, Some(1));
    assert!(output.stdout.contains("PROBLEM"));
    let expected = "expected no problem and no warning (--strict)";
    assert!(
        output.stderr.contains(expected) && output.stderr.lines().count() == 1,
        "{output:#?}"
    );
    let one = Sandbox::with_bars();
    let found = one.juggle("data inspect bars --json").json();
    let level = |finding: &serde_json::Value| finding["level"] == "note";
    let quiet = found["findings"].as_array().unwrap().iter().all(level);
    let strict = one.juggle("data inspect bars --strict").code;
    assert_eq!(strict, Some(i32::from(!quiet)));
}
