//! Parallel coordinates: an upright axis for each setting, and a line through them for each trial.

use maud::{Markup, html};

use super::at;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const SIDE: f64 = 60.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 52.0;
/// Characters of a name under an axis.
const NAME: usize = 15;

/// The chart; every trial has a place on every axis that it has a value for.
#[derive(Clone, Debug)]
pub(crate) struct Parallel {
    /// Unique on the page.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) axes: Vec<Upright>,
    /// The last is drawn on top.
    pub(crate) trials: Vec<Through>,
}

/// One axis.
#[derive(Clone, Debug)]
pub(crate) struct Upright {
    pub(crate) name: String,
    /// What stands beside places from 0, at the bottom, to 1.
    pub(crate) ticks: Vec<(f64, String)>,
}

/// The line of one trial.
#[derive(Clone, Debug)]
pub(crate) struct Through {
    /// A place from 0 to 1 on each axis; none where the trial has no such setting.
    pub(crate) places: Vec<Option<f64>>,
    /// Among the best, and drawn so.
    pub(crate) is_good: bool,
    /// Shown by the browser over the line.
    pub(crate) words: String,
}

impl Parallel {
    pub(crate) fn render(&self) -> Markup {
        let good = self.trials.iter().filter(|trial| trial.is_good).count();
        let words = format!(
            "{} trials over {} axes, {good} of them among the best. The table of trials has the numbers.",
            self.trials.len(),
            self.axes.len()
        );
        html! {
            div.scroll role="group" tabindex="0" aria-label=(self.title) {
                figure.chart.wide {
                    svg id=(self.id) viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
                        aria-labelledby=(format!("{0}-title {0}-words", self.id)) {
                        title id=(format!("{}-title", self.id)) { (self.title) }
                        desc id=(format!("{}-words", self.id)) { (words) }
                        @for (i, axis) in self.axes.iter().enumerate() { (self.axis(i, axis)) }
                        @for trial in &self.trials {
                            g class=(if trial.is_good { "s1" } else { "s6" }) {
                                path.stroke.faint[!trial.is_good] d=(self.path(trial)) { title { (trial.words) } }
                            }
                        }
                    }
                    figcaption { (self.title) }
                }
            }
        }
    }

    fn x_of(&self, axis: usize) -> f64 {
        let gaps = self.axes.len().saturating_sub(1).max(1);
        SIDE + axis as f64 * (WIDTH - 2.0 * SIDE) / gaps as f64
    }

    fn axis(&self, i: usize, axis: &Upright) -> Markup {
        let (x, bottom) = (self.x_of(i), HEIGHT - BOTTOM);
        // Neighbours stand on two lines, so that long names do not touch.
        let below = if i.is_multiple_of(2) { 20.0 } else { 36.0 };
        html! {
            path.grid d=(format!("M{} {TOP}V{bottom}", at(x))) {}
            @for (place, label) in &axis.ticks {
                text.tick x=(at(x + 4.0)) y=(at(y_of(*place) + 4.0)) { (label) }
            }
            text.label x=(at(x)) y=(at(bottom + below)) text-anchor="middle" { (shortened(&axis.name)) }
        }
    }

    /// A line through the axes, interrupted where the trial has no place.
    fn path(&self, trial: &Through) -> String {
        let mut path = String::new();
        let mut is_down = false;
        for (i, place) in trial.places.iter().enumerate() {
            if let Some(place) = place {
                let letter = if is_down { 'L' } else { 'M' };
                path += &format!("{letter}{} {}", at(self.x_of(i)), at(y_of(*place)));
            }
            is_down = place.is_some();
        }
        path
    }
}

fn y_of(place: f64) -> f64 {
    HEIGHT - BOTTOM - place.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_its_places_and_stops_where_there_is_none() {
        let axis = |name: &str| Upright {
            name: name.to_owned(),
            ticks: vec![(0.0, "<low>".to_owned())],
        };
        let chart = Parallel {
            id: "p".to_owned(),
            title: "all".to_owned(),
            axes: vec![
                axis("a"),
                axis("b"),
                axis("a name that is too long"),
                axis("d"),
            ],
            trials: vec![Through {
                places: vec![Some(0.0), Some(1.0), None, Some(0.5)],
                is_good: true,
                words: "trial 3".to_owned(),
            }],
        };
        assert_eq!(chart.path(&chart.trials[0]), "M60 248L273.33 16M700 132");
        let html = chart.render().into_string();
        assert!(
            html.contains("&lt;low&gt;") && html.contains("a name that is…"),
            "{html}"
        );
    }
}
