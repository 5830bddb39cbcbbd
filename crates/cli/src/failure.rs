//! The errors that end the process otherwise than with exit code 1, and the one place that turns an
//! error into an exit code.

use std::process::ExitCode;

use anyhow::Error;

use crate::output::Messages;

/// Flags that contradict one another in a way that clap cannot see: exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(String);

impl Usage {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Ctrl-C or a request to terminate, after the work was put away: exit code 130.
#[derive(Debug)]
pub(crate) struct Interrupted(pub(crate) String);

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Interrupted {}

/// The time that the user gave is over and the work was put away: exit code 0, since it is what was asked for.
#[derive(Debug)]
pub(crate) struct TimeIsUp(pub(crate) String);

impl std::fmt::Display for TimeIsUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TimeIsUp {}

/// A loss or a weight that is no finite number, for which the training stopped.
#[derive(Debug)]
pub(crate) struct NotFinite(pub(crate) String);

impl std::fmt::Display for NotFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotFinite {}

/// Whoever read our standard output has gone, as in `juggle … | head`: no failure of ours.
#[derive(Debug)]
pub(crate) struct ReaderGone;

impl std::fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("standard output was closed")
    }
}

impl std::error::Error for ReaderGone {}

/// Prints the error on one line, its causes joined by `: `, and gives the exit code.
pub(crate) fn report(error: &Error, messages: &Messages) -> ExitCode {
    if error.is::<ReaderGone>() {
        return ExitCode::SUCCESS;
    }
    if let Some(TimeIsUp(how_to_resume)) = error.downcast_ref() {
        messages.note(format_args!("time is up: {how_to_resume}"));
        return ExitCode::SUCCESS;
    }
    if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
        messages.error("interrupted", &interrupted.0);
        return ExitCode::from(130);
    }
    messages.error("error", &sentence(error));
    if error.is::<Usage>() {
        messages.hint("For more information, try '--help'.");
        return ExitCode::from(2);
    }
    ExitCode::FAILURE
}

/// The error and its causes. A cause that the text before it already ends with is left out, since
/// some libraries print their cause themselves.
fn sentence(error: &Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string().replace('\n', " ");
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
