//! Templates: see `templates::law`.
#![no_main]

mod templates;

libfuzzer_sys::fuzz_target!(|text: &str| templates::law(text));
