//! The campaigns folder as it was when the program was built, so that the demo needs nothing but itself.

macro_rules! shipped {
    ($($path:literal)*) => { &[$(($path, include_bytes!(concat!("../../../campaigns/", $path)).as_slice()),)*] };
}

/// Path inside the folder, and the bytes.
pub(super) static FILES: &[(&str, &[u8])] = shipped! {
    "activation.yaml"
    "calendars/cn-mainland.yaml"
    "calendars/us.yaml"
    "collections.yaml"
    "dispositions/card-sales.yaml"
    "installments.yaml"
    "issuance-approval.yaml"
    "issuance.yaml"
    "policies/cn-bank-collection.yaml"
    "policies/cn-bank-marketing.yaml"
    "policies/cn-bank-service.yaml"
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
    use std::path::Path;

    use crate::daemon::read_folder;

    use super::*;

    #[test]
    fn every_file_of_the_campaigns_folder_is_shipped() {
        let folder = read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns"), None).unwrap();
        let on_disk: Vec<&str> =
            folder.files.keys().map(String::as_str).filter(|path| !path.ends_with("README.md")).collect();
        let shipped: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(shipped, on_disk);
    }
}
