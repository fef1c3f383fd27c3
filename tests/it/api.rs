//! The API of a running daemon: who may what, what it answers, and that every answer is as its document says.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::daemon::{Daemon, Setup, Site, until, within};
use crate::trial::{self, Trial};

const NOBODY_ANSWERS: &str = "{ \"1\": 0% }";

/// One answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|why| panic!("{why}: {}", self.text))
    }

    /// The code of a problem, which must look like one.
    #[track_caller]
    fn code(&self) -> String {
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        assert!(self.head.contains("x-request-id: ") || self.status == 404 || self.status == 405, "{}", self.head);
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert_matches(&document(), &problem, "#/components/schemas/Problem");
        problem["code"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn send(address: SocketAddr, token: Option<&str>, method: &str, path: &str, body: Option<&str>) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    if let Some(token) = token {
        write!(request, "Authorization: Bearer {token}\r\n").unwrap();
    }
    if let Some(body) = body {
        write!(request, "Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()).unwrap();
    }
    write!(stream, "{request}\r\n{}", body.unwrap_or("")).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), text: body.to_owned() }
}

pub(crate) fn token(site: &Site, role: &str) -> String {
    let made: Value = serde_json::from_str(&site.run("token", &["new", "--role", role, "--json"])).unwrap();
    made["token"].as_str().unwrap().to_owned()
}

fn site(leads: u32) -> Site {
    let site = Site::new(&Setup { max_cps: 20, ..Setup::default() });
    Trial { ring_s: 5, ..Trial::default() }.write(&site);
    site.write("list.csv", &format!("{}\n{}", trial::HEADER, trial::rows(1, "Asia/Shanghai", leads)));
    site.import("trial", &site.path("list.csv"));
    site
}

fn document() -> Value {
    serde_json::from_str(include_str!("../../src/http/api/openapi.json")).unwrap()
}

/// The part of JSON Schema that the document uses.
#[track_caller]
fn assert_matches(document: &Value, value: &Value, reference: &str) {
    let schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
    if let Err(why) = check(document, schema, value, "$") {
        panic!("{reference}: {why}\n{value:#}");
    }
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return check(document, document.pointer(reference.strip_prefix('#').unwrap()).unwrap(), value, at);
    }
    if let Some(kinds) = schema["oneOf"].as_array() {
        let fits = kinds.iter().filter(|kind| check(document, kind, value, at).is_ok()).count();
        return if fits == 1 { Ok(()) } else { Err(format!("{at} fits {fits} of {kinds:?}")) };
    }
    if let Some(words) = schema["enum"].as_array() {
        return if words.contains(value) { Ok(()) } else { Err(format!("{at} is none of {words:?}")) };
    }
    let is = |kind: &str| match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let fits = kinds.iter().any(|kind| is(kind.as_str().unwrap()));
    if !fits {
        return Err(format!("{at} is not {}", schema["type"]));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            return Err(format!("{at} lacks {name}"));
        }
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => return Err(format!("{at} is not in the document")),
            (Value::Null, Value::Null) => {}
            (Value::Null, more) => check(document, more, inner, &at)?,
            (known, _) => check(document, known, inner, &at)?,
        }
    }
    for (nth, item) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], item, &format!("{at}[{nth}]"))?;
    }
    Ok(())
}

/// Asks, and holds the answer against the document.
#[track_caller]
fn ask(daemon: &Daemon, token: &str, method: &str, path: &str, route: &str, body: Option<&Value>) -> Value {
    let body = body.map(Value::to_string);
    let mut answer = send(daemon.http(), Some(token), method, path, body.as_deref());
    // Whoever waits for something by asking may have asked more often than a token may.
    if answer.status == 429 {
        until("the token may ask again", || {
            answer = send(daemon.http(), Some(token), method, path, body.as_deref());
            answer.status != 429
        });
    }
    assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
    let document = document();
    let operation = &document["paths"][route][method.to_lowercase()];
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    let value = answer.json();
    if let Err(why) = check(&document, schema, &value, "$") {
        panic!("{method} {path}: {why}\n{value:#}");
    }
    value
}

#[test]
fn without_tokens_only_health_answers() {
    let site = site(1);
    let daemon = site.serve(&[]);
    for path in ["/api/v1/campaigns", "/openapi.json"] {
        let answer = send(daemon.http(), Some("gh_anything"), "GET", path, None);
        assert_eq!((answer.status, answer.code().as_str()), (403, "GH6006"), "{path}");
    }
    assert_eq!(send(daemon.http(), None, "GET", "/livez", None).status, 200);
    let index = send(daemon.http(), None, "GET", "/", None).json();
    assert!(index["api"].as_str().unwrap().starts_with("closed"), "{index}");
    let token = token(&site, "viewer");
    let campaigns = || send(daemon.http(), Some(&token), "GET", "/api/v1/campaigns", None).status;
    until("the new token is known", || campaigns() == 200);
    site.run("token", &["revoke", "viewer-1"]);
    until("it is revoked", || campaigns() == 403);
    assert!(!daemon.log().contains(&token));
    daemon.stop();
}

#[test]
fn each_role_may_what_the_document_says() {
    let site = site(1);
    let tokens = ["viewer", "operator", "admin"].map(|role| (role, token(&site, role)));
    let daemon = site.serve(&[]);
    let document = document();
    let rank = |role: &str| tokens.iter().position(|(known, _)| *known == role).unwrap();
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(needed) = operation["x-role"].as_str() else { continue };
            let real = path.replace("{name}", "trial").replace("{list}", "1").replace("{attempt}", "x");
            let real = &real;
            let method = method.to_uppercase();
            let stranger = send(daemon.http(), None, &method, real, None);
            assert_eq!((stranger.status, stranger.code().as_str()), (401, "GH6000"), "{method} {real}");
            for (role, token) in &tokens {
                let answer = send(daemon.http(), Some(token), &method, real, None);
                let may = rank(role) >= rank(needed);
                assert_eq!(answer.status != 403, may, "{role} {method} {real}: {} {}", answer.status, answer.text);
                asked += 1;
            }
        }
    }
    assert!(asked > 40, "{asked}");
    let wrong = send(daemon.http(), Some("gh_wrong"), "GET", "/api/v1/campaigns", None);
    assert_eq!((wrong.status, wrong.head.contains("www-authenticate: bearer")), (401, true));
    daemon.stop();
}

#[test]
fn every_answer_is_as_the_document_says_and_masked() {
    let site = site(30);
    let admin = token(&site, "admin");
    let _far = site.far_end(&trial::town(0, NOBODY_ANSWERS, ""), &[]);
    let daemon = site.serve(&[]);
    until("some are dialled", || site.number("SELECT count(*) FROM outcome") > 5);
    let get = |path: &str, route: &str| ask(&daemon, &admin, "GET", path, route, None);
    let post = |path: &str, route: &str, body: Option<&Value>| ask(&daemon, &admin, "POST", path, route, body);

    let paused = post("/api/v1/campaigns/trial/pause", "/api/v1/campaigns/{name}/pause", None);
    assert_eq!(paused["paused"], true);
    let one = || get("/api/v1/campaigns/trial", "/api/v1/campaigns/{name}");
    assert!(within(Duration::from_secs(10), || one()["paused"] == true), "{}", one());
    assert_eq!(get("/api/v1/campaigns", "/api/v1/campaigns")["campaigns"][0]["leads"]["all"], 30);
    post("/api/v1/campaigns/trial/resume", "/api/v1/campaigns/{name}/resume", None);
    post("/api/v1/pause", "/api/v1/pause", None);
    assert_eq!(post("/api/v1/resume", "/api/v1/resume", None)["all_paused"], false);
    post("/api/v1/trunks/gw-a/pause", "/api/v1/trunks/{name}/pause", Some(&json!({ "reason": "asked" })));
    assert_eq!(get("/api/v1/trunks", "/api/v1/trunks")["trunks"][0]["paused"], true);
    post("/api/v1/trunks/gw-a/resume", "/api/v1/trunks/{name}/resume", None);
    assert_eq!(post("/api/v1/reload", "/api/v1/reload", None)["campaigns"], 1);

    let number = trial::number(1, 29);
    let whom = json!({ "number": number });
    let check = || post("/api/v1/do-not-call/check", "/api/v1/do-not-call/check", Some(&whom));
    assert_eq!(check()["listed"], false);
    let entry = json!({ "number": number, "reason": "asked" });
    let added = post("/api/v1/do-not-call/add", "/api/v1/do-not-call/add", Some(&entry));
    assert!(added["masked"].as_str().unwrap().contains("****"), "{added}");
    assert_eq!(check()["listed"], true);
    assert_eq!(post("/api/v1/do-not-call/remove", "/api/v1/do-not-call/remove", Some(&whom))["removed"], true);
    let customer = json!({ "customer": "k1-28", "until": "2999-01-01T00:00:00Z" });
    post("/api/v1/do-not-call/add", "/api/v1/do-not-call/add", Some(&customer));

    let lists = get("/api/v1/lists?limit=1", "/api/v1/lists");
    let list = &lists["lists"][0];
    assert_eq!((&list["rows"], &list["name"]), (&json!(30), &json!("list.csv")));
    let path = format!("/api/v1/lists/{}", list["list"]);
    assert_eq!(get(&path, "/api/v1/lists/{list}"), *list);
    let first = get("/api/v1/attempts?limit=3", "/api/v1/attempts");
    let last = first["attempts"][2]["attempt"].as_str().unwrap();
    let next = get(&format!("/api/v1/attempts?limit=2&before={last}"), "/api/v1/attempts");
    assert!(next["attempts"][0]["attempt"].as_str().unwrap() < last, "{first} {next}");
    let of = &site.texts::<1>("SELECT lower(hex(attempt)) FROM outcome LIMIT 1")[0][0];
    let one = get(&format!("/api/v1/attempts/{of}"), "/api/v1/attempts/{attempt}");
    assert_eq!(one["outcomes"][0]["revision"], 0);
    for answer in [&first, &one] {
        assert!(!answer.to_string().contains("k1-"), "{answer}");
        assert!(answer.to_string().contains("****"), "{answer}");
    }
    get("/openapi.json", "/openapi.json");
    assert!(daemon.log().contains("done through the API"));
    daemon.stop();
}

#[test]
fn mistakes_are_problems_that_repeat_nothing() {
    let site = site(1);
    let admin = token(&site, "admin");
    let daemon = site.serve(&[]);
    let long = format!("{{\"customer\": \"{}\"}}", "x".repeat(20_000));
    let dnc = "/api/v1/do-not-call/add";
    for (method, path, body, status, code) in [
        ("POST", dnc, Some(r#"{"number": "+999271828182", "customer": "canary"}"#), 400, "GH6004"),
        ("POST", dnc, Some(r#"{"numbr": "+999271828182"}"#), 400, "GH6004"),
        ("POST", dnc, Some(r#"{"number": "271828182canary"}"#), 400, "GH6004"),
        ("POST", dnc, Some(r#"{"customer": "canary", "until": "271828182"}"#), 400, "GH6004"),
        ("POST", dnc, Some(&long), 413, "GH6004"),
        ("POST", dnc, None, 415, "GH6004"),
        ("GET", dnc, None, 405, "GH6004"),
        ("GET", "/api/v1/attempts?limit=271828182", None, 400, "GH6004"),
        ("GET", "/api/v1/attempts/canary", None, 404, "GH6003"),
        ("GET", "/api/v1/lists/271828182", None, 404, "GH6003"),
        ("POST", "/api/v1/campaigns/canary/pause", None, 404, "GH6003"),
        ("GET", "/api/v1/canary", None, 404, "GH6003"),
    ] {
        let answer = send(daemon.http(), Some(&admin), method, path, body);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {path}: {}", answer.text);
        assert!(!answer.text.contains("271828182") && !answer.text.contains("canary"), "{}", answer.text);
    }
    site.write("campaigns/trial.yaml", "schema: goldenhour/v1\ncampaign: trial\n");
    let refused = send(daemon.http(), Some(&admin), "POST", "/api/v1/reload", None);
    assert_eq!((refused.status, refused.code().as_str()), (422, "GH6007"));
    assert!(refused.json()["findings"][0]["file"].as_str().unwrap().ends_with("trial.yaml"));
    assert!(!daemon.log().contains("canary") && !daemon.log().contains("271828182"), "{}", daemon.log());
    daemon.stop();
}

#[test]
fn a_token_that_asks_too_often_is_told_to_wait_and_others_are_not() {
    let site = site(1);
    let (busy, other) = (token(&site, "viewer"), token(&site, "viewer"));
    let daemon = site.serve(&[]);
    let ask = |token: &str| send(daemon.http(), Some(token), "GET", "/api/v1/lists", None);
    let refused = (0..500).map(|_| ask(&busy)).find(|answer| answer.status == 429).expect("never refused");
    assert_eq!(refused.code(), "GH6002");
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    assert_eq!(ask(&other).status, 200);
    daemon.stop();
}

#[test]
fn it_listens_beyond_this_machine_only_with_tokens() {
    let site = site(1);
    let config = fs::read_to_string(site.path("goldenhour.yaml")).unwrap();
    let open = config.replace(
        &format!("http: {{ listen: \"{}\" }}", site.http),
        &format!("http: {{ listen: \"0.0.0.0:{}\" }}", site.http.port()),
    );
    assert_ne!(config, open);
    site.write("goldenhour.yaml", &open);
    let mut refused = site.spawn();
    assert_eq!(refused.process().wait().code(), Some(3));
    assert!(refused.log().contains("GH6008"), "{}", refused.log());
    token(&site, "viewer");
    site.serve(&[]).stop();
    site.write("var/tokens", "nonsense\n");
    let mut damaged = site.spawn();
    assert_eq!(damaged.process().wait().code(), Some(3));
    assert!(damaged.log().contains("line 1"), "{}", damaged.log());
}
