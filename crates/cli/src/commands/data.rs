//! `juggle data`: write the example data, audit a folder.

mod audit_chart;
mod audit_page;
mod audit_text;

use anyhow::{Result, bail};
use juggle_dataset::audit::{self, Level};
use juggle_dataset::synth::Fresh;
use juggle_dataset::{ReadOptions, SplitOptions, synth};

use crate::args::data::{DataCommand, FreshArgs, InspectArgs, SynthArgs};
use crate::output::{self, Messages};

pub(crate) fn run(command: &DataCommand, messages: Messages) -> Result<()> {
    match command {
        DataCommand::Synth(args) => write(args, messages),
        DataCommand::Fresh(args) => write_fresh(args, messages),
        DataCommand::Inspect(args) => inspect(args, messages),
    }
}

fn write(args: &SynthArgs, messages: Messages) -> Result<()> {
    messages.note(format_args!(
        "writing the example data to {}",
        args.out.display()
    ));
    let summary = synth::write(&args.out, args.seed)?;
    output::print(summary)
}

fn write_fresh(args: &FreshArgs, messages: Messages) -> Result<()> {
    messages.note(format_args!("writing images to {}", args.out.display()));
    let fresh = Fresh {
        seed: args.seed,
        images: args.images,
        ranges: args.ranges.into(),
    };
    output::print(synth::write_fresh(&args.out, &fresh)?)
}

fn inspect(args: &InspectArgs, messages: Messages) -> Result<()> {
    let defaults = SplitOptions::default();
    let options = ReadOptions {
        color: args.channels.color_mode(),
        split: SplitOptions {
            val_fraction: args.split.val_fraction.unwrap_or(defaults.val_fraction),
            test_fraction: args.split.test_fraction.unwrap_or(defaults.test_fraction),
            seed: args.split.split_seed.unwrap_or(defaults.seed),
        },
        ..ReadOptions::default()
    };
    let audit = audit::inspect(&args.dir, &options)?;
    if let Some(file) = &args.html {
        audit_page::write(file, &audit, &options)?;
        messages.note(format_args!("wrote {}", file.display()));
    }
    if args.json.json {
        output::print_json(&audit)?;
    } else {
        output::print(audit_text::render(&audit))?;
    }
    let serious = audit.count(Level::Problem) + audit.count(Level::Warning);
    if args.strict && serious > 0 {
        bail!(
            "{} has {}, expected no problem and no warning (--strict)",
            args.dir.display(),
            audit_text::counted(&audit)
        );
    }
    Ok(())
}
