//! The model of each kind of layer against one that the `onnx` package built, and its structure for any network.

use std::collections::HashSet;

use super::*;
use crate::{AutoencoderConfig, CnnConfig, StateTensor, Values, autoencoder, cnn, initialize};

fn info() -> OnnxInfo {
    OnnxInfo {
        graph: "every layer".to_owned(),
        input: "images".to_owned(),
        output: "logits".to_owned(),
        producer_version: "1.2.3".to_owned(),
        metadata: vec![("classes".to_owned(), r#"["a","b","é"]"#.to_owned())],
    }
}

/// The network of `tests/golden/onnx/generate.py`.
fn every_layer() -> Network {
    let mut network = Network::new([1, 8, 4]);
    let conv = Layer::Conv2d {
        in_channels: 1,
        out_channels: 2,
        kernel_size: 3,
        stride: 2,
        padding: 1,
    };
    let linear = Layer::Linear {
        in_features: 32,
        out_features: 3,
    };
    let mut push =
        |name: &str, layer, inputs: &[Source]| network.push(name, layer, inputs).expect("fits");
    let xs = push("conv", conv, &[Source::Input]);
    let xs = push("norm", Layer::BatchNorm2d { num_features: 2 }, &[xs]);
    let relu = push("relu", Layer::Relu, &[xs]);
    let xs = push("pool", Layer::MaxPool2d { kernel_size: 2 }, &[relu]);
    let xs = push("up", Layer::UpsampleNearest2d { scale_factor: 2 }, &[xs]);
    let xs = push("both", Layer::Concat, &[xs, relu]);
    let xs = push("flat", Layer::Flatten, &[xs]);
    push("linear", linear, &[xs]);
    network
}

/// The state of the golden file: value i of a tensor is i / 8, plus 1 in the running variance.
fn counting(network: &Network) -> State {
    let mut state = initialize(network, 0);
    for spec in network.tensors() {
        let first = f32::from(u8::from(spec.name.ends_with("running_var")));
        let n = spec.shape.iter().product::<usize>();
        if matches!(
            state.get(&spec.name).map(|tensor| &tensor.values),
            Some(Values::F32(_))
        ) {
            let values = (0..n).map(|i| first + i as f32 / 8.0).collect();
            state.insert(spec.name, StateTensor::floats(spec.shape, values));
        }
    }
    state
}

#[test]
fn every_layer_is_what_the_onnx_package_builds() {
    let golden = include_bytes!("../../tests/golden/onnx/every-layer.onnx");
    let golden = ModelProto::decode(golden.as_slice()).expect("a model");
    let network = every_layer();
    let ours = model(&network, &counting(&network), &info()).expect("a model");
    assert_eq!(ours, golden);
    // Nothing in the golden file is beyond our messages: both encodings have the same length, but for integers that the
    // package does not pack, one byte of a tag more for each after the first and one of a length less.
    let golden_bytes = include_bytes!("../../tests/golden/onnx/every-layer.onnx").len();
    let n_bytes = onnx_model(&network, &counting(&network), &info()).expect("a model");
    assert!(
        golden_bytes.abs_diff(n_bytes.len()) < 64,
        "{golden_bytes} {}",
        n_bytes.len()
    );
}

#[test]
fn every_name_is_defined_once_and_before_it_is_read() {
    for skip in [true, false] {
        let config = AutoencoderConfig {
            input_frames: 3,
            channels: 3,
            height: 8,
            width: 12,
            widths: vec![4, 6, 8],
            skip,
            batch_norm: true,
        };
        let network = autoencoder(&config).expect("fits");
        let graph = model(&network, &initialize(&network, 1), &info())
            .expect("a model")
            .graph
            .expect("a graph");
        let mut defined: HashSet<&str> = HashSet::from(["images"]);
        for tensor in &graph.initializer {
            assert!(defined.insert(&tensor.name), "{} twice", tensor.name);
            let n: i64 = tensor.dims.iter().product();
            assert_eq!(tensor.raw_data.len() as i64, 4 * n, "{}", tensor.name);
        }
        for node in &graph.node {
            let missing = node
                .input
                .iter()
                .find(|name| !name.is_empty() && !defined.contains(name.as_str()));
            assert_eq!(missing, None, "{}", node.name);
            assert!(defined.insert(&node.output[0]));
        }
        assert_eq!(graph.output[0].name, "logits");
        assert!(defined.contains("logits"));
        let layers: Vec<_> = network.nodes().iter().map(|node| &node.name).collect();
        let nodes: Vec<_> = graph.node.iter().map(|node| &node.name).collect();
        assert_eq!(nodes, layers, "one node a layer");
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let network = every_layer();
    let state = initialize(&network, 0);
    let refused = |network: &Network, state: &State, info: &OnnxInfo| {
        onnx_model(network, state, info)
            .expect_err("must be refused")
            .to_string()
    };
    let named = |input: &str, output: &str| OnnxInfo {
        input: input.to_owned(),
        output: output.to_owned(),
        ..info()
    };
    let message = refused(&network, &State::default(), &info());
    assert!(
        message.contains("tensor `conv.weight` is missing"),
        "{message}"
    );
    for (input, output, expected) in [
        ("", "y", "the input's name is \"\""),
        ("x", "y/output", "the output's name is \"y/output\""),
        ("conv.weight", "y", "the input's name is \"conv.weight\""),
        ("x", "x", "expected another name than the input's"),
    ] {
        let message = refused(&network, &state, &named(input, output));
        assert!(message.contains(expected), "{message}");
    }
    let empty = Network::new([1, 2, 2]);
    let message = refused(&empty, &State::default(), &info());
    assert!(message.contains("the number of layers is"), "{message}");
}

#[test]
fn the_same_network_gives_the_same_bytes() {
    let config = CnnConfig {
        n_classes: 3,
        in_channels: 3,
        height: 9,
        width: 14,
        batch_norm: true,
    };
    let network = cnn(&config).expect("fits");
    let state = initialize(&network, 2);
    let bytes = || onnx_model(&network, &state, &info()).expect("a model");
    assert_eq!(bytes(), bytes());
}
