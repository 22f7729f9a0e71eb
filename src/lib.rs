//! cartwright, a package manager for applications: cartridges from URLs, made into running gears,
//! in transactions that either happened or did not.
//!
//! This page is the map; the reasons are in `ARCHITECTURE.md`.
//!
//! # The flow
//!
//! ```text
//! argv → cli → gather: source → archive → format → Package      db + host → facts
//!            → plan   (pure: request + facts → steps, records, after)
//!            → ui     (shows it; --dry-run stops here)
//!            → txn:   lock → journal → run → commit | unwind
//!                       └ step → sandbox, gear, template, sys    (the only effects)
//! ```
//!
//! Arrows never turn back: planning cannot fetch, steps cannot plan, effects cannot open the
//! database.
//!
//! # The layers
//!
//! A module imports only from lower layers; a test keeps it so.
//!
//! | Layer | Modules |
//! |---|---|
//! | 6 | [`cli`] one file a verb · [`ui`] the only writer to stdout and stderr |
//! | 5 | [`txn`] runs a plan, unwinds it, recovers it after a crash |
//! | 4 | [`plan`] what a request means on this host, as data |
//! | 3 | [`inside`] the commands that cartridges call · [`step`] the kinds of reversible change · [`facts`] what a plan may know · [`pack`] from a source directory to a package's file · [`gather`] from a source to a verified, understood tree |
//! | 2 | [`source`] · [`archive`] · [`mod@format`] · [`library`] · [`index`] · [`db`] · [`gear`] · [`template`] · [`site`] · [`sandbox`] |
//! | 1 | [`package`] the model · [`layout`] every path · [`config`] every setting |
//! | 0 | [`sys`] files, processes, time · [`error`] what a failure says · [`progress`] who is told |
//!
//! # What lies on the disk
//!
//! | Path in the state | Owner |
//! |---|---|
//! | `cart.db` | [`db::Db`] |
//! | `ballast` | [`txn`], given up when unwinding meets a full disk |
//! | `library/<format>/<vendor>-<name>/<version>-<digest>/` | [`library::place`] |
//! | `templates/<place>.git` | [`library::template_repository`], made by [`gather::arrive`] |
//! | `gears/<name>/` | [`gear::home`], placed by [`step::make_gear`] |
//! | `stash/<transaction>/<step>/` | [`step::Cx::stash`]; [`layout::Layout::stashed_tree`] for what can come back |
//! | `staging/` | [`gather::Staging`] |
//! | `lib/<version>/` | [`gear::sdk`] |
//! | `spool/` | [`step::call_external`]: requests that wait for a tool |
//! | `units/` | [`step::switch_unit`]: units that nobody could be told about |
//! | `running/` | [`sandbox::Record`] |
//! | `locks/` | [`txn::Locks`] |
//! | `log/<transaction>/` | [`step::Cx::log`]: what scripts printed |
//!
//! Beside the state: the settings ([`config::Config`], with `env/` for node-wide variables) and the
//! downloads that are kept ([`source::cache`]).

pub mod archive;
pub mod cli;
pub mod config;
pub mod db;
pub mod error;
pub mod facts;
pub mod format;
pub mod gather;
pub mod gear;
pub mod index;
pub mod inside;
pub mod layout;
pub mod library;
pub mod pack;
pub mod package;
pub mod plan;
pub mod progress;
pub mod sandbox;
pub mod site;
pub mod source;
pub mod step;
pub mod sys;
pub mod template;
pub mod txn;
pub mod ui;
