//! The table of runs, and recipes over their seeds.

use juggle_metrics::wilson_interval;
use maud::{Markup, html};

use super::super::chart::Style;
use super::super::chart::dots::{Dots, Row};
use super::super::outcome::Found;
use super::super::run::Run;
use super::super::verdict::LEVEL;
use super::super::{Group, Report};
use super::frames::interval_over_clips;
use super::table::{Cell, Table};
use super::words::{duration, interval, metric, number, range};
use crate::config::Kind;

pub(super) fn body(report: &Report, groups: &[(usize, &Group)]) -> Option<Markup> {
    let kind = groups.first()?.1.kind()?;
    let metrics: &[&str] = match kind {
        Kind::Classifier => &["accuracy", "loss"],
        Kind::Autoencoder => &["psnr_db", "ssim"],
    };
    let n_runs: usize = groups.iter().map(|(_, group)| group.runs.len()).sum();
    let table = runs(kind, groups, metrics);
    Some(html! {
        @if groups.iter().any(|(_, group)| group.runs.len() > 1) { (over_seeds(groups, metrics)) }
        @if n_runs > 1 {
            div.charts { @for metric in metrics { (dots(report, groups, metric)) } }
            p.small { "Small marks are single runs, the bar is their mean, the band its 95% interval (Student, two runs or more)"
                @if report.claims.is_empty() { "." } @else { ", and the hollow diamond the published number." } }
        }
        (table)
        @match kind {
            Kind::Classifier => p.small {
                "The interval of one run is Wilson's: what accuracies on all images of this kind would be compatible with this \
                 many right, if the images are independent of each other. It knows nothing of other seeds."
            },
            Kind::Autoencoder => p.small {
                "The interval of one run is a bootstrap over clips, since windows of one clip resemble each other. PSNR and SSIM \
                 are means over windows; SSIM is scikit-image's, with a uniform 7×7 window."
            },
        }
    })
}

fn over_seeds(groups: &[(usize, &Group)], metrics: &[&str]) -> Markup {
    let mut columns = vec!["recipe".to_owned(), ">seeds".to_owned()];
    for metric_name in metrics {
        let (_, label) = metric(metric_name);
        columns.extend([
            format!(">{label}, mean"),
            ">95% interval".to_owned(),
            ">lowest to highest".to_owned(),
        ]);
    }
    let mut table = Table::of_columns("Recipes over their seeds", columns).sortable();
    for (_, group) in groups {
        let mut row = vec![
            Cell::markup(
                html! { (group.name) @if let Some(shows) = &group.shows { span.below { (shows) } } },
            ),
            Cell::number(group.runs.len() as f64, group.runs.len()),
        ];
        for name in metrics {
            let (decimals, _) = metric(name);
            let spread = group.spread(name);
            let spread = spread.as_ref();
            row.extend([
                Cell::or_dash(spread.map(|spread| spread.mean), |mean| {
                    number(mean, decimals)
                }),
                spread
                    .and_then(|spread| spread.interval)
                    .map_or_else(Cell::dash, |found| {
                        Cell::number(found.low, interval(found, decimals))
                    }),
                spread.map_or_else(Cell::dash, |spread| {
                    Cell::number(spread.min, range(spread.min, spread.max, decimals))
                }),
            ]);
        }
        table.row(row);
    }
    html! { (table) }
}

fn dots(report: &Report, groups: &[(usize, &Group)], name: &str) -> Markup {
    let (_, label) = metric(name);
    let rows = groups.iter().map(|(i, group)| {
        let spread = group.spread(name);
        Row {
            name: group.name.clone(),
            style: Style(*i),
            values: spread
                .as_ref()
                .map_or_else(Vec::new, |spread| spread.values.clone()),
            // The mark of a single run is its mean.
            mean: spread
                .as_ref()
                .filter(|spread| spread.values.len() > 1)
                .map(|spread| spread.mean),
            interval: spread
                .and_then(|spread| spread.interval)
                .map(|found| (found.low, found.high)),
            published: report.claim(group, name).map(|claim| claim.published),
        }
    });
    let kind = groups[0]
        .1
        .kind()
        .map_or_else(String::new, |kind| kind.to_string());
    let dots = Dots {
        id: format!("{kind}-dots-{name}"),
        title: format!("{label} of every run"),
        label,
        rows: rows.collect(),
    };
    dots.render()
}

fn runs(kind: Kind, groups: &[(usize, &Group)], metrics: &[&str]) -> Table {
    let mut columns = vec!["run".to_owned(), ">seed".to_owned()];
    for name in metrics {
        let (_, label) = metric(name);
        columns.push(format!(">{label}"));
        if *name != "loss" {
            columns.push(">95% interval".to_owned());
        }
    }
    columns.extend(match kind {
        Kind::Classifier => [">wrong", ">of"].map(str::to_owned),
        Kind::Autoencoder => [">PSNR of copying, dB", ">windows"].map(str::to_owned),
    });
    columns.extend([">best epoch", ">epochs", ">time"].map(str::to_owned));
    let caption = match groups {
        [(_, group)] if group.runs.len() == 1 => "The run",
        _ => "Every run",
    };
    let mut table = Table::of_columns(caption, columns).sortable();
    for (_, group) in groups {
        for run in &group.runs {
            table.row(row(group, run, metrics));
        }
    }
    table
}

fn row(group: &Group, run: &Run, metrics: &[&str]) -> Vec<Cell> {
    let outcome = run.outcome.as_ref().ok();
    let mut row = vec![
        Cell::from(group.name_of(run)),
        Cell::number(run.config.seed as f64, run.config.seed),
    ];
    for name in metrics {
        let (decimals, _) = metric(name);
        row.push(Cell::or_dash(run.number(name), |value| {
            number(value, decimals)
        }));
        if *name == "loss" {
            continue;
        }
        let reach = outcome.and_then(|outcome| match &outcome.found {
            Found::Classifier(found) => {
                let n = found.images.len();
                wilson_interval((n - found.errors().count()) as u64, n as u64, LEVEL).ok()
            }
            Found::Frames(found) => interval_over_clips(found, name),
        });
        row.push(reach.map_or_else(Cell::dash, |found| {
            Cell::number(found.low, interval(found, decimals))
        }));
    }
    let n = outcome.map(|outcome| outcome.n() as f64);
    let beside = match outcome.map(|outcome| &outcome.found) {
        Some(Found::Classifier(found)) => {
            Cell::number(found.errors().count() as f64, found.errors().count())
        }
        Some(Found::Frames(_)) => {
            Cell::or_dash(run.number("psnr_db_last_frame"), |value| number(value, 2))
        }
        None => Cell::dash(),
    };
    row.extend([
        beside,
        Cell::or_dash(n, |n| number(n, 0)),
        Cell::or_dash(run.log.best_epoch().map(|epoch| epoch as f64), |epoch| {
            number(epoch, 0)
        }),
        Cell::number(run.log.epochs.len() as f64, run.log.epochs.len()),
        Cell::or_dash(run.elapsed_s(), duration),
    ]);
    row
}
