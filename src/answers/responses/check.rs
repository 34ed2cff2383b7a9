//! Renders every template with sample data, so that a wrong one is refused when it is saved and not when a customer asks.

use super::load::ResponseError;
use super::{SmsLength, notices, reason, render_named, response_key};
use crate::answers::sms::sms_segments;
use crate::answers::{Registry, Samples};
use crate::model::{IntentEffect, IntentSpec, Lang};
use minijinja::Environment;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the engine says on its own account; `responses/<language>/system.yaml` words them.
pub(super) const SYSTEM_MESSAGES: [&str; 13] = [
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
                Ok(texts) if template.variant == "sms" => lengths.extend(longest(template, &texts)),
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
            (Some(samples), "text" | "sms") => samples.found.clone(),
            (Some(samples), "none") => samples.nothing.clone(),
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
    let sample = |(watched, begins, until): (Value, Value, Value)| json!({ "watched": watched, "begins": begins, "until": until });
    shapes.into_iter().chain(nothing).map(sample).collect()
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
        "confirm" => vec![json!({ "what": "vous cherchez le prochain départ" })],
        "unknown_station" => vec![json!({ "name": "Sain Deni" })],
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

fn longest(template: &Written, texts: &[String]) -> Option<SmsLength> {
    let costs = texts.iter().map(|text| sms_segments(text));
    let (encoding, segments) = costs.max_by_key(|(_, segments)| *segments)?;
    Some(SmsLength { lang: template.lang, key: template.key.clone(), encoding, segments })
}
