//! Behaviour tests of the public interface, in one binary.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod benchmark; // as good as Optuna's TPE on three functions
mod crash; // workers that are killed while they share a journal
mod importance; // Optuna's PED-ANOVA
mod journal; // files that Python wrote, torn lines, locks
mod pruners; // Optuna's decisions, replayed
mod sharing; // several threads and processes, every storage
mod suggestions; // what TPE draws after a history, beside Optuna's
