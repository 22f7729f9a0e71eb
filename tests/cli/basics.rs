//! What every command has in common: versions, usage errors, their forms, lost readers.

use crate::support::Host;
use std::process::Stdio;

#[test]
fn the_version_is_one_line() {
    let expected = format!("cart {}\n", env!("CARGO_PKG_VERSION"));
    let host = Host::new();
    host.cart(&["--version"]).is(0, &expected, "");
    assert_eq!(host.tree(), "", "and nothing is made on the disk");
}

#[test]
fn without_a_command_the_help_is_told_as_a_mistake() {
    let host = Host::new();
    for path in [&[][..], &["gear"], &["cache"]] {
        let help = host.cart(&[path, &["-h"]].concat());
        assert!(help.status == 0 && help.stdout.contains("Usage: cart"), "{help}");
        host.cart(path).is(2, "", &help.stdout);
        host.call(path).without_env("CART_ROOT").run().is(2, "", &help.stdout);
    }
    assert_eq!(host.cart(&["--json"]).json()["error"]["exit"], 2);
}

#[test]
fn a_mistyped_command_is_refused_with_what_was_probably_meant() {
    Host::new().cart(&["instal"]).is(
        2,
        "",
        "error: there is no command `instal`\n  \
         hint: did you mean `install`?\n",
    );
}

#[test]
fn bad_options_and_values_are_usage_errors_that_name_the_remedy() {
    let host = Host::new();
    for (line, stderr) in [
        ("list --jsn", "error: there is no option `--jsn` here\n  hint: did you mean `--json`?\n"),
        (
            "list --color blue",
            "error: `blue` is no value for `--color <WHEN>`\n  \
             hint: it can be `auto`, `always`, `never`\n",
        ),
        ("undo", "error: missing: `<ID>`\n  hint: `cart undo --help` shows what it accepts\n"),
        (
            "list x",
            "error: `x` is one argument too many\n  hint: `cart list --help` shows what it accepts\n",
        ),
        (
            "list -q -v",
            "error: `--quiet` does not go with `--verbose...`\n  hint: `cart list --help` shows what it accepts\n",
        ),
        (
            "install --md5 12 x",
            "error: `12` is no value for `--md5 <HEX>`\n  \
             caused by: `12` is no MD5 digest: 32 hexadecimal digits are expected\n",
        ),
        (
            "install --md5 d41d8cd98f00b204e9800998ecf8427e x y",
            "error: `--md5` goes with a single source\n  \
             hint: install the sources one by one, each with its digest\n",
        ),
        (
            "gear start Blog",
            "error: `Blog` is no value for `[NAME]`\n  \
             caused by: gear name `Blog` is not valid: lower-case letters, digits and `-`, \
             beginning with a letter, not ending with `-`, at most 32\n",
        ),
    ] {
        let arguments: Vec<_> = line.split(' ').collect();
        host.cart(&arguments).is(2, "", stderr);
    }
    assert_eq!(host.tree(), "", "a refused command line leaves nothing behind");
}

#[test]
fn failures_are_json_on_stdout_when_json_is_wanted_wherever_the_option_stands() {
    let host = Host::new();
    let expected = r#"{
  "schema": 1,
  "error": {
    "summary": "there is no command `instal`",
    "causes": [],
    "state": null,
    "hints": [
      "did you mean `install`?"
    ],
    "exit": 2
  }
}
"#;
    host.cart(&["--json", "instal"]).is(2, expected, "");
    host.cart(&["instal", "--json"]).is(2, expected, "");
    let text = host.cart(&["instal", "--", "--json"]);
    assert_eq!(text.stdout, "", "after `--` it is no option: {text}");
}

#[test]
fn colour_comes_when_it_is_asked_for_and_never_by_itself() {
    let host = Host::new();
    let red = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m";
    for (line, has_colour) in [
        (&["instal"][..], false),
        (&["--color", "always", "instal"], true),
        (&["instal", "--color=always"], true),
        (&["--color", "never", "instal"], false),
    ] {
        let ran = host.cart(line);
        assert_eq!(ran.stderr.contains(red), has_colour, "{line:?}: {:?}", ran.stderr);
    }
    let forced = host.call(&["instal"]).env("CLICOLOR_FORCE", "1");
    assert!(forced.run().stderr.contains(red));
    let both = host.call(&["instal"]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
    assert!(!both.run().stderr.contains('\u{1b}'));
}

#[test]
fn what_a_mistaken_argument_holds_cannot_act_on_the_terminal() {
    let ran = Host::new().cart(&["\u{1b}[2J\u{9b}x"]);
    assert!(ran.stderr.starts_with("error: there is no command `\\u{1b}[2J\\u{9b}x`\n"), "{ran}");
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let host = Host::new();
    let mut command = host.call(&["completions", "zsh"]).into_command();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn data_that_cannot_be_written_is_a_failure() {
    let host = Host::new();
    let mut command = host.call(&["completions", "zsh"]).into_command();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        stderr,
        "error: cannot write to standard output\n  \
         caused by: No space left on device (os error 28)\n"
    );
}

#[test]
fn an_empty_root_is_refused_and_never_taken_for_the_host() {
    let ran = Host::new().call(&["list"]).env("CART_ROOT", "").run();
    ran.is(2, "", "error: `--root <DIR>` needs a value\n");
}
