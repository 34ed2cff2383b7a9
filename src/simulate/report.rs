//! What came of it: counts, failures, and whole conversations, for people and as JSON.

use super::compare::{Check, Kind};
use super::dialogue::Dialogue;
use super::run::Played;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const RED: Style = AnsiColor::Red.on_default();
const GREEN: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// A dialogue as it went.
pub struct Outcome {
    pub dialogue: Dialogue,
    pub turns: Vec<Played>,
}

impl Outcome {
    pub fn passed(&self) -> bool {
        self.turns.iter().all(Played::passed)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    pub passed: usize,
    pub total: usize,
}

impl Share {
    fn add(&mut self, passed: bool) {
        self.total += 1;
        self.passed += usize::from(passed);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Passed {
    pub dialogues: usize,
    pub turns: usize,
}

/// An expectation that was not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub id: String,
    pub file: String,
    pub line: usize,
    /// From 1.
    pub turn: usize,
    pub customer: String,
    pub kind: Kind,
    /// `slots.to`, where the kind alone does not tell.
    pub what: String,
    pub expected: String,
    pub got: String,
    /// What the customer read.
    pub replies: Vec<String>,
}

/// All of it in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Which model read the messages.
    pub model: String,
    pub dialogues: usize,
    pub turns: usize,
    pub passed: Passed,
    pub by_kind: BTreeMap<&'static str, Share>,
    /// Dialogues.
    pub by_lang: BTreeMap<String, Share>,
    pub failures: Vec<Failure>,
}

impl Report {
    pub fn of(model: &str, outcomes: &[Outcome]) -> Self {
        let by_kind = Kind::ALL.map(|kind| (kind.as_str(), Share::default()));
        let mut report =
            Self { model: model.to_owned(), by_kind: BTreeMap::from(by_kind), ..Self::default() };
        outcomes.iter().for_each(|outcome| report.add(outcome));
        report
    }

    fn add(&mut self, outcome: &Outcome) {
        let Outcome { dialogue, turns } = outcome;
        self.dialogues += 1;
        self.turns += turns.len();
        self.passed.dialogues += usize::from(outcome.passed());
        self.passed.turns += turns.iter().filter(|turn| turn.passed()).count();
        self.by_lang.entry(dialogue.lang.to_string()).or_default().add(outcome.passed());
        for (at, (turn, said)) in turns.iter().zip(&dialogue.turns).enumerate() {
            for check in &turn.checks {
                self.by_kind.entry(check.kind.as_str()).or_default().add(check.passed);
                if !check.passed {
                    self.failures.push(Failure {
                        id: dialogue.id.clone(),
                        file: dialogue.file.clone(),
                        line: dialogue.line,
                        turn: at + 1,
                        customer: said.customer.clone(),
                        kind: check.kind,
                        what: check.what.clone(),
                        expected: check.expected.clone(),
                        got: check.got.clone(),
                        replies: turn.happened.replies.clone(),
                    });
                }
            }
        }
    }

    pub fn all_passed(&self) -> bool {
        self.passed.dialogues == self.dialogues
    }

    /// The last lines of a run.
    pub fn totals(&self) -> String {
        let style = if self.all_passed() { GREEN } else { RED };
        let kinds =
            self.by_kind.iter().map(|(kind, share)| format!("{kind} {}/{}", share.passed, share.total));
        let langs =
            self.by_lang.iter().map(|(lang, share)| format!("{lang} {}/{}", share.passed, share.total));
        format!(
            "{style}{} of {} dialogues passed{style:#}, {} of {} turns ({}; {}); read by: {}\n",
            self.passed.dialogues,
            self.dialogues,
            self.passed.turns,
            self.turns,
            kinds.collect::<Vec<_>>().join(", "),
            langs.collect::<Vec<_>>().join(", "),
            self.model
        )
    }
}

/// What differed in a dialogue, or with `whole` all that was said. With colours; empty when there is nothing to show.
pub fn shown(outcome: &Outcome, whole: bool) -> String {
    if outcome.passed() && !whole {
        return String::new();
    }
    let Outcome { dialogue, turns } = outcome;
    let (style, mark) = if outcome.passed() { (GREEN, "✓") } else { (RED, "✗") };
    let mut text = format!(
        "{style}{mark}{style:#} {BOLD}{}{BOLD:#} {DIM}{}:{}, {}{DIM:#}\n",
        dialogue.id, dialogue.file, dialogue.line, dialogue.channel
    );
    for (at, (turn, said)) in turns.iter().zip(&dialogue.turns).enumerate() {
        if turn.passed() && !whole {
            continue;
        }
        line(&mut text, &format!("{}. customer", at + 1), &said.customer);
        for reply in &turn.happened.replies {
            line(&mut text, "   said", reply);
        }
        if whole {
            let intents = turn.happened.intents.join(" + ");
            line(
                &mut text,
                &format!("   {DIM}decided{DIM:#}"),
                &format!("{} on {intents}", turn.happened.action),
            );
        }
        for check in turn.checks.iter().filter(|check| !check.passed) {
            difference(&mut text, check);
        }
    }
    text
}

fn difference(text: &mut String, check: &Check) {
    let Check { kind, what, expected, got, .. } = check;
    // The words are shown above.
    let got = if *kind == Kind::ReplyContains { "" } else { got.as_str() };
    let but = if got.is_empty() { "" } else { ", got " };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "     {what}: expected {GREEN}{expected}{GREEN:#}{but}{RED}{got}{RED:#}");
}

/// Lines of one message stay under each other.
fn line(text: &mut String, who: &str, words: &str) {
    let words = words.trim_end().replace('\n', "\n       ");
    let _ = writeln!(text, "  {who}: {words}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Action;
    use crate::model::Lang;
    use crate::simulate::compare::Happened;

    fn outcome(id: &str, lang: Lang, passed: bool) -> Outcome {
        let turns = serde_json::from_str(r#"[{"customer": "bonjour"}, {"customer": "Vitré"}]"#).unwrap();
        let dialogue = Dialogue {
            id: id.into(),
            lang,
            channel: "sms".into(),
            at: None,
            turns,
            file: "a.yaml".into(),
            line: 3,
        };
        let check = |kind, passed| Check {
            kind,
            what: "slots.to".into(),
            expected: "Vitré".into(),
            got: "Rennes".into(),
            passed,
        };
        let happened = Happened {
            intents: vec!["a.b".into()],
            action: Action::Answer,
            slots: BTreeMap::new(),
            replies: vec!["Oui.\nNon.".into()],
        };
        let first = Played { happened: happened.clone(), checks: vec![check(Kind::Action, true)] };
        let second = Played { happened, checks: vec![check(Kind::Slots, passed), check(Kind::Slots, true)] };
        Outcome { dialogue, turns: vec![first, second] }
    }

    #[test]
    fn everything_is_counted() {
        let outcomes = [outcome("one", Lang::FR, true), outcome("two", Lang::EN, false)];
        let report = Report::of("ngram", &outcomes);
        assert_eq!((report.dialogues, report.turns), (2, 4));
        assert_eq!(report.passed, Passed { dialogues: 1, turns: 3 });
        assert_eq!(report.by_kind["slots"], Share { passed: 3, total: 4 });
        assert_eq!(report.by_kind["intent"], Share::default());
        assert_eq!(report.by_lang["en"], Share { passed: 0, total: 1 });
        assert_eq!(report.failures.len(), 1);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["failures"][0]["turn"], 2);
        assert_eq!(json["failures"][0]["kind"], "slots");
        assert!(!report.all_passed() && Report::of("ngram", &outcomes[..1]).all_passed());
    }

    #[test]
    fn what_differed_is_shown_and_all_of_it_when_asked() {
        let plain =
            |outcome: &Outcome, whole| anstream::adapter::strip_str(&shown(outcome, whole)).to_string();
        assert_eq!(plain(&outcome("one", Lang::FR, true), false), "");
        let failed = plain(&outcome("two", Lang::EN, false), false);
        assert!(
            failed.starts_with("✗ two a.yaml:3, sms\n  2. customer: Vitré\n     said: Oui.\n       Non.\n"),
            "{failed}"
        );
        assert!(failed.contains("slots.to: expected Vitré, got Rennes"), "{failed}");
        assert!(plain(&outcome("two", Lang::EN, true), true).contains("1. customer: bonjour"));
    }
}
