//! `responses/canned.yaml`: what agents insert with "/" in the reply box, in their own order.
//!
//! ```yaml
//! callback:
//!   title: { fr: Nous vous rappelons, en: We will call you back }
//!   text:
//!     fr: Bonjour {{ contact }}, nous vous rappelons avant {{ reopens }}.
//!     en: Hello {{ contact }}, we will call you back before {{ reopens }}.
//! ```
//!
//! An entry with `response: service.invoice` in the place of `text` offers the bot's own words on it; only responses that are
//! listed so, and those with facts, are proposed to agents.
//!
//! A variable that has no value becomes a gap, `[[customer's name]]`, which nobody can send: the agent fills it in or takes it
//! out. A file may have gaps of its own: `before [[time]]`.

mod load;
#[cfg(test)]
mod tests;

use super::responses::{ResponseErrors, environment, read_bounded};
use crate::model::{IntentSpec, Lang};
use load::Reader;
use minijinja::Environment;
use std::collections::BTreeMap;
use std::path::Path;

/// The file's name in the folder of responses.
const FILE: &str = "canned.yaml";
/// A longer name of a gap is a text in brackets.
const LONGEST_GAP: usize = 60;

/// Each variable, with what its gap is called in French and in English.
const VARIABLES: [(&str, &str, &str); 10] = [
    ("agent", "votre prénom", "your first name"),
    ("contact", "nom du client", "customer’s name"),
    ("station", "gare", "station"),
    ("from", "gare de départ", "departure station"),
    ("to", "gare d’arrivée", "arrival station"),
    ("train", "numéro de train", "train number"),
    ("hours", "horaires d’ouverture", "opening hours"),
    ("reopens", "heure de réouverture", "time of reopening"),
    ("operator", "exploitant", "operator"),
    ("help_url", "page d’aide", "help page"),
];

/// The replies, good as a whole.
#[derive(Debug, Default)]
pub struct Canned {
    env: Environment<'static>,
    entries: Vec<Entry>,
    default: Option<Lang>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    holding: bool,
    titles: BTreeMap<Lang, String>,
    /// Whose words it has; none: its own.
    response: Option<String>,
}

/// What the variables stand for; without a value, a gap is left.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    /// By the variable's name.
    pub texts: BTreeMap<&'static str, String>,
    /// Whether the desk is open: `{% if open %}`.
    pub open: bool,
}

/// A reply, ready to be put into the box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannedText {
    /// What is typed behind "/".
    pub name: String,
    pub title: String,
    pub text: String,
    /// It only asks for patience.
    pub holding: bool,
}

impl Canned {
    /// Reads the file in the folder of responses; without one there are none. Errors: each mistake with its line.
    ///
    /// `intents`: what `response` may name.
    pub fn load(folder: &Path, default: Lang, intents: &[IntentSpec]) -> Result<Self, ResponseErrors> {
        let path = folder.join(FILE);
        let mut reader = Reader { file: path.display().to_string(), default, intents, errors: Vec::new() };
        if !path.exists() {
            return Ok(Self::default());
        }
        let mut canned = Self { env: environment(), entries: Vec::new(), default: Some(default) };
        match read_bounded(&path) {
            Ok(text) => reader.read(&text, &mut canned),
            Err(what) => reader.complain(0, what, "write a YAML file in UTF-8"),
        }
        if reader.errors.is_empty() { Ok(canned) } else { Err(ResponseErrors(reader.errors)) }
    }

    /// All of them in `lang`, or in the operator's language where they are not written in it.
    /// `response` words those that are a response's; none: it is left out.
    pub fn texts(
        &self,
        lang: Lang,
        values: &Values,
        response: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<CannedText> {
        self.entries.iter().filter_map(|entry| self.text(entry, lang, values, response)).collect()
    }

    /// Whether the operator lists this response for agents.
    pub fn offers(&self, response: &str) -> bool {
        self.entries.iter().any(|entry| entry.response.as_deref() == Some(response))
    }

    fn text(
        &self,
        entry: &Entry,
        lang: Lang,
        values: &Values,
        response: &dyn Fn(&str) -> Option<String>,
    ) -> Option<CannedText> {
        let lang = [Some(lang), self.default].into_iter().flatten().find(|l| entry.titles.contains_key(l))?;
        let title = entry.titles.get(&lang)?.clone();
        let text = match &entry.response {
            Some(name) => response(name)?,
            None => {
                let template = self.env.get_template(&template_name(&entry.name, lang)).ok()?;
                let text = template.render(context(lang, values));
                text.inspect_err(|error| tracing::error!(%error, "a canned reply could not be said")).ok()?
            }
        };
        Some(CannedText {
            name: entry.name.clone(),
            title,
            text: text.trim().to_owned(),
            holding: entry.holding,
        })
    }
}

fn context(lang: Lang, values: &Values) -> BTreeMap<&'static str, minijinja::Value> {
    let value = |(name, french, english): (&'static str, &str, &str)| {
        let label = if lang == Lang::FR { french } else { english };
        let text = values.texts.get(name).filter(|text| !text.trim().is_empty());
        (name, text.map_or_else(|| format!("[[{label}]]"), Clone::clone).into())
    };
    VARIABLES.into_iter().map(value).chain([("open", values.open.into())]).collect()
}

/// The name of the first gap of a text.
pub fn gap(text: &str) -> Option<&str> {
    text.match_indices("[[").find_map(|(at, _)| {
        let rest = &text[at + 2..];
        let name = &rest[..rest.find("]]")?];
        let good = !name.contains(['[', ']', '\n']) && name.chars().count() <= LONGEST_GAP;
        good.then_some(name)
    })
}

fn template_name(name: &str, lang: Lang) -> String {
    format!("{lang}/{name}")
}
