//! `oo-cgroup-read ATTRIBUTE`: the limits of the gear, by the names that they had in version 1 of
//! control groups.

use super::{Call, Refused};
use crate::sys::cgroup;
use crate::sys::fs::Dir;
use std::path::Path;

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    let words = call.words();
    let attribute = words.first().map_or("", String::as_str);
    let is_name = |one: char| one.is_ascii_alphanumeric() || ".-_".contains(one);
    if !attribute.chars().all(is_name) {
        call.say(&format!("{} is an invalid attribute", attribute.escape_debug()))?;
        return Ok(1);
    }
    let Some(value) = value(call, attribute) else {
        call.say(&format!("Could not find attribute {attribute}"))?;
        return Ok(2);
    };
    call.say(&value)?;
    Ok(0)
}

fn value(call: &Call<'_>, attribute: &str) -> Option<String> {
    let memory = || call.text("OPENSHIFT_GEAR_MEMORY_MB")?.trim().parse::<u64>().ok();
    // What the kernel holds this gear to; without a group of its own, what it is told.
    let usage = cgroup::usage(&cgroup::own("cartwright-"));
    let number = match attribute {
        "memory.limit_in_bytes" | "memory.memsw.limit_in_bytes" => match usage.memory_limit {
            Some(limit) => limit,
            None => memory()? << 20,
        },
        "memory.usage_in_bytes" | "memory.memsw.usage_in_bytes" => {
            usage.memory.or_else(resident)?
        }
        "memory.failcnt" | "memory.memsw.failcnt" => usage.met.unwrap_or_default(),
        "cpu.shares" => 1024,
        // No limit, in the words of version 1.
        "cpu.cfs_quota_us" => return Some("-1".into()),
        "cpu.cfs_period_us" => 100_000,
        _ => return None,
    };
    Some(number.to_string())
}

/// What the processes of this user have in memory, in bytes.
fn resident() -> Option<u64> {
    let proc = Dir::open(Path::new("/proc")).ok()?;
    let own = crate::sys::process::of_user(crate::sys::host::user_id()).ok()?;
    let of = |id: u32| -> Option<u64> {
        let status = proc.read(format!("{id}/status"), 1 << 16).ok()?;
        let status = String::from_utf8_lossy(&status);
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Some(own.into_iter().filter_map(of).sum::<u64>() << 10)
}
