//! A certificate for the loopback, and the authority that signed it. The authority's own key was
//! thrown away; this key is known to everybody and protects nothing.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// The authority, for `download.ca_file`.
pub(crate) const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBajCCARCgAwIBAgICEAEwCgYIKoZIzj0EAwIwGzEZMBcGA1UEAwwQQSB0ZXN0\n\
IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowGzEZ\n\
MBcGA1UEAwwQQSB0ZXN0IGF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n\
A0IABOJh4IimNqxFQhv8JcFtXUUwv5mTllGOXJYhcicNRbyFFmAXxTnwAcpygh0N\n\
AUNpLyUJlnLqWBQddDGOvtkqJ22jQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0P\n\
AQH/BAQDAgIEMB0GA1UdDgQWBBQYmRm4Lsw/OXhsuCODDkKccSVrnjAKBggqhkjO\n\
PQQDAgNIADBFAiBslpypxFTkyqPkN1q6+KabpaVG/peeb+3t9bXtlc7vUQIhAP1K\n\
GOa1MyNoCwZHri2CKURrAqyE0Z8yUDna1AglEK6h\n\
-----END CERTIFICATE-----\n\
";

/// The certificate of `localhost` and `127.0.0.1`.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBnzCCAUWgAwIBAgICEAIwCgYIKoZIzj0EAwIwGzEZMBcGA1UEAwwQQSB0ZXN0\n\
IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDES\n\
MBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAECkBF\n\
XIxSne3NexaP4w2BKdkzybZClfU3fq4HdlMKNbOUCqy34aV+9q/3bGAEQhwiougI\n\
UA7dWycC9TWGpCbl06N+MHwwGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAkG\n\
A1UdEwQCMAAwEwYDVR0lBAwwCgYIKwYBBQUHAwEwHQYDVR0OBBYEFAb+iGwPj3DR\n\
FbShZqRCG4FlCNToMB8GA1UdIwQYMBaAFBiZGbguzD85eGy4I4MOQpxxJWueMAoG\n\
CCqGSM49BAMCA0gAMEUCIQCEYe4l513xz+qSrh4HGzZb0M1ZlrwKje9Rklat05k/\n\
iQIgHsEbpzvhQhKwgamPsA2UKh2Oqh9eIrBUMK4lkUedJ+I=\n\
-----END CERTIFICATE-----\n\
";

/// Its key.
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAsVB6ix2aophMVOo\n\
rUQUnOxsXdCIx8wVeXpdRT48YtahRANCAAQKQEVcjFKd7c17Fo/jDYEp2TPJtkKV\n\
9Td+rgd2Uwo1s5QKrLfhpX72r/dsYARCHCKi6AhQDt1bJwL1NYakJuXT\n\
-----END PRIVATE KEY-----\n\
";

/// The settings of a server that shows the certificate.
pub(crate) fn server() -> Arc<rustls::ServerConfig> {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("it is fine");
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("it is fine");
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate], key).expect("they belong together"))
}
