//! What was expected of a turn, held against what happened. Values are compared the way people write them.

use super::dialogue::{Expect, Value};
use crate::answers::sms::short_name;
use crate::engine::Action;
use crate::model::{EntityValue, StationRef, Timestamp};
use crate::nlu::aliases::AliasFile;
use crate::nlu::normalise::squeeze;
use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// What happened in a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// What was decided on, first; then, of a message with several questions, the others.
    pub intents: Vec<String>,
    pub action: Action,
    pub slots: BTreeMap<String, EntityValue>,
    /// What the customer read.
    pub replies: Vec<String>,
}

/// Kinds of expectations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Intent,
    Slots,
    Action,
    ReplyContains,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Intent, Kind::Slots, Kind::Action, Kind::ReplyContains];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Intent => "intent",
            Kind::Slots => "slots",
            Kind::Action => "action",
            Kind::ReplyContains => "reply_contains",
        }
    }
}

/// One expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub kind: Kind,
    /// `intent`, `slots.to`…
    pub what: String,
    pub expected: String,
    pub got: String,
    pub passed: bool,
}

/// What comparing needs to know of the operator.
pub struct Names {
    timezone: TimeZone,
    aliases: AliasFile,
}

impl Names {
    pub fn new(timezone: TimeZone, aliases: AliasFile) -> Self {
        Self { timezone, aliases }
    }

    /// Every expectation of the turn, met or not.
    pub fn checks(&self, expect: &Expect, happened: &Happened) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(intent) = &expect.intent {
            let got = happened.intents.join(" + ");
            let passed = happened.intents.contains(intent);
            checks.push(check(Kind::Intent, "intent".into(), intent.clone(), got, passed));
        }
        for (slot, expected) in &expect.slots {
            let got = happened.slots.get(slot);
            let passed = match (expected, got) {
                (Some(Value(text)), Some(value)) => self.is(text, value),
                (expected, got) => expected.is_none() && got.is_none(),
            };
            let shown = |value: &EntityValue| self.shown(value);
            let expected = expected.as_ref().map_or_else(|| "nothing".to_owned(), |Value(text)| text.clone());
            let got = got.map_or_else(|| "nothing".to_owned(), shown);
            checks.push(check(Kind::Slots, format!("slots.{slot}"), expected, got, passed));
        }
        if let Some(action) = &expect.action {
            let passed = *action == happened.action;
            checks.push(check(
                Kind::Action,
                "action".into(),
                action.to_string(),
                happened.action.to_string(),
                passed,
            ));
        }
        let said = happened.replies.join("\n");
        for text in &expect.reply_contains {
            let passed = plain(&said).contains(&plain(text));
            checks.push(check(
                Kind::ReplyContains,
                "reply_contains".into(),
                text.clone(),
                said.clone(),
                passed,
            ));
        }
        checks
    }

    fn is(&self, text: &str, value: &EntityValue) -> bool {
        match value {
            EntityValue::Station { station } => self.is_station(text, station),
            EntityValue::Ambiguous { .. } => false,
            EntityValue::Time { start, end } => {
                // "Around ten" is half past nine to half past ten.
                let middle = start.plus(end.since(*start) / 2);
                is_time(text, &self.local(*start))
                    || (text.contains(':') && is_time(text, &self.local(middle)))
            }
            EntityValue::Train { number } => squeeze(text) == squeeze(number),
            EntityValue::Line { name } => squeeze(text) == squeeze(name),
            EntityValue::Reference { code } => squeeze(text) == squeeze(code),
            EntityValue::Phone { number } => squeeze(text) == squeeze(number),
            EntityValue::Email { address } => text.trim().eq_ignore_ascii_case(address),
        }
    }

    /// By its name, its short name, its id, or a name of the alias file.
    fn is_station(&self, text: &str, station: &StationRef) -> bool {
        let text = squeeze(text);
        let own = [station.name.as_str(), &short_name(&station.name), &station.id].map(squeeze);
        let name = &own[0];
        let by_alias = self.aliases.aliases.iter().chain(&self.aliases.known).any(|alias| {
            let mut names = std::iter::once(&alias.name).chain(&alias.also).map(|name| squeeze(name));
            names.clone().any(|known| known == text) && names.any(|known| known == *name)
        });
        own.contains(&text) || by_alias
    }

    fn local(&self, at: Timestamp) -> ZonedDateTime {
        at.to_jiff().to_zoned_datetime(self.timezone.clone())
    }

    fn shown(&self, value: &EntityValue) -> String {
        match value {
            EntityValue::Station { station } => station.name.clone(),
            EntityValue::Ambiguous { options } => {
                let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
                format!("one of {}", names.join(", "))
            }
            EntityValue::Time { start, .. } => self.local(*start).strftime("%Y-%m-%dT%H:%M").to_string(),
            EntityValue::Train { number } | EntityValue::Phone { number } => number.clone(),
            EntityValue::Line { name } => name.clone(),
            EntityValue::Reference { code } => code.clone(),
            EntityValue::Email { address } => address.clone(),
        }
    }
}

fn check(kind: Kind, what: String, expected: String, got: String, passed: bool) -> Check {
    Check { kind, what, expected, got, passed }
}

/// `18:04`, `2026-11-17`, or both with a `T` between them.
fn is_time(text: &str, start: &ZonedDateTime) -> bool {
    ["%H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M"]
        .iter()
        .any(|format| start.strftime(format).to_string() == text.trim().replace(' ', "T"))
}

/// Without case, accents, the kind of apostrophe and the width of spaces, which differ between channels.
fn plain(text: &str) -> String {
    let letters = text.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    let letters: String = letters.map(|c| if c == '’' { '\'' } else { c }).collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nlu::entities::stations::Alias;
    use serde_json::json;

    fn names() -> Names {
        let alias = |name: &str, also: &str| Alias { name: name.into(), also: vec![also.into()] };
        let aliases = vec![alias("Paris Gare du Nord", "paris nord"), alias("Angers Saint-Laud", "angers")];
        let file = AliasFile { aliases, ..AliasFile::default() };
        Names::new(TimeZone::get("Europe/Paris").unwrap(), file)
    }

    fn station(id: &str, name: &str) -> EntityValue {
        EntityValue::Station { station: StationRef { id: id.into(), name: name.into() } }
    }

    #[test]
    fn values_are_compared_the_way_people_write_them() {
        let half_past_six = Timestamp::from_jiff("2026-11-17T17:30:00Z".parse().unwrap());
        let time = EntityValue::Time { start: half_past_six, end: half_past_six };
        let hour = std::time::Duration::from_secs(3_600);
        let around = EntityValue::Time { start: half_past_six, end: half_past_six.plus(hour) };
        let train = EntityValue::Train { number: "8745".into() };
        let line = EntityValue::Line { name: "C".into() };
        let angers = station("ANG", "Angers Saint-Laud");
        let both = EntityValue::Ambiguous {
            options: vec![StationRef { id: "PNO".into(), name: "Paris Nord".into() }],
        };
        for (text, value, expected) in [
            ("angers", &angers, true),
            ("Angers St-Laud", &angers, true),
            ("ANGERS SAINT LAUD", &angers, true),
            ("ang", &angers, true),
            ("Nantes", &angers, false),
            ("gare du nord", &station("PNO", "Paris Nord"), false),
            ("Paris Gare du Nord", &station("PNO", "Paris Nord"), true),
            ("Paris Nord", &both, false),
            ("18:30", &time, true),
            ("2026-11-17", &time, true),
            ("2026-11-17T18:30", &time, true),
            ("2026-11-18T18:30", &time, false),
            ("17:30", &time, false),
            ("18:30", &around, true),
            ("19:00", &around, true),
            ("19:30", &around, false),
            ("8745", &train, true),
            ("874", &train, false),
            ("c", &line, true),
        ] {
            assert_eq!(names().is(text, value), expected, "{text} {value:?}");
        }
    }

    #[test]
    fn each_expectation_is_one_check() {
        let expect: Expect = serde_json::from_value(json!({
            "intent": "a.b", "action": "answer", "slots": {"from": "Angers", "to": null, "via": "Nantes"},
            "reply_contains": ["l'été à 18:04", "Brest"],
        }))
        .unwrap();
        let happened = Happened {
            intents: vec!["a.c".into(), "a.b".into()],
            action: Action::Silent,
            slots: BTreeMap::from([
                ("from".into(), station("ANG", "Angers Saint-Laud")),
                ("to".into(), station("X", "X")),
            ]),
            replies: vec!["C’est L’ÉTÉ\u{a0}:\u{202f}".into(), "l’ete  a 18:04".into()],
        };
        let checks = names().checks(&expect, &happened);
        let passed: Vec<(&str, bool)> = checks.iter().map(|c| (c.what.as_str(), c.passed)).collect();
        let expected = [
            ("intent", true),
            ("slots.from", true),
            ("slots.to", false),
            ("slots.via", false),
            ("action", false),
            ("reply_contains", true),
            ("reply_contains", false),
        ];
        assert_eq!(passed, expected);
        assert_eq!((checks[2].expected.as_str(), checks[2].got.as_str()), ("nothing", "X"));
        assert_eq!((checks[3].expected.as_str(), checks[3].got.as_str()), ("Nantes", "nothing"));
    }
}
