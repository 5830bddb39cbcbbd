//! Curves per epoch as SVG.
//!
//! Training is dashed and validation solid; a colour is a seed or a recipe. The colours are those
//! of Okabe and Ito, which stay apart for colour-blind readers.

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

/// What is drawn: one line a series over the epochs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) y_label: &'static str,
    pub(crate) scale: Scale,
    pub(crate) series: Vec<Series>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// Values that are not positive have no place on it and are left out.
    Logarithmic,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub(crate) label: String,
    /// Index into the palette, which starts again when it ends.
    pub(crate) color: usize,
    pub(crate) stroke: Stroke,
    pub(crate) points: Vec<(u64, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stroke {
    Solid,
    Dashed,
}

const SIZE: (u32, u32) = (760, 400);
const FONT: &str = "sans-serif";
/// Length of a dash and of the gap after it, in pixels.
const DASH: (i32, i32) = (5, 4);
/// Length of a line in the legend, in pixels.
const KEY_WIDTH: i32 = 26;
/// Few epochs are drawn with dots, since a line of one point is invisible.
const DOTS_UP_TO: usize = 12;

/// Okabe and Ito's palette without yellow, which is faint on white, and with gray in its place.
const PALETTE: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(128, 128, 128),
];

/// Draws a chart as an SVG document; nothing when it has no point to show.
pub(crate) fn svg(chart: &Chart) -> Result<Option<String>> {
    let series: Vec<_> = chart
        .series
        .iter()
        .filter_map(|s| visible(s, chart.scale))
        .collect();
    let points = || series.iter().flat_map(|series| &series.points);
    let Some(last_epoch) = points().map(|&(epoch, _)| epoch).max() else {
        return Ok(None);
    };
    let low = points().map(|&(_, y)| y).fold(f64::INFINITY, f64::min);
    let high = points().map(|&(_, y)| y).fold(f64::NEG_INFINITY, f64::max);
    let mut text = String::new();
    let outcome = match chart.scale {
        Scale::Logarithmic => {
            let range = (low / 1.4..high * 1.4).log_scale();
            draw(&mut text, chart, &series, last_epoch, range, log_label)
        }
        Scale::Linear => {
            let margin = (0.05 * (high - low)).max(1e-3);
            let range = low - margin..high + margin;
            draw(&mut text, chart, &series, last_epoch, range, linear_label)
        }
    };
    outcome.map_err(|error| anyhow!("cannot draw `{}`: {error}", chart.title))?;
    Ok(Some(text))
}

fn visible(series: &Series, scale: Scale) -> Option<Series> {
    let fits = |y: f64| y.is_finite() && (scale == Scale::Linear || y > 0.0);
    let points: Vec<_> = series
        .points
        .iter()
        .copied()
        .filter(|&(_, y)| fits(y))
        .collect();
    (!points.is_empty()).then(|| Series {
        points,
        ..series.clone()
    })
}

type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

fn draw<Y>(
    text: &mut String,
    chart: &Chart,
    series: &[Series],
    last_epoch: u64,
    range: Y,
    label: fn(&f64) -> String,
) -> Outcome
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    // A single epoch stands in the middle; losses fall and accuracies rise, so the legend of a
    // logarithmic chart is at the top and that of a linear one at the bottom.
    let epochs = if last_epoch < 2 { 0..2 } else { 1..last_epoch };
    let legend = match chart.scale {
        Scale::Logarithmic => SeriesLabelPosition::UpperRight,
        Scale::Linear => SeriesLabelPosition::LowerRight,
    };
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut area = ChartBuilder::on(&root)
        .caption(&chart.title, (FONT, 19).into_font())
        .margin(12)
        .margin_right(24)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(epochs, range)?;
    area.configure_mesh()
        .x_desc("epoch")
        .y_desc(chart.y_label)
        .axis_desc_style((FONT, 15))
        .label_style((FONT, 13))
        .x_labels(11)
        .y_labels(8)
        .y_label_formatter(&label)
        .bold_line_style(BLACK.mix(0.12))
        .light_line_style(BLACK.mix(0.04))
        .draw()?;
    for series in series {
        let color = PALETTE[series.color % PALETTE.len()];
        let style = color.stroke_width(2);
        let points = series.points.iter().copied();
        let drawn = match series.stroke {
            Stroke::Solid => area.draw_series(LineSeries::new(points, style))?,
            Stroke::Dashed => {
                area.draw_series(DashedLineSeries::new(points, DASH.0, DASH.1, style))?
            }
        };
        let (dash, gap) = match series.stroke {
            Stroke::Solid => (KEY_WIDTH, 0),
            Stroke::Dashed => DASH,
        };
        drawn.label(&series.label).legend(move |(x, y)| {
            DashedPathElement::new([(x, y), (x + KEY_WIDTH, y)], dash, gap, style)
        });
        if series.points.len() <= DOTS_UP_TO {
            let dots = series.points.iter();
            area.draw_series(dots.map(|&point| Circle::new(point, 3, color.filled())))?;
        }
    }
    area.configure_series_labels()
        .label_font((FONT, 13))
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.25))
        .position(legend)
        .margin(8)
        .legend_area_size(32)
        .draw()?;
    root.present()?;
    Ok(())
}

/// Powers of ten in full, which read better than exponents down to a ten-thousandth.
fn log_label(y: &f64) -> String {
    if *y >= 1e-4 {
        format!("{y}")
    } else {
        format!("{y:e}")
    }
}

fn linear_label(y: &f64) -> String {
    let text = format!("{y:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(scale: Scale, points: &[(u64, f64)]) -> Chart {
        let series = |label: &str, stroke| Series {
            label: label.into(),
            color: 0,
            stroke,
            points: points.to_vec(),
        };
        Chart {
            title: "classifier: loss".into(),
            y_label: "cross-entropy",
            scale,
            series: vec![
                series("training", Stroke::Dashed),
                series("validation", Stroke::Solid),
            ],
        }
    }

    #[test]
    fn a_chart_names_its_axes_and_series() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let text = svg(&chart(scale, &[(1, 0.5), (2, 0.25)])).unwrap().unwrap();
            for part in [
                "<svg",
                "epoch",
                "cross-entropy",
                "training",
                "validation",
                "</svg>",
            ] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }

    #[test]
    fn one_epoch_is_still_visible() {
        let text = svg(&chart(Scale::Logarithmic, &[(1, 0.5)]))
            .unwrap()
            .unwrap();
        assert!(text.contains("<circle"), "{text}");
    }

    #[test]
    fn values_without_a_place_are_left_out() {
        let text = svg(&chart(
            Scale::Logarithmic,
            &[(1, 0.0), (2, f64::NAN), (3, 0.1)],
        ));
        assert_eq!(text.unwrap().unwrap().matches("<circle").count(), 2);
        assert_eq!(svg(&chart(Scale::Logarithmic, &[(1, 0.0)])).unwrap(), None);
        assert_eq!(svg(&chart(Scale::Linear, &[])).unwrap(), None);
    }

    #[test]
    fn labels_are_short() {
        assert_eq!(log_label(&0.001), "0.001");
        assert_eq!(log_label(&0.00001), "1e-5");
        assert_eq!(linear_label(&29.5), "29.5");
        assert_eq!(linear_label(&30.0), "30");
    }
}
