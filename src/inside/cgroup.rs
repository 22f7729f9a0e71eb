//! `oo-cgroup-read ATTRIBUTE`: the limits of the gear, by the names that they had in version 1 of
//! control groups.

use super::{Call, Refused};
use crate::sys::fs::{self, Dir};
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
    match attribute {
        "memory.limit_in_bytes" | "memory.memsw.limit_in_bytes" => {
            Some((memory()? << 20).to_string())
        }
        "memory.usage_in_bytes" | "memory.memsw.usage_in_bytes" => {
            of_group("memory.current").or_else(|| Some(resident()?.to_string()))
        }
        "memory.failcnt" | "memory.memsw.failcnt" => {
            let events = of_group("memory.events").unwrap_or_default();
            let count = events.lines().find_map(|line| line.strip_prefix("max "));
            Some(count.unwrap_or("0").to_owned())
        }
        "cpu.shares" => Some("1024".into()),
        // No limit, in the words of version 1.
        "cpu.cfs_quota_us" => Some("-1".into()),
        "cpu.cfs_period_us" => Some("100000".into()),
        _ => None,
    }
}

/// A file of the control group that this process is in, where that is one of version 2.
fn of_group(file: &str) -> Option<String> {
    let groups = fs::read_text("/proc/self/cgroup".as_ref()).ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let path = Path::new("/sys/fs/cgroup").join(group).join(file);
    Some(fs::read_text(&path).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
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
