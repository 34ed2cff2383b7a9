//! Facts into words: the templates of `responses/<language>/<domain>.yaml`.
//!
//! An entry's key is `domain.name` (`schedules.next_departure`, `system.escalated`); `out_of_scope` has no domain. Templates
//! are minijinja, strict, without HTML escaping and without access to files.

mod check;
mod load;
mod notices;

use super::Lookup;
use crate::model::{IntentSpec, Lang, OUT_OF_SCOPE};
use crate::sms::Segments;
use minijinja::Environment;
use std::collections::BTreeMap;

pub use load::{ResponseError, ResponseErrors};
pub(super) use load::{content_line, environment, read_bounded};

/// Every response in every language, compiled, and known to render.
#[derive(Debug)]
pub struct Responses {
    env: Environment<'static>,
    /// Variant names (`text`, `sms`, `sms_short`, `none`, `none_short`, `ask_from`) of each key in each language.
    entries: BTreeMap<(Lang, String), Vec<String>>,
    default: Lang,
    sms: Vec<SmsLength>,
}

/// Which wording of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant<'a> {
    Text,
    /// Falls back to the text.
    Sms,
    /// For where [`Variant::Sms`] takes more segments than it may; falls back to it.
    SmsShort,
    /// The source found surely nothing.
    None,
    /// To [`Variant::None`] as [`Variant::SmsShort`] to [`Variant::Sms`].
    NoneShort,
    /// The question for a slot.
    Ask(&'a str),
}

impl Variant<'_> {
    /// The names in the file, the wanted one first.
    fn names(self) -> Vec<String> {
        match self {
            Variant::Text => vec!["text".to_owned()],
            Variant::Sms => vec!["sms".to_owned(), "text".to_owned()],
            Variant::SmsShort => vec!["sms_short".to_owned(), "sms".to_owned(), "text".to_owned()],
            Variant::None => vec!["none".to_owned()],
            Variant::NoneShort => vec!["none_short".to_owned(), "none".to_owned()],
            Variant::Ask(slot) => vec![format!("ask_{slot}")],
        }
    }
}

/// What a response costs as SMS, with the longest sample data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsLength {
    pub lang: Lang,
    pub key: String,
    /// As the file names it; of the texts that are said where there is no `sms`.
    pub variant: String,
    pub file: String,
    pub line: usize,
    /// As it is written.
    pub written: Segments,
    /// With `sms.thrift`.
    pub thrifty: Segments,
}

impl SmsLength {
    /// What it words: variants of the same stand for each other.
    pub fn part(&self) -> &str {
        match self.variant.as_str() {
            "sms" | "sms_short" => "text",
            "none_short" => "none",
            other => other,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error(
        "no response '{key}' ({variant}) in {lang}, nor in the default language; add it to responses/{lang}/"
    )]
    Missing { key: String, variant: String, lang: Lang },
    #[error("response '{name}' does not render: {why}")]
    Template { name: String, why: String },
}

/// Where intents and responses do not meet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("{lang}: '{key}' has no response; add it to responses/{lang}/")]
    NoResponse { lang: Lang, key: String },
    #[error("{lang}: '{key}' has no '{variant}'; add it beside its text")]
    NoVariant { lang: Lang, key: String, variant: String },
    #[error("{lang}: response '{key}' is never used: no intent has that name; rename or remove it")]
    Unreachable { lang: Lang, key: String },
}

impl Responses {
    /// The words for `key`. `data` holds the source's variables and `operator`, `help_url`, `hours`.
    /// A language without that response speaks the default language. Blank lines and runs of spaces are collapsed.
    pub fn render(
        &self,
        key: &str,
        variant: Variant<'_>,
        lang: Lang,
        data: &serde_json::Value,
    ) -> Result<String, RenderError> {
        let names = variant.names();
        let found = [lang, self.default].into_iter().find_map(|lang| self.template_name(lang, key, &names));
        let Some(name) = found else {
            return Err(RenderError::Missing { key: key.to_owned(), variant: names[0].clone(), lang });
        };
        render_named(&self.env, &name, data)
            .map_err(|error| RenderError::Template { name, why: reason(&error) })
    }

    /// `found` itself where every wording of it can be said. What comes from outside may lack a variable, and a template
    /// that fails would leave the customer without a word: such an answer is no data, and people take over.
    pub fn sayable(&self, key: &str, lang: Lang, found: Lookup) -> Lookup {
        let (data, variants): (_, &[Variant<'_>]) = match &found {
            Lookup::Found { data, .. } => (data, &[Variant::Text, Variant::Sms, Variant::SmsShort]),
            Lookup::Nothing { data, .. } => (data, &[Variant::None, Variant::NoneShort]),
            Lookup::NoData { .. } | Lookup::TooWide => return found,
        };
        let mut all = check::common();
        if let (Some(all), Some(data)) = (all.as_object_mut(), data.as_object()) {
            all.extend(data.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        let failure = variants.iter().find_map(|variant| match self.render(key, *variant, lang, &all) {
            Ok(text) if text.is_empty() => Some(format!("response '{key}' renders to nothing")),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        });
        match failure {
            None => found,
            Some(why) => {
                tracing::error!(why, "what was found cannot be said; people take over");
                Lookup::NoData { why }
            }
        }
    }

    fn template_name(&self, lang: Lang, key: &str, names: &[String]) -> Option<String> {
        let variants = self.entries.get(&(lang, key.to_owned()))?;
        let variant = names.iter().find(|name| variants.contains(name))?;
        Some(template_name(lang, key, variant))
    }

    /// Each language that has a folder.
    pub fn languages(&self) -> Vec<Lang> {
        let mut langs: Vec<Lang> = self.entries.keys().map(|(lang, _)| *lang).collect();
        langs.dedup();
        langs
    }

    /// What each response costs as SMS, as rendered with sample data.
    pub fn sms_lengths(&self) -> &[SmsLength] {
        &self.sms
    }

    /// Intents and system messages without a response or without one of its variants, and responses no intent leads to.
    pub fn missing(&self, intents: &[IntentSpec]) -> Vec<Mismatch> {
        let mut found = Vec::new();
        for lang in self.languages() {
            for (key, variants) in needed(intents) {
                match self.entries.get(&(lang, key.clone())) {
                    None => found.push(Mismatch::NoResponse { lang, key }),
                    Some(have) => found.extend(
                        variants
                            .into_iter()
                            .filter(|name| !have.contains(name))
                            .map(|variant| Mismatch::NoVariant { lang, key: key.clone(), variant }),
                    ),
                }
            }
        }
        let needed = needed(intents);
        let unused = self.entries.keys().filter(|(_, key)| !needed.contains_key(key));
        found.extend(unused.map(|(lang, key)| Mismatch::Unreachable { lang: *lang, key: key.clone() }));
        found
    }
}

/// The variants each key must have.
fn needed(intents: &[IntentSpec]) -> BTreeMap<String, Vec<String>> {
    let mut keys: BTreeMap<String, Vec<String>> = check::SYSTEM_MESSAGES
        .iter()
        .map(|name| format!("system.{name}"))
        .chain(notices::MESSAGES.map(str::to_owned))
        .map(|key| (key, vec!["text".to_owned()]))
        .collect();
    for intent in intents {
        let mut variants = vec!["text".to_owned()];
        if intent.answer.is_some() {
            variants.push("none".to_owned());
        }
        variants.extend(intent.slots.iter().filter(|slot| slot.ask).map(|slot| format!("ask_{}", slot.name)));
        keys.insert(response_key(&intent.name), variants);
    }
    keys
}

/// `domain.name`, with `out_of_scope` standing alone wherever its examples live.
fn response_key(intent: &str) -> String {
    let (domain, name) = intent.split_once('.').unwrap_or(("", intent));
    let out = domain == OUT_OF_SCOPE || name == OUT_OF_SCOPE;
    if out { OUT_OF_SCOPE.to_owned() } else { intent.to_owned() }
}

fn template_name(lang: Lang, key: &str, variant: &str) -> String {
    format!("{lang}/{key}/{variant}")
}

fn render_named(
    env: &Environment<'_>,
    name: &str,
    data: &serde_json::Value,
) -> Result<String, minijinja::Error> {
    let text = env.get_template(name)?.render(minijinja::value::Serde(data))?;
    Ok(tidy(&text))
}

/// The engine's own words, without its "(in template:line)".
fn reason(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

/// Templates are laid out for their writers: here indentation, trailing spaces and repeated blank lines go.
fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = false;
    for line in text.trim().lines() {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            blank = true;
            continue;
        }
        if !tidied.is_empty() {
            tidied.push_str(if blank { "\n\n" } else { "\n" });
        }
        tidied.push_str(&words.join(" "));
        blank = false;
    }
    tidied
}

#[cfg(test)]
mod tests;
