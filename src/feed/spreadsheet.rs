//! Text that a spreadsheet would run as a formula, made harmless, and read back.

use std::borrow::Cow;

/// OWASP "CSV Injection": a cell that begins with one of these may be evaluated. An apostrophe in front makes it text.
const STARTERS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text that begins with an apostrophe already gets one more, so that taking one away gives back every text.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if text.starts_with(STARTERS) || text.starts_with('\'') {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
pub fn unescaped(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_come_back_as_they_were() {
        for text in
            ["=HYPERLINK(\"x\")", "+cmd", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'quoted", "''", "plain", "", "1-2"]
        {
            let safe = escaped(text);
            assert!(!safe.starts_with(STARTERS), "{text:?}");
            assert_eq!(unescaped(&safe), text);
        }
        assert!(matches!(escaped("plain"), Cow::Borrowed("plain")));
    }
}
