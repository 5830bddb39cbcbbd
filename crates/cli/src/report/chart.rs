//! Charts as SVG, drawn by hand: lines over an axis, dots with intervals in rows, and parallel coordinates.
//!
//! A chart says its numbers three times: drawn, in its description for those who do not see it, and as `data-` attributes, from
//! which the page's script shows values and zooms. Lines differ in colour, marker and dashes, so that no one needs the colour.
//! All text goes through `maud`, which escapes it.

pub(crate) mod axis;
pub(crate) mod dots;
pub(crate) mod lines;
pub(crate) mod parallel;

use maud::{Markup, html};

/// Colours, markers and dashes, which the style sheet knows as `s0` to `s7`.
const N_STYLES: usize = 8;

/// How a line or a row looks: one of eight colours with its marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style(pub(crate) usize);

impl Style {
    /// The class that the style sheet colours.
    pub(crate) fn class(self) -> String {
        format!("s{}", self.0 % N_STYLES)
    }

    /// The outline of the marker around the origin, some seven units wide.
    pub(crate) fn marker(self) -> &'static str {
        match self.0 % N_STYLES {
            0 => "M-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0z",
            1 => "M-3 -3h6v6h-6z",
            2 => "M0 -3.8L3.6 2.8H-3.6z",
            3 => "M0 -4.2L4.2 0L0 4.2L-4.2 0z",
            4 => "M0 3.8L3.6 -2.8H-3.6z",
            5 => "M-1.2 -3.6h2.4v2.4h2.4v2.4h-2.4v2.4h-2.4v-2.4h-2.4v-2.4h2.4z",
            6 => "M-3.8 -1.5h7.6v3h-7.6z",
            _ => "M-1.5 -3.8h3v7.6h-3z",
        }
    }
}

/// A sample of a line with its marker, for a legend.
pub(crate) fn swatch(style: Style, dashes: Dashes) -> Markup {
    html! {
        svg.swatch viewBox="0 0 30 12" width="30" height="12" aria-hidden="true" focusable="false" {
            g class=(style.class()) {
                path.stroke.dashed[dashes == Dashes::Dashed] d="M1 6H29" {}
                path.marker d=(style.marker()) transform="translate(15 6)" {}
            }
        }
    }
}

/// How the points of a line are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dashes {
    Solid,
    Dashed,
    /// Not at all: each has its marker.
    Unjoined,
}

/// A coordinate, to a hundredth of a unit.
fn at(x: f64) -> String {
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
