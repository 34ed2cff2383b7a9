//! What is sent, from the templates of the mapping. They are rendered once with examples when they are loaded, so that a name
//! that does not exist, or JSON that is none, is told before the first message.

use super::mapping::{Mapping, Outbound};
use crate::channels::Outgoing;
use crate::config::Secret;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior, context, escape_formatter};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// What RFC 3986, 2.3 calls unreserved stays as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const URL: &str = "url";
const JSON: &str = "json";

pub(super) struct Templates {
    environment: Environment<'static>,
    headers: Vec<String>,
    fields: Vec<String>,
    settings: BTreeMap<String, String>,
    /// Where the provider is to report to.
    callback: String,
}

/// One request, as it leaves.
#[derive(Debug, PartialEq)]
pub(super) struct Rendered {
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub json: Option<String>,
    pub form: Vec<(String, String)>,
}

impl Templates {
    /// Errors: line, what is wrong, and the cure.
    pub(super) fn load(
        mapping: &Mapping,
        settings: &BTreeMap<String, Secret>,
        callback: String,
    ) -> Result<Self, (u64, String)> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name {
            URL => AutoEscape::Custom(URL.into()),
            JSON => AutoEscape::Json,
            _ => AutoEscape::None,
        });
        environment.set_formatter(write_value);
        let Outbound { url, headers, json, form, .. } = &mapping.outbound;
        let named = |kind: &'static str, map: &BTreeMap<String, Spanned<String>>| {
            map.iter().map(|(name, text)| (format!("{kind} {name}"), text.clone())).collect::<Vec<_>>()
        };
        let form = form.clone().unwrap_or_default();
        let mut all = vec![(URL.to_owned(), url.clone())];
        all.extend(json.clone().map(|text| (JSON.to_owned(), text)));
        all.extend(named("header", headers));
        all.extend(named("field", &form));
        for (name, text) in &all {
            environment
                .add_template_owned(name.clone(), text.value.clone())
                .map_err(|error| complaint(text, name, &error))?;
        }
        let templates = Self {
            environment,
            headers: headers.keys().cloned().collect(),
            fields: form.keys().cloned().collect(),
            settings: settings.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect(),
            callback,
        };
        templates.try_out(&all)?;
        Ok(templates)
    }

    /// With a text that breaks what is not escaped.
    fn try_out(&self, all: &[(String, Spanned<String>)]) -> Result<(), (u64, String)> {
        let example = self.context("+33600000000", "Ça \"va\" ?\n\\", "00000000-0000-7000-8000-000000000000");
        for (name, text) in all {
            let rendered = self.one(name, &example).map_err(|error| complaint(text, name, &error))?;
            let line = text.defined.line();
            if name == URL && !is_address(&rendered) {
                return Err((line, "outbound.url is no http(s) address. Cure: write https://…".into()));
            }
            if name == JSON && serde_json::from_str::<serde_json::Value>(&rendered).is_err() {
                let cure = "write values without quotes around the braces: {\"text\": {{ text }}}";
                return Err((line, format!("outbound.json gives no JSON. Cure: {cure}")));
            }
        }
        Ok(())
    }

    fn context(&self, to: &str, text: &str, id: &str) -> Value {
        let unicode = !crate::channels::smpp::is_gsm7(text);
        let (callback, settings) = (&self.callback, &self.settings);
        let digits = to.strip_prefix('+').unwrap_or(to);
        context! { to, digits, text, id, unicode, callback, settings }
    }

    fn one(&self, name: &str, context: &Value) -> Result<String, minijinja::Error> {
        self.environment.get_template(name)?.render(context)
    }

    /// Errors: why it can never be sent.
    pub(super) fn render(&self, message: &Outgoing) -> Result<Rendered, String> {
        let context = self.context(&message.address, &message.text, &message.id.to_string());
        // An error of the engine may quote a value.
        let one = |name: &str| {
            self.one(name, &context)
                .map_err(|error| format!("the template '{name}' fails: {:?}", error.kind()))
        };
        let each = |kind: &str, names: &[String]| {
            names
                .iter()
                .map(|name| Ok((name.clone(), one(&format!("{kind} {name}"))?)))
                .collect::<Result<Vec<_>, String>>()
        };
        let json = self.environment.get_template(JSON).is_ok().then(|| one(JSON)).transpose()?;
        Ok(Rendered {
            url: one(URL)?,
            headers: each("header", &self.headers)?,
            json,
            form: each("field", &self.fields)?,
        })
    }
}

fn write_value(
    output: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if *state.auto_escape() == AutoEscape::Custom(URL.into()) && !value.is_undefined() {
        let text = value.to_string();
        write!(output, "{}", utf8_percent_encode(&text, ENCODED)).map_err(minijinja::Error::from)
    } else {
        escape_formatter(output, state, value)
    }
}

fn is_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
}

fn complaint(text: &Spanned<String>, name: &str, error: &minijinja::Error) -> (u64, String) {
    let line = text.defined.line() + u64::try_from(error.line().unwrap_or(1).saturating_sub(1)).unwrap_or(0);
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let cure = "templates know to, digits, text, id, unicode, callback and settings.<key>";
    (line, format!("outbound {name}: {what}. Cure: {cure}"))
}
