//! Response clocks from the append-only log. Pure.
//!
//! Every clock has one sample per conversation at most, from its first start to its end; a system notice never
//! ends one. A clock that has started and not ended is `waiting`, and is counted apart: a report that left the
//! unanswered out would flatter. Percentiles are by nearest rank: the smallest sample such that at least p % of
//! the samples are not above it (<https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method>).

use crate::desk::hours::Calendar;
use crate::model::{ConversationId, EventKind, Timestamp, named_enum};
use crate::store::TimedEvent;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

named_enum!(
    /// What is measured.
    Clock {
        /// First message of the customer → first answer of any kind.
        FirstAnswer = "first_answer",
        /// First message of the customer → first answer of the bot.
        BotAnswer = "bot_answer",
        /// Handed to people → taken in charge.
        TakeCharge = "take_charge",
        /// Handed to people → first message of an agent, when the provider has it: the seconds in which a reply can be taken
        /// back count, and one that was taken back does not.
        FirstHumanAnswer = "first_human_answer",
        /// First message of the customer → resolved for good: a conversation that the customer reopened waits
        /// until it is resolved again.
        Resolution = "resolution",
    }
);

/// Figures over the samples of one clock, in seconds. Without samples they are `null`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    pub mean: Option<f64>,
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p99: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reading {
    /// Conversations whose clock has ended.
    pub count: usize,
    /// Conversations whose clock still runs.
    pub waiting: usize,
    /// By the clock on the wall.
    pub wall: Figures,
    /// Inside the opening hours of the desk.
    pub business: Figures,
}

/// One set of conversations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    pub conversations: usize,
    pub clocks: BTreeMap<&'static str, Reading>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    #[serde(flatten)]
    pub overall: Group,
    pub by_channel: BTreeMap<String, Group>,
    /// By the last intent understood; `none` when nothing was.
    pub by_intent: BTreeMap<String, Group>,
}

/// What the log says of the conversations it holds. `events`: whole conversations, one after the other, each in
/// the order of the log.
pub fn report(events: &[TimedEvent], calendar: &Calendar) -> Report {
    let mut overall = Samples::default();
    let mut channels: BTreeMap<String, Samples> = BTreeMap::new();
    let mut intents: BTreeMap<String, Samples> = BTreeMap::new();
    for conversation in events.chunk_by(|a, b| a.conversation_id == b.conversation_id) {
        let Some(first) = conversation.first() else {
            continue;
        };
        let intent = first.intent.as_deref().unwrap_or("none");
        let channel = channels.entry(first.channel.clone()).or_default();
        let intent = intents.entry(intent.to_owned()).or_default();
        for samples in [&mut overall, channel, intent] {
            samples.conversations += 1;
        }
        for clock in Clock::ALL {
            let Some(measured) = measure(*clock, conversation) else {
                continue;
            };
            let sample = measured.end.map(|end| Sample {
                wall: end.since(measured.start),
                business: calendar.business_time(measured.start, end),
            });
            for samples in [&mut overall, channel, intent] {
                samples.clocks.entry(*clock).or_default().push(sample);
            }
        }
    }
    let groups = |map: BTreeMap<String, Samples>| map.into_iter().map(|(k, s)| (k, s.group())).collect();
    Report { overall: overall.group(), by_channel: groups(channels), by_intent: groups(intents) }
}

/// A clock that has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    pub conversation_id: ConversationId,
    pub start: Timestamp,
    /// None: it still runs.
    pub end: Option<Timestamp>,
}

/// One clock over the events of one conversation; none when it never started.
pub fn measure(clock: Clock, events: &[TimedEvent]) -> Option<Measured> {
    let starts = match clock {
        Clock::TakeCharge | Clock::FirstHumanAnswer => EventKind::Escalated,
        Clock::FirstAnswer | Clock::BotAnswer | Clock::Resolution => EventKind::ConversationOpened,
    };
    let begin = events.iter().position(|e| e.kind == starts)?;
    let start = &events[begin];
    let after = &events[begin + 1..];
    // A conversation that people gave back to the bot waits for none of them any more, until it is escalated again.
    let back = after.iter().position(|e| e.kind == EventKind::HandedBack);
    let (after, later) = match back.filter(|_| starts == EventKind::Escalated) {
        Some(back) => (&after[..back], Some(&after[back + 1..])),
        None => (after, None),
    };
    let end = match clock {
        Clock::FirstAnswer => after.iter().find(|e| is_bot_answer(e) || is_by_agent(e)),
        Clock::BotAnswer => after.iter().find(|e| is_bot_answer(e)),
        Clock::TakeCharge => after.iter().find(|e| e.kind == EventKind::Taken),
        Clock::FirstHumanAnswer => after.iter().find(|e| is_by_agent(e)),
        Clock::Resolution => after
            .iter()
            .rev()
            .take_while(|e| e.kind != EventKind::MessageReceived && !goes_on(e))
            .filter(|e| e.kind == EventKind::Resolved)
            .last(),
    };
    if let (None, Some(later)) = (end, later) {
        return measure(clock, later);
    }
    Some(Measured { conversation_id: start.conversation_id, start: start.at, end: end.map(|e| e.at) })
}

fn field<'a>(event: &'a TimedEvent, name: &str) -> &'a str {
    event.data.get(name).and_then(|v| v.as_str()).unwrap_or_default()
}

/// The reply that ended it was taken back.
fn goes_on(event: &TimedEvent) -> bool {
    event.kind == EventKind::ReplyWithdrawn && event.data.get("reopened").is_some_and(|v| v == true)
}

fn is_bot_answer(event: &TimedEvent) -> bool {
    event.kind == EventKind::MessageSent
        && field(event, "author") == "bot"
        && matches!(field(event, "kind"), "answer" | "question")
}

fn is_by_agent(event: &TimedEvent) -> bool {
    event.kind == EventKind::MessageSent
        && field(event, "author") == "agent"
        && field(event, "kind") != "notice"
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    wall: Duration,
    business: Duration,
}

#[derive(Debug, Default)]
struct Samples {
    conversations: usize,
    /// None: the clock still runs.
    clocks: BTreeMap<Clock, Vec<Option<Sample>>>,
}

impl Samples {
    fn group(self) -> Group {
        let reading = |clock: &Clock| {
            let all = self.clocks.get(clock).map(Vec::as_slice).unwrap_or_default();
            let ended: Vec<&Sample> = all.iter().flatten().collect();
            Reading {
                count: ended.len(),
                waiting: all.len() - ended.len(),
                wall: figures(ended.iter().map(|s| s.wall).collect()),
                business: figures(ended.iter().map(|s| s.business).collect()),
            }
        };
        Group {
            conversations: self.conversations,
            clocks: Clock::ALL.iter().map(|c| (c.as_str(), reading(c))).collect(),
        }
    }
}

fn figures(mut samples: Vec<Duration>) -> Figures {
    samples.sort_unstable();
    let rank = |percent: usize| {
        let rank = (samples.len() * percent).div_ceil(100).max(1);
        samples.get(rank - 1).map(Duration::as_secs_f64)
    };
    let total: Duration = samples.iter().sum();
    // Counts stay far below 2^53.
    let mean = (!samples.is_empty()).then(|| total.as_secs_f64() / samples.len() as f64);
    Figures { mean, p50: rank(50), p90: rank(90), p99: rank(99) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HoursConfig;
    use EventKind::*;
    use jiff::tz::TimeZone;
    use serde_json::json;

    /// 2026-11-23 10:00 UTC, a Monday: open until 22:00 UTC by default.
    const T0: i64 = 1_795_428_000_000_000;

    type Expected = [Option<Option<i64>>; 5];
    type Lines = Vec<(i64, EventKind, &'static str)>;

    /// Events of one conversation: seconds after [`T0`], kind, and for sent messages `author/kind`.
    fn events(lines: &[(i64, EventKind, &str)]) -> Vec<TimedEvent> {
        let conversation_id = ConversationId::new();
        let line = |&(second, kind, sent): &(i64, EventKind, &str)| {
            let (author, message_kind) = sent.split_once('/').unwrap_or_default();
            TimedEvent {
                at: Timestamp(T0 + second * 1_000_000),
                kind,
                data: json!({ "author": author, "kind": message_kind }),
                conversation_id,
                channel: "sms".into(),
                intent: Some("traffic.train_delay".into()),
            }
        };
        lines.iter().map(line).collect()
    }

    fn desk() -> Calendar {
        Calendar::new(HoursConfig::default(), TimeZone::UTC)
    }

    #[test]
    fn tricky_conversations() {
        const NO: Option<Option<i64>> = None;
        const WAITS: Option<Option<i64>> = Some(None);
        fn s(seconds: i64) -> Option<Option<i64>> {
            Some(Some(seconds))
        }
        let opened = (0, ConversationOpened, "");
        // first answer, bot answer, take-charge, first human answer, resolution
        let cases: &[(&str, Lines, Expected)] = &[
            ("nothing yet", vec![opened], [WAITS, WAITS, NO, NO, WAITS]),
            (
                "a notice is no answer",
                vec![opened, (1, MessageSent, "bot/notice"), (9, MessageSent, "bot/answer")],
                [s(9), s(9), NO, NO, WAITS],
            ),
            (
                "nor is what nobody asked for, with the bot or after people were called",
                vec![
                    opened,
                    (1, CorrectionQueued, ""),
                    (2, MessageSent, "bot/notice"),
                    (10, Escalated, ""),
                    (11, WatchNoticeQueued, ""),
                    (12, MessageSent, "bot/notice"),
                ],
                [WAITS, WAITS, WAITS, WAITS, WAITS],
            ),
            (
                "a question is one",
                vec![opened, (2, MessageSent, "bot/question"), (30, MessageSent, "bot/answer")],
                [s(2), s(2), NO, NO, WAITS],
            ),
            (
                "decided is not sent",
                vec![opened, (1, BotAnswered, "bot/answer"), (2, AgentAnswered, "agent/text")],
                [WAITS, WAITS, NO, NO, WAITS],
            ),
            (
                "the bot answers, then people",
                vec![
                    opened,
                    (1, MessageSent, "bot/answer"),
                    (60, Escalated, ""),
                    (61, MessageSent, "bot/notice"),
                    (100, Taken, ""),
                    (160, MessageSent, "agent/text"),
                    (500, MessageSent, "agent/text"),
                    (600, Resolved, ""),
                ],
                [s(1), s(1), s(40), s(100), s(600)],
            ),
            (
                "people only",
                vec![
                    opened,
                    (1, Escalated, ""),
                    (1, MessageSent, "bot/notice"),
                    (31, Taken, ""),
                    (91, MessageSent, "agent/text"),
                ],
                [s(91), WAITS, s(30), s(90), WAITS],
            ),
            (
                "given back and taken again: the first claim counts",
                vec![opened, (10, Escalated, ""), (20, Taken, ""), (30, Released, ""), (90, Taken, "")],
                [WAITS, WAITS, s(10), WAITS, WAITS],
            ),
            (
                "taken from the bot: nobody had been called",
                vec![opened, (10, Taken, ""), (20, MessageSent, "agent/text"), (30, Resolved, "")],
                [s(20), WAITS, NO, NO, s(30)],
            ),
            (
                "handed back to the bot before anyone answered: no person is waited for",
                vec![
                    opened,
                    (1, Escalated, ""),
                    (5, Taken, ""),
                    (9, HandedBack, ""),
                    (20, MessageSent, "bot/answer"),
                ],
                [s(20), s(20), s(4), NO, WAITS],
            ),
            (
                "handed back, and people are called again",
                vec![
                    opened,
                    (1, Escalated, ""),
                    (5, Taken, ""),
                    (9, HandedBack, ""),
                    (50, Escalated, ""),
                    (60, Taken, ""),
                    (70, MessageSent, "agent/text"),
                ],
                [s(70), WAITS, s(4), s(20), WAITS],
            ),
            (
                "reopened and not resolved again",
                vec![opened, (5, MessageSent, "bot/answer"), (50, Resolved, ""), (70, MessageReceived, "")],
                [s(5), s(5), NO, NO, WAITS],
            ),
            (
                "reopened and resolved again",
                vec![
                    opened,
                    (0, MessageReceived, ""),
                    (50, Resolved, ""),
                    (70, MessageReceived, ""),
                    (90, Resolved, ""),
                    (95, MessageDelivered, ""),
                ],
                [WAITS, WAITS, NO, NO, s(90)],
            ),
        ];
        for (name, lines, expected) in cases {
            let events = events(lines);
            for (clock, expected) in Clock::ALL.iter().zip(expected) {
                let got = measure(*clock, &events).map(|m| m.end.map(|end| (end.0 - m.start.0) / 1_000_000));
                assert_eq!(got, *expected, "{name}: {clock}");
            }
        }
    }

    #[test]
    fn percentiles_by_nearest_rank() {
        let seconds = |n: u64| (1..=n).rev().map(Duration::from_secs).collect();
        for (n, mean, p50, p90, p99) in [
            (1, 1.0, 1.0, 1.0, 1.0),
            (2, 1.5, 1.0, 2.0, 2.0),
            (10, 5.5, 5.0, 9.0, 10.0),
            (100, 50.5, 50.0, 90.0, 99.0),
            (200, 100.5, 100.0, 180.0, 198.0),
        ] {
            let got = figures(seconds(n));
            let expected = Figures { mean: Some(mean), p50: Some(p50), p90: Some(p90), p99: Some(p99) };
            assert_eq!(got, expected, "{n}");
        }
        assert_eq!(figures(Vec::new()).p50, None);
    }

    #[test]
    fn groups_and_business_time() {
        // Opened at 10:00, answered the next day at 08:00: 12 hours of opening until 22:00, one from 07:00.
        let mut all = events(&[(0, ConversationOpened, ""), (22 * 3600, MessageSent, "agent/text")]);
        let mut other = events(&[(0, ConversationOpened, "")]);
        for event in &mut other {
            event.channel = "web".into();
            event.intent = None;
        }
        all.extend(other);
        let report = report(&all, &desk());
        let first = report.overall.clocks["first_answer"];
        assert_eq!((report.overall.conversations, first.count, first.waiting), (2, 1, 1));
        assert_eq!(first.wall.p50, Some(22.0 * 3600.0));
        assert_eq!(first.business.p50, Some(13.0 * 3600.0));
        assert_eq!(report.by_channel["sms"].clocks["first_answer"].count, 1);
        assert_eq!(report.by_channel["web"].clocks["first_answer"].count, 0);
        assert_eq!(report.by_intent["none"].conversations, 1);
        assert_eq!(report.by_intent["traffic.train_delay"].clocks["resolution"].waiting, 1);
    }
}
