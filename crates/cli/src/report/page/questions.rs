//! Whether one recipe is better than another, answered in words that follow from the runs.

use juggle_metrics::mean_difference_interval;
use maud::{Markup, html};

use super::super::Report;
use super::super::study::Question;
use super::super::verdict::{LEVEL, Spread};
use super::words::{count, interval, metric, number, range};

/// The questions with their answers, where there are any.
pub(super) fn answered(report: &Report, questions: &[Question]) -> Markup {
    html! {
        @if !questions.is_empty() {
            dl.answers { @for question in questions {
                @let answer = answer(report, question);
                dt { (question.question) }
                dd { strong { (answer.word) } " " (answer.reason) }
            } }
        }
    }
}

struct Answer {
    word: &'static str,
    reason: String,
}

fn answer(report: &Report, question: &Question) -> Answer {
    let spread = |name: &str| report.spread_of(name, &question.metric);
    match (spread(&question.first), spread(&question.second)) {
        (Some(first), Some(second)) => compare(question, &first, &second),
        _ => Answer {
            word: "Not measured.",
            reason: format!(
                "There is no {} of {} or of {}.",
                metric(&question.metric).1,
                question.first,
                question.second
            ),
        },
    }
}

/// The second recipe beside the first: better or worse where Welch's interval of the difference excludes zero, else neither.
fn compare(question: &Question, first: &Spread, second: &Spread) -> Answer {
    let (decimals, label) = metric(&question.metric);
    let mean = |name: &str, spread: &Spread| {
        let runs = match spread.values.len() {
            1 => "one run".to_owned(),
            n => format!(
                "{} over {}",
                range(spread.min, spread.max, decimals),
                count(n, "run", "runs")
            ),
        };
        format!("{name} {} ({runs})", number(spread.mean, decimals))
    };
    let means = format!(
        "By {label}: {}; {}.",
        mean(&question.second, second),
        mean(&question.first, first)
    );
    let Ok(found) = mean_difference_interval(&second.values, &first.values, LEVEL) else {
        return Answer {
            word: "Not known.",
            reason: format!("{means} One run says nothing about how far runs scatter."),
        };
    };
    let gain = number(second.mean - first.mean, decimals);
    let found_words = interval(found, decimals);
    let lower_is_better = question.metric.ends_with("loss");
    let (word, what) = if found.low > 0.0 || found.high < 0.0 {
        let is_better = (found.low > 0.0) != lower_is_better;
        let word = if is_better {
            "Yes."
        } else {
            "No, on the contrary."
        };
        (word, "excludes zero: the seeds alone do not make it")
    } else {
        (
            "Not to be told from these runs.",
            "includes zero: neither a gain nor a loss is certain",
        )
    };
    Answer {
        word,
        reason: format!(
            "{means} The 95% interval of the difference, {gain}, is {found_words} (Welch) and {what}."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::verdict::possible;
    use super::*;

    fn asked(metric: &str, first: &[f64], second: &[f64]) -> Answer {
        let question = Question {
            question: String::new(),
            first: "plain".into(),
            second: "tuned".into(),
            metric: metric.into(),
        };
        let spread = |values: &[f64]| Spread::of(values.iter().copied(), possible(metric)).unwrap();
        compare(&question, &spread(first), &spread(second))
    }

    #[test]
    fn an_answer_follows_from_the_runs() {
        let (low, high) = ([0.83, 0.85, 0.84], [0.96, 0.97, 0.965]);
        for (metric, first, second, word) in [
            ("accuracy", &low[..], &high[..], "Yes."),
            ("accuracy", &high, &low, "No, on the contrary."),
            ("loss", &high, &low, "Yes."),
            ("val_loss", &low, &high, "No, on the contrary."),
            (
                "accuracy",
                &low,
                &[0.5, 0.99, 0.9],
                "Not to be told from these runs.",
            ),
            ("accuracy", &low, &[0.99], "Not known."),
        ] {
            let answer = asked(metric, first, second);
            assert_eq!(answer.word, word, "{metric} {first:?} {second:?}");
        }
        let answer = asked("accuracy", &low, &high);
        assert!(
            answer.reason.starts_with(
                "By accuracy: tuned 0.965 (0.960 to 0.970 over 3 runs); plain 0.840 (0.830 to 0.850 over 3 runs)."
            ),
            "{}",
            answer.reason
        );
        assert!(
            answer
                .reason
                .contains("difference, 0.125, is 0.097 to 0.153"),
            "{}",
            answer.reason
        );
    }
}
