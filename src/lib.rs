//! cartwright.

pub mod archive;
pub mod cli;
pub mod config;
pub mod db;
pub mod error;
pub mod format;
pub mod gather;
pub mod gear;
pub mod index;
pub mod layout;
pub mod library;
pub mod package;
pub mod plan;
pub mod progress;
pub mod sandbox;
pub mod source;
pub mod step;
pub mod sys;
pub mod template;
pub mod txn;
pub mod ui;
