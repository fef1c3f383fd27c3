//! The part of the campaigns folder that the demo has lists for, as it was when the program was built, so that the demo
//! needs nothing but itself.

macro_rules! shipped {
    ($($path:literal)*) => { &[$(($path, include_bytes!(concat!("../../../campaigns/", $path)).as_slice()),)*] };
}

/// Path inside the folder, and the bytes.
pub(super) static FILES: &[(&str, &[u8])] = shipped! {
    "activation.yaml"
    "calendars/cn-mainland.yaml"
    "calendars/fr.yaml"
    "calendars/uk.yaml"
    "calendars/us.yaml"
    "collections.yaml"
    "dispositions/card-sales.yaml"
    "dispositions/collections.yaml"
    "installments.yaml"
    "issuance-approval.yaml"
    "issuance.yaml"
    "policies/cn-bank-collection.yaml"
    "policies/cn-bank-marketing.yaml"
    "policies/cn-bank-service.yaml"
    "policies/fr-d223-9.yaml"
    "policies/uk-ofcom.yaml"
    "policies/us-reg-f.yaml"
    "policies/us-tsr-tcpa.yaml"
    "prompts/callback-agreed.wav"
    "prompts/goodbye.wav"
    "prompts/opted-out.wav"
    "prompts/reminder-collections.wav"
    "prompts/thank-you.wav"
    "prompts/transfer.wav"
    "prompts/try-again.wav"
    "prompts/welcome-activation.wav"
    "prompts/welcome-installments.wav"
    "prompts/welcome-issuance.wav"
    "prompts/welcome-retention.wav"
    "prompts/welcome-revisit.wav"
    "prompts/welcome-spending.wav"
    "retention.yaml"
    "revisit.yaml"
    "scripts/card-sales.md"
    "scripts/installments.md"
    "scripts/retention-high-value.md"
    "scripts/retention.md"
    "spending.yaml"
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use crate::base::render;
    use crate::campaign::{Folder, load};
    use crate::cli::demo::lists::lists;
    use crate::daemon::read_folder;

    use super::*;

    #[test]
    fn all_shared_files_are_shipped_and_the_campaigns_with_a_list() {
        let mut folder = Folder::default();
        for (path, bytes) in FILES {
            folder.insert(*path, *bytes);
        }
        let plan = load(&folder).unwrap_or_else(|findings| panic!("{}", render(&findings)));
        let names: BTreeSet<&str> = plan.campaigns.iter().map(|campaign| campaign.name.as_str()).collect();
        assert!(lists(1, 0.01).iter().all(|list| names.contains(list.campaign)), "{names:?}");
        assert_eq!(names.len(), 8);

        let on_disk = read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns"), None).unwrap();
        let shared =
            |path: &&str| ["policies/", "calendars/", "dispositions/"].iter().any(|under| path.starts_with(under));
        // Tests have no use in a demo.
        let wanted = on_disk.files.keys().map(String::as_str).filter(shared);
        let wanted: Vec<&str> = wanted.filter(|path| !path.starts_with("policies/vectors/")).collect();
        let shipped: Vec<&str> = FILES.iter().map(|(path, _)| *path).filter(shared).collect();
        assert_eq!(shipped, wanted);
    }
}
