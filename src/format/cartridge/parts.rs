//! Which of the conventional files a cartridge has.

use crate::format::Tree;
use crate::package::file_table::Content;
use crate::package::note::Notes;
use crate::package::{Parts, Template};

/// Looks for the conventional files, and notes which of the expected ones are missing.
pub(super) fn parts(tree: &dyn Tree, notes: &mut Notes) -> Parts {
    let table = tree.table();
    let has = |path: &str| table.get(path).is_some_and(|entry| entry.content != Content::Directory);
    let has_dir =
        |path: &str| table.get(path).is_some_and(|entry| entry.content == Content::Directory);
    let template = Template::PLACES.iter().find(|(_, path)| has_dir(path));
    let parts = Parts {
        control: has("bin/control"),
        setup: has("bin/setup"),
        install: has("bin/install"),
        post_install: has("bin/post_install") || has("bin/post-install"),
        teardown: has("bin/teardown"),
        usr: table.get("usr").is_some(),
        template: template.map(|(place, _)| *place),
    };
    if !parts.control {
        notes.warn("bin/control", "is missing: nothing can be started or stopped");
    }
    if !parts.setup {
        notes.warn("bin/setup", "is missing; the guide demands it, and it is not needed here");
    }
    if !has_dir("env") {
        notes.warn("env/", "is missing; the guide demands it, and it is not needed here");
    }
    parts
}
