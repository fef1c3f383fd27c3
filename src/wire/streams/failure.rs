//! Why there is no connection, in words that say what to do.

use std::io;

use rustls::{AlertDescription, CertificateError, Error as Tls};

use crate::base::Wall;
use crate::line::Broken;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the connection was refused: nobody listens at this address and port")]
    Refused,
    #[error("no answer in time")]
    Silent,
    #[error("the network does not lead there: {0}")]
    Unreachable(String),
    #[error("the certificate is not for {wanted}: it names {named} (RFC 5922 counts no wildcards)")]
    WrongName { wanted: String, named: String },
    #[error("the gateway's certificate has expired{}", .since.map(|since| format!(", on {since}")).unwrap_or_default())]
    Expired { since: Option<Wall> },
    #[error("the gateway's certificate is not valid yet")]
    NotYetValid,
    #[error("the gateway's certificate comes from an authority that is not trusted here")]
    UnknownAuthority,
    #[error("no TLS version or cipher that both sides know: 1.2 or 1.3 is needed")]
    NothingShared,
    #[error("what answers there speaks no TLS")]
    NoTls,
    #[error("the gateway does not accept our certificate ({0})")]
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
    /// What to do about it, in keys of the configuration.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Refused => {
                "is the gateway up, and are port and `;transport=` of the trunk's `uri` those that it listens on?"
            }
            Self::Silent => "is the address of the trunk's `uri` right, and does every firewall let TCP through to it?",
            Self::Unreachable(_) => "look at the routes and interfaces of this machine (`ip route get ADDRESS`)",
            Self::WrongName { .. } => {
                "write a name that stands in the certificate into the trunk's `uri`, or have the gateway's certificate made \
                 out to this one"
            }
            Self::Expired { .. } => "whoever runs the gateway has to renew it; nothing here can make it count",
            Self::NotYetValid => "compare the clocks of this machine and of the gateway",
            Self::UnknownAuthority => {
                "put the certificate of the authority that signed it (PEM) into the trunk's `tls.ca_file`; whoever runs the \
                 gateway has it"
            }
            Self::NothingShared => "switch on TLS 1.2 or 1.3 at the gateway",
            Self::NoTls => "is the port that of TCP? TLS is mostly at 5061",
            Self::OursRefused(_) => {
                "give the trunk `tls.cert_file` and `tls.key_file`, with a certificate that is in date and of an authority \
                 that the gateway trusts"
            }
            Self::BadCertificate(_) => "show the certificate to whoever runs the gateway",
            Self::Closed => {
                "does this port want TLS (`;transport=tls`), and does the gateway let our address in? Its log says why"
            }
            Self::Broken(_) => "is it SIP that is spoken at this port?",
            Self::Stuck => "the gateway hangs, or the way to it: look at the gateway",
            Self::Other(_) => "compare address, port, transport and `tls` of the trunk with the gateway",
        }
    }

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
            CertificateError::Expired => Self::Expired { since: None },
            CertificateError::ExpiredContext { not_after, .. } => {
                let since = i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000_000);
                Self::Expired { since: Some(Wall(since)) }
            }
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
    let shown = names.iter().take(SHOWN).map(|name| bare(name)).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => "no host".to_owned(),
        few if few <= SHOWN => shown,
        many => format!("{shown} and {} more", many - SHOWN),
    }
}

/// The library writes `DnsName("gw.example.com")` where it compared the names itself.
fn bare(name: &str) -> &str {
    name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")")).unwrap_or(name)
}
