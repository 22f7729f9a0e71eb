//! Looking for listeners.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

/// The longest that a listener on this host may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells whether something takes connections on `port` of `address`.
pub fn listens(address: IpAddr, port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::new(address, port), PATIENCE).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_port_listens_for_as_long_as_somebody_does() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        assert!(super::listens(at.ip(), at.port()));
        drop(listener);
        assert!(!super::listens(at.ip(), at.port()));
    }
}
