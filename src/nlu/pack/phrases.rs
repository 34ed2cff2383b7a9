//! `dialogue.yaml`: the words that steer a conversation, language by language.

use super::folded;
use super::reader::Reader;
use crate::model::{Cue, Lang, LanguageNames};
use crate::nlu::yaml::{Key, Node};

/// More choices are never offered.
const MOST_ORDINALS: usize = 20;

impl Reader {
    pub(super) fn read_phrases(&mut self, keys: &[(Key, Node)]) {
        for (key, node) in keys {
            let Some(lang) = self.lang_of(key) else { continue };
            let fields = self.map_of(key, node);
            self.check_duplicates(fields);
            for (field, value) in fields {
                match field.name.as_str() {
                    "ordinals" => self.read_ordinals(field, value),
                    "named" => self.read_language(lang, field, value),
                    "confirm" => {
                        for (intent, text) in self.map_of(field, value) {
                            let Some(said) = self.text_of(intent, text) else { continue };
                            self.confirmed.push((intent.name.clone(), self.file.clone(), intent.line));
                            self.pack.phrases.confirm.insert((lang, intent.name.clone()), said);
                        }
                    }
                    name => match name.parse::<Cue>() {
                        Ok(cue) => {
                            let listed = self.listed(field, value);
                            self.pack.phrases.cues.entry(cue).or_default().extend(listed);
                        }
                        Err(_) => {
                            let cues: Vec<&str> = Cue::ALL.iter().map(|cue| cue.as_str()).collect();
                            let cure = format!("use one of: {}, ordinals, named, confirm", cues.join(", "));
                            self.complain(field.line, format!("unknown key '{name}'"), cure);
                        }
                    },
                }
            }
        }
        self.check_cues();
    }

    /// A cue without words is never heard, and what it turns would be answered wrongly: "avant 18 h" as "after 18:00".
    fn check_cues(&mut self) {
        for cue in Cue::ALL {
            if self.pack.phrases.of(*cue).is_empty() {
                let cure =
                    format!("add `{cue}:` and its phrases below a language, as the shipped file has them");
                self.complain(1, format!("no language has phrases for '{cue}'"), cure);
            }
        }
    }

    /// What the language is called: first as it is shown, then in any way.
    fn read_language(&mut self, lang: Lang, key: &Key, node: &Node) {
        let names = self.listed(key, node);
        let written = self.text_of(key, node).unwrap_or_default();
        let shown = written.split(',').next().unwrap_or_default().trim().to_owned();
        if names.is_empty() {
            let cure =
                "write its name first, as customers should read it: `named: English, in english, anglais`";
            return self.complain(key.line, "'named' names nothing", cure);
        }
        self.pack.phrases.languages.insert(lang, LanguageNames { shown, names });
    }

    fn read_ordinals(&mut self, key: &Key, node: &Node) {
        let Some(items) = node.as_list() else {
            let cure = "write a list: `- first`, `- second`, …";
            return self.complain(node.line, "'ordinals' is no list", cure);
        };
        for (at, item) in items.iter().take(MOST_ORDINALS).enumerate() {
            let listed = self.listed(key, item);
            if self.pack.phrases.ordinals.len() <= at {
                self.pack.phrases.ordinals.push(Vec::new());
            }
            self.pack.phrases.ordinals[at].extend(listed);
        }
    }

    /// Phrases with commas between them, each as its words.
    fn listed(&mut self, key: &Key, node: &Node) -> Vec<Vec<String>> {
        let text = self.text_of(key, node).unwrap_or_default();
        let words = |phrase: &str| folded(phrase).split_whitespace().map(str::to_owned).collect();
        text.split(',').map(words).filter(|phrase: &Vec<String>| !phrase.is_empty()).collect()
    }

    /// After all files: a phrase about an intent that does not exist is never said.
    pub(super) fn check_confirmed(&mut self) {
        for (intent, file, line) in std::mem::take(&mut self.confirmed) {
            if !self.pack.specs.iter().any(|spec| spec.name == intent) {
                self.file = file;
                self.complain(line, format!("there is no intent '{intent}'"), "rename or remove the line");
            }
        }
    }
}

/// The words that ship, for tests of what is done with them.
#[cfg(test)]
pub fn shipped() -> &'static crate::model::Phrases {
    static SHIPPED: std::sync::OnceLock<crate::model::Phrases> = std::sync::OnceLock::new();
    SHIPPED.get_or_init(|| {
        use sha2::Digest as _;
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("intents");
        let mut reader = Reader::default();
        reader.read_file(&folder.join("dialogue.yaml"), &folder, &mut sha2::Sha256::new());
        assert!(reader.errors.is_empty(), "{:?}", reader.errors);
        reader.pack.phrases
    })
}
