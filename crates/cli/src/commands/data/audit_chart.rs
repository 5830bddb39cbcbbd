//! Histograms of the audit as SVG.

use juggle_dataset::Split;
use juggle_dataset::audit::Distribution;
use maud::{Markup, html};

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 110.0;
const BASE: f64 = 90.0;

/// The histograms of the splits over one another, as shares of their images. All have the same bins.
pub(super) fn histogram(title: &str, shown: &[&Distribution]) -> Markup {
    let share = |distribution: &Distribution, n: usize| to_f64(n) / to_f64(distribution.images);
    let highest = shown
        .iter()
        .flat_map(|d| d.histogram.iter().map(|&n| share(d, n)))
        .fold(0.0, f64::max);
    let [low, high] = shown.first().map_or([0.0, 1.0], |d| d.range);
    let words: Vec<String> = shown
        .iter()
        .map(|d| {
            format!(
                "{}: median {} of {} images",
                d.split,
                short(d.quantiles[2]),
                d.images
            )
        })
        .collect();
    html! {
        figure.chart {
            figcaption { (title) }
            svg role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } aria-label={ (title) ". " (words.join("; ")) } {
                @for distribution in shown {
                    path class=(class(distribution.split)) d=(outline(distribution, highest)) {}
                }
                line.axis x1="0" y1=(BASE) x2=(WIDTH) y2=(BASE) {}
                text x="0" y=(HEIGHT - 5.0) { (short(low)) }
                text x=(WIDTH) y=(HEIGHT - 5.0) text-anchor="end" { (short(high)) }
            }
        }
    }
}

/// The CSS class that colours a split.
pub(super) fn class(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
    }
}

pub(super) fn short(x: f64) -> String {
    if x.fract() == 0.0 && x >= 2.0 {
        format!("{x:.0}")
    } else {
        format!("{x:.3}")
    }
}

fn outline(distribution: &Distribution, highest: f64) -> String {
    let step = WIDTH / to_f64(distribution.histogram.len());
    let mut path = format!("M0 {BASE}");
    for (i, &n) in distribution.histogram.iter().enumerate() {
        let y = BASE - to_f64(n) / to_f64(distribution.images) / highest * (BASE - 4.0);
        path += &format!("V{y:.1}H{:.1}", step * to_f64(i + 1));
    }
    path + &format!("V{BASE}")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers of images are far below 2^53"
)]
fn to_f64(n: usize) -> f64 {
    n as f64
}
