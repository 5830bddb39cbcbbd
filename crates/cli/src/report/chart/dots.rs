//! Rows of dots: every run of a recipe, their mean with its interval, and what was published.

use maud::{Markup, html};

use super::axis::Axis;
use super::lines::short;
use super::{Style, at};

const WIDTH: f64 = 380.0;
const LEFT: f64 = 14.0;
const RIGHT: f64 = 14.0;
/// A row has its name above its dots, since names are long and screens narrow.
const ROW: f64 = 44.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 42.0;

/// A chart of rows over one axis.
#[derive(Clone, Debug)]
pub(crate) struct Dots {
    /// Unique on the page.
    pub(crate) id: String,
    pub(crate) title: String,
    /// With its unit.
    pub(crate) label: String,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) style: Style,
    /// One a run.
    pub(crate) values: Vec<f64>,
    pub(crate) mean: Option<f64>,
    pub(crate) interval: Option<(f64, f64)>,
    pub(crate) published: Option<f64>,
}

impl Row {
    fn numbers(&self) -> impl Iterator<Item = f64> {
        let ends = self
            .interval
            .into_iter()
            .flat_map(|(low, high)| [low, high]);
        let values = self.values.iter().copied();
        values.chain(self.published).chain(ends)
    }

    fn description(&self) -> String {
        let mut words = format!("{}: ", self.name);
        words += &match (&self.values[..], self.mean) {
            ([], _) => "not measured".to_owned(),
            ([value], _) => short(*value),
            (values, Some(mean)) => format!("mean {} of {}", short(mean), values.len()),
            (values, None) => format!("{} runs", values.len()),
        };
        if let Some((low, high)) = self.interval {
            words += &format!(", interval {} to {}", short(low), short(high));
        }
        if let Some(published) = self.published {
            words += &format!(", published {}", short(published));
        }
        words
    }
}

impl Dots {
    pub(crate) fn axis(&self) -> Axis {
        let numbers = self.rows.iter().flat_map(Row::numbers);
        let finite: Vec<f64> = numbers.filter(|x| x.is_finite()).collect();
        let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
        let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if finite.is_empty() {
            Axis::linear(0.0, 1.0)
        } else {
            Axis::linear(low, high)
        }
    }

    pub(crate) fn render(&self) -> Markup {
        let axis = self.axis();
        let bottom = TOP + ROW * self.rows.len() as f64;
        let height = bottom + BOTTOM;
        let x_of = |value: f64| LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT);
        let words: Vec<String> = self.rows.iter().map(Row::description).collect();
        html! {
            figure.chart {
                svg id=(self.id) viewBox=(format!("0 0 {WIDTH} {height}")) role="img"
                    aria-labelledby=(format!("{0}-title {0}-words", self.id)) {
                    title id=(format!("{}-title", self.id)) { (self.title) }
                    desc id=(format!("{}-words", self.id)) { (words.join("; ")) "." }
                    @for &tick in &axis.ticks {
                        path.grid d=(format!("M{} {TOP}V{bottom}", at(x_of(tick)))) {}
                        text.tick x=(at(x_of(tick))) y=(at(bottom + 15.0)) text-anchor="middle" { (axis.label(tick)) }
                    }
                    text.label x=(at(WIDTH / 2.0)) y=(at(height - 8.0)) text-anchor="middle" { (self.label) }
                    @for (i, row) in self.rows.iter().enumerate() {
                        (row_marks(row, TOP + ROW * i as f64, x_of))
                    }
                }
                figcaption { (self.title) }
            }
        }
    }
}

fn row_marks(row: &Row, top: f64, x_of: impl Fn(f64) -> f64) -> Markup {
    let y = top + 30.0;
    html! {
        g class=(row.style.class()) {
            text.row x=(at(LEFT)) y=(at(top + 14.0)) { (row.name) }
            @if let Some((low, high)) = row.interval {
                path.band d=(format!("M{} {}H{}", at(x_of(low)), at(y), at(x_of(high)))) {
                    title { "95% interval of the mean: " (short(low)) " to " (short(high)) }
                }
            }
            @for &value in row.values.iter().filter(|value| value.is_finite()) {
                path.dot d=(row.style.marker()) transform=(format!("translate({} {})", at(x_of(value)), at(y))) {
                    title { (short(value)) }
                }
            }
            @if let Some(mean) = row.mean.filter(|mean| mean.is_finite()) {
                path.mean d=(format!("M{} {}v18", at(x_of(mean)), at(y - 9.0))) { title { "mean " (short(mean)) } }
            }
            @if let Some(published) = row.published {
                path.published d="M0 -8L6 0L0 8L-6 0z" transform=(format!("translate({} {})", at(x_of(published)), at(y))) {
                    title { "published " (short(published)) }
                }
            }
        }
    }
}
