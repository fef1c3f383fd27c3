//! Why there is no connection, in words that say what to do.

use std::io;

use rustls::{AlertDescription, CertificateError, Error as Tls};

use crate::line::Broken;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the connection was refused: nobody listens at this address and port")]
    Refused,
    #[error("no answer in time: the address is wrong, or a firewall drops what we send")]
    Silent,
    #[error("the network does not lead there: {0}")]
    Unreachable(String),
    #[error("the certificate is not for {wanted}: it names {named} (RFC 5922 counts no wildcards)")]
    WrongName { wanted: String, named: String },
    #[error("the gateway's certificate has expired")]
    Expired,
    #[error("the gateway's certificate is not valid yet: compare the clocks")]
    NotYetValid,
    #[error("the gateway's certificate comes from an authority that is not trusted here: name it in `tls.ca_file`")]
    UnknownAuthority,
    #[error("no TLS version or cipher that both sides know: 1.2 or 1.3 is needed")]
    NothingShared,
    #[error("what answers there speaks no TLS: is the port that of TCP?")]
    NoTls,
    #[error("the gateway does not accept our certificate ({0}): see `tls.cert_file`")]
    OursRefused(String),
    #[error("the certificate cannot be used: {0}")]
    BadCertificate(String),
    #[error("the gateway closed the connection")]
    Closed,
    #[error("{0}")]
    Broken(Broken),
    #[error("the gateway takes nothing any more")]
    Stuck,
    #[error("{0}")]
    Other(String),
}

impl From<io::Error> for Failure {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum, which may grow")]
    fn from(error: io::Error) -> Self {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>()) {
            return Self::of_tls(tls);
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::Silent,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Self::Unreachable(error.to_string()),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Other(error.to_string()),
        }
    }
}

impl Failure {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum, which may grow")]
    fn of_tls(error: &Tls) -> Self {
        match error {
            Tls::InvalidCertificate(why) => Self::of_certificate(why),
            Tls::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure)
            | Tls::PeerIncompatible(_) => Self::NothingShared,
            Tls::AlertReceived(
                alert @ (AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::CertificateRequired
                | AlertDescription::NoCertificate
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied),
            ) => Self::OursRefused(format!("{alert:?}")),
            Tls::InvalidMessage(_) => Self::NoTls,
            other => Self::Other(format!("TLS: {other}")),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum, which may grow")]
    fn of_certificate(why: &CertificateError) -> Self {
        match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            // A signature that does not fit is that of another authority of the same name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownAuthority,
            CertificateError::NotValidForNameContext { expected, presented } => {
                Self::WrongName { wanted: expected.to_str().into_owned(), named: listed(presented) }
            }
            other => Self::BadCertificate(other.to_string()),
        }
    }
}

/// At most a few: a certificate may name hundreds.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    match names {
        [] => "nobody".to_owned(),
        few if few.len() <= SHOWN => few.join(", "),
        many => format!("{} and {} more", many.get(..SHOWN).unwrap_or_default().join(", "), many.len() - SHOWN),
    }
}
