//! ONNX files of networks of every kind, with inputs and the outputs that another program must compute from them.
//!
//! `cargo xtask interop` names a folder in `JUGGLE_ONNX`, checks the files there with the `onnx` package and runs them in
//! onnxruntime; without it they go to a folder that is removed again.

use std::path::{Path, PathBuf};

use juggle_models::{CpuEngine, Engine, OnnxInfo, State, StateTensor, onnx_model, save_onnx};

use crate::cases::{Case, cases};

/// Any number that is not 1, and odd.
const N: usize = 5;

#[test]
fn networks_of_every_kind_are_written_for_other_programs() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = match std::env::var_os("JUGGLE_ONNX") {
        Some(folder) => PathBuf::from(folder),
        None => temporary.path().to_owned(),
    };
    for case in cases() {
        write(&case, &folder);
    }
    let n_files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(n_files, 2 * cases().len());
}

fn write(case: &Case, folder: &Path) {
    let (network, path) = (&case.network, folder.join(case.name.replace(' ', "-")));
    let initial = juggle_models::initialize(network, 5);
    let mut engine = CpuEngine::new(network, &initial, case.options()).unwrap();
    // Two steps move the running statistics away from where they began.
    for _ in 0..2 {
        case.step(&mut engine, 4);
    }
    let (state, inputs) = (engine.state().unwrap(), case.inputs(N));
    let outputs = engine.forward(&inputs).unwrap();

    let info = OnnxInfo {
        graph: case.name.to_owned(),
        input: "images".to_owned(),
        output: "outputs".to_owned(),
        producer_version: "0".to_owned(),
        metadata: vec![],
    };
    let file = path.with_extension("onnx");
    save_onnx(&file, network, &state, &info).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(bytes, onnx_model(network, &state, &info).unwrap());

    let shape = |rest: &[usize]| [&[N], rest].concat();
    let mut expected = State::default();
    expected.insert(
        "images".to_owned(),
        StateTensor::floats(shape(&network.input_shape()), inputs),
    );
    expected.insert(
        "outputs".to_owned(),
        StateTensor::floats(shape(network.output_shape()), outputs),
    );
    expected.save(&path.with_extension("safetensors")).unwrap();
}
