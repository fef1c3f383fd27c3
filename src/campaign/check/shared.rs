//! The shared files of a folder: policies, calendars and disposition sets, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::{Code, Span};
use crate::campaign::decode::{Findings, Spanned, did_you_mean};
use crate::campaign::read::{DispositionSet, RawCampaign, Reference};
use crate::campaign::{Calendar, Policy, Purpose};

#[derive(Debug, Default)]
pub struct Shared {
    pub policies: BTreeMap<String, Arc<Policy>>,
    pub calendars: BTreeMap<String, Arc<Calendar>>,
    pub dispositions: BTreeMap<String, DispositionSet>,
    /// Paths of files that are there and could not be read: whoever names them is not told that they are missing.
    pub broken: BTreeSet<String>,
}

impl Shared {
    pub fn policy(&self, raw: &RawCampaign, findings: &mut Findings) -> Option<Arc<Policy>> {
        let reference = raw.uses.policy.as_ref()?;
        let policy = self.find("policy", "policies", reference, &self.policies, findings)?;
        same_version(reference, &policy.version.to_string(), findings)?;
        if let Some(purpose) = raw.purpose.as_ref().filter(|purpose| !policy.purposes.contains(&purpose.value)) {
            let covers: Vec<&str> = policy.purposes.iter().map(|p| Purpose::as_str(*p)).collect();
            let message = format!("{} does not cover the purpose {}", policy.reference(), purpose.value.as_str());
            let hint =
                format!("it covers: {}; the purpose chooses the policy, not the other way round", covers.join(", "));
            findings.error_hint(reference.span, Code::Contradiction, message, hint);
        }
        Some(Arc::clone(policy))
    }

    pub fn calendar(&self, raw: &RawCampaign, findings: &mut Findings) -> Option<Arc<Calendar>> {
        let reference = raw.uses.calendar.as_ref()?;
        let calendar = self.find("calendar", "calendars", reference, &self.calendars, findings)?;
        same_version(reference, &calendar.version, findings)?;
        Some(Arc::clone(calendar))
    }

    pub fn dispositions(&self, raw: &RawCampaign, findings: &mut Findings) -> Option<&DispositionSet> {
        let reference = raw.uses.dispositions.as_ref()?;
        let set = self.find("disposition set", "dispositions", reference, &self.dispositions, findings)?;
        same_version(reference, &set.version, findings)?;
        Some(set)
    }

    fn find<'a, T>(
        &self,
        what: &str,
        under: &str,
        reference: &Spanned<Reference>,
        known: &'a BTreeMap<String, T>,
        findings: &mut Findings,
    ) -> Option<&'a T> {
        let name = &reference.value.name;
        let found = known.get(name);
        let path = format!("{under}/{name}.yaml");
        if found.is_none() && !self.broken.contains(&path) {
            let hint =
                did_you_mean(name, known.keys().map(String::as_str)).unwrap_or_else(|| format!("looked for {path}"));
            findings.error_hint(reference.span, Code::UnknownName, format!("there is no {what} `{name}`"), hint);
        }
        found
    }
}

fn same_version(reference: &Spanned<Reference>, version: &str, findings: &mut Findings) -> Option<()> {
    if reference.value.version == version {
        return Some(());
    }
    let Reference { name, version: asked } = &reference.value;
    let message = format!("{name} has version {version}, not {asked}");
    let hint = format!("read what has changed, then write {name}@{version}");
    findings.error_hint(reference.span, Code::UnknownName, message, hint);
    None
}

/// The place of a section, or of the campaign's first line where the section is absent.
pub fn place(section: Span, root: Span) -> Span {
    if section == Span::default() { Span { start: root.start, end: root.start + 1 } } else { section }
}
