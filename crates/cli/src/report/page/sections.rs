//! The parts that a study brings: paragraphs, charts, tables, pictures.

use maud::{Markup, html};

use super::super::Report;
use super::super::chart::axis::Axis;
use super::super::chart::lines::{Line, Lines, Point};
use super::super::chart::{Dashes, Style, swatch};
use super::super::study::{Place, Section, StudyChart, StudyTable};
use super::questions::answered;
use super::table::{Cell, Table};
use super::{About, Part, picture};

/// The sections for a place of the page.
pub(super) fn of(report: &Report, place: Place) -> Vec<Part> {
    let about = match place {
        Place::Summary => About::Summary,
        Place::Classifier => About::Classifier,
        Place::Autoencoder => About::Autoencoder,
        Place::Background => About::Origins,
    };
    let sections = report.sections.iter().enumerate();
    sections
        .filter(|(_, section)| section.task == place)
        .map(|(i, section)| {
            Part::new(
                about,
                format!("section-{i}"),
                &section.heading,
                body(report, i, section),
            )
        })
        .collect()
}

fn body(report: &Report, i: usize, section: &Section) -> Markup {
    html! {
        @for paragraph in &section.paragraphs { p { (paragraph) } }
        (answered(report, &section.questions))
        @for (j, chart) in section.charts.iter().enumerate() { (drawn(&format!("section-{i}-chart-{j}"), chart)) }
        @for table in &section.tables { (listed(table)) }
        @if !section.pictures.is_empty() {
            div.pictures { @for shown in &section.pictures {
                figure.picture {
                    img src=(picture::data_address(&shown.bytes)) alt=(shown.alt);
                    figcaption { (shown.caption) }
                }
            } }
        }
    }
}

fn drawn(id: &str, chart: &StudyChart) -> Markup {
    let lines: Vec<Line> = chart
        .lines
        .iter()
        .enumerate()
        .map(|(k, line)| Line {
            name: line.name.clone(),
            style: Style(k),
            dashes: if (k / 8).is_multiple_of(2) {
                Dashes::Solid
            } else {
                Dashes::Dashed
            },
            key: format!("{id}-{k}"),
            points: points(line),
        })
        .collect();
    let all = || lines.iter().flat_map(|line| &line.points);
    let ends = all().flat_map(|point| {
        let (low, high) = point.interval.unwrap_or((point.y, point.y));
        [low, high]
    });
    let axis = |values: Vec<f64>| {
        let finite: Vec<f64> = values.into_iter().filter(|x| x.is_finite()).collect();
        let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
        let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if finite.is_empty() {
            Axis::linear(0.0, 1.0)
        } else {
            Axis::linear(low, high)
        }
    };
    let chart = Lines {
        id: id.to_owned(),
        title: chart.title.clone(),
        x_label: chart.x_label.clone(),
        y_label: chart.y_label.clone(),
        x: axis(all().map(|point| point.x).collect()),
        y: Axis::of(ends),
        lines,
        diagonal: false,
    };
    html! {
        ul.legend aria-label="Legend" { @for line in &chart.lines {
            li data-key=(line.key) { (swatch(line.style, line.dashes)) span { (line.name) } }
        } }
        div.charts { (chart.render()) }
    }
}

fn points(line: &super::super::study::StudyLine) -> Vec<Point> {
    let xy = line.x.iter().zip(&line.y).enumerate();
    xy.map(|(i, (&x, y))| Point {
        x,
        y: y.unwrap_or(f64::NAN),
        interval: line.intervals.get(i).map(|&[low, high]| (low, high)),
    })
    .collect()
}

/// Cells that are numbers stand to the right and sort as numbers.
fn listed(table: &StudyTable) -> Table {
    let is_number = |i: usize| {
        let mut cells = table.rows.iter().map(|row| row[i].trim());
        i > 0
            && cells
                .all(|cell| cell.starts_with(|c: char| c.is_ascii_digit() || "-–−±".contains(c)))
    };
    let columns = table.columns.iter().enumerate().map(|(i, name)| {
        // A name may begin with the sign that marks a column of numbers.
        if is_number(i) {
            format!(">{name}")
        } else {
            name.trim_start_matches('>').to_owned()
        }
    });
    let mut shown = Table::of_columns(&table.caption, columns).sortable();
    for row in &table.rows {
        shown.row(row.iter().map(|cell| match cell.trim().parse::<f64>() {
            Ok(value) => Cell::number(value, cell),
            Err(_) => Cell::from(cell),
        }));
    }
    shown
}
