//! The one error type of this crate.

use std::io;
use std::path::PathBuf;

/// What can go wrong in a search.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text of a space is not TOML.
    #[error("the space is not TOML: {message}")]
    Toml {
        /// What the parser found, and where.
        message: String,
    },
    /// A key of a parameter that no space can be built from.
    #[error("parameter `{parameter}`: `{key}` is {found}, expected {expected}")]
    Space {
        /// The parameter's name.
        parameter: String,
        /// The key of its table.
        key: String,
        /// The value given.
        found: String,
        /// What would have been accepted.
        expected: String,
    },
    /// A value outside its parameter's distribution, or of another kind.
    #[error("parameter `{parameter}` is {found}, expected {expected}")]
    Value {
        /// The parameter's name.
        parameter: String,
        /// The value given.
        found: String,
        /// What would have been accepted.
        expected: String,
    },
    /// A name that the space or the trial does not have.
    #[error("there is no parameter `{parameter}`, expected one of {expected}")]
    NoSuchParameter {
        /// The name asked for.
        parameter: String,
        /// The names there are.
        expected: String,
    },
    /// A parameter that the study holds with another kind of distribution.
    #[error("parameter `{parameter}` is {found}, but the study holds it as {expected}")]
    Incompatible {
        /// The parameter's name.
        parameter: String,
        /// The distribution given.
        found: String,
        /// The distribution of an earlier trial.
        expected: String,
    },
    /// A setting of a sampler, a pruner or a study out of its range.
    #[error("{what} is {found}, expected {expected}")]
    Setting {
        /// Which setting.
        what: &'static str,
        /// The value given.
        found: String,
        /// What would have been accepted.
        expected: &'static str,
    },
    /// The address of a storage that names none.
    #[error("the storage `{found}` is unknown, expected journal:PATH, grpc://HOST:PORT or memory:")]
    Address {
        /// The address given.
        found: String,
    },
    /// A study of this name is there already.
    #[error("there is a study `{name}` already")]
    StudyExists {
        /// Its name.
        name: String,
    },
    /// No study has this name or number.
    #[error("there is no study {study}")]
    NoSuchStudy {
        /// The name or the number.
        study: String,
    },
    /// No trial has this number in the storage.
    #[error("there is no trial with the storage's number {id}")]
    NoSuchTrial {
        /// The number.
        id: i64,
    },
    /// A trial that has ended takes no more values.
    #[error("trial {number} has ended and cannot change")]
    TrialFinished {
        /// The trial's number in its study.
        number: u64,
    },
    /// The study's goals are not the ones asked for.
    #[error("study `{study}` is to {found}, expected one that is to {expected}")]
    Directions {
        /// The study's name.
        study: String,
        /// The directions it has.
        found: String,
        /// The direction asked for.
        expected: String,
    },
    /// A file that cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A line of a journal that no record can be read from.
    #[error("{} line {line}: found {found}, expected {expected}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// A journal that has become shorter than what was read of it.
    #[error(
        "{} has {found} bytes, expected at least the {expected} that were read before", path.display()
    )]
    JournalShrank {
        /// The journal.
        path: PathBuf,
        /// Its length now.
        found: u64,
        /// Its length before.
        expected: u64,
    },
    /// A storage proxy that does not answer as it should.
    #[error("the storage proxy {address} failed at {call}: {message}")]
    Proxy {
        /// Where it is.
        address: String,
        /// The procedure called.
        call: &'static str,
        /// What it said.
        message: String,
    },
    /// A record of a storage proxy that this crate cannot read.
    #[error("the storage proxy {address} sent {found}, expected {expected}")]
    ProxyRecord {
        /// Where it is.
        address: String,
        /// What it sent.
        found: String,
        /// What was expected.
        expected: String,
    },
}

/// A result with this crate's [`Error`](enum@Error).
pub type Result<T, E = Error> = std::result::Result<T, E>;
