use proptest::prelude::{Strategy as _, any, prop_assert_eq, proptest};
use serde_json::json;

use super::*;

#[test]
fn floats_are_spelled_as_in_python() {
    // The right column is Python's repr of the left.
    let cases = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1.5e-7, "1.5e-07"),
        (1e15, "1000000000000000.0"),
        (1e16, "1e+16"),
        (1.25e100, "1.25e+100"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ];
    for (x, text) in cases {
        assert_eq!(python_float(x), text);
        assert_eq!(write(&float(x), Spacing::Compact), text);
        let back = as_float(&read(text).unwrap()).unwrap();
        assert!(back == x || (back.is_nan() && x.is_nan()), "{text}");
    }
}

#[test]
fn bare_words_inside_texts_are_left_alone() {
    let line = r#"{"a":NaN,"b":"NaN, \"-Infinity","c":[-Infinity,Infinity]}"#;
    let value = read(line).unwrap();
    assert!(as_float(&value["a"]).unwrap().is_nan());
    assert_eq!(value["b"], json!("NaN, \"-Infinity"));
    assert_eq!(as_float(&value["b"]), None);
    assert_eq!(as_float(&value["c"][0]), Some(f64::NEG_INFINITY));
    assert_eq!(write(&value, Spacing::Compact), line);
}

#[test]
fn broken_documents_stay_broken() {
    for text in ["", "{", "NaN NaN", "{\"a\":Nan}", "[1,]"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn texts_are_ascii() {
    let value = json!({"käse": "🧀\u{1}\t"});
    let text = r#"{"k\u00e4se": "\ud83e\uddc0\u0001\t"}"#;
    assert_eq!(write(&value, Spacing::Spaced), text);
    assert_eq!(read(text).unwrap(), value);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(x in any::<f64>().prop_filter("NaN is not equal to itself", |x| !x.is_nan()), text in ".*") {
        let value = json!([float(x), text]);
        let back = read(&write(&value, Spacing::Spaced)).unwrap();
        prop_assert_eq!(as_float(&back[0]), Some(x));
        if !text.starts_with(MARK) {
            prop_assert_eq!(&back[1], &json!(text));
        }
    }
}
