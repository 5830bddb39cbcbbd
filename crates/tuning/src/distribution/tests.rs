use serde_json::json;

use super::*;

fn back(distribution: &Distribution) {
    let text = distribution.to_json();
    assert_eq!(&Distribution::from_json(&text).unwrap(), distribution);
}

#[test]
fn records_are_optuna_s_byte_for_byte() {
    // The right column is what optuna 5.0.0's distribution_to_json returned.
    let cases = [
        (
            Distribution::float(0.0, 1.0),
            r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}"#,
        ),
        (
            Distribution::log_float(1e-5, 0.1),
            r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 1e-05, "high": 0.1, "log": true}}"#,
        ),
        (
            Distribution::stepped_float(0.1, 0.3, 0.1),
            r#"{"name": "FloatDistribution", "attributes": {"step": 0.1, "low": 0.1, "high": 0.3, "log": false}}"#,
        ),
        (
            Distribution::stepped_int(2, 10, 4),
            r#"{"name": "IntDistribution", "attributes": {"log": false, "step": 4, "low": 2, "high": 10}}"#,
        ),
        (
            Distribution::log_int(1, 100),
            r#"{"name": "IntDistribution", "attributes": {"log": true, "step": 1, "low": 1, "high": 100}}"#,
        ),
        (
            Distribution::categorical([json!("ä"), json!(1), json!(true), json!(0.5), Value::Null]),
            r#"{"name": "CategoricalDistribution", "attributes": {"choices": ["\u00e4", 1, true, 0.5, null]}}"#,
        ),
    ];
    for (distribution, text) in cases {
        let distribution = distribution.unwrap();
        assert_eq!(distribution.to_json(), text);
        back(&distribution);
    }
}

#[test]
fn names_of_older_versions_are_read() {
    let read = |name: &str, attributes: Value| {
        let record = json!({"name": name, "attributes": attributes});
        Distribution::from_json(&record.to_string()).unwrap()
    };
    assert_eq!(
        read("UniformDistribution", json!({"low": 1, "high": 2.0})),
        Distribution::float(1.0, 2.0).unwrap()
    );
    assert_eq!(
        read("LogUniformDistribution", json!({"low": 1.0, "high": 2.0})),
        Distribution::log_float(1.0, 2.0).unwrap()
    );
    assert_eq!(
        read(
            "DiscreteUniformDistribution",
            json!({"low": 0.1, "high": 0.35, "q": 0.1})
        ),
        Distribution::stepped_float(0.1, 0.3, 0.1).unwrap()
    );
    assert_eq!(
        read(
            "IntUniformDistribution",
            json!({"low": 1, "high": 6, "step": 2})
        ),
        Distribution::stepped_int(1, 5, 2).unwrap()
    );
    assert_eq!(
        read(
            "IntLogUniformDistribution",
            json!({"low": 1, "high": 6, "step": 1})
        ),
        Distribution::log_int(1, 6).unwrap()
    );
    let short = r#"{"type": "int", "low": 1, "high": 6}"#;
    assert_eq!(
        Distribution::from_json(short),
        Ok(Distribution::int(1, 6).unwrap())
    );
}

#[test]
fn what_is_no_distribution_is_refused() {
    let texts = [
        "",
        "[]",
        "{}",
        r#"{"name": "NormalDistribution", "attributes": {}}"#,
        r#"{"name": "FloatDistribution", "attributes": {"low": 2.0, "high": 1.0, "step": null, "log": false}}"#,
        r#"{"name": "FloatDistribution", "attributes": {"low": NaN, "high": 1.0, "step": null, "log": false}}"#,
        r#"{"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0, "step": 0.0, "log": false}}"#,
        r#"{"name": "IntDistribution", "attributes": {"low": 1.5, "high": 2, "step": 1, "log": false}}"#,
        r#"{"name": "CategoricalDistribution", "attributes": {"choices": []}}"#,
    ];
    for text in texts {
        assert!(Distribution::from_json(text).is_err(), "{text}");
    }
}

#[test]
fn flaws_name_the_bound() {
    let message = |made: Result<Distribution>| made.unwrap_err().to_string();
    assert_eq!(
        message(Distribution::float(2.0, 1.0)),
        "high is 1, expected at least `low`"
    );
    assert_eq!(
        message(Distribution::log_float(0.0, 1.0)),
        "low is 0, expected above 0 for a log scale"
    );
    assert_eq!(
        message(Distribution::stepped_float(0.0, 1.0, 0.3)),
        "high is 1, expected `low` plus a whole number of steps"
    );
    assert_eq!(
        message(Distribution::stepped_int(0, 9, 0)),
        "step is 0, expected at least 1"
    );
    assert_eq!(
        message(Distribution::int(0, i64::MAX)),
        "high is 9223372036854775807, expected an integer of at most 53 bits"
    );
    assert_eq!(
        message(Distribution::categorical(["a", "b", "a"])),
        "choices is \"a\" twice, expected different choices"
    );
}

#[test]
fn steps_are_counted_in_decimals() {
    assert_eq!(decimal::last_step(0.1, 0.35, 0.1), 0.3);
    assert_eq!(decimal::last_step(0.0, 1.0, 0.1), 1.0);
    assert_eq!(decimal::last_step(-0.3, 0.3, 0.2), 0.3);
    assert_eq!(decimal::last_step(1e-300, 1.0, 0.25), 1.0);
}

#[test]
fn values_of_other_kinds_are_none_of_it() {
    let int = Distribution::stepped_int(2, 10, 4).unwrap();
    assert_eq!(int.internal(&json!(6)), Some(6.0));
    assert_eq!(int.internal(&json!(6.0)), Some(6.0));
    for value in [json!(7), json!(6.5), json!("6"), json!(14), Value::Null] {
        assert_eq!(int.internal(&value), None, "{value}");
    }
    let float = Distribution::stepped_float(0.0, 1.0, 0.1).unwrap();
    assert_eq!(
        float.internal(&json!(0.30000000000000004)),
        Some(0.30000000000000004)
    );
    assert_eq!(float.internal(&json!(0.35)), None);
    let choice = Distribution::categorical([json!(1), json!("1")]).unwrap();
    assert_eq!(choice.internal(&json!("1")), Some(1.0));
    assert_eq!(choice.internal(&json!(true)), None);
    assert!(!choice.contains(2.0) && !choice.contains(-1.0) && !choice.contains(0.5));
}
