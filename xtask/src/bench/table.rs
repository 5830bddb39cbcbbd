//! The measured rows as Markdown, and their place in `docs/performance.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::measure::Outcome;
use super::rows::{Against, Part, Unit};
use super::statistics::Spread;

const END: &str = "<!-- end table -->";

/// The rows of one comparison; nothing when none was measured.
pub(crate) fn table(part: Part, against: Against, outcomes: &[Outcome]) -> String {
    let rows: Vec<_> = outcomes
        .iter()
        .filter(|outcome| outcome.against == against && Part::of(&outcome.id) == part)
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let (title, theirs) = match against {
        Against::PyTorch => (
            "Against PyTorch's fastest configuration of each row",
            "PyTorch",
        ),
        Against::PythonMetrics => (
            "Metrics against the Python libraries that compute the same, each on one thread",
            "library",
        ),
        Against::RustMetrics => (
            "Metrics against other Rust crates, each on one thread",
            "crate",
        ),
        Against::Memory => (
            "Metrics against reading the same bytes: the ratio is the share of the core's bandwidth",
            "reading alone",
        ),
        Against::Candle => ("Our Cpu engine against our Candle engine", "Candle engine"),
        Against::OneThread => ("On two threads and more against one", "one thread"),
    };
    let mut text = format!(
        "**{title}**\n\n\
         | | threads | juggle | {theirs} | ratio (min–max) | by processor time | others |"
    );
    let column = match against {
        Against::PyTorch => " PyTorch's configuration |",
        Against::PythonMetrics | Against::RustMetrics => " whose |",
        Against::Memory => " how |",
        Against::Candle | Against::OneThread => "",
    };
    let with_config = !column.is_empty();
    text += column;
    text.push('\n');
    text += "|---|---:|---:|---:|---:|---:|---:|";
    text += if with_config { "---|\n" } else { "\n" };
    for row in rows {
        let cpu_ratio = row
            .cpu_ratio
            .map_or_else(|| "–".to_owned(), |ratio| format!("{:.2}", ratio.median));
        let _ = write!(
            text,
            "| {} | {} | {} | {} | {} | {cpu_ratio} | {:.0} % |",
            row.title,
            row.threads,
            shown(row.unit, row.ours_each),
            shown(row.unit, row.theirs_each),
            spread(row.ratio),
            row.others * 100.0,
        );
        text += &if with_config {
            format!(" {} |\n", row.config)
        } else {
            "\n".to_owned()
        };
    }
    text
}

/// The configurations of the other side that failed, each once with the rows that it was missing from.
pub(crate) fn failures(part: Part, outcomes: &[Outcome]) -> Vec<String> {
    let mut rows: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|o| Part::of(&o.id) == part) {
        for (config, reason) in &outcome.failed {
            let row = format!("{} ({})", outcome.id, outcome.threads);
            rows.entry((config, reason)).or_default().push(row);
        }
    }
    let line = |((config, reason), rows): ((&str, &str), Vec<String>)| {
        format!("`{config}` in {}: {reason}", rows.join(", "))
    };
    rows.into_iter().map(line).collect()
}

/// A line for the terminal while the rows are measured.
pub(crate) fn line(row: &Outcome) -> String {
    format!(
        "{:54} {} thread{}  {:>16}  {:>16}  {}  {}  (others {:.0} %)",
        row.title,
        row.threads,
        if row.threads == 1 { " " } else { "s" },
        shown(row.unit, row.ours_each),
        shown(row.unit, row.theirs_each),
        spread(row.ratio),
        row.config,
        row.others * 100.0
    )
}

fn spread(Spread { median, min, max }: Spread) -> String {
    format!("**{median:.2}** ({min:.2}–{max:.2})")
}

fn shown(unit: Unit, each: f64) -> String {
    match unit {
        Unit::ImagesPerSecond => format!("{} images/s", thousands(1.0 / each)),
        Unit::Milliseconds => format!("{:.3} ms", each * 1e3),
        Unit::Seconds => format!("{each:.1} s"),
    }
}

/// A whole number with a comma every three digits.
fn thousands(x: f64) -> String {
    let digits = format!("{x:.0}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The document with everything between the part's markers replaced.
pub(crate) fn replace_between_markers(document: &str, part: Part, table: &str) -> Result<String> {
    let begin = format!(
        "<!-- begin table: written by `cargo xtask bench --part {}` -->",
        part.name()
    );
    let (before, rest) = document
        .split_once(&begin)
        .with_context(|| format!("there is no line `{begin}`"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("there is no line `{END}` after `{begin}`"))?;
    Ok(format!(
        "{before}{begin}\n\n{}\n\n{END}{after}",
        table.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        let ratio = Spread {
            median: 2.0,
            min: 1.5,
            max: 2.25,
        };
        Outcome {
            id: "train-classifier".to_owned(),
            title: "train classifier".to_owned(),
            threads: 1,
            unit: Unit::ImagesPerSecond,
            against: Against::PyTorch,
            config: "eager fused".to_owned(),
            ratio,
            cpu_ratio: None,
            others: 0.03,
            ours_each: 1.0 / 2512.4,
            theirs_each: 1.0 / 1256.2,
            ours: vec![],
            theirs: vec![],
            calibration: vec![],
            failed: vec![],
        }
    }

    #[test]
    fn a_row_names_both_sides_and_the_configuration() {
        let text = table(Part::Engine, Against::PyTorch, &[outcome()]);
        assert_eq!(
            text.lines().last(),
            Some(
                "| train classifier | 1 | 2,512 images/s | 1,256 images/s \
                 | **2.00** (1.50–2.25) | – | 3 % | eager fused |"
            )
        );
        assert_eq!(table(Part::Engine, Against::Candle, &[outcome()]), "");
    }

    #[test]
    fn a_configuration_that_failed_is_named_once() {
        let failed = |threads| Outcome {
            threads,
            failed: vec![("jit".to_owned(), "no such thing".to_owned())],
            ..outcome()
        };
        assert_eq!(
            failures(Part::Engine, &[failed(1), outcome(), failed(2)]),
            ["`jit` in train-classifier (1), train-classifier (2): no such thing"]
        );
    }

    #[test]
    fn figures_have_units() {
        assert_eq!(shown(Unit::Milliseconds, 0.000_123_4), "0.123 ms");
        assert_eq!(shown(Unit::Seconds, 12.34), "12.3 s");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
        assert_eq!(thousands(999.6), "1,000");
    }

    #[test]
    fn only_what_is_between_the_markers_of_the_part_changes() {
        let begin =
            |part| format!("<!-- begin table: written by `cargo xtask bench --part {part}` -->");
        let (engine, metrics) = (begin("engine"), begin("metrics"));
        let document = format!("{engine}\nkept\n{END}\nbetween\n{metrics}\nold\n{END}\nafter\n");
        let replace = |document: &str| replace_between_markers(document, Part::Metrics, "\nnew\n");
        let replaced = replace(&document).unwrap();
        assert_eq!(
            replaced,
            format!("{engine}\nkept\n{END}\nbetween\n{metrics}\n\nnew\n\n{END}\nafter\n")
        );
        assert_eq!(replace(&replaced).unwrap(), replaced);
        let message = replace("no markers").unwrap_err().to_string();
        assert!(message.contains("--part metrics"), "{message}");
    }
}
