//! The audit as text for a terminal of 80 columns.

use std::fmt::Write as _;

use juggle_dataset::audit::{Audit, AuditKind, Finding, Level, SplitOverlap};

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Rows of a list before it is cut.
const ROWS: usize = 20;

/// What the audit cannot see, in every form of it.
pub(super) const BLIND_SPOTS: &str = "Copies that were flipped, turned, cropped or recoloured; wrong labels on images that \
    occur once; whether the pictures show what their classes say; differences in anything but brightness, \
    contrast, foreground and size; leaks between clips or people that file names and pixels do not betray. With \
    few images a difference can be real and go unnoticed.";

/// The whole audit.
pub(super) fn render(audit: &Audit) -> String {
    let mut text = String::new();
    head(&mut text, audit);
    for finding in &audit.findings {
        text.push('\n');
        one_finding(&mut text, finding);
    }
    splits(&mut text, audit);
    classes(&mut text, audit);
    overlaps(&mut text, audit);
    distributions(&mut text, audit);
    unreadable(&mut text, audit);
    text.push_str("\nWhat this audit cannot see\n");
    indented(&mut text, "  ", "  ", BLIND_SPOTS);
    text
}

/// `2 problems, 1 warning and 3 notes`.
pub(super) fn counted(audit: &Audit) -> String {
    let words = [
        (Level::Problem, "problem"),
        (Level::Warning, "warning"),
        (Level::Note, "note"),
    ];
    let parts: Vec<String> = words
        .into_iter()
        .filter_map(|(level, word)| match audit.count(level) {
            0 => None,
            1 => Some(format!("1 {word}")),
            n => Some(format!("{n} {word}s")),
        })
        .collect();
    match &parts[..] {
        [] => "nothing to report".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Text of a file or class name without control characters, which a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

pub(super) fn kind(audit: &Audit) -> &'static str {
    match audit.kind {
        AuditKind::Images => "labelled images",
        AuditKind::Clips => "clips",
    }
}

fn head(text: &mut String, audit: &Audit) {
    let shape = if audit.sizes.len() == 1 {
        audit.shape.to_string()
    } else {
        format!("{} sizes, mostly {}", audit.sizes.len(), audit.shape)
    };
    let line = format!(
        "{}: {}, {shape}, {}",
        audit.dir.display(),
        kind(audit),
        audit.origin
    );
    indented(text, "", "  ", &line);
    if audit.ignored > 0 {
        let _ = writeln!(text, "{} other entries are ignored", audit.ignored);
    }
    let _ = writeln!(text, "Found: {}.", counted(audit));
}

fn one_finding(text: &mut String, finding: &Finding) {
    let level = match finding.level {
        Level::Problem => "PROBLEM",
        Level::Warning => "WARNING",
        Level::Note => "NOTE",
    };
    indented(text, &format!("{level:<9}"), "         ", &finding.title);
    let parts = [
        ("found", &*finding.found),
        ("why", finding.why),
        ("do", &*finding.advice),
    ];
    for (label, words) in parts {
        indented(text, &format!("  {label:<7}"), "         ", words);
    }
}

fn splits(text: &mut String, audit: &Audit) {
    let _ = write!(
        text,
        "\n{:<6}{:>8}{:>8}{:>8}{:>9}",
        "split", "images", "mean", "std", "repeats"
    );
    if audit.kind == AuditKind::Clips {
        let _ = write!(text, "{:>8}{:>16}", "clips", "frames a clip");
    }
    text.push('\n');
    for split in &audit.splits {
        let _ = write!(
            text,
            "{:<6}{:>8}{:>8.4}{:>8.4}{:>9}",
            split.split,
            split.images,
            split.pixel_mean,
            split.pixel_std,
            split.repeats.confirmed_duplicates
        );
        if let Some(clips) = split.clips {
            let lengths = if clips.shortest == clips.longest {
                clips.shortest.to_string()
            } else {
                format!("{} to {}", clips.shortest, clips.longest)
            };
            let _ = write!(text, "{:>8}{lengths:>16}", clips.clips);
        }
        text.push('\n');
    }
}

fn classes(text: &mut String, audit: &Audit) {
    let Some(first) = audit
        .splits
        .first()
        .filter(|split| !split.classes.is_empty())
    else {
        return;
    };
    let _ = write!(text, "\n{:<40}", "class");
    for split in &audit.splits {
        let _ = write!(text, "{:>8}", split.split);
    }
    text.push('\n');
    for (i, class) in first.classes.iter().enumerate().take(ROWS) {
        let _ = write!(text, "{}", column(&class.name, 40));
        for split in &audit.splits {
            let _ = write!(text, "{:>8}", split.classes[i].images);
        }
        text.push('\n');
    }
    more(text, first.classes.len());
}

fn overlaps(text: &mut String, audit: &Audit) {
    if audit.overlaps.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n{:<15}{:>7}{:>7}{:>9}{:>11}{:>12}{:>13}",
        "images of", "exact", "near", "by hash", "confirmed", "same clip", "nearest RMS"
    );
    for overlap in &audit.overlaps {
        let SplitOverlap { split, other, .. } = overlap;
        let clips = match overlap.images_with_shared_prefix {
            0 => "–".to_owned(),
            n => format!("{} of {n}", overlap.nearest_with_same_prefix),
        };
        let _ = writeln!(
            text,
            "{:<15}{:>7}{:>7}{:>9}{:>11}{clips:>12}{:>13.4}",
            format!("{split} in {other}"),
            overlap.exact_duplicates,
            overlap.near_duplicates,
            overlap.hash_duplicates,
            overlap.confirmed_duplicates,
            overlap.median_nearest_rms,
        );
    }
    for overlap in &audit.overlaps {
        for pair in &overlap.duplicates {
            let line = format!("{} ~ {}", pair.path.display(), pair.other.display());
            indented(text, "  ", "    ", &line);
        }
    }
}

/// All images of each split, and the class that differs most from train.
fn distributions(text: &mut String, audit: &Audit) {
    let all = || audit.shifts.iter().filter(|test| test.class.is_none());
    if all().next().is_none() {
        return;
    }
    let _ = writeln!(
        text,
        "\n{:<20}{:>9}{:>9}{:>7}{:>9}   class that differs most",
        "against train", "median", "train", "D", "p (Holm)"
    );
    for test in all() {
        let same = audit.shifts.iter().filter(|other| {
            other.class.is_some() && (other.split, other.quantity) == (test.split, test.quantity)
        });
        let most = same
            .max_by(|a, b| a.statistic.total_cmp(&b.statistic))
            .map_or_else(String::new, |class| {
                let name = class.class.as_deref().unwrap_or_default();
                format!("{}D = {:.2}", column(name, 13), class.statistic)
            });
        let _ = writeln!(
            text,
            "{:<20}{:>9.4}{:>9.4}{:>7.2}{:>9}   {most}",
            format!("{} {}", test.split, test.quantity.name()),
            test.median,
            test.train_median,
            test.statistic,
            juggle_dataset::audit::rules::p_text(test.p_adjusted),
        );
    }
}

fn unreadable(text: &mut String, audit: &Audit) {
    if audit.unreadable.is_empty() {
        return;
    }
    text.push_str("\nFiles that cannot be read\n");
    for file in audit.unreadable.iter().take(ROWS) {
        indented(text, "  ", "    ", &file.error);
    }
    more(text, audit.unreadable.len());
}

fn more(text: &mut String, rows: usize) {
    if rows > ROWS {
        let _ = writeln!(text, "… and {} more; --json lists all", rows - ROWS);
    }
}

/// A name in a column of the given width, cut where it is too long.
fn column(name: &str, width: usize) -> String {
    let name = plain(name);
    let mut cut = String::new();
    let fits = textwrap::core::display_width(&name) < width;
    for c in name.chars() {
        if !fits && textwrap::core::display_width(&cut) + 3 > width {
            cut.push('…');
            break;
        }
        cut.push(c);
    }
    let gap = width.saturating_sub(textwrap::core::display_width(&cut));
    cut + &" ".repeat(gap)
}

fn indented(text: &mut String, first: &str, rest: &str, words: &str) {
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(rest)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    for line in textwrap::wrap(&plain(words), options) {
        text.push_str(&line);
        text.push('\n');
    }
}
