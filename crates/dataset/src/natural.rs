//! Natural order: runs of digits compare as numbers, so that `2` comes before `10`.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

#[cfg(test)]
mod tests;

/// Compares two names, digit runs as numbers: `frame_2` comes before `frame_10`. Equal only when the names are equal.
///
/// # Examples
///
/// ```
/// let mut names = ["frame_10", "frame_9", "frame_1"];
/// names.sort_by(|a, b| juggle_dataset::natural_cmp(a, b));
/// assert_eq!(names, ["frame_1", "frame_9", "frame_10"]);
/// ```
#[must_use]
pub fn natural_cmp(a: &str, b: &str) -> Ordering {
    let (mut xs, mut ys) = (a.chars().peekable(), b.chars().peekable());
    loop {
        let (x, y) = match (xs.peek().copied(), ys.peek().copied()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => (x, y),
        };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (x, y) = (digits(&mut xs), digits(&mut ys));
            // Without leading zeros, the longer number is the larger one, whatever its length.
            x.len().cmp(&y.len()).then_with(|| x.cmp(&y))
        } else {
            xs.next();
            ys.next();
            x.cmp(&y)
        };
        if order.is_ne() {
            return order;
        }
    }
}

fn digits(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut number = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        if !(number.is_empty() && digit == '0') {
            number.push(digit);
        }
    }
    number
}
