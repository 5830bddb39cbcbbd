//! Tables: a caption, headings for columns and rows, and a region that scrolls where the screen is narrow.

use maud::{Markup, Render, html};

/// A table. Its first column heads the rows.
pub(super) struct Table {
    caption: String,
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<Cell>>,
    order: Order,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Align {
    Text,
    Number,
}

/// Whether the page's script lets the reader sort the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Fixed,
    Sortable,
}

/// What a cell shows, and what it is sorted by.
pub(super) struct Cell {
    shown: Markup,
    sort: Option<f64>,
}

impl<S: AsRef<str>> From<S> for Cell {
    fn from(text: S) -> Self {
        Self {
            shown: html! { (text.as_ref()) },
            sort: None,
        }
    }
}

impl Cell {
    pub(super) fn number(value: f64, shown: impl Render) -> Self {
        Self {
            shown: html! { (shown) },
            sort: Some(value),
        }
    }

    pub(super) fn markup(shown: Markup) -> Self {
        Self { shown, sort: None }
    }

    pub(super) fn dash() -> Self {
        Self {
            shown: html! { span aria-label="none" role="img" { "–" } },
            sort: None,
        }
    }

    /// A dash in place of nothing.
    pub(super) fn or_dash(value: Option<f64>, shown: impl Fn(f64) -> String) -> Self {
        value.map_or_else(Self::dash, |value| Self::number(value, shown(value)))
    }
}

impl Table {
    /// A column whose name begins with `>` holds numbers.
    pub(super) fn new(caption: impl Into<String>, columns: &[&str]) -> Self {
        Self::of_columns(caption, columns.iter().map(|&name| name.to_owned()))
    }

    pub(super) fn of_columns(
        caption: impl Into<String>,
        columns: impl IntoIterator<Item = String>,
    ) -> Self {
        let columns = columns
            .into_iter()
            .map(|name| match name.strip_prefix('>') {
                Some(name) => (name.to_owned(), Align::Number),
                None => (name, Align::Text),
            });
        Self {
            caption: caption.into(),
            columns: columns.collect(),
            rows: vec![],
            order: Order::Fixed,
        }
    }

    pub(super) fn sortable(mut self) -> Self {
        self.order = Order::Sortable;
        self
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let row: Vec<Cell> = cells.into_iter().collect();
        assert_eq!(
            row.len(),
            self.columns.len(),
            "every row has a cell for every column"
        );
        self.rows.push(row);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Render for Table {
    fn render(&self) -> Markup {
        let is_sortable = self.order == Order::Sortable && self.rows.len() > 1;
        let class = |i: usize| (self.columns[i].1 == Align::Number).then_some("n");
        html! {
            div.scroll role="group" tabindex="0" aria-label=(self.caption) {
                table.sortable[is_sortable] {
                    caption { (self.caption) }
                    thead { tr {
                        @for (i, (name, _)) in self.columns.iter().enumerate() {
                            th scope="col" class=[class(i)] { (name) }
                        }
                    } }
                    tbody { @for row in &self.rows { tr {
                        @for (i, cell) in row.iter().enumerate() {
                            @if i == 0 {
                                th scope="row" class=[class(i)] data-v=[cell.sort] { (cell.shown) }
                            } @else {
                                td class=[class(i)] data-v=[cell.sort] { (cell.shown) }
                            }
                        }
                    } } }
                }
            }
        }
    }
}
