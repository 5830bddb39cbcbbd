//! `juggle completions` and `juggle man`.

use std::io::{self, Write as _};

use anyhow::{Context as _, Result};
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::args::{Cli, CompletionsArgs, MESSAGES};
use crate::output;

/// What is true of every command.
const LAST_SECTIONS: [(&str, &[&str]); 3] = [
    (
        "EXIT STATUS",
        &[
            "0    done",
            "1    failed; one sentence says on what file or flag",
            "2    wrong usage",
            "130  interrupted",
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            "RUST_LOG  what is logged, such as info or juggle_models=debug",
            "NO_COLOR  when it is set and not empty: no colour",
        ],
    ),
    (
        "FILES",
        &[
            "RUN/config.toml        the whole configuration, for train --config",
            "RUN/best.safetensors   weights of the epoch with the lowest validation loss",
            "RUN/last.safetensors   weights of the last epoch",
        ],
    ),
];

pub(crate) fn completions(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "juggle", &mut script);
    output::print(String::from_utf8(script).context("the completion script is no text")?)
}

/// One page: the command itself, then every command that does something, with its flags.
pub(crate) fn man() -> Result<()> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    write_page(&command, &mut page).context("cannot write the manual page")?;
    output::print(String::from_utf8(page).context("the manual page is no text")?)
}

fn write_page(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let man = Man::new(command.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    write_text("EXAMPLES", command, page)?;
    for leaf in leaves(command) {
        let name = leaf
            .get_bin_name()
            .unwrap_or(leaf.get_name())
            .to_uppercase();
        writeln!(page, ".SH \"{name}\"")?;
        // The flags that all commands share are above.
        let man = Man::new(leaf.clone().mut_args(|arg| {
            let shared = arg.get_help_heading() == Some(MESSAGES) || arg.get_id() == "help";
            arg.hide(shared)
        }));
        let mut section = Vec::new();
        man.render_description_section(&mut section)?;
        man.render_synopsis_section(&mut section)?;
        man.render_options_section(&mut section)?;
        write_text("NOTES", leaf, &mut section)?;
        let section = String::from_utf8_lossy(&section)
            .replace(".SH DESCRIPTION\n", "")
            .replace(".SH ", ".SS ");
        page.extend_from_slice(section.as_bytes());
    }
    for (name, lines) in LAST_SECTIONS {
        write_section(name, lines.iter().copied(), page)?;
    }
    man.render_version_section(page)
}

/// What stands below a command's help, line by line as it is there: examples are to be copied.
fn write_text(name: &str, command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    match command.get_after_help() {
        Some(text) => write_section(name, text.to_string().lines(), page),
        None => Ok(()),
    }
}

/// A section whose lines are not joined.
fn write_section<'a>(
    name: &str,
    lines: impl Iterator<Item = &'a str>,
    page: &mut Vec<u8>,
) -> io::Result<()> {
    let mut section = Roff::new();
    section.control("SH", [name]).control("nf", []);
    for line in lines {
        section.text([roman(line)]);
    }
    section.control("fi", []);
    section.to_writer(page)
}

/// The commands that take no further command.
fn leaves(command: &Command) -> Vec<&Command> {
    command
        .get_subcommands()
        .filter(|subcommand| subcommand.get_name() != "help")
        .flat_map(|subcommand| {
            if subcommand.has_subcommands() {
                leaves(subcommand)
            } else {
                vec![subcommand]
            }
        })
        .collect()
}
