//! The head of the report: what it is, what its numbers mean, and where they come from.

use super::super::document::{Block, Table};
use super::super::results::{Results, StageRecord};
use super::super::stages::QUICK_TRAIN_CLIPS;
use super::super::stamp::Freshness;
use crate::provenance::{WorkTree, duration};

/// Title, what this is, what it is not, and where it ran.
pub(super) fn blocks(results: &Results) -> Vec<Block> {
    let title = if results.quick {
        "Reproduction, quick: not for comparison"
    } else {
        "Reproduction"
    };
    let mut blocks = vec![
        Block::heading(1, title),
        Block::paragraph(
            "This report sets the numbers of a published coursework beside our own: a small \
             network counts the balls in an image, and an autoencoder with skip connections \
             predicts the next frame of a clip. The coursework's images are lost. The data are a \
             synthetic stand-in, whose generator was chosen so that the published recipes show \
             the published effects on it; that the rows `original` and `tuned` agree is therefore \
             a calibration and no independent finding. The ablation of task 5 is measured here.",
        ),
    ];
    if results.quick {
        blocks.push(Block::paragraph(format!(
            "**This is a quick run: one seed, few epochs, and {QUICK_TRAIN_CLIPS} of the 240 \
             training clips. It shows that every stage works. Its numbers are not meant for \
             comparison.**"
        )));
    }
    blocks.extend(deviation(results).map(Block::Paragraph));
    blocks.extend(gaps(&results.stages).map(Block::Paragraph));
    blocks.push(Block::Table(provenance(results)));
    blocks
}

/// Epochs other than the published ones.
fn deviation(results: &Results) -> Option<String> {
    let epochs = results.epochs;
    let parts: Vec<_> = [
        ("classifier", epochs.classifier, epochs.classifier_published),
        (
            "autoencoder",
            epochs.autoencoder,
            epochs.autoencoder_published,
        ),
    ]
    .iter()
    .filter(|(_, ours, published)| ours != published)
    .map(|(network, ours, published)| {
        format!("the {network} was trained for {ours} instead of {published} epochs")
    })
    .collect();
    (!parts.is_empty()).then(|| {
        format!(
            "**Deviation: {}. Such rows compare with no band.**",
            parts.join(", and ")
        )
    })
}

/// Stages whose results are absent, or of another build of the binary.
fn gaps(stages: &[StageRecord]) -> Option<String> {
    let names = |freshness| {
        let chosen = stages.iter().filter(|stage| stage.freshness == freshness);
        chosen
            .map(|stage| format!("`{}`", stage.name))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (missing, other) = (names(Freshness::Missing), names(Freshness::OtherBinary));
    let mut parts = vec![];
    if !missing.is_empty() {
        parts.push(format!("**Not run, and shown as –:** {missing}."));
    }
    if !other.is_empty() {
        parts.push(format!(
            "**Measured by another build of the binary:** {other}."
        ));
    }
    (!parts.is_empty()).then(|| parts.join("\n"))
}

fn provenance(results: &Results) -> Table {
    let source = &results.provenance;
    let run = &results.invocation;
    let work_tree = match source.work_tree {
        WorkTree::Clean => "",
        WorkTree::Changed => " with uncommitted changes",
        WorkTree::Unknown => " (state of the work tree unknown)",
    };
    let stages: f64 = results.stages.iter().filter_map(|stage| stage.wall_s).sum();
    let epochs = results.epochs;
    let mut table = Table::new(&["", "this run"]);
    table.row(["date".to_owned(), source.date.clone()]);
    table.row(["commit".to_owned(), format!("{}{work_tree}", source.commit)]);
    table.row([
        "machine".to_owned(),
        format!("{}, {} cores", source.cpu, source.n_cores),
    ]);
    table.row(["system".to_owned(), source.system.clone()]);
    table.row(["compiler".to_owned(), source.rustc.clone()]);
    table.row(["seeds".to_owned(), results.seeds_in_words()]);
    table.row([
        "epochs".to_owned(),
        format!(
            "classifier {}, autoencoder {}",
            epochs.classifier, epochs.autoencoder
        ),
    ]);
    table.row([
        "wall time, all stages".to_owned(),
        format!("{}, one after another", duration(stages)),
    ]);
    table.row([
        "wall time, this call".to_owned(),
        format!(
            "{}, {} stages at a time; stages that are up to date are skipped",
            duration(run.wall_s),
            run.jobs
        ),
    ]);
    table.row(["to repeat it".to_owned(), format!("`{}`", run.command)]);
    table
}
