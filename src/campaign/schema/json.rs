//! Tables → JSON Schema, 2020-12.

use serde_json::{Map, Value as Json, json};

use super::shape::{Key, Pattern, Shape, Value};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a whole file. `title` is for the editor's window.
pub fn json_schema(title: &str, shape: &Shape) -> Json {
    let mut root = Map::new();
    root.insert("$schema".to_owned(), json!(DIALECT));
    root.insert("title".to_owned(), json!(title));
    root.extend(of_shape(shape));
    Json::Object(root)
}

fn of_shape(shape: &Shape) -> Map<String, Json> {
    let properties: Map<String, Json> = shape.keys().map(|key| (key.name.to_owned(), of_key(key))).collect();
    let required: Vec<&str> = shape.keys().filter(|key| key.required).map(|key| key.name).collect();
    let mut out = closed_map(properties);
    describe(&mut out, shape.doc);
    if !required.is_empty() {
        out.insert("required".to_owned(), json!(required));
    }
    out
}

fn closed_map(properties: Map<String, Json>) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("type".to_owned(), json!("object"));
    out.insert("additionalProperties".to_owned(), json!(false));
    out.insert("properties".to_owned(), Json::Object(properties));
    out
}

fn of_key(key: &Key) -> Json {
    let mut out = of_value(key.value);
    describe(&mut out, key.doc);
    if let Some(default) = key.default {
        out.insert("default".to_owned(), literal(default));
    }
    if let Some(example) = key.example {
        out.insert("examples".to_owned(), json!([literal(example)]));
    }
    Json::Object(out)
}

/// Editors show a description with its backticks, unless they are told that it is Markdown.
fn describe(out: &mut Map<String, Json>, doc: &str) {
    out.insert("description".to_owned(), json!(doc.replace('`', "")));
    if doc.contains('`') {
        out.insert("markdownDescription".to_owned(), json!(doc));
    }
}

/// As YAML would read it: `true` and whole numbers are themselves, lists and maps are written in JSON, the rest is text.
fn literal(text: &str) -> Json {
    let is_plain = text.starts_with(['[', '{']) || matches!(text, "true" | "false") || text.parse::<u64>().is_ok();
    if is_plain && let Ok(value) = serde_json::from_str(text) {
        return value;
    }
    json!(text)
}

fn of_value(value: Value) -> Map<String, Json> {
    let out = match value {
        Value::Text => json!({ "type": "string" }),
        Value::Const(text) => json!({ "const": text }),
        Value::Of(pattern) => of_pattern(pattern),
        Value::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Value::Number(least, most) => json!({ "type": "number", "minimum": least, "maximum": most }),
        Value::Bool => json!({ "type": "boolean" }),
        Value::Condition => {
            json!({ "type": ["string", "boolean"], "maxLength": crate::campaign::Condition::MAX_BYTES })
        }
        Value::Words(words) => json!({ "enum": (words.words)() }),
        Value::Map(shape) => return of_shape(shape),
        Value::List(item) => json!({ "type": "array", "items": of_value(*item) }),
        Value::Named(names, value) => json!({
            "type": "object",
            "propertyNames": of_pattern(names),
            "additionalProperties": of_value(*value),
        }),
        Value::Each(names, value) => {
            let one = Json::Object(of_value(*value));
            return closed_map(names().into_iter().map(|name| (name.to_owned(), one.clone())).collect());
        }
        Value::Either(values) => json!({ "anyOf": values.iter().map(|value| of_value(*value)).collect::<Vec<_>>() }),
        Value::Scalar => json!({ "type": ["string", "number", "boolean", "null"] }),
    };
    match out {
        Json::Object(map) => map,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => Map::new(),
    }
}

fn of_pattern(pattern: &Pattern) -> Json {
    if pattern.form.is_empty() {
        return json!({ "type": "string" });
    }
    json!({ "type": "string", "pattern": pattern.form, "maxLength": pattern.longest })
}
