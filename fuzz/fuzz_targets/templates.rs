//! The law of templates: nothing panics, everything ends, rendering again gives the same, and an error
//! names a place in the template. The fuzzer and the tests try it.

use cartwright::template::{NoFiles, erb};
use std::collections::BTreeMap;

/// Checks the law for the template `text`.
pub(crate) fn law(text: &str) {
    let env: BTreeMap<String, String> = [("A", "one"), ("B", "a;b"), ("N", "512"), ("E", "")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    match erb::render(text, &env, &NoFiles) {
        Ok(printed) => {
            assert_eq!(erb::render(text, &env, &NoFiles).as_deref(), Ok(printed.as_str()));
        }
        Err(error) => {
            assert!(error.line <= text.lines().count() + 1, "{error}");
            assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
        }
    }
}
