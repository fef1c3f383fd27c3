//! TLS for trunks: whom we trust, and for whom a certificate speaks (RFC 5922). Nothing here can be switched off.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig, SignatureScheme,
};

use crate::base::SYSTEM_AUTHORITIES;

/// PEM files of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Whom we trust; the system's authorities where it is `None`.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate with its chain, and its key.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// How to speak TLS with one gateway.
#[derive(Clone, Debug)]
pub struct ClientTls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

impl ClientTls {
    /// `host` is the trunk's, without a port.
    pub fn new(files: &TlsFiles, host: &str) -> Result<Self, String> {
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| format!("`{host}` is no name that a certificate could have"))?;
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier { roots: trusted(files.ca_file.as_deref())?, provider: Arc::clone(&provider) };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match &files.own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let (chain, key) = identity(own)?;
                builder.with_client_auth_cert(chain, key).map_err(|error| unusable(&own.0, &error))?
            }
        };
        Ok(Self { config: Arc::new(config), name })
    }
}

/// For connections that come in. With a `ca_file` they must show a certificate of it.
pub(super) fn server(files: &TlsFiles) -> Result<Arc<ServerConfig>, String> {
    let own = files.own.as_ref().ok_or("a TLS listener needs `cert_file` and `key_file`")?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match &files.ca_file {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let roots = Arc::new(trusted(Some(path))?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| format!("{}: {error}", path.display()))?)
        }
    };
    let (chain, key) = identity(own)?;
    Ok(Arc::new(builder.with_single_cert(chain, key).map_err(|error| unusable(&own.0, &error))?))
}

/// The chain of trust as everybody checks it, and the names as SIP does.
#[derive(Debug)]
struct Verifier {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(shown)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, algorithms)?;
        #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum, which may grow")]
        match name {
            ServerName::DnsName(wanted) => {
                let certificate =
                    webpki::EndEntityCert::try_from(shown).map_err(|_| Error::from(CertificateError::BadEncoding))?;
                let uris: Vec<&str> = certificate.valid_uri_names().collect();
                let hosts: Vec<&str> = certificate.valid_dns_names().collect();
                check_name(wanted.as_ref(), &uris, &hosts, name)?;
            }
            // A gateway that is named by its address: RFC 5922 knows no such thing, certificates do.
            _ => verify_server_name(&parsed, name)?,
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// SIP URIs of the certificate decide where there are any, else its DNS names; the whole name must be the same, and
/// wildcards do not count (RFC 5922 §7.1, §7.2).
fn check_name(wanted: &str, uris: &[&str], hosts: &[&str], name: &ServerName<'_>) -> Result<(), Error> {
    let domains: Vec<&str> = uris.iter().filter_map(|uri| sip_domain(uri)).collect();
    let named = if domains.is_empty() { hosts } else { &domains[..] };
    if named.iter().any(|domain| domain.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let presented = named.iter().map(|domain| (*domain).to_owned()).collect();
    Err(CertificateError::NotValidForNameContext { expected: name.to_owned(), presented }.into())
}

/// `sip:example.com`; one with a user part names a person and not a domain (RFC 5922 §7.1).
fn sip_domain(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    (scheme.eq_ignore_ascii_case("sip") && !rest.contains('@')).then_some(rest)
}

fn trusted(named: Option<&Path>) -> Result<RootCertStore, String> {
    let path = match named {
        Some(path) => path,
        None => SYSTEM_AUTHORITIES
            .iter()
            .map(Path::new)
            .find(|path| path.exists())
            .ok_or("this system names no authorities: set `tls.ca_file`")?,
    };
    let mut roots = RootCertStore::empty();
    let (added, _passed_over) = roots.add_parsable_certificates(certificates(path)?);
    if added == 0 {
        return Err(format!("{}: holds no authority's certificate", path.display()));
    }
    Ok(roots)
}

fn identity(
    (chain, key): &(PathBuf, PathBuf),
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let key_bytes = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    Ok((certificates(chain)?, key_bytes))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| unusable(path, &error))?;
    let all: Vec<_> = read.filter_map(Result::ok).collect();
    if all.is_empty() { Err(format!("{}: holds no certificate", path.display())) } else { Ok(all) }
}

fn unusable(path: &Path, why: &impl std::fmt::Display) -> String {
    format!("{}: {why}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaks(wanted: &str, uris: &[&str], hosts: &[&str]) -> bool {
        check_name(wanted, uris, hosts, &ServerName::try_from(wanted.to_owned()).unwrap()).is_ok()
    }

    #[test]
    fn a_sip_uri_decides_where_there_is_one_and_a_dns_name_elsewhere() {
        assert!(speaks("gw.example.com", &[], &["other.example.com", "GW.example.com"]));
        assert!(speaks("gw.example.com", &["sip:gw.example.com"], &[]));
        assert!(speaks("gw.example.com", &["https://x.example.com"], &["gw.example.com"]));
        assert!(!speaks("gw.example.com", &["sip:other.example.com"], &["gw.example.com"]));
        assert!(!speaks("gw.example.com", &["sip:alice@gw.example.com"], &[]));
    }

    #[test]
    fn a_wildcard_speaks_for_nobody() {
        assert!(!speaks("gw.example.com", &[], &["*.example.com"]));
        assert!(!speaks("gw.example.com", &[], &[]));
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let home = tempfile::tempdir().unwrap();
        let ca_file = Some(home.path().join("none.pem"));
        let why = ClientTls::new(&TlsFiles { ca_file, own: None }, "gw.example.com").unwrap_err();
        assert!(why.contains("none.pem"), "{why}");
        assert!(server(&TlsFiles::default()).unwrap_err().contains("cert_file"));
        assert!(ClientTls::new(&TlsFiles::default(), "no name at all").is_err());
    }
}
