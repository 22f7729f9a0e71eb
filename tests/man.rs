//! The manual: pages of section 1 are made from the command line's own definition, and must be
//! the ones in `man/`. `UPDATE_MAN=1 cargo test --test man` writes them anew.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that reads and writes the source tree"
)]

use cartwright::config::Config;
use cartwright::error::Exit;
use clap::Command;
use clap_mangen::Man;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const CODES: [Exit; 14] = [
    Exit::Done,
    Exit::Failed,
    Exit::Usage,
    Exit::NotFound,
    Exit::Conflict,
    Exit::Refused,
    Exit::Integrity,
    Exit::Source,
    Exit::Busy,
    Exit::PutBack,
    Exit::Stuck,
    Exit::Pending,
    Exit::Interrupted,
    Exit::Terminated,
];

/// What a code means to somebody who reads it in a script. A new code does not compile without.
fn meaning(code: Exit) -> &'static str {
    match code {
        Exit::Done => "Done, or there was nothing to do.",
        Exit::Failed => "Failed; the host is as it was before.",
        Exit::Usage => "The command line or the settings make no sense.",
        Exit::NotFound => "Something that was named does not exist.",
        Exit::Conflict => "The request contradicts itself or what is installed.",
        Exit::Refused => "Refused: not confirmed, held, or against a policy.",
        Exit::Integrity => "A wrong digest or signature, or an unsafe archive.",
        Exit::Source => "The network failed, or the source at its other end.",
        Exit::Busy => "Another process holds a lock; \\fB\\-\\-wait\\fR waits for it.",
        Exit::PutBack => "Failed after scripts had run; everything was put back.",
        Exit::Stuck => {
            "Undoing failed for a package or gear; see \\fBcart\\-recovery\\fR(7). Everything else \
             works on."
        }
        Exit::Pending => "There are changes that could be made.",
        Exit::Interrupted => "Interrupted (SIGINT); what had begun was put back.",
        Exit::Terminated => "Terminated (SIGTERM); what had begun was put back.",
    }
}

const ENVIRONMENT: &str = r".SH ENVIRONMENT
.TP
\fBCART_ROOT\fR
The directory below which to work, as \fB\-\-root\fR.
.TP
\fBNO_COLOR\fR, \fBCLICOLOR_FORCE\fR
Never colour, and colour without a terminal too. \fB\-\-color\fR has the last word.
.TP
\fBXDG_CONFIG_HOME\fR, \fBXDG_DATA_HOME\fR, \fBXDG_CACHE_HOME\fR
Where the folders of a user other than root lie.
.TP
\fBHTTP_PROXY\fR, \fBHTTPS_PROXY\fR, \fBALL_PROXY\fR, \fBNO_PROXY\fR
The proxies for downloads, also in lower case.
";

const FILES: &str = r".SH FILES
For root, and below DIR with \fB\-\-root\fR; for any other user, \fIcartwright\fR in the XDG
folders.
.TP
\fI/etc/cartwright/config.yml\fR
The settings; see \fBcart\-config\fR(5).
.TP
\fI/var/lib/cartwright/\fR
The state: the database \fIcart.db\fR, the library of installed packages, the gears, and what is
kept in order to go back.
.TP
\fI/var/cache/cartwright/\fR
Downloads that may be wanted again.
";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man")
}

/// Every page of section 1: file name and text.
fn pages() -> BTreeMap<String, String> {
    fn walk(command: &Command, pages: &mut BTreeMap<String, String>) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        pages.insert(format!("{name}.1"), page(command, name));
        for below in command
            .get_subcommands()
            .filter(|below| below.get_name() != "help" && !below.is_hide_set())
        {
            walk(below, pages);
        }
    }
    let mut command = cartwright::cli::command();
    command.build();
    let mut pages = BTreeMap::new();
    walk(&command, &mut pages);
    pages
}

fn page(command: &Command, name: &str) -> String {
    let man = Man::new(command.clone());
    let mut options = Vec::new();
    man.render_options_section(&mut options).unwrap();
    let options = String::from_utf8(options).unwrap();
    let is_preamble = |line: &&str| line.starts_with(".ie ") || line.starts_with(".el ");
    let options = options
        .lines()
        .filter(|line| !is_preamble(line))
        .fold(String::new(), |all, line| all + line + "\n");
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut text =
        bold_literals(&(head(command, name) + &options + &commands(command))) + &examples(&help);
    if name == "cart" {
        text += &exit_status();
        text += ENVIRONMENT;
        text += FILES;
    }
    text + &see_also(name)
}

/// The page down to its description. It has no date and no version: a page changes when its
/// command does, and at no other time.
fn head(command: &Command, name: &str) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let long = command.get_long_about().map(ToString::to_string).unwrap_or(about.clone());
    let long = long.replacen(&about, &format!("{about}."), 1);
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let called = command.get_bin_name().unwrap_or(name);
    let usage = usage.strip_prefix(called).unwrap_or_default();
    let mut text = String::from(".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n");
    writeln!(text, ".TH {name} 1 \"\" cartwright \"cartwright manual\"").unwrap();
    writeln!(text, ".SH NAME\n{} \\- {}", escaped(name), escaped(&about)).unwrap();
    writeln!(text, ".SH SYNOPSIS\n\\fB{}\\fR{}", escaped(called), escaped(usage)).unwrap();
    writeln!(text, ".SH DESCRIPTION\n{}", escaped(&long).replace("\n\n", "\n.PP\n")).unwrap();
    text
}

fn commands(command: &Command) -> String {
    let mut text = String::new();
    for below in
        command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set())
    {
        if text.is_empty() {
            text += ".SH COMMANDS\n";
        }
        let page = escaped(below.get_display_name().unwrap());
        let about = below.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(text, ".TP\n\\fB{page}\\fR(1)\n{}", escaped(&about)).unwrap();
    }
    text
}

/// `x` as the manual shows literals.
fn bold_literals(text: &str) -> String {
    let mut parts = text.split('`');
    let mut bold = parts.next().unwrap_or_default().to_owned();
    for (number, part) in parts.enumerate() {
        bold += if number % 2 == 0 { "\\fB" } else { "\\fR" };
        bold += part;
    }
    assert_eq!(text.matches('`').count() % 2, 0, "a literal does not end:\n{text}");
    bold
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}

fn examples(help: &str) -> String {
    let mut text = ".SH EXAMPLES\n.nf\n".to_owned();
    for line in help.lines().skip(1) {
        writeln!(text, "{}", escaped(line.trim())).unwrap();
    }
    text + ".fi\n"
}

fn exit_status() -> String {
    let mut text = ".SH \"EXIT STATUS\"\n".to_owned();
    for code in CODES {
        writeln!(text, ".TP\n\\fB{}\\fR\n{}", code as u8, meaning(code)).unwrap();
    }
    text
}

fn see_also(name: &str) -> String {
    let others: &[_] = match name {
        "cart" => &[
            "cart-config(5)",
            "cart-inside(7)",
            "cart-manifest(5)",
            "cart-recovery(7)",
            "cart-tpkg(5)",
        ],
        "cart-recover" | "cart-undo" | "cart-history" => &["cart(1)", "cart-recovery(7)"],
        "cart-doctor" => &["cart(1)", "cart-inside(7)"],
        "cart-lint" => &["cart(1)", "cart-manifest(5)", "cart-tpkg(5)"],
        "cart-build" => &["cart(1)", "cart-lint(1)", "cart-manifest(5)", "cart-tpkg(5)"],
        _ if name.starts_with("cart-external") => &["cart(1)", "cart-externals(7)"],
        _ if name.starts_with("cart-gear-") => &["cart(1)", "cart-gear(1)"],
        _ => &["cart(1)"],
    };
    let others = others.iter().map(|other| {
        let (page, section) = other.split_once('(').unwrap();
        format!("\\fB{}\\fR({section}", escaped(page))
    });
    format!(".SH \"SEE ALSO\"\n{}\n", others.collect::<Vec<_>>().join(",\n"))
}

#[test]
fn the_pages_are_those_of_the_command_line() {
    let pages = pages();
    let is_update = std::env::var_os("UPDATE_MAN").is_some();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_stray = name.ends_with(".1") && !pages.contains_key(&name);
        if is_stray && is_update {
            std::fs::remove_file(&path).unwrap();
        } else {
            assert!(!is_stray, "man/{name} describes a command that there is not");
        }
    }
    for (name, text) in &pages {
        let path = folder().join(name);
        if is_update {
            std::fs::write(&path, text).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(there == *text, "man/{name} is out of date: UPDATE_MAN=1 cargo test --test man");
    }
}

#[test]
fn every_setting_is_in_the_manual_with_its_default() {
    fn walk(prefix: &str, value: &serde_json::Value, settings: &mut Vec<(String, String)>) {
        match value {
            serde_json::Value::Object(fields) if fields.is_empty() => {
                settings.push((prefix.into(), "none".into()));
            }
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    let dot = if prefix.is_empty() { "" } else { "." };
                    walk(&format!("{prefix}{dot}{name}"), value, settings);
                }
            }
            serde_json::Value::Null => settings.push((prefix.into(), "none".into())),
            serde_json::Value::Array(items) if items.is_empty() => {
                settings.push((prefix.into(), "none".into()));
            }
            serde_json::Value::String(text) => settings.push((prefix.into(), text.clone())),
            serde_json::Value::Array(items) => {
                let items = items.iter().map(|item| item.as_str().unwrap());
                settings.push((prefix.into(), items.collect::<Vec<_>>().join(", ")));
            }
            other => settings.push((prefix.into(), other.to_string())),
        }
    }
    let mut settings = Vec::new();
    walk("", &serde_json::to_value(Config::default()).unwrap(), &mut settings);
    assert!(settings.len() > 20, "{settings:?}");
    let page = std::fs::read_to_string(folder().join("cart-config.5")).unwrap();
    let described: Vec<_> = page.split("\n.TP\n").skip(1).collect();
    for (name, default) in &settings {
        let head = format!("\\fB{name}\\fR\n");
        let text = described.iter().find_map(|text| text.strip_prefix(&head));
        let text = text.unwrap_or_else(|| panic!("cart-config(5) does not know `{name}`"));
        let expected = format!("Default: {default}.");
        assert!(text.contains(&expected), "cart-config(5), `{name}`: {expected}\n{text}");
    }
    let known = page.matches("Default: ").count();
    assert_eq!(known, settings.len(), "cart-config(5) describes a setting that there is not");
}

#[test]
fn hand_written_pages_name_no_command_that_there_is_not() {
    let pages = pages();
    for name in ["cart-config.5", "cart-externals.7", "cart-inside.7", "cart-recovery.7"] {
        let text = std::fs::read_to_string(folder().join(name)).unwrap().replace("\\-", "-");
        for reference in text.split("\\fB").skip(1) {
            let Some((page, rest)) = reference.split_once("\\fR(1)") else { continue };
            if page.starts_with("cart") && !page.contains(char::is_whitespace) {
                assert!(pages.contains_key(&format!("{page}.1")), "{name}: {page}(1){rest}");
            }
        }
    }
}
