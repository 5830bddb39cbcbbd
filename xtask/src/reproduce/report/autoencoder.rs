//! Tasks 5 and 6: predicting the next frame.

use super::super::document::Block;
use super::super::published::{self, PsnrSsim};
use super::super::results::search::FramesSearch;
use super::super::results::{AutoencoderResults, Results};
use super::super::study::{settings, told_of};
use super::{figures, measured_row, measured_table};

pub(super) fn blocks(results: &Results) -> Vec<Block> {
    let recipe = |name: &str| {
        results
            .autoencoder
            .iter()
            .find(|recipe| recipe.recipe == name)
    };
    let mut blocks = vec![];
    if let (Some(original), Some(no_skip)) = (recipe("original"), recipe("no-skip")) {
        blocks.extend(ablation(original, no_skip));
    }
    blocks.push(Block::heading(2, "Task 6: the next frame"));
    blocks.push(Block::paragraph(
        "Four frames in, the fifth out; means over the windows of the validation split. The rows \
         `output vs last input frame` show whether the network merely copies: they would be high \
         then, and for a good prediction they lie near the rows `truth vs last input frame`. SSIM \
         is scikit-image's default, a uniform window of 7×7, and beside it the Gaussian of 11×11. \
         The coursework states no learning rate and decay for its first recipe; 0.001 and 0.00005 \
         were chosen for this reproduction.",
    ));
    for name in ["original", "tuned"] {
        blocks.extend(recipe(name).map(next_frame).into_iter().flatten());
    }
    if let (Some(search), Some(searched)) = (&results.frames_search, recipe("searched")) {
        blocks.extend(found(search));
        blocks.extend(next_frame(searched));
    }
    blocks
}

/// What the search did, before what its winner does.
fn found(search: &FramesSearch) -> Vec<Block> {
    let winner = search.best.first().map_or_else(String::new, |winner| {
        format!(
            " The best, at {:.2} dB: {}. The rows below train it on all training clips, for more epochs than the coursework's recipes (docs/frames-recipe.md).",
            winner.psnr_db,
            settings(winner)
        )
    });
    vec![
        Block::heading(2, "Tuned by search"),
        Block::paragraph(format!("{}.{winner}", told_of(search))),
    ]
}

fn ablation(original: &AutoencoderResults, no_skip: &AutoencoderResults) -> Vec<Block> {
    let mut table = measured_table("recipe `original`");
    for (label, recipe) in [("with skips", original), ("without skips", no_skip)] {
        for (metric, key, decimals) in [
            ("PSNR dB", "psnr_db_prediction", 3),
            ("SSIM", "ssim_prediction", 4),
            ("validation loss", "val_loss", 5),
        ] {
            let label = format!("{label}: {metric}");
            measured_row(&mut table, label, None, recipe.spreads.get(key), decimals);
        }
    }
    let mut blocks = vec![
        Block::heading(2, "Task 5: why skip connections help"),
        Block::paragraph(
            "The same network, recipe and seeds with and without its skip connections. The \
             coursework argues for them in words; the numbers are measured here.",
        ),
        Block::Table(table),
    ];
    blocks.extend(figures::of_ablation(original, no_skip));
    blocks
}

fn next_frame(recipe: &AutoencoderResults) -> Vec<Block> {
    let expected = published::next_frame(recipe.recipe);
    let mut table = measured_table(&format!("recipe `{}`", recipe.recipe));
    let comparisons: [(&str, &str, Option<PsnrSsim>); 3] = [
        (
            "output vs truth",
            "prediction",
            expected.map(|[truth, _]| truth),
        ),
        (
            "output vs last input frame",
            "prediction_vs_last_frame",
            expected.map(|[_, last_frame]| last_frame),
        ),
        ("truth vs last input frame", "last_frame", None),
    ];
    for (label, key, expected) in comparisons {
        let metrics = [
            (
                "PSNR dB",
                "psnr_db",
                expected.map(|e| format!("{:.2}", e.psnr_db)),
                3,
            ),
            (
                "SSIM",
                "ssim",
                expected.map(|e| format!("{:.3}", e.ssim)),
                4,
            ),
            ("SSIM, Gaussian", "ssim_gaussian", None, 4),
        ];
        for (metric, prefix, expected, decimals) in metrics {
            let spread = recipe.spreads.get(format!("{prefix}_{key}").as_str());
            measured_row(
                &mut table,
                format!("{label}: {metric}"),
                expected,
                spread,
                decimals,
            );
        }
    }
    let mut blocks = vec![Block::Table(table)];
    blocks.extend(figures::of_autoencoder(recipe));
    blocks
}
