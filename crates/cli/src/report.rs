//! The report: one HTML file that shows runs to whoever wants to believe them.
//!
//! ```text
//! run folders ──▶ run, outcome ──▶ Report ──▶ page (maud) ──▶ one file
//! study file  ──▶ study, verdict ────┘          └─ chart (SVG)
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`run`] | what a run folder says: configuration, event log, weights |
//! | [`outcome`] | what the run achieves on a split, measured anew from its weights, with images to look at |
//! | [`study`] | the file that groups runs by recipe and brings published numbers and a story |
//! | [`verdict`] | numbers over seeds, and the rule that judges published ones |
//! | [`comparison`] | two runs on the same images |
//! | [`search`] | what a page shows of a search of settings |
//! | [`chart`] | SVG |
//! | [`page`] | HTML |
//! | [`machine`] | where and when the report was made |
//!
//! Predictions are not kept in the run folder: a report measures the weights again, by the code of `juggle evaluate`, so
//! that it cannot disagree with the weights whose hash it shows.

pub(crate) mod chart;
pub(crate) mod comparison;
pub(crate) mod machine;
pub(crate) mod outcome;
pub(crate) mod page;
pub(crate) mod run;
pub(crate) mod search;
pub(crate) mod study;
pub(crate) mod verdict;

use serde_json::Value;

use crate::config::Kind;
use machine::Made;
use run::Run;
use study::{Claim, Question, Section, Study};
use verdict::{Judgement, Published, Spread, Verdict, judge, possible};

/// Everything that a page shows.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) title: String,
    /// Paragraphs of a study; a report of runs alone words its own.
    pub(crate) lead: Vec<String>,
    pub(crate) limits: Vec<String>,
    pub(crate) questions: Vec<Question>,
    pub(crate) groups: Vec<Group>,
    pub(crate) claims: Vec<Claim>,
    /// Groups that are compared, by their indices.
    pub(crate) comparisons: Vec<(usize, usize)>,
    pub(crate) sections: Vec<Section>,
    pub(crate) provenance: Vec<[String; 2]>,
    /// Lines that repeat a study.
    pub(crate) commands: Vec<String>,
    pub(crate) made: Made,
}

/// Runs that differ in their seed, or one run.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) shows: Option<String>,
    pub(crate) runs: Vec<Run>,
}

impl Report {
    /// Each run for itself; the first is compared with each of the others.
    pub(crate) fn of_runs(runs: Vec<Run>, made: Made) -> Self {
        let title = match &runs[..] {
            [run] => format!("Run {}", run.name),
            runs => format!("{} runs", runs.len()),
        };
        let comparisons = (1..runs.len()).map(|other| (0, other)).collect();
        let group = |run: Run| Group {
            name: run.name.clone(),
            shows: None,
            runs: vec![run],
        };
        Self {
            title,
            lead: vec![],
            limits: vec![],
            questions: vec![],
            groups: runs.into_iter().map(group).collect(),
            claims: vec![],
            comparisons,
            sections: vec![],
            provenance: vec![],
            commands: vec![],
            made,
        }
    }

    /// The groups of a study, whose runs were read in its order.
    pub(crate) fn of_study(study: Study, runs: Vec<Vec<Run>>, made: Made) -> Self {
        let index = |name: &str| {
            let found = study.groups.iter().position(|group| group.name == name);
            found.expect("a study's comparisons were checked")
        };
        let comparisons = study
            .comparisons
            .iter()
            .map(|[first, second]| (index(first), index(second)))
            .collect();
        let groups = study.groups.into_iter().zip(runs);
        Self {
            title: study.title,
            lead: study.lead,
            limits: study.limits,
            questions: study.questions,
            groups: groups
                .map(|(group, runs)| Group {
                    name: group.name,
                    shows: group.shows,
                    runs,
                })
                .collect(),
            claims: study.claims,
            comparisons,
            sections: study.sections,
            provenance: study.provenance,
            commands: study.commands,
            made,
        }
    }

    /// The groups of a kind, with their indices in the whole report.
    pub(crate) fn groups_of(&self, kind: Kind) -> Vec<(usize, &Group)> {
        let groups = self.groups.iter().enumerate();
        groups
            .filter(|(_, group)| group.kind() == Some(kind))
            .collect()
    }

    /// What was claimed for a group.
    pub(crate) fn claim(&self, group: &Group, metric: &str) -> Option<&Claim> {
        let mut claims = self.claims.iter();
        claims.find(|claim| claim.group == group.name && claim.metric == metric)
    }

    /// A number over the runs of the group of that name.
    pub(crate) fn spread_of(&self, group: &str, metric: &str) -> Option<Spread> {
        let group = self.groups.iter().find(|found| found.name == group);
        group.and_then(|group| group.spread(metric))
    }

    /// What our runs say of a claim.
    pub(crate) fn judge(&self, claim: &Claim) -> Judgement {
        let values = |name: &str| {
            let spread = self.spread_of(name, &claim.metric);
            spread.map_or_else(Vec::new, |spread| spread.values)
        };
        let other = claim.against.as_deref().map(values);
        let published_other = claim.against.as_deref().and_then(|name| {
            let mut claims = self.claims.iter();
            let found = claims.find(|other| other.group == name && other.metric == claim.metric);
            Some(found?.published)
        });
        let published = Published {
            value: claim.published,
            decimals: claim.decimals,
            tolerance: claim.tolerance,
            possible: possible(&claim.metric),
            against: other.as_deref().zip(published_other),
        };
        let judgement = judge(published, &values(&claim.group));
        match claim.unjudged {
            Some(_) => Judgement {
                verdict: Verdict::Undecided,
                ..judgement
            },
            None => judgement,
        }
    }
}

impl Group {
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.runs.first().map(|run| run.config.kind)
    }

    /// A number over the runs.
    pub(crate) fn spread(&self, metric: &str) -> Option<Spread> {
        let values = self.runs.iter().filter_map(|run| run.number(metric));
        Spread::of(values, possible(metric))
    }

    /// What a run of this group is called beside those of others.
    pub(crate) fn name_of(&self, run: &Run) -> String {
        if self.runs.len() == 1 {
            self.name.clone()
        } else {
            format!("{}, seed {}", self.name, run.config.seed)
        }
    }
}

/// A number in what `juggle evaluate --json` printed, by the names of [`outcome::Outcome::number`].
fn recorded_number(document: &Value, metric: &str) -> Option<f64> {
    if let Some(number) = document.get(metric).and_then(Value::as_f64) {
        return Some(number);
    }
    if let Some((column, class)) = metric.split_once(':') {
        return document.get("report")?.get(class)?.get(column)?.as_f64();
    }
    ["ssim_gaussian", "psnr_db", "ssim"]
        .into_iter()
        .find_map(|name| {
            let row = match metric.strip_prefix(name)? {
                "" => "prediction",
                "_vs_last_frame" => "prediction_vs_last_frame",
                "_last_frame" => "last_frame",
                _ => return None,
            };
            document.get(name)?.get(row)?.as_f64()
        })
}

#[cfg(test)]
mod tests;
