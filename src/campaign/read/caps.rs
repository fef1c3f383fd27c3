//! `contact_caps:`, of a policy and of a campaign.

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
    let within = fields.required("within", findings, unit::duration);
    let figure = scalar::u16_from(0..=u16::try_from(crate::campaign::caps::MOST_COUNTED).unwrap_or(u16::MAX));
    let max_dials = fields.optional("max_dials", findings, &figure);
    let max_contacts = fields.optional("max_contacts", findings, &figure);
    if fields.take("max_dials").is_none() && fields.take("max_contacts").is_none() {
        findings.error(span, Code::MissingKey, "a cap within a time has `max_dials`, `max_contacts` or both");
    }
    Some(CapRule::Within { within: within?, max_dials, max_contacts })
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
    let quiet_for = fields.required("quiet_for", findings, unit::lasting);
    let quiet_for = match quiet_for? {
        unit::Lasting::For(time) => Some(time),
        unit::Lasting::Forever => None,
    };
    Some(CapRule::Quiet { after: after?, quiet_for })
}
