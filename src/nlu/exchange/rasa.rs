//! Rasa's training data, version 3: https://legacy-docs-oss.rasa.com/docs/rasa/training-data-format

use super::{Foreign, ImportError, Read, refuse};
use crate::model::Lang;
use crate::nlu::pack::{IntentPack, kind_of};
use crate::nlu::yaml;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Reads `nlu.yml`. Examples of one file are of one language, which Rasa does not name.
///
/// # Errors
/// Not YAML, or not Rasa's form.
pub fn from_rasa(text: &str, lang: Option<Lang>) -> Result<Read, ImportError> {
    let document = yaml::parse(text, "nlu.yml").map_err(|e| refuse(e.line, e.what, &e.cure))?;
    let sections = document.root.as_map().unwrap_or_default();
    let Some(list) = sections.iter().find(|(key, _)| key.name == "nlu").and_then(|(_, n)| n.as_list()) else {
        return Err(refuse(1, "there is no list `nlu:`", "give the file that Rasa calls nlu.yml"));
    };
    let mut read = Read::default();
    for item in list {
        let fields = item.as_map().unwrap_or_default();
        let field = |name: &str| fields.iter().find(|(key, _)| key.name == name);
        let Some(intent) = field("intent").and_then(|(_, node)| node.as_text()) else {
            if let Some((key, _)) = fields.first() {
                read.passed_over.push(key.name.clone());
            }
            continue;
        };
        let Some((key, node)) = field("examples") else {
            return Err(refuse(item.line, format!("'{intent}' has no `examples`"), "add them, or remove it"));
        };
        for (line, raw) in lines(&document, key.line, node)? {
            let text = entities(&raw, &mut read.unknown_entities);
            read.examples.push(Foreign { intent: intent.clone(), lang, text, line });
        }
    }
    read.unknown_entities.sort();
    read.unknown_entities.dedup();
    read.passed_over.sort();
    read.passed_over.dedup();
    Ok(read)
}

/// `- text` lines of a block, or the `text:` of a list's items.
fn lines(
    document: &yaml::Document,
    line: usize,
    node: &yaml::Node,
) -> Result<Vec<(usize, String)>, ImportError> {
    if let Some(items) = node.as_list() {
        let text_of = |item: &yaml::Node| {
            let map = item.as_map().unwrap_or_default();
            let inner = map.iter().find(|(key, _)| key.name == "text").and_then(|(_, node)| node.as_text());
            inner.or_else(|| item.as_text())
        };
        return Ok(items
            .iter()
            .filter_map(|item| Some((item.line, text_of(item)?.trim().to_owned())))
            .collect());
    }
    let block = node.as_text().unwrap_or_default();
    let mut raw = document.text.lines().enumerate().skip(line);
    let mut found = Vec::new();
    for text in block.lines().map(str::trim).filter(|text| !text.is_empty()) {
        let at = raw.find(|(_, typed)| typed.trim() == text).map_or(line, |(index, _)| index + 1);
        match text.strip_prefix("- ") {
            Some(text) => found.push((at, text.trim().to_owned())),
            None => return Err(refuse(at, "an example does not start with `- `", "start it with `- `")),
        }
    }
    Ok(found)
}

/// Rasa's annotations in our form: `[x](station:y)` loses its value, `[x]{"entity": "station", "role": "from"}` its braces.
fn entities(raw: &str, unknown: &mut Vec<String>) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(open) = rest.find('[') {
        let (before, tail) = rest.split_at(open);
        out.push_str(&before.replace(']', ")"));
        match annotation(&tail[1..]) {
            Some((surface, role, after)) => {
                if kind_of(&role).is_some() {
                    let _ = write!(out, "[{surface}]({role})");
                } else {
                    out.push_str(surface);
                    unknown.push(role);
                }
                rest = after;
            }
            // A bracket of the customer's: ours would be taken for an annotation.
            None => {
                out.push('(');
                rest = &tail[1..];
            }
        }
    }
    out.push_str(&rest.replace(']', ")"));
    out
}

/// Surface, role and what follows, of the text after a `[`.
fn annotation(text: &str) -> Option<(&str, String, &str)> {
    let (surface, tail) = text.split_once(']')?;
    if surface.trim().is_empty() || surface.contains('[') {
        return None;
    }
    if let Some(tail) = tail.strip_prefix('(') {
        let (entity, after) = tail.split_once(')')?;
        let role = entity.split(':').next().unwrap_or(entity);
        return Some((surface, role.to_owned(), after));
    }
    let end = tail.strip_prefix('{')?.find('}')? + 2;
    let fields: BTreeMap<String, serde_json::Value> = serde_json::from_str(&tail[..end]).ok()?;
    let text_of = |name: &str| fields.get(name)?.as_str().map(str::to_owned);
    Some((surface, text_of("role").or_else(|| text_of("entity"))?, &tail[end..]))
}

/// The pack's examples of one language as Rasa's `nlu.yml`, annotations included.
pub fn to_rasa(pack: &IntentPack, lang: Lang) -> String {
    let mut out = String::from("version: \"3.1\"\nnlu:\n");
    let mut intents: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for example in pack.examples.iter().filter(|example| example.lang == lang) {
        intents.entry(&example.intent).or_default().push(annotated(example));
    }
    for (intent, examples) in intents {
        let _ = write!(out, "- intent: {intent}\n  examples: |\n");
        for example in examples {
            let _ = writeln!(out, "    - {example}");
        }
    }
    out
}

fn annotated(example: &crate::nlu::pack::Example) -> String {
    let mut text = example.text.clone();
    let mut entities: Vec<_> = example.entities.iter().collect();
    entities.sort_by_key(|(_, span)| std::cmp::Reverse(span.start));
    for (role, span) in entities {
        let surface = &example.text[span.clone()];
        text.replace_range(span.clone(), &format!("[{surface}]({role})"));
    }
    text
}
