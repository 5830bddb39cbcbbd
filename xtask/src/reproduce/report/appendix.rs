//! The end of the report: the bands, the data, and the commands.

use serde_json::Value;

use super::super::document::{Block, Table};
use super::super::published::Verdict;
use super::super::results::{BandResult, Results};
use super::super::stamp::Freshness;
use super::super::study::{times_source, training_times};
use super::{dash, thousands};
use crate::bench::ratios::Ratios;
use crate::provenance::duration;

/// Our means beside PyTorch's bands.
pub(super) fn bands(results: &Results) -> Vec<Block> {
    let mut table = Table::new(&[
        "recipe",
        "metric",
        ">PyTorch's seeds",
        ">its band",
        ">our mean",
        ">our seeds",
        "inside",
    ]);
    for BandResult {
        band,
        ours,
        verdict,
    } in &results.bands
    {
        let number = |value: f64| format!("{value:.*}", band.decimals);
        let range = if band.n_seeds == 1 {
            number(band.low)
        } else {
            format!("{}–{}", number(band.low), number(band.high))
        };
        let verdict = match verdict {
            None => "–",
            Some(Verdict::Inside) => "yes",
            Some(Verdict::Below) => "NO, below",
            Some(Verdict::Above) => "NO, above",
            Some(Verdict::OnePoint) => "one point, no band",
        };
        table.row([
            format!("{} {}", band.network, band.recipe),
            band.metric.to_owned(),
            band.n_seeds.to_string(),
            range,
            ours.map_or_else(dash, |spread| number(spread.mean)),
            ours.map_or_else(dash, |spread| spread.n.to_string()),
            verdict.to_owned(),
        ]);
    }
    vec![
        Block::heading(2, "Beside PyTorch on the same data"),
        Block::paragraph(
            "The bands run from the lowest to the highest seed of PyTorch 2.15 with the same \
             recipes on this data set. They belong to 25 epochs of the classifier and 30 of the \
             autoencoder; a run of other length is not judged. Two seeds make a narrow band: a \
             mean a little outside of it says little.",
        ),
        Block::Table(table),
    ]
}

/// What the data set holds.
pub(super) fn data(results: &Results) -> Vec<Block> {
    if results.data.is_empty() {
        return vec![];
    }
    let mut table = Table::new(&[
        "folder",
        "split",
        ">images or frames",
        ">clips",
        "per class",
    ]);
    for (folder, inspection) in &results.data {
        for row in split_rows(inspection) {
            table.row([vec![format!("data/{folder}")], row.to_vec()].concat());
        }
    }
    vec![Block::heading(2, "Data"), Block::Table(table)]
}

/// Split, images, clips, and images per class of `juggle data inspect --json`.
fn split_rows(inspection: &Value) -> Vec<[String; 4]> {
    let splits = inspection.get("splits").and_then(Value::as_array);
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).map_or_else(dash, thousands);
    splits
        .into_iter()
        .flatten()
        .map(|split| {
            let classes = split.get("classes").and_then(Value::as_array);
            let classes: Vec<_> = classes
                .into_iter()
                .flatten()
                .map(|class| number(class.get("images")))
                .collect();
            [
                split
                    .get("split")
                    .and_then(Value::as_str)
                    .unwrap_or("–")
                    .to_owned(),
                number(split.get("images").or_else(|| split.get("frames"))),
                number(split.pointer("/clips/clips")),
                if classes.is_empty() {
                    dash()
                } else {
                    classes.join(" / ")
                },
            ]
        })
        .collect()
}

/// Training times, and what PyTorch would need.
pub(super) fn times(results: &Results, ratios: Option<&Ratios>) -> Vec<Block> {
    let mut table = Table::new(&[
        "recipe",
        ">runs",
        ">training here",
        ">times as fast as PyTorch",
        ">PyTorch would need",
    ]);
    let times = training_times(results, ratios);
    for time in &times {
        table.row([
            time.recipe.clone(),
            time.runs.to_string(),
            duration(time.ours_s),
            time.ratio.map_or_else(dash, |ratio| format!("{ratio:.2}")),
            time.pytorch_s().map_or_else(dash, duration),
        ]);
    }
    if times.is_empty() {
        return vec![];
    }
    vec![
        Block::heading(2, "Time"),
        Block::paragraph(times_source(ratios)),
        Block::Table(table),
    ]
}

/// The lines that repeat each number.
pub(super) fn commands(results: &Results) -> Vec<Block> {
    let mut table = Table::new(&["stage", ">wall time", "state"]);
    let mut lines = String::new();
    for stage in &results.stages {
        let state = match stage.freshness {
            Freshness::UpToDate => "up to date",
            Freshness::OtherBinary => "other build",
            Freshness::Missing => "not run",
        };
        let wall = stage.wall_s.map_or_else(dash, duration);
        table.row([format!("`{}`", stage.name), wall, state.to_owned()]);
        lines.push_str(&format!(
            "# {}\n{}\n",
            stage.name,
            stage.commands.join("\n")
        ));
    }
    vec![
        Block::heading(2, "Commands"),
        Block::paragraph(
            "`cargo xtask reproduce --only STAGE` repeats one stage. Its command lines, with \
             `juggle` for `target/release/juggle`, from the root of the repository:",
        ),
        Block::Table(table),
        Block::Code(lines),
    ]
}
