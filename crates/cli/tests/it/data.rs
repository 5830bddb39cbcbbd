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
fn a_folder_without_images_cannot_be_inspected() {
    let sandbox = Sandbox::new();
    let error = sandbox.juggle("data inspect nowhere").error();
    assert!(error.contains("nowhere"), "{error}");
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    let error = sandbox.juggle("data inspect empty").error();
    assert!(error.starts_with("no PNG images in empty"), "{error}");
}
