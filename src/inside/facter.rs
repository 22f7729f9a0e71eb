//! `facter`: the few facts that cartridges ask for, of which nearly all is `ipaddress`: where the
//! gear is to be reached on this host, which is its own address.

use super::{Call, Refused};
use crate::sys::fs;

/// The facts, in the order of the list.
const FACTS: [&str; 14] = [
    "architecture",
    "domain",
    "fqdn",
    "hardwaremodel",
    "hostname",
    "id",
    "ipaddress",
    "is_virtual",
    "kernel",
    "kernelrelease",
    "memorysize",
    "operatingsystem",
    "operatingsystemrelease",
    "processorcount",
];

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    let words = call.words();
    let asked: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    if let Some(option) = words.iter().find(|word| word.starts_with('-') && *word != "-p") {
        let text = format!("facter: unknown option `{}`", option.escape_debug());
        return Err(Refused::new(1, text).hint("say `facter FACT`"));
    }
    if let [one] = asked.as_slice() {
        // An unknown fact is an empty line, as in the original.
        let value = fact(call, one).unwrap_or_default();
        call.say(&value)?;
        return Ok(0);
    }
    let all = FACTS.iter().map(|name| (*name).to_owned());
    let names: Vec<String> =
        if asked.is_empty() { all.collect() } else { asked.into_iter().cloned().collect() };
    for name in names {
        let value = fact(call, &name).unwrap_or_default();
        call.say(&format!("{name} => {value}"))?;
    }
    Ok(0)
}

fn fact(call: &Call<'_>, name: &str) -> Option<String> {
    let system = rustix::system::uname();
    let text = |value: &std::ffi::CStr| value.to_string_lossy().into_owned();
    let dns = call.text("OPENSHIFT_GEAR_DNS");
    let fqdn = dns.unwrap_or_else(|| text(system.nodename()));
    Some(match name {
        "ipaddress" => call.address().to_string(),
        "fqdn" => fqdn,
        "hostname" => fqdn.split('.').next()?.to_owned(),
        "domain" => fqdn.split_once('.')?.1.to_owned(),
        "id" => call.text("USER")?,
        "kernel" => text(system.sysname()),
        "kernelrelease" => text(system.release()),
        "architecture" | "hardwaremodel" => text(system.machine()),
        "is_virtual" => "false".into(),
        "memorysize" => format!("{} MB", call.text("OPENSHIFT_GEAR_MEMORY_MB")?),
        "operatingsystem" => of_release("NAME")?.split(' ').next()?.to_owned(),
        "operatingsystemrelease" => of_release("VERSION_ID")?,
        "processorcount" => std::thread::available_parallelism().ok()?.to_string(),
        _ => return None,
    })
}

/// A field of the host's own description.
fn of_release(field: &str) -> Option<String> {
    let text = fs::read_text("/etc/os-release".as_ref()).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix('='))?;
    Some(value.trim_matches('"').to_owned())
}
