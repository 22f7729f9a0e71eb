//! One request with its redirects, and what its failures mean.

use super::super::error::SourceError;
use super::super::feed::Link;
use super::super::redact;
use super::client::Http;
use super::retry::retry_after;
use crate::sys::clock::Moment;
use reqwest::blocking::{RequestBuilder, Response};
use reqwest::header::{
    ACCEPT_ENCODING, HeaderMap, HeaderValue, IF_RANGE, LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::{StatusCode, Url};
use std::error::Error;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// From which byte on a file is wanted, and what proves that it is still the same file.
pub(super) struct Rest {
    pub(super) from: u64,
    pub(super) validator: HeaderValue,
}

/// Asks for `named`, follows redirects, and gives the successful answer with its address.
pub(super) fn ask(
    http: &Http,
    named: &Url,
    rest: Option<&Rest>,
    link: &Link,
) -> Result<(Response, Url), SourceError> {
    let mut at = named.clone();
    for _ in 0..=REDIRECTS {
        let response = send(http, &at, named, (rest, link))?;
        if !response.status().is_redirection() {
            let response = judge(response, &at)?;
            if rest.is_none() && response.status() == StatusCode::PARTIAL_CONTENT {
                // A part that nobody asked for is not the file.
                let (url, status) = (redact::url(&at), response.status().as_u16());
                return Err(SourceError::Status { url, status, retry_after: None });
            }
            return Ok((response, at));
        }
        at = next_place(&at, response.headers())?;
        link.check()?;
    }
    let why = format!("more than {REDIRECTS} times, last to `{}`", redact::url(&at));
    Err(SourceError::Redirect { url: redact::url(named), why })
}

fn send(
    http: &Http,
    at: &Url,
    named: &Url,
    (rest, link): (Option<&Rest>, &Link),
) -> Result<Response, SourceError> {
    let mut bare = at.clone();
    // Only an address that cannot have a user refuses to lose it.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    // Bytes as they are: their digest is asked for, not that of what they would decode to.
    let mut request = http.client(at)?.get(bare).header(ACCEPT_ENCODING, "identity");
    if same_server(at, named) {
        request = authorize(request, named, http, link);
    }
    if let Some(Rest { from, validator }) = rest {
        request = request.header(RANGE, format!("bytes={from}-")).header(IF_RANGE, validator);
    }
    request.send().map_err(|error| explain(error, at, http.settings().stall_timeout))
}

/// Adds the user and password in the address, else those of the netrc file.
fn authorize(request: RequestBuilder, named: &Url, http: &Http, link: &Link) -> RequestBuilder {
    let text = |part: &str| String::from_utf8_lossy(&redact::decode(part)).into_owned();
    let user = Some(named.username()).filter(|user| !user.is_empty()).map(text);
    if let Some(password) = named.password() {
        return request.basic_auth(user.unwrap_or_default(), Some(text(password)));
    }
    let host = named.host_str().unwrap_or_default();
    match (http.netrc(link).find(host, user.as_deref()), user.as_deref()) {
        (Some((user, password)), _) => request.basic_auth(user, password),
        (None, Some(user)) => request.basic_auth(user, None::<&str>),
        (None, None) => request,
    }
}

/// The server that the user named: its host and port; http may become https there.
fn same_server(at: &Url, named: &Url) -> bool {
    let upgraded =
        (named.port(), at.port(), named.scheme(), at.scheme()) == (None, None, "http", "https");
    let same = (at.scheme(), at.port_or_known_default())
        == (named.scheme(), named.port_or_known_default());
    at.host_str() == named.host_str() && (same || upgraded)
}

fn next_place(at: &Url, headers: &HeaderMap) -> Result<Url, SourceError> {
    let refuse = |why: String| SourceError::Redirect { url: redact::url(at), why };
    let Some(place) = headers.get(LOCATION) else {
        return Err(refuse("without saying where to".into()));
    };
    let place = String::from_utf8_lossy(place.as_bytes()).into_owned();
    let mut next = at.join(&place).map_err(|error| {
        refuse(format!("to `{}`, which is no address: {error}", redact::text(&place)))
    })?;
    // A server does not choose as whom this host presents itself.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    match (at.scheme(), next.scheme()) {
        ("https", "http") => {
            Err(refuse(format!("to `{}`, which gives up encryption", redact::url(&next))))
        }
        (_, "http" | "https") => Ok(next),
        _ => Err(refuse(format!("to `{}`, which is not on the web", redact::url(&next)))),
    }
}

fn judge(response: Response, at: &Url) -> Result<Response, SourceError> {
    let status = response.status();
    let url = redact::url(at);
    match status {
        StatusCode::OK
        | StatusCode::NON_AUTHORITATIVE_INFORMATION
        | StatusCode::PARTIAL_CONTENT => Ok(response),
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Err(SourceError::Missing { url, status: status.as_u16() })
        }
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Err(SourceError::Denied { url, status: status.as_u16() })
        }
        StatusCode::RANGE_NOT_SATISFIABLE => Err(SourceError::Changed { url }),
        _ => {
            let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = wait.and_then(|text| retry_after(text, Moment::now()));
            Err(SourceError::Status { url, status: status.as_u16(), retry_after })
        }
    }
}

/// Says what a failed request means.
pub(super) fn explain(error: reqwest::Error, at: &Url, stall: u64) -> SourceError {
    let url = redact::url(at);
    // The address in the client's own message would come with its secrets.
    let error = error.without_url();
    let mut innermost: &(dyn Error + 'static) = &error;
    let (mut tls, mut name) = (false, false);
    loop {
        name |= innermost.to_string().contains("dns error");
        tls |= is_tls(innermost);
        let Some(next) = innermost.source() else { break };
        innermost = next;
    }
    let cause = innermost.to_string();
    if tls {
        SourceError::Tls { url, source: cause.into() }
    } else if name {
        SourceError::UnknownHost { url, source: cause.into() }
    } else if error.is_connect() {
        SourceError::Connect { url, source: cause.into() }
    } else if error.is_timeout() {
        SourceError::Stalled { url, seconds: stall }
    } else {
        SourceError::Broken { url, source: cause.into() }
    }
}

/// Tells whether `error` is one of TLS, also when it was carried through I/O errors, which do not
/// show it as their source.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || carried.is_some_and(|inner| is_tls(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(from: &str, to: &str) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_str(to).unwrap());
        next_place(&Url::parse(from).unwrap(), &headers)
            .map(|url| url.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_redirect_keeps_to_the_web_and_to_encryption() {
        assert_eq!(redirect("http://a/x/y", "../z").unwrap(), "http://a/z");
        assert_eq!(redirect("http://a/x", "https://b/z").unwrap(), "https://b/z");
        assert_eq!(redirect("https://a/x", "https://u:p@b/z").unwrap(), "https://b/z");
        let error = redirect("https://a/x", "http://a/z").unwrap_err();
        assert!(error.contains("gives up encryption"), "{error}");
        for bad in ["file:///etc/passwd", "ftp://a/x", "data:,x", "gopher://a"] {
            let error = redirect("http://a/x", bad).unwrap_err();
            assert!(error.contains("not on the web"), "{error}");
        }
    }

    #[test]
    fn only_the_named_server_gets_the_password() {
        let same = |at: &str, named: &str| {
            same_server(&Url::parse(at).unwrap(), &Url::parse(named).unwrap())
        };
        assert!(same("http://a/y", "http://a:80/x"));
        assert!(same("https://a/y", "http://a/x"));
        assert!(!same("http://a:8080/", "http://a/"));
        assert!(!same("https://a:8443/", "http://a/"));
        assert!(!same("http://b/", "http://a/"));
        assert!(!same("http://a.b/", "http://b/"));
    }
}
