//! Weights on disk: round trip, strictness, damage.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use juggle_models::{CnnConfig, Network, State, StateTensor, cnn, initialize};
use safetensors::SafeTensors;

fn network(batch_norm: bool) -> Network {
    cnn(&CnnConfig {
        n_classes: 3,
        in_channels: 1,
        height: 8,
        width: 8,
        batch_norm,
    })
    .unwrap()
}

#[test]
fn a_state_survives_the_disk_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (
        folder.path().join("a.safetensors"),
        folder.path().join("b.safetensors"),
    );
    let mut state = initialize(&network(true), 9);
    state.insert(
        "1.num_batches_tracked".into(),
        StateTensor::counter(1 << 40),
    );
    state.save(&first).unwrap();
    assert_eq!(State::load(&first, &network(true)).unwrap(), state);
    State::load(&first, &network(true))
        .unwrap()
        .save(&second)
        .unwrap();
    assert_eq!(fs::read(&first).unwrap(), fs::read(&second).unwrap());
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "no temporary file is left"
    );
}

#[test]
fn metadata_are_added_in_order_and_the_tensors_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let state = initialize(&network(true), 3);
    let words = [
        ("zebra", "1"),
        ("classes", r#"["a \"b\"","é"]"#),
        ("kind", "x"),
    ];
    let metadata = words.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let metadata = BTreeMap::from(metadata);
    state.save_with_metadata(&path, &metadata).unwrap();
    assert_eq!(State::load(&path, &network(true)).unwrap(), state);

    let bytes = fs::read(&path).unwrap();
    let (header_len, header) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header_len % 8, 0, "the tensors stay aligned");
    let mut expected: HashMap<String, String> = metadata.clone().into_iter().collect();
    expected.insert("format".into(), "pt".into());
    assert_eq!(header.metadata().as_ref(), Some(&expected));
    let text = String::from_utf8_lossy(&bytes[8..]);
    let positions = ["classes", "format", "kind", "zebra"]
        .map(|key| text.find(&format!("\"{key}\":")).unwrap());
    assert!(positions.is_sorted(), "{positions:?}");
}

#[test]
fn saving_replaces_the_file_whole_or_leaves_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    initialize(&network(false), 1).save(&path).unwrap();
    initialize(&network(false), 2).save(&path).unwrap();
    assert_eq!(
        State::load(&path, &network(false)).unwrap(),
        initialize(&network(false), 2)
    );
    let nowhere = folder.path().join("missing/model.safetensors");
    let error = initialize(&network(false), 1).save(&nowhere).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot write {}", nowhere.display())
    );
}

#[test]
fn a_file_of_another_network_is_refused_with_the_tensors_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let refused = |state: &State, network: &Network| {
        state.save(&path).unwrap();
        let message = State::load(&path, network).unwrap_err().to_string();
        message.replace(&path.display().to_string(), "FILE")
    };
    let plain = network(false);
    assert_eq!(
        refused(&initialize(&network(true), 0), &plain),
        "FILE does not fit the network: tensor `2.weight` is missing"
    );
    let ten = cnn(&CnnConfig {
        n_classes: 10,
        in_channels: 1,
        height: 8,
        width: 8,
        batch_norm: false,
    })
    .unwrap();
    assert_eq!(
        refused(&initialize(&ten, 0), &plain),
        "FILE does not fit the network: tensor `13.weight` is F32 of shape [10, 64], expected F32 of shape [3, 64]"
    );
    let mut state = initialize(&plain, 0);
    state.insert("99.weight".into(), StateTensor::floats(vec![1], vec![0.0]));
    assert_eq!(
        refused(&state, &plain),
        "FILE does not fit the network: tensor `99.weight` is in no layer of the network"
    );
    let mut state = initialize(&plain, 0);
    state.insert(
        "0.bias".into(),
        StateTensor::floats(vec![16], vec![f32::NAN; 16]),
    );
    assert_eq!(
        refused(&state, &plain),
        "FILE does not fit the network: tensor `0.bias` holds NaN, expected finite values"
    );
    let mut state = initialize(&network(true), 0);
    state.insert(
        "1.num_batches_tracked".into(),
        StateTensor::floats(vec![], vec![0.0]),
    );
    assert_eq!(
        refused(&state, &network(true)),
        "FILE does not fit the network: tensor `1.num_batches_tracked` is F32 of shape [], expected I64 of shape []"
    );
}

#[test]
fn a_damaged_file_is_refused_at_every_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    initialize(&network(false), 0).save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = State::load(&path, &network(false)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{} is not a safetensors file", path.display()),
            "{length} bytes"
        );
    }
    fs::remove_file(&path).unwrap();
    let error = State::load(&path, &network(false)).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read {}", path.display()));
}
