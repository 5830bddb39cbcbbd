//! The report as text.

use std::iter::repeat_n;

use super::{ClassificationReport, Scores};

/// Lays the report out as scikit-learn does.
pub(super) fn to_text(report: &ClassificationReport, digits: u16) -> String {
    let digits = usize::from(digits);
    let longest_name = report.class_names.iter().map(|name| name.chars().count());
    let table = Table {
        // That the number of digits counts here is an oddity of scikit-learn's.
        width: longest_name.fold("weighted avg".len().max(digits), usize::max),
        digits,
        float_supports: report.float_supports,
    };

    let mut text = table.name("");
    for heading in ["precision", "recall", "f1-score", "support"] {
        text += &format!(" {heading:>9}");
    }
    text += "\n\n";
    for (name, scores) in report.class_names.iter().zip(&report.classes) {
        text += &table.row(name, scores);
    }
    text.push('\n');
    text += &if report.is_complete {
        table.accuracy_row(&report.micro_avg)
    } else {
        table.row("micro avg", &report.micro_avg)
    };
    text += &table.row("macro avg", &report.macro_avg);
    text += &table.row("weighted avg", &report.weighted_avg);
    text
}

struct Table {
    /// Characters in the column of names.
    width: usize,
    digits: usize,
    /// With weights, and without a single correct prediction, scikit-learn's counts are floats, and print so.
    float_supports: bool,
}

impl Table {
    fn row(&self, name: &str, scores: &Scores) -> String {
        let [precision, recall, f1_score] =
            [scores.precision, scores.recall, scores.f1_score].map(|score| self.score(score));
        let support = self.support(scores.support);
        self.name(name) + &format!(" {precision} {recall} {f1_score} {support}\n")
    }

    /// Accuracy stands where other rows have the F1 score.
    fn accuracy_row(&self, micro_avg: &Scores) -> String {
        let (accuracy, support) = (
            self.score(micro_avg.f1_score),
            self.support(micro_avg.support),
        );
        self.name("accuracy") + &format!(" {:9} {:9} {accuracy} {support}\n", "", "")
    }

    /// Pads by hand, because a width in a format string panics above 65,535, which a name may
    /// exceed.
    fn name(&self, name: &str) -> String {
        let padding = repeat_n(' ', self.width - name.chars().count());
        padding.chain(name.chars()).chain([' ']).collect()
    }

    fn score(&self, score: f64) -> String {
        if score.is_nan() {
            return format!("{:>9}", "nan");
        }
        format!("{score:>9.digits$}", digits = self.digits)
    }

    fn support(&self, support: f64) -> String {
        if self.float_supports {
            format!("{:>9}", python_float(support))
        } else {
            format!("{support:>9.0}")
        }
    }
}

/// A number as Python's `str` writes it.
fn python_float(x: f64) -> String {
    // Rust's Debug is as short and as exact, but writes small numbers out longer and exponents without sign.
    if x == 0.0 || (1e-4..1e16).contains(&x.abs()) {
        return format!("{x:?}");
    }
    let text = format!("{x:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::python_float;

    /// Expected texts are those of Python 3.11.
    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (x, expected) in [
            (0.0, "0.0"),
            (3.0, "3.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-4, "0.0001"),
            (5e-5, "5e-05"),
            (1.5e-7, "1.5e-07"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.25e100, "1.25e+100"),
            (-2.5, "-2.5"),
        ] {
            assert_eq!(python_float(x), expected);
        }
    }
}
