//! Runs as files for other programs. That onnxruntime computes the same from them is checked by `cargo xtask interop`.

use juggle_dataset::ImageShape;

use crate::sandbox::{Sandbox, file_names};

#[test]
fn a_run_becomes_an_onnx_model() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let text = sandbox.juggle("export out --out model.onnx").done();
    let bytes = sandbox.bytes("model.onnx");
    assert_eq!(
        text,
        format!(
            "file    model.onnx (onnx, {} bytes, best weights)\n\
             input   images N×1×8×8, values from 0 to 1\n\
             output  logits N×2: level, upright\n",
            bytes.len()
        )
    );
    let holds = |part: &str| {
        bytes
            .windows(part.len())
            .any(|window| window == part.as_bytes())
    };
    for part in [
        "juggle",
        env!("CARGO_PKG_VERSION"),
        r#"["level","upright"]"#,
        "NCHW",
        "[0,1]",
        "11.weight",
        "Gemm",
    ] {
        assert!(holds(part), "{part}");
    }
    assert_eq!(
        sandbox.juggle("export out --out model.onnx").error(),
        "model.onnx exists: choose another --out, or replace it with --overwrite"
    );
    sandbox
        .juggle("export out --out model.onnx --overwrite")
        .done();
    assert_eq!(
        sandbox.bytes("model.onnx"),
        bytes,
        "the same run, the same bytes"
    );
}

#[test]
fn weights_keep_their_values_and_say_what_they_are() {
    let sandbox = Sandbox::with_clips();
    sandbox.train_clips("out");
    let exported = sandbox
        .juggle("export out --weights last --format safetensors --out weights.bin --json")
        .json();
    assert_eq!(exported["format"], "safetensors");
    assert_eq!(exported["weights"], "last");
    assert_eq!(exported["input"]["shape"], serde_json::json!([4, 12, 12]));
    let (ours, whole) = (
        sandbox.bytes("weights.bin"),
        sandbox.bytes("out/last.safetensors"),
    );
    let header = |file: &[u8]| {
        let length = u64::from_le_bytes(file[..8].try_into().unwrap());
        8 + usize::try_from(length).unwrap()
    };
    assert_eq!(
        ours[header(&ours)..],
        whole[header(&whole)..],
        "the same tensors"
    );
    let metadata: serde_json::Value = serde_json::from_slice(&ours[8..header(&ours)]).unwrap();
    let metadata = &metadata["__metadata__"];
    for (key, value) in [
        ("format", "pt"),
        ("kind", "autoencoder"),
        ("input_frames", "4"),
        ("input_height", "12"),
        ("input_color", "gray"),
    ] {
        assert_eq!(metadata[key], value, "{key}");
    }
}

#[test]
fn colour_and_odd_sizes_are_kept() {
    let sandbox = Sandbox::new();
    let shape = ImageShape {
        channels: 3,
        height: 9,
        width: 14,
    };
    for (class, value) in [("ja", 30), ("né \"in\"", 200)] {
        for i in 0..6 {
            let pixels = (0..shape.len())
                .map(|p| value + u8::try_from((p + i) % 20).unwrap())
                .collect();
            sandbox.write_image(&format!("colour/{class}/{i}.png"), shape, pixels);
        }
    }
    sandbox
        .juggle("train classifier --data colour --run out --epochs 1 --batch-norm --threads 1")
        .done();
    let exported = sandbox.juggle("export out --out c.onnx --json").json();
    assert_eq!(exported["input"]["shape"], serde_json::json!([3, 9, 14]));
    assert_eq!(exported["classes"], serde_json::json!(["ja", "né \"in\""]));
    let text = String::from_utf8_lossy(&sandbox.bytes("c.onnx")).into_owned();
    assert!(text.contains(r#"["ja","né \"in\""]"#), "classes as JSON");
    assert!(text.contains("BatchNormalization"));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let sandbox = Sandbox::with_bars();
    sandbox.train_bars("out");
    let before = file_names(&sandbox.path("out"));
    assert_eq!(
        sandbox.juggle("export out --out model.pt").usage(),
        "model.pt ends neither in .onnx nor in .safetensors: say what to write with --format"
    );
    assert_eq!(
        sandbox
            .juggle("export out --out bars --format onnx")
            .error(),
        "bars is a folder, expected the name of a file to write"
    );
    let error = sandbox
        .juggle("export out --out nowhere/model.onnx")
        .error();
    assert!(
        error.starts_with("cannot write nowhere/model.onnx"),
        "{error}"
    );
    assert_eq!(
        sandbox.juggle("export oot --out model.onnx").error(),
        "there is no run folder oot: did you mean `out`?"
    );
    sandbox.truncate("out/best.safetensors");
    let error = sandbox.juggle("export out --out model.onnx").error();
    assert!(
        error.contains("out/best.safetensors is not a safetensors file"),
        "{error}"
    );
    assert!(!sandbox.exists("model.onnx"));
    assert_eq!(file_names(&sandbox.path("out")), before);
}
