//! `juggle export`: a trained run as one file for other programs.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, Result, bail};
use juggle_models::{OnnxInfo, save_onnx};
use serde::Serialize;

use crate::args::Weights;
use crate::args::export::{ExportArgs, Format};
use crate::config::{Kind, NetworkConfig, RunConfig, list};
use crate::failure::Usage;
use crate::model::{self, Stored};
use crate::output;

/// What `--json` prints; the text has the same content.
#[derive(Debug, Serialize)]
struct Exported<'a> {
    file: String,
    format: &'static str,
    weights: &'static str,
    bytes: u64,
    parameters: usize,
    input: Value,
    output: Value,
    classes: &'a [String],
}

/// The input or the output of the network.
#[derive(Debug, Serialize)]
struct Value {
    name: &'static str,
    /// After the batch axis.
    shape: Vec<usize>,
}

pub(crate) fn run(args: &ExportArgs) -> Result<()> {
    let format = format(args)?;
    let shown = args.out.display();
    if args.out.is_dir() {
        bail!("{shown} is a folder, expected the name of a file to write");
    }
    if args.out.exists() && !args.overwrite {
        bail!("{shown} exists: choose another --out, or replace it with --overwrite");
    }
    let Stored {
        config,
        network,
        state,
        ..
    } = model::load(&args.run, args.weights)?;
    let metadata = metadata(&config, args.weights)?;
    let (input, output) = names(config.kind);
    match format {
        Format::Onnx => {
            let info = OnnxInfo {
                graph: config.kind.to_string(),
                input: input.to_owned(),
                output: output.to_owned(),
                producer_version: env!("CARGO_PKG_VERSION").to_owned(),
                metadata: metadata.into_iter().collect(),
            };
            save_onnx(&args.out, &network, &state, &info)?;
        }
        Format::Safetensors => state.save_with_metadata(&args.out, &metadata)?,
    }
    let bytes = std::fs::metadata(&args.out).with_context(|| format!("cannot read {shown}"))?;
    let exported = Exported {
        file: shown.to_string(),
        format: format.as_str(),
        weights: args.weights.as_str(),
        bytes: bytes.len(),
        parameters: network.n_parameters(),
        input: Value {
            name: input,
            shape: network.input_shape().to_vec(),
        },
        output: Value {
            name: output,
            shape: network.output_shape().to_vec(),
        },
        classes: &config.data.classes,
    };
    if args.json.json {
        output::print_json(&exported)
    } else {
        output::print(exported)
    }
}

/// The flag, or else the file's ending.
fn format(args: &ExportArgs) -> Result<Format> {
    if let Some(format) = args.format {
        return Ok(format);
    }
    let ending = args
        .out
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    [Format::Onnx, Format::Safetensors]
        .into_iter()
        .find(|format| format.as_str() == ending)
        .ok_or_else(|| {
            Usage::new(format!(
                "{} ends neither in .onnx nor in .safetensors: say what to write with --format",
                args.out.display()
            ))
            .into()
        })
}

/// Names of the input and the output in an ONNX file.
fn names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Classifier => ("images", "logits"),
        Kind::Autoencoder => ("frames", "next_frame"),
    }
}

/// What somebody needs who has the file alone.
fn metadata(config: &RunConfig, weights: Weights) -> Result<BTreeMap<String, String>> {
    let data = &config.data;
    let mut entries = vec![
        ("producer", format!("juggle {}", env!("CARGO_PKG_VERSION"))),
        ("kind", config.kind.to_string()),
        ("weights", weights.as_str().to_owned()),
        ("input_layout", "NCHW".to_owned()),
        ("input_range", "[0,1]".to_owned()),
        ("input_color", data.color_mode().to_string()),
        ("input_height", data.height.to_string()),
        ("input_width", data.width.to_string()),
    ];
    match &config.network {
        NetworkConfig::Classifier(_) => {
            let classes =
                serde_json::to_string(&data.classes).context("cannot write the class names")?;
            entries.push(("classes", classes));
        }
        NetworkConfig::Autoencoder(network) => {
            entries.push(("input_frames", network.input_frames.to_string()));
        }
    }
    Ok(entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect())
}

impl fmt::Display for Exported<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "file    {} ({}, {} bytes, {} weights)",
            self.file, self.format, self.bytes, self.weights
        )?;
        let shape = |value: &Value| {
            let sizes = value.shape.iter().map(usize::to_string);
            let sizes = std::iter::once("N".to_owned()).chain(sizes);
            format!("{} {}", value.name, sizes.collect::<Vec<_>>().join("×"))
        };
        writeln!(f, "input   {}, values from 0 to 1", shape(&self.input))?;
        write!(f, "output  {}", shape(&self.output))?;
        if !self.classes.is_empty() {
            write!(f, ": {}", list(self.classes))?;
        }
        Ok(())
    }
}
