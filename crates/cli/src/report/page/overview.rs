//! The top of the page: what this is, in a paragraph and a few numbers.

use juggle_metrics::wilson_interval;
use maud::{Markup, html};

use super::super::chart::lines::short;
use super::super::outcome::{Found, Outcome};
use super::super::run::Run;
use super::super::verdict::{Judgement, LEVEL, RULE, Spread, Verdict};
use super::super::{Group, Report};
use super::questions::answered;
use super::table::{Cell, Table};
use super::words::{count, duration, interval, metric, number, range, thousands};
use super::{About, Part, frames};
use crate::config::{NetworkConfig, RunConfig};

/// The paragraphs under the title.
pub(super) fn lead(report: &Report) -> Markup {
    let single = match &report.groups[..] {
        [group] if report.lead.is_empty() && group.runs.len() == 1 => group.runs.first(),
        _ => None,
    };
    html! {
        @for paragraph in &report.lead { p.lead { (paragraph) } }
        @if let Some(words) = tally(report) { p.lead { (words) } }
        (answered(report, &report.questions))
        @if let Some(run) = single {
            p.lead { (what(run)) }
            (figures(run))
        } @else if report.lead.is_empty() {
            p.lead { (several(report)) }
        }
        @if !report.limits.is_empty() {
            div.note {
                p { strong { "Before you believe it" } }
                ul { @for limit in &report.limits { li { (limit) } } }
            }
        }
        (notes(report))
    }
}

/// How many published numbers are reproduced.
fn tally(report: &Report) -> Option<String> {
    let verdicts = report
        .claims
        .iter()
        .map(|claim| report.judge(claim).verdict);
    let verdicts: Vec<Verdict> = verdicts.collect();
    let n = |verdict| verdicts.iter().filter(|found| **found == verdict).count();
    let of = [
        (n(Verdict::Reproduced), "reproduced"),
        (n(Verdict::DirectionOnly), "reproduced in direction only"),
        (n(Verdict::NotReproduced), "not reproduced"),
        (n(Verdict::Undecided), "without a verdict"),
    ];
    let parts: Vec<String> = of
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, words)| format!("{n} {} {words}", if *n == 1 { "is" } else { "are" }))
        .collect();
    let all = count(verdicts.len(), "published number", "published numbers");
    (!parts.is_empty()).then(|| {
        format!(
            "Of {all}, {}, by the rule below the table of verdicts.",
            crate::config::list(&parts)
        )
    })
}

/// Verdicts on published numbers, where there are any.
pub(super) fn parts(report: &Report) -> Vec<Part> {
    if report.claims.is_empty() {
        return vec![];
    }
    let columns = [
        "recipe",
        "number",
        "verdict",
        ">published",
        ">ours, mean",
        ">lowest to highest",
        ">one more run is expected in",
        ">gain",
    ];
    let mut table = Table::new("Published numbers and ours, with 95% intervals", &columns);
    for claim in &report.claims {
        let group = report.groups.iter().find(|group| group.name == claim.group);
        let spread = group.and_then(|group| group.spread(&claim.metric));
        let spread = spread.as_ref();
        let judgement = report.judge(claim);
        let (decimals, label) = metric(&claim.metric);
        table.row([
            Cell::from(&claim.group),
            Cell::from(label),
            Cell::markup(html! {
                (badge(judgement.verdict))
                @if let Some(reason) = &claim.unjudged { span.below { (reason) } }
            }),
            Cell::markup(html! {
                (number(claim.published, claim.decimals))
                @if let Some(tolerance) = claim.tolerance { span.below { "± " (tolerance) } }
            }),
            spread.map_or_else(Cell::dash, |spread| mean_of(spread, decimals)),
            spread.map_or_else(Cell::dash, |spread| ends_of(spread, decimals)),
            judgement
                .prediction
                .map_or_else(Cell::dash, |found| Cell::from(interval(found, decimals))),
            gain(claim.against.as_deref(), judgement, decimals),
        ]);
    }
    let body = html! {
        (table)
        p { strong { "The rule. " } (RULE) }
    };
    vec![Part::new(
        About::Summary,
        "verdicts",
        "Published and measured",
        body,
    )]
}

fn mean_of(spread: &Spread, decimals: usize) -> Cell {
    Cell::markup(html! {
        (number(spread.mean, decimals))
        @if let Some(found) = spread.interval { span.below { (interval(found, decimals)) } }
    })
}

fn ends_of(spread: &Spread, decimals: usize) -> Cell {
    Cell::markup(html! {
        (range(spread.min, spread.max, decimals))
        span.below { (count(spread.values.len(), "run", "runs")) }
    })
}

/// Over the recipe that it was published to differ from.
fn gain(against: Option<&str>, judgement: Judgement, decimals: usize) -> Cell {
    match (judgement.difference, against) {
        (Some(found), Some(against)) => Cell::markup(html! {
            (interval(found, decimals)) span.below.wrap { "over " (against) }
        }),
        _ => Cell::dash(),
    }
}

fn badge(verdict: Verdict) -> Markup {
    let (class, sign) = match verdict {
        Verdict::Reproduced => ("yes", "✓"),
        Verdict::DirectionOnly => ("half", "↗"),
        Verdict::NotReproduced => ("no", "✗"),
        Verdict::Undecided => ("open", "–"),
    };
    html! { span.badge.(class) { span aria-hidden="true" { (sign) " " } (verdict.words()) } }
}

/// One run in a paragraph.
fn what(run: &Run) -> String {
    let config = &run.config;
    let mut text = format!("{} {}", network_words(run), training_words(run));
    match &run.outcome {
        Ok(outcome) => text += &outcome_words(outcome, config),
        Err(reason) => text += &format!(" It was not measured: {reason}."),
    }
    text
}

fn network_words(run: &Run) -> String {
    let config = &run.config;
    let (shape, parameters) = (config.data.image_shape(), thousands(run.summary.parameters));
    let size = format!("{}×{}", shape.height, shape.width);
    let color = if shape.channels == 1 {
        "gray"
    } else {
        "colour"
    };
    match &config.network {
        NetworkConfig::Classifier(network) => format!(
            "A convolutional network with {parameters} parameters{} sorts {color} images of {size} pixels into {}: {}.",
            if network.batch_norm {
                " and batch normalisation"
            } else {
                ""
            },
            count(config.data.classes.len(), "class", "classes"),
            crate::config::list(&config.data.classes)
        ),
        NetworkConfig::Autoencoder(network) => format!(
            "An autoencoder with {parameters} parameters, {} skip connections{}, predicts the next frame of a clip from {} \
             {color} frames of {size} pixels.",
            if network.skip { "with" } else { "without" },
            if network.batch_norm {
                " and with batch normalisation"
            } else {
                ""
            },
            network.input_frames
        ),
    }
}

fn training_words(run: &Run) -> String {
    let training = &run.config.training;
    let done = run.log.epochs.last().map_or(0, |epoch| epoch.epoch);
    let examples = run
        .log
        .started
        .as_ref()
        .map_or_else(String::new, |started| {
            format!(" on {} examples", thousands(started.train_examples))
        });
    let time = run
        .elapsed_s()
        .map_or_else(String::new, |seconds| format!(", in {}", duration(seconds)));
    format!(
        "It was trained{examples} for {} of {}{time}, with seed {}.",
        done,
        count(training.epochs, "epoch", "epochs"),
        run.config.seed
    )
}

fn outcome_words(outcome: &Outcome, config: &RunConfig) -> String {
    let split = outcome.split();
    match &outcome.found {
        Found::Classifier(found) => {
            let (n, wrong) = (found.images.len(), found.errors().count());
            let accuracy = found.report.accuracy();
            let reach = wilson_interval((n - wrong) as u64, n as u64, LEVEL).map_or_else(
                |_| String::new(),
                |found| format!(", 95% interval {}", interval(found, 3)),
            );
            format!(
                " On the {} of the {split} split it names the right class for {}: an accuracy of {}{reach}.",
                count(n, "image", "images"),
                thousands(n - wrong),
                number(accuracy, 3)
            )
        }
        Found::Frames(found) => {
            let of = |name: &str, decimals| {
                outcome
                    .number(name)
                    .map_or_else(|| "–".to_owned(), |x| number(x, decimals))
            };
            format!(
                " On the {} of the {split} split its frames reach {} dB PSNR and an SSIM of {} against the true ones; \
                 repeating the last of the {} input frames would reach {} dB and {}.",
                count(found.evaluation.n, "window", "windows"),
                of("psnr_db", 2),
                of("ssim", 3),
                match &config.network {
                    NetworkConfig::Autoencoder(network) => network.input_frames,
                    NetworkConfig::Classifier(_) => 0,
                },
                of("psnr_db_last_frame", 2),
                of("ssim_last_frame", 3)
            )
        }
    }
}

/// The numbers that one looks for first.
fn figures(run: &Run) -> Markup {
    let mut figures: Vec<(&str, String, String)> = vec![];
    match run.outcome.as_ref().map(|outcome| &outcome.found) {
        Ok(Found::Classifier(found)) => {
            let (n, right) = (
                found.images.len(),
                found.images.len() - found.errors().count(),
            );
            let reach = wilson_interval(right as u64, n as u64, LEVEL);
            let reach = reach.map_or_else(
                |_| String::new(),
                |found| format!("95%: {}", interval(found, 3)),
            );
            figures.push(("accuracy", number(found.report.accuracy(), 3), reach));
            figures.push((
                "right",
                format!("{} of {}", thousands(right), thousands(n)),
                format!("{} split", found.split),
            ));
            figures.push(("loss", short(found.loss), "cross-entropy, nats".to_owned()));
        }
        Ok(Found::Frames(found)) => {
            for (label, name, decimals) in [("PSNR, dB", "psnr_db", 2), ("SSIM", "ssim", 3)] {
                let Some(values) = found.values(name) else {
                    continue;
                };
                let mean = super::super::outcome::mean(values);
                let reach = frames::interval_over_clips(found, name);
                let reach = reach.map_or_else(String::new, |found| {
                    format!("95%: {}", interval(found, decimals))
                });
                figures.push((label, number(mean, decimals), reach));
            }
            if let (Some(ours), Some(copy)) =
                (found.values("psnr_db"), found.values("psnr_db_last_frame"))
            {
                let gain = super::super::outcome::mean(ours) - super::super::outcome::mean(copy);
                figures.push((
                    "better than copying by",
                    format!("{} dB", number(gain, 2)),
                    "PSNR".to_owned(),
                ));
            }
        }
        Err(_) => {}
    }
    figures.push((
        "parameters",
        thousands(run.summary.parameters),
        String::new(),
    ));
    if let Some(seconds) = run.elapsed_s() {
        let epochs = count(run.log.epochs.len(), "epoch", "epochs");
        figures.push(("training", duration(seconds), epochs));
    }
    html! {
        dl.figures { @for (label, value, below) in &figures {
            div { dt { (label) } dd { span.value { (value) } @if !below.is_empty() { span.below { (below) } } } }
        } }
    }
}

fn several(report: &Report) -> String {
    let names: Vec<String> = report
        .groups
        .iter()
        .map(|group| group.name.clone())
        .collect();
    format!(
        "{} side by side: {}. Each was measured anew from its weights. Where two saw the same images, they are compared \
         image by image.",
        count(names.len(), "run", "runs"),
        crate::config::list(&names)
    )
}

/// What went wrong on the way, run by run.
fn notes(report: &Report) -> Markup {
    let of = |group: &Group| -> Vec<String> {
        let each = group.runs.iter().flat_map(|run| {
            let name = group.name_of(run);
            let gap = run.outcome.as_ref().err().cloned();
            let skipped = (run.log.skipped > 0).then(|| {
                format!(
                    "{} had a loss that is no finite number and moved nothing",
                    count(run.log.skipped, "step", "steps")
                )
            });
            let all = run
                .log
                .trouble
                .clone()
                .into_iter()
                .chain(gap)
                .chain(skipped);
            all.chain(run.notes.clone())
                .map(move |note| format!("{name}: {note}."))
                .collect::<Vec<_>>()
        });
        each.collect()
    };
    let notes: Vec<String> = report.groups.iter().flat_map(of).collect();
    html! {
        @if !notes.is_empty() {
            div.note.warn { p { strong { "What is missing" } } ul { @for note in &notes { li { (note) } } } }
        }
    }
}
