//! What a script says to the platform: lines with a prefix on its standard output.
//!
//! Anybody who can make a cartridge's script print something can print these lines, so names are
//! checked here, once; nothing is acted on here.

use crate::package::ident::EnvName;

/// Whether the script succeeded: much is said only by one that did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Exit status 0.
    Success,
    /// Anything else.
    Failure,
}

/// Who a message is for, and how it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// `CLIENT_MESSAGE`: always shown.
    Message,
    /// `CLIENT_RESULT`: the outcome of what was asked.
    Result,
    /// `CLIENT_DEBUG`.
    Debug,
    /// `CLIENT_ERROR`: something that the user can mend.
    Error,
    /// `CLIENT_INTERNAL_ERROR`: a fault of the cartridge.
    InternalError,
}

/// A name and its value; the value may itself have `=` in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pair {
    /// What stands before the first `=`.
    pub name: String,
    /// What stands after it.
    pub value: String,
}

/// One thing that a script said.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A message for the user.
    Client(Tone, String),
    /// `CART_DATA`.
    CartData(Pair),
    /// `CART_PROPERTIES`.
    CartProperty(Pair),
    /// `ATTR`.
    Attribute(Pair),
    /// `APP_INFO`.
    AppInfo(String),
    /// `NOTIFY_ENDPOINT_CREATE`, its JSON unread.
    EndpointCreated(String),
    /// `NOTIFY_ENDPOINT_DELETE`: address and port.
    EndpointDeleted(String),
    /// `SSH_KEY_ADD`; only on success, like all that follow.
    SshKeyAdd(String),
    /// `APP_SSH_KEY_ADD`: cartridge and key.
    AppSshKeyAdd(String),
    /// `ENV_VAR_ADD`: a variable of the whole domain.
    EnvVarAdd(Pair),
    /// `ENV_VAR_ADD_UNIQUE`: the same, unless there is one already.
    EnvVarAddUnique(Pair),
    /// `ENV_VAR_REMOVE`: a variable of the domain goes.
    EnvVarRemove(String),
    /// `APP_ENV_VAR_REMOVE`: a variable goes from all gears of the application.
    AppEnvVarRemove(String),
    /// `BROKER_AUTH_KEY_ADD`.
    BrokerAuthKeyAdd,
}

/// Everything that a script said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replies {
    /// What was understood, in order.
    pub replies: Vec<Reply>,
    /// Lines without a prefix: dropped by the original on success, debug output on failure.
    pub plain: Vec<String>,
    /// Lines with a prefix that were not heeded, each with the reason.
    pub notes: Vec<String>,
}

/// Reads the standard output of a script.
pub fn parse(output: &str, ending: Ending) -> Replies {
    let mut all = Replies::default();
    for line in output.lines() {
        match read_line(line) {
            Line::Plain => all.plain.push(line.to_owned()),
            Line::Reply(reply) if reply.only_on_success() && ending == Ending::Failure => {
                all.notes.push(note(line, "the script that printed it failed"));
            }
            Line::Reply(reply) => all.replies.push(reply),
            Line::Bad(why) => all.notes.push(note(line, why)),
        }
    }
    all
}

/// Tells whether a line of output is none of the protocol.
pub fn is_plain(line: &str) -> bool {
    matches!(read_line(line), Line::Plain)
}

fn note(line: &str, why: &str) -> String {
    let short: String = line.chars().take(120).collect();
    format!("`{}` is not heeded: {why}", short.escape_debug())
}

impl Reply {
    fn only_on_success(&self) -> bool {
        matches!(
            self,
            Self::SshKeyAdd(_)
                | Self::AppSshKeyAdd(_)
                | Self::EnvVarAdd(_)
                | Self::EnvVarAddUnique(_)
                | Self::EnvVarRemove(_)
                | Self::AppEnvVarRemove(_)
                | Self::BrokerAuthKeyAdd
        )
    }
}

enum Line {
    Plain,
    Reply(Reply),
    Bad(&'static str),
}

const NO_PAIR: &str = "it is not `name=value`";
const NO_VARIABLE: &str = "that is not the name of a variable";

fn read_line(line: &str) -> Line {
    let Some((prefix, rest)) = line.split_once(':') else { return Line::Plain };
    // One blank after the colon belongs to the prefix; further ones to the text.
    let text = rest.strip_prefix(' ').unwrap_or(rest);
    let client = |tone| Line::Reply(Reply::Client(tone, text.to_owned()));
    let pair = |make: fn(Pair) -> Reply| match pair_of(text) {
        Some(pair) => Line::Reply(make(pair)),
        None => Line::Bad(NO_PAIR),
    };
    let variable = |make| match pair_of(text).map(|pair| EnvName::parse(&pair.name)) {
        Some(Err(_)) => Line::Bad(NO_VARIABLE),
        _ => pair(make),
    };
    let name = |make: fn(String) -> Reply| match EnvName::parse(text.trim()) {
        Ok(name) => Line::Reply(make(name.as_str().to_owned())),
        Err(_) => Line::Bad(NO_VARIABLE),
    };
    let plain = |make: fn(String) -> Reply| Line::Reply(make(text.trim().to_owned()));
    match prefix {
        "CLIENT_MESSAGE" => client(Tone::Message),
        "CLIENT_RESULT" => client(Tone::Result),
        "CLIENT_DEBUG" => client(Tone::Debug),
        "CLIENT_ERROR" => client(Tone::Error),
        "CLIENT_INTERNAL_ERROR" => client(Tone::InternalError),
        "CART_DATA" => pair(Reply::CartData),
        "CART_PROPERTIES" => pair(Reply::CartProperty),
        "ATTR" => pair(Reply::Attribute),
        "APP_INFO" => plain(Reply::AppInfo),
        "NOTIFY_ENDPOINT_CREATE" => plain(Reply::EndpointCreated),
        "NOTIFY_ENDPOINT_DELETE" => plain(Reply::EndpointDeleted),
        "SSH_KEY_ADD" => plain(Reply::SshKeyAdd),
        "APP_SSH_KEY_ADD" => plain(Reply::AppSshKeyAdd),
        "ENV_VAR_ADD" => variable(Reply::EnvVarAdd),
        "ENV_VAR_ADD_UNIQUE" => variable(Reply::EnvVarAddUnique),
        "ENV_VAR_REMOVE" => name(Reply::EnvVarRemove),
        "APP_ENV_VAR_REMOVE" => name(Reply::AppEnvVarRemove),
        "BROKER_AUTH_KEY_ADD" => Line::Reply(Reply::BrokerAuthKeyAdd),
        _ => Line::Plain,
    }
}

fn pair_of(text: &str) -> Option<Pair> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim();
    (!name.is_empty()).then(|| Pair { name: name.to_owned(), value: value.to_owned() })
}

/// What a script printed, for people: messages without their prefixes, all else as it is.
pub fn spoken(output: &str) -> String {
    let mut all = String::with_capacity(output.len());
    for line in output.lines() {
        match read_line(line) {
            Line::Reply(Reply::Client(_, text)) => all.push_str(&text),
            _ => all.push_str(line),
        }
        all.push('\n');
    }
    all
}

/// The longest text of a script that is shown.
const LONGEST_TEXT: usize = 2000;

/// The text, without what is too much of it.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{} […]", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The code of a failed script, as the original records it: below 100 all are one, since cartridges
/// use them as they like; from there on they mean something (node specification, 4.2 and 4.6).
pub fn recorded(status: i32) -> i32 {
    if (1..100).contains(&status) { 157 } else { status }
}

/// Puts `prefix` (such as `CLIENT_ERROR`) before every line of `text`, except before lines that
/// say already whom they are for.
pub fn prefixed(text: &str, prefix: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for line in text.lines() {
        if !line.starts_with("CLIENT_") {
            all.push_str(prefix);
            all.push_str(": ");
        }
        all.push_str(line);
        all.push('\n');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> Pair {
        Pair { name: name.into(), value: value.into() }
    }

    #[test]
    fn values_with_equals_signs_survive() {
        let all = parse("ENV_VAR_ADD: URL=http://x/?a=b&c=d\nCART_DATA: k=v=w\n", Ending::Success);
        assert_eq!(
            all.replies,
            [Reply::EnvVarAdd(pair("URL", "http://x/?a=b&c=d")), Reply::CartData(pair("k", "v=w"))]
        );
    }

    #[test]
    fn a_failed_script_may_speak_but_not_change_things() {
        let output = "CLIENT_ERROR: disk\nENV_VAR_ADD: A=b\nSSH_KEY_ADD: k\nATTR: a=b\nplain\n";
        let all = parse(output, Ending::Failure);
        assert_eq!(
            all.replies,
            [Reply::Client(Tone::Error, "disk".into()), Reply::Attribute(pair("a", "b"))]
        );
        assert_eq!(all.plain, ["plain"]);
        assert_eq!(all.notes.len(), 2);
        assert_eq!(parse(output, Ending::Success).replies.len(), 4);
    }

    #[test]
    fn only_a_prefix_at_the_start_of_a_line_counts() {
        let all = parse(" CLIENT_RESULT: x\nsee CLIENT_RESULT: x\nhttp://x\n", Ending::Success);
        assert!(all.replies.is_empty());
        assert_eq!(all.plain.len(), 3);
    }

    #[test]
    fn names_that_are_none_are_noted_and_not_heeded() {
        for bad in [
            "ENV_VAR_ADD: ../x=1",
            "ENV_VAR_ADD: A",
            "APP_ENV_VAR_REMOVE: a/b",
            "CART_DATA: =x",
            "ENV_VAR_ADD: A\u{1b}=1",
        ] {
            let all = parse(bad, Ending::Success);
            assert!(all.replies.is_empty(), "{bad:?}");
            assert_eq!(all.notes.len(), 1, "{bad:?}");
            assert!(!all.notes[0].contains('\u{1b}'));
        }
    }

    #[test]
    fn every_line_of_the_protocol_is_understood() {
        let (say, text) = (|line: &str| parse(line, Ending::Success).replies, |t: &str| t.into());
        let client = |tone| vec![Reply::Client(tone, text(" two"))];
        for (line, expected) in [
            ("CLIENT_MESSAGE:  two", client(Tone::Message)),
            ("CLIENT_RESULT:  two", client(Tone::Result)),
            ("CLIENT_DEBUG:  two", client(Tone::Debug)),
            ("CLIENT_ERROR:  two", client(Tone::Error)),
            ("CLIENT_INTERNAL_ERROR:  two", client(Tone::InternalError)),
            ("CLIENT_RESULT: ", vec![Reply::Client(Tone::Result, String::new())]),
            ("CLIENT_RESULT:x\r", vec![Reply::Client(Tone::Result, text("x\r"))]),
            ("CART_DATA: a=b=c", vec![Reply::CartData(pair("a", "b=c"))]),
            ("CART_PROPERTIES: a=", vec![Reply::CartProperty(pair("a", ""))]),
            ("ATTR: a=b", vec![Reply::Attribute(pair("a", "b"))]),
            ("APP_INFO: some text ", vec![Reply::AppInfo(text("some text"))]),
            ("NOTIFY_ENDPOINT_CREATE: {}", vec![Reply::EndpointCreated(text("{}"))]),
            ("NOTIFY_ENDPOINT_DELETE: 1 2", vec![Reply::EndpointDeleted(text("1 2"))]),
            ("SSH_KEY_ADD: k", vec![Reply::SshKeyAdd(text("k"))]),
            ("APP_SSH_KEY_ADD: c k", vec![Reply::AppSshKeyAdd(text("c k"))]),
            ("ENV_VAR_ADD: A=b=c", vec![Reply::EnvVarAdd(pair("A", "b=c"))]),
            ("ENV_VAR_ADD_UNIQUE: A=b", vec![Reply::EnvVarAddUnique(pair("A", "b"))]),
            ("ENV_VAR_REMOVE: A", vec![Reply::EnvVarRemove(text("A"))]),
            ("APP_ENV_VAR_REMOVE: A", vec![Reply::AppEnvVarRemove(text("A"))]),
            ("BROKER_AUTH_KEY_ADD: ", vec![Reply::BrokerAuthKeyAdd]),
            ("NOTIFY_MAPPING_CREATE: x", vec![]),
            ("CLIENT_MESSAGE", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(say(line), expected, "{line:?}");
        }
    }

    #[test]
    fn binary_and_long_lines_are_survived() {
        let noise: String = (0..10_000u32).filter_map(|n| char::from_u32(n * 7 % 0x3000)).collect();
        let output = format!("{noise}\nCLIENT_RESULT: {}\nENV_VAR_ADD: {noise}", "x".repeat(9999));
        let all = parse(&output, Ending::Success);
        assert_eq!(all.replies.len(), 1);
        let Reply::Client(_, text) = &all.replies[0] else { unreachable!() };
        assert!(shortened(text).len() < 2020);
        assert_eq!(shortened("short"), "short");
        assert!(all.notes.iter().all(|note| note.len() < 1000));
    }

    #[test]
    fn people_read_no_prefixes() {
        let output = "CLIENT_RESULT: it runs\nplain\nCART_DATA: a=b\n";
        assert_eq!(spoken(output), "it runs\nplain\nCART_DATA: a=b\n");
    }

    proptest::proptest! {
        #[test]
        fn what_is_marked_as_a_text_asks_for_nothing(
            lines in "(ENV_VAR_ADD: A=b|CLIENT_ERROR: |CLIENT_X: |CART_DATA|:|=|\\PC|\r|\0|\n){0,40}",
        ) {
            let said = parse(&prefixed(&lines, "CLIENT_MESSAGE"), Ending::Success);
            assert!(said.replies.iter().all(|reply| matches!(reply, Reply::Client(..))));
            assert!(said.plain.iter().all(|line| line.starts_with("CLIENT_")));
            assert!(said.notes.is_empty());
        }
    }

    #[test]
    fn codes_below_a_hundred_are_one() {
        let recorded: Vec<_> = [0, 1, 99, 100, 131, 255].into_iter().map(recorded).collect();
        assert_eq!(recorded, [0, 157, 157, 100, 131, 255]);
    }

    #[test]
    fn lines_get_their_prefix_once() {
        assert_eq!(
            prefixed("a\nCLIENT_RESULT: b\n", "CLIENT_MESSAGE"),
            "CLIENT_MESSAGE: a\nCLIENT_RESULT: b\n"
        );
        assert_eq!(prefixed("", "CLIENT_MESSAGE"), "");
    }
}
