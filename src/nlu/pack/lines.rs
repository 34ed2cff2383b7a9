//! The lines that managers write: examples, tones, spellings.

use super::annotations::annotations;
use super::reader::Reader;
use super::{Example, ToneExample, folded};
use crate::model::{Lang, Tone};
use crate::nlu::yaml::{Document, Key, Node, Value};
use std::collections::HashMap;

/// Marks before an example that say how it feels.
const TONE_MARKS: [(&str, Tone); 3] =
    [("(+) ", Tone::Positive), ("(=) ", Tone::Neutral), ("(-) ", Tone::Negative)];

/// An example apart from the mark before it.
fn marked(raw: &str) -> (Option<Tone>, &str) {
    TONE_MARKS
        .into_iter()
        .find_map(|(mark, tone)| Some((Some(tone), raw.strip_prefix(mark)?.trim_start())))
        .unwrap_or((None, raw))
}

impl Reader {
    pub(super) fn read_examples(&mut self, document: &Document, intent: &str, key: &Key, node: &Node) {
        let langs = self.map_of(key, node);
        self.check_duplicates(langs);
        for (code, block) in langs {
            let Some(lang) = self.lang_of(code) else { continue };
            for (line, raw) in self.lines_of(document, code, block) {
                let (tone, raw) = marked(&raw);
                match annotations(raw) {
                    Ok((text, entities)) => self.pack.examples.push(Example {
                        text,
                        lang,
                        intent: intent.to_owned(),
                        entities,
                        tone,
                        file: self.file.clone(),
                        line,
                    }),
                    Err((what, cure)) => self.complain(line, what, cure),
                }
            }
        }
    }

    pub(super) fn read_tones(&mut self, document: &Document, keys: &[(Key, Node)]) {
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

    pub(super) fn lang_of(&mut self, key: &Key) -> Option<Lang> {
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

    pub(super) fn read_lexicon(&mut self, keys: &[(Key, Node)]) {
        for (key, node) in keys {
            let Some(lang) = self.lang_of(key) else { continue };
            let entries = self.map_of(key, node);
            self.check_duplicates(entries);
            let mut seen: HashMap<String, &Key> = HashMap::new();
            for (spelling, meaning) in entries {
                let Some(meaning) = self.text_of(spelling, meaning) else { continue };
                let word = folded(&spelling.name);
                if word.is_empty() || word.contains(' ') {
                    let cure = "write one word of letters and digits before the colon";
                    self.complain(spelling.line, format!("'{}' is not one word", spelling.name), cure);
                    continue;
                }
                if let Some(first) = seen.insert(word.clone(), spelling).filter(|f| f.name != spelling.name) {
                    let what = format!(
                        "'{}' is '{}' of line {} without accents",
                        spelling.name, first.name, first.line
                    );
                    self.complain(spelling.line, what, "keep one of the two");
                }
                self.pack.lexicon.insert(lang, &word, &meaning);
            }
        }
    }
}
