//! What an editor makes of the campaigns folder: yaml-language-server with the schemas that the files themselves name.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

#[test]
fn no_file_of_the_folder_is_underlined() {
    let mut editor = Editor::start();
    let files = yaml_files(&campaigns());
    assert!(files.len() > 40, "{files:?}");
    for file in &files {
        let found = editor.open(file, &fs::read_to_string(file).unwrap());
        assert_eq!(found, [] as [String; 0], "{}", file.display());
    }
}

#[test]
fn mistakes_are_underlined_while_they_are_typed() {
    let mut editor = Editor::start();
    for (nth, (file, good, bad, says)) in [
        ("activation.yaml", "mode: agentless", "mode: agentles", "\"agentless\", \"progressive\""),
        ("activation.yaml", "attempts: {", "atempts: {", "atempts is not allowed"),
        ("policies/us-tsr-tcpa.yaml", "purposes:", "purpose:", "purpose is not allowed"),
        ("calendars/us.yaml", "\ncalendar:", "\ncalender:", "calender is not allowed"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = campaigns().join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(good), "{}: no `{good}`", file.display());
        let draft = file.with_extension(format!("{nth}.yaml"));
        let found = editor.open(&draft, &text.replace(good, bad)).join("\n");
        assert!(found.contains(says), "{bad}: {found}");
    }
}

#[test]
fn keys_and_words_are_completed_and_explained() {
    let mut editor = Editor::start();
    let modeline = "# yaml-language-server: $schema=schema/campaign.json\nschema: goldenhour/v1\n";
    let draft = campaigns().join("draft-of-a-test.yaml");
    editor.open(&draft, &format!("{modeline}attempts:\n  max: 2\n  m\npacing:\n  mode: \n"));
    assert_eq!(editor.complete(&draft, 4, 3), ["max_per_day", "min_gap", "spread", "stop_after_contact"]);
    assert_eq!(editor.complete(&draft, 6, 8), ["agentless", "progressive"]);
    let hover = editor.ask("textDocument/hover", &at(&draft, 3, 4));
    let text = hover.pointer("/contents/value").and_then(Value::as_str).unwrap_or_default();
    assert!(text.contains("Attempts in all"), "{hover}");
}

/// A language server and what it says to an editor.
struct Editor {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    requests: u64,
    /// By URI: the messages of the newest diagnostics, with their lines.
    found: BTreeMap<String, Vec<String>>,
}

impl Editor {
    fn start() -> Self {
        let mut child = Command::new("yaml-language-server")
            .arg("--stdio")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("yaml-language-server is not on the PATH: run scripts/test, which installs it");
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut editor = Self { child, to, from, requests: 0, found: BTreeMap::new() };
        let root = uri(&campaigns());
        let capabilities = json!({ "workspace": { "configuration": true } });
        let folders = json!([{ "uri": root, "name": "campaigns" }]);
        editor.ask(
            "initialize",
            &json!({ "processId": null, "rootUri": root, "capabilities": capabilities, "workspaceFolders": folders }),
        );
        editor.send(json!({ "method": "initialized", "params": {} }));
        editor
    }

    /// What is underlined, once the server has looked at it.
    fn open(&mut self, file: &Path, text: &str) -> Vec<String> {
        let uri = uri(file);
        let document = json!({ "uri": uri, "languageId": "yaml", "version": 1, "text": text });
        self.send(json!({ "method": "textDocument/didOpen", "params": { "textDocument": document } }));
        loop {
            if let Some(found) = self.found.remove(&uri) {
                return found;
            }
            self.hear();
        }
    }

    fn complete(&mut self, file: &Path, line: u64, character: u64) -> Vec<String> {
        let answer = self.ask("textDocument/completion", &at(file, line, character));
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        let mut labels: Vec<String> =
            items.iter().filter_map(|item| item["label"].as_str()).map(str::to_owned).collect();
        labels.sort();
        labels
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(json!({ "id": id, "method": method, "params": params }));
        loop {
            let message = self.hear();
            if message["id"] == id && message.get("method").is_none() {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// The next message. Questions of the server are answered, diagnostics are kept.
    fn hear(&mut self) -> Value {
        let message = self.read();
        match (message["method"].as_str(), message.get("id")) {
            (Some("workspace/configuration"), Some(id)) => {
                let asked = message.pointer("/params/items").and_then(Value::as_array).cloned().unwrap_or_default();
                let yaml =
                    json!({ "validate": true, "completion": true, "hover": true, "schemaStore": { "enable": false } });
                let set = |item: &Value| if item["section"] == "yaml" { yaml.clone() } else { json!({}) };
                let result: Vec<Value> = asked.iter().map(set).collect();
                self.send(json!({ "id": id, "result": result }));
            }
            (Some(_), Some(id)) => self.send(json!({ "id": id, "result": null })),
            (Some("textDocument/publishDiagnostics"), None) => {
                let uri = message.pointer("/params/uri").and_then(Value::as_str).unwrap_or_default().to_owned();
                let all = message.pointer("/params/diagnostics").and_then(Value::as_array).cloned();
                let say = |one: &Value| {
                    format!("{}: {}", one.pointer("/range/start/line").unwrap_or(&Value::Null), one["message"])
                };
                let unescaped = |one: &Value| say(one).replace("\\\"", "\"");
                self.found.insert(uri, all.unwrap_or_default().iter().map(unescaped).collect());
            }
            (Some(_) | None, _) => {}
        }
        message
    }

    fn send(&mut self, mut message: Value) {
        message["jsonrpc"] = "2.0".into();
        let body = message.to_string();
        write!(self.to, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        self.to.flush().unwrap();
    }

    /// Language Server Protocol 3.17, "Base Protocol".
    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert_ne!(self.from.read_line(&mut line).unwrap(), 0, "the language server has ended");
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.from.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn campaigns() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns")
}

fn yaml_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "yaml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn at(file: &Path, line: u64, character: u64) -> Value {
    json!({ "textDocument": { "uri": uri(file) }, "position": { "line": line, "character": character } })
}
