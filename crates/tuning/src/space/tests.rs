use serde_json::json;

use super::*;

fn names(assigned: &[(String, f64, Arc<Distribution>)]) -> Vec<&str> {
    assigned.iter().map(|(name, ..)| name.as_str()).collect()
}

const CONDITIONAL: &str = r#"
    a_momentum = { type = "float", low = 0, high = 0.9, when = { optimizer = ["sgd", "rmsprop"], nested = true } }
    nested = { type = "categorical", choices = [true, false], when = { optimizer = "sgd" } }
    optimizer = { type = "categorical", choices = ["adam", "sgd", "rmsprop"] }
    depth = { type = "int", low = 1, high = 64, log = true }
    dropout = { type = "float", low = 0.0, high = 0.5, step = 0.1 }
"#;

#[test]
fn parameters_stand_behind_their_conditions() {
    let space = Space::from_toml(CONDITIONAL).unwrap();
    let order: Vec<_> = space.parameters().iter().map(|p| p.name.as_str()).collect();
    let at = |name| order.iter().position(|&other| other == name).unwrap();
    assert!(at("optimizer") < at("nested") && at("nested") < at("a_momentum"));
}

#[test]
fn a_parameter_is_there_when_all_its_conditions_hold() {
    let space = Space::from_toml(CONDITIONAL).unwrap();
    let with = |optimizer: f64, nested: f64| {
        let assigned = space.assign(|parameter| match parameter.name.as_str() {
            "optimizer" => optimizer,
            "nested" => nested,
            "depth" => 1.0,
            _ => 0.0,
        });
        assigned.iter().any(|(name, ..)| name == "a_momentum")
    };
    assert!(!with(0.0, 0.0));
    assert!(with(1.0, 0.0));
    assert!(!with(1.0, 1.0));
    // `nested` is not there, so a condition on it cannot hold.
    assert!(!with(2.0, 0.0));
}

#[test]
fn fixed_values_are_not_drawn() {
    let space = Space::from_toml(CONDITIONAL).unwrap();
    let space = space.fix("optimizer", &json!("adam")).unwrap();
    let mut drawn = vec![];
    let assigned = space.assign(|parameter| {
        drawn.push(parameter.name.clone());
        1.0
    });
    assert_eq!(drawn, ["depth", "dropout"]);
    let mut found = names(&assigned);
    found.sort_unstable();
    assert_eq!(found, ["depth", "dropout", "optimizer"]);
    let message = space
        .clone()
        .fix("optimizer", &json!("lion"))
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("parameter `optimizer` is \"lion\", expected "),
        "{message}"
    );
    let message = space.fix("width", &json!(1)).unwrap_err().to_string();
    assert!(
        message.starts_with("there is no parameter `width`"),
        "{message}"
    );
}

#[test]
fn errors_name_the_key_what_was_found_and_what_is_expected() {
    let cases = [
        (
            "x = 3",
            "parameter `x`: `type` is 3, expected a table with `type`",
        ),
        (
            "x = {}",
            "parameter `x`: `type` is missing, expected \"float\", \"int\" or \"categorical\"",
        ),
        (
            "x = { type = 'real' }",
            "parameter `x`: `type` is the text \"real\", expected \"float\", \"int\" or \"categorical\"",
        ),
        (
            "x = { type = 'float', low = 1 }",
            "parameter `x`: `high` is missing, expected a number",
        ),
        (
            "x = { type = 'float', low = '1', high = 2 }",
            "parameter `x`: `low` is the text \"1\", expected a number",
        ),
        (
            "x = { type = 'float', low = 3, high = 2 }",
            "parameter `x`: `high` is 2, expected at least `low`",
        ),
        (
            "x = { type = 'float', low = 0, high = 2, log = true }",
            "parameter `x`: `low` is 0, expected above 0 for a log scale",
        ),
        (
            "x = { type = 'float', low = 1, high = 2, log = 1 }",
            "parameter `x`: `log` is 1, expected true or false",
        ),
        (
            "x = { type = 'float', low = 1, high = 2, log = true, step = 1 }",
            "parameter `x`: `step` is there beside log = true, expected one of them",
        ),
        (
            "x = { type = 'float', low = 0, high = 1, step = 0.3 }",
            "parameter `x`: `high` is 1, expected `low` plus a whole number of steps",
        ),
        (
            "x = { type = 'int', low = 1.5, high = 2 }",
            "parameter `x`: `low` is 1.5, expected an integer",
        ),
        (
            "x = { type = 'int', low = 1, hihg = 2 }",
            "parameter `x`: `hihg` is unknown, expected only type, low, high, log, step, when",
        ),
        (
            "x = { type = 'categorical', choices = [] }",
            "parameter `x`: `choices` is empty, expected at least one choice",
        ),
        (
            "x = { type = 'categorical', choices = [[1]] }",
            "parameter `x`: `choices` is a list, expected a list of booleans, numbers and texts",
        ),
        (
            "x = { type = 'int', low = 1, high = 2, when = { y = 1 } }",
            "parameter `x`: `when.y` is about no parameter, expected a condition on one of x",
        ),
        (
            "x = { type = 'int', low = 1, high = 2, when = { x = 1 } }",
            "parameter `x`: `when` is part of a circle: x, expected conditions that end somewhere",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(Space::from_toml(text).unwrap_err().to_string(), message);
    }
    let impossible = "x = { type = 'int', low = 1, high = 2, when = { y = 'c' } }\ny = { type = 'categorical', choices = ['a', 'b'] }";
    let message = Space::from_toml(impossible).unwrap_err().to_string();
    assert!(
        message.starts_with("parameter `x`: `when.y` is \"c\", expected a value of"),
        "{message}"
    );
    let message = Space::from_toml("x = ").unwrap_err().to_string();
    assert!(
        message.starts_with("the space is not TOML: TOML parse error at line 1"),
        "{message}"
    );
    let twice = [
        Parameter::new("x", Distribution::int(0, 1).unwrap()),
        Parameter::new("x", Distribution::int(0, 1).unwrap()),
    ];
    let message = Space::new(twice).unwrap_err().to_string();
    assert_eq!(
        message,
        "parameter `x`: `name` is there twice, expected a name of its own"
    );
}
