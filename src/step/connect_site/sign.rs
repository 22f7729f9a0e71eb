//! Seeing that the web server has read its settings: it is told to, and does so a moment later.

use crate::config::Apache;
use crate::error::{Exit, Failure};
use crate::sys::interrupt;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// Waits until the host `name` answers 410 where `sign` is asked for.
pub(super) fn wait_for(settings: &Apache, name: &str, sign: &str) -> Result<(), Failure> {
    let address = settings.address.filter(|address| !address.is_unspecified());
    let at =
        SocketAddr::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), settings.http_port);
    let until = Instant::now() + PATIENCE;
    let mut nap = Duration::from_millis(5);
    loop {
        // A server that reads its settings may close a connection: the next one tells.
        if status(at, name, sign).is_ok_and(|line| line.contains(" 410 ")) {
            return Ok(());
        }
        interrupt::check()?;
        if Instant::now() > until {
            let text =
                format!("Apache does not read its settings anew: nothing of them is seen at {at}");
            return Err(Failure::new(Exit::Failed, text).hint(
                "see whether it runs, and whether `frontend.apache` in cart-config(5) is right",
            ));
        }
        std::thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(100));
    }
}

fn status(at: SocketAddr, name: &str, sign: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&at, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    write!(stream, "GET /{sign} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")?;
    let mut line = Vec::new();
    Read::take(&mut stream, 32).read_to_end(&mut line)?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}
