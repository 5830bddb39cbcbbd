//! The rules: which numbers of an audit are worth a sentence.
//!
//! A finding says what was found, why it matters and what to do, and carries the rule that made it. The
//! thresholds are the constants of this module; none was chosen on a test split.

use serde::Serialize;

use super::shift::ShiftTest;
use super::{Audit, count};
use crate::split::Split;
use leaks::{conflicts, duplicates_across, duplicates_within, film, nearer, shared_clips};

mod leaks;

/// Adjusted p-values below this are called a difference, beside an effect size.
pub const SHIFT_P: f64 = 0.01;

/// The least D between a split and train that is called a shift: one threshold would tell them apart in 57.5 % of cases.
pub const SHIFT_D: f64 = 0.15;

/// Where clips are known, the adjusted p-value with one image a clip must be below this for a warning.
pub const SHIFT_CLIP_P: f64 = 0.05;

/// The least D between a class and the others that is worth a note: 75 % of cases.
pub const CLASS_D: f64 = 0.5;

/// The least D between the distances of validation and test images to train that is called a difference.
pub const NEARER_D: f64 = 0.2;

/// The share of duplicates in another split from which near-duplicates are a warning; exact ones always are.
pub const ACROSS_SHARE: f64 = 0.01;

/// The share of duplicates within a split from which they are a warning.
pub const WITHIN_SHARE: f64 = 0.05;

/// The share of images whose nearest image must be of the same clip for the clip to be called shared.
pub const SAME_CLIP_SHARE: f64 = 0.5;

/// The share of images whose nearest image must be next by name for the files to be called a film.
pub const NEXT_BY_NAME_SHARE: f64 = 0.25;

/// How many times as large as the smallest class the largest may be.
pub const IMBALANCE: f64 = 3.0;

/// By how much the share of a class may differ between a split and train.
pub const CLASS_MIX: f64 = 0.1;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Training refuses the folder as it is.
    Problem,
    /// A measurement on this folder may mislead.
    Warning,
    /// Worth knowing.
    Note,
}

/// One thing found, in words.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// How serious it is.
    pub level: Level,
    /// A fixed name for scripts.
    pub code: &'static str,
    /// One line.
    pub title: String,
    /// The numbers.
    pub found: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do about it.
    pub advice: String,
    /// The rule that made this a finding.
    pub rule: &'static str,
}

/// All findings, the most serious first.
pub(super) fn findings(audit: &Audit) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(unreadable(audit));
    findings.extend(mixed_sizes(audit));
    findings.extend(audit.refusals.iter().map(|refusal| refused(refusal)));
    for overlap in &audit.overlaps {
        findings.extend(shared_clips(overlap).or_else(|| film(audit, overlap)));
        findings.extend(duplicates_across(overlap));
    }
    findings.extend(conflicts(audit));
    findings.extend(nearer(audit));
    findings.extend(
        Split::ALL
            .into_iter()
            .filter_map(|split| shift(audit, split)),
    );
    findings.extend(imbalance(audit));
    findings.extend(
        Split::ALL
            .into_iter()
            .filter_map(|split| class_mix(audit, split)),
    );
    findings.extend(
        Split::ALL
            .into_iter()
            .filter_map(|split| duplicates_within(audit, split)),
    );
    findings.extend(told_by_one_number(audit));
    findings.sort_by_key(|finding| finding.level);
    findings
}

fn unreadable(audit: &Audit) -> Option<Finding> {
    let n = audit.unreadable.len();
    (n > 0).then(|| Finding {
        level: Level::Problem,
        code: "unreadable_files",
        title: format!("{} cannot be read", files(n)),
        found: format!(
            "{} of {} PNG files cannot be decoded; they are listed and left out of all other numbers.",
            n,
            n + audit.splits.iter().map(|split| split.images).sum::<usize>()
        ),
        why: "Training stops at the first of them.",
        advice: "Repair them or take them out of the folder.".to_owned(),
        rule: "any file named *.png that cannot be decoded",
    })
}

fn mixed_sizes(audit: &Audit) -> Option<Finding> {
    let [first, others @ ..] = &audit.sizes[..] else {
        return None;
    };
    (!others.is_empty()).then(|| {
        let list: Vec<String> = audit
            .sizes
            .iter()
            .take(4)
            .map(|size| format!("{}×{} ({})", size.height, size.width, size.images))
            .collect();
        let more = if audit.sizes.len() > 4 { ", …" } else { "" };
        Finding {
            level: Level::Problem,
            code: "mixed_sizes",
            title: format!("Images of {} sizes", audit.sizes.len()),
            found: format!("Height×width, number of images: {}{more}.", list.join(", ")),
            why: "A network here takes images of one size; training refuses the folder.",
            advice: format!(
                "Crop or resize to one size, such as {}×{}. Where sizes differ between classes or splits, the \
                 resizing leaves its marks: treat all alike.",
                first.height, first.width
            ),
            rule: "more than one size",
        }
    })
}

fn refused(refusal: &str) -> Finding {
    Finding {
        level: Level::Problem,
        code: "training_refuses",
        title: "Training refuses this folder".to_owned(),
        found: format!("{refusal}."),
        why: "Each class must be learned, and be measured in validation.",
        advice: "Change the folders as the sentence says.".to_owned(),
        rule: "what `juggle train` would stop at",
    }
}

fn is_shift(test: &ShiftTest) -> bool {
    test.p_adjusted < SHIFT_P && test.statistic >= SHIFT_D
}

fn shift(audit: &Audit, split: Split) -> Option<Finding> {
    let of_split = || audit.shifts.iter().filter(|test| test.split == split);
    let mut found: Vec<&ShiftTest> = of_split().filter(|test| is_shift(test)).collect();
    let by_clip = |test: &&&ShiftTest| test.by_clip.is_none_or(|by| by.p_adjusted < SHIFT_CLIP_P);
    let certain = found.iter().filter(by_clip).count();
    found.sort_by(|a, b| b.statistic.total_cmp(&a.statistic));
    let first = found.first()?;
    let examples: Vec<String> = found.iter().take(3).map(|test| shift_text(test)).collect();
    let of_clips = match (first.by_clip, certain) {
        (None, _) => String::new(),
        (Some(_), 0) => {
            " With one image a clip no difference is certain: with so few clips it may be a \
                         matter of which clips were drawn."
                .to_owned()
        }
        (Some(_), n) => format!(" {n} of them also with one image a clip."),
    };
    Some(Finding {
        level: if certain > 0 { Level::Warning } else { Level::Note },
        code: "shift",
        title: format!("{split} is distributed differently from train"),
        found: format!(
            "{} of {} comparisons with train differ: {}.{of_clips}",
            found.len(),
            of_split().count(),
            examples.join("; ")
        ),
        why: "A model is asked about images unlike those that it learned from; its score says how it \
              carries over, not how well it learned.",
        advice: "Find out how the images were made or chosen. Mix and divide again if they should be alike; if \
                 they should not, say so beside the score."
            .to_owned(),
        rule: "Kolmogorov–Smirnov against train with D ≥ 0.15 and p < 0.01 after Holm's correction; where clips \
               are known, also p < 0.05 with one image a clip (otherwise a note)",
    })
}

fn shift_text(test: &ShiftTest) -> String {
    let of_class = test
        .class
        .as_ref()
        .map_or_else(String::new, |class| format!(" of class {class}"));
    format!(
        "{}{of_class}, median {} against {} (D = {:.2}, p = {})",
        test.quantity.name(),
        short(test.median),
        short(test.train_median),
        test.statistic,
        p_text(test.p_adjusted)
    )
}

fn imbalance(audit: &Audit) -> Option<Finding> {
    let train = audit.split(Split::Train)?;
    let present = || train.classes.iter().filter(|class| class.images > 0);
    let smallest = present().min_by_key(|class| class.images)?;
    // The first of the largest, as for the smallest.
    let largest = present().rev().max_by_key(|class| class.images)?;
    let ratio = count(largest.images) / count(smallest.images);
    (ratio >= IMBALANCE).then(|| Finding {
        level: Level::Warning,
        code: "class_imbalance",
        title: format!("Classes of train differ in size by a factor of {ratio:.1}"),
        found: format!(
            "{} has {} images, {} only {}. Always answering {} would be right for {:.0} % of train.",
            largest.name,
            largest.images,
            smallest.name,
            smallest.images,
            largest.name,
            100.0 * count(largest.images) / count(train.images)
        ),
        why: "A model may neglect the small class and still have a high accuracy.",
        advice: "Read recall and F1 of each class, and their macro average, in place of the accuracy; collect \
                 more of the small class if you can."
            .to_owned(),
        rule: "the largest class of train has at least 3 times as many images as the smallest",
    })
}

fn class_mix(audit: &Audit, split: Split) -> Option<Finding> {
    let (train, own) = (audit.split(Split::Train)?, audit.split(split)?);
    if split == Split::Train {
        return None;
    }
    let (n, m) = (count(own.images), count(train.images));
    let mut different = Vec::new();
    for (a, b) in own.classes.iter().zip(&train.classes) {
        let (p, q) = (count(a.images) / n, count(b.images) / m);
        let pooled = count(a.images + b.images) / (n + m);
        let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
        if (p - q).abs() >= CLASS_MIX && (p - q).abs() >= 4.0 * error {
            different.push(format!(
                "{} is {:.0} % of {split}, {:.0} % of train",
                a.name,
                100.0 * p,
                100.0 * q
            ));
        }
    }
    (!different.is_empty()).then(|| Finding {
        level: Level::Warning,
        code: "class_mix",
        title: format!("{split} has other shares of classes than train"),
        found: format!("{}.", different.join("; ")),
        why: "An accuracy is a mean over the classes' shares; with other shares it is another number.",
        advice: "Divide by class (stratified), or compare recall class by class.".to_owned(),
        rule: "the share of a class differs by 10 points or more, and by 4 standard errors or more",
    })
}

fn told_by_one_number(audit: &Audit) -> Option<Finding> {
    let mut told: Vec<_> = audit
        .class_tests
        .iter()
        .filter(|test| test.statistic >= CLASS_D && test.p_adjusted < SHIFT_P)
        .collect();
    told.sort_by(|a, b| b.statistic.total_cmp(&a.statistic));
    let examples: Vec<String> = told
        .iter()
        .take(3)
        .map(|test| {
            let right = f64::midpoint(1.0, test.statistic) * 100.0;
            format!(
                "{} tells class {} (D = {:.2}, {right:.0} %)",
                test.quantity.name(),
                test.class,
                test.statistic
            )
        })
        .collect();
    (!told.is_empty()).then(|| Finding {
        level: Level::Note,
        code: "class_told_by_one_number",
        title: "One number tells a class from the others".to_owned(),
        found: format!(
            "A threshold on one number of an image, without looking at its content: {}. The percentage is the \
             balanced accuracy of that threshold.",
            examples.join("; ")
        ),
        why: "A model may learn this number in place of what you mean by the class, and fail where the number \
              changes.",
        advice: "If the class should not depend on it, vary it: the augmentation gain changes brightness.".to_owned(),
        rule: "in train, a class against the others by Kolmogorov–Smirnov, D ≥ 0.5 and p < 0.01 after Holm's \
               correction",
    })
}

fn files(n: usize) -> String {
    these(n, "file")
}

fn these(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

fn short(x: f64) -> String {
    if x.fract() == 0.0 && x >= 2.0 {
        format!("{x:.0}")
    } else {
        format!("{x:.3}")
    }
}

/// A p-value as text: `0.012`, `3e-9`.
pub fn p_text(p: f64) -> String {
    if p >= 0.001 {
        format!("{p:.3}")
    } else {
        format!("{p:.0e}")
    }
}
