//! The page: one HTML document with its style sheet and script inside, which asks for nothing else.
//!
//! Everything is written by `maud`, which escapes what is put into it; the only text put in unescaped are the style sheet and
//! the script of this folder. A content security policy names both by their hash, so that a browser would run nothing else even
//! if something slipped through.

mod calibration;
mod classifier;
mod comparison;
mod frames;
mod intervals;
mod overview;
mod picture;
mod provenance;
mod questions;
mod results;
pub(crate) mod search;
mod sections;
mod setup;
mod table;
mod training;
mod words;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::machine::Made;
use super::study::Place;
use super::{Group, Report};
use crate::config::Kind;

const STYLE: &str = include_str!("page/report.css");
const SCRIPT: &str = include_str!("page/report.js");

/// A part of the page under a heading of its own.
struct Part {
    /// Unique on the page.
    id: String,
    heading: String,
    /// What the table of contents lists it under.
    about: About,
    body: Markup,
}

/// What a part is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Summary,
    Classifier,
    Autoencoder,
    Origins,
}

impl About {
    const ALL: [Self; 4] = [
        Self::Summary,
        Self::Classifier,
        Self::Autoencoder,
        Self::Origins,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::Summary => "In short",
            Self::Classifier => "Classifier",
            Self::Autoencoder => "Autoencoder",
            Self::Origins => "Background",
        }
    }
}

impl From<Kind> for About {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Classifier => Self::Classifier,
            Kind::Autoencoder => Self::Autoencoder,
        }
    }
}

impl Part {
    fn new(about: About, id: impl Into<String>, heading: impl Into<String>, body: Markup) -> Self {
        Self {
            id: id.into(),
            heading: heading.into(),
            about,
            body,
        }
    }

    /// Whether other kinds have a part of this name; those that a study brings do not.
    fn names_kind(&self) -> bool {
        let of_kind = [About::Classifier, About::Autoencoder].contains(&self.about);
        of_kind && !self.id.starts_with("section")
    }
}

/// The whole document.
pub(crate) fn render(report: &Report) -> String {
    let lead = overview::lead(report);
    document(&report.title, &lead, &parts(report), &report.made)
}

/// A document of parts.
fn document(title: &str, lead: &Markup, parts: &[Part], made: &Made) -> String {
    // With one kind on the page its name would be a repetition.
    let both = [About::Classifier, About::Autoencoder]
        .iter()
        .all(|about| parts.iter().any(|part| part.about == *about));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta http-equiv="Content-Security-Policy" content=(policy());
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top {
                    div.bar {
                        p.kicker { "juggle report" }
                        div #tools {}
                    }
                    h1 { (title) }
                    (lead)
                }
                (contents(parts))
                main #main {
                    @for part in parts {
                        section aria-labelledby=(part.id) {
                            h2 id=(part.id) {
                                (part.heading)
                                @if both && part.names_kind() { ": " (part.about.words().to_lowercase()) }
                            }
                            (part.body)
                        }
                    }
                }
                footer {
                    p { "Made by juggle " (made.version) " on " (made.date) ". This file is complete: it needs no network and no other file." }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn contents(parts: &[Part]) -> Markup {
    html! {
        nav aria-label="Contents" {
            @for about in About::ALL {
                @let of_about: Vec<&Part> = parts.iter().filter(|part| part.about == about).collect();
                @if !of_about.is_empty() {
                    div {
                        p { (about.words()) }
                        ul { @for part in of_about { li { a href=(format!("#{}", part.id)) { (part.heading) } } } }
                    }
                }
            }
        }
    }
}

fn parts(report: &Report) -> Vec<Part> {
    let mut parts = overview::parts(report);
    parts.extend(sections::of(report, Place::Summary));
    for (kind, place) in [
        (Kind::Classifier, Place::Classifier),
        (Kind::Autoencoder, Place::Autoencoder),
    ] {
        let groups = report.groups_of(kind);
        if !groups.is_empty() {
            parts.extend(parts_of_kind(report, kind, &groups));
        }
        parts.extend(sections::of(report, place));
    }
    parts.extend(sections::of(report, Place::Background));
    for (id, heading, body) in [
        ("network", "Network", setup::networks(report)),
        (
            "configuration",
            "Configuration",
            setup::configuration(report),
        ),
        ("provenance", "Provenance", provenance::body(report)),
    ] {
        parts.push(Part::new(About::Origins, id, heading, body));
    }
    parts
}

fn parts_of_kind(report: &Report, kind: Kind, groups: &[(usize, &Group)]) -> Vec<Part> {
    let compared = comparison::body(report, kind, groups);
    let bodies = match kind {
        Kind::Classifier => vec![
            ("results", "Results", results::body(report, groups)),
            ("training", "Training", training::body(kind, groups)),
            ("images", "Right and wrong", classifier::body(groups)),
            ("calibration", "Calibration", calibration::body(groups)),
            ("compared", "Compared on the same images", compared),
            (
                "certainty",
                "What such an accuracy can mean",
                intervals::body(report, groups),
            ),
        ],
        Kind::Autoencoder => vec![
            ("results", "Results", results::body(report, groups)),
            ("training", "Training", training::body(kind, groups)),
            ("frames", "Predicted frames", frames::body(groups)),
            ("rollout", "On its own output", frames::rollouts(groups)),
            ("compared", "Compared on the same clips", compared),
        ],
    };
    let parts = bodies.into_iter().filter_map(|(name, heading, body)| {
        Some(Part::new(
            kind.into(),
            format!("{kind}-{name}"),
            heading,
            body?,
        ))
    });
    parts.collect()
}

/// Nothing from anywhere, but this style sheet, this script, and images inside of the file.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'",
        hash(STYLE),
        hash(SCRIPT)
    )
}
