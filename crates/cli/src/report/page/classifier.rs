//! What a classifier got right and wrong: the report, the confusion matrix, and the images themselves.

use juggle_metrics::wilson_interval;
use maud::{Markup, html};

use super::super::Group;
use super::super::outcome::Found;
use super::super::run::Run;
use super::super::verdict::LEVEL;
use super::picture;
use super::table::{Cell, Table};
use super::words::{count, interval, number, thousands};
use crate::evaluation::classifier::ClassifierEvaluation;

/// Images shown of one run; the rest is counted.
const SHOWN: usize = 48;
/// Classes that a confusion matrix can have before no screen holds it, and confusions listed in its place.
const MATRIX: usize = 30;
/// Images shown without a click.
const OPEN: usize = 12;
/// Classes whose probabilities are shown beneath an image.
const LISTED: usize = 5;

/// The first measured run of each group in full.
pub(super) fn body(groups: &[(usize, &Group)]) -> Option<Markup> {
    let first: Vec<_> = groups
        .iter()
        .filter_map(|(_, group)| measured(group))
        .collect();
    if first.is_empty() {
        return None;
    }
    let several = groups.iter().any(|(_, group)| group.runs.len() > 1);
    Some(html! {
        @if several { p { "Shown is the first seed of each recipe." } }
        @for (group, run, found) in &first {
            h3 { (group.name_of(run)) }
            (scores(found))
            (confusion(found))
            (errors(found))
        }
    })
}

/// The first run of a group that was measured.
pub(super) fn measured(group: &Group) -> Option<(&Group, &Run, &ClassifierEvaluation)> {
    group
        .runs
        .iter()
        .find_map(|run| match &run.outcome.as_ref().ok()?.found {
            Found::Classifier(found) => Some((group, run, found)),
            Found::Frames(_) => None,
        })
}

fn scores(found: &ClassifierEvaluation) -> Markup {
    let caption = format!(
        "Classification report, {} split, {}",
        found.split,
        count(found.images.len(), "image", "images")
    );
    let columns = [
        "class",
        ">precision",
        ">recall",
        ">95% interval of recall",
        ">F1",
        ">images",
    ];
    let mut table = Table::new(caption, &columns).sortable();
    let counts = found.confusion_matrix.counts();
    let score = |value: f64| Cell::number(value, number(value, 3));
    for (i, (class, scores)) in found
        .report
        .class_names()
        .iter()
        .zip(found.report.classes())
        .enumerate()
    {
        let n = counts.row(i).sum();
        let reach = wilson_interval(counts[[i, i]], n, LEVEL).ok();
        table.row([
            Cell::from(class),
            score(scores.precision),
            score(scores.recall),
            reach.map_or_else(Cell::dash, |found| {
                Cell::number(found.low, interval(found, 3))
            }),
            score(scores.f1_score),
            Cell::number(scores.support, number(scores.support, 0)),
        ]);
    }
    for (name, scores) in [
        ("macro average", found.report.macro_avg()),
        ("weighted average", found.report.weighted_avg()),
    ] {
        table.row([
            Cell::from(name),
            score(scores.precision),
            score(scores.recall),
            Cell::dash(),
            score(scores.f1_score),
            Cell::number(scores.support, number(scores.support, 0)),
        ]);
    }
    html! {
        (table)
        p.small {
            "Precision: of the images given this class, the share that has it. Recall: of the images that have it, the share that \
             was given it. F1 is their harmonic mean."
        }
    }
}

/// Counts with a shade for the share of their row; of many classes only what is confused most.
fn confusion(found: &ClassifierEvaluation) -> Markup {
    let classes = found.report.class_names();
    if classes.len() > MATRIX {
        return confusions(found);
    }
    let columns = std::iter::once("true class".to_owned())
        .chain(classes.iter().map(|class| format!(">taken for {class}")));
    let mut table = Table::of_columns(
        "Confusion matrix: rows are true, columns predicted",
        columns,
    );
    for (i, (class, row)) in classes
        .iter()
        .zip(found.confusion_matrix.counts().rows())
        .enumerate()
    {
        let n = row.sum();
        let cells = row.iter().enumerate().map(|(j, &n_cell)| {
            let share = if n == 0 {
                0.0
            } else {
                n_cell as f64 / n as f64
            };
            let side = if i == j { "right" } else { "wrong" };
            Cell::markup(html! {
                span class=(format!("heat {side} h{}", shade(share))) {
                    (n_cell) @if n_cell > 0 { span.below { (number(share * 100.0, 0)) "%" } }
                }
            })
        });
        table.row(std::iter::once(Cell::from(class)).chain(cells));
    }
    html! { (table) }
}

fn confusions(found: &ClassifierEvaluation) -> Markup {
    let classes = found.report.class_names();
    let counts = found.confusion_matrix.counts();
    let mut pairs: Vec<(usize, usize, u64)> = counts
        .indexed_iter()
        .filter(|&((i, j), &n)| i != j && n > 0)
        .map(|((i, j), &n)| (i, j, n))
        .collect();
    pairs.sort_by(|a, b| b.2.cmp(&a.2).then(a.cmp(b)));
    let caption = format!("What is confused most, of {} classes", classes.len());
    let mut table = Table::new(
        caption,
        &[
            "true class",
            "taken for",
            ">images",
            ">share of the true class",
        ],
    )
    .sortable();
    for &(i, j, n) in pairs.iter().take(MATRIX) {
        let share = n as f64 / counts.row(i).sum() as f64;
        table.row([
            Cell::from(&classes[i]),
            Cell::from(&classes[j]),
            Cell::number(n as f64, n),
            Cell::number(share, number(share, 3)),
        ]);
    }
    html! { (table) }
}

/// One of six shades; none for nothing.
fn shade(share: f64) -> u8 {
    match share {
        s if s <= 0.0 => 0,
        s if s < 0.05 => 1,
        s if s < 0.2 => 2,
        s if s < 0.5 => 3,
        s if s < 0.9 => 4,
        _ => 5,
    }
}

fn errors(found: &ClassifierEvaluation) -> Markup {
    let mut errors: Vec<usize> = found.errors().collect();
    errors.sort_by(|&a, &b| {
        found
            .confidence(b)
            .total_cmp(&found.confidence(a))
            .then(a.cmp(&b))
    });
    let n = errors.len();
    html! {
        h4 { "Misclassified images" }
        @if n == 0 {
            p { "No image of the " (found.split) " split was misclassified." }
        } @else {
            p {
                (count(n, "image", "images")) " of " (thousands(found.images.len())) " went to another class, the most confident mistakes first"
                @if n > SHOWN { "; the first " (SHOWN) " are shown" } "."
            }
            ul.gallery { @for &i in errors.iter().take(OPEN) { li { (mistake(found, i)) } } }
            @if n > OPEN {
                details {
                    summary { (n.min(SHOWN) - OPEN) " more" }
                    ul.gallery { @for &i in errors.iter().take(SHOWN).skip(OPEN) { li { (mistake(found, i)) } } }
                }
            }
        }
    }
}

fn mistake(found: &ClassifierEvaluation, i: usize) -> Markup {
    let images = &found.images;
    let (truth, predicted) = (
        &images.classes[images.labels[i]],
        &images.classes[found.predicted[i]],
    );
    let alt = format!("Image of class {truth}");
    html! {
        figure.card {
            (picture::of_bytes(images.image(i), images.shape, &alt))
            figcaption {
                p { "true " b { (truth) } ", taken for " b { (predicted) } }
                (probabilities(found, i))
                p.file { (images.paths[i].display()) }
            }
        }
    }
}

/// The most probable classes, and the true one.
fn probabilities(found: &ClassifierEvaluation, i: usize) -> Markup {
    let of_image = found.of_image(i);
    let truth = found.images.labels[i];
    let mut order: Vec<usize> = (0..of_image.len()).collect();
    order.sort_by(|&a, &b| of_image[b].total_cmp(&of_image[a]));
    let mut shown: Vec<usize> = order.iter().copied().take(LISTED).collect();
    if !shown.contains(&truth) {
        shown.push(truth);
    }
    // In the order of the classes, so that images compare.
    shown.sort_unstable();
    html! {
        dl.bars { @for class_idx in shown {
            @let share = f64::from(of_image[class_idx]);
            div {
                dt { (found.images.classes[class_idx]) }
                dd {
                    svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                        rect.track width="100" height="8" {}
                        rect.bar.true[class_idx == truth] width=(format!("{:.1}", share * 100.0)) height="8" {}
                    }
                    span { (number(share, 3)) }
                }
            }
        } }
    }
}
