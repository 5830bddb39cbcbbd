//! A network with its weights as an ONNX model, for onnxruntime and everything else that reads the format.
//!
//! The model is what [`Engine::forward`](crate::Engine::forward) computes: evaluation mode, batch normalisation by the running statistics, logits
//! without a softmax, frames that are not clamped. One node a layer, named as in the state dictionary; the tensors keep
//! their names and layouts too. Opset 17 in IR version 8: the oldest pair with everything that is needed and no operator that has
//! changed its meaning since, so that readers of several years take it.

mod proto;
#[cfg(test)]
mod tests;

use std::path::Path;

use prost::Message as _;

use crate::network::{BATCH_NORM_EPS, BATCH_NORM_MOMENTUM, Layer, Network, Node, Source};
use crate::state::{State, replace_file};
use crate::{Error, Result};
use proto::{
    AttributeProto, AttributeType, Dimension, FLOAT, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto,
    TypeProto, ValueInfoProto,
};

const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;
const PRODUCER: &str = "juggle";
/// The first axis of the input and of the output: any number of images.
const BATCH: &str = "batch";
/// Above this no reader of protocol buffers takes a file.
const MAX_BYTES: usize = i32::MAX as usize;

/// What an ONNX file says beside the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnnxInfo {
    /// Name of the graph, such as `classifier`.
    pub graph: String,
    /// Name of the input, such as `images`: float32 of shape `[batch, channels, height, width]`.
    pub input: String,
    /// Name of the output, such as `logits`: float32 of the network's output shape after a batch axis.
    pub output: String,
    /// Version of the program that writes the file.
    pub producer_version: String,
    /// Keys and values for the reader (`metadata_props`), such as the names of the classes.
    pub metadata: Vec<(String, String)>,
}

/// The bytes of an ONNX model. The same network and state give the same bytes.
///
/// # Errors
/// [`Error::State`] when the state is not the network's; [`Error::Config`] when `info.input` or `info.output` is empty or
/// has a slash or a dot, which the names inside have, when both are the same, when the network has no layer, or when the model
/// passes the 2 GiB of a protocol buffer.
///
/// # Examples
///
/// ```
/// use juggle_models::{CnnConfig, OnnxInfo, cnn, initialize, onnx_model};
///
/// let network = cnn(&CnnConfig { n_classes: 2, in_channels: 1, height: 8, width: 8, batch_norm: true })?;
/// let info = OnnxInfo {
///     graph: "classifier".to_owned(),
///     input: "images".to_owned(),
///     output: "logits".to_owned(),
///     producer_version: "1.0".to_owned(),
///     metadata: vec![("classes".to_owned(), r#"["cat","dog"]"#.to_owned())],
/// };
/// let bytes = onnx_model(&network, &initialize(&network, 0), &info)?;
/// assert!(bytes.len() > 4 * network.n_parameters());
/// # Ok::<(), juggle_models::Error>(())
/// ```
pub fn onnx_model(network: &Network, state: &State, info: &OnnxInfo) -> Result<Vec<u8>> {
    let model = model(network, state, info)?;
    let n_bytes = model.encoded_len();
    if n_bytes > MAX_BYTES {
        return Err(Error::Config {
            what: "the size of the ONNX model",
            found: format!("{n_bytes} bytes"),
            expected: format!("at most {MAX_BYTES}, since it is one protocol buffer"),
        });
    }
    Ok(model.encode_to_vec())
}

/// Writes [`onnx_model`]'s bytes to a file, which is complete or absent.
///
/// # Errors
/// As [`onnx_model`], or [`Error::Io`]; an older file of that name is then untouched.
pub fn save_onnx(path: &Path, network: &Network, state: &State, info: &OnnxInfo) -> Result<()> {
    let bytes = onnx_model(network, state, info)?;
    replace_file(path, &bytes).map_err(|source| Error::Io {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

fn model(network: &Network, state: &State, info: &OnnxInfo) -> Result<ModelProto> {
    state.check(network).map_err(|reason| Error::State {
        path: "the state".into(),
        reason,
    })?;
    check_names(network, info)?;
    let metadata = |(key, value): &(String, String)| StringStringEntryProto {
        key: key.clone(),
        value: value.clone(),
    };
    Ok(ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
        producer_name: PRODUCER.to_owned(),
        producer_version: info.producer_version.clone(),
        graph: Some(Writer::new(network, state, info).graph()),
        metadata_props: info.metadata.iter().map(metadata).collect(),
    })
}

/// Values inside the graph are called `LAYER/output`, tensors `LAYER.weight` and so on: names without a slash or a dot are free.
fn check_names(network: &Network, info: &OnnxInfo) -> Result<()> {
    let misfit = |what, found: &str, expected: &str| Error::Config {
        what,
        found: format!("{found:?}"),
        expected: expected.to_owned(),
    };
    if network.nodes().is_empty() {
        return Err(misfit("the number of layers", "0", "at least 1"));
    }
    for (what, name) in [
        ("the input's name", &info.input),
        ("the output's name", &info.output),
    ] {
        if name.is_empty() || name.contains(['/', '.']) {
            return Err(misfit(what, name, "a name without slashes and dots"));
        }
    }
    if info.input == info.output {
        let expected = "another name than the input's";
        return Err(misfit("the output's name", &info.output, expected));
    }
    Ok(())
}

/// The graph as it grows, layer by layer.
struct Writer<'a> {
    network: &'a Network,
    state: &'a State,
    info: &'a OnnxInfo,
    graph: GraphProto,
}

impl<'a> Writer<'a> {
    fn new(network: &'a Network, state: &'a State, info: &'a OnnxInfo) -> Self {
        let graph = GraphProto {
            name: info.graph.clone(),
            ..GraphProto::default()
        };
        Self {
            network,
            state,
            info,
            graph,
        }
    }

    fn graph(mut self) -> GraphProto {
        self.graph.input = vec![value_info(&self.info.input, &self.network.input_shape())];
        let n = self.network.nodes().len();
        for (i, node) in self.network.nodes().iter().enumerate() {
            self.push(i, node);
            let info = value_info(&self.value(Source::Node(i)), &node.output_shape);
            if i + 1 == n {
                self.graph.output.push(info);
            } else {
                self.graph.value_info.push(info);
            }
        }
        self.graph
    }

    /// One arm a kind of layer.
    fn push(&mut self, i: usize, node: &Node) {
        match node.layer {
            Layer::Conv2d {
                kernel_size,
                stride,
                padding,
                ..
            } => {
                let tensors = self.tensors(node, &["weight", "bias"]);
                let attributes = vec![
                    ints("kernel_shape", &[kernel_size; 2]),
                    ints("strides", &[stride; 2]),
                    ints("pads", &[padding; 4]),
                ];
                self.add(i, node, "Conv", tensors, attributes);
            }
            Layer::BatchNorm2d { .. } => {
                let names = ["weight", "bias", "running_mean", "running_var"];
                let tensors = self.tensors(node, &names);
                // ONNX counts the share that the old statistics keep; it has no effect in evaluation mode.
                let attributes = vec![
                    float("epsilon", BATCH_NORM_EPS),
                    float("momentum", 1.0 - BATCH_NORM_MOMENTUM),
                ];
                self.add(i, node, "BatchNormalization", tensors, attributes);
            }
            Layer::Relu => self.add(i, node, "Relu", vec![], vec![]),
            Layer::MaxPool2d { kernel_size } => {
                let attributes = vec![
                    ints("kernel_shape", &[kernel_size; 2]),
                    ints("strides", &[kernel_size; 2]),
                ];
                self.add(i, node, "MaxPool", vec![], attributes);
            }
            Layer::UpsampleNearest2d { scale_factor } => {
                let scales = self.scales(node, scale_factor);
                // `asymmetric` and `floor` say that output pixel y reads input pixel y / scale, rounded down.
                let attributes = vec![
                    string("mode", "nearest"),
                    string("coordinate_transformation_mode", "asymmetric"),
                    string("nearest_mode", "floor"),
                ];
                // The region of interest between the image and the scales is left out.
                self.add(i, node, "Resize", vec![String::new(), scales], attributes);
            }
            Layer::Concat => self.add(i, node, "Concat", vec![], vec![int("axis", 1)]),
            Layer::Flatten => self.add(i, node, "Flatten", vec![], vec![int("axis", 1)]),
            Layer::Linear { .. } => {
                let tensors = self.tensors(node, &["weight", "bias"]);
                // The weight is `[out, in]`.
                self.add(i, node, "Gemm", tensors, vec![int("transB", 1)]);
            }
        }
    }

    /// Adds a node that reads the layer's inputs and then `tensors`.
    fn add(
        &mut self,
        i: usize,
        node: &Node,
        op_type: &str,
        tensors: Vec<String>,
        attribute: Vec<AttributeProto>,
    ) {
        let inputs = node.inputs.iter().map(|&source| self.value(source));
        let node = NodeProto {
            input: inputs.chain(tensors).collect(),
            output: vec![self.value(Source::Node(i))],
            name: node.name.clone(),
            op_type: op_type.to_owned(),
            attribute,
        };
        self.graph.node.push(node);
    }

    /// The name of what a source gives.
    fn value(&self, source: Source) -> String {
        match source {
            Source::Input => self.info.input.clone(),
            Source::Node(i) if i + 1 == self.network.nodes().len() => self.info.output.clone(),
            Source::Node(i) => format!("{}/output", self.network.nodes()[i].name),
        }
    }

    /// Stores a layer's tensors and gives their names.
    fn tensors(&mut self, node: &Node, names: &[&str]) -> Vec<String> {
        let mut stored = Vec::with_capacity(names.len());
        for name in names {
            let name = format!("{}.{name}", node.name);
            let tensor = self.state.get(&name).expect("the state was checked");
            let values = self.state.floats(&name).expect("the state was checked");
            let tensor = tensor_proto(&name, &tensor.shape, values);
            self.graph.initializer.push(tensor);
            stored.push(name);
        }
        stored
    }

    /// Stores the factors of an upsampling, one an axis.
    fn scales(&mut self, node: &Node, scale_factor: usize) -> String {
        let name = format!("{}/scales", node.name);
        let scale = scale_factor as f32;
        let tensor = tensor_proto(&name, &[4], &[1.0, 1.0, scale, scale]);
        self.graph.initializer.push(tensor);
        name
    }
}

fn value_info(name: &str, shape: &[usize]) -> ValueInfoProto {
    let batch = Dimension {
        dim_value: None,
        dim_param: Some(BATCH.to_owned()),
    };
    let sizes = shape.iter().map(|&size| Dimension {
        dim_value: Some(to_i64(size)),
        dim_param: None,
    });
    let tensor_type = TensorTypeProto {
        elem_type: FLOAT,
        shape: Some(TensorShapeProto {
            dim: std::iter::once(batch).chain(sizes).collect(),
        }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor_type),
        }),
    }
}

fn tensor_proto(name: &str, shape: &[usize], values: &[f32]) -> TensorProto {
    TensorProto {
        dims: shape.iter().map(|&size| to_i64(size)).collect(),
        data_type: FLOAT,
        name: name.to_owned(),
        raw_data: values.iter().flat_map(|x| x.to_le_bytes()).collect(),
    }
}

fn attribute(name: &str, r#type: AttributeType) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: r#type.into(),
        ..AttributeProto::default()
    }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        i: Some(value),
        ..attribute(name, AttributeType::Int)
    }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        ints: values.iter().map(|&value| to_i64(value)).collect(),
        ..attribute(name, AttributeType::Ints)
    }
}

fn float(name: &str, value: f64) -> AttributeProto {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rounded, as ONNX stores it"
    )]
    let value = value as f32;
    AttributeProto {
        f: Some(value),
        ..attribute(name, AttributeType::Float)
    }
}

fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        s: Some(value.as_bytes().to_vec()),
        ..attribute(name, AttributeType::String)
    }
}

fn to_i64(size: usize) -> i64 {
    i64::try_from(size).expect("no size of a tensor in memory passes 2^63")
}
