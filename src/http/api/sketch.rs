//! Parts of the document as people read them: plain text, no links to follow for what is short.

use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub description: String,
    /// The least role, or `anyone`.
    pub role: String,
    pub parameters: Vec<Parameter>,
    /// What is sent; empty: nothing is.
    pub body: String,
    pub answers: Vec<Answer>,
}

#[derive(Serialize)]
pub struct Parameter {
    pub name: String,
    pub place: String,
    pub required: bool,
    pub kind: String,
    pub about: String,
}

#[derive(Serialize)]
pub struct Answer {
    pub status: String,
    pub about: String,
    /// Empty: without content.
    pub content: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().trim().to_owned()
}

/// What a reference leads to; else the value itself.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

/// The operations of a tag, in the document's order.
pub fn operations(document: &Value, tag: &str) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if operation["tags"][0] == tag {
                let shared = methods["parameters"].as_array().into_iter().flatten();
                let own = operation["parameters"].as_array().into_iter().flatten();
                let parameters = shared.chain(own).map(|p| parameter(resolved(document, p))).collect();
                found.push(one(document, path, method, operation, parameters));
            }
        }
    }
    found
}

fn one(
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
    parameters: Vec<Parameter>,
) -> Operation {
    let responses = operation["responses"].as_object().into_iter().flatten();
    let answers = responses.filter(|(status, _)| *status != "default").map(|(status, response)| {
        let response = resolved(document, response);
        Answer {
            status: status.clone(),
            about: text(&response["description"]),
            content: content(&response["content"]),
        }
    });
    let id = path.replace(['/', '{', '}', '.'], "-");
    Operation {
        id: format!("{method}{id}"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        role: text(&operation["x-role"]),
        parameters,
        body: content(&operation["requestBody"]["content"]),
        answers: answers.collect(),
    }
}

fn parameter(parameter: &Value) -> Parameter {
    Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        required: parameter["required"] == true,
        kind: sketch(&parameter["schema"]),
        about: text(&parameter["description"]),
    }
}

fn content(content: &Value) -> String {
    let Some((kind, media)) = content.as_object().and_then(|kinds| kinds.iter().next()) else {
        return String::new();
    };
    if kind == "application/json" { sketch(&media["schema"]) } else { kind.clone() }
}

/// A schema in the manner of TypeScript, with what its properties mean behind them.
pub fn sketch(schema: &Value) -> String {
    let mut out = String::new();
    write(schema, 0, &mut out);
    out
}

fn write(schema: &Value, depth: usize, out: &mut String) {
    if let Some(reference) = schema["$ref"].as_str() {
        out.push_str(reference.rsplit('/').next().unwrap_or_default());
        return;
    }
    for (key, between) in [("oneOf", " | "), ("allOf", " & ")] {
        if let Some(all) = schema[key].as_array() {
            for (n, one) in all.iter().enumerate() {
                out.push_str(if n > 0 { between } else { "" });
                write(one, depth, out);
            }
            return;
        }
    }
    if let Some(names) = schema["enum"].as_array() {
        out.push_str(&names.iter().map(Value::to_string).collect::<Vec<_>>().join(" | "));
        return;
    }
    if !schema["const"].is_null() {
        out.push_str(&schema["const"].to_string());
        return;
    }
    match &schema["type"] {
        Value::Array(kinds) => {
            let format = schema["format"].as_str();
            let name = |kind: &Value| {
                if kind == "string" { format.unwrap_or("string") } else { kind.as_str().unwrap_or_default() }
                    .to_owned()
            };
            out.push_str(&kinds.iter().map(name).collect::<Vec<_>>().join(" | "));
        }
        Value::String(kind) if kind == "object" => object(schema, depth, out),
        Value::String(kind) if kind == "array" => {
            out.push_str("array of ");
            write(&schema["items"], depth, out);
        }
        Value::String(kind) => {
            out.push_str(schema["format"].as_str().unwrap_or(kind));
            range(schema, out);
        }
        _ => out.push_str("anything"),
    }
}

/// ` 1 to 200`
fn range(schema: &Value, out: &mut String) {
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Null, _) => {}
        (low, Value::Null) => out.push_str(&format!(" from {low}")),
        (low, high) => out.push_str(&format!(" {low} to {high}")),
    }
}

fn object(schema: &Value, depth: usize, out: &mut String) {
    let Some(properties) = schema["properties"].as_object() else {
        out.push_str("object");
        if schema["additionalProperties"].is_object() {
            out.push_str(" of ");
            write(&schema["additionalProperties"], depth, out);
        }
        return;
    };
    let required = schema["required"].as_array();
    let indent = "  ".repeat(depth + 1);
    out.push_str("{\n");
    for (name, property) in properties {
        let must = required.is_some_and(|names| names.iter().any(|n| n == name));
        out.push_str(&format!("{indent}{name}{}: ", if must { "" } else { "?" }));
        write(property, depth + 1, out);
        if let Some(about) = property["description"].as_str() {
            out.push_str(&format!("  — {}", about.trim()));
        }
        out.push('\n');
    }
    out.push_str(&"  ".repeat(depth));
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemas_read_like_types() {
        let schema = json!({
            "type": "object", "required": ["id"],
            "properties": {
                "id": { "type": "string", "format": "uuid" },
                "tone": { "enum": ["positive", null] },
                "until": { "type": ["string", "null"], "format": "date-time", "description": "An end." },
                "of": { "type": "array", "items": { "$ref": "#/components/schemas/Fact" } },
                "limit": { "type": "integer", "minimum": 1, "maximum": 200 },
            }
        });
        let text = "{\n  id: uuid\n  tone?: \"positive\" | null\n  until?: date-time | null  — An end.\n  \
                    of?: array of Fact\n  limit?: integer 1 to 200\n}";
        // The order is serde_json's: alphabetical.
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&sketch(&schema)), sorted(text));
    }
}
