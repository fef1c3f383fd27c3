//! Pause and resume: everything, a campaign, a trunk. Who did it, when and why is kept.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::store::{Store as _, Switch, SwitchOf, Turned};

use super::body::MaybeBody;
use super::guard::Who;
use super::page::time;
use super::{Api, Problem};

/// A body may be left out.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    /// End the calls under way too.
    #[serde(default)]
    hang_up: bool,
    /// Without personal data.
    reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GoOn {
    reason: Option<String>,
}

type Shared = State<Arc<Api>>;
type Answer = Result<Json<Value>, Problem>;

pub(super) async fn pause(api: Shared, name: Path<String>, who: Extension<Who>, body: MaybeBody<Stop>) -> Answer {
    let switch = switch(&api, SwitchOf::Campaign(name.0), &who, Some(body.0.hang_up), body.0.reason)?;
    turn(&api, switch).await
}

pub(super) async fn resume(api: Shared, name: Path<String>, who: Extension<Who>, body: MaybeBody<GoOn>) -> Answer {
    let switch = switch(&api, SwitchOf::Campaign(name.0), &who, None, body.0.reason)?;
    turn(&api, switch).await
}

pub(super) async fn pause_all(api: Shared, who: Extension<Who>, body: MaybeBody<Stop>) -> Answer {
    let switch = switch(&api, SwitchOf::Everything, &who, Some(body.0.hang_up), body.0.reason)?;
    turn(&api, switch).await
}

pub(super) async fn resume_all(api: Shared, who: Extension<Who>, body: MaybeBody<GoOn>) -> Answer {
    let switch = switch(&api, SwitchOf::Everything, &who, None, body.0.reason)?;
    turn(&api, switch).await
}

pub(super) async fn pause_trunk(api: Shared, name: Path<String>, who: Extension<Who>, body: MaybeBody<Stop>) -> Answer {
    let name = known(&api, name.0)?;
    let switch = switch(&api, SwitchOf::Trunk(name), &who, Some(body.0.hang_up), body.0.reason)?;
    turn_trunk(&api, switch).await
}

pub(super) async fn resume_trunk(
    api: Shared,
    name: Path<String>,
    who: Extension<Who>,
    body: MaybeBody<GoOn>,
) -> Answer {
    let name = known(&api, name.0)?;
    let switch = switch(&api, SwitchOf::Trunk(name), &who, None, body.0.reason)?;
    turn_trunk(&api, switch).await
}

/// Every trunk, and who turned its switch last.
pub(super) async fn trunks(State(api): Shared) -> Answer {
    let mut store = api.store.lock().await;
    let stopped = store.paused().await?.trunks;
    let mut trunks = Vec::with_capacity(api.facts.trunks.len());
    for name in &api.facts.trunks {
        let last = store.last_turn(&SwitchOf::Trunk(name.clone())).await?;
        trunks.push(json!({ "name": name, "paused": stopped.contains(name), "turned": last.as_ref().map(shown) }));
    }
    Ok(Json(json!({ "trunks": trunks })))
}

fn shown(turned: &Turned) -> Value {
    let Switch { who, reason, at, hang_up, .. } = &turned.switch;
    json!({ "at": time(*at), "by": who, "reason": reason, "hang_up": hang_up })
}

fn known(api: &Api, name: String) -> Result<String, Problem> {
    if api.facts.trunks.contains(&name) { Ok(name) } else { Err(Problem::not_found("no such trunk")) }
}

/// `hang_up`: `None` lets it go on.
fn switch(
    api: &Api,
    of: SwitchOf,
    Extension(Who(token)): &Extension<Who>,
    hang_up: Option<bool>,
    reason: Option<String>,
) -> Result<Switch, Problem> {
    let reason = reason.unwrap_or_else(|| "not stated".to_owned());
    let reason = Switch::reason(&reason);
    let reason = reason.ok_or_else(|| Problem::bad_request("a reason is one line of at most 200 characters"))?;
    let at = api.control.now().wall;
    let (paused, hang_up) = (hang_up.is_some(), hang_up.unwrap_or(false));
    Ok(Switch { of, paused, hang_up, who: format!("token {token}"), reason, at })
}

/// Durable when it answers; in force in the engine within a second.
async fn turn(api: &Api, switch: Switch) -> Answer {
    let mut store = api.store.lock().await;
    store.turn(&switch).await?;
    let now = store.paused().await?;
    let name = match &switch.of {
        SwitchOf::Campaign(name) => Some(name),
        SwitchOf::Everything | SwitchOf::Trunk(_) => None,
    };
    Ok(Json(json!({
        "campaign": name,
        "paused": switch.paused,
        "all_paused": now.all,
        "paused_by_name": now.campaigns.len(),
    })))
}

async fn turn_trunk(api: &Api, switch: Switch) -> Answer {
    let mut store = api.store.lock().await;
    store.turn(&switch).await?;
    let now = store.paused().await?;
    let SwitchOf::Trunk(name) = &switch.of else { return Err(Problem::not_found("no such trunk")) };
    Ok(Json(json!({ "trunk": name, "paused": switch.paused, "all_paused": now.all, "hang_up": switch.hang_up })))
}
