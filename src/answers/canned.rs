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

use super::responses::{ResponseError, ResponseErrors, content_line, environment, read_bounded};
use crate::model::{IntentSpec, Lang};
use minijinja::Environment;
use serde::Deserialize;
use serde_saphyr::Spanned;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    #[serde(default)]
    holding: bool,
    title: Spanned<BTreeMap<String, String>>,
    text: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
    response: Option<Spanned<String>>,
}

struct Reader<'a> {
    file: String,
    default: Lang,
    intents: &'a [IntentSpec],
    errors: Vec<ResponseError>,
}

impl Reader<'_> {
    fn complain(&mut self, line: u64, what: String, cure: &str) {
        let line = usize::try_from(line).unwrap_or(0);
        self.errors.push(ResponseError { file: self.file.clone(), line, what, cure: cure.to_owned() });
    }

    fn read(&mut self, source: &str, canned: &mut Canned) {
        let raw: Spanned<BTreeMap<String, Spanned<RawEntry>>> = match serde_saphyr::from_str(source) {
            Ok(raw) => raw,
            Err(error) => {
                let line = error.location().map_or(0, |at| at.line());
                let what = error.without_snippet().to_string();
                return self.complain(
                    line,
                    what,
                    "write a name with `title:` and `text:` below it, each by language",
                );
            }
        };
        let mut entries: Vec<_> = raw.value.into_iter().collect();
        // As the file has them.
        entries.sort_by_key(|(_, entry)| entry.referenced.line());
        for (name, entry) in entries {
            let at = source.lines().position(|line| line.starts_with(name.as_str()));
            let line = at.map_or(0, |at| at as u64 + 1);
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
            if name.is_empty() || name.len() > 40 || !name.chars().all(good) {
                let what = format!("'{name}' cannot be typed behind \"/\"");
                self.complain(line, what, "use a-z, 0-9, - and _, at most 40");
            }
            let RawEntry { holding, title, text, response } = entry.value;
            let (titles, response) = match (text, response) {
                (Some(text), None) => (self.own(source, &name, title, text, canned), None),
                (None, Some(response)) => (self.borrowed(&name, title, &response), Some(response.value)),
                _ => {
                    let what = format!("'{name}' needs either a text or a response");
                    self.complain(
                        line,
                        what,
                        "write `text:` with a text for each language, or `response:` with its name",
                    );
                    continue;
                }
            };
            canned.entries.push(Entry { name, holding, titles, response });
        }
    }

    /// An entry that says what a response says.
    fn borrowed(
        &mut self,
        name: &str,
        title: Spanned<BTreeMap<String, String>>,
        response: &Spanned<String>,
    ) -> BTreeMap<Lang, String> {
        let fit = |spec: &IntentSpec| spec.answer.is_none() && spec.effect.is_none();
        if !self.intents.iter().any(|spec| spec.name == response.value && fit(spec)) {
            let what = format!("'{name}': '{}' is no response that needs no facts", response.value);
            self.complain(
                response.defined.line(),
                what,
                "name an intent without `answer` and `effect`, such as service.invoice",
            );
        }
        let line = title.referenced.line();
        let titles: BTreeMap<Lang, String> =
            title.value.into_iter().filter_map(|(code, title)| Some((Lang::new(&code)?, title))).collect();
        if !titles.contains_key(&self.default) {
            let what = format!("'{name}' has no title in the operator's language '{}'", self.default);
            self.complain(line, what, "add it");
        }
        titles
    }

    /// An entry with texts of its own; its titles.
    fn own(
        &mut self,
        source: &str,
        name: &str,
        title: Spanned<BTreeMap<String, String>>,
        text: Spanned<BTreeMap<String, Spanned<String>>>,
        canned: &mut Canned,
    ) -> BTreeMap<Lang, String> {
        let (title_line, text_line) = (title.referenced.line(), text.referenced.line());
        if !text.value.contains_key(self.default.as_str()) {
            let what = format!("'{name}' has no text in the operator's language '{}'", self.default);
            self.complain(text_line, what, "add it below `text:`");
        }
        let mut titles = BTreeMap::new();
        for (code, title) in title.value {
            if title.trim().is_empty() || !text.value.contains_key(&code) {
                let what = format!("'{name}' has a title in '{code}' and no such text, or an empty title");
                self.complain(title_line, what, "write title and text in the same languages");
            } else if let Some(lang) = Lang::new(&code) {
                titles.insert(lang, title.trim().to_owned());
            }
        }
        for (code, text) in text.value {
            let line = content_line(source, &text) as u64;
            match Lang::new(&code) {
                None => {
                    let what = format!("'{code}' is not a language");
                    self.complain(line, what, "write two letters such as fr");
                }
                Some(lang) if !titles.contains_key(&lang) => {
                    let what = format!("'{name}' has no title in '{code}'");
                    self.complain(line, what, "write title and text in the same languages");
                }
                Some(lang) => self.template(line, name, lang, text.value, canned),
            }
        }
        titles
    }

    fn template(&mut self, line: u64, name: &str, lang: Lang, text: String, canned: &mut Canned) {
        let template = template_name(name, lang);
        let at = |error: &minijinja::Error| line + error.line().unwrap_or(1).saturating_sub(1) as u64;
        let words = |error: &minijinja::Error| match error.detail() {
            Some(detail) => format!("'{name}' in '{lang}': {}: {detail}", error.kind()),
            None => format!("'{name}' in '{lang}': {}", error.kind()),
        };
        if let Err(error) = canned.env.add_template_owned(template.clone(), text.clone()) {
            let cure = "close every {{ and {% tag as the template language wants";
            return self.complain(at(&error), words(&error), cure);
        }
        let Ok(compiled) = canned.env.get_template(&template) else { return };
        let known =
            |variable: &str| variable == "open" || VARIABLES.iter().any(|(name, ..)| *name == variable);
        if let Some(unknown) = compiled.undeclared_variables(false).into_iter().find(|name| !known(name)) {
            let within = text.lines().position(|line| line.contains(&unknown)).unwrap_or(0) as u64;
            let names = VARIABLES.map(|(name, ..)| name).join(", ");
            let what = format!("'{name}' in '{lang}': unknown variable '{unknown}'");
            return self.complain(line + within, what, &format!("the variables here are {names} and open"));
        }
        match compiled.render(context(lang, &Values::default())) {
            Ok(rendered) if rendered.trim().is_empty() => {
                self.complain(line, format!("'{name}' in '{lang}' is empty"), "write the reply");
            }
            Ok(_) => {}
            Err(error) => {
                let (at, what) = (at(&error), words(&error));
                self.complain(at, what, "use the variables as plain texts");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Canned, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let told = |e: &ResponseError| format!("{}: {}; {}", e.line, e.what, e.cure);
        let facts = Some("timetable.departures".to_owned());
        let intents = [("service.invoice", None), ("schedules.next_departure", facts)];
        let spec =
            |(name, answer): (&str, _)| IntentSpec { name: name.into(), answer, ..IntentSpec::default() };
        Canned::load(folder.path(), Lang::FR, &intents.map(spec))
            .map_err(|errors| errors.0.iter().map(told).collect())
    }

    const GOOD: &str = "\
zeta:
  title: { fr: Fin, en: End }
  text:
    fr: |
      Bonjour {{ contact }},
      le train {{ train }} part de {{ station }}.
    en: Train {{ train }} leaves from {{ station }}.
alpha:
  holding: true
  title: { fr: Attente }
  text: { fr: 'Un instant.{% if open %} Nous sommes là.{% endif %}' }
";

    #[test]
    fn variables_are_filled_and_what_is_missing_is_a_gap() {
        let canned = load(GOOD).unwrap();
        let texts = BTreeMap::from([("train", "8745".to_owned()), ("contact", "  ".to_owned())]);
        let values = Values { texts, open: true };
        let french = canned.texts(Lang::FR, &values, &|_| None);
        let names: Vec<&str> = french.iter().map(|c| &*c.name).collect();
        assert_eq!(names, ["zeta", "alpha"], "in the order of the file");
        assert_eq!(french[0].text, "Bonjour [[nom du client]],\nle train 8745 part de [[gare]].");
        assert_eq!((french[0].holding, french[1].holding), (false, true));
        assert_eq!(french[1].text, "Un instant. Nous sommes là.");
        let english = canned.texts(Lang::EN, &values, &|_| None);
        assert_eq!(english[0].text, "Train 8745 leaves from [[station]].");
        assert_eq!(english[1].title, "Attente", "in the operator's language where there is no other");
        assert_eq!(gap(&french[0].text), Some("nom du client"));
    }

    #[test]
    fn only_gaps_are_gaps() {
        for (text, expected) in [
            ("", None),
            ("a [[b]] c [[d]]", Some("b")),
            ("array[[0]", None),
            ("[[]]", Some("")),
            ("[[a\nb]]", None),
            ("x [[ [[y]]", Some("y")),
            (&format!("[[{}]]", "é".repeat(61)), None),
            ("[b]", None),
        ] {
            assert_eq!(gap(text), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_lines() {
        let text = "\
Bad name:
  title: { fr: A, en: B }
  text:
    fr: 'ok'
only:
  title: { en: Only }
  text:
    en: Only
broken:
  title: { fr: A }
  text:
    fr: |
      Une ligne,
      puis {{ nom }} et {{ train }}.
open:
  title: { fr: A }
  text:
    fr: 'Le {{ train'
nothing:
  title: { fr: A }
  text:
    fr: ' '
";
        let errors = load(text).unwrap_err();
        for expected in [
            "1: 'Bad name' cannot be typed",
            "2: 'Bad name' has a title in 'en' and no such text",
            "8: 'only' has no text in the operator's language 'fr'",
            "14: 'broken' in 'fr': unknown variable 'nom'; the variables here are agent, contact",
            "18: 'open' in 'fr': ",
            "22: 'nothing' in 'fr' is empty",
        ] {
            assert!(errors.iter().any(|error| error.starts_with(expected)), "{expected}: {errors:#?}");
        }
        assert_eq!(errors.len(), 6, "{errors:#?}");
        assert!(load("a:\n  titel: {}\n").unwrap_err()[0].starts_with("2: "));
        assert!(load("a: [").is_err());
    }

    #[test]
    fn a_response_is_offered_in_its_own_words() {
        let text = "invoice:\n  title: { fr: Facture }\n  response: service.invoice\n";
        let canned = load(text).unwrap();
        assert!(canned.offers("service.invoice") && !canned.offers("service.fine"));
        let said = canned.texts(Lang::EN, &Values::default(), &|name| Some(format!("words of {name}")));
        assert_eq!((said[0].title.as_str(), said[0].text.as_str()), ("Facture", "words of service.invoice"));
        assert_eq!(canned.texts(Lang::FR, &Values::default(), &|_| None), []);
        for (text, expected) in [
            (
                "a:\n  title: { fr: A }\n  response: service.nothing\n",
                "3: 'a': 'service.nothing' is no response",
            ),
            ("a:\n  title: { fr: A }\n  response: schedules.next_departure\n", "3: 'a': 'schedules.next"),
            (
                "a:\n  title: { en: A }\n  response: service.invoice\n",
                "2: 'a' has no title in the operator's",
            ),
            ("a:\n  title: { fr: A }\n", "1: 'a' needs either a text or a response"),
        ] {
            let errors = load(text).unwrap_err();
            assert!(errors[0].starts_with(expected), "{expected}: {errors:?}");
        }
    }

    #[test]
    fn the_shipped_replies_are_good_in_both_languages() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let pack = crate::nlu::IntentPack::load(&root.join("intents")).unwrap();
        let canned = Canned::load(&root.join("responses"), Lang::FR, &pack.specs);
        let canned = canned.unwrap_or_else(|errors| panic!("{errors}"));
        let texts = |lang| canned.texts(lang, &Values::default(), &|name| Some(format!("{lang} {name}")));
        let (french, english) = (texts(Lang::FR), texts(Lang::EN));
        assert_eq!(french.len(), english.len());
        assert!(french.iter().zip(&english).all(|(fr, en)| fr.text != en.text));
        assert!(french.iter().any(|c| c.holding));
        let none = Canned::load(Path::new("/nowhere"), Lang::FR, &[]).unwrap();
        assert!(none.texts(Lang::FR, &Values::default(), &|_| None).is_empty());
    }
}
