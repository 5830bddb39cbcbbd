//! `juggle data`: write the example data, look at a folder.

use anyhow::Result;
use juggle_dataset::{ReadOptions, SplitOptions, audit, synth};

use crate::args::{DataCommand, InspectArgs, SynthArgs};
use crate::output::{self, Messages};

pub(crate) fn run(command: &DataCommand, messages: Messages) -> Result<()> {
    match command {
        DataCommand::Synth(args) => write(args, messages),
        DataCommand::Inspect(args) => inspect(args),
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

fn inspect(args: &InspectArgs) -> Result<()> {
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
    if args.json.json {
        output::print_json(&audit)
    } else {
        output::print(audit)
    }
}
