use super::*;

fn paris() -> TimeZone {
    TimeZone::get("Europe/Paris").unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn file(events: &str) -> String {
    let mut text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//\n".to_owned();
    for (at, event) in events.split("\n\n").enumerate() {
        text.push_str(&format!("BEGIN:VEVENT\nUID:{at}@test\n{}\nEND:VEVENT\n", event.trim()));
    }
    text + "END:VCALENDAR\n"
}

fn special(events: &str) -> Special {
    read(&file(events), &paris(), day("2025-01-01"), day("2028-12-31")).unwrap()
}

/// `closed`, `as usual`, or the shifts.
fn on(special: &Special, date: &str) -> String {
    let time = |t: Time| {
        if t == Time::MAX { "24:00".to_owned() } else { format!("{:02}:{:02}", t.hour(), t.minute()) }
    };
    match special.of(day(date)) {
        None => "as usual".to_owned(),
        Some([]) => "closed".to_owned(),
        Some(shifts) => {
            let shifts: Vec<_> =
                shifts.iter().map(|(from, to)| format!("{}-{}", time(*from), time(*to))).collect();
            shifts.join(", ")
        }
    }
}

#[test]
fn what_each_kind_of_event_says() {
    for (events, expected) in [
        (
            "DTSTART;VALUE=DATE:20261225\nSUMMARY:Noël",
            vec![("2026-12-25", "closed"), ("2026-12-26", "as usual")],
        ),
        // The end is exclusive.
        (
            "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227",
            vec![
                ("2026-12-24", "as usual"),
                ("2026-12-25", "closed"),
                ("2026-12-26", "closed"),
                ("2026-12-27", "as usual"),
            ],
        ),
        (
            "DTSTART;VALUE=DATE:20251225\nRRULE:FREQ=YEARLY\nSUMMARY:Noël",
            vec![
                ("2025-12-25", "closed"),
                ("2026-12-25", "closed"),
                ("2028-12-25", "closed"),
                ("2026-12-24", "as usual"),
            ],
        ),
        // The last Monday of May, and one of them left out.
        (
            "DTSTART;VALUE=DATE:20250526\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO\nEXDATE;VALUE=DATE:20270531",
            vec![
                ("2025-05-26", "closed"),
                ("2026-05-25", "closed"),
                ("2027-05-31", "as usual"),
                ("2028-05-29", "closed"),
            ],
        ),
        ("DTSTART;VALUE=DATE:20261225\nSTATUS:CANCELLED", vec![("2026-12-25", "as usual")]),
        // A meeting closes no desk.
        ("DTSTART:20261224T090000\nDTEND:20261224T100000\nSUMMARY:Réunion", vec![("2026-12-24", "as usual")]),
        (
            "DTSTART:20261224T070000\nDTEND:20261224T160000\nCATEGORIES:OPEN",
            vec![("2026-12-24", "07:00-16:00")],
        ),
        // In UTC and in a zone of its own.
        (
            "DTSTART:20261224T060000Z\nDTEND:20261224T150000Z\nSUMMARY:open: veille",
            vec![("2026-12-24", "07:00-16:00")],
        ),
        (
            "DTSTART;TZID=America/New_York:20261224T030000\nDTEND;TZID=America/New_York:20261224T100000\nSUMMARY:Ouvert : veille",
            vec![("2026-12-24", "09:00-16:00")],
        ),
        (
            "DTSTART;VALUE=DATE:20261224\nSUMMARY:open: 08:00-12:00\\, 14:00-18:00",
            vec![("2026-12-24", "08:00-12:00, 14:00-18:00")],
        ),
        // A night, and two shifts of a day that touch.
        (
            "DTSTART:20261231T200000\nDTEND:20270101T020000\nCATEGORIES:Party,open",
            vec![("2026-12-31", "20:00-24:00"), ("2027-01-01", "00:00-02:00")],
        ),
        (
            "DTSTART:20261224T140000\nDTEND:20261224T180000\nCATEGORIES:OPEN\n\nDTSTART:20261224T080000\nDURATION:PT4H\nCATEGORIES:OPEN\n\n\
             DTSTART:20261224T120000\nDURATION:PT1H\nCATEGORIES:OPEN",
            vec![("2026-12-24", "08:00-13:00, 14:00-18:00")],
        ),
        // Opened on a day that is closed otherwise.
        (
            "DTSTART;VALUE=DATE:20261225\n\nDTSTART:20261225T100000\nDTEND:20261225T120000\nCATEGORIES:OPEN",
            vec![("2026-12-25", "10:00-12:00")],
        ),
        // Every day of daylight saving, at the hours of the desk.
        (
            "DTSTART;TZID=Europe/Paris:20261024T080000\nDURATION:PT2H\nRRULE:FREQ=DAILY;COUNT=3\nCATEGORIES:OPEN",
            vec![
                ("2026-10-24", "08:00-10:00"),
                ("2026-10-25", "08:00-10:00"),
                ("2026-10-26", "08:00-10:00"),
                ("2026-10-27", "as usual"),
            ],
        ),
    ] {
        let special = special(events);
        for (date, says) in expected {
            assert_eq!(on(&special, date), says, "{events}: {date}");
        }
    }
}

#[test]
fn an_occurrence_that_was_changed_is_where_it_was_moved_to() {
    let text = file("DTSTART;VALUE=DATE:20261109\nRRULE:FREQ=WEEKLY;COUNT=3").replace(
        "END:VCALENDAR",
        "BEGIN:VEVENT\nUID:0@test\nRECURRENCE-ID;VALUE=DATE:20261116\nDTSTART;VALUE=DATE:20261118\nEND:VEVENT\nEND:VCALENDAR",
    );
    let special = read(&text, &paris(), day("2026-01-01"), day("2026-12-31")).unwrap();
    for (date, says) in [
        ("2026-11-09", "closed"),
        ("2026-11-16", "as usual"),
        ("2026-11-18", "closed"),
        ("2026-11-23", "closed"),
    ] {
        assert_eq!(on(&special, date), says, "{date}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let good = "DTSTART;VALUE=DATE:20261225\n\n";
    for (text, line, what) in [
        (file(&format!("{good}SUMMARY:Noël")), 8, "the event has no DTSTART"),
        (file(&format!("{good}DTSTART:bientôt")), 8, "DTSTART is no date"),
        (file(&format!("{good}DTSTART;VALUE=DATE:20261399")), 8, "DTSTART is no date"),
        (
            file(&format!("{good}DTSTART;VALUE=DATE:20261225\nRRULE:chaque année")),
            8,
            "RRULE cannot be followed",
        ),
        (
            file(&format!("{good}DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20301225")),
            8,
            "the event lasts for more than a year",
        ),
        (
            file(&format!("{good}DTSTART;VALUE=DATE:20261225\nCATEGORIES:OPEN")),
            8,
            "an all-day event that opens the desk says no hours",
        ),
        ("bonjour\n".to_owned(), 1, "this is no iCalendar"),
        (String::new(), 1, "there is no calendar in it"),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225T000000\n".to_owned(),
            3,
            "an event or the calendar does not end",
        ),
    ] {
        let error = match read(&text, &paris(), day("2026-01-01"), day("2027-12-31")) {
            Err(error) => error,
            Ok(read) => panic!("{text} is read as {read:?}"),
        };
        assert_eq!((error.line, error.what.as_str()), (line, what), "{text}");
        assert!(!error.cure.is_empty());
    }
}

#[test]
fn rules_without_an_end_end_with_the_period() {
    let special = special("DTSTART;VALUE=DATE:20190101\nRRULE:FREQ=DAILY");
    assert_eq!((special.0.len(), on(&special, "2027-07-01").as_str()), (1461, "closed"));
    let many = vec!["DTSTART;VALUE=DATE:19700714\nRRULE:FREQ=YEARLY"; 500].join("\n\n");
    let special = read(&file(&many), &paris(), day("2026-01-01"), day("2026-12-31")).unwrap();
    assert_eq!((special.0.len(), on(&special, "2026-07-14").as_str()), (1, "closed"));
    for endless in
        ["DTSTART;VALUE=DATE:19500101\nRRULE:FREQ=DAILY", "DTSTART:20260101T000000\nRRULE:FREQ=SECONDLY"]
    {
        let error = read(&file(endless), &paris(), day("2026-01-01"), day("2026-12-31")).unwrap_err();
        assert_eq!((error.line, error.what.as_str()), (4, "it is repeated too often"));
    }
}

proptest::proptest! {
    #[test]
    fn no_file_breaks_us(lines in proptest::collection::vec("BEGIN:VCALENDAR|BEGIN:VEVENT|END:VEVENT|END:VCALENDAR|DTSTART(;VALUE=DATE)?:[0-9TZ]{0,16}|DTEND:[0-9T]{8,15}|RRULE:FREQ=(DAILY|YEARLY|SECONDLY);(COUNT|INTERVAL|BYDAY)=[0-9A-Z,-]{0,6}|UID:a|RECURRENCE-ID:[0-9]{8}|.{0,40}", 0..20)) {
        let _ = read(&lines.join("\r\n"), &paris(), day("2026-01-01"), day("2026-12-31"));
    }
}
