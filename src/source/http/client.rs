//! The client, made at the first download.

use super::super::error::SourceError;
use super::super::feed::{Feed, Link};
use super::super::redact;
use super::super::stream::{Stream, Watched};
use super::body::Body;
use super::netrc::Netrc;
use crate::config::Download;
use crate::sys::{fs, host};
use reqwest::Url;
use reqwest::blocking::Client;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Downloads over HTTP. Cheap to clone; all clones share connections.
#[derive(Clone)]
pub struct Http(Arc<Shared>);

struct Shared {
    settings: Download,
    /// Without the host's certificate authorities, which take time to read, for `http:`.
    plain: Mutex<Option<Client>>,
    secure: Mutex<Option<Client>>,
    netrc: OnceLock<Netrc>,
}

impl Http {
    /// Remembers the settings; nothing is made before the first download.
    pub fn new(settings: &Download) -> Self {
        Self(Arc::new(Shared {
            settings: settings.clone(),
            plain: Mutex::default(),
            secure: Mutex::default(),
            netrc: OnceLock::new(),
        }))
    }

    /// Opens `url`: the answer's head has come when this returns, the body follows.
    pub fn open<'a>(&self, url: &Url, watched: Watched<'a>) -> Result<Stream<'a>, SourceError> {
        let (http, url) = (self.clone(), url.clone());
        let limit = Duration::from_secs(self.settings().total_timeout);
        Stream::start(watched, Some((limit, redact::url(&url))), move |link| {
            let (opened, body) = Body::open(http, url, link.clone())?;
            Ok((opened, Box::new(body) as Box<dyn Feed>))
        })
    }

    pub(super) fn settings(&self) -> &Download {
        &self.0.settings
    }

    /// The user's passwords; a file that cannot be read is told once and then does without.
    pub(super) fn netrc(&self, link: &Link) -> &Netrc {
        self.0.netrc.get_or_init(|| {
            Netrc::of_this_user().unwrap_or_else(|error| {
                link.note(format!("{error}: {}; going on without it", error.source));
                Netrc::default()
            })
        })
    }

    /// The client for `url`.
    pub(super) fn client(&self, url: &Url) -> Result<Client, SourceError> {
        let secure = url.scheme() == "https" || proxy_is_secure();
        let slot = if secure { &self.0.secure } else { &self.0.plain };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*slot {
            return Ok(client.clone());
        }
        let client = if secure { self.make_secure() } else { self.make_plain() }?;
        *slot = Some(client.clone());
        Ok(client)
    }

    fn builder(&self) -> reqwest::blocking::ClientBuilder {
        // The first call decides for the process; a later one finds it done, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The blocking client applies `timeout` to each wait, not to the whole: a stall.
        Client::builder()
            .user_agent(concat!("cartwright/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(Duration::from_secs(self.settings().connect_timeout))
            .timeout(Duration::from_secs(self.settings().stall_timeout))
    }

    fn make_plain(&self) -> Result<Client, SourceError> {
        build(self.builder().tls_certs_only([]))
    }

    fn make_secure(&self) -> Result<Client, SourceError> {
        let Some(file) = &self.settings().ca_file else { return build(self.builder()) };
        let pem = fs::read_text(file)?;
        let what = "`download.ca_file` is no PEM file with certificates";
        let wrong = |source| SourceError::Client { what, source };
        let certificates = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
            .map_err(|error| wrong(error.into()))?;
        if certificates.is_empty() {
            return Err(wrong(format!("`{}` has none", redact::path(file)).into()));
        }
        build(self.builder().tls_certs_merge(certificates))
    }
}

fn build(builder: reqwest::blocking::ClientBuilder) -> Result<Client, SourceError> {
    let what = "the HTTP client refuses its settings";
    builder.build().map_err(|error| SourceError::Client { what, source: error.into() })
}

/// Tells whether plain requests would go through a proxy that itself is spoken to over TLS.
fn proxy_is_secure() -> bool {
    ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        .iter()
        .any(|name| host::variable(name).is_some_and(|proxy| proxy.starts_with("https:")))
}
