//! Lines over an axis: curves of training, and points with whiskers.

use maud::{Markup, html};

use super::axis::{Axis, Spacing};
use super::{Dashes, Style, at};

/// The picture's size in its own units; the page scales it to the column.
const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 44.0;

/// Points that get a marker of their own; on a longer line some do.
const ALL_MARKED: usize = 12;

/// A chart of lines.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    /// Unique on the page.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) x_label: String,
    /// With its unit.
    pub(crate) y_label: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<Line>,
    /// Drawn thin, from corner to corner: where x and y are equal.
    pub(crate) diagonal: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) style: Style,
    pub(crate) dashes: Dashes,
    /// What a legend's box turns on and off.
    pub(crate) key: String,
    pub(crate) points: Vec<Point>,
}

/// A value that is no finite number leaves a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Drawn as a whisker.
    pub(crate) interval: Option<(f64, f64)>,
}

impl Point {
    pub(crate) fn new(x: f64, y: f64) -> Self {
        Self {
            x,
            y,
            interval: None,
        }
    }
}

impl Lines {
    pub(crate) fn x_of(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT)
    }

    pub(crate) fn y_of(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM)
    }

    /// The points that can be drawn, in stretches without a gap.
    pub(crate) fn stretches<'a>(&self, line: &'a Line) -> Vec<Vec<(usize, &'a Point)>> {
        let mut stretches: Vec<Vec<(usize, &Point)>> = vec![vec![]];
        for (i, point) in line.points.iter().enumerate() {
            if self.shows(point.y) {
                let last = stretches.last_mut().expect("there is one from the start");
                last.push((i, point));
            } else if stretches.last().is_some_and(|last| !last.is_empty()) {
                stretches.push(vec![]);
            }
        }
        stretches.retain(|stretch| !stretch.is_empty());
        stretches
    }

    fn shows(&self, y: f64) -> bool {
        y.is_finite() && (self.y.spacing == Spacing::Linear || y > 0.0)
    }

    /// What the picture shows, in words.
    fn description(&self) -> String {
        let of = |line: &Line| {
            let mut drawn = line.points.iter().filter(|point| self.shows(point.y));
            let Some(first) = drawn.next() else {
                return format!("{}: no values", line.name);
            };
            let last = drawn.next_back().unwrap_or(first);
            format!(
                "{}: {} at {}, {} at {}",
                line.name,
                short(first.y),
                short(first.x),
                short(last.y),
                short(last.x)
            )
        };
        const NAMED: usize = 12;
        let mut words: Vec<String> = self.lines.iter().take(NAMED).map(of).collect();
        if self.lines.len() > NAMED {
            words.push(format!("and {} more lines", self.lines.len() - NAMED));
        }
        let axis = match self.y.spacing {
            Spacing::Linear => "",
            Spacing::Log => ", on a logarithmic axis",
        };
        format!(
            "{} over {}{axis}. {}.",
            self.y_label,
            self.x_label,
            words.join("; ")
        )
    }

    pub(crate) fn render(&self) -> Markup {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let log = self.y.spacing == Spacing::Log;
        html! {
            figure.chart {
                div.plot {
                    svg id=(self.id) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
                        aria-labelledby=(format!("{0}-title {0}-words", self.id))
                        data-plot=(format!("{LEFT} {TOP} {right} {bottom}"))
                        data-x=(format!("{} {}", self.x.low, self.x.high))
                        data-y=(format!("{} {}", self.y.low, self.y.high))
                        data-log[log] data-label=(self.x_label) {
                        title id=(format!("{}-title", self.id)) { (self.title) }
                        desc id=(format!("{}-words", self.id)) { (self.description()) }
                        clipPath id=(format!("{}-clip", self.id)) {
                            rect x=(at(LEFT - 5.0)) y=(at(TOP - 6.0)) width=(at(right - LEFT + 10.0)) height=(at(bottom - TOP + 12.0)) {}
                        }
                        text.label x="4" y="14" { (self.y_label) @if log { " (logarithmic)" } }
                        (self.y_ticks())
                        g.xticks { (self.x_ticks()) }
                        text.label x=(at((LEFT + right) / 2.0)) y=(at(HEIGHT - 6.0)) text-anchor="middle" { (self.x_label) }
                        @if self.diagonal {
                            path.diagonal d=(format!("M{LEFT} {bottom}L{right} {TOP}")) {}
                        }
                        g clip-path=(format!("url(#{}-clip)", self.id)) {
                            @for line in &self.lines { (self.line(line)) }
                        }
                    }
                }
                figcaption { (self.title) }
            }
        }
    }

    fn y_ticks(&self) -> Markup {
        html! {
            @for &tick in &self.y.ticks {
                @let y = self.y_of(tick);
                path.grid d=(format!("M{LEFT} {}H{}", at(y), WIDTH - RIGHT)) {}
                text.tick x=(at(LEFT - 6.0)) y=(at(y + 4.0)) text-anchor="end" { (self.y.label(tick)) }
            }
        }
    }

    fn x_ticks(&self) -> Markup {
        let bottom = HEIGHT - BOTTOM;
        html! {
            @for &tick in &self.x.ticks {
                @let x = self.x_of(tick);
                path.grid d=(format!("M{} {bottom}v4", at(x))) {}
                text.tick x=(at(x)) y=(at(bottom + 17.0)) text-anchor="middle" { (self.x.label(tick)) }
            }
        }
    }

    fn line(&self, line: &Line) -> Markup {
        let list = |of: fn(&Point) -> f64| {
            let numbers: Vec<String> = line
                .points
                .iter()
                .map(|point| of(point).to_string())
                .collect();
            numbers.join(" ")
        };
        let stretches = self.stretches(line);
        let drawn: Vec<_> = stretches.iter().flatten().collect();
        let is_joined = line.dashes != Dashes::Unjoined;
        let every = if line.points.len() <= ALL_MARKED || !is_joined {
            1
        } else {
            line.points.len().div_ceil(ALL_MARKED)
        };
        let is_marked =
            |i: usize| i.is_multiple_of(every) || drawn.last().is_some_and(|(last, _)| *last == i);
        html! {
            g.line.(line.style.class()) data-key=(line.key) data-name=(line.name)
                data-xs=(list(|point| point.x)) data-ys=(list(|point| point.y)) {
                @if is_joined {
                    path.stroke.dashed[line.dashes == Dashes::Dashed] d=(self.path(&stretches)) {}
                }
                @for (i, point) in &drawn {
                    @if let Some((low, high)) = point.interval {
                        path.whisker d=(format!("M{} {}V{}", at(self.x_of(point.x)), at(self.y_of(low)), at(self.y_of(high)))) {}
                    }
                    @if is_marked(*i) {
                        path.marker d=(line.style.marker()) data-i=(i)
                            transform=(format!("translate({} {})", at(self.x_of(point.x)), at(self.y_of(point.y)))) {
                            title { (line.name) ": " (short(point.y)) " at " (short(point.x)) }
                        }
                    }
                }
            }
        }
    }

    fn path(&self, stretches: &[Vec<(usize, &Point)>]) -> String {
        let mut path = String::new();
        for stretch in stretches {
            for (i, (_, point)) in stretch.iter().enumerate() {
                let letter = if i == 0 { 'M' } else { 'L' };
                path += &format!(
                    "{letter}{} {}",
                    at(self.x_of(point.x)),
                    at(self.y_of(point.y))
                );
            }
        }
        path
    }
}

/// Four significant digits.
pub(crate) fn short(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e6).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let decimals = match magnitude {
        m if m >= 1000.0 => 0,
        m if m >= 100.0 => 1,
        m if m >= 10.0 => 2,
        m if m >= 1.0 => 3,
        m if m >= 0.01 => 4,
        _ => 6,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}
