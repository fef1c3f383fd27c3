//! Every route of the API, what a token must be to use it, and the document that describes them.

use std::sync::Arc;

use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, post};
use axum::{Router, middleware};

use crate::http::Role;

use super::guard::{admit, name_request};
use super::{Api, attempts, campaigns, capture, dnc, lists, switches};

/// OpenAPI 3.1, kept by hand; a test holds it against [`ROUTES`].
pub(super) const OPENAPI: &str = include_str!("openapi.json");

#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// `None`: no token is needed.
    pub(super) role: Option<Role>,
    to: fn() -> MethodRouter<Arc<Api>>,
}

const fn route(
    method: &'static str,
    path: &'static str,
    role: Option<Role>,
    to: fn() -> MethodRouter<Arc<Api>>,
) -> Route {
    Route { method, path, role, to }
}

const VIEWER: Option<Role> = Some(Role::Viewer);
const OPERATOR: Option<Role> = Some(Role::Operator);
const ADMIN: Option<Role> = Some(Role::Admin);

#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    route("GET",  "/openapi.json", None, || get(document)),
    route("GET",  "/api/v1/campaigns", VIEWER, || get(campaigns::list)),
    route("GET",  "/api/v1/campaigns/{name}", VIEWER, || get(campaigns::one)),
    route("POST", "/api/v1/campaigns/{name}/pause", OPERATOR, || post(switches::pause)),
    route("POST", "/api/v1/campaigns/{name}/resume", OPERATOR, || post(switches::resume)),
    route("POST", "/api/v1/pause", OPERATOR, || post(switches::pause_all)),
    route("POST", "/api/v1/resume", OPERATOR, || post(switches::resume_all)),
    route("GET",  "/api/v1/trunks", VIEWER, || get(switches::trunks)),
    route("POST", "/api/v1/trunks/{name}/pause", OPERATOR, || post(switches::pause_trunk)),
    route("POST", "/api/v1/trunks/{name}/resume", OPERATOR, || post(switches::resume_trunk)),
    route("POST", "/api/v1/reload", ADMIN, || post(campaigns::reload)),
    route("POST", "/api/v1/do-not-call/check", VIEWER, || post(dnc::check)),
    route("POST", "/api/v1/do-not-call/add", OPERATOR, || post(dnc::add)),
    route("POST", "/api/v1/do-not-call/remove", ADMIN, || post(dnc::remove)),
    route("GET",  "/api/v1/lists", VIEWER, || get(lists::page)),
    route("GET",  "/api/v1/lists/{list}", VIEWER, || get(lists::manifest)),
    route("GET",  "/api/v1/attempts", VIEWER, || get(attempts::recent)),
    route("GET",  "/api/v1/attempts/{attempt}", VIEWER, || get(attempts::one)),
    route("POST", "/api/v1/capture", OPERATOR, || post(capture::begin)),
    route("GET",  "/api/v1/capture", OPERATOR, || get(capture::state)),
    route("DELETE", "/api/v1/capture", OPERATOR, || delete(capture::forget)),
    route("POST", "/api/v1/capture/stop", OPERATOR, || post(capture::stop)),
    route("GET",  "/api/v1/capture/file", OPERATOR, || get(capture::file)),
];

pub(super) fn router(api: &Arc<Api>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let guarded = middleware::from_fn_with_state((Arc::clone(api), route), admit);
        router = router.route(route.path, (route.to)().layer(guarded));
    }
    router.layer(middleware::from_fn_with_state(Arc::clone(api), name_request)).with_state(Arc::clone(api))
}

async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn document() -> Value {
        serde_json::from_str(OPENAPI).unwrap()
    }

    fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
        let paths = document["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters");
            methods.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
        })
    }

    #[test]
    fn the_document_has_every_route_and_no_other() {
        let document = document();
        let described: BTreeSet<String> = operations(&document).map(|(name, _)| name).collect();
        let health = ["GET /", "GET /livez", "GET /readyz"].map(str::to_owned);
        let served: BTreeSet<String> =
            ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).chain(health).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn the_document_names_the_role_of_each_route() {
        let document = document();
        for (name, operation) in operations(&document) {
            let route = ROUTES.iter().find(|route| format!("{} {}", route.method, route.path) == name);
            let role = route.and_then(|route| route.role);
            assert_eq!(operation["x-role"].as_str(), role.map(Role::as_str), "{name}");
            assert_eq!(operation["security"] == serde_json::json!([]), role.is_none(), "{name}");
        }
    }

    /// What the OpenAPI 3.1 specification asks of a document like ours.
    #[test]
    fn the_document_is_a_valid_one() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
        let mut ids = BTreeSet::new();
        for (name, operation) in operations(&document) {
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{name}");
            assert!(!operation["responses"].as_object().unwrap().is_empty(), "{name}");
            let path = name.split(' ').nth(1).unwrap();
            let wanted: BTreeSet<&str> =
                path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
            let named: Vec<&Value> = in_path.inspect(|parameter| assert_eq!(parameter["required"], true)).collect();
            let named: BTreeSet<&str> = named.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
            assert_eq!(named, wanted, "{name}");
        }
        let mut refs = Vec::new();
        collect_refs(&document, &mut refs);
        assert!(!refs.is_empty());
        for reference in refs {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    fn collect_refs(value: &Value, refs: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                refs.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|inner| collect_refs(inner, refs));
            }
            Value::Array(items) => items.iter().for_each(|item| collect_refs(item, refs)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
