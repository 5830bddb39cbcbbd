//! The study file: which runs belong together, what was published, and the story around them.
//!
//! A study is one JSON document that another program writes (`cargo xtask reproduce` does). Paths in it are relative to its
//! folder. An unknown key is an error, so that a mistyped one does not vanish. `docs/report.md` lists the keys.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::args::Weights;

/// The whole document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Study {
    pub(crate) title: String,
    /// What was asked and what was found, a paragraph each.
    pub(crate) lead: Vec<String>,
    /// What a reader must know before believing it.
    #[serde(default)]
    pub(crate) limits: Vec<String>,
    /// Answered by the runs, below the lead.
    #[serde(default)]
    pub(crate) questions: Vec<Question>,
    pub(crate) groups: Vec<StudyGroup>,
    #[serde(default)]
    pub(crate) claims: Vec<Claim>,
    /// Pairs of group names that are compared on the same images.
    #[serde(default)]
    pub(crate) comparisons: Vec<[String; 2]>,
    #[serde(default)]
    pub(crate) sections: Vec<Section>,
    /// Names and values for the table of origins.
    #[serde(default)]
    pub(crate) provenance: Vec<[String; 2]>,
    /// Lines that repeat the whole.
    #[serde(default)]
    pub(crate) commands: Vec<String>,
}

/// A recipe: runs that differ in their seed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyGroup {
    pub(crate) name: String,
    /// What the recipe is, or what it is to show.
    #[serde(default)]
    pub(crate) shows: Option<String>,
    #[serde(default)]
    pub(crate) weights: StudyWeights,
    #[serde(default)]
    pub(crate) split: Option<String>,
    /// None: the data that the runs were trained on.
    #[serde(default)]
    pub(crate) data: Option<PathBuf>,
    pub(crate) runs: Vec<StudyRun>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyRun {
    pub(crate) run: PathBuf,
    /// What `juggle evaluate --json` printed: its numbers stand in where the data or the weights are gone, and are
    /// compared with what is measured where they are not.
    #[serde(default)]
    pub(crate) evaluation: Option<PathBuf>,
}

/// Which weights of the runs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StudyWeights {
    #[default]
    Best,
    Last,
}

impl From<StudyWeights> for Weights {
    fn from(weights: StudyWeights) -> Self {
        match weights {
            StudyWeights::Best => Self::Best,
            StudyWeights::Last => Self::Last,
        }
    }
}

/// A published number, to be judged.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claim {
    pub(crate) group: String,
    /// A name that a run knows a number by: `accuracy`, `loss`, `psnr_db`, `val_accuracy`, …
    pub(crate) metric: String,
    pub(crate) published: f64,
    /// Digits after the point that it was published with.
    pub(crate) decimals: usize,
    /// Images that a published accuracy was measured on.
    #[serde(default)]
    pub(crate) n: Option<u64>,
    /// The group that it was published to be better or worse than.
    #[serde(default)]
    pub(crate) against: Option<String>,
    /// How far our mean may lie from it, however far the runs scatter.
    #[serde(default)]
    pub(crate) tolerance: Option<f64>,
    /// Why there is to be no verdict, such as runs of another length.
    #[serde(default)]
    pub(crate) unjudged: Option<String>,
}

/// Whether the second group is better than the first. The runs answer it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) question: String,
    pub(crate) first: String,
    pub(crate) second: String,
    /// As in a claim.
    pub(crate) metric: String,
}

/// A part of the story with what shows it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) heading: String,
    #[serde(default)]
    pub(crate) task: Place,
    #[serde(default)]
    pub(crate) paragraphs: Vec<String>,
    /// Answered below the paragraphs.
    #[serde(default)]
    pub(crate) questions: Vec<Question>,
    #[serde(default)]
    pub(crate) charts: Vec<StudyChart>,
    #[serde(default)]
    pub(crate) tables: Vec<StudyTable>,
    #[serde(default)]
    pub(crate) pictures: Vec<Picture>,
}

/// The part of the page that a section ends.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    /// Before everything about one kind of network.
    #[default]
    Summary,
    Classifier,
    Autoencoder,
    Background,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyTable {
    pub(crate) caption: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A PNG file, still or animated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Picture {
    pub(crate) file: PathBuf,
    pub(crate) caption: String,
    /// What a reader who cannot see it should know.
    pub(crate) alt: String,
    #[serde(skip)]
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyChart {
    pub(crate) title: String,
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    pub(crate) lines: Vec<StudyLine>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyLine {
    pub(crate) name: String,
    pub(crate) x: Vec<f64>,
    /// `null` leaves a gap.
    pub(crate) y: Vec<Option<f64>>,
    /// Ends of the whiskers, one pair a point, or none at all.
    #[serde(default)]
    pub(crate) intervals: Vec<[f64; 2]>,
}

impl Study {
    /// Reads the document and the pictures that it names, and checks that its parts fit together.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let mut study: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is not a study", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        for group in &mut study.groups {
            for run in &mut group.runs {
                run.run = folder.join(&run.run);
                run.evaluation = run.evaluation.take().map(|file| folder.join(file));
            }
            group.data = group.data.take().map(|data| folder.join(data));
        }
        for picture in study
            .sections
            .iter_mut()
            .flat_map(|section| &mut section.pictures)
        {
            let file = folder.join(&picture.file);
            picture.bytes =
                std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            if !picture.bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
                bail!("{} is not a PNG file", file.display());
            }
        }
        study
            .check()
            .with_context(|| format!("{} does not fit together", path.display()))?;
        Ok(study)
    }

    fn check(&self) -> Result<()> {
        let known = |name: &str| -> Result<()> {
            if self.groups.iter().any(|group| group.name == name) {
                return Ok(());
            }
            bail!("no group is named {name:?}")
        };
        if self.groups.iter().all(|group| group.runs.is_empty()) {
            bail!("no group has a run");
        }
        for (i, group) in self.groups.iter().enumerate() {
            if self.groups[..i]
                .iter()
                .any(|other| other.name == group.name)
            {
                bail!("two groups are named {:?}", group.name);
            }
        }
        for claim in &self.claims {
            known(&claim.group)?;
            if let Some(against) = &claim.against {
                known(against)?;
                if self.published(against, &claim.metric).is_none() {
                    bail!(
                        "the claim for {:?} names {against:?}, for which no {} is published",
                        claim.group,
                        claim.metric
                    );
                }
            }
        }
        for name in self.comparisons.iter().flatten() {
            known(name)?;
        }
        let of_sections = self.sections.iter().flat_map(|section| &section.questions);
        for question in self.questions.iter().chain(of_sections) {
            known(&question.first)?;
            known(&question.second)?;
        }
        for section in &self.sections {
            section.check()?;
        }
        Ok(())
    }

    /// The published number of a group.
    pub(crate) fn published(&self, group: &str, metric: &str) -> Option<f64> {
        let mut claims = self.claims.iter();
        let found = claims.find(|claim| claim.group == group && claim.metric == metric);
        found.map(|claim| claim.published)
    }
}

impl Section {
    fn check(&self) -> Result<()> {
        let heading = &self.heading;
        for table in &self.tables {
            let n = table.columns.len();
            if let Some(row) = table.rows.iter().find(|row| row.len() != n) {
                bail!(
                    "a table of {heading:?} has {n} columns and a row of {}",
                    row.len()
                );
            }
        }
        for line in self.charts.iter().flat_map(|chart| &chart.lines) {
            let (x, y, ends) = (line.x.len(), line.y.len(), line.intervals.len());
            if x != y || (ends != 0 && ends != x) {
                bail!(
                    "the line {:?} of {heading:?} has {x} x, {y} y and {ends} intervals",
                    line.name
                );
            }
        }
        Ok(())
    }
}
