//! What the far end swears to: one JSON line per thing that happened to a call, told apart from whatever the dialer says.

use std::sync::Arc;

use serde_json::json;

use crate::base::Now;

/// One line of the witness log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    pub at: Now,
    /// As it stood in the INVITE.
    pub call_id: Arc<str>,
    pub seen: Seen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A new INVITE, not a repetition.
    Invite {
        /// As `far::fingerprint` makes it.
        number: u64,
        /// The last four digits.
        tail: String,
        ordinal: u32,
        /// What will happen; `over_limit` where nobody was asked.
        will: &'static str,
    },
    /// Our 2xx was ACKed.
    Answered,
    /// Somebody pressed a key.
    Key(char),
    /// The last report on a REFER.
    Transfer {
        status: u16,
    },
    Ended {
        cause: &'static str,
        status: Option<u16>,
        by: &'static str,
    },
}

impl Witness {
    /// Without a line break.
    pub fn line(&self) -> String {
        let mut line = json!({
            "event": "", "call_id": &*self.call_id, "wall": self.at.wall.to_string(), "tick_us": self.at.tick.0,
        });
        let (event, more) = match &self.seen {
            Seen::Invite { number, tail, ordinal, will } => (
                "invite",
                json!({ "number": format!("{number:016x}"), "to": format!("****{tail}"), "ordinal": ordinal, "will": will }),
            ),
            Seen::Answered => ("answered", json!({})),
            Seen::Key(key) => ("key", json!({ "key": key.to_string() })),
            Seen::Transfer { status } => ("transfer", json!({ "status": status })),
            Seen::Ended { cause, status, by } => ("ended", json!({ "cause": cause, "status": status, "by": by })),
        };
        if let (Some(line), serde_json::Value::Object(more)) = (line.as_object_mut(), more) {
            line.insert("event".to_owned(), event.into());
            line.extend(more);
        }
        line.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_json_and_holds_no_number() {
        let seen = Seen::Invite { number: 0xab, tail: "0001".to_owned(), ordinal: 2, will: "person" };
        let line = Witness { at: Now::default(), call_id: "a\"b".into(), seen }.line();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["call_id"], "a\"b");
        assert_eq!((&read["event"], &read["number"]), (&json!("invite"), &json!("00000000000000ab")));
        assert_eq!(
            (&read["to"], &read["tick_us"], &read["wall"]),
            (&json!("****0001"), &json!(0), &json!("1970-01-01T00:00:00Z"))
        );
        let ended = Seen::Ended { cause: "bye", status: Some(200), by: "them" };
        let line = Witness { at: Now::default(), call_id: "x".into(), seen: ended }.line();
        assert!(line.contains(r#""event":"ended""#) && line.contains(r#""cause":"bye""#));
    }
}
