//! Spaces from flags and from the usual ones, and what a trial's values make of a configuration.

use serde_json::json;

use super::*;
use crate::config::NetworkConfig;

fn settings(kind: Kind) -> Settings {
    Settings::of(&RunConfig::defaults(kind)).unwrap()
}

fn range(kind: Kind, text: &str) -> String {
    match parse_range(&settings(kind), text) {
        Ok((name, entry)) => format!("{name} = {entry}"),
        Err(error) => format!("{error:#}"),
    }
}

#[test]
fn ranges_and_lists_are_read_by_the_kind_of_the_setting() {
    for (text, expected) in [
        (
            "learning_rate=1e-4..1e-2:log",
            r#"learning_rate = { high = 0.01, log = true, low = 0.0001, type = "float" }"#,
        ),
        (
            "label_smoothing = 0..0.2:step=0.05",
            r#"label_smoothing = { high = 0.2, low = 0.0, step = 0.05, type = "float" }"#,
        ),
        (
            "batch_size=16..64:step=16",
            r#"batch_size = { high = 64, low = 16, step = 16, type = "int" }"#,
        ),
        (
            "batch_size=16,64",
            r#"batch_size = { choices = [16, 64], type = "categorical" }"#,
        ),
        (
            "batch_norm=true,false",
            r#"batch_norm = { choices = [true, false], type = "categorical" }"#,
        ),
        (
            "augment=none;hflip,vflip",
            r#"augment = { choices = ["none", "hflip,vflip"], type = "categorical" }"#,
        ),
        (
            "batch_norm=yes,no",
            "in `yes,no`: `yes` is not true or false",
        ),
        ("batch_size=1..x", "in `1..x`: `x` is not a whole number"),
        (
            "learning_rate=1..2:linear",
            "`1..2:linear` ends with `:linear`, expected :log or :step=X",
        ),
        ("learning_rate", "expected NAME=RANGE"),
    ] {
        assert_eq!(range(Kind::Classifier, text), expected);
    }
    assert_eq!(
        range(Kind::Autoencoder, "widths=16,32;8,16,32"),
        r#"widths = { choices = ["16,32", "8,16,32"], type = "categorical" }"#
    );
    let unknown = range(Kind::Classifier, "learning_rat=1..2");
    assert!(
        unknown.contains("did you mean `learning_rate`"),
        "{unknown}"
    );
    // How long a trial may train is the pruner's to decide.
    assert!(range(Kind::Classifier, "epochs=1..2").starts_with("there is no setting `epochs`"));
}

#[test]
fn a_trials_values_become_its_configuration() {
    let base = RunConfig::defaults(Kind::Autoencoder);
    let params = [
        ("learning_rate", json!(0.02)),
        ("batch_size", json!(8)),
        ("optimizer", json!("adamw")),
        ("widths", json!("4, 8")),
        ("skip", json!(false)),
        ("ema", json!(0)),
    ];
    let params = params.map(|(name, value)| (name.to_owned(), value));
    let config = configure(&base, &BTreeMap::from(params)).unwrap();
    assert_eq!(config.training.learning_rate, 0.02);
    assert_eq!(config.training.batch_size, 8);
    let NetworkConfig::Autoencoder(network) = &config.network else {
        panic!("an autoencoder stays one");
    };
    assert_eq!((&network.widths[..], network.skip), (&[4, 8][..], false));
    for (name, value, expected) in [
        (
            "batch_norm",
            json!(1),
            "the setting `batch_norm` cannot be 1: expected true or false",
        ),
        (
            "learning_rate",
            json!(-1.0),
            "training.learning_rate is -1: expected a number above 0",
        ),
        (
            "widths",
            json!("a"),
            "the setting `widths` cannot be \"a\": expected whole numbers with commas between, like 16,32,64",
        ),
    ] {
        let params = BTreeMap::from([(name.to_owned(), value)]);
        let error = configure(&base, &params).unwrap_err();
        assert_eq!(format!("{error:#}"), expected);
    }
}

#[test]
fn the_usual_spaces_hold_only_what_the_settings_can_be() {
    for kind in [Kind::Classifier, Kind::Autoencoder] {
        for (height, transposed) in [(32, true), (16, false)] {
            let shape = ImageShape {
                channels: 1,
                height,
                width: 32,
            };
            let table = usual(kind, shape).unwrap();
            let text = toml::to_string(&table).unwrap();
            assert_eq!(text.contains("transpose"), transposed);
            let search = Search {
                space: Space::from_toml(&text).unwrap(),
                base: RunConfig::defaults(kind),
            };
            search.check().unwrap();
        }
    }
}

#[test]
fn what_is_given_takes_its_conditions_along() {
    let mut settings = settings(Kind::Classifier);
    let table: Table = r#"
        optimizer = { type = "categorical", choices = ["adam", "sgd"] }
        momentum = { type = "float", low = 0.0, high = 0.9, when = { optimizer = "sgd" } }
        ema = { type = "categorical", choices = [0.0, 0.9], when = { momentum = [0.0, 0.5] } }
    "#
    .parse()
    .unwrap();
    let mut adam = table.clone();
    settle(&mut adam, &settings, "optimizer").unwrap();
    assert!(
        adam.is_empty(),
        "momentum is SGD's, and the average hung on it: {adam}"
    );
    settings.set("optimizer", &json!("sgd")).unwrap();
    let mut sgd = table;
    settle(&mut sgd, &settings, "optimizer").unwrap();
    assert_eq!(sgd.keys().collect::<Vec<_>>(), ["ema", "momentum"]);
    assert_eq!(sgd["momentum"]["when"].as_table().unwrap().len(), 0);
}
