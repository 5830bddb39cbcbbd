//! Names in the order people expect.

use super::*;

#[test]
fn numbers_compare_as_numbers() {
    let mut names = vec![
        "10", "2", "1", "b", "a10", "a9", "a", "x2y10", "x2y9", "B", "007", "7", "",
    ];
    names.sort_by(|a, b| natural_cmp(a, b));
    let expected = [
        "", "1", "2", "007", "7", "10", "B", "a", "a9", "a10", "b", "x2y9", "x2y10",
    ];
    assert_eq!(names, expected);
}

#[test]
fn numbers_longer_than_any_integer_compare() {
    let (small, large) = ("9".repeat(50), "1".to_owned() + &"0".repeat(50));
    assert_eq!(natural_cmp(&small, &large), Ordering::Less);
}
