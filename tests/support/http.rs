//! A small HTTP/1.1 server on the loopback. It does what the tests need servers to do, also what no
//! server should do.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How one request is answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    etag: Option<String>,
    ranges: bool,
    cut_after: Option<usize>,
    stall_after: Option<usize>,
    announced: Option<u64>,
    unannounced: bool,
    login: Option<String>,
}

impl Reply {
    /// Answers with `body`, in parts where they are asked for.
    pub(crate) fn bytes(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, body: body.into(), ranges: true, ..Self::default() }
    }

    /// Answers with a status and a short text.
    pub(crate) fn status(status: u16) -> Self {
        Self { status, body: b"no\n".to_vec(), ..Self::default() }
    }

    /// Sends the client elsewhere.
    pub(crate) fn redirect(to: &str) -> Self {
        Self::status(302).header("Location", to)
    }

    /// Answers with a web page.
    pub(crate) fn page() -> Self {
        let page = "<!DOCTYPE html><html><body>Please log in</body></html>";
        Self::bytes(page).header("Content-Type", "text/html; charset=utf-8")
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Marks the body with a strong tag, which `If-Range` is compared with.
    pub(crate) fn etag(mut self, tag: &str) -> Self {
        self.etag = Some(format!("\"{tag}\""));
        self
    }

    /// Ignores `Range`.
    pub(crate) fn without_ranges(mut self) -> Self {
        self.ranges = false;
        self
    }

    /// Closes the connection after so many bytes of the body.
    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// Says nothing more after so many bytes of the body, and keeps the connection open.
    pub(crate) fn stall_after(mut self, bytes: usize) -> Self {
        self.stall_after = Some(bytes);
        self
    }

    /// Lies about the length.
    pub(crate) fn announce(mut self, length: u64) -> Self {
        self.announced = Some(length);
        self
    }

    /// Does not tell the length: the body ends with the connection.
    pub(crate) fn unannounced(mut self) -> Self {
        self.unannounced = true;
        self
    }

    /// Answers 401 unless the request comes with this user and password, in Base64.
    pub(crate) fn login(mut self, base64: &str) -> Self {
        self.login = Some(format!("Basic {base64}"));
        self
    }
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The path with its query (behind a proxy: the whole address).
    pub(crate) target: String,
    headers: HashMap<String, String>,
}

impl Asked {
    /// The value of a header; the name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

#[derive(Default)]
struct Shared {
    routes: Mutex<HashMap<String, Vec<Reply>>>,
    folders: Mutex<Vec<(String, PathBuf)>>,
    asked: Mutex<Vec<Asked>>,
    stop: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server; it ends when dropped.
pub(crate) struct Server {
    scheme: &'static str,
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts on a free port of the loopback.
    pub(crate) fn start() -> Self {
        Self::listen("http", |connection, shared| serve(&mut &connection, shared))
    }

    /// Starts one that speaks TLS, with the certificate of [`super::tls`].
    pub(crate) fn start_secure() -> Self {
        let config = super::tls::server();
        Self::listen("https", move |connection, shared| {
            let session = rustls::ServerConnection::new(Arc::clone(&config));
            let session = session.map_err(std::io::Error::other)?;
            let mut stream = rustls::StreamOwned::new(session, connection);
            serve(&mut stream, shared)?;
            stream.conn.send_close_notify();
            stream.flush()
        })
    }

    fn listen(
        scheme: &'static str,
        serve: impl Fn(TcpStream, &Shared) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared::default());
        let (own, serve) = (Arc::clone(&shared), Arc::new(serve));
        let accepting = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if own.stop.load(Ordering::SeqCst) {
                    return;
                }
                let (own, serve) = (Arc::clone(&own), Arc::clone(&serve));
                // A client that goes away in the middle is what many tests are about.
                std::thread::spawn(move || connection.and_then(|c| serve(c, &own)));
            }
        });
        Self { scheme, address, shared, accepting: Some(accepting) }
    }

    /// Answers requests for `path` with `replies`, one after the other; the last one stays.
    pub(crate) fn route(&self, path: &str, replies: impl Into<Vec<Reply>>) -> String {
        let mut replies = replies.into();
        replies.reverse();
        locked(&self.shared.routes).insert(path.to_owned(), replies);
        self.url(path)
    }

    /// Serves the files below `folder` under `path`.
    pub(crate) fn folder(&self, path: &str, folder: &Path) -> String {
        locked(&self.shared.folders).push((path.to_owned(), folder.to_owned()));
        self.url(path)
    }

    /// The address of `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        locked(&self.shared.asked).clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn serve(connection: &mut (impl Read + Write), shared: &Shared) -> std::io::Result<()> {
    let asked = match read_request(connection) {
        Ok(Some(asked)) => asked,
        Ok(None) => return Ok(()),
        Err(_) => return connection.write_all(b"HTTP/1.1 400 X\r\n\r\n"),
    };
    locked(&shared.asked).push(asked.clone());
    let mut reply = find(&asked, shared);
    if reply.login.is_some() && asked.header("authorization") != reply.login.as_deref() {
        reply = Reply::status(401);
    }
    send(connection, &reply, (&asked, shared))
}

fn read_request(connection: &mut impl Read) -> std::io::Result<Option<Asked>> {
    let mut lines = BufReader::new(connection).lines();
    let Some(first) = lines.next().transpose()? else { return Ok(None) };
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Ok(Some(Asked { target, headers }))
}

fn find(asked: &Asked, shared: &Shared) -> Reply {
    if let Some(replies) = locked(&shared.routes).get_mut(&asked.target) {
        let next = if replies.len() > 1 { replies.pop() } else { replies.last().cloned() };
        return next.unwrap_or_else(|| Reply::status(404));
    }
    let path = asked.target.split('?').next().unwrap_or_default();
    for (prefix, folder) in locked(&shared.folders).iter() {
        if let Some(rest) = path.strip_prefix(prefix.as_str())
            && let Some(bytes) = read_file(&folder.join(rest.trim_start_matches('/')))
        {
            return Reply::bytes(bytes);
        }
    }
    Reply::status(404)
}

fn read_file(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    cartwright::sys::fs::open_for_reading(path).ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The first byte that is wanted, if a part is wanted and may be given.
fn part(asked: &Asked, reply: &Reply) -> Option<usize> {
    let from = asked.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()?;
    let same = asked.header("if-range").is_none_or(|tag| Some(tag) == reply.etag.as_deref());
    (reply.ranges && same).then_some(from)
}

fn send(
    connection: &mut impl Write,
    reply: &Reply,
    (asked, shared): (&Asked, &Shared),
) -> std::io::Result<()> {
    let from = part(asked, reply);
    let body = reply.body.get(from.unwrap_or(0)..).unwrap_or_default();
    let status = if from.is_some() { 206 } else { reply.status };
    let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    let mut add = |name: &str, value: &dyn std::fmt::Display| {
        write!(head, "{name}: {value}\r\n").expect("a string takes everything");
    };
    if let Some(from) = from {
        let total = reply.body.len();
        add("Content-Range", &format!("bytes {from}-{}/{total}", total.saturating_sub(1)));
    }
    if !reply.unannounced {
        add("Content-Length", &reply.announced.unwrap_or(body.len() as u64));
    }
    reply.etag.iter().for_each(|tag| add("ETag", tag));
    reply.headers.iter().for_each(|(name, value)| add(name, value));
    head.push_str("\r\n");
    connection.write_all(head.as_bytes())?;
    let end = reply.cut_after.or(reply.stall_after).unwrap_or(body.len()).min(body.len());
    connection.write_all(body.get(..end).unwrap_or_default())?;
    connection.flush()?;
    if reply.stall_after.is_some() {
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until && !shared.stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Ok(())
}
