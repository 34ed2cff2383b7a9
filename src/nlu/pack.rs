//! The intent pack: a folder of YAML files that managers edit, read with every mistake named at once.

mod annotations;
#[cfg(test)]
mod tests;

use super::normalise::squeeze;
use super::yaml::{self, Document, Key, Node, Value};
use crate::model::{
    EscalateRule, EscalationReason, IntentSpec, Lang, OUT_OF_SCOPE, Priority, SlotSpec, Tone,
};
use annotations::annotations;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Roles an annotation may carry and a slot may be named after, with the kind of entity each one is.
pub const ROLES: &[(&str, &str)] = &[
    ("from", "station"),
    ("to", "station"),
    ("via", "station"),
    ("at", "station"),
    ("station", "station"),
    ("when", "time"),
    ("train", "train"),
    ("line", "line"),
];

/// Files of the folder that hold something other than intents.
const NOT_INTENTS: &[&str] = &["stations.yaml", "lexicon.yaml", "tone.yaml"];

/// A mistake in a file, said so that whoever wrote it can repair it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}: {what}. Cure: {cure}")]
pub struct PackError {
    pub file: String,
    /// From 1.
    pub line: usize,
    pub what: String,
    pub cure: String,
}

/// One message that someone could write, with what it means.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Without its annotations.
    pub text: String,
    pub lang: Lang,
    /// `domain.name`, or `out_of_scope`.
    pub intent: String,
    /// Role and byte range in `text`.
    pub entities: Vec<(String, Range<usize>)>,
    pub file: String,
    pub line: usize,
}

/// One message and how it feels.
#[derive(Debug, Clone, PartialEq)]
pub struct ToneExample {
    pub text: String,
    pub lang: Lang,
    pub tone: Tone,
    pub file: String,
    pub line: usize,
}

/// Everything the folder says.
#[derive(Debug, Clone, Default)]
pub struct IntentPack {
    pub specs: Vec<IntentSpec>,
    pub examples: Vec<Example>,
    pub tones: Vec<ToneExample>,
    /// Spellings to read as other words (`tr1` as `train`), all languages together.
    pub lexicon: BTreeMap<String, String>,
    /// SHA-256 over the files' names and bytes, in hexadecimal: same hash, same model.
    pub hash: String,
}

impl IntentPack {
    /// Reads every `.yaml` and `.yml` file of `folder`, in the order of their names.
    ///
    /// # Errors
    /// All mistakes of all files, sorted by file and line; then nothing of the pack is usable.
    pub fn load(folder: &Path) -> Result<Self, Vec<PackError>> {
        let mut reader = Reader::default();
        let files = match yaml_files(folder) {
            Ok(files) => files,
            Err(error) => return Err(vec![error]),
        };
        let mut digest = Sha256::new();
        for path in files {
            reader.read_file(&path, folder, &mut digest);
        }
        if reader.pack.specs.is_empty() && reader.errors.is_empty() {
            let what = "the folder holds no intent".to_owned();
            let cure = "add a file such as schedules.yaml with `domain:` and `intents:`".to_owned();
            reader.errors.push(PackError { file: folder.display().to_string(), line: 1, what, cure });
        }
        if !reader.errors.is_empty() {
            reader.errors.sort();
            return Err(reader.errors);
        }
        reader.pack.hash = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(reader.pack)
    }

    /// Languages that have examples, the one with most examples first.
    pub fn languages(&self) -> Vec<Lang> {
        let mut counts: BTreeMap<Lang, usize> = BTreeMap::new();
        for example in &self.examples {
            *counts.entry(example.lang).or_default() += 1;
        }
        let mut langs: Vec<(Lang, usize)> = counts.into_iter().collect();
        langs.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        langs.into_iter().map(|(lang, _)| lang).collect()
    }
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, PackError> {
    let entries = std::fs::read_dir(folder).map_err(|e| PackError {
        file: folder.display().to_string(),
        line: 1,
        what: format!("the folder cannot be read ({e})"),
        cure: "give the path of the folder with the intent files".to_owned(),
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml"))
        .filter(|path| path.file_name().is_some_and(|name| name != "stations.yaml"))
        .collect();
    files.sort();
    Ok(files)
}

#[derive(Default)]
struct Reader {
    pack: IntentPack,
    errors: Vec<PackError>,
    file: String,
    /// Where each intent was first defined.
    seen: BTreeMap<String, String>,
}

impl Reader {
    fn complain(&mut self, line: usize, what: impl Into<String>, cure: impl Into<String>) {
        self.errors.push(PackError { file: self.file.clone(), line, what: what.into(), cure: cure.into() });
    }

    fn read_file(&mut self, path: &Path, folder: &Path, digest: &mut Sha256) {
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
            _ => self.read_domain(&document, keys),
        }
    }

    fn check_duplicates(&mut self, keys: &[(Key, Node)]) {
        for (index, (key, _)) in keys.iter().enumerate() {
            if let Some((first, _)) = keys[..index].iter().find(|(earlier, _)| earlier.name == key.name) {
                let what = format!("'{}' stands here a second time, first on line {}", key.name, first.line);
                self.complain(key.line, what, "merge the two or rename one");
            }
        }
    }

    fn check_keys(&mut self, keys: &[(Key, Node)], known: &[&str]) {
        self.check_duplicates(keys);
        for (key, _) in keys {
            if !known.contains(&key.name.as_str()) {
                let what = format!("unknown key '{}'", key.name);
                self.complain(key.line, what, format!("use one of: {}", known.join(", ")));
            }
        }
    }

    fn text_of(&mut self, key: &Key, node: &Node) -> Option<String> {
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

    fn map_of<'n>(&mut self, key: &Key, node: &'n Node) -> &'n [(Key, Node)] {
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
        self.check_keys(body, &["about", "keywords", "answer", "slots", "escalate", "examples"]);
        let mut spec = IntentSpec {
            name: name.clone(),
            about: String::new(),
            keywords: Vec::new(),
            answer: None,
            slots: Vec::new(),
            escalate: EscalateRule::default(),
        };
        let before = self.pack.examples.len();
        for (field, value) in body {
            match field.name.as_str() {
                "about" => spec.about = self.text_of(field, value).unwrap_or_default(),
                "keywords" => {
                    let listed = self.text_of(field, value).unwrap_or_default();
                    spec.keywords = listed.split(',').map(squeeze).filter(|word| !word.is_empty()).collect();
                }
                "answer" => spec.answer = self.text_of(field, value),
                "slots" => spec.slots = self.read_slots(field, value),
                "escalate" => spec.escalate = self.read_escalate(field, value),
                "examples" => self.read_examples(document, &name, field, value),
                _ => {}
            }
        }
        if !body.iter().any(|(field, _)| field.name == "about") {
            self.complain(key.line, format!("'{name}' has no `about`"), "say in one line what it is about");
        }
        if self.pack.examples.len() == before {
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
        match ROLES.iter().find(|&&(role, _)| role == slot.name) {
            None => {
                let what = format!("no entity can fill the slot '{}'", slot.name);
                self.complain(line, what, format!("name it after a role: {}", roles.join(", ")));
            }
            Some(&(_, kind)) if slot.entity != kind => {
                let what = format!("the slot '{}' has the entity kind '{}'", slot.name, slot.entity);
                self.complain(line, what, format!("write `entity: {kind}`"));
            }
            Some(_) => {}
        }
    }

    fn bool_of(&mut self, key: &Key, node: &Node) -> bool {
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

    fn read_examples(&mut self, document: &Document, intent: &str, key: &Key, node: &Node) {
        let langs = self.map_of(key, node);
        self.check_duplicates(langs);
        for (code, block) in langs {
            let Some(lang) = self.lang_of(code) else { continue };
            for (line, raw) in self.lines_of(document, code, block) {
                match annotations(&raw) {
                    Ok((text, entities)) => self.pack.examples.push(Example {
                        text,
                        lang,
                        intent: intent.to_owned(),
                        entities,
                        file: self.file.clone(),
                        line,
                    }),
                    Err((what, cure)) => self.complain(line, what, cure),
                }
            }
        }
    }

    fn read_tones(&mut self, document: &Document, keys: &[(Key, Node)]) {
        self.check_keys(keys, &["tones"]);
        let Some((key, node)) = keys.iter().find(|(key, _)| key.name == "tones") else {
            return self.complain(1, "the file lacks `tones`", "start it with `tones:`");
        };
        for (name, body) in self.map_of(key, node) {
            let tone = match name.name.parse::<Tone>() {
                Ok(tone) => tone,
                Err(e) => {
                    self.complain(name.line, e.to_string(), "use one of: positive, neutral, negative");
                    continue;
                }
            };
            let mut blocks = self.map_of(name, body);
            if let [(key, inner)] = blocks
                && key.name == "examples"
            {
                blocks = self.map_of(key, inner);
            }
            for (code, block) in blocks {
                let Some(lang) = self.lang_of(code) else { continue };
                for (line, text) in self.lines_of(document, code, block) {
                    let text = annotations(&text).map_or(text, |(plain, _)| plain);
                    self.pack.tones.push(ToneExample { text, lang, tone, file: self.file.clone(), line });
                }
            }
        }
    }

    fn lang_of(&mut self, key: &Key) -> Option<Lang> {
        let lang = Lang::new(&key.name);
        if lang.is_none() {
            self.complain(
                key.line,
                format!("'{}' is no language", key.name),
                "use two letters such as fr or en",
            );
        }
        lang
    }

    /// The `- text` lines of a block scalar, or the items of a list, each with its own line in the file.
    fn lines_of(&mut self, document: &Document, key: &Key, node: &Node) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        if let Some(items) = node.as_list() {
            for item in items {
                match item.as_text() {
                    Some(text) => found.push((item.line, text)),
                    None => self.complain(
                        item.line,
                        "an example is no text",
                        "put it in quotes or in a `|` block",
                    ),
                }
            }
            return found;
        }
        let Value::Text(block) = &node.value else {
            self.complain(
                node.line,
                format!("'{}' has no examples", key.name),
                "write `fr: |` and lines `- text`",
            );
            return found;
        };
        // Walks the raw file beside the block: whatever YAML strips, each line is found where it was typed.
        let mut raw = document.text.lines().enumerate().skip(key.line.saturating_sub(1));
        for line in block.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let at =
                raw.find(|(_, typed)| typed.trim().ends_with(line)).map_or(node.line, |(index, _)| index + 1);
            match line.strip_prefix("- ").map(str::trim) {
                Some(text) if !text.is_empty() => found.push((at, text.to_owned())),
                _ if line.starts_with('#') => {}
                _ => self.complain(at, "an example does not start with `- `", "start each example with `- `"),
            }
        }
        found
    }

    fn read_lexicon(&mut self, keys: &[(Key, Node)]) {
        for (key, node) in keys {
            self.lang_of(key);
            let entries = self.map_of(key, node);
            self.check_duplicates(entries);
            for (spelling, meaning) in entries {
                if let Some(meaning) = self.text_of(spelling, meaning) {
                    self.pack.lexicon.insert(spelling.name.clone(), meaning);
                }
            }
        }
    }
}
