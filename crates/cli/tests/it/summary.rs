//! The tables of layers.

use expect_test::expect;

use crate::sandbox::Sandbox;

#[test]
fn the_classifier_has_the_published_parameters() {
    let sandbox = Sandbox::new();
    let text = sandbox.juggle("summary classifier").done();
    expect![[r#"
        name   layer                output  parameters  multiply-adds
        ─────────────────────────────────────────────────────────────
        0      Conv2d 1→16, 3×3   16×32×32         160        147,456
        1      ReLU               16×32×32           –              –
        2      Conv2d 16→32, 3×3  32×32×32       4,640      4,718,592
        3      ReLU               32×32×32           –              –
        4      MaxPool2d 2×2      32×16×16           –              –
        5      Conv2d 32→16, 3×3  16×16×16       4,624      1,179,648
        6      ReLU               16×16×16           –              –
        7      Conv2d 16→16, 3×3  16×16×16       2,320        589,824
        8      ReLU               16×16×16           –              –
        9      MaxPool2d 2×2        16×8×8           –              –
        10     Flatten                1024           –              –
        11     Linear 1024→64           64      65,600         65,536
        12     ReLU                     64           –              –
        13     Linear 64→3               3         195            192
        ─────────────────────────────────────────────────────────────
        total                                   77,539      6,701,248

        input 1×32×32; the weights take 310,156 bytes
    "#]]
    .assert_eq(&text);
    let summary = sandbox.juggle("summary classifier --json").json();
    assert_eq!(summary["parameters"], 77_539);
    let layer = &summary["layers"][2];
    assert_eq!(
        (&layer["name"], &layer["kind"]),
        (&"2".into(), &"Conv2d".into())
    );
    assert_eq!(
        (&layer["output_shape"], &layer["parameters"]),
        (&serde_json::json!([32, 32, 32]), &4640.into())
    );
}

#[test]
fn the_flags_change_the_network() {
    let sandbox = Sandbox::new();
    let parameters = |arguments: &str| {
        sandbox
            .juggle(&format!("summary {arguments} --json"))
            .json()["parameters"]
            .as_u64()
            .unwrap()
    };
    // Batch normalisation adds a weight and a bias for each of 16 + 32 + 16 + 16 channels.
    assert_eq!(parameters("classifier --batch-norm"), 77_539 + 160);
    assert_eq!(parameters("classifier --classes 10"), 77_539 + 7 * 65);
    assert_eq!(parameters("classifier --channels rgb"), 77_539 + 2 * 9 * 16);
    assert!(parameters("classifier --size 64x48") > 77_539);
    let whole = parameters("autoencoder");
    assert!(parameters("autoencoder --no-skip") < whole);
    assert_eq!(parameters("autoencoder --input-frames 5"), whole + 9 * 16);
    assert!(parameters("autoencoder --widths 8,16") < whole);
}

#[test]
fn impossible_networks_are_refused() {
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox.juggle("summary classifier --size 3x32").error(),
        "the image height is 3, expected at least 4"
    );
    let error = sandbox.juggle("summary autoencoder --size 30x32").error();
    assert!(
        error.starts_with("the image height is 30, expected a multiple of 2^2 pixels"),
        "{error}"
    );
    for flags in [
        "--classes 1",
        "--size 32",
        "--size 0x3",
        "--channels rgba",
        "--widths 3",
    ] {
        sandbox
            .juggle(&format!("summary classifier {flags}"))
            .usage();
    }
    for flags in [
        "--input-frames 0",
        "--widths 16,,64",
        "--widths x",
        "--classes 3",
    ] {
        sandbox
            .juggle(&format!("summary autoencoder {flags}"))
            .usage();
    }
}
