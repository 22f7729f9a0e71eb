//! What cartridges bring for an Apache in `httpd.d`: rendered settings, checked word by word.
//!
//! The administrator's web server reads them with the administrator's rights, and a package is not
//! trusted: only directives that say nothing of programs, modules or other people's files pass, and
//! an `Alias` leads to files of `httpd.d` alone, of which the front end has copies: the server's own
//! user sees no gear from within.

use crate::error::{Exit, Explain};
use crate::package::endpoint::WebPath;
use std::path::{Component, Path};

/// What a snippet may say, in lower case.
const HARMLESS: [&str; 20] = [
    "adddefaultcharset",
    "alias",
    "allow",
    "deny",
    "directoryindex",
    "errordocument",
    "expiresactive",
    "expiresbytype",
    "expiresdefault",
    "header",
    "order",
    "redirect",
    "redirectpermanent",
    "redirecttemp",
    "requestheader",
    "require",
    "satisfy",
    "<ifmodule",
    "<location",
    "<files",
];

/// Where a snippet comes from, and what it may use.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// Its name in messages: `cartridge/httpd.d/x.conf.erb`.
    pub name: &'a str,
    /// The cartridge's `httpd.d` in the gear.
    pub source: &'a Path,
    /// Where the copies of its files lie.
    pub copies: &'a Path,
    /// Further directives that the administrator allows.
    pub allowed: &'a [String],
}

/// A checked snippet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// Its lines, each word quoted anew.
    pub lines: Vec<String>,
    /// The paths that it serves itself, from files.
    pub aliases: Vec<WebPath>,
    /// The paths that it answers without files.
    pub answers: Vec<WebPath>,
}

/// A snippet says what it may not.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`, line {line}: {what}")]
pub struct SnippetError {
    name: String,
    line: usize,
    what: String,
}

impl Explain for SnippetError {
    fn exit(&self) -> Exit {
        Exit::Refused
    }
    fn hint(&self) -> Option<String> {
        Some("`frontend.apache.directives` in cart-config(5) allows further directives".into())
    }
}

/// Checks a rendered snippet.
pub fn check(text: &str, origin: &Origin<'_>) -> Result<Snippet, SnippetError> {
    let mut snippet = Snippet::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = |what: String| SnippetError { name: origin.name.into(), line: index + 1, what };
        add(&mut snippet, line, origin).map_err(at)?;
    }
    Ok(snippet)
}

fn add(snippet: &mut Snippet, line: &str, origin: &Origin<'_>) -> Result<(), String> {
    if line.ends_with('\\') {
        return Err("a line that goes on in the next one is not allowed".into());
    }
    if let Some(section) = line.strip_prefix("</").and_then(|rest| rest.strip_suffix('>')) {
        allow(&format!("<{section}"), origin)?;
        snippet.lines.push(format!("</{section}>"));
        return Ok(());
    }
    let is_section = line.starts_with('<');
    let line = match line.strip_suffix('>') {
        Some(line) if is_section => line,
        None if is_section => return Err("a section must end with `>`".into()),
        _ => line,
    };
    let mut words = words(line)?;
    if words.is_empty() {
        return Ok(());
    }
    let directive = words.remove(0);
    let lower = directive.to_lowercase();
    allow(&directive, origin)?;
    if let Some(bad) = words.iter().find(|word| steers(&lower, word)) {
        return Err(format!("`{}` is not allowed in `{directive}`", bad.escape_debug()));
    }
    match lower.as_str() {
        "alias" => alias(snippet, &mut words, origin)?,
        "redirect" | "redirectpermanent" | "redirecttemp" => {
            // Without a path it means the section around it.
            let path = words.iter().find(|word| word.starts_with('/'));
            snippet.answers.extend(path.and_then(|path| WebPath::parse(path)));
        }
        _ => {}
    }
    let whole: Vec<String> =
        std::iter::once(directive).chain(words.iter().map(|word| quoted(word))).collect();
    let end = if is_section { ">" } else { "" };
    snippet.lines.push(whole.join(" ") + end);
    Ok(())
}

fn allow(directive: &str, origin: &Origin<'_>) -> Result<(), String> {
    let lower = directive.to_lowercase();
    let named = |one: &String| one.trim_end_matches('>').to_lowercase() == lower;
    if HARMLESS.contains(&&*lower) || origin.allowed.iter().any(named) {
        return Ok(());
    }
    let shown = directive.trim_start_matches('<').escape_debug();
    Err(format!("the directive `{shown}` is not among those that a cartridge may use"))
}

/// Expressions read any file and variable of the server, and a pipe runs a program.
fn steers(directive: &str, word: &str) -> bool {
    let lower = word.to_lowercase();
    word.contains("%{")
        || word.contains("${")
        || word.contains(char::is_control)
        || word.starts_with('|')
        || lower.starts_with("expr=")
        || directive == "require" && lower == "expr"
}

fn alias(snippet: &mut Snippet, words: &mut [String], origin: &Origin<'_>) -> Result<(), String> {
    let [path, file] = words else {
        return Err("an `Alias` has a path and a file".into());
    };
    let served = WebPath::parse(path).ok_or_else(|| format!("`{path}` is no path"))?;
    let inner = Path::new(file.as_str()).strip_prefix(origin.source).ok();
    let plain = |inner: &&Path| inner.components().all(|one| matches!(one, Component::Normal(_)));
    let Some(inner) = inner.filter(plain) else {
        return Err(format!(
            "an `Alias` leads to files of `{}` alone, not to `{}`",
            origin.source.display(),
            file.escape_debug()
        ));
    };
    let slash = if file.ends_with('/') { "/" } else { "" };
    *file = format!("{}{slash}", origin.copies.join(inner).display());
    snippet.aliases.push(served);
    Ok(())
}

/// Takes a line apart as Apache does: words, those with quotes around them whole.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut rest = line.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(first) = rest.peek().copied() else { return Ok(found) };
        let mut word = String::new();
        if first == '"' || first == '\'' {
            rest.next();
            loop {
                match rest.next() {
                    None => return Err("a quote is not closed".into()),
                    Some(c) if c == first => break,
                    Some('\\') if rest.peek().is_some_and(|c| *c == first || *c == '\\') => {
                        word.extend(rest.next());
                    }
                    Some(c) => word.push(c),
                }
            }
        } else {
            while let Some(c) = rest.next_if(|c| !c.is_whitespace()) {
                word.push(c);
            }
        }
        found.push(word);
    }
}

/// Quotes a word for Apache.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Snippet, String> {
        let origin = Origin {
            name: "web/httpd.d/a.conf.erb",
            source: Path::new("/gears/blog/web/httpd.d"),
            copies: Path::new("/frontend/apache/blog.files/web"),
            allowed: &["SetEnv".into()],
        };
        check(text, &origin).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_harmless_passes_and_files_are_the_copies() {
        let text = "# a comment\n  Alias /health /gears/blog/web/httpd.d/health.html\n\
            alias '/docs/' \"/gears/blog/web/httpd.d/docs/\"\nRedirect gone /old\n\
            <Location /x>\n  Require all denied\n</Location>\nSetEnv A \"b \\\"c\"\n";
        let snippet = checked(text).unwrap();
        let copies = "/frontend/apache/blog.files/web";
        assert_eq!(
            snippet.lines,
            [
                format!("Alias \"/health\" \"{copies}/health.html\""),
                format!("alias \"/docs/\" \"{copies}/docs/\""),
                "Redirect \"gone\" \"/old\"".into(),
                "<Location \"/x\">".into(),
                "Require \"all\" \"denied\"".into(),
                "</Location>".into(),
                "SetEnv \"A\" \"b \\\"c\"".into(),
            ]
        );
        let shown = |all: &[WebPath]| all.iter().map(|one| one.as_str().to_owned()).collect();
        let aliases: Vec<String> = shown(&snippet.aliases);
        let answers: Vec<String> = shown(&snippet.answers);
        assert_eq!(
            (aliases, answers),
            (vec!["/health".into(), "/docs".into()], vec!["/old".into()])
        );
    }

    #[test]
    fn what_reaches_beyond_the_cartridge_is_refused_with_its_line() {
        for bad in [
            "LoadModule x /tmp/x.so",
            "CustomLog \"|/bin/sh\" common",
            "Alias / /etc/",
            "Alias /x /gears/blog/web/httpd.d/../../../other",
            "Alias /x /gears/blog/web/httpd.de",
            "</VirtualHost>",
            "<VirtualHost *:80>",
            "<Directory />",
            "Header set X \"expr=%{file:/etc/passwd}\"",
            "Header set X ${HOME}",
            "ErrorDocument 404 \"%{file:/etc/passwd}\"",
            "Require expr \"true\"",
            "Redirect / \\",
            "Alias \"/x",
            "SetHandler server-status",
            "ProxyPass / http://example.org/",
            "Include /etc/passwd",
            "<Location /x",
        ] {
            let error = checked(&format!("\n{bad}\n")).unwrap_err();
            assert!(error.starts_with("`web/httpd.d/a.conf.erb`, line 2: "), "{bad}: {error}");
        }
    }
}
