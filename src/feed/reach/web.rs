//! A list from a server on the web: one GET, bounded in time; what comes is bounded where it is kept.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use crate::base::SYSTEM_AUTHORITIES;
use crate::feed::ListError;

use super::{SILENCE_MAX, ServerSource, WHOLE_MAX};

const CONNECT: Duration = Duration::from_secs(20);

/// Redirects are not followed: a token, or a list, would go where nobody configured it to.
pub fn get(url: &str, server: Option<&ServerSource>) -> Result<impl Read + use<>, ListError> {
    let agent = agent(url, server.and_then(|server| server.authorities.as_deref()))?;
    let mut request = agent.get(url);
    if let Some(token) = server.and_then(|server| server.token.as_ref()) {
        request = request.header("Authorization", format!("Bearer {}", token.reveal()));
    }
    let unreachable = |why: String| ListError::Unreachable(format!("{}: {why}", without_query(url)));
    let answer = request.call().map_err(|error| unreachable(say(&error)))?;
    let status = answer.status();
    if status.as_u16() != 200 {
        return Err(unreachable(format!("it answers {status}")));
    }
    Ok(answer.into_body().into_with_config().limit(u64::MAX).reader())
}

fn agent(url: &str, authorities: Option<&Path>) -> Result<Agent, ListError> {
    let mut config = Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None)
        .user_agent(concat!("goldenhour/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE_MAX))
        .timeout_per_read(Some(SILENCE_MAX))
        .timeout_global(Some(WHOLE_MAX));
    if url.starts_with("https://") {
        config = config.tls_config(tls(authorities)?);
    }
    Ok(config.build().into())
}

/// Trusts who is named, or whom this system trusts.
pub fn tls(authorities: Option<&Path>) -> Result<TlsConfig, ListError> {
    let config = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .root_certs(trusted(authorities)?);
    Ok(config.build())
}

fn trusted(named: Option<&Path>) -> Result<RootCerts, ListError> {
    let path = match named {
        Some(path) => path,
        None => SYSTEM_AUTHORITIES
            .iter()
            .map(Path::new)
            .find(|path| path.exists())
            .ok_or_else(|| ListError::Unreachable("this system names no authorities: set `ca_file`".to_owned()))?,
    };
    let unusable = |why: &str| ListError::Unreachable(format!("{}: {why}", path.display()));
    let pem = fs::read(path).map_err(|error| unusable(&error.to_string()))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            Ok(_) | Err(_) => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(unusable("holds no certificate"));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn say(error: &ureq::Error) -> String {
    if let ureq::Error::Io(error) = error {
        return error.to_string();
    }
    if let ureq::Error::Rustls(error) = error {
        return format!("TLS: {error}");
    }
    if matches!(error, ureq::Error::Timeout(_)) {
        return "no answer in time".to_owned();
    }
    let known = matches!(error, ureq::Error::HostNotFound);
    if known { "the host is not known" } else { "this is no HTTP server that can be understood" }.to_owned()
}

/// A query may hold a secret.
fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}
