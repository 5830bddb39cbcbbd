//! Standard output carries results, standard error carries everything else.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::{ColorWhen, GlobalArgs, ProgressWhen};
use crate::failure::ReaderGone;

/// Prints a result, with a line break at its end if it has none.
pub(crate) fn print(result: impl Display) -> Result<()> {
    let mut text = result.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut stdout = std::io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        written => written.context("cannot write to standard output"),
    }
}

/// Prints a result as one JSON document.
pub(crate) fn print_json(document: &impl Serialize) -> Result<()> {
    print(serde_json::to_string_pretty(document).context("cannot write the result as JSON")?)
}

/// A number for JSON, which has no infinities: an infinite PSNR is the string `inf`.
pub(crate) fn json_number(x: f64) -> Value {
    if x.is_finite() {
        json!(x)
    } else {
        json!(x.to_string())
    }
}

/// What goes to standard error, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Messages {
    quiet: bool,
    terminal: bool,
    pub(crate) color: bool,
    /// How a training run is told.
    pub(crate) view: View,
}

/// How a training run is told on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Nothing,
    /// A line an epoch.
    Plain,
    /// Bars, metrics and a curve, drawn in place.
    Live,
    /// Every line is a JSON object, notes and errors included.
    Json,
}

impl Messages {
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = match global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => terminal && !no_color,
        };
        Self {
            quiet: global.quiet,
            terminal,
            color,
            view: if global.quiet {
                View::Nothing
            } else {
                View::Plain
            },
        }
    }

    /// The same with the view that a training run was asked for.
    pub(crate) fn with_progress(self, wish: ProgressWhen) -> Self {
        // A terminal that cannot move its cursor says so.
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let view = match wish {
            _ if self.quiet => View::Nothing,
            ProgressWhen::Json => View::Json,
            ProgressWhen::Auto | ProgressWhen::Fancy if self.terminal && !is_dumb => View::Live,
            ProgressWhen::Auto | ProgressWhen::Fancy | ProgressWhen::Plain => View::Plain,
        };
        if wish == ProgressWhen::Fancy && view == View::Plain {
            self.note("--progress fancy is for terminals: plain lines follow");
        }
        Self { view, ..self }
    }

    /// For work whose progress is told by whoever does it: only warnings and errors.
    pub(crate) fn silent(self) -> Self {
        Self {
            quiet: true,
            view: View::Nothing,
            ..self
        }
    }

    /// Whether progress may be drawn in place.
    pub(crate) fn draws_bars(self) -> bool {
        self.terminal && !self.quiet
    }

    /// Tells how things go; nothing under `--quiet`.
    pub(crate) fn note(self, text: impl Display) {
        if self.view == View::Json {
            self.line(json!({"kind": "note", "text": text.to_string()}));
        } else if !self.quiet {
            self.line(text);
        }
    }

    /// Tells what went wrong, under `--quiet` too.
    pub(crate) fn error(self, label: &str, text: &str) {
        if self.view == View::Json {
            self.line(json!({"kind": label, "text": text}));
        } else if self.color {
            self.line(format_args!("\x1b[1;31m{label}:\x1b[0m {text}"));
        } else {
            self.line(format_args!("{label}: {text}"));
        }
    }

    /// Tells what helps after an error, under `--quiet` too.
    pub(crate) fn hint(self, text: &str) {
        if self.view == View::Json {
            self.line(json!({"kind": "note", "text": text}));
        } else {
            self.line(text);
        }
    }

    /// One line as it is.
    pub(crate) fn line(self, text: impl Display) {
        // Nobody is left to tell when standard error itself is closed.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}
