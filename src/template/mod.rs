//! Templates: text with holes, filled from variables.
//!
//! Evaluated here, without running another language's interpreter. What cannot be rendered is an
//! error; nothing is ever half written.

pub mod erb;
