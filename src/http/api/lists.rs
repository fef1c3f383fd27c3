//! `/api/v1/lists`: which lists were loaded, and the manifest of one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::base::{ListId, hex};
use crate::store::{Browse as _, ListRow};

use super::page::{Page, time};
use super::{Api, Problem};

pub(super) async fn page(State(api): State<Arc<Api>>, page: Page) -> Result<Json<Value>, Problem> {
    let (limit, before) = page.read(id)?;
    let lists = api.store.lock().await.lists(before, limit).await?;
    Ok(Json(json!({ "lists": lists.iter().map(shown).collect::<Vec<_>>() })))
}

pub(super) async fn manifest(State(api): State<Arc<Api>>, Path(list): Path<String>) -> Result<Json<Value>, Problem> {
    let missing = || Problem::not_found("no such list");
    let list = id(&list).ok_or_else(missing)?;
    let found = api.store.lock().await.list(list).await?;
    found.map(|list| Json(shown(&list))).ok_or_else(missing)
}

fn id(text: &str) -> Option<ListId> {
    text.parse().ok().map(ListId)
}

fn shown(list: &ListRow) -> Value {
    json!({
        "list": list.list.0,
        "campaign": list.campaign,
        "name": list.name,
        "sha256": hex(&list.sha256),
        "rows": list.rows,
        "loaded_at": time(list.at),
        "expires_at": list.expires.map(time),
    })
}
