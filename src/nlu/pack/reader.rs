//! One file of the pack after the other, every mistake noted with its line.

use super::{IntentPack, NOT_INTENTS, PackError, ROLES, kind_of};
use crate::model::{
    EscalateRule, EscalationReason, IntentEffect, IntentSpec, OUT_OF_SCOPE, Priority, SlotSpec,
};
use crate::nlu::normalise::squeeze;
use crate::nlu::yaml::{self, Document, Key, Node, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// What an intent may say about itself.
const FIELDS: &[&str] = &[
    "about", "courtesy", "keywords", "answer", "url", "sample", "slots", "enough", "whole", "escalate",
    "effect", "examples",
];

#[derive(Default)]
pub(super) struct Reader {
    pub pack: IntentPack,
    pub errors: Vec<PackError>,
    pub(super) file: String,
    /// Where each intent was first defined.
    seen: BTreeMap<String, String>,
    /// Intents that `dialogue.yaml` names, each with file and line.
    pub(super) confirmed: Vec<(String, String, usize)>,
}

impl Reader {
    pub(super) fn complain(&mut self, line: usize, what: impl Into<String>, cure: impl Into<String>) {
        self.errors.push(PackError { file: self.file.clone(), line, what: what.into(), cure: cure.into() });
    }

    pub(super) fn read_file(&mut self, path: &Path, folder: &Path, digest: &mut Sha256) {
        let base = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let shown = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        self.file = format!("{}/{base}", shown.unwrap_or_else(|| folder.display().to_string()));
        let document = match yaml::read(path, &self.file) {
            Ok(document) => document,
            Err(error) => return self.errors.push(error),
        };
        digest.update(base.as_bytes());
        digest.update([0]);
        digest.update(document.text.as_bytes());
        digest.update([0]);
        let Some(keys) = document.root.as_map() else {
            return self.complain(
                1,
                "the file is not a list of keys",
                "start it with `domain:` and `intents:`",
            );
        };
        self.check_duplicates(keys);
        match base.as_str() {
            "lexicon.yaml" => self.read_lexicon(keys),
            "tone.yaml" => self.read_tones(&document, keys),
            "dialogue.yaml" => self.read_phrases(keys),
            _ => self.read_domain(&document, keys),
        }
    }

    pub(super) fn check_duplicates(&mut self, keys: &[(Key, Node)]) {
        for (index, (key, _)) in keys.iter().enumerate() {
            if let Some((first, _)) = keys[..index].iter().find(|(earlier, _)| earlier.name == key.name) {
                let what = format!("'{}' stands here a second time, first on line {}", key.name, first.line);
                self.complain(key.line, what, "merge the two or rename one");
            }
        }
    }

    pub(super) fn check_keys(&mut self, keys: &[(Key, Node)], known: &[&str]) {
        self.check_duplicates(keys);
        for (key, _) in keys {
            if !known.contains(&key.name.as_str()) {
                let what = format!("unknown key '{}'", key.name);
                self.complain(key.line, what, format!("use one of: {}", known.join(", ")));
            }
        }
    }

    pub(super) fn text_of(&mut self, key: &Key, node: &Node) -> Option<String> {
        let text = node.as_text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if text.is_none() {
            self.complain(
                node.line,
                format!("'{}' has no text", key.name),
                "write one line of text after it",
            );
        }
        text
    }

    pub(super) fn map_of<'n>(&mut self, key: &Key, node: &'n Node) -> &'n [(Key, Node)] {
        node.as_map().unwrap_or_else(|| {
            let cure = "indent its keys two spaces below it";
            self.complain(node.line, format!("'{}' needs keys below it", key.name), cure);
            &[]
        })
    }

    fn read_domain(&mut self, document: &Document, keys: &[(Key, Node)]) {
        self.check_keys(keys, &["domain", "intents"]);
        let mut domain = None;
        let mut intents = None;
        for (key, node) in keys {
            match key.name.as_str() {
                "domain" => domain = self.name_of(key, node),
                "intents" => intents = Some((key, node)),
                _ => {}
            }
        }
        let (Some(domain), Some((key, node))) = (domain, intents) else {
            let cure = format!(
                "start it with `domain: name` and `intents:` (only {} are something else)",
                NOT_INTENTS.join(", ")
            );
            return self.complain(1, "the file lacks `domain` or `intents`", cure);
        };
        let intents = self.map_of(key, node);
        self.check_duplicates(intents);
        for (name, body) in intents {
            self.read_intent(document, &domain, name, body);
        }
    }

    fn name_of(&mut self, key: &Key, node: &Node) -> Option<String> {
        let name = self.text_of(key, node)?;
        self.check_name(&name, node.line).then_some(name)
    }

    fn check_name(&mut self, name: &str, line: usize) -> bool {
        let good = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !good || name.is_empty() {
            let cure = "use lower-case letters, digits and _ only";
            self.complain(line, format!("'{name}' cannot be a name"), cure);
        }
        good
    }

    fn read_intent(&mut self, document: &Document, domain: &str, key: &Key, node: &Node) {
        if !self.check_name(&key.name, key.line) {
            return;
        }
        let is_oos = domain == OUT_OF_SCOPE;
        let name = if is_oos && key.name == OUT_OF_SCOPE {
            OUT_OF_SCOPE.to_owned()
        } else {
            format!("{domain}.{}", key.name)
        };
        let here = format!("{}:{}", self.file, key.line);
        if let Some(first) = self.seen.insert(name.clone(), here) {
            let what = format!("the intent '{name}' is already defined at {first}");
            self.complain(key.line, what, "rename or merge one of the two");
        }
        let body = self.map_of(key, node);
        self.check_keys(body, FIELDS);
        let mut spec = IntentSpec { name: name.clone(), ..IntentSpec::default() };
        let before = self.pack.examples.len();
        for (field, value) in body {
            match field.name.as_str() {
                "about" => spec.about = self.text_of(field, value).unwrap_or_default(),
                "keywords" => {
                    let listed = self.text_of(field, value).unwrap_or_default();
                    spec.keywords = listed.split(',').map(squeeze).filter(|word| !word.is_empty()).collect();
                }
                "courtesy" => spec.courtesy = self.bool_of(field, value),
                "answer" => spec.answer = self.text_of(field, value),
                "url" => spec.url = self.read_url(field, value),
                "sample" => spec.sample = self.read_sample(field, value),
                "slots" => spec.slots = self.read_slots(field, value),
                "enough" => spec.enough = self.read_enough(field, value),
                "whole" => spec.whole = self.bool_of(field, value),
                "escalate" => spec.escalate = self.read_escalate(field, value),
                "effect" => spec.effect = self.one_of(field, value, IntentEffect::ALL),
                "examples" => self.read_examples(document, &name, field, value),
                _ => {}
            }
        }
        self.check_enough(&spec, body);
        self.check_fulfilment(&spec, body);
        if !body.iter().any(|(field, _)| field.name == "about") {
            self.complain(key.line, format!("'{name}' has no `about`"), "say in one line what it is about");
        }
        // Known by its keywords alone: nothing to learn.
        if self.pack.examples.len() == before && spec.keywords.is_empty() {
            let cure = "add `examples:` with at least one line `- text` per language";
            self.complain(key.line, format!("'{name}' has no example"), cure);
        }
        self.pack.specs.push(spec);
    }

    fn read_slots(&mut self, key: &Key, node: &Node) -> Vec<SlotSpec> {
        let slots = self.map_of(key, node);
        self.check_duplicates(slots);
        let mut read = Vec::new();
        for (name, body) in slots {
            let mut slot =
                SlotSpec { name: name.name.clone(), entity: String::new(), ask: false, default: None };
            let fields = self.map_of(name, body);
            self.check_keys(fields, &["entity", "ask", "default"]);
            for (field, value) in fields {
                match field.name.as_str() {
                    "entity" => slot.entity = self.text_of(field, value).unwrap_or_default(),
                    "ask" => slot.ask = self.bool_of(field, value),
                    "default" => slot.default = self.text_of(field, value),
                    _ => {}
                }
            }
            self.check_slot(&slot, name.line);
            read.push(slot);
        }
        read
    }

    fn check_slot(&mut self, slot: &SlotSpec, line: usize) {
        let roles: Vec<&str> = ROLES.iter().map(|&(role, _)| role).collect();
        match kind_of(&slot.name) {
            None => {
                let what = format!("no entity can fill the slot '{}'", slot.name);
                self.complain(line, what, format!("name it after a role: {}", roles.join(", ")));
            }
            Some(kind) if slot.entity != kind => {
                let what = format!("the slot '{}' has the entity kind '{}'", slot.name, slot.entity);
                self.complain(line, what, format!("write `entity: {kind}`"));
            }
            Some(_) => {}
        }
    }

    /// `train, from + to`: either is enough.
    fn read_enough(&mut self, key: &Key, node: &Node) -> Vec<Vec<String>> {
        let listed = self.text_of(key, node).unwrap_or_default();
        let set = |part: &str| part.split('+').map(|name| name.trim().to_owned()).collect();
        listed.split(',').filter(|part| !part.trim().is_empty()).map(set).collect()
    }

    fn check_enough(&mut self, spec: &IntentSpec, body: &[(Key, Node)]) {
        let Some((_, node)) = body.iter().find(|(field, _)| field.name == "enough") else { return };
        let names: Vec<&str> = spec.slots.iter().map(|slot| slot.name.as_str()).collect();
        for name in spec.enough.iter().flatten().filter(|name| !names.contains(&name.as_str())) {
            let what = format!("'enough' names '{name}', which is no slot of '{}'", spec.name);
            self.complain(node.line, what, format!("use its slots: {}", names.join(", ")));
        }
    }

    pub(super) fn bool_of(&mut self, key: &Key, node: &Node) -> bool {
        match node.value {
            Value::Bool(value) => value,
            _ => {
                self.complain(
                    node.line,
                    format!("'{}' is neither true nor false", key.name),
                    "write true or false",
                );
                false
            }
        }
    }

    fn read_escalate(&mut self, key: &Key, node: &Node) -> EscalateRule {
        let fields = self.map_of(key, node);
        self.check_keys(fields, &["always", "below", "reason", "priority", "team"]);
        let mut rule = EscalateRule::default();
        for (field, value) in fields {
            match field.name.as_str() {
                "always" => rule.always = self.bool_of(field, value),
                "below" => match value.value {
                    Value::Number(below) if (0.0..=1.0).contains(&below) => rule.below = Some(below as f32),
                    _ => self.complain(value.line, "'below' is no confidence", "write a number from 0 to 1"),
                },
                "reason" => rule.reason = self.one_of(field, value, EscalationReason::ALL),
                "priority" => rule.priority = self.one_of(field, value, Priority::ALL),
                "team" => rule.team = self.text_of(field, value),
                _ => {}
            }
        }
        rule
    }

    fn one_of<T: Copy + std::str::FromStr + std::fmt::Display>(
        &mut self,
        key: &Key,
        node: &Node,
        all: &[T],
    ) -> Option<T> {
        let text = self.text_of(key, node)?;
        text.parse().ok().or_else(|| {
            let names: Vec<String> = all.iter().map(T::to_string).collect();
            let what = format!("unknown {} '{text}'", key.name);
            self.complain(node.line, what, format!("use one of: {}", names.join(", ")));
            None
        })
    }
}
