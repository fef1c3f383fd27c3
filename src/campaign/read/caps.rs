//! `contact_caps:`, of a policy and of a campaign.

use std::time::Duration;

use crate::base::{Code, Span};
use crate::campaign::decode::{Fields, Findings, Node, Spanned, scalar, unit};
use crate::campaign::{Cap, CapOrigin, CapPer, CapRule, QuietAfter};

pub type RawCap = Spanned<Cap>;

/// More caps than this nobody means; every dial asks all of them.
const MOST: usize = 32;

pub fn caps(origin: CapOrigin) -> impl Fn(&Node, &mut Findings) -> Option<Vec<RawCap>> {
    move |node, findings| {
        if node.items("contact_caps", findings)?.len() > MOST {
            findings.error(node.span, Code::YamlBounds, format!("more than {MOST} caps"));
            return None;
        }
        node.list_of("contact_caps", findings, |item, findings| cap(item, origin, findings))
    }
}

fn cap(node: &Node, origin: CapOrigin, findings: &mut Findings) -> Option<RawCap> {
    let mut fields = node.fields("a cap", findings)?;
    let per = fields.required("per", findings, |node, findings| {
        let words = [("customer", CapPer::Customer), ("phone", CapPer::Phone)];
        scalar::one_of(node, "something to count by", &words, &[], findings)
    });
    let is_quiet = fields.take("after").is_some();
    let is_window = fields.take("within").is_some();
    let rule = match (is_window, is_quiet) {
        (true, false) => window(&mut fields, findings),
        (false, true) => quiet(&mut fields, findings),
        _ => {
            let hint = "either { per, within, max_dials and max_contacts } or { per, after, quiet_for }";
            findings.error_hint(
                node.span,
                Code::Contradiction,
                "a cap counts within a time, or is quiet after an event",
                hint,
            );
            return None;
        }
    };
    fields.finish(findings);
    Some(node.spanned(Cap { per: per?, rule: rule?, origin }))
}

fn window(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<CapRule> {
    let span: Span = fields.span();
    let within = fields.required("within", findings, |node, findings| {
        let within = unit::duration(node, findings)?;
        some_time(within, node, "within no time nothing is counted, and the cap holds nobody back", findings)
    });
    let max_dials = fields.optional("max_dials", findings, figure);
    let max_contacts = fields.optional("max_contacts", findings, figure);
    if fields.take("max_dials").is_none() && fields.take("max_contacts").is_none() {
        findings.error(span, Code::MissingKey, "a cap within a time has `max_dials`, `max_contacts` or both");
    }
    Some(CapRule::Within { within: within?, max_dials, max_contacts })
}

fn figure(node: &Node, findings: &mut Findings) -> Option<u16> {
    let most = u16::try_from(crate::campaign::caps::MOST_COUNTED).unwrap_or(u16::MAX);
    let figure = scalar::u16_from(0..=most)(node, findings)?;
    if figure == 0 {
        let hint = format!("1 to {most}, or leave it out; a campaign that is to call nobody has `status: paused`");
        findings.error_hint(node.span, Code::BadValue, "with a cap of 0 nobody is ever called", hint);
        return None;
    }
    Some(figure)
}

fn some_time(time: Duration, node: &Node, message: &str, findings: &mut Findings) -> Option<Duration> {
    if time.is_zero() {
        findings.error_hint(node.span, Code::BadValue, message, "a real time, as 24h or 7d; or leave the cap out");
        return None;
    }
    Some(time)
}

fn quiet(fields: &mut Fields<'_>, findings: &mut Findings) -> Option<CapRule> {
    let after = fields.required("after", findings, |node, findings| {
        let words = [
            ("declined", QuietAfter::Declined),
            ("complaint", QuietAfter::Complaint),
            ("abandoned", QuietAfter::Abandoned),
            ("machine", QuietAfter::Machine),
            ("contact", QuietAfter::Contact),
        ];
        scalar::one_of(node, "an event to be quiet after", &words, &[], findings)
    });
    let quiet_for = fields.required("quiet_for", findings, |node, findings| match unit::lasting(node, findings)? {
        unit::Lasting::For(time) => {
            some_time(time, node, "quiet for no time is not quiet, and the cap holds nobody back", findings).map(Some)
        }
        unit::Lasting::Forever => Some(None),
    });
    Some(CapRule::Quiet { after: after?, quiet_for: quiet_for? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::render;
    use crate::campaign::decode::{parse, source_text};

    fn said(cap: &str) -> String {
        let source = source_text("a.yaml", format!("[{{ per: customer, {cap} }}]").as_bytes()).unwrap();
        let mut findings = Findings::new(&source);
        parse(&source, &mut findings).and_then(|node| caps(CapOrigin::Campaign)(&node, &mut findings));
        render(&findings.into_list())
    }

    #[test]
    fn a_cap_that_lets_nobody_be_called_is_refused_at_its_figure() {
        for figure in ["max_dials: 0", "max_contacts: 0"] {
            let shown = said(&format!("within: 7d, {figure}"));
            assert!(shown.contains("with a cap of 0 nobody is ever called"), "{shown}");
            assert!(shown.contains("status: paused") && shown.contains("a.yaml:1:"), "{shown}");
        }
        assert_eq!(said("within: 7d, max_dials: 1, max_contacts: 1"), "");
    }

    #[test]
    fn a_cap_of_no_time_is_refused_because_it_would_hold_nobody_back() {
        for (cap, why) in [
            ("within: 0s, max_dials: 1", "within no time nothing is counted"),
            ("after: declined, quiet_for: 0d", "quiet for no time is not quiet"),
        ] {
            let shown = said(cap);
            assert!(shown.contains(why) && shown.contains("leave the cap out"), "{shown}");
        }
        assert_eq!(said("within: 1s, max_dials: 1"), "");
        assert_eq!(said("after: declined, quiet_for: forever"), "");
    }
}
