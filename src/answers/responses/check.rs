//! Renders every template with sample data, so that a wrong one is refused when it is saved and not when a customer asks.

use super::load::ResponseError;
use super::{SmsLength, notices, reason, render_named, response_key};
use crate::answers::{Registry, Samples};
use crate::model::{IntentEffect, IntentSpec, Lang};
use crate::sms::{segments, thrift};
use minijinja::Environment;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the engine says on its own account; `responses/<language>/system.yaml` words them.
pub(super) const SYSTEM_MESSAGES: [&str; 23] = [
    "escalated",
    "escalated_again",
    "clarify",
    "not_a_text",
    "too_long",
    "which_station",
    "unknown_station",
    "confirm",
    "dropped",
    "opted_out",
    "opted_in",
    "help",
    "unknown_watch",
    "too_many_watches",
    "cannot_follow",
    "no_data",
    "public_invitation",
    "welcome",
    "which_language",
    "language_set",
    "nearest_stations",
    "no_station_near",
    "slow_down",
];

/// One template as its writer sees it.
pub(super) struct Written {
    pub lang: Lang,
    pub key: String,
    pub variant: String,
    /// In the environment.
    pub name: String,
    pub path: PathBuf,
    /// The line of the file on which the template's first line stands.
    pub line: usize,
    pub source: String,
}

impl Written {
    pub(super) fn error(&self, error: &minijinja::Error, cure: &str) -> ResponseError {
        self.at(error.line().unwrap_or(1), reason(error), cure.to_owned())
    }

    /// `line` counts from 1 inside the template.
    fn at(&self, line: usize, why: String, cure: String) -> ResponseError {
        let what = format!("'{}' ({}): {why}", self.key, self.variant);
        ResponseError {
            file: self.path.display().to_string(),
            line: self.line + line.saturating_sub(1),
            what,
            cure,
        }
    }

    /// The first line on which a variable stands as a word.
    fn line_of(&self, variable: &str) -> usize {
        let is_word =
            |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == variable);
        self.source.lines().position(is_word).map_or(1, |position| position + 1)
    }
}

/// Knows which variables each template is given.
pub(super) struct Checker {
    by_key: BTreeMap<String, Samples>,
}

impl Checker {
    pub(super) fn new(intents: &[IntentSpec], sources: &Registry) -> Self {
        let mut by_key = BTreeMap::new();
        for intent in intents {
            if let Some(source) = intent.answer.as_deref().and_then(|name| sources.get(name)) {
                by_key.insert(response_key(&intent.name), source.samples_for(intent));
            } else if matches!(intent.effect, Some(IntentEffect::Watch | IntentEffect::Unwatch)) {
                let found = watch_samples(intent.effect == Some(IntentEffect::Unwatch));
                by_key.insert(response_key(&intent.name), Samples { found, nothing: Vec::new() });
            }
        }
        Self { by_key }
    }

    pub(super) fn check(
        &self,
        env: &Environment<'_>,
        templates: &[Written],
        errors: &mut Vec<ResponseError>,
    ) -> Vec<SmsLength> {
        let mut lengths = Vec::new();
        for template in templates {
            let samples = self.samples(template);
            if let Some(error) = unknown_variable(env, template, &samples) {
                errors.push(error);
                continue;
            }
            match render_all(env, template, &samples) {
                Ok(texts) if said_by_sms(template, templates) => lengths.extend(longest(template, &texts)),
                Ok(_) => {}
                Err(error) => errors.push(error),
            }
        }
        lengths
    }

    /// Every sample with the variables that all templates have.
    fn samples(&self, template: &Written) -> Vec<Value> {
        let own = match template.key.strip_prefix("system.") {
            Some(name) => system_samples(name),
            None => notices::samples(&template.key).unwrap_or_else(|| self.intent_samples(template)),
        };
        let with_common = |own: Value| {
            let mut all = common();
            if let (Value::Object(all), Value::Object(own)) = (&mut all, own) {
                all.extend(own);
            }
            all
        };
        own.into_iter().map(with_common).collect()
    }

    fn intent_samples(&self, template: &Written) -> Vec<Value> {
        match (self.by_key.get(&template.key), template.variant.as_str()) {
            (Some(samples), "text" | "sms" | "sms_short") => samples.found.clone(),
            (Some(samples), "none" | "none_short") => samples.nothing.clone(),
            // A question is asked before anything was looked up.
            _ => vec![json!({})],
        }
    }
}

/// What [`crate::engine`] says of a watch that begins or ends. `all`: an end may name nothing.
fn watch_samples(all: bool) -> Vec<Value> {
    let watched = |kind: &str, name: Value, ends: bool| {
        let (from, to) = if ends {
            (json!("Saint-Pierre-des-Corps"), json!("Rennes"))
        } else {
            (json!(null), json!(null))
        };
        json!({ "type": kind, "name": name, "from": from, "to": to })
    };
    let shapes = [
        (watched("line", json!("J"), false), json!(null), json!("samedi 20 décembre")),
        (watched("pair", json!(null), true), json!("demain"), json!("demain")),
        (watched("station", json!("Rennes"), false), json!("demain"), json!("samedi 20 décembre")),
        (watched("train", json!("8745"), false), json!(null), json!(null)),
    ];
    let nothing = all.then_some((json!(null), json!(null), json!(null)));
    let sample = |(watched, begins, until): (Value, Value, Value)| {
        let direct = watched["type"] != "pair";
        json!({ "watched": watched, "begins": begins, "until": until, "direct": direct })
    };
    shapes.into_iter().chain(nothing).map(sample).collect()
}

/// The same, where it cannot be followed, with the variables of `more`.
fn refused_samples(more: &Value) -> Vec<Value> {
    let with = |mut sample: Value| {
        if let (Some(sample), Some(more)) = (sample.as_object_mut(), more.as_object()) {
            sample.extend(more.clone());
        }
        sample
    };
    watch_samples(false).into_iter().map(with).collect()
}

/// Stand-ins for the variables that every template has.
pub(super) fn common() -> Value {
    json!({ "operator": "Guichet", "help_url": "https://aide.example", "hours": "7h00–22h00" })
}

/// The variables of each system message, in each shape.
fn system_samples(name: &str) -> Vec<Value> {
    match name {
        "escalated" => vec![
            json!({ "open": true, "reopens": null }),
            json!({ "open": false, "reopens": "demain à 7h00" }),
            json!({ "open": false, "reopens": null }),
        ],
        "which_station" => {
            let options = json!([
                { "n": 1, "name": "Saint-Denis" },
                { "n": 2, "name": "Saint-Denis-près-Martel" },
            ]);
            [false, true].map(|buttons| json!({ "options": options, "buttons": buttons })).to_vec()
        }
        "which_language" => {
            let options = json!([{ "n": 1, "name": "English" }, { "n": 2, "name": "Français" }]);
            [false, true].map(|buttons| json!({ "options": options, "buttons": buttons })).to_vec()
        }
        "nearest_stations" => {
            let options = json!([
                { "n": 1, "name": "Rennes", "km": 0 },
                { "n": 2, "name": "Rennes-Pontchaillou", "km": 2 },
                { "n": 3, "name": "Saint-Jacques-de-la-Lande", "km": 12 },
            ]);
            [false, true].map(|buttons| json!({ "options": options, "buttons": buttons })).to_vec()
        }
        "no_station_near" => vec![json!({ "km": 30 })],
        "confirm" => vec![json!({ "what": "vous cherchez le prochain départ" })],
        "unknown_station" => vec![json!({ "name": "Sain Deni" })],
        "unknown_watch" => [false, true]
            .into_iter()
            .flat_map(|over| {
                refused_samples(&json!({
                    "over": over,
                    "missing": "Saint-Pierre-des-Corps",
                    "provenance": "Horaires théoriques, réseau de démonstration inventé (données du 01/11/2026).",
                    "provenance_short": "Théorique (démo inventée, 01/11/2026).",
                }))
            })
            .collect(),
        "too_many_watches" => refused_samples(&json!({ "most": 20 })),
        "cannot_follow" => refused_samples(&json!({})),
        "public_invitation" => {
            let urls = [json!("https://m.me/106540352242922"), json!(null)];
            urls.map(|private_url| json!({ "private_url": private_url })).to_vec()
        }
        _ => vec![json!({})],
    }
}

/// A variable that the template could use in some branch and that it is never given. Rendering alone would miss branches.
fn unknown_variable(env: &Environment<'_>, template: &Written, samples: &[Value]) -> Option<ResponseError> {
    let known = samples.first()?.as_object()?;
    let compiled = env.get_template(&template.name).ok()?;
    let mut used: Vec<String> = compiled.undeclared_variables(false).into_iter().collect();
    used.sort();
    let is_unknown =
        |name: &String| !known.contains_key(name) && !env.globals().any(|(global, _)| global == name);
    let name = used.into_iter().find(is_unknown)?;
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    let cure = format!("the variables here are {}", names.join(", "));
    Some(template.at(template.line_of(&name), format!("unknown variable '{name}'"), cure))
}

fn render_all(
    env: &Environment<'_>,
    template: &Written,
    samples: &[Value],
) -> Result<Vec<String>, ResponseError> {
    let mut texts = Vec::new();
    for sample in samples {
        let text = render_named(env, &template.name, sample).map_err(|error| {
            template.error(&error, "use only fields that the variable has, and test what may be missing")
        })?;
        if text.is_empty() {
            return Err(template.at(
                1,
                "renders to nothing".to_owned(),
                "write at least one word".to_owned(),
            ));
        }
        texts.push(text);
    }
    Ok(texts)
}

/// Everything but a text that has a variant for SMS.
fn said_by_sms(template: &Written, all: &[Written]) -> bool {
    let is_sms = |other: &Written| {
        (other.lang, other.key.as_str(), other.variant.as_str()) == (template.lang, &*template.key, "sms")
    };
    template.variant != "text" || !all.iter().any(is_sms)
}

fn longest(template: &Written, texts: &[String]) -> Option<SmsLength> {
    let counted = texts.iter().map(|text| (segments(text), segments(&thrift(text))));
    let (written, thrifty) = counted.max_by_key(|(_, thrifty)| (thrifty.segments, thrifty.units))?;
    Some(SmsLength {
        lang: template.lang,
        key: template.key.clone(),
        variant: template.variant.clone(),
        file: template.path.display().to_string(),
        line: template.line,
        written,
        thrifty,
    })
}
