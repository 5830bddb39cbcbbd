//! JSON as Python's `json` module writes and reads it.
//!
//! Optuna's records hold floats that JSON has no spelling for. Python writes them as the bare words `NaN`, `Infinity`
//! and `-Infinity`. Here such a word is the text [`MARK`] followed by the word: no text that Python wrote
//! from a float, and written back as it came.

use serde_json::Value;

/// Begins a text that stands for a bare word.
const MARK: char = '\0';
const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];

/// How `json.dumps` is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spacing {
    /// `separators=(",", ":")`, the lines of a journal.
    Compact,
    /// The default, `", "` and `": "`.
    Spaced,
}

/// Reads one document.
pub(crate) fn read(text: &str) -> serde_json::Result<Value> {
    // Almost no record has a bare word, and the parser refuses one at once.
    serde_json::from_str(text).or_else(|error| match quote_words(text) {
        Some(quoted) => serde_json::from_str(&quoted),
        None => Err(error),
    })
}

/// Writes one document, in ASCII.
pub(crate) fn write(value: &Value, spacing: Spacing) -> String {
    let mut out = String::new();
    write_value(value, spacing, &mut out);
    out
}

/// A float as a value, whatever it is.
pub(crate) fn float(x: f64) -> Value {
    let word = if x.is_nan() {
        WORDS[0]
    } else if x == f64::NEG_INFINITY {
        WORDS[1]
    } else if x == f64::INFINITY {
        WORDS[2]
    } else {
        return Value::from(x);
    };
    Value::String(format!("{MARK}{word}"))
}

/// The float that a value is, whole numbers included.
pub(crate) fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.strip_prefix(MARK)? {
            "NaN" => Some(f64::NAN),
            "-Infinity" => Some(f64::NEG_INFINITY),
            "Infinity" => Some(f64::INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Python's `repr` of a float.
pub(crate) fn python_float(x: f64) -> String {
    if !x.is_finite() {
        return match as_word(&float(x)) {
            Some(word) => word.to_owned(),
            None => unreachable!("a float without digits has a word"),
        };
    }
    // Rust and Python both print the shortest digits that read back as the same number, and change to an exponent at
    // the same places; Python's has two digits and a sign.
    let text = format!("{x:?}");
    match text.split_once('e') {
        None => text,
        Some((digits, exponent)) => {
            let digits = digits.strip_suffix(".0").unwrap_or(digits);
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(rest) => ('-', rest),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
    }
}

fn as_word(value: &Value) -> Option<&str> {
    let word = value.as_str()?.strip_prefix(MARK)?;
    WORDS.contains(&word).then_some(word)
}

/// Puts bare words into marked quotes; nothing where there is none.
fn quote_words(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut in_text, mut escaped, mut found) = (false, false, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !in_text && let Some(word) = WORDS.iter().find(|word| rest.starts_with(**word)) {
            out.push_str("\"\\u0000");
            out.push_str(word);
            out.push('"');
            rest = &rest[word.len()..];
            found = true;
            continue;
        }
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            in_text = c == '"';
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    found.then_some(out)
}

fn write_value(value: &Value, spacing: Spacing, out: &mut String) {
    let (comma, colon) = match spacing {
        Spacing::Compact => (",", ":"),
        Spacing::Spaced => (", ", ": "),
    };
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) if number.is_f64() => {
            out.push_str(&python_float(number.as_f64().unwrap_or(f64::NAN)));
        }
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => match as_word(value) {
            Some(word) => out.push_str(word),
            None => write_text(text, out),
        },
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(comma);
                }
                write_value(item, spacing, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push_str(comma);
                }
                write_text(key, out);
                out.push_str(colon);
                write_value(item, spacing, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
