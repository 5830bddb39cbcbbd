//! Findings on images that occur, or nearly occur, more than once.

use super::{
    ACROSS_SHARE, Finding, Level, NEARER_D, NEXT_BY_NAME_SHARE, SAME_CLIP_SHARE, SHIFT_P,
    WITHIN_SHARE, p_text, these,
};
use crate::audit::overlap::SplitOverlap;
use crate::audit::{Audit, AuditKind, count};
use crate::split::Split;

pub(super) fn shared_clips(overlap: &SplitOverlap) -> Option<Finding> {
    let SplitOverlap { split, other, .. } = overlap;
    let (same, carried) = (
        overlap.nearest_with_same_prefix,
        overlap.images_with_shared_prefix,
    );
    let confirmed = carried > 0
        && count(same) >= SAME_CLIP_SHARE * count(carried)
        && count(same) >= 2.0 * overlap.same_prefix_by_chance;
    confirmed.then(|| Finding {
        level: Level::Warning,
        code: "shared_clips",
        title: format!("{split} and {other} share clips: {split} leaks from {other}"),
        found: format!(
            "{} clips ({}{}) have frames in both, {carried} of the {} images of {split}; for {same} of these \
             the nearest image in {other} is a frame of the same clip ({:.0} expected by chance).",
            overlap.shared_clip_prefixes,
            overlap.shared_clip_examples.join(", "),
            if overlap.shared_clip_prefixes > overlap.shared_clip_examples.len() { ", …" } else { "" },
            overlap.images,
            overlap.same_prefix_by_chance,
        ),
        why: "Frames of one clip are nearly the same picture. A model that remembers the clips scores \
              well here and fails on new ones.",
        advice: format!(
            "Split by clip: put every clip into one split only. `juggle train` does so by itself when the \
             folder has no {{train,val,test}} folders and its files are named clipNN_…. Until then, do not \
             choose by the {split} score."
        ),
        rule: "clip names occur in both splits, and at least half of the images that carry one, and twice as \
               many as by chance, have their nearest image in that clip",
    })
}

pub(super) fn film(audit: &Audit, overlap: &SplitOverlap) -> Option<Finding> {
    let SplitOverlap {
        split,
        other,
        images,
        ..
    } = overlap;
    let next = overlap.nearest_next_by_name;
    let is_film = audit.kind == AuditKind::Images
        && count(next) >= NEXT_BY_NAME_SHARE * count(*images)
        && count(next) >= 5.0 * overlap.next_by_name_by_chance
        && next >= 5;
    is_film.then(|| Finding {
        level: Level::Warning,
        code: "neighbours_across_splits",
        title: format!("{split} and {other} look like frames of the same films"),
        found: format!(
            "For {next} of {images} images of {split} the nearest image in {other} is the one before or after \
             it by file name ({:.1} expected by chance).",
            overlap.next_by_name_by_chance
        ),
        why: "Files that follow one another by name and resemble one another are often frames of a film, or \
              shots of a series. Divided one by one, they leak.",
        advice: format!(
            "Put each film or series into one split only. Files named clipNN_… are divided by clip by \
             `juggle train`. Until then, do not trust the {split} score."
        ),
        rule: "at least a quarter of the images (5 or more, and 5 times as many as by chance) have as their \
               nearest image the one next to them by name",
    })
}

pub(super) fn duplicates_across(overlap: &SplitOverlap) -> Option<Finding> {
    let SplitOverlap {
        split,
        other,
        images,
        confirmed_duplicates: all,
        ..
    } = overlap;
    let exact = overlap.exact_duplicates;
    (*all > 0).then(|| Finding {
        level: if exact > 0 || count(*all) >= ACROSS_SHARE * count(*images) {
            Level::Warning
        } else {
            Level::Note
        },
        code: "duplicates_across_splits",
        title: if exact > 0 {
            format!("{} of {split} are in {other} too", these(*all, "image"))
        } else {
            format!("{} of {split} nearly repeat in {other}", these(*all, "image"))
        },
        found: format!(
            "{all} of {images} images of {split} have a duplicate in {other}: {exact} exactly, {} nearly.",
            all - exact
        ),
        why: "A model can answer these from memory: the score counts what was learned by heart.",
        advice: format!(
            "Look at the pairs. Take copies out of {other}, or out of {split} before measuring. Pictures of few \
             parts, such as a single ball, can coincide without being copies."
        ),
        rule: "any exact duplicate, or near-duplicates of 1 % of the images (fewer: a note)",
    })
}

pub(super) fn conflicts(audit: &Audit) -> Option<Finding> {
    let n = audit.label_conflicts.len();
    (n > 0).then(|| Finding {
        level: Level::Warning,
        code: "label_conflicts",
        title: format!("{} under two classes", these(n, "image")),
        found: format!(
            "{} the same pixels as an image of another class: {} is {}.",
            if n == 1 {
                "1 image has".to_owned()
            } else {
                format!("{n} images have")
            },
            audit.label_conflicts[0].path.display(),
            audit.label_conflicts[0].other.display(),
        ),
        why: "At most one of the two labels is right; the other teaches an error or counts one.",
        advice: "Look at each pair and keep the right label.".to_owned(),
        rule: "any two images of equal pixels in different classes",
    })
}

pub(super) fn nearer(audit: &Audit) -> Option<Finding> {
    let test = audit.validation_nearer?;
    let fires =
        test.val_median < test.test_median && test.statistic >= NEARER_D && test.p_value < SHIFT_P;
    fires.then(|| Finding {
        level: Level::Warning,
        code: "validation_nearer_than_test",
        title: "val is nearer to train than test is".to_owned(),
        found: format!(
            "Median distance to the nearest training image: val {:.4}, test {:.4} (D = {:.2}, p = {}).",
            test.val_median,
            test.test_median,
            test.statistic,
            p_text(test.p_value)
        ),
        why: "Validation asks easier questions than the test: its score will be too high, and choosing by \
              it favours memory. Either train leaks into val, or test comes from elsewhere.",
        advice: "Find out which: the findings on clips, duplicates and shifts say where to look.".to_owned(),
        rule: "the median distance of val is the smaller one, D ≥ 0.2 and p < 0.01 (one test)",
    })
}

pub(super) fn duplicates_within(audit: &Audit, split: Split) -> Option<Finding> {
    let found = audit.split(split)?;
    let (n, exact) = (
        found.repeats.confirmed_duplicates,
        found.repeats.exact_duplicates,
    );
    (n > 0).then(|| Finding {
        level: if count(n) >= WITHIN_SHARE * count(found.images) {
            Level::Warning
        } else {
            Level::Note
        },
        code: "duplicates_within_split",
        title: format!("{} of {split} repeat one another", these(n, "image")),
        found: format!(
            "{n} of {} images of {split} have a duplicate in {split} itself, exact or near; {exact} are exact \
             copies of an earlier one. Frames of one clip are not counted.",
            found.images
        ),
        why: "Repeated images count several times, and there is less to learn from than it seems.",
        advice: "Keep one of each, unless the repetition is meant.".to_owned(),
        rule: "near-duplicates of 5 % of the images of a split (fewer: a note)",
    })
}
