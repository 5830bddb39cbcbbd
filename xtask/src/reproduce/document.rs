//! A report as a list of blocks, laid out as Markdown or for a terminal.

use std::fmt::Write as _;

/// A part of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// Level 1 is the title.
    Heading(usize, String),
    Paragraph(String),
    Table(Table),
    /// Preformatted lines.
    Code(String),
    /// A picture: what it shows, and its path relative to the report.
    Image {
        shows: String,
        path: String,
    },
}

impl Block {
    pub(crate) fn heading(level: usize, text: impl Into<String>) -> Self {
        Self::Heading(level, text.into())
    }

    pub(crate) fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph(text.into())
    }
}

/// A table whose columns are padded, so that its Markdown also reads well as plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    header: Vec<String>,
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

impl Table {
    /// A column whose name begins with `>` is aligned to the right, as numbers are.
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self {
            header: columns
                .iter()
                .map(|name| name.trim_start_matches('>').to_owned())
                .collect(),
            align: columns
                .iter()
                .map(|name| {
                    if name.starts_with('>') {
                        Align::Right
                    } else {
                        Align::Left
                    }
                })
                .collect(),
            rows: vec![],
        }
    }

    /// Adds a row; a `|` in a cell would end it, so it is escaped.
    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        let row: Vec<String> = cells
            .into_iter()
            .map(|cell| cell.into().replace('|', r"\|"))
            .collect();
        assert_eq!(
            row.len(),
            self.header.len(),
            "every row has a cell for every column"
        );
        self.rows.push(row);
    }

    fn to_markdown(&self) -> String {
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| {
                let cells = self.rows.iter().chain([&self.header]);
                cells
                    .map(|row| width(&row[column]))
                    .max()
                    .unwrap_or(0)
                    .max(3)
            })
            .collect();
        let mut text = self.line(&self.header, &widths);
        for (align, width) in self.align.iter().zip(&widths) {
            let dashes = "-".repeat(width + 1);
            match align {
                Align::Left => _ = write!(text, "|{dashes}-"),
                Align::Right => _ = write!(text, "|{dashes}:"),
            }
        }
        text.push_str("|\n");
        for row in &self.rows {
            text.push_str(&self.line(row, &widths));
        }
        text
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, &to), align) in cells.iter().zip(widths).zip(&self.align) {
            let padding = " ".repeat(to.saturating_sub(width(cell)));
            match align {
                Align::Left => _ = write!(line, "| {cell}{padding} "),
                Align::Right => _ = write!(line, "| {padding}{cell} "),
            }
        }
        line + "|\n"
    }
}

/// Columns on a terminal; every character of our reports is one wide.
fn width(cell: &str) -> usize {
    cell.chars().count()
}

/// The whole report as Markdown.
pub(crate) fn to_markdown(blocks: &[Block]) -> String {
    let parts: Vec<_> = blocks
        .iter()
        .map(|block| match block {
            Block::Heading(level, text) => format!("{} {text}\n", "#".repeat(*level)),
            Block::Paragraph(text) => format!("{}\n", wrap(text, 110)),
            Block::Table(table) => table.to_markdown(),
            Block::Code(text) => format!("```text\n{}\n```\n", text.trim_end()),
            Block::Image { shows, path } => format!("![{shows}]({path})\n"),
        })
        .collect();
    parts.join("\n")
}

/// The report without its pictures, as a terminal shows it.
pub(crate) fn to_terminal(blocks: &[Block]) -> String {
    let parts: Vec<_> = blocks
        .iter()
        .filter_map(|block| match block {
            Block::Heading(1, text) => Some(format!("{text}\n{}\n", "=".repeat(width(text)))),
            Block::Heading(_, text) => Some(format!("{text}\n{}\n", "-".repeat(width(text)))),
            Block::Paragraph(text) => Some(format!("{}\n", wrap(text, 100).replace("**", ""))),
            Block::Table(table) => Some(table.to_markdown()),
            Block::Code(text) => Some(format!("{}\n", text.trim_end())),
            Block::Image { .. } => None,
        })
        .collect();
    parts.join("\n")
}

/// Fills lines up to `columns`; line breaks of the text stay.
fn wrap(text: &str, columns: usize) -> String {
    let mut lines = vec![];
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && width(&line) + 1 + width(word) > columns {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_padded_and_aligned() {
        let mut table = Table::new(&["layer", ">parameters"]);
        table.row(["Conv2d 1×16", "160"]);
        table.row(["a|b", "4,640"]);
        let expected = "\
| layer       | parameters |
|-------------|-----------:|
| Conv2d 1×16 |        160 |
| a\\|b        |      4,640 |
";
        assert_eq!(table.to_markdown(), expected);
    }

    #[test]
    #[should_panic(expected = "every row has a cell for every column")]
    fn a_row_of_the_wrong_length_is_a_bug() {
        Table::new(&["a", "b"]).row(["1"]);
    }

    #[test]
    fn markdown_has_every_block_and_the_terminal_no_pictures() {
        let blocks = [
            Block::heading(1, "Title"),
            Block::paragraph("Some **bold** words."),
            Block::Code("$ juggle\n".into()),
            Block::Image {
                shows: "loss".into(),
                path: "figures/loss.svg".into(),
            },
        ];
        assert_eq!(
            to_markdown(&blocks),
            "# Title\n\nSome **bold** words.\n\n```text\n$ juggle\n```\n\n![loss](figures/loss.svg)\n"
        );
        assert_eq!(
            to_terminal(&blocks),
            "Title\n=====\n\nSome bold words.\n\n$ juggle\n"
        );
    }

    #[test]
    fn long_lines_wrap_at_words() {
        assert_eq!(wrap("aa bb cc", 5), "aa bb\ncc");
        assert_eq!(wrap("a\nb", 5), "a\nb");
        assert_eq!(wrap("abcdefgh", 3), "abcdefgh");
    }
}
