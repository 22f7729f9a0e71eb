//! "Did you mean".

/// Finds the candidate that a mistyped `name` most probably meant: one that differs by a third of
/// its letters at most, else one that contains the name (`php` for `redhat-php-5.4`).
pub fn suggest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = impl AsRef<str> + 'a>,
) -> Option<String> {
    let name = name.to_lowercase();
    let rank = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let letters = name.chars().count();
        let distance = strsim::damerau_levenshtein(&name, &candidate);
        let is_close = distance <= (letters / 3).max(1) && distance < letters;
        let is_part = letters >= 3 && candidate.contains(&name);
        (is_close || is_part).then_some((!is_close, distance))
    };
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let candidate = candidate.as_ref();
            rank(candidate).map(|rank| (rank, candidate.to_owned()))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["perl-httpd", "static", "redhat-diy-0.1", "php-5.3", "php-5.4"];
        for (typed, meant) in [
            ("statik", Some("static")),
            ("satic", Some("static")),
            ("PHP-5.4", Some("php-5.4")),
            ("diy", Some("redhat-diy-0.1")),
            ("php", Some("php-5.3")),
            ("mongodb", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(suggest(typed, known).as_deref(), meant, "{typed}");
        }
        assert_eq!(suggest("a", Vec::<String>::new()), None);
    }
}
