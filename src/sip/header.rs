//! Header names: the ones somebody here reads, with their compact forms. Every other header is carried as `Other`.

macro_rules! names {
    ($($id:ident $long:literal $($compact:literal)?,)*) => {
        /// A header field by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Name { Other, $($id,)* }

        impl Name {
            pub const COUNT: usize = [Self::Other, $(Self::$id,)*].len();

            /// Case-insensitive; compact forms are the same header (RFC 3261 §7.3.3).
            pub fn parse(name: &[u8]) -> Self {
                match name {
                    [one] => match one.to_ascii_lowercase() {
                        $($($compact => Self::$id,)?)*
                        _ => Self::Other,
                    },
                    [first, ..] => {
                        let (first, len) = (first.to_ascii_lowercase(), name.len());
                        $(if len == $long.len() && first == $long[0].to_ascii_lowercase() && name.eq_ignore_ascii_case($long) {
                            return Self::$id;
                        })*
                        Self::Other
                    }
                    [] => Self::Other,
                }
            }
        }
    };
}

names! {
    Via b"Via" b'v',
    From b"From" b'f',
    To b"To" b't',
    CallId b"Call-ID" b'i',
    CSeq b"CSeq",
    Contact b"Contact" b'm',
    ContentLength b"Content-Length" b'l',
    ContentType b"Content-Type" b'c',
    MaxForwards b"Max-Forwards",
    Route b"Route",
    RecordRoute b"Record-Route",
    Require b"Require",
    Reason b"Reason",
    RetryAfter b"Retry-After",
    WwwAuthenticate b"WWW-Authenticate",
    ProxyAuthenticate b"Proxy-Authenticate",
    Event b"Event" b'o',
    SubscriptionState b"Subscription-State",
    ReferTo b"Refer-To" b'r',
    Accept b"Accept",
    Allow b"Allow",
    Supported b"Supported" b'k',
    RSeq b"RSeq",
    SessionExpires b"Session-Expires" b'x',
    MinSe b"Min-SE",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_compact_forms_are_one_header_in_any_case() {
        assert_eq!(Name::parse(b"cALL-iD"), Name::CallId);
        assert_eq!(Name::parse(b"I"), Name::CallId);
        assert_eq!(Name::parse(b"l"), Name::ContentLength);
        assert_eq!(Name::parse(b"Subject"), Name::Other);
        assert_eq!(Name::parse(b""), Name::Other);
    }
}
