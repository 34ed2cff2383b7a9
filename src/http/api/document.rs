//! `/api/openapi.json` and `/api/docs`: the document of the interface, kept by hand beside the handlers it describes, one file
//! a subject. Tests hold it to the routes, their roles, and (end to end) to what is answered.

use super::super::pages::{Ui, render};
use super::super::problem::Problem;
use super::sketch::{Operation, operations, sketch};
use crate::http::AppState;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

const BASE: &str = include_str!("openapi/base.yaml");
/// In the order of the page.
const PARTS: &[&str] = &[
    include_str!("openapi/conversations.yaml"),
    include_str!("openapi/acts.yaml"),
    include_str!("openapi/beside.yaml"),
    include_str!("openapi/drafts.yaml"),
    include_str!("openapi/corrections.yaml"),
    include_str!("openapi/me.yaml"),
    include_str!("openapi/teams.yaml"),
    include_str!("openapi/people.yaml"),
    include_str!("openapi/reports.yaml"),
    include_str!("openapi/hooks.yaml"),
    include_str!("openapi/document.yaml"),
];

/// A file that does not parse leaves no document at all; a test holds them.
static DOCUMENT: LazyLock<Option<Value>> = LazyLock::new(|| document().ok());

pub fn routes() -> Router<AppState> {
    Router::new().route("/api/openapi.json", get(json_document)).route("/api/docs", get(page))
}

/// All files as one document. Each operation gets the tag of its file and `default`, the problem.
fn document() -> Result<Value, String> {
    let read = |text: &str| serde_saphyr::from_str::<Value>(text).map_err(|error| error.to_string());
    let mut document = read(BASE)?;
    for part in PARTS {
        let mut part = read(part)?;
        let tag = part["tag"].take();
        let mut paths = take_map(&mut part["paths"]);
        let operations = paths.values_mut().filter_map(Value::as_object_mut).flatten();
        for (_, operation) in operations.filter(|(name, _)| *name != "parameters") {
            operation["tags"] = json!([tag["name"]]);
            operation["responses"]["default"] = json!({ "$ref": "#/components/responses/Problem" });
        }
        let schemas = take_map(&mut part["schemas"]);
        if let Some(tags) = document["tags"].as_array_mut() {
            tags.push(tag);
        }
        extend(&mut document["paths"], paths)?;
        extend(&mut document["components"]["schemas"], schemas)?;
    }
    Ok(document)
}

fn take_map(value: &mut Value) -> Map<String, Value> {
    match value.take() {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn extend(into: &mut Value, more: Map<String, Value>) -> Result<(), String> {
    let into = into.as_object_mut().ok_or("the base file lacks an object")?;
    for (name, value) in more {
        if into.insert(name.clone(), value).is_some() {
            return Err(format!("'{name}' is there twice"));
        }
    }
    Ok(())
}

fn no_document() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "document", "the document cannot be read")
}

async fn json_document() -> Result<Json<&'static Value>, Problem> {
    DOCUMENT.as_ref().map(Json).ok_or_else(no_document)
}

#[derive(Serialize)]
struct Section {
    name: String,
    about: String,
    operations: Vec<Operation>,
}

#[derive(Serialize)]
struct Schema {
    name: String,
    text: String,
}

async fn page(ui: Ui) -> Result<Response, Problem> {
    let document = DOCUMENT.as_ref().ok_or_else(no_document)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let sections = document["tags"].as_array().into_iter().flatten().map(|tag| Section {
        name: text(&tag["name"]),
        about: text(&tag["description"]),
        operations: operations(document, &text(&tag["name"])),
    });
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let schemas = schemas.map(|(name, schema)| Schema { name: name.clone(), text: sketch(schema) });
    let schemas: Vec<Schema> = schemas.collect();
    let about = text(&document["info"]["description"]);
    let context = context! {
        about => about.split("\n\n").map(|text| text.trim().to_owned()).collect::<Vec<_>>(),
        sections => Serde(sections.collect::<Vec<_>>()),
        names => schemas.iter().map(|schema| schema.name.clone()).collect::<Vec<_>>(),
        schemas => Serde(schemas),
    };
    render(ui, "api_docs.html", context)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// `GET /api/queue` with the role that the document says.
    pub fn described() -> BTreeMap<String, String> {
        let document = document().unwrap();
        let mut found = BTreeMap::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if method != "parameters" {
                    let role = operation["x-role"].as_str().unwrap().to_owned();
                    found.insert(format!("{} {path}", method.to_uppercase()), role);
                }
            }
        }
        found
    }

    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    /// Why `value` is not what the named schema says; none: it is. Of the words of JSON Schema those that the document uses for
    /// answers.
    pub fn differs(schema: &str, value: &Value) -> Option<String> {
        let document = document().unwrap();
        let schema = document.pointer(&format!("/components/schemas/{schema}")).unwrap();
        check(&document, schema, value).err()
    }

    fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            return check(document, document.pointer(&reference[1..]).unwrap(), value);
        }
        let all = |key: &str| schema[key].as_array().into_iter().flatten();
        all("allOf").try_for_each(|part| check(document, part, value))?;
        let mut ways = all("oneOf").map(|part| check(document, part, value)).peekable();
        if ways.peek().is_some() && !ways.any(|way| way.is_ok()) {
            return Err(format!("{value} is none of {}", schema["oneOf"]));
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let types: Vec<&str> = match &schema["type"] {
            Value::Array(_) => all("type").filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let known = types.contains(&kind) || kind == "integer" && types.contains(&"number");
        if !types.is_empty() && !known || schema["enum"].is_array() && !all("enum").any(|one| one == value) {
            return Err(format!("{value} is not {schema}"));
        }
        let fields = value.as_object().into_iter().flatten();
        for name in all("required").filter_map(Value::as_str) {
            value.get(name).ok_or(format!("{name} lacks in {value}"))?;
        }
        for (name, field) in fields {
            match schema["properties"].get(name) {
                Some(property) => check(document, property, field)?,
                None if schema["additionalProperties"].is_object() => {
                    check(document, &schema["additionalProperties"], field)?;
                }
                None => {}
            }
        }
        let mut items = value.as_array().into_iter().flatten();
        items.try_for_each(|item| check(document, &schema["items"], item))
    }

    #[test]
    fn what_differs_is_seen() {
        let mut fact = json!({ "value": "x", "source": "y", "as_of": "z" });
        assert_eq!(differs("Fact", &fact), None);
        fact["value"] = json!(1);
        assert!(differs("Fact", &fact).is_some());
        fact.as_object_mut().unwrap().remove("value");
        assert!(differs("Fact", &fact).unwrap().starts_with("value lacks"));
        let live = json!({ "state": "perhaps", "as_of": null });
        assert!(differs("LiveState", &live).is_some());
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_schema_is_used() {
        let document = document().unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            let reference = format!("#/components/schemas/{name}");
            assert!(found.contains(&reference.as_str()), "{name} is described and not used");
        }
    }

    #[test]
    fn every_operation_says_what_it_does_and_answers() {
        let document = document().unwrap();
        for section in document["tags"].as_array().unwrap() {
            let all = operations(&document, section["name"].as_str().unwrap());
            assert!(!all.is_empty());
            for operation in all {
                assert!(!operation.summary.is_empty() && !operation.answers.is_empty(), "{}", operation.path);
                let holes = operation.path.matches('{').count();
                let named = operation.parameters.iter().filter(|p| p.place == "path").count();
                assert_eq!(holes, named, "{}: its path's parameters", operation.path);
            }
        }
    }
}
