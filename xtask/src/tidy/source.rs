//! Rust source with its comments and the contents of its literals blanked out, line by line, so
//! that a rule about code does not fire on words.

/// The code of every line. Columns are kept; what is not code becomes spaces.
///
/// A lexer for the shapes that matter: nested block comments, escaped and raw strings, and
/// characters told from lifetimes.
pub(super) fn code_lines(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let end = literal_or_comment(&chars, i);
        if end == i {
            code.push(chars[i]);
            i += 1;
        } else {
            code.extend(
                chars[i..end]
                    .iter()
                    .map(|&c| if c == '\n' { '\n' } else { ' ' }),
            );
            i = end;
        }
    }
    code.lines().map(str::to_owned).collect()
}

/// The end of the comment or literal that begins at `i`, or `i` when none does.
fn literal_or_comment(chars: &[char], i: usize) -> usize {
    let at = |j: usize| chars.get(j).copied();
    match (chars[i], at(i + 1)) {
        ('/', Some('/')) => chars[i..]
            .iter()
            .position(|&c| c == '\n')
            .map_or(chars.len(), |n| i + n),
        ('/', Some('*')) => block_comment(chars, i),
        ('"', _) => quoted(chars, i),
        ('\'', Some('\\')) => {
            // An escaped character: its end is the first quote after what is escaped.
            let from = (i + 3).min(chars.len());
            chars[from..]
                .iter()
                .position(|&c| c == '\'')
                .map_or(chars.len(), |n| from + n + 1)
        }
        ('\'', Some(_)) if at(i + 2) == Some('\'') => i + 3,
        ('r', Some('"' | '#')) if i == 0 || !is_word(chars[i - 1]) || chars[i - 1] == 'b' => {
            raw_string(chars, i)
        }
        _ => i,
    }
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut i = start;
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                i += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    chars.len()
}

fn quoted(chars: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// `r"…"` or `r#"…"#`; a raw identifier such as `r#type` is no string.
fn raw_string(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|&&c| c == '#').count();
    if chars.get(start + 1 + hashes) != Some(&'"') {
        return start;
    }
    let body = start + 2 + hashes;
    (body..chars.len())
        .find(|&i| {
            let tail = &chars[i + 1..(i + 1 + hashes).min(chars.len())];
            chars[i] == '"' && tail.len() == hashes && tail.iter().all(|&c| c == '#')
        })
        .map_or(chars.len(), |i| i + 1 + hashes)
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `word` stands in `line` with no letter, digit or `_` beside it.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(code_lines(text).join("\n").trim_end(), expected);
    }

    #[test]
    fn comments_and_literals_are_blanked() {
        check("a // b", "a");
        check("a /* b /* c */ d */ e", "a                   e");
        check(r#"f("x\"y", z)"#, "f(      , z)");
        check(r##"f(r#"x"y"#, z)"##, "f(        , z)");
        check(r"f('x', '\'', '\n', z)", "f(   ,     ,     , z)");
        check("/* a\nb */ c", "    \n     c");
    }

    #[test]
    fn lifetimes_and_raw_identifiers_are_code() {
        check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)");
        check("r#type", "r#type");
    }

    #[test]
    fn an_unclosed_literal_runs_to_the_end() {
        check("a \"b\nc", "a");
        check("a '\\", "a");
        check("a r#\"b", "a");
        check("a /* b", "a");
    }

    #[test]
    fn words_have_edges() {
        assert!(has_word("unsafe {", "unsafe"));
        assert!(!has_word("deny(unsafe_code)", "unsafe"));
        assert!(!has_word("", "unsafe"));
    }
}
