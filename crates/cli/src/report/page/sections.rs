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

/// A longer table is folded.
const MANY_ROWS: usize = 30;

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
        @for (j, charts) in section.charts.chunk_by(have_one_legend).enumerate() { (drawn(&format!("section-{i}-{j}"), charts)) }
        @for table in &section.tables {
            @if table.rows.len() > MANY_ROWS {
                details { summary { (table.caption) ": " (table.rows.len()) " rows" } (listed(table)) }
            } @else { (listed(table)) }
        }
        @if !section.pictures.is_empty() {
            div.pictures { @for shown in &section.pictures {
                figure.picture.wide[is_wide(&shown.bytes)] {
                    img src=(picture::data_address(&shown.bytes)) alt=(shown.alt);
                    figcaption { (shown.caption) }
                }
            } }
        }
    }
}

/// Charts of lines with the same names, in the same order.
fn have_one_legend(first: &StudyChart, second: &StudyChart) -> bool {
    let names = |chart: &'_ StudyChart| {
        chart
            .lines
            .iter()
            .map(|line| line.name.clone())
            .collect::<Vec<_>>()
    };
    names(first) == names(second)
}

/// Whether a PNG file is a strip, which needs the whole width.
fn is_wide(png: &[u8]) -> bool {
    let side = |at: usize| {
        let bytes = png.get(at..at + 4)?;
        Some(f64::from(u32::from_be_bytes(bytes.try_into().ok()?)))
    };
    match (side(16), side(20)) {
        (Some(width), Some(height)) => width > 3.0 * height,
        _ => false,
    }
}

/// Charts below one legend.
fn drawn(id: &str, charts: &[StudyChart]) -> Markup {
    let legend = charts.first().map_or(&[][..], |chart| &chart.lines);
    let key = |k: usize| format!("{id}-line-{k}");
    html! {
        ul.legend aria-label="Legend" { @for (k, line) in legend.iter().enumerate() {
            li data-key=(key(k)) { (swatch(Style(k), dashes(k))) span { (line.name) } }
        } }
        div.charts { @for (j, chart) in charts.iter().enumerate() { (lines(&format!("{id}-chart-{j}"), chart, key).render()) } }
    }
}

/// Beyond the eight styles lines are dashed.
fn dashes(k: usize) -> Dashes {
    if (k / 8).is_multiple_of(2) {
        Dashes::Solid
    } else {
        Dashes::Dashed
    }
}

fn lines(id: &str, chart: &StudyChart, key: impl Fn(usize) -> String) -> Lines {
    let lines = chart.lines.iter().enumerate().map(|(k, line)| Line {
        name: line.name.clone(),
        style: Style(k),
        dashes: dashes(k),
        key: key(k),
        points: points(line),
    });
    let lines: Vec<Line> = lines.collect();
    let all = || lines.iter().flat_map(|line| &line.points);
    let ends = all().flat_map(|point| {
        let (low, high) = point.interval.unwrap_or((point.y, point.y));
        [low, high]
    });
    Lines {
        id: id.to_owned(),
        title: chart.title.clone(),
        x_label: chart.x_label.clone(),
        y_label: chart.y_label.clone(),
        x: x_axis(all().map(|point| point.x)),
        y: Axis::of(ends),
        lines,
        diagonal: false,
    }
}

/// Whole numbers have no ticks between them.
fn x_axis(values: impl Iterator<Item = f64>) -> Axis {
    let finite: Vec<f64> = values.filter(|x| x.is_finite()).collect();
    let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if finite.is_empty() {
        Axis::linear(0.0, 1.0)
    } else if finite.iter().all(|x| x.fract() == 0.0) {
        Axis::counts(low, high)
    } else {
        Axis::linear(low, high)
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
