//! Reads `responses/canned.yaml`. Collects every error before it gives up.

use super::{Canned, Entry, VARIABLES, Values, context, template_name};
use crate::answers::responses::{ResponseError, content_line};
use crate::model::{IntentSpec, Lang};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    #[serde(default)]
    holding: bool,
    title: Spanned<BTreeMap<String, String>>,
    text: Option<Spanned<BTreeMap<String, Spanned<String>>>>,
    response: Option<Spanned<String>>,
}

pub(super) struct Reader<'a> {
    pub file: String,
    pub default: Lang,
    pub intents: &'a [IntentSpec],
    pub errors: Vec<ResponseError>,
}

impl Reader<'_> {
    pub fn complain(&mut self, line: u64, what: String, cure: &str) {
        let line = usize::try_from(line).unwrap_or(0);
        self.errors.push(ResponseError { file: self.file.clone(), line, what, cure: cure.to_owned() });
    }

    pub fn read(&mut self, source: &str, canned: &mut Canned) {
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
