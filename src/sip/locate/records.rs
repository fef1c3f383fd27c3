//! DNS records, as far as they say where SIP goes.

use std::net::IpAddr;

/// RFC 3403 §4.1; its regular expression is not used for SIP (RFC 3263 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naptr {
    pub order: u16,
    pub preference: u16,
    pub flags: String,
    pub service: String,
    pub replacement: String,
}

/// RFC 2782.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub target: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    Naptr(String),
    Srv(String),
    /// A or AAAA, by the version of our own address.
    Addresses(String),
}

/// The answer to a question. Empty: the name has no such records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    Naptr(Vec<Naptr>),
    Srv(Vec<Srv>),
    Addresses(Vec<IpAddr>),
}
