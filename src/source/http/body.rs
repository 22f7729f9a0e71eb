//! The body of an answer, whatever happens to the connection.

use super::super::digest::Hasher;
use super::super::error::SourceError;
use super::super::feed::{Feed, Link, Opened};
use super::super::redact;
use super::client::Http;
use super::request::{self, Rest};
use super::retry::Patience;
use reqwest::blocking::Response;
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    LAST_MODIFIED,
};
use reqwest::{StatusCode, Url};
use std::io::{ErrorKind, Read};

/// A download that survives broken connections.
pub(super) struct Body {
    http: Http,
    named: Url,
    at: Url,
    response: Option<Response>,
    length: Option<u64>,
    validator: Option<HeaderValue>,
    patience: Patience,
    link: Link,
}

impl Body {
    /// Asks until there is an answer, or patience is over.
    pub(super) fn open(http: Http, named: Url, link: Link) -> Result<(Opened, Self), SourceError> {
        let mut patience = Patience::new(http.settings().retries);
        let (response, at) = loop {
            match request::ask(&http, &named, None, &link) {
                Ok(answer) => break answer,
                Err(error) => patience.after(error, 0, &link)?,
            }
        };
        let headers = response.headers();
        let length = number(headers, CONTENT_LENGTH);
        let moved = (at != named).then(|| {
            let mut at = at.clone();
            // What a redirect adds is often a key that opens this door for an hour.
            at.set_query(None);
            redact::url(&at)
        });
        let html =
            headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let opened = Opened { length, final_url: moved, html };
        let validator = validator(headers);
        let body =
            Self { http, named, at, response: Some(response), length, validator, patience, link };
        body.check_length(length.unwrap_or(0))?;
        Ok((opened, body))
    }

    fn check_length(&self, length: u64) -> Result<(), SourceError> {
        let limit = self.http.settings().max_length;
        if length > limit {
            return Err(SourceError::TooLong { url: redact::url(&self.at), limit });
        }
        Ok(())
    }

    /// One read, from a connection that is opened again where it was lost.
    fn read(&mut self, buffer: &mut [u8], so_far: &Hasher) -> Result<usize, SourceError> {
        let got = so_far.length();
        let mut response = match self.response.take() {
            Some(response) => response,
            None => self.resume(so_far)?,
        };
        let read = loop {
            match response.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match (read, self.length) {
            (Ok(0), Some(length)) if got < length => Err(self.short(got)),
            (Ok(0), _) => Ok(0),
            (Ok(more), _) => {
                self.check_length(got + more as u64)?;
                self.response = Some(response);
                Ok(more)
            }
            (Err(error), length) => Err(match (self.explain(error), length) {
                (SourceError::Broken { .. }, Some(_)) => self.short(got),
                (error, _) => error,
            }),
        }
    }

    fn short(&self, got: u64) -> SourceError {
        let expected = self.length.unwrap_or(got);
        SourceError::Short { url: redact::url(&self.at), got, expected }
    }

    fn explain(&self, error: std::io::Error) -> SourceError {
        let stall = self.http.settings().stall_timeout;
        match error.downcast::<reqwest::Error>() {
            Ok(error) => request::explain(error, &self.at, stall),
            Err(error) => SourceError::Broken { url: redact::url(&self.at), source: error.into() },
        }
    }

    /// Opens the connection again behind what has come so far: the rest, if the server can and
    /// the file is provably the same, else all of it with what is known compared and passed over.
    fn resume(&mut self, so_far: &Hasher) -> Result<Response, SourceError> {
        let from = so_far.length();
        let rest = self.validator.clone().filter(|_| from > 0);
        let rest = rest.map(|validator| Rest { from, validator });
        let (response, at) = request::ask(&self.http, &self.named, rest.as_ref(), &self.link)?;
        self.at = at;
        let changed = || Err(SourceError::Changed { url: redact::url(&self.at) });
        if response.status() == StatusCode::PARTIAL_CONTENT {
            let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
            if rest.is_none() || !range.is_some_and(|range| continues(range, from, self.length)) {
                return changed();
            }
            return Ok(response);
        }
        let length = number(response.headers(), CONTENT_LENGTH);
        if length.is_some() && self.length.is_some() && length != self.length {
            return changed();
        }
        self.pass_over(response, so_far)
    }

    fn pass_over(&self, mut response: Response, so_far: &Hasher) -> Result<Response, SourceError> {
        let mut again = Hasher::default();
        let mut buffer = vec![0; 64 << 10];
        while again.length() < so_far.length() {
            let left = usize::try_from(so_far.length() - again.length()).unwrap_or(usize::MAX);
            let most = left.min(buffer.len());
            let Some(part) = buffer.get_mut(..most) else { break };
            match response.read(part) {
                Ok(0) => return Err(self.short(so_far.length())),
                Ok(length) => again.update(part.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(error)),
            }
            self.link.check()?;
        }
        if again.seen() == so_far.seen() {
            return Ok(response);
        }
        Err(SourceError::Changed { url: redact::url(&self.at) })
    }
}

impl Feed for Body {
    fn next(&mut self, buffer: &mut [u8], so_far: &Hasher) -> Result<usize, SourceError> {
        loop {
            match self.read(buffer, so_far) {
                Ok(length) => return Ok(length),
                Err(error) => self.patience.after(error, so_far.length(), &self.link)?,
            }
        }
    }
}

/// What proves later that the file is the same: a strong tag, else the time of its last change;
/// nothing where the server says that it cannot give parts.
fn validator(headers: &HeaderMap) -> Option<HeaderValue> {
    if headers.get(ACCEPT_RANGES).is_some_and(|ranges| ranges == "none") {
        return None;
    }
    let strong = headers.get(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/"));
    strong.or_else(|| headers.get(LAST_MODIFIED)).cloned()
}

fn number(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// Tells whether `bytes 5-9/10` continues a file of `length` bytes at `from`.
fn continues(range: &str, from: u64, length: Option<u64>) -> bool {
    let parts = || {
        let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (start, _) = span.split_once('-')?;
        Some((start.parse::<u64>().ok()?, total.parse::<u64>().ok()))
    };
    parts().is_some_and(|(start, total)| {
        start == from && (total.is_none() || length.is_none() || total == length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_must_begin_where_the_last_one_ended_and_belong_to_the_same_length() {
        assert!(continues("bytes 5-9/10", 5, Some(10)));
        assert!(continues("bytes 5-9/*", 5, Some(10)));
        assert!(!continues("bytes 4-9/10", 5, Some(10)));
        assert!(!continues("bytes 5-9/11", 5, Some(10)));
        assert!(!continues("items 5-9/10", 5, Some(10)));
    }

    #[test]
    fn a_weak_tag_proves_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static("W/\"a\""));
        assert_eq!(validator(&headers), None);
        headers.insert(LAST_MODIFIED, HeaderValue::from_static("Sat, 21 Nov 2026 07:05:00 GMT"));
        assert!(validator(&headers).is_some());
        headers.insert(ETAG, HeaderValue::from_static("\"a\""));
        assert_eq!(validator(&headers).unwrap(), "\"a\"");
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
        assert_eq!(validator(&headers), None);
    }
}
