//! Configurations as flat lists of settings, and where several of them differ.

use std::collections::BTreeMap;

use serde_json::Value;

/// A configuration by its keys: `training.learning_rate` is the key of `learning_rate` inside `training`.
pub type Settings = BTreeMap<String, Value>;

/// Flattens a configuration: tables are opened, lists are values.
///
/// ```
/// let config = serde_json::json!({"seed": 1, "training": {"epochs": 3}, "widths": [4, 8]});
/// let settings = juggle_tracking::settings(&config);
/// assert_eq!(settings.keys().collect::<Vec<_>>(), ["seed", "training.epochs", "widths"]);
/// ```
#[must_use]
pub fn settings(config: &Value) -> Settings {
    let mut settings = Settings::new();
    open(config, "", &mut settings);
    settings
}

/// The keys that do not have the same value everywhere, a key that is missing somewhere included, in alphabetical order.
///
/// ```
/// use juggle_tracking::{differing_keys, settings};
///
/// let a = settings(&serde_json::json!({"seed": 1, "epochs": 3}));
/// let b = settings(&serde_json::json!({"seed": 1, "epochs": 4, "ema": 0.9}));
/// assert_eq!(differing_keys(&[&a, &b]), ["ema", "epochs"]);
/// ```
#[must_use]
pub fn differing_keys(all: &[&Settings]) -> Vec<String> {
    let mut keys: Vec<&String> = all.iter().flat_map(|settings| settings.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| {
        all.windows(2)
            .any(|pair| pair[0].get(*key) != pair[1].get(*key))
    });
    keys.into_iter().cloned().collect()
}

fn open(value: &Value, key: &str, settings: &mut Settings) {
    let Value::Object(table) = value else {
        settings.insert(key.to_owned(), value.clone());
        return;
    };
    for (name, value) in table {
        if key.is_empty() {
            open(value, name, settings);
        } else {
            open(value, &format!("{key}.{name}"), settings);
        }
    }
}
