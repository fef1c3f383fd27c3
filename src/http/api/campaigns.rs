//! `/api/v1/campaigns`: what they do now, pause and resume, and a new plan for all.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::base::render_json;
use crate::engine::CampaignView;

use super::{Api, Problem};

pub(super) async fn list(State(api): State<Arc<Api>>) -> Json<Value> {
    let campaigns: Vec<Value> = api.control.campaigns().iter().map(shown).collect();
    Json(json!({ "campaigns": campaigns }))
}

pub(super) async fn one(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let campaigns = api.control.campaigns();
    let found = campaigns.iter().find(|campaign| *campaign.name == *name);
    found.map(|campaign| Json(shown(campaign))).ok_or_else(|| Problem::not_found("no such campaign"))
}

pub(super) async fn reload(State(api): State<Arc<Api>>) -> Result<Json<Value>, Problem> {
    let control = Arc::clone(&api.control);
    let reloaded = tokio::task::spawn_blocking(move || control.reload()).await;
    let swapped = reloaded.map_err(|_| Problem::busy("the reload did not end"))?.map_err(Problem::findings)?;
    Ok(Json(json!({ "campaigns": swapped.campaigns, "warnings": render_json(&swapped.warnings) })))
}

fn shown(campaign: &CampaignView) -> Value {
    let closed: BTreeMap<&str, u64> = campaign.closed.iter().map(|(why, count)| (why.as_str(), *count)).collect();
    let blocked: BTreeMap<&str, u64> = campaign.blocked.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
    let results: BTreeMap<&str, u64> = campaign.by_result.iter().map(|(what, count)| (what.as_str(), *count)).collect();
    let said: BTreeMap<&str, u64> = campaign.by_disposition.iter().map(|(what, count)| (&**what, *count)).collect();
    json!({
        "name": &*campaign.name,
        "scenario": campaign.scenario,
        "paused": campaign.paused,
        "leads": {
            "all": campaign.leads,
            "waiting": campaign.waiting,
            "due": campaign.due,
            "live": campaign.live,
            "closed": closed,
            "blocked": blocked,
        },
        "since_start": { "call_results": results, "dispositions": said },
    })
}
