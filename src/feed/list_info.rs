//! What the store is told of a list: which one it is, and by what it was scored.

use sha2::{Digest, Sha256};

use crate::campaign::{ListMap, RefuseIf};
use crate::store::ListInfo;

use super::list_model::{ListModel, alias};
use super::source::Fingerprint;
use super::{ListFile, ReadOptions, Rows};

pub fn list_info(campaign: &str, map: &ListMap, list: &ListFile, options: &ReadOptions, rows: &Rows) -> ListInfo {
    let used = rows.model().map(ListModel::manifest);
    let (id, version) = match used {
        Some(manifest) => (Some(&manifest.name), Some(&manifest.version)),
        None => (map.model_id.as_ref(), map.model_version.as_ref()),
    };
    ListInfo {
        campaign: campaign.to_owned(),
        name: list.name(),
        sha256: digest(list.print(), map, options, rows.model()),
        expires_after: map.expires_after,
        model_id: id.cloned(),
        model_version: version.cloned(),
        model_alias: alias(map, options),
    }
}

/// The same file means something else under another mapping, encoding or default country, or scored by another model;
/// where it came from and what would have kept it out does not matter.
fn digest(print: &Fingerprint, map: &ListMap, read: &ReadOptions, model: Option<&ListModel>) -> [u8; 32] {
    let map = ListMap { source: None, refuse_if: RefuseIf::default(), ..map.clone() };
    let ReadOptions { encoding, country, plain_order, campaigns: _ } = read;
    let mut hash = Sha256::new();
    hash.update(print.sha256);
    hash.update(format!("{map:?}{encoding:?}{country:?}"));
    if let Some(model) = model {
        hash.update(model.digest());
    }
    if *plain_order {
        hash.update("plain_order");
    }
    hash.finalize().into()
}
