//! What an accuracy on N images can and cannot mean.

use juggle_metrics::{clopper_pearson_interval, wilson_interval};
use maud::{Markup, html};

use super::super::verdict::LEVEL;
use super::super::{Group, Report};
use super::classifier::measured;
use super::table::{Cell, Table};
use super::words::{count, interval, number, thousands};

/// Half widths that one might wish for.
const WISHED: [f64; 3] = [0.02, 0.01, 0.005];
/// The normal quantile of 97.5%.
const Z: f64 = 1.959_964;

pub(super) fn body(report: &Report, groups: &[(usize, &Group)]) -> Option<Markup> {
    let mut rows: Vec<(String, u64, u64)> = vec![];
    for claim in report
        .claims
        .iter()
        .filter(|claim| claim.metric == "accuracy")
    {
        let of_kind = groups.iter().any(|(_, group)| group.name == claim.group);
        if let (true, Some(n)) = (of_kind, claim.n) {
            rows.push((
                format!("{}, published", claim.group),
                right_of(claim.published, n),
                n,
            ));
        }
    }
    for (_, group) in groups {
        if let Some((group, run, found)) = measured(group) {
            let n = found.images.len();
            rows.push((
                group.name_of(run),
                (n - found.errors().count()) as u64,
                n as u64,
            ));
        }
    }
    let (name, right, n) = rows.last()?.clone();
    let mut table = Table::new(
        "Accuracies that one measurement is compatible with, 95%",
        &[
            "measurement",
            ">accuracy",
            ">right",
            ">images",
            ">Wilson",
            ">Clopper–Pearson (cautious)",
        ],
    );
    for (name, right, n) in &rows {
        let ends = |found: juggle_metrics::Result<_>| {
            found.map_or_else(|_| Cell::dash(), |found| Cell::from(interval(found, 3)))
        };
        table.row([
            Cell::from(name),
            Cell::from(number(*right as f64 / *n as f64, 3)),
            Cell::from(thousands(usize::try_from(*right).unwrap_or(usize::MAX))),
            Cell::from(thousands(usize::try_from(*n).unwrap_or(usize::MAX))),
            ends(wilson_interval(*right, *n, LEVEL)),
            ends(clopper_pearson_interval(*right, *n, LEVEL)),
        ]);
    }
    Some(html! {
        p {
            "A test set is a sample. An accuracy on " (count(usize::try_from(n).unwrap_or(usize::MAX), "image", "images"))
            " says where the accuracy on all images of this kind lies, within these ends. Two numbers whose intervals overlap may \
             still differ: on the same images McNemar's test says more."
        }
        (table)
        (wished(&name, right as f64 / n as f64))
    })
}

/// The number of right answers behind a published accuracy.
fn right_of(accuracy: f64, n: u64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a number of images"
    )]
    let right = (accuracy.clamp(0.0, 1.0) * n as f64).round() as u64;
    right.min(n)
}

/// How many images narrower intervals would need.
fn wished(name: &str, accuracy: f64) -> Markup {
    // A perfect score says nothing about the spread; one error in a hundred stands in for it.
    let spread = (accuracy * (1.0 - accuracy)).max(0.01 * 0.99);
    let words: Vec<String> = WISHED
        .iter()
        .map(|half| {
            let n = (Z / half).powi(2) * spread;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most some 40,000"
            )]
            let rounded = (n / 100.0).ceil() as usize * 100;
            format!("about {} for ±{half}", thousands(rounded))
        })
        .collect();
    html! { p { "To know an accuracy like that of " (name) " more exactly, one needs more images: " (words.join(", ")) "." } }
}
