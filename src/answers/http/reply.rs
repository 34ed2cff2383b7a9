//! What the operator's service may answer, read strictly: a wrong answer is worse than none.

use super::Failure;
use crate::answers::Lookup;
use crate::answers::dates::day_words;
use crate::model::{Fact, Lang, Timestamp};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// Lists and objects inside each other, the outermost included. serde_json itself stops at 128.
const DEEPEST: usize = 12;
const MOST_FACTS: usize = 100;
/// Characters.
const LONGEST_VALUE: usize = 500;
const LONGEST_SOURCE: usize = 100;
/// Two clocks are never quite the same.
const SKEW: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    found: Option<Map<String, Value>>,
    nothing: Option<Map<String, Value>>,
    no_data: Option<String>,
    #[serde(default)]
    facts: Vec<ReplyFact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyFact {
    value: String,
    source: String,
    /// RFC 3339 with offset.
    as_of: jiff::Timestamp,
}

/// For whom and when an answer is read.
pub(super) struct Reading<'a> {
    pub now: Timestamp,
    pub stale_after: Duration,
    pub lang: Lang,
    pub zone: &'a TimeZone,
}

impl Reading<'_> {
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Lookup, Failure> {
        // Its message could show what was sent.
        let reply: Reply = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Failure::Malformed(format!("it is not as documented at line {line}, column {column}"))
        })?;
        let malformed = |what: &str| Err(Failure::Malformed(what.to_owned()));
        match (reply.found, reply.nothing, reply.no_data) {
            (Some(data), None, None) => {
                let facts = self.facts(reply.facts)?;
                Ok(Lookup::Found { data: self.data(data, &facts)?, facts })
            }
            (None, Some(data), None) => {
                let facts = self.facts(reply.facts)?;
                Ok(Lookup::Nothing { data: self.data(data, &facts)?, facts })
            }
            (None, None, Some(why)) => Ok(Lookup::NoData { why: why.chars().take(LONGEST_VALUE).collect() }),
            _ => malformed("it holds not exactly one of found, nothing and no_data"),
        }
    }

    fn data(&self, mut data: Map<String, Value>, facts: &[Fact]) -> Result<Value, Failure> {
        data.insert("provenance".to_owned(), self.provenance(facts).into());
        let data = Value::Object(data);
        if depth(&data) > DEEPEST {
            return Err(Failure::Malformed(format!("its data is more than {DEEPEST} levels deep")));
        }
        Ok(data)
    }

    /// All of them, or none: data may rest on each.
    fn facts(&self, sent: Vec<ReplyFact>) -> Result<Vec<Fact>, Failure> {
        let malformed = |what: &str| Err(Failure::Malformed(what.to_owned()));
        if sent.is_empty() {
            return malformed("it holds no fact: nothing says where its data comes from");
        }
        if sent.len() > MOST_FACTS {
            return malformed("it holds too many facts");
        }
        let is_text = |text: &str, longest: usize| !text.trim().is_empty() && text.chars().count() <= longest;
        let mut facts = Vec::with_capacity(sent.len());
        for ReplyFact { value, source, as_of } in sent {
            if !is_text(&value, LONGEST_VALUE) || !is_text(&source, LONGEST_SOURCE) {
                return malformed("a fact's value or source is empty or too long");
            }
            let as_of = Timestamp::from_jiff(as_of);
            if as_of.since(self.now) > SKEW {
                return malformed("a fact is from the future");
            }
            let age = self.now.since(as_of);
            if age > self.stale_after {
                return Err(Failure::Stale(age));
            }
            facts.push(Fact { value, source: source.trim().to_owned(), as_of, ride: None });
        }
        Ok(facts)
    }

    /// Each source once, and the age of the oldest fact: "Source : Billetterie, à 12:04."
    fn provenance(&self, facts: &[Fact]) -> String {
        let mut sources: Vec<&str> = Vec::new();
        for fact in facts {
            if !sources.contains(&fact.source.as_str()) {
                sources.push(&fact.source);
            }
        }
        let local = |at: Timestamp| at.to_jiff().to_zoned_datetime(self.zone.clone());
        let oldest = local(facts.iter().map(|fact| fact.as_of).min().unwrap_or(self.now));
        let day = day_words(oldest.date(), local(self.now).date(), self.lang);
        let day = day.map(|day| format!("{day} ")).unwrap_or_default();
        let (sources, clock) = (sources.join(", "), oldest.strftime("%H:%M"));
        if self.lang == Lang::FR {
            format!("Source : {sources}, {day}à {clock}.")
        } else {
            format!("Source: {sources}, {day}at {clock}.")
        }
    }
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + inner.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transit::testing::paris;
    use serde_json::json;

    fn read(text: &str) -> Result<Lookup, Failure> {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let now = paris("2026-12-20T12:05");
        Reading { now, stale_after: Duration::from_secs(300), lang: Lang::FR, zone: &zone }
            .read(text.as_bytes())
    }

    fn fact(as_of: &str) -> Value {
        json!({ "value": "price 12", "source": "Ventes", "as_of": as_of })
    }

    #[test]
    fn answers_carry_source_and_age() {
        let fresh = "2026-12-20T12:04:00+01:00";
        let Ok(Lookup::Found { data, facts }) = read(
            &json!({ "found": { "price": 12 }, "facts": [fact(fresh), fact("2026-12-20T11:03:30Z")] })
                .to_string(),
        ) else {
            panic!("not found")
        };
        assert_eq!(data, json!({ "price": 12, "provenance": "Source : Ventes, à 12:03." }));
        assert_eq!((&*facts[0].value, &*facts[0].source), ("price 12", "Ventes"));
        assert_eq!(facts[0].as_of, paris("2026-12-20T12:04"));
        let nothing = read(&json!({ "nothing": {}, "facts": [fact(fresh)] }).to_string());
        assert!(matches!(nothing, Ok(Lookup::Nothing { .. })), "{nothing:?}");
        let why = read(r#"{"no_data": "not sold yet"}"#).unwrap();
        assert_eq!(why, Lookup::NoData { why: "not sold yet".into() });
    }

    #[test]
    fn provenance_names_another_day_in_both_languages() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let facts = |source: &str| Fact {
            value: "v".into(),
            source: source.into(),
            as_of: paris("2026-12-19T23:58"),
            ride: None,
        };
        for (lang, said) in [
            (Lang::FR, "Source : Ventes, Quais, hier à 23:58."),
            (Lang::EN, "Source: Ventes, Quais, yesterday at 23:58."),
        ] {
            let reading = Reading {
                now: paris("2026-12-20T00:01"),
                stale_after: Duration::from_secs(300),
                lang,
                zone: &zone,
            };
            assert_eq!(reading.provenance(&[facts("Ventes"), facts("Quais"), facts("Ventes")]), said);
        }
    }

    #[test]
    fn age_is_held_to_the_limit() {
        let with = |as_of: &str| {
            read(
                &json!({ "found": {}, "facts": [fact("2026-12-20T12:05:00+01:00"), fact(as_of)] })
                    .to_string(),
            )
        };
        assert!(with("2026-12-20T12:00:00+01:00").is_ok());
        let stale = with("2026-12-20T11:59:59+01:00").unwrap_err();
        assert!(matches!(stale, Failure::Stale(_)), "{stale}");
        assert!(with("2026-12-20T12:06:00+01:00").is_ok());
        assert_eq!(
            with("2026-12-20T12:06:01+01:00"),
            Err(Failure::Malformed("a fact is from the future".into()))
        );
    }

    #[test]
    fn nothing_else_is_an_answer() {
        let fresh = "2026-12-20T12:05:00+01:00";
        let long = |length: usize| "x".repeat(length);
        let mut deep = json!(1);
        for _ in 0..DEEPEST {
            deep = json!([deep]);
        }
        for wrong in [
            "".to_owned(),
            "<html>".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            json!({ "found": {}, "nothing": {}, "facts": [fact(fresh)] }).to_string(),
            json!({ "found": {}, "no_data": "why", "facts": [fact(fresh)] }).to_string(),
            json!({ "found": [], "facts": [fact(fresh)] }).to_string(),
            json!({ "found": {} }).to_string(),
            json!({ "nothing": {}, "facts": [] }).to_string(),
            json!({ "found": {}, "facts": [fact(fresh)], "more": 1 }).to_string(),
            json!({ "found": {}, "facts": [{ "value": "v", "source": "s" }] }).to_string(),
            json!({ "found": {}, "facts": [fact("2026-12-20")] }).to_string(),
            json!({ "found": {}, "facts": [fact("2026-12-20T12:05:00")] }).to_string(),
            json!({ "found": {}, "facts": [{ "value": " ", "source": "s", "as_of": fresh }] }).to_string(),
            json!({ "found": {}, "facts": [{ "value": "v", "source": long(101), "as_of": fresh }] })
                .to_string(),
            json!({ "found": {}, "facts": [{ "value": long(501), "source": "s", "as_of": fresh }] })
                .to_string(),
            json!({ "found": {}, "facts": vec![fact(fresh); MOST_FACTS + 1] }).to_string(),
            json!({ "found": { "deep": deep }, "facts": [fact(fresh)] }).to_string(),
            format!("{{\"found\":{{\"a\":{}1{}}}}}", "[".repeat(5_000), "]".repeat(5_000)),
            format!("{}x", json!({ "no_data": "hunter2" })),
        ] {
            let error = read(&wrong).unwrap_err();
            assert!(matches!(error, Failure::Malformed(_)), "{wrong}: {error}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
