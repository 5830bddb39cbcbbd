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
        any_correct: report.accuracy > 0.0,
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
    text += &table.accuracy_row(report.accuracy, report.macro_avg.support);
    text += &table.row("macro avg", &report.macro_avg);
    text += &table.row("weighted avg", &report.weighted_avg);
    text
}

struct Table {
    /// Characters in the column of names.
    width: usize,
    digits: usize,
    /// Without a single correct prediction scikit-learn's counts turn into floats, and print so.
    any_correct: bool,
}

impl Table {
    fn row(&self, name: &str, scores: &Scores) -> String {
        let [precision, recall, f1_score] =
            [scores.precision, scores.recall, scores.f1_score].map(|score| self.score(score));
        let support = self.support(scores.support);
        self.name(name) + &format!(" {precision} {recall} {f1_score} {support}\n")
    }

    /// Accuracy stands where other rows have the F1 score.
    fn accuracy_row(&self, accuracy: f64, support: u64) -> String {
        let (accuracy, support) = (self.score(accuracy), self.support(support));
        self.name("accuracy") + &format!(" {:9} {:9} {accuracy} {support}\n", "", "")
    }

    /// Pads by hand, because a width in a format string panics above 65,535, which a name may
    /// exceed.
    fn name(&self, name: &str) -> String {
        let padding = repeat_n(' ', self.width - name.chars().count());
        padding.chain(name.chars()).chain([' ']).collect()
    }

    fn score(&self, score: f64) -> String {
        format!("{score:>9.digits$}", digits = self.digits)
    }

    fn support(&self, support: u64) -> String {
        if self.any_correct {
            format!("{support:>9}")
        } else {
            format!("{:>9}", format!("{support}.0"))
        }
    }
}
