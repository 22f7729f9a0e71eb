//! Databases from their making to their end.

use super::{ProvisionDatabase, read};
use crate::site::database::Provisioned;
use crate::step::Step;
use crate::step::laws::World;
use crate::sys::fs::Dir;

/// A database that is a file, with one row in its only table; its result, and what is in that.
pub(in crate::step) fn file_with(world: &World, row: &str) -> (String, Provisioned) {
    let step = ProvisionDatabase { result: "there.json".into(), ..super::sample(world) };
    let cx = world.cx(1);
    let undo = step.prepare(&cx).unwrap();
    step.apply(&undo, &cx).unwrap();
    let there = read(&cx, &step.result).unwrap();
    let table = format!("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('{row}')");
    super::database_file::run(&cx, &there.database.name, &[&table]).unwrap();
    (step.result, there)
}

/// What is in that file.
pub(in crate::step) fn bytes_of(world: &World, result: &str) -> Vec<u8> {
    let there = read(&world.cx(1), result).unwrap();
    let folder = super::database_file::place(&world.cx(1)).join(there.database.name.as_str());
    Dir::open(&folder).unwrap().read("data.db", 1 << 24).unwrap()
}

mod life;
