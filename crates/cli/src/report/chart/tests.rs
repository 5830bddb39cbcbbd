//! Axes that are honest, places that are right, and what is drawn when there is little or nothing to draw.

use super::axis::{Axis, Spacing};
use super::dots::{Dots, Row};
use super::lines::{Line, Lines, Point, short};
use super::{Dashes, Style};

fn lines(ys: &[f64]) -> Lines {
    let points = ys
        .iter()
        .zip(1..)
        .map(|(&y, x)| Point::new(f64::from(x), y));
    Lines {
        id: "chart".to_owned(),
        title: "loss".to_owned(),
        x_label: "epoch".to_owned(),
        y_label: "loss".to_owned(),
        x: Axis::counts(1.0, ys.len().max(1) as f64),
        y: Axis::of(ys.iter().copied()),
        lines: vec![Line {
            name: "<b>run</b> & \"co\"".to_owned(),
            style: Style(0),
            dashes: Dashes::Solid,
            key: "g0".to_owned(),
            points: points.collect(),
        }],
        diagonal: false,
    }
}

fn labels(axis: &Axis) -> Vec<String> {
    axis.ticks.iter().map(|&tick| axis.label(tick)).collect()
}

#[test]
fn linear_axes_have_round_ticks_around_their_values() {
    let axis = Axis::linear(0.613, 0.979);
    assert_eq!(labels(&axis), ["0.6", "0.7", "0.8", "0.9", "1.0"]);
    assert!(axis.share(0.6).abs() < 1e-12 && (axis.share(1.0) - 1.0).abs() < 1e-12);
    assert!((axis.share(0.8) - 0.5).abs() < 1e-12);
    assert_eq!(
        labels(&Axis::linear(-3.0, 4.0)),
        ["-4", "-2", "0", "2", "4"]
    );
    assert_eq!(labels(&Axis::linear(28.1, 30.2)), ["28", "29", "30", "31"]);
}

#[test]
fn values_far_apart_get_a_logarithmic_axis() {
    let axis = Axis::of([1.1, 0.3, 0.002]);
    assert_eq!(axis.spacing, Spacing::Log);
    assert_eq!((axis.low, axis.high), (0.002, 2.0));
    assert_eq!(labels(&axis), ["0.01", "0.1", "1"]);
    assert!((axis.share(0.02) - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(
        Axis::of([0.0, 1.0, 100.0]).spacing,
        Spacing::Linear,
        "zero has no logarithm"
    );
    assert_eq!(
        Axis::of([1e-9, 1.0]).ticks.len(),
        5,
        "not a tick for each power"
    );
}

#[test]
fn equal_values_and_no_values_have_an_axis_too() {
    for axis in [
        Axis::of([0.5]),
        Axis::of([0.0, 0.0]),
        Axis::of([f64::NAN]),
        Axis::of([]),
        Axis::of([f64::INFINITY, 3.0]),
        Axis::counts(1.0, 1.0),
        Axis::linear(1e-300, 1e-300),
        Axis::linear(1e15, 1e15),
    ] {
        assert!(axis.low < axis.high, "{axis:?}");
        assert!((1..=9).contains(&axis.ticks.len()), "{axis:?}");
    }
}

#[test]
fn counts_end_where_they_end() {
    assert_eq!(labels(&Axis::counts(1.0, 25.0)), ["1", "10", "20"]);
    assert_eq!(labels(&Axis::counts(1.0, 3.0)), ["1", "2", "3"]);
    assert_eq!(labels(&Axis::counts(1.0, 1.0)), ["1"]);
    assert_eq!(Axis::counts(1.0, 25.0).share(25.0), 1.0);
}

#[test]
fn a_line_passes_through_its_points() {
    let chart = lines(&[4.0, 2.0, 3.0]);
    let svg = chart.render().into_string();
    // The first epoch at the left end of the axis, the last at the right, the axis from 2 to 4.
    assert!(svg.contains("M50 30L208 206L366 118"), "{svg}");
    assert!(svg.contains("data-xs=\"1 2 3\" data-ys=\"4 2 3\""), "{svg}");
}

#[test]
fn a_value_that_is_no_number_leaves_a_gap() {
    let chart = lines(&[4.0, 3.0, f64::NAN, f64::INFINITY, 2.0, 3.0]);
    let stretches = chart.stretches(&chart.lines[0]);
    let indices: Vec<Vec<usize>> = stretches
        .iter()
        .map(|stretch| stretch.iter().map(|(i, _)| *i).collect())
        .collect();
    assert_eq!(indices, [vec![0, 1], vec![4, 5]]);
    let svg = chart.render().into_string();
    let path = svg
        .split("class=\"stroke\" d=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert_eq!(path.matches('M').count(), 2, "{path}");
    assert!(!path.contains("NaN") && !path.contains("inf"), "{path}");
}

#[test]
fn one_epoch_is_a_marker_and_none_is_said() {
    let svg = lines(&[0.7]).render().into_string();
    assert_eq!(svg.matches("class=\"marker\"").count(), 1);
    assert!(svg.contains("translate(208 "), "in the middle: {svg}");
    let svg = lines(&[]).render().into_string();
    assert!(svg.contains("no values"), "{svg}");
    let svg = lines(&[f64::NAN]).render().into_string();
    assert_eq!(svg.matches("class=\"marker\"").count(), 0);
}

#[test]
fn many_epochs_have_some_markers_and_the_last() {
    let ys: Vec<f64> = (0..500).map(f64::from).collect();
    let svg = lines(&ys).render().into_string();
    let markers = svg.matches("class=\"marker\"").count();
    assert!((10..=14).contains(&markers), "{markers}");
    assert!(svg.contains("data-i=\"499\""));
}

#[test]
fn names_are_escaped_in_text_and_attributes() {
    let svg = lines(&[1.0, 2.0]).render().into_string();
    assert!(!svg.contains("<b>"), "{svg}");
    assert!(
        svg.contains("data-name=\"&lt;b&gt;run&lt;/b&gt; &amp; &quot;co&quot;\""),
        "{svg}"
    );
}

#[test]
fn styles_differ_without_colour() {
    let mut markers: Vec<&str> = (0..8).map(|i| Style(i).marker()).collect();
    markers.sort_unstable();
    markers.dedup();
    assert_eq!(markers.len(), 8);
    assert_eq!(Style(9).class(), "s1");
}

#[test]
fn rows_show_runs_mean_interval_and_what_was_published() {
    let row = |values: &[f64], published| Row {
        name: "tuned".to_owned(),
        style: Style(1),
        values: values.to_vec(),
        mean: (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64),
        interval: (values.len() > 1).then_some((0.8, 0.9)),
        published,
    };
    let chart = Dots {
        id: "dots".to_owned(),
        title: "accuracy".to_owned(),
        label: "accuracy".to_owned(),
        rows: vec![row(&[0.82, 0.88], Some(0.97)), row(&[], None)],
    };
    let axis = chart.axis();
    assert!(axis.low <= 0.8 && axis.high >= 0.97);
    let svg = chart.render().into_string();
    for (class, n) in [("dot", 2), ("mean", 1), ("band", 1), ("published", 1)] {
        assert_eq!(
            svg.matches(&format!("class=\"{class}\"")).count(),
            n,
            "{class}"
        );
    }
    assert!(
        svg.contains("mean 0.85 of 2, interval 0.8 to 0.9, published 0.97"),
        "{svg}"
    );
    assert!(svg.contains("tuned: not measured"), "{svg}");
}

#[test]
fn numbers_are_short() {
    for (value, text) in [
        (0.015_329_8, "0.0153"),
        (30.0461, "30.05"),
        (1.0, "1"),
        (0.0, "0"),
        (1e-9, "1.000e-9"),
        (0.000_88, "0.00088"),
        (100.0, "100"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(short(value), text);
    }
}
