//! Order of text labels, and the order of summation.

use super::encode::encode;
use super::sum;

fn names(labels: &[&str]) -> Vec<String> {
    encode(labels, labels).0
}

#[test]
fn integers_sort_as_numbers() {
    assert_eq!(names(&["10", "9", "-1", "9"]), ["-1", "9", "10"]);
}

#[test]
fn equal_integers_are_one_class() {
    let (names, truth, prediction) = encode(&["7", "+7", "8"], &["07", "007", "-0"]);
    assert_eq!(names, ["0", "7", "8"]);
    assert_eq!(truth, [1, 1, 2]);
    assert_eq!(prediction, [1, 1, 0]);
}

#[test]
fn one_word_makes_all_labels_text() {
    assert_eq!(names(&["10", "9", "07", "x"]), ["07", "10", "9", "x"]);
    assert_eq!(names(&["10", "9", ""]), ["", "10", "9"]);
    assert_eq!(names(&["10", " 9"]), [" 9", "10"]);
    assert_eq!(names(&["9", "10.0"]), ["10.0", "9"]);
    let beyond_i64 = "9223372036854775808";
    assert_eq!(names(&["9", "10", beyond_i64]), ["10", "9", beyond_i64]);
}

#[test]
fn sums_of_integers_are_exact() {
    for n in [0, 1, 7, 8, 9, 127, 128, 129, 136, 255, 256, 300, 1000] {
        let xs: Vec<f64> = (1..=n).map(f64::from).collect();
        assert_eq!(sum(&xs), f64::from(n * (n + 1) / 2));
    }
}
