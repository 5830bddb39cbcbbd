//! The `__metadata__` of a safetensors file.
//!
//! The crate `safetensors` takes it as a hash map and writes it in the order of that map, which is another one in every
//! process. Files here depend on their content alone, so the header is written anew with the keys in order.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The length of the header, a little-endian `u64`, is in front of it.
const LENGTH: usize = 8;
const KEY: &str = "__metadata__";

/// The file with `metadata` added to what its header has.
///
/// # Panics
/// When the bytes are no safetensors file.
pub(super) fn extend(file: &[u8], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let (length, rest) = file
        .split_first_chunk::<LENGTH>()
        .expect("a file that was just serialized has a header");
    let length = usize::try_from(u64::from_le_bytes(*length)).expect("the header is in memory");
    let (header, tensors) = rest.split_at(length);
    let mut header: Map<String, Value> =
        serde_json::from_slice(header).expect("a header that was just serialized is JSON");
    let mut merged: BTreeMap<String, Value> = match header.remove(KEY) {
        Some(Value::Object(present)) => present.into_iter().collect(),
        _ => BTreeMap::new(),
    };
    merged.extend(
        metadata
            .iter()
            .map(|(key, value)| (key.clone(), Value::from(value.as_str()))),
    );
    let metadata = Value::Object(merged.into_iter().collect());
    let mut entries = Map::from_iter([(KEY.to_owned(), metadata)]);
    entries.extend(header);
    let mut header = serde_json::to_vec(&entries).expect("JSON of strings and numbers");
    // Spaces up to a multiple of eight, so that the tensors stay aligned.
    header.resize(header.len().next_multiple_of(LENGTH), b' ');
    [&(header.len() as u64).to_le_bytes(), &*header, tensors].concat()
}
