//! `identity` of a trunk: who signs its calls (RFC 8224), and what becomes of a call that nobody signed.

use std::time::Duration;

use crate::base::Code;
use crate::campaign::ListSource;
use crate::campaign::decode::{Findings, Node, scalar, unit};

/// The permit of a call holds for half a second, and the call must leave within it.
const LONGEST: Duration = Duration::from_millis(400);
const SHORTEST: Duration = Duration::from_millis(20);
const USUAL: Duration = Duration::from_millis(200);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityConfig {
    /// A URL that takes a POST for each call.
    pub signer: String,
    pub attest: Attest,
    pub timeout: Duration,
    pub without: Without,
}

/// How much the signer says of the number shown (RFC 8588 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attest {
    Full,
    Partial,
    Gateway,
}

/// What becomes of a call that was not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    Refuse,
    Send,
}

impl Attest {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "A",
            Self::Partial => "B",
            Self::Gateway => "C",
        }
    }
}

pub(super) fn identity(node: &Node, findings: &mut Findings) -> Option<IdentityConfig> {
    let mut fields = node.fields("identity", findings)?;
    let signer = fields.required("signer", findings, signer);
    let levels = [("A", Attest::Full), ("B", Attest::Partial), ("C", Attest::Gateway)];
    let attest = fields.required("attest", findings, |node, findings| {
        scalar::one_of(node, "a level of attestation", &levels, &[], findings)
    });
    let timeout = fields.optional("timeout", findings, unit::duration_in(SHORTEST..=LONGEST));
    let ways = [("refuse", Without::Refuse), ("send", Without::Send)];
    let without = fields.optional("without", findings, |node, findings| {
        scalar::one_of(node, "what to do with a call that is not signed", &ways, &[], findings)
    });
    fields.finish(findings);
    Some(IdentityConfig {
        signer: signer?,
        attest: attest?,
        timeout: timeout.unwrap_or(USUAL),
        without: without.unwrap_or(Without::Refuse),
    })
}

/// Numbers of people go there: encrypted, or to this machine.
fn signer(node: &Node, findings: &mut Findings) -> Option<String> {
    let text = scalar::plain_text(node, "a URL", findings)?;
    let hint = "\"https://stir.bank.example/stir/v1/signing\", without login and query";
    if !matches!(ListSource::parse(text), Ok(ListSource::Url(_))) || text.contains(['?', '#', '{']) {
        findings.unshown(node.span, Code::BadValue, "this is not the URL of a signing service", hint);
        return None;
    }
    if text.strip_prefix("http://").is_some_and(|rest| !is_here(rest)) {
        let message = "the numbers of people would go to the signing service in the clear";
        findings.error_hint(
            node.span,
            Code::BadValue,
            message,
            "https://, or http:// to 127.0.0.1, [::1] or localhost",
        );
        return None;
    }
    Some(text.to_owned())
}

/// `127.0.0.1:8089/path`
fn is_here(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or("");
    ["127.0.0.1", "[::1]", "localhost"].iter().any(|here| {
        let port = authority.strip_prefix(here);
        port.is_some_and(|port| port.is_empty() || port.starts_with(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_in_the_clear() {
        for here in ["127.0.0.1", "127.0.0.1:8089/stir", "[::1]:80/x", "localhost/x"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in ["127.0.0.1.bank.example/x", "localhost.example", "[2001:db8::1]:80", "192.0.2.1", ""] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
