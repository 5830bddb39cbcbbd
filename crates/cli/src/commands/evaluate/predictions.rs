//! `--predictions`: what a classifier makes of each image, as a table for other programs.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::evaluation::classifier::ClassifierEvaluation;

/// Writes `file,true,predicted,probability,p(CLASS),…`, a line an image in the order of the split. Files are relative to the data folder.
pub(super) fn write(found: &ClassifierEvaluation, file: &Path) -> Result<()> {
    std::fs::write(file, table(found)).with_context(|| format!("cannot write {}", file.display()))
}

fn table(found: &ClassifierEvaluation) -> String {
    let images = &found.images;
    let mut text = "file,true,predicted,probability".to_owned();
    for class in &images.classes {
        let _ = write!(text, ",{}", field(&format!("p({class})")));
    }
    text.push('\n');
    for (i, path) in images.paths.iter().enumerate() {
        let _ = write!(
            text,
            "{},{},{},{}",
            field(&path.display().to_string()),
            field(&images.classes[images.labels[i]]),
            field(&images.classes[found.predicted[i]]),
            found.confidence(i)
        );
        for probability in found.of_image(i) {
            let _ = write!(text, ",{probability}");
        }
        text.push('\n');
    }
    text
}

/// A field as RFC 4180 has it: in quotes where it must be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        assert_eq!(field("a b.png"), "a b.png");
        assert_eq!(field("a,\"b\".png"), "\"a,\"\"b\"\".png\"");
    }
}
