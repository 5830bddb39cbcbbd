//! Rules about one file: its name, its length, its words.
//!
//! The words that are looked for are spelled in two halves, so that this file passes its own
//! rules.

use super::Violation;
use super::source::{code_lines, has_word, is_word};

/// Lines a Rust file may have; the house limit is 400, and a few more are not worth a rewrite.
const MAX_LINES: usize = 420;
/// A longer file says why in a comment that begins with this, within its first lines.
const LONG_BECAUSE: &str = "// long because";
const LONG_BECAUSE_WITHIN: usize = 20;

/// Names that say nothing about what is inside.
const FORBIDDEN_NAMES: [&str; 4] = ["utils.rs", "common.rs", "helpers.rs", "manager.rs"];

/// Text that has no place in any file, with what to do instead.
const FORBIDDEN_TEXT: [(&str, &str); 3] = [
    (
        concat!("../", "shared"),
        "name a file of the repository, or say it here",
    ),
    (
        concat!("index", "-url"),
        "package mirrors belong into the user's own settings",
    ),
    (
        concat!("[source", ".crates-io]"),
        "package mirrors belong into the user's own settings",
    ),
];

/// Folders of one machine, as the beginning of an absolute path.
const FORBIDDEN_ROOTS: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
    concat!("/fa", "rm/"),
];

/// The registry that a lock file may name.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Notes of unfinished work, as words anywhere.
const LEFTOVER_WORDS: [&str; 2] = [concat!("FIX", "ME"), concat!("XX", "X")];

/// Unfinished work in code.
const LEFTOVER_CODE: [&str; 3] = [
    concat!("todo", "!("),
    concat!("unimple", "mented!("),
    concat!("#[ig", "nore"),
];

/// A doc example that nobody compiles.
const IGNORED_EXAMPLE: &str = concat!("```ig", "nore");

/// Checks a file's name.
pub(super) fn check_name(path: &str) -> Option<Violation> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let remedy = if name == "mod.rs" {
        "write `foo.rs` beside the folder `foo`".to_owned()
    } else if FORBIDDEN_NAMES.contains(&name) {
        "name the file after what it holds".to_owned()
    } else {
        return None;
    };
    Some(Violation {
        path: path.to_owned(),
        line: 0,
        rule: "file name",
        remedy,
    })
}

/// Checks the text of a file.
pub(super) fn check_text(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Findings {
        path,
        violations: vec![],
    };
    let is_lock = path.ends_with(".lock");
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if is_lock {
            if line.starts_with("source = \"registry+") && !line.contains(CRATES_IO) {
                found.add(number, "registry", "lock against crates.io");
            }
            continue;
        }
        for (word, remedy) in FORBIDDEN_TEXT {
            if line.contains(word) {
                found.add(number, "forbidden text", remedy);
            }
        }
        if FORBIDDEN_ROOTS.iter().any(|root| begins_a_path(line, root)) {
            found.add(
                number,
                "absolute path",
                "write it relative to the repository's root",
            );
        }
        if LEFTOVER_WORDS.iter().any(|word| has_word(line, word)) {
            found.add(
                number,
                "leftover",
                "finish it, or open an issue and remove the note",
            );
        }
    }
    if path.ends_with(".rs") {
        rust(&mut found, text);
    }
    found.violations
}

fn rust(found: &mut Findings<'_>, text: &str) {
    let n_lines = text.lines().count();
    let mut first = text.lines().take(LONG_BECAUSE_WITHIN);
    if n_lines > MAX_LINES && !first.any(|line| line.trim_start().starts_with(LONG_BECAUSE)) {
        let remedy = format!(
            "it has {n_lines} lines of {MAX_LINES}: move a part into a file of its own, or say \
             `{LONG_BECAUSE} …` at its top"
        );
        found.add(0, "file size", remedy);
    }
    let may_be_unsafe = found.path.starts_with("crates/kernels/");
    for (index, line) in code_lines(text).iter().enumerate() {
        if !may_be_unsafe && has_word(line, "unsafe") {
            found.add(index + 1, "unsafe code", "only crates/kernels may have any");
        }
        if LEFTOVER_CODE.iter().any(|code| line.contains(code)) {
            found.add(
                index + 1,
                "leftover",
                "finish it; a test that cannot run is removed",
            );
        }
    }
    for (index, line) in text.lines().enumerate() {
        if line.contains(IGNORED_EXAMPLE) {
            found.add(index + 1, "ignored example", "make it run, or use `no_run`");
        }
    }
}

/// Whether an absolute path that starts with `root` begins somewhere in the line.
fn begins_a_path(line: &str, root: &str) -> bool {
    line.match_indices(root).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|c| is_word(c) || "./-~}$*".contains(c))
    })
}

struct Findings<'a> {
    path: &'a str,
    violations: Vec<Violation>,
}

impl Findings<'_> {
    fn add(&mut self, line: usize, rule: &'static str, remedy: impl Into<String>) {
        let (path, remedy) = (self.path.to_owned(), remedy.into());
        self.violations.push(Violation {
            path,
            line,
            rule,
            remedy,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules that a text breaks, as `line rule`.
    fn broken(path: &str, text: &str) -> Vec<String> {
        check_text(path, text)
            .iter()
            .map(|v| format!("{} {}", v.line, v.rule))
            .collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn names_that_say_nothing_are_refused() {
        for name in [
            "utils.rs",
            "mod.rs",
            "helpers.rs",
            "common.rs",
            "manager.rs",
        ] {
            let violation = check_name(&format!("crates/x/src/{name}")).unwrap();
            assert_eq!((violation.rule, violation.line), ("file name", 0));
        }
        assert_eq!(check_name("crates/x/src/psnr.rs"), None);
        assert_eq!(check_name("crates/x/src/cutils.rs"), None);
    }

    #[test]
    fn a_long_file_needs_a_reason() {
        let long = "fn f() {}\n".repeat(421);
        assert_eq!(broken("a.rs", &long), ["0 file size"]);
        assert_eq!(broken("a.rs", &"fn f() {}\n".repeat(420)), NONE);
        assert_eq!(broken("a.md", &long), NONE);
        assert_eq!(
            broken(
                "a.rs",
                &format!("//! A table.\n{LONG_BECAUSE} it is one.\n{long}")
            ),
            NONE
        );
        let late = format!("{}{LONG_BECAUSE} it is one.\n{long}", "\n".repeat(20));
        assert_eq!(broken("a.rs", &late), ["0 file size"]);
    }

    #[test]
    fn places_of_one_machine_are_refused() {
        for root in FORBIDDEN_ROOTS {
            assert_eq!(
                broken("a.md", &format!("see `{root}x`")),
                ["1 absolute path"]
            );
            assert_eq!(
                broken("a.md", &format!("see https://x.org{root}x or a{root}x")),
                NONE
            );
        }
        let shared = format!("\nas in {}", FORBIDDEN_TEXT[0].0);
        assert_eq!(broken("a.toml", &shared), ["2 forbidden text"]);
    }

    #[test]
    fn other_registries_are_refused() {
        let line = |url: &str| format!("source = \"registry+{url}\"\n");
        assert_eq!(
            broken("Cargo.lock", &line("https://mirror.example/index")),
            ["1 registry"]
        );
        let crates_io = CRATES_IO.trim_start_matches("registry+");
        assert_eq!(broken("Cargo.lock", &line(crates_io)), NONE);
        let mirror = format!("--extra-{} https://mirror.example", FORBIDDEN_TEXT[1].0);
        assert_eq!(broken("requirements.txt", &mirror), ["1 forbidden text"]);
    }

    #[test]
    fn code_without_proof_stays_in_one_crate() {
        let text =
            "// unsafe words\nlet x = \"unsafe\";\n    unsafe { f() }\n#![deny(unsafe_code)]";
        assert_eq!(broken("crates/models/src/lib.rs", text), ["3 unsafe code"]);
        assert_eq!(broken("crates/kernels/src/simd.rs", text), NONE);
        assert_eq!(broken("docs/kernels.md", text), NONE);
    }

    #[test]
    fn leftovers_are_found() {
        for word in LEFTOVER_WORDS {
            assert_eq!(
                broken("a.md", &format!("<!-- {word}: later -->")),
                ["1 leftover"]
            );
            assert_eq!(broken("a.md", &format!("a{word}b")), NONE);
        }
        for code in LEFTOVER_CODE {
            assert_eq!(
                broken("a.rs", &format!("fn f() {{}}\n    {code}")),
                ["2 leftover"]
            );
            assert_eq!(broken("a.rs", &format!("// never {code}")), NONE);
        }
        let example = format!("/// {IGNORED_EXAMPLE}\n");
        assert_eq!(broken("a.rs", &example), ["1 ignored example"]);
    }
}
