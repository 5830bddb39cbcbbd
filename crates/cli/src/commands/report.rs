//! `juggle report`: one HTML file that shows runs; and the same file in a run folder, for `train` and `evaluate`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use juggle_dataset::Split;

use crate::args::report::ReportArgs;
use crate::args::{MachineArgs, Weights};
use crate::model::{self, Trained};
use crate::output::{self, Messages};
use crate::report::machine::Made;
use crate::report::outcome::{Outcome, Wanted};
use crate::report::run::Run;
use crate::report::study::{Study, StudyGroup};
use crate::report::{Report, page};
use crate::run;
use juggle_tracking::run::REPORT;

pub(crate) fn run(args: &ReportArgs, messages: Messages) -> Result<()> {
    model::use_threads(args.machine.threads.unwrap_or(0))?;
    let report = match &args.study {
        Some(file) => of_study(file, &args.machine, messages)?,
        None => of_runs(args, messages)?,
    };
    let out = out_file(args);
    write(&out, &report)?;
    output::print(out.display())
}

fn out_file(args: &ReportArgs) -> PathBuf {
    match (&args.out, &args.runs[..]) {
        (Some(file), _) => file.clone(),
        (None, [run]) => run.join(REPORT),
        (None, _) => REPORT.into(),
    }
}

fn of_runs(args: &ReportArgs, messages: Messages) -> Result<Report> {
    let wanted = Wanted {
        weights: args.weights,
        data: args.data.as_deref(),
        split: args.split.map(Split::from),
        machine: &args.machine,
    };
    let runs = args.runs.iter().map(|path| read(path, &wanted, messages));
    Ok(Report::of_runs(runs.collect::<Result<_>>()?, Made::now()))
}

fn of_study(file: &Path, machine: &MachineArgs, messages: Messages) -> Result<Report> {
    let study = Study::read(file)?;
    let groups = study.groups.iter().map(|group| {
        of_group(group, machine, messages)
            .with_context(|| format!("{}: group {:?}", file.display(), group.name))
    });
    let runs = groups.collect::<Result<_>>()?;
    Ok(Report::of_study(study, runs, Made::now()))
}

fn of_group(group: &StudyGroup, machine: &MachineArgs, messages: Messages) -> Result<Vec<Run>> {
    let wanted = Wanted {
        weights: group.weights.into(),
        data: group.data.as_deref(),
        split: group.split.as_deref().map(str::parse).transpose()?,
        machine,
    };
    let runs = group.runs.iter().map(|study| {
        let run = read(&study.run, &wanted, messages)?;
        match &study.evaluation {
            Some(file) => run.with_recorded(file),
            None => Ok(run),
        }
    });
    let runs: Vec<Run> = runs.collect::<Result<_>>()?;
    if let Some(pair) = runs
        .windows(2)
        .find(|pair| pair[0].config.kind != pair[1].config.kind)
    {
        bail!(
            "{} is of another kind than {}",
            pair[1].path.display(),
            pair[0].path.display()
        );
    }
    Ok(runs)
}

/// Reads and measures a run, and says aloud what the report will lack.
fn read(path: &Path, wanted: &Wanted<'_>, messages: Messages) -> Result<Run> {
    messages.note(format_args!("measuring {}", path.display()));
    let run = Run::read(path, wanted)?;
    if let Err(reason) = &run.outcome {
        messages.note(format_args!("warning: {}: {reason}", path.display()));
    }
    Ok(run)
}

/// At the end of training: measures the best weights on the validation split, for training never opens the test split, and
/// writes `report.html` into the run folder. The threads must have been chosen before.
pub(crate) fn after_training(run: &Path, machine: &MachineArgs, messages: Messages) {
    let wanted = Wanted {
        weights: Weights::Best,
        data: None,
        split: Some(Split::Val),
        machine,
    };
    match Run::read(run, &wanted) {
        Ok(read) => {
            let report = Report::of_runs(vec![read], Made::now());
            write_beside(&run.join(REPORT), &report, messages);
        }
        Err(error) => messages.note(format_args!("warning: no report: {error:#}")),
    }
}

/// At the end of an evaluation: writes `report.html` into the run folder, with what was found.
pub(crate) fn after_evaluation(
    trained: &Trained,
    weights: Weights,
    outcome: Outcome,
    messages: Messages,
) -> Result<()> {
    // The machine that measures is no part of the configuration that the run was trained with.
    let (folder, config) = run::open(trained.folder.path())?;
    let run = Run::with_outcome(&folder, config, weights, Ok(outcome))?;
    let report = Report::of_runs(vec![run], Made::now());
    write_beside(&folder.file(REPORT), &report, messages);
    Ok(())
}

/// The result is out already: a folder that cannot be written costs the report, not the command.
fn write_beside(file: &Path, report: &Report, messages: Messages) {
    match write(file, report) {
        Ok(()) => messages.note(format_args!("report: {}", file.display())),
        Err(error) => messages.note(format_args!("warning: no report: {error:#}")),
    }
}

/// Writes by renaming, so that a reader sees the old page or the new one.
fn write(file: &Path, report: &Report) -> Result<()> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = file.with_file_name(name);
    std::fs::write(&temporary, page::render(report))
        .and_then(|()| std::fs::rename(&temporary, file))
        .with_context(|| format!("cannot write {}", file.display()))
}
