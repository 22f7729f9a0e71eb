//! The help texts, as a whole: what each of them must have.

use crate::support::Host;
use clap::Command;

/// Every command with its path, such as `cart gear create`.
fn commands() -> Vec<(String, Command)> {
    fn walk(path: &str, command: &Command, found: &mut Vec<(String, Command)>) {
        found.push((path.to_owned(), command.clone()));
        for below in command
            .get_subcommands()
            .filter(|below| below.get_name() != "help" && !below.is_hide_set())
        {
            walk(&format!("{path} {}", below.get_name()), below, found);
        }
    }
    let mut root = cartwright::cli::command();
    root.build();
    let mut found = Vec::new();
    walk("cart", &root, &mut found);
    found
}

#[test]
fn help_is_imperative_and_has_no_full_stop() {
    for (path, command) in commands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let options = command.get_arguments().map(|option| {
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            (option.get_id().to_string(), help)
        });
        for (what, text) in options.chain([("itself".to_owned(), about)]) {
            let is_fine = text.starts_with(char::is_uppercase) && !text.ends_with('.');
            assert!(is_fine, "`{path}`, {what}: {text:?}");
        }
    }
}

#[test]
fn every_command_has_two_or_three_examples_that_the_command_line_accepts() {
    for (path, command) in commands() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let mut lines = help.lines();
        assert_eq!(lines.next(), Some("Examples:"), "`{path}`");
        let examples: Vec<_> = lines.map(str::trim).collect();
        assert!((2..=3).contains(&examples.len()), "`{path}`: {examples:?}");
        for example in examples {
            // What a shell would do with a redirection is not ours to test.
            let line = example.split(['<', '>']).next().unwrap();
            let words = line.split_whitespace();
            let parsed = cartwright::cli::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "`{path}`: {example}: {}", parsed.unwrap_err());
            let is_its_own = path == "cart" || line.starts_with(&path);
            assert!(is_its_own, "`{path}` shows an example of another command: {example}");
        }
    }
}

#[test]
fn changing_commands_can_be_rehearsed() {
    let changing = ["install", "remove", "undo", "recover", "cache clean", "gear create"];
    for verb in changing.into_iter().chain(["gear start", "gear stop", "gear destroy"]) {
        let path = format!("cart {verb}");
        let (_, command) = commands().into_iter().find(|(p, _)| *p == path).unwrap();
        let has =
            |name: &str| command.get_arguments().any(|option| option.get_long() == Some(name));
        assert!(has("dry-run"), "{path}");
        // Nothing but a transaction has a failure to hold or unwind.
        assert_eq!(has("on-failure"), !matches!(verb, "recover" | "cache clean"), "{path}");
    }
}

#[test]
fn aliases_reach_the_same_command() {
    let host = Host::new();
    for (alias, name) in
        [("rm", "remove"), ("uninstall", "remove"), ("ls", "list"), ("show", "info")]
    {
        assert_eq!(host.cart(&[alias, "--help"]), host.cart(&[name, "--help"]), "{alias}");
    }
}

#[test]
fn help_goes_to_stdout_and_does_not_tell_the_environment() {
    let host = Host::new();
    let ran = host.cart(&["install", "--help"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("[env: CART_ROOT]"), "{ran}");
    assert!(!ran.stdout.contains("[ROOT]"), "{ran}");
    let same = host.call(&["install", "--help"]).without_env("CART_ROOT").stdin("x").run();
    assert_eq!(ran, same);
}
