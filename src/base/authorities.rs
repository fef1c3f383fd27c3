//! Where systems keep the certificate authorities that they trust.

/// Debian, Red Hat, SUSE, Alpine. The first one that is there counts.
pub const SYSTEM_AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
