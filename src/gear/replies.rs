//! What scripts say to the platform, one line each, the prefix at column 0 (node specification,
//! 4.7).

/// A line that means something to the platform or to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `CLIENT_MESSAGE`, `CLIENT_RESULT`, `APP_INFO`: the user wants to read it.
    Message(String),
    /// `CLIENT_ERROR`, `CLIENT_INTERNAL_ERROR`: what the user should mend.
    Error(String),
    /// A line that the platform acts on and this version does not: named, never dropped silently.
    Unheeded(&'static str),
}

/// Lines with which a script asks for something that belongs to later parts of the platform; they
/// count only when the script succeeded.
const REQUESTS: [&str; 9] = [
    "ENV_VAR_ADD_UNIQUE",
    "ENV_VAR_ADD",
    "ENV_VAR_REMOVE",
    "APP_ENV_VAR_REMOVE",
    "SSH_KEY_ADD",
    "APP_SSH_KEY_ADD",
    "BROKER_AUTH_KEY_ADD",
    "NOTIFY_ENDPOINT_CREATE",
    "NOTIFY_ENDPOINT_DELETE",
];

/// Reads what a script printed. Requests count only with exit status 0.
pub fn parse(output: &str, succeeded: bool) -> Vec<Reply> {
    output.lines().filter_map(|line| reply(line, succeeded)).collect()
}

fn reply(line: &str, succeeded: bool) -> Option<Reply> {
    let (prefix, text) = line.split_once(':')?;
    let text = text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned();
    match prefix {
        "CLIENT_MESSAGE" | "CLIENT_RESULT" | "APP_INFO" => Some(Reply::Message(text)),
        "CLIENT_ERROR" | "CLIENT_INTERNAL_ERROR" => Some(Reply::Error(text)),
        _ if succeeded => {
            REQUESTS.into_iter().find(|request| *request == prefix).map(Reply::Unheeded)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_by_their_prefix_and_requests_only_after_success() {
        let output = "noise\nCLIENT_MESSAGE: a: b\nCLIENT_RESULT:\nCLIENT_ERROR: bad\n \
                      CLIENT_MESSAGE: indented\nENV_VAR_ADD: K=a=b\nCLIENT_DEBUG: x\n";
        let told = [
            Reply::Message("a: b".into()),
            Reply::Message(String::new()),
            Reply::Error("bad".into()),
        ];
        assert_eq!(parse(output, false), told);
        let mut more = told.to_vec();
        more.push(Reply::Unheeded("ENV_VAR_ADD"));
        assert_eq!(parse(output, true), more);
    }
}
