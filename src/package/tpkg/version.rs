//! Which of two versions is newer, as `tpkg` decides it.
//!
//! Fields between dots are compared pairwise, a missing one counts as `0`. Two numbers without a
//! leading zero are compared as numbers; where one of the two mixes digits and others, both are
//! taken apart into runs and those compared; everything else is compared as text. So `1.0rc1` is
//! newer than `1.0`, and `010` older than `9`: packages have been numbered with that in mind, and
//! it stays. Not an order of all texts (it is not even transitive), so nothing is sorted by it
//! without a second criterion.

use std::cmp::Ordering;

/// Compares the versions `one` and `other`; equal ones may be written differently (`1` and `1.0`).
pub fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (fields(one), fields(other));
    for index in 0..one.len().max(other.len()) {
        let (a, b) = (one.get(index).copied(), other.get(index).copied());
        let order = compare_fields(a.unwrap_or("0"), b.unwrap_or("0"));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// The fields of a version; empty ones at the end do not count, one at the start is `0`.
fn fields(version: &str) -> Vec<&str> {
    let mut fields: Vec<&str> = version.split('.').collect();
    while fields.last().is_some_and(|last| last.is_empty()) {
        fields.pop();
    }
    if let Some(first) = fields.first_mut().filter(|first| first.is_empty()) {
        *first = "0";
    }
    fields
}

fn compare_fields(one: &str, other: &str) -> Ordering {
    if is_number(one) && is_number(other) {
        return compare_numbers(one, other);
    }
    if !is_mixed(one) && !is_mixed(other) {
        return one.cmp(other);
    }
    let (one, other) = (runs(one), runs(other));
    for index in 0..one.len().max(other.len()) {
        let (a, b) = (one.get(index).copied(), other.get(index).copied());
        let (a, b) = (a.unwrap_or("0"), b.unwrap_or("0"));
        let numbers = is_number(a) && is_number(b);
        let order = if numbers { compare_numbers(a, b) } else { a.cmp(b) };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Tells whether `text` is digits without a leading zero; `0` itself is none.
fn is_number(text: &str) -> bool {
    !text.starts_with('0') && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Compares by value, however long they are.
fn compare_numbers(one: &str, other: &str) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

fn is_mixed(text: &str) -> bool {
    runs(text).len() > 1
}

/// The longest pieces of `text` that are all digits, or have none.
fn runs(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        found.push(run);
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Specification, 1.4: every line was tried with the original.
    #[test]
    fn versions_are_ordered_as_the_original_orders_them() {
        use Ordering::{Equal, Greater, Less};
        for (one, other, order) in [
            ("1", "1.0", Equal),
            ("1.10", "1.9", Greater),
            ("1.01", "1.1", Less),
            ("1.0", "1.00", Less),
            ("1.0.09", "1.0.9", Less),
            ("1.0a", "1.0", Greater),
            ("1.0rc1", "1.0", Greater),
            ("1.0-1", "1.0", Less),
            ("010", "9", Less),
            ("10a", "9b", Greater),
            ("2.a", "2.1", Greater),
            (".5", "0.5", Equal),
            ("1.", "1", Equal),
            ("", "0", Equal),
            ("5.10", "5.9", Greater),
            ("1.2.3", "1.2", Greater),
            ("1.0b2", "1.0b10", Less),
            ("18446744073709551617", "18446744073709551616", Greater),
            ("99999999999999999999", "100000000000000000000", Less),
        ] {
            assert_eq!(compare(one, other), order, "{one} {other}");
            assert_eq!(compare(other, one), order.reverse(), "{other} {one}");
        }
        assert_ne!(compare("1..0", "1.0"), Equal);
    }

    #[test]
    fn any_two_texts_can_be_compared() {
        for one in ["é", "1é2", "..", "-", "0", "00", "a.b.c", "\u{1}"] {
            for other in ["", "1", "é1", "0.0"] {
                assert_eq!(compare(one, other), compare(other, one).reverse(), "{one} {other}");
            }
        }
    }
}
