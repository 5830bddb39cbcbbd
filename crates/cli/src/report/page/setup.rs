//! Networks and configurations.

use maud::{Markup, html};

use super::super::Report;
use super::super::run::Run;
use super::table::{Cell, Table};
use super::words::thousands;

/// One table for each network that differs from those before.
pub(super) fn networks(report: &Report) -> Markup {
    let mut networks: Vec<(Vec<&str>, &Run)> = vec![];
    for group in &report.groups {
        let Some(run) = group.runs.first() else {
            continue;
        };
        match networks
            .iter_mut()
            .find(|(_, other)| other.summary == run.summary)
        {
            Some((names, _)) => names.push(&group.name),
            None => networks.push((vec![&group.name], run)),
        }
    }
    html! {
        @for (names, run) in &networks {
            @let parameters = thousands(run.summary.parameters);
            details open[networks.len() == 1] {
                summary { (names.join(", ")) ": " (run.summary.layers.len()) " layers, " (parameters) " parameters" }
                (layers(&names.join(", "), run))
            }
        }
        p.small { "Shapes are channels × height × width, without the batch. Names are those of the file of weights, which PyTorch loads." }
    }
}

fn layers(names: &str, run: &Run) -> Table {
    let columns = ["layer", "kind", ">output shape", ">parameters"];
    let mut table = Table::new(format!("Layers of {names}"), &columns).sortable();
    for layer in &run.summary.layers {
        let shape: Vec<String> = layer.output_shape.iter().map(usize::to_string).collect();
        let size: usize = layer.output_shape.iter().product();
        table.row([
            Cell::from(&layer.name),
            Cell::from(&layer.kind),
            Cell::number(size as f64, shape.join("×")),
            Cell::number(layer.parameters as f64, thousands(layer.parameters)),
        ]);
    }
    table
}

/// One column for each group, and a mark where they differ.
pub(super) fn configuration(report: &Report) -> Markup {
    let groups: Vec<_> = report
        .groups
        .iter()
        .filter(|group| !group.runs.is_empty())
        .collect();
    let columns: Vec<Vec<(String, String)>> = groups
        .iter()
        .map(|group| {
            let mut keys = flat(&group.runs[0]);
            let seeds: Vec<String> = group
                .runs
                .iter()
                .map(|run| run.config.seed.to_string())
                .collect();
            for (key, value) in &mut keys {
                if key == "seed" {
                    *value = seeds.join(", ");
                }
            }
            keys
        })
        .collect();
    let mut names: Vec<&str> = vec![];
    for (key, _) in columns.iter().flatten() {
        if !names.contains(&key.as_str()) {
            names.push(key);
        }
    }
    let value = |column: &[(String, String)], name: &str| {
        column
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    let heads =
        std::iter::once("key".to_owned()).chain(groups.iter().map(|group| group.name.clone()));
    let mut table = Table::of_columns("The resolved configuration, complete", heads).sortable();
    for name in names {
        let values: Vec<Option<String>> =
            columns.iter().map(|column| value(column, name)).collect();
        let differs = values.windows(2).any(|pair| pair[0] != pair[1]);
        let cells = values.into_iter().map(|value| match value {
            Some(value) => Cell::markup(html! { code.differs[differs] { (value) } }),
            None => Cell::dash(),
        });
        table.row(std::iter::once(Cell::markup(html! { code { (name) } })).chain(cells));
    }
    html! {
        @if groups.len() > 1 { p { "Values that differ between the columns are marked." } }
        (table)
    }
}

/// The keys of `config.toml` with dots, in their order.
fn flat(run: &Run) -> Vec<(String, String)> {
    fn walk(prefix: &str, value: &toml::Value, into: &mut Vec<(String, String)>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    let name = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    walk(&name, value, into);
                }
            }
            toml::Value::String(text) => into.push((prefix.to_owned(), text.clone())),
            other => into.push((prefix.to_owned(), other.to_string())),
        }
    }
    let mut keys = vec![];
    if let Ok(value) = toml::Value::try_from(&run.config) {
        walk("", &value, &mut keys);
    }
    keys
}
