//! Runs on the same images: who wins where, and which images are hard.

use juggle_metrics::PairedDifference;
use maud::{Markup, html};

use super::super::comparison::{Paired, compare};
use super::super::outcome::Found;
use super::super::run::Run;
use super::super::{Group, Report};
use super::picture;
use super::table::{Cell, Table};
use super::words::{count, interval, number, p_value};
use crate::config::Kind;
use crate::evaluation::classifier::ClassifierEvaluation;

/// Hard images shown.
const SHOWN: usize = 24;

pub(super) fn body(report: &Report, kind: Kind, groups: &[(usize, &Group)]) -> Option<Markup> {
    let is_here = |index: &usize| groups.iter().any(|(i, _)| i == index);
    let pairs: Vec<_> = report
        .comparisons
        .iter()
        .filter(|(first, second)| is_here(first) && is_here(second))
        .map(|&(first, second)| (&report.groups[first], &report.groups[second]))
        .collect();
    let hard = hard_images(groups);
    if pairs.is_empty() && hard.is_none() {
        return None;
    }
    Some(html! {
        @if !pairs.is_empty() { (explanation(kind)) }
        @for (first, second) in &pairs { (of_pair(kind, first, second)) }
        @if let Some(hard) = hard { (hard) }
    })
}

fn explanation(kind: Kind) -> Markup {
    html! {
        @match kind {
            Kind::Classifier => p {
                "Two runs on the same images are compared image by image: only those count that one gets right and the other \
                 wrong. McNemar's exact test asks how often chance alone would divide them so unevenly if both were equally \
                 good; below 0.05 one usually stops believing in chance. The difference of the accuracies has a paired bootstrap \
                 interval. Each row is one pair of runs, so that several rows are several looks and not one."
            },
            Kind::Autoencoder => p {
                "The difference of two runs on the same clips, with a paired bootstrap over clips: windows of one clip \
                 resemble each other and are averaged first."
            },
        }
    }
}

fn of_pair(kind: Kind, first: &Group, second: &Group) -> Markup {
    let name = format!("{} against {}", second.name, first.name);
    let mut table = match kind {
        Kind::Classifier => Table::of_columns(
            format!("{name}: McNemar's test"),
            [
                "pair".to_owned(),
                format!(">only {} right", second.name),
                format!(">only {} right", first.name),
                ">both right".to_owned(),
                ">both wrong".to_owned(),
                ">p, exact".to_owned(),
                ">p, mid".to_owned(),
                ">gain in accuracy".to_owned(),
                ">95% interval".to_owned(),
            ],
        ),
        Kind::Autoencoder => Table::new(
            name.clone(),
            &[
                "pair",
                ">gain in PSNR, dB",
                ">95% interval",
                ">p",
                ">gain in SSIM",
                ">95% interval",
                ">p",
                ">clips",
            ],
        ),
    };
    let mut troubles = vec![];
    for (a, b) in pairs(first, second) {
        // The second is named first: its gain is what one looks for.
        match compare(b, a) {
            Ok(paired) => table.row(row(first, (a, b), &paired)),
            Err(reason) => troubles.push(format!("{name}: {reason}.")),
        }
    }
    troubles.dedup();
    html! {
        @if !table.is_empty() { (table) }
        @for trouble in troubles { p { (trouble) } }
    }
}

/// Runs of one seed; where seeds differ, in order.
fn pairs<'a>(first: &'a Group, second: &'a Group) -> Vec<(&'a Run, &'a Run)> {
    let of_seed = |run: &Run| {
        second
            .runs
            .iter()
            .find(|other| other.config.seed == run.config.seed)
    };
    let by_seed: Vec<_> = first
        .runs
        .iter()
        .filter_map(|run| Some((run, of_seed(run)?)))
        .collect();
    if by_seed.is_empty() {
        return first.runs.iter().zip(&second.runs).collect();
    }
    by_seed
}

fn row(first: &Group, (a, b): (&Run, &Run), paired: &Paired) -> Vec<Cell> {
    let name = match (first.runs.len(), a.config.seed == b.config.seed) {
        (1, _) => format!("{} against {}", b.name, a.name),
        (_, true) => format!("seed {}", a.config.seed),
        (_, false) => format!("seed {} against {}", b.config.seed, a.config.seed),
    };
    let mut row = vec![Cell::from(name)];
    let gain = |found: &Option<PairedDifference>, decimals: usize| {
        let found = found.as_ref();
        [
            Cell::or_dash(found.map(|found| found.estimate), |gain| {
                number(gain, decimals)
            }),
            found.map_or_else(Cell::dash, |found| {
                Cell::from(interval(found.interval, decimals))
            }),
        ]
    };
    let p =
        |found: &Option<PairedDifference>| Cell::or_dash(found.map(|found| found.p_value), p_value);
    match paired {
        Paired::Classifier {
            mcnemar,
            difference,
        } => {
            let counts = &mcnemar.counts;
            let numbers = [
                counts.only_first,
                counts.only_second,
                counts.both_right,
                counts.both_wrong,
            ];
            row.extend(numbers.map(|n| Cell::number(n as f64, n)));
            row.extend([mcnemar.p_value, mcnemar.mid_p_value].map(|p| Cell::number(p, p_value(p))));
            row.extend(gain(difference, 3));
        }
        Paired::Frames {
            n_clips,
            psnr_db,
            ssim,
        } => {
            row.extend(gain(psnr_db, 2));
            row.push(p(psnr_db));
            row.extend(gain(ssim, 4));
            row.push(p(ssim));
            row.push(Cell::number(*n_clips as f64, n_clips));
        }
    }
    row
}

/// Images that several runs get wrong, where all saw the same ones.
fn hard_images(groups: &[(usize, &Group)]) -> Option<Markup> {
    let outcomes = groups
        .iter()
        .flat_map(|(_, group)| &group.runs)
        .filter_map(|run| run.outcome.as_ref().ok());
    let hashes: Vec<&str> = outcomes
        .map(|outcome| outcome.pixels_sha256.as_str())
        .collect();
    let same = hashes.windows(2).all(|pair| pair[0] == pair[1]);
    if hashes.len() < 3 || !same {
        return None;
    }
    let of_group: Vec<(&str, Vec<&ClassifierEvaluation>)> = groups
        .iter()
        .map(|(_, group)| (group.name.as_str(), evaluations(group)))
        .collect();
    let any = of_group
        .iter()
        .find_map(|(_, found)| found.first().copied())?;
    let total = |i: usize| {
        of_group
            .iter()
            .map(|(_, found)| wrong(found, i))
            .sum::<usize>()
    };
    let mut hard: Vec<(usize, usize)> = (0..any.images.len())
        .map(|i| (i, total(i)))
        .filter(|&(_, n)| n > 1)
        .collect();
    hard.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    if hard.is_empty() {
        return None;
    }
    Some(html! {
        h3 { "Hard images" }
        p {
            (count(hard.len(), "image is", "images are")) " wrong in more than one of " (hashes.len()) " runs"
            @if hard.len() > SHOWN { "; the first " (SHOWN) " are shown" } ", those that most runs get wrong first."
        }
        ul.gallery { @for &(i, _) in hard.iter().take(SHOWN) { li { (hard_image(any, &of_group, i)) } } }
    })
}

fn hard_image(
    any: &ClassifierEvaluation,
    of_group: &[(&str, Vec<&ClassifierEvaluation>)],
    i: usize,
) -> Markup {
    let images = &any.images;
    let truth = &images.classes[images.labels[i]];
    html! {
        figure.card {
            (picture::of_bytes(images.image(i), images.shape, &format!("Image of class {truth}")))
            figcaption {
                p { "true " b { (truth) } ", wrong in" }
                ul.plain { @for (name, found) in of_group { @if !found.is_empty() {
                    li { (name) ": " (wrong(found, i)) " of " (found.len()) }
                } } }
                p.file { (images.paths[i].display()) }
            }
        }
    }
}

/// How many of the runs get an image wrong.
fn wrong(found: &[&ClassifierEvaluation], i: usize) -> usize {
    found.iter().filter(|found| !found.is_correct(i)).count()
}

fn evaluations(group: &Group) -> Vec<&ClassifierEvaluation> {
    let found = group
        .runs
        .iter()
        .filter_map(|run| match &run.outcome.as_ref().ok()?.found {
            Found::Classifier(found) => Some(found),
            Found::Frames(_) => None,
        });
    found.collect()
}
