//! Days out of the ordinary from an iCalendar file (RFC 5545), read with `calcard`. Pure.
//!
//! - An all-day event closes its days: a public holiday as calendars publish them.
//! - An event with CATEGORIES:OPEN (or OUVERT), or whose SUMMARY begins with `open:` or `ouvert :`, gives opening hours that
//!   replace those of its days: its own times, or for an all-day event the hours behind the colon (`open: 08:00-12:00,
//!   14:00-18:00`). Several on one day are its shifts. They win over an event that closes the same day.
//! - Any other event with times says nothing: a meeting in a shared calendar closes no desk. STATUS:CANCELLED is passed over.
//!
//! RRULE, RDATE, EXDATE and changed occurrences are followed. Times without a zone are those of the desk.

use crate::config::DayHours;
use calcard::common::PartialDateTime;
use calcard::common::timezone::Tz;
use calcard::icalendar::dates::{CalendarErrorType, TimeOrDelta};
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarStatus, ICalendarValue,
};
use calcard::{Entry, Parser};
use chrono::{Datelike as _, NaiveDateTime, Timelike as _};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// A file with more is no calendar of holidays.
pub const MOST_BYTES: u64 = 2 * 1024 * 1024;
/// Occurrences of one event, and of all, until the end of the period: a daily one for 50 years.
const MOST_OF_ONE: usize = 20_000;
const MOST: usize = 200_000;
/// Days of one occurrence: longer than a year, it is a mistake.
const MOST_DAYS: i32 = 366;

/// Opening hours by day, of days out of the ordinary; none: closed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Special(BTreeMap<Date, Vec<(Time, Time)>>);

impl Special {
    pub fn of(&self, day: Date) -> Option<&[(Time, Time)]> {
        self.0.get(&day).map(Vec::as_slice)
    }
}

/// What is wrong in the file, where, and the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}. Cure: {cure}")]
pub struct IcalError {
    /// From 1.
    pub line: usize,
    pub what: String,
    pub cure: &'static str,
}

/// The days between `from` and `to` that are out of the ordinary. `zone`: that of the desk.
///
/// # Errors
/// The first thing that is no iCalendar, or that cannot be followed.
pub fn read(text: &str, zone: &TimeZone, from: Date, to: Date) -> Result<Special, IcalError> {
    let places = Places::of(text);
    let calendar = parse(text, &places)?;
    let mut days = Days { opened: BTreeMap::new(), closed: Vec::new(), from, to };
    let mut left = MOST;
    for group in groups(&calendar, &places, to)? {
        let expanded = group.calendar.expand_dates(Tz::Floating, MOST_OF_ONE);
        if let Some(error) = expanded.errors.first() {
            return Err(places.error(group.line_of(error.comp_id), told(&error.error)));
        }
        let count = expanded.events.len();
        left = left.checked_sub(count).filter(|_| count < MOST_OF_ONE).ok_or_else(|| {
            places.error(
                group.line_of(0),
                ("it is repeated too often", "begin it later, or repeat it less often"),
            )
        })?;
        for event in expanded.events {
            let Some(component) = group.calendar.component_by_id(event.comp_id) else { continue };
            let start = local(event.start, zone);
            let end = match event.end {
                TimeOrDelta::Time(end) => local(end, zone),
                TimeOrDelta::Delta(delta) => local(event.start + delta, zone),
            };
            let (Some(start), Some(end)) = (start, end) else { continue };
            let wrong = |problem| places.error(group.line_of(event.comp_id), problem);
            days.add(component, start, end).map_err(wrong)?;
        }
    }
    Ok(days.finish())
}

type Problem = (&'static str, &'static str);

/// The lines on which events begin, in their order.
struct Places(Vec<usize>);

impl Places {
    fn of(text: &str) -> Self {
        let begins = |line: &str| line.trim_end().eq_ignore_ascii_case("BEGIN:VEVENT");
        Self(text.lines().enumerate().filter(|(_, line)| begins(line)).map(|(at, _)| at + 1).collect())
    }

    fn error(&self, line: usize, (what, cure): Problem) -> IcalError {
        IcalError { line, what: what.to_owned(), cure }
    }
}

fn parse(text: &str, places: &Places) -> Result<ICalendar, IcalError> {
    let last = text.lines().count().max(1);
    let count = |word: &str| {
        text.lines()
            .filter(|line| line.get(..word.len()).is_some_and(|l| l.eq_ignore_ascii_case(word)))
            .count()
    };
    if count("BEGIN:") > count("END:") {
        let what = "an event or the calendar does not end";
        return Err(places.error(last, (what, "write END:VEVENT and END:VCALENDAR")));
    }
    let mut found: Option<ICalendar> = None;
    let mut parser = Parser::new(text);
    loop {
        let (line, problem) = match parser.entry() {
            Entry::ICalendar(calendar) => {
                match &mut found {
                    None => found = Some(calendar),
                    Some(all) => all.components.extend(calendar.components),
                }
                continue;
            }
            Entry::Eof => break,
            Entry::InvalidLine(wrong) => {
                let at = text.lines().position(|line| !wrong.is_empty() && line.contains(wrong.trim()));
                (at.map_or(1, |at| at + 1), ("this is no iCalendar", "export the calendar again as .ics"))
            }
            Entry::UnexpectedComponentEnd { .. } | Entry::UnterminatedComponent(_) => {
                (last, ("an event or the calendar does not end", "write END:VEVENT and END:VCALENDAR"))
            }
            Entry::TooManyComponents => (last, ("there are too many events", "keep those of the desk only")),
            Entry::VCard(_) | _ => (1, ("this is no calendar", "export the calendar as .ics")),
        };
        return Err(places.error(line, problem));
    }
    found.ok_or_else(|| places.error(1, ("there is no calendar in it", "export the calendar as .ics")))
}

/// The events of one UID, with the zones: what changes an occurrence stands beside what it changes.
struct Group {
    calendar: ICalendar,
    /// Of each component, where it begins.
    lines: Vec<usize>,
}

impl Group {
    fn line_of(&self, component: u32) -> usize {
        let at = usize::try_from(component).unwrap_or(usize::MAX);
        self.lines
            .get(at)
            .copied()
            .filter(|line| *line > 0)
            .or_else(|| self.lines.last().copied())
            .unwrap_or(1)
    }
}

fn groups(calendar: &ICalendar, places: &Places, to: Date) -> Result<Vec<Group>, IcalError> {
    let is_event = |c: &&ICalendarComponent| c.component_type == ICalendarComponentType::VEvent;
    let mut by_uid: BTreeMap<String, Vec<(usize, &ICalendarComponent)>> = BTreeMap::new();
    for (at, event) in calendar.components.iter().filter(is_event).enumerate() {
        let line = places.0.get(at).copied().unwrap_or(1);
        check(event).map_err(|problem| places.error(line, problem))?;
        // Without a UID it stands alone.
        let uid = event.uid().map_or_else(|| format!("\0{at}"), str::to_owned);
        by_uid.entry(uid).or_default().push((line, event));
    }
    let of_zones = |c: &&ICalendarComponent| c.component_type == ICalendarComponentType::VTimezone;
    Ok(by_uid
        .into_values()
        .map(|events| {
            let zones = calendar.components.iter().filter(of_zones).map(|zone| (0, zone));
            let (lines, components): (Vec<_>, Vec<_>) =
                zones.chain(events).map(|(line, component)| (line, ending(component, to))).unzip();
            Group { calendar: ICalendar { components }, lines }
        })
        .collect())
}

/// With rules that end with the period: what would be repeated for ever is not worked out beyond it.
fn ending(component: &ICalendarComponent, to: Date) -> ICalendarComponent {
    let mut component = component.clone();
    let start = component.property(&ICalendarProperty::Dtstart).and_then(|entry| entry.values.first());
    let start = start.and_then(|value| value.as_partial_date_time()).cloned();
    let part = |n: i8| u8::try_from(n).ok();
    let year = u16::try_from(to.year()).ok();
    let (month, day) = (part(to.month()), part(to.day()));
    let end =
        PartialDateTime { year, month, day, hour: Some(23), minute: Some(59), ..PartialDateTime::default() };
    let date = |at: &PartialDateTime| (at.year, at.month, at.day);
    let end = start.filter(|start| date(start) > date(&end)).unwrap_or(end);
    for value in component.properties_mut(&ICalendarProperty::Rrule).flat_map(|entry| entry.values.iter_mut())
    {
        if let ICalendarValue::RecurrenceRule(rule) = value
            && rule.until.as_ref().is_none_or(|until| date(until) > date(&end))
        {
            rule.until = Some(end.clone());
        }
    }
    component
}

/// What the expansion would pass over in silence.
fn check(event: &ICalendarComponent) -> Result<(), Problem> {
    let of = |name: &ICalendarProperty| event.property(name).map(|entry| entry.values.first());
    match of(&ICalendarProperty::Dtstart) {
        Some(Some(ICalendarValue::PartialDateTime(at))) if at.to_date_time().is_some() => {}
        Some(_) => return Err(("DTSTART is no date", "write it as DTSTART;VALUE=DATE:20261225")),
        None if event.is_recurrence_override() => {}
        None => return Err(("the event has no DTSTART", "give it one, or remove it")),
    }
    if let Some(end) = of(&ICalendarProperty::Dtend)
        && !matches!(end, Some(ICalendarValue::PartialDateTime(at)) if at.to_date_time().is_some())
    {
        return Err(("DTEND is no date", "write it as DTEND;VALUE=DATE:20261226"));
    }
    match of(&ICalendarProperty::Rrule) {
        None | Some(Some(ICalendarValue::RecurrenceRule(_))) => Ok(()),
        Some(_) => Err(("RRULE cannot be followed", "write it as RRULE:FREQ=YEARLY")),
    }
}

fn told(error: &CalendarErrorType) -> Problem {
    match error {
        CalendarErrorType::MissingDtStart => ("the event has no DTSTART", "give it one, or remove it"),
        CalendarErrorType::InvalidDtStart => {
            ("DTSTART is no date", "write it as DTSTART;VALUE=DATE:20261225")
        }
        CalendarErrorType::InvalidDtEnd => ("DTEND is no date", "write it as DTEND;VALUE=DATE:20261226"),
        CalendarErrorType::InvalidDuration => ("DURATION is no length of time", "write it as DURATION:P1D"),
        CalendarErrorType::RRule(_) => ("RRULE cannot be followed", "write it as RRULE:FREQ=YEARLY"),
    }
}

/// An instant of the file on the clock of the desk. None: beyond all calendars.
fn local(at: chrono::DateTime<Tz>, zone: &TimeZone) -> Option<DateTime> {
    if at.timezone().is_floating() {
        return civil(at.naive_local());
    }
    let instant = jiff::Timestamp::from_second(at.timestamp()).ok()?;
    Some(instant.to_zoned_datetime(zone.clone()).datetime())
}

fn civil(at: NaiveDateTime) -> Option<DateTime> {
    let small = |n: u32| i8::try_from(n).ok();
    let date = Date::new(i16::try_from(at.year()).ok()?, small(at.month())?, small(at.day())?).ok()?;
    let time = Time::new(small(at.hour())?, small(at.minute())?, small(at.second())?, 0).ok()?;
    Some(date.to_datetime(time))
}

struct Days {
    opened: BTreeMap<Date, Vec<(Time, Time)>>,
    closed: Vec<Date>,
    from: Date,
    to: Date,
}

impl Days {
    fn add(&mut self, event: &ICalendarComponent, start: DateTime, end: DateTime) -> Result<(), Problem> {
        if matches!(event.status(), Some(ICalendarStatus::Cancelled)) {
            return Ok(());
        }
        let opens = opens(event);
        let all_day = is_all_day(event);
        if !all_day && opens.is_none() {
            return Ok(());
        }
        // The end is exclusive; an event of no length is of its day.
        let last = if end > start { end - 1.nanosecond() } else { start };
        let span = (last.date() - start.date()).get_days();
        if span > MOST_DAYS {
            return Err(("the event lasts for more than a year", "correct DTEND"));
        }
        let days = std::iter::successors(Some(start.date()), |day| day.tomorrow().ok());
        for day in days.take_while(|day| *day <= last.date()) {
            if day < self.from || day > self.to {
                continue;
            }
            match &opens {
                None => self.closed.push(day),
                Some(hours) if all_day => {
                    let DayHours(shifts) = hours.as_ref().ok_or((
                        "an all-day event that opens the desk says no hours",
                        "write them in its summary: \"open: 08:00-12:00, 14:00-18:00\"",
                    ))?;
                    self.opened.entry(day).or_default().extend(shifts);
                }
                Some(_) => {
                    let from = if day == start.date() { start.time() } else { Time::midnight() };
                    let to = if day == end.date() { end.time() } else { Time::MAX };
                    self.opened.entry(day).or_default().extend((from < to).then_some((from, to)));
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Special {
        let mut days: BTreeMap<Date, Vec<(Time, Time)>> =
            self.closed.into_iter().map(|day| (day, Vec::new())).collect();
        days.extend(self.opened.into_iter().map(|(day, shifts)| (day, joined(shifts))));
        Special(days)
    }
}

/// In order, what overlaps or touches as one.
fn joined(mut shifts: Vec<(Time, Time)>) -> Vec<(Time, Time)> {
    shifts.sort_unstable();
    let mut joined: Vec<(Time, Time)> = Vec::new();
    for (from, to) in shifts {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}

fn is_all_day(event: &ICalendarComponent) -> bool {
    let start = event.property(&ICalendarProperty::Dtstart).and_then(|entry| entry.values.first());
    matches!(start, Some(ICalendarValue::PartialDateTime(at)) if !at.has_time())
}

/// Whether the event opens the desk; inside, the hours that its summary says.
fn opens(event: &ICalendarComponent) -> Option<Option<DayHours>> {
    let texts = |name: ICalendarProperty| {
        let entries = event.properties(&name).flat_map(|entry| entry.values.iter());
        entries.filter_map(|value| value.as_text().map(str::to_owned)).collect::<Vec<_>>()
    };
    let marked = texts(ICalendarProperty::Categories).iter().any(|name| {
        name.split(',').any(|one| ["open", "ouvert"].contains(&one.trim().to_lowercase().as_str()))
    });
    let said = texts(ICalendarProperty::Summary).iter().find_map(|summary| {
        let (word, hours) = summary.split_once(':')?;
        ["open", "ouvert"].contains(&word.trim().to_lowercase().as_str()).then(|| DayHours::parse(hours))
    });
    said.or_else(|| marked.then_some(None))
}

#[cfg(test)]
mod tests;
