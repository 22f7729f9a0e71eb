//! Git repositories, through the `git` command.
//!
//! A repository is fetched into a work directory of ours and checked out into a plain tree: the
//! tree is the package, no `.git` is ever in it. Nothing of the fetched repository is run (no
//! hooks, no filters, no configuration of it), git asks nobody anything, and it speaks only the
//! protocols of `environment`. Submodules are fetched by the same rules.

mod environment;
mod error;
mod fetch;
mod look;
mod run;
mod submodule;

pub use error::GitError;
pub use fetch::{Checkout, Git};
