//! `cart completions`.

use crate::support::Host;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn every_shell_gets_a_script_that_knows_the_commands() {
    let host = Host::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = host.cart(&["completions", shell]);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{shell}");
        for word in ["install", "gear", "destroy", "on-failure"] {
            assert!(ran.stdout.contains(word), "{shell} does not know `{word}`");
        }
    }
}

#[test]
fn bash_accepts_its_script_and_completes_with_it() {
    let script = Host::new().cart(&["completions", "bash"]).stdout;
    let ask =
        "COMP_WORDS=(cart gear cr); COMP_CWORD=2; _cart cart cr gear; echo \"${COMPREPLY[*]}\"";
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile"]);
    let mut bash =
        bash.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    write!(bash.stdin.take().unwrap(), "{script}\n{ask}\n").unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "create\n");
}
