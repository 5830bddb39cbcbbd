//! The audit as one HTML file: no network, no script.
//!
//! Everything is written by `maud`, which escapes what is put into it; the only text put in unescaped is the style
//! sheet of this folder. A content security policy forbids everything but that and the pictures inside the file.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use juggle_dataset::audit::{
    self, Audit, Distribution, DuplicatePair, Finding, Level, ShiftTest, rules,
};
use juggle_dataset::{ReadOptions, Split};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::audit_chart::{class, histogram, short};
use super::audit_text::{BLIND_SPOTS, counted, kind};

const STYLE: &str = include_str!("audit.css");

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// Longest side of a picture, pixels.
const PICTURE: usize = 96;

/// Charts a quantity: all images and the first classes.
const CHARTS: usize = 13;

/// Rows of a list before it is cut.
const ROWS: usize = 200;

/// Writes the file by renaming, so that a reader sees the old bytes or the new ones.
pub(super) fn write(file: &Path, audit: &Audit, options: &ReadOptions) -> Result<()> {
    let Some(name) = file.file_name() else {
        bail!(
            "--html {} names no file, expected a path like audit.html",
            file.display()
        );
    };
    let temporary = file.with_file_name(format!(".{}.tmp", name.to_string_lossy()));
    fs::write(&temporary, page(audit, options).into_string())
        .and_then(|()| fs::rename(&temporary, file))
        .with_context(|| format!("cannot write {}", file.display()))
}

fn page(audit: &Audit, options: &ReadOptions) -> Markup {
    let folder = audit.dir.display().to_string();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Audit of " (folder) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Audit of " (folder) }
                    (summary(audit))
                    (findings(audit))
                    (unreadable(audit))
                    (splits(audit))
                    (overlaps(audit))
                    (pictures(audit, options))
                    (distributions(audit))
                    (shifts(audit))
                    (class_tests(audit))
                    h2 { "What this audit cannot see" }
                    p { (BLIND_SPOTS) }
                    p.soft { "juggle " (env!("CARGO_PKG_VERSION")) ", juggle data inspect" }
                }
            }
        }
    }
}

fn summary(audit: &Audit) -> Markup {
    let images: usize = audit.splits.iter().map(|split| split.images).sum();
    html! {
        p {
            (images) " images (" (kind(audit)) ", "
            @if audit.sizes.len() == 1 { (audit.shape) } @else { (audit.sizes.len()) " sizes, mostly " (audit.shape) }
            "), " (audit.origin) ". Found: " strong { (counted(audit)) } "."
            @if audit.ignored > 0 { " " (audit.ignored) " other entries are ignored." }
        }
    }
}

fn findings(audit: &Audit) -> Markup {
    html! {
        h2 { "Findings" }
        @if audit.findings.is_empty() {
            p { "None of the rules found anything. That is no proof that nothing is wrong: see the end of this page." }
        }
        @for finding in &audit.findings { (finding_card(finding)) }
    }
}

fn finding_card(finding: &Finding) -> Markup {
    let (style, word) = match finding.level {
        Level::Problem => ("problem", "Problem"),
        Level::Warning => ("warning", "Warning"),
        Level::Note => ("note", "Note"),
    };
    html! {
        section.finding.(style) {
            h3 { span.level { (word) ":" } " " (finding.title) }
            p { (finding.found) }
            p { strong { "Why it matters. " } (finding.why) }
            p { strong { "What to do. " } (finding.advice) }
            p.soft { small { "Rule: " (finding.rule) "." } }
        }
    }
}

fn unreadable(audit: &Audit) -> Markup {
    html! {
        @if !audit.unreadable.is_empty() {
            h2 { "Files that cannot be read" }
            ul {
                @for file in audit.unreadable.iter().take(ROWS) { li { (file.error) } }
                @if audit.unreadable.len() > ROWS { li { "… and " (audit.unreadable.len() - ROWS) " more" } }
            }
        }
    }
}

/// A table that scrolls by itself on a narrow screen, with the keyboard too.
fn table(name: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(name) tabindex="0" {
            table {
                caption { (name) }
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody { (rows) }
            }
        }
    }
}

fn splits(audit: &Audit) -> Markup {
    let columns = [
        "split",
        "images",
        "pixel mean",
        "pixel std",
        "repeats",
        "exact repeats",
    ];
    let rows = html! {
        @for split in &audit.splits {
            tr {
                th scope="row" { (split.split) }
                td { (split.images) }
                td { (format!("{:.4}", split.pixel_mean)) }
                td { (format!("{:.4}", split.pixel_std)) }
                td { (split.repeats.confirmed_duplicates) }
                td { (split.repeats.exact_duplicates) }
            }
        }
    };
    let mut class_columns = vec!["class".to_owned()];
    class_columns.extend(audit.splits.iter().map(|split| split.split.to_string()));
    let class_columns: Vec<&str> = class_columns.iter().map(String::as_str).collect();
    let classes = audit.splits.first().map_or(&[][..], |split| &split.classes);
    let class_rows = html! {
        @for (i, class) in classes.iter().enumerate() {
            tr {
                th scope="row" { (class.name) }
                @for split in &audit.splits { td { (split.classes[i].images) } }
            }
        }
    };
    html! {
        h2 { "What is in it" }
        (table("Splits", &columns, &rows))
        @if !classes.is_empty() { (table("Images of each class", &class_columns, &class_rows)) }
    }
}

fn overlaps(audit: &Audit) -> Markup {
    let columns = [
        "images of",
        "images",
        "exact",
        "near by pixels",
        "near by hash",
        "confirmed",
        "in a shared clip",
        "nearest in that clip",
        "next by name",
        "median nearest RMS",
    ];
    let rows = html! {
        @for overlap in &audit.overlaps {
            tr {
                th scope="row" { (overlap.split) " in " (overlap.other) }
                td { (overlap.images) }
                td { (overlap.exact_duplicates) }
                td { (overlap.near_duplicates) }
                td { (overlap.hash_duplicates) }
                td { (overlap.confirmed_duplicates) }
                td { (overlap.images_with_shared_prefix) }
                td { (overlap.nearest_with_same_prefix) }
                td { (overlap.nearest_next_by_name) }
                td { (format!("{:.4}", overlap.median_nearest_rms)) }
            }
        }
    };
    html! {
        @if !audit.overlaps.is_empty() {
            h2 { "Between the splits" }
            p {
                "Every image is compared with every image of the other split: by pixels (thumbnails of 16×16, root mean \
                 square difference below " (format!("{:.4}", audit::NEAR_DUPLICATE_RMS)) ") and by perceptual hash (at most "
                (audit::NEAR_HASH_BITS) " of 64 bits). A near pair is confirmed when its thumbnails correlate by "
                (audit::DUPLICATE_CORRELATION) " or more."
            }
            (table("Duplicates and leaks", &columns, &rows))
        }
    }
}

fn pictures(audit: &Audit, options: &ReadOptions) -> Markup {
    html! {
        @for overlap in &audit.overlaps {
            h3 { "Nearest pairs: " (overlap.split) " (left) and " (overlap.other) " (right)" }
            (pairs(audit, &overlap.nearest, options))
        }
        @for split in &audit.splits {
            @if !split.repeats.duplicates.is_empty() {
                h3 { "Repeated within " (split.split) }
                (pairs(audit, &split.repeats.duplicates, options))
            }
        }
    }
}

fn pairs(audit: &Audit, pairs: &[DuplicatePair], options: &ReadOptions) -> Markup {
    html! {
        div.pairs {
            @for pair in pairs {
                figure {
                    (picture(&audit.dir, &pair.path, options))
                    (picture(&audit.dir, &pair.other, options))
                    figcaption {
                        (pair.path.display()) " and " (pair.other.display()) ": RMS " (format!("{:.4}", pair.rms))
                        ", correlation " (format!("{:.3}", pair.correlation)) ", hash " (pair.hash_bits) " bits"
                    }
                }
            }
        }
    }
}

/// The picture, or nothing when the file has gone since it was read.
fn picture(dir: &Path, path: &Path, options: &ReadOptions) -> Markup {
    let png = audit::preview_png(&dir.join(path), options, PICTURE);
    html! {
        @if let Ok(png) = png {
            img src={ "data:image/png;base64," (STANDARD.encode(png)) } alt=(path.display());
        }
    }
}

fn distributions(audit: &Audit) -> Markup {
    let mut quantities: Vec<_> = audit.distributions.iter().map(|d| d.quantity).collect();
    quantities.dedup();
    let of = |quantity, class: &Option<String>| -> Vec<&Distribution> {
        let same = |d: &&Distribution| d.quantity == quantity && d.class == *class;
        audit.distributions.iter().filter(same).collect()
    };
    let classes = || {
        let names = audit.splits.first().map_or(&[][..], |split| &split.classes);
        std::iter::once(None).chain(names.iter().map(|class| Some(class.name.clone())))
    };
    html! {
        @if !quantities.is_empty() {
            h2 { "Distributions" }
            p { "One number an image. The outlines are shares of the images of each split, so splits of different sizes can \
                 be compared. Foreground is the share of the pixels brighter than Otsu's threshold of the image." }
            p.key {
                @for split in &audit.splits {
                    span {
                        svg aria-hidden="true" viewBox="0 0 32 12" { path class=(class(split.split)) d="M0 6H32" {} }
                        " " (split.split)
                    }
                }
            }
        }
        @for quantity in quantities {
            h3 { (quantity.name()) }
            div.charts {
                @for class in classes().take(CHARTS) {
                    @let shown = of(quantity, &class);
                    @if !shown.is_empty() {
                        (histogram(&class.map_or_else(|| "all images".to_owned(), |name| format!("class {name}")), &shown))
                    }
                }
            }
        }
    }
}

fn shifts(audit: &Audit) -> Markup {
    let columns = [
        "against train",
        "class",
        "images",
        "in train",
        "median",
        "in train",
        "D",
        "p",
        "p (Holm)",
        "one a clip: p (Holm)",
        "D that could be seen",
    ];
    let differs =
        |test: &ShiftTest| test.p_adjusted < rules::SHIFT_P && test.statistic >= rules::SHIFT_D;
    let rows = html! {
        @for test in audit.shifts.iter().take(ROWS) {
            tr {
                th scope="row" { (test.split) " " (test.quantity.name()) }
                td { (test.class.as_deref().unwrap_or("all")) }
                td { (test.images) }
                td { (test.train_images) }
                td { (short(test.median)) }
                td { (short(test.train_median)) }
                td class=[differs(test).then_some("differs")] { (format!("{:.2}", test.statistic)) }
                td { (rules::p_text(test.p_value)) }
                td { (rules::p_text(test.p_adjusted)) }
                td { (test.by_clip.map_or_else(|| "–".to_owned(), |by| rules::p_text(by.p_adjusted))) }
                td { (format!("{:.2}", test.least_detectable)) }
            }
        }
    };
    html! {
        @if !audit.shifts.is_empty() {
            h2 { "Do the splits look alike?" }
            p { "Two-sample Kolmogorov–Smirnov tests against train. D is the effect: the best single threshold would tell the \
                 two apart with a balanced accuracy of (1 + D) / 2. The p-values assume independent images, which frames \
                 of a clip are not; the column with one image a clip does not. Holm's correction is over all rows. \
                 Bold rows are differences by the rule." }
            (table("Every split against train", &columns, &rows))
            (cut(audit.shifts.len()))
        }
    }
}

fn class_tests(audit: &Audit) -> Markup {
    let columns = [
        "class of train",
        "number",
        "images",
        "others",
        "D",
        "p (Holm)",
    ];
    let rows = html! {
        @for test in audit.class_tests.iter().take(ROWS) {
            tr {
                th scope="row" { (test.class) }
                td { (test.quantity.name()) }
                td { (test.images) }
                td { (test.other_images) }
                td class=[(test.statistic >= rules::CLASS_D).then_some("differs")] { (format!("{:.2}", test.statistic)) }
                td { (rules::p_text(test.p_adjusted)) }
            }
        }
    };
    html! {
        @if !audit.class_tests.is_empty() {
            h2 { "Does one number tell the classes apart?" }
            p { "Each class of " (Split::Train) " against the others together." }
            (table("Every class against the others", &columns, &rows))
            (cut(audit.class_tests.len()))
        }
    }
}

fn cut(rows: usize) -> Markup {
    html! { @if rows > ROWS { p.soft { "… and " (rows - ROWS) " more rows in --json" } } }
}
