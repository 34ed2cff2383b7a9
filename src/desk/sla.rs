//! Promised times: when a person must have answered first, answered next, and when it must be over. Pure.
//!
//! They are computed from what happened, not counted down: after a restart, or a change of the configuration, the next
//! look gives what holds now.

use super::hours::Calendar;
use crate::config::Promises;
use crate::model::{DeskState, Priority, Promise, PromiseNews, Timestamp};
use std::time::Duration;

/// What happened in a conversation that people have or wait for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    pub priority: Priority,
    pub escalated_at: Timestamp,
    /// The customer's oldest message that no person has answered since.
    pub unanswered_since: Option<Timestamp>,
    /// Of the first answer of a person after the hand-over.
    pub first_answered_at: Option<Timestamp>,
}

/// When each promise is due; none: it is not made, or was kept.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Dues {
    pub first: Option<Timestamp>,
    pub next: Option<Timestamp>,
    pub resolution: Option<Timestamp>,
}

impl Dues {
    pub fn of(past: &Past, promises: &Promises, calendar: &Calendar) -> Self {
        let after = |from: Timestamp, span: Option<crate::config::Span>| calendar.after(from, span?.into());
        let answered = past.first_answered_at.is_some();
        let first = (!answered).then_some(past.escalated_at);
        let next = past.unanswered_since.filter(|_| answered);
        Self {
            first: first.and_then(|from| after(from, promises.first_answer.of(past.priority))),
            next: next.and_then(|from| after(from, promises.next_answer.of(past.priority))),
            resolution: after(past.escalated_at, promises.resolution.of(past.priority)),
        }
    }

    fn nearest(&self) -> Option<Timestamp> {
        [self.first, self.next, self.resolution].into_iter().flatten().min()
    }
}

/// A promise that is near or missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    pub promise: Promise,
    /// When it was made: with its name, what tells it from every other one of its conversation.
    pub since: Timestamp,
    pub due: Timestamp,
    pub news: PromiseNews,
}

/// What holds of each promise at `now`. Whether it was told before is for the caller to know.
pub fn news(past: &Past, dues: &Dues, warn_before: Duration, now: Timestamp) -> Vec<Told> {
    let promises = [
        (Promise::FirstAnswer, dues.first, Some(past.escalated_at)),
        (Promise::NextAnswer, dues.next, past.unanswered_since),
        (Promise::Resolution, dues.resolution, Some(past.escalated_at)),
    ];
    let told = |(promise, due, since): (Promise, Option<Timestamp>, Option<Timestamp>)| {
        let (due, since) = (due?, since?);
        let news = if due <= now { PromiseNews::Missed } else { PromiseNews::Near };
        (due <= now.plus(warn_before)).then_some(Told { promise, since, due, news })
    };
    promises.into_iter().filter_map(told).collect()
}

/// Brings what screens show of the promises up to date: of the nearest one, whether it is near and whether it was missed.
pub fn update(desk: &mut DeskState, dues: Dues, warn_before: Duration, now: Timestamp) {
    let before = Dues { first: desk.first_due_at, next: desk.next_due_at, resolution: desk.resolve_due_at };
    (desk.first_due_at, desk.next_due_at, desk.resolve_due_at) = (dues.first, dues.next, dues.resolution);
    if before.nearest() != dues.nearest() {
        desk.warned_at = None;
        desk.breached_at = None;
    }
    let Some(nearest) = dues.nearest() else { return };
    if nearest <= now {
        desk.breached_at.get_or_insert(now);
    } else if nearest <= now.plus(warn_before) {
        desk.warned_at.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ByPriority, HoursConfig, Span};
    use jiff::tz::TimeZone;

    const WARN_BEFORE: Duration = Duration::from_secs(5 * 60);

    fn at(text: &str) -> Timestamp {
        Timestamp::from_jiff(text.parse().unwrap())
    }

    /// Open from 7:00 to 22:00 in Paris.
    fn calendar() -> Calendar {
        Calendar::new(HoursConfig::default(), TimeZone::get("Europe/Paris").unwrap())
    }

    fn promises() -> Promises {
        let minutes = |urgent: u64, normal: u64| ByPriority {
            urgent: Some(Span::seconds(urgent * 60)),
            high: None,
            normal: Some(Span::seconds(normal * 60)),
        };
        Promises { first_answer: minutes(2, 30), next_answer: minutes(2, 20), resolution: minutes(60, 240) }
    }

    #[test]
    fn promises_run_in_business_time() {
        let past = |priority, escalated: &str, unanswered: Option<&str>, answered: Option<&str>| Past {
            priority,
            escalated_at: at(escalated),
            unanswered_since: unanswered.map(at),
            first_answered_at: answered.map(at),
        };
        // 21:50 in Paris; half an hour of business time ends at 7:20 the next day.
        let evening = past(Priority::Normal, "2026-11-25T20:50:00Z", None, None);
        let dues = Dues::of(&evening, &promises(), &calendar());
        assert_eq!(dues.first, Some(at("2026-11-26T06:20:00Z")));
        assert_eq!(dues.next, None);
        assert_eq!(dues.resolution, Some(at("2026-11-26T09:50:00Z")));
        // Answered once: from now on each message has its own promise.
        let again = past(
            Priority::Urgent,
            "2026-11-25T10:00:00Z",
            Some("2026-11-25T10:30:00Z"),
            Some("2026-11-25T10:01:00Z"),
        );
        let dues = Dues::of(&again, &promises(), &calendar());
        assert_eq!((dues.first, dues.next), (None, Some(at("2026-11-25T10:32:00Z"))));
        // Nothing is promised for this priority.
        let high = past(Priority::High, "2026-11-25T10:00:00Z", None, None);
        assert_eq!(Dues::of(&high, &promises(), &calendar()), Dues::default());
    }

    #[test]
    fn each_promise_is_near_then_missed() {
        let start = at("2026-11-25T10:00:00Z");
        let minute = |n: u64| start.plus(Duration::from_secs(n * 60));
        let past = Past {
            priority: Priority::Normal,
            escalated_at: start,
            unanswered_since: Some(minute(40)),
            first_answered_at: None,
        };
        let dues = Dues { first: Some(minute(30)), next: None, resolution: Some(minute(60)) };
        let told = |dues: &Dues, now| {
            let told = news(&past, dues, WARN_BEFORE, now);
            told.into_iter().map(|told| (told.promise, told.since, told.news)).collect::<Vec<_>>()
        };
        let first = |news| (Promise::FirstAnswer, start, news);
        assert_eq!(told(&dues, minute(24)), []);
        assert_eq!(told(&dues, minute(25)), [first(PromiseNews::Near)]);
        assert_eq!(told(&dues, minute(30)), [first(PromiseNews::Missed)]);
        // A missed promise hides no other one.
        let end = (Promise::Resolution, start, PromiseNews::Near);
        assert_eq!(told(&dues, minute(56)), [first(PromiseNews::Missed), end]);
        // Answered; then the customer writes again: another promise, made then.
        let next = Dues { next: Some(minute(45)), ..Dues::default() };
        assert_eq!(told(&next, minute(46)), [(Promise::NextAnswer, minute(40), PromiseNews::Missed)]);
    }

    #[test]
    fn screens_show_the_nearest_promise() {
        let start = at("2026-11-25T10:00:00Z");
        let minute = |n: u64| start.plus(Duration::from_secs(n * 60));
        let dues = Dues { first: Some(minute(30)), ..Dues::default() };
        let mut desk = DeskState::default();
        let mut look = |dues, now| {
            update(&mut desk, dues, WARN_BEFORE, now);
            (desk.warned_at, desk.breached_at)
        };
        assert_eq!(look(dues, start), (None, None));
        assert_eq!(look(dues, minute(25)), (Some(minute(25)), None));
        assert_eq!(look(dues, minute(26)), (Some(minute(25)), None));
        assert_eq!(look(dues, minute(30)), (Some(minute(25)), Some(minute(30))));
        assert_eq!(look(Dues::default(), minute(32)), (None, None));
        let next = Dues { next: Some(minute(50)), ..Dues::default() };
        assert_eq!(look(next, minute(46)), (Some(minute(46)), None));
    }
}
