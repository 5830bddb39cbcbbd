//! The known name that a mistyped one was probably meant to be.

/// Names less alike than this are not offered; 1 is equality.
const ALIKE: f64 = 0.6;

/// The known name most like `typed`, where one is like it; case does not count.
pub(crate) fn closest<'a>(
    typed: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let alike = |name: &str| strsim::normalized_damerau_levenshtein(&typed, &name.to_lowercase());
    known
        .into_iter()
        .map(|name| (alike(name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// The end of a sentence about a name that nobody knows: the offer of the closest one, or nothing.
pub(crate) fn did_you_mean(offer: Option<impl std::fmt::Display>) -> String {
    offer.map_or_else(String::new, |name| format!(": did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_name_is_offered_and_a_stranger_is_not() {
        let known = ["cat", "dog", "doge", "classifier-1"];
        for (typed, expected) in [
            ("cta", Some("cat")),
            ("DOG", Some("dog")),
            ("clasifier-1", Some("classifier-1")),
            ("elephant", None),
            ("", None),
        ] {
            assert_eq!(closest(typed, known), expected, "{typed}");
        }
        assert_eq!(closest("cat", []), None);
        assert_eq!(did_you_mean(Some("cat")), ": did you mean `cat`?");
        assert_eq!(did_you_mean(None::<&str>), "");
    }
}
