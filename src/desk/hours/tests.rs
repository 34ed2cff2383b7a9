//! Opening hours of the week, their words, and how they are counted.

use super::*;

/// Weekdays 7–12 and 14–22, Saturday until midnight, Sunday closed; 2026-12-25 (a Friday) closed.
fn desk() -> Calendar {
    let text = r#"
        monday = "07:00-12:00, 14:00-22:00"
        tuesday = "07:00-12:00, 14:00-22:00"
        wednesday = "07:00-12:00, 14:00-22:00"
        thursday = "07:00-12:00, 14:00-22:00"
        friday = "07:00-12:00, 14:00-22:00"
        saturday = "20:00-24:00"
        sunday = ""
        closed = ["2026-12-25"]"#;
    Calendar::new(toml::from_str(text).unwrap(), TimeZone::get("Europe/Paris").unwrap())
}

/// Open all night around the hours that daylight saving skips and repeats.
fn night_desk() -> Calendar {
    let text = "sunday = \"01:00-04:00\"\nsaturday = \"\"\nmonday = \"\"";
    Calendar::new(toml::from_str(text).unwrap(), TimeZone::get("Europe/Paris").unwrap())
}

fn at(text: &str) -> Timestamp {
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let local: jiff::civil::DateTime = text.parse().unwrap();
    Timestamp::from_jiff(local.to_zoned_datetime(zone).unwrap().timestamp())
}

#[test]
fn open_and_closed() {
    // 2026-11-23 is a Monday.
    for (when, open) in [
        ("2026-11-23T06:59:59", false),
        ("2026-11-23T07:00:00", true),
        ("2026-11-23T12:00:00", false),
        ("2026-11-23T13:59:59", false),
        ("2026-11-23T14:00:00", true),
        ("2026-11-23T22:00:00", false),
        ("2026-11-28T23:59:59", true),
        ("2026-11-29T00:00:00", false),
        ("2026-12-25T10:00:00", false),
    ] {
        assert_eq!(desk().is_open(at(when)), open, "{when}");
    }
}

#[test]
fn next_openings_and_their_words() {
    for (when, next, fr, en) in [
        ("2026-11-23T05:00", "2026-11-23T07:00", "aujourd'hui à 7h00", "today at 7:00"),
        ("2026-11-23T12:30", "2026-11-23T14:00", "aujourd'hui à 14h00", "today at 14:00"),
        ("2026-11-23T23:00", "2026-11-24T07:00", "demain à 7h00", "tomorrow at 7:00"),
        ("2026-11-29T00:00", "2026-11-30T07:00", "demain à 7h00", "tomorrow at 7:00"),
        ("2026-12-24T22:00", "2026-12-26T20:00", "samedi à 20h00", "Saturday at 20:00"),
    ] {
        assert_eq!(desk().next_opening(at(when)), Some(at(next)), "{when}");
        assert_eq!(desk().reopens_text(at(when), Lang::FR).as_deref(), Some(fr), "{when}");
        assert_eq!(desk().reopens_text(at(when), Lang::EN).as_deref(), Some(en), "{when}");
    }
    let open = at("2026-11-23T08:00");
    assert_eq!(desk().next_opening(open), Some(open));
    assert_eq!(desk().reopens_text(open, Lang::FR), None);
}

#[test]
fn far_and_never() {
    let mut desk = desk();
    let first: Date = "2026-11-23".parse().unwrap();
    desk.hours.closed = desk.days(first).take(9).collect();
    let when = at("2026-11-23T08:00");
    let text = |lang| desk.reopens_text(when, lang).unwrap();
    assert_eq!(text(Lang::FR), "mercredi 2 décembre à 7h00");
    assert_eq!(text(Lang::EN), "Wednesday 2 December at 7:00");
    desk.hours.closed = desk.days(first).take(SEARCH_DAYS).collect();
    assert_eq!(desk.next_opening(when), None);
    assert_eq!(desk.next_opening(Timestamp(i64::MAX)), None);
}

#[test]
fn hours_of_the_day() {
    let desk = desk();
    let monday = at("2026-11-23T00:00");
    assert_eq!(desk.hours_text(monday, Lang::FR), "7h00–12h00, 14h00–22h00");
    assert_eq!(desk.hours_text(monday, Lang::EN), "7:00–12:00, 14:00–22:00");
    assert_eq!(desk.hours_text(at("2026-11-28T01:00"), Lang::EN), "20:00–24:00");
    assert_eq!(desk.hours_text(at("2026-11-29T01:00"), Lang::FR), "fermé");
}

#[test]
fn business_time_counts_opening_hours_only() {
    for (from, to, minutes) in [
        ("2026-11-23T08:00", "2026-11-23T08:05", 5),
        ("2026-11-23T11:50", "2026-11-23T14:10", 20),
        // Friday evening to Monday morning: 10 min, Saturday's 4 h, 5 min.
        ("2026-11-27T21:50", "2026-11-30T07:05", 10 + 240 + 5),
        ("2026-11-29T01:00", "2026-11-29T22:00", 0),
        ("2026-11-23T10:00", "2026-11-23T09:00", 0),
        // The night that Europe leaves daylight saving is no opening time.
        ("2026-10-23T21:00", "2026-10-26T08:00", 60 + 240 + 60),
    ] {
        let got = desk().business_time(at(from), at(to));
        assert_eq!(got, Duration::from_secs(minutes * 60), "{from} to {to}");
    }
}

#[test]
fn daylight_saving_nights() {
    let desk = night_desk();
    for (night, hours) in [("2026-03-29", 2), ("2026-10-25", 4), ("2026-11-29", 3)] {
        let (from, to) = (at(&format!("{night}T00:00")), at(&format!("{night}T12:00")));
        assert_eq!(desk.business_time(from, to), Duration::from_secs(hours * 3600), "{night}");
    }
    // 02:30 does not exist on 2026-03-29: a shift that begins then begins at 03:30.
    let text = "sunday = \"02:30-04:00\"\nsaturday = \"\"";
    let gap = Calendar::new(toml::from_str(text).unwrap(), desk.zone.clone());
    assert_eq!(gap.next_opening(at("2026-03-29T01:00")), Some(at("2026-03-29T03:30")));
}

/// Written to be read again: another size is another file.
fn write(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

const CHRISTMAS: &str = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20261225\nEND:VEVENT\nBEGIN:VEVENT\nUID:b\n\
    DTSTART:20261224T080000\nDTEND:20261224T120000\nCATEGORIES:OPEN\nEND:VEVENT\nEND:VCALENDAR\n";

/// Every day 7–22, with what a file and the configuration say.
fn with_file(path: &std::path::Path, more: &str) -> HoursConfig {
    toml::from_str(&format!("calendar = '{}'\n{more}", path.display())).unwrap()
}

#[test]
fn days_of_the_file_and_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("days.ics");
    write(&path, CHRISTMAS);
    let now = at("2026-12-20T12:00");
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let more = "exceptions = { '2026-12-23' = '10:00-11:00', '2026-12-25' = '09:00-10:00' }\nclosed = ['2026-12-26']";
    for (more, expected) in [
        (
            "",
            [
                ("2026-12-23", "7h00–22h00"),
                ("2026-12-24", "8h00–12h00"),
                ("2026-12-25", "fermé"),
                ("2026-12-26", "7h00–22h00"),
            ],
        ),
        (
            more,
            [
                ("2026-12-23", "10h00–11h00"),
                ("2026-12-24", "8h00–12h00"),
                ("2026-12-25", "9h00–10h00"),
                ("2026-12-26", "fermé"),
            ],
        ),
    ] {
        let desk = Calendar::open(with_file(&path, more), zone.clone(), now).unwrap();
        for (day, hours) in expected {
            assert_eq!(desk.hours_text(at(&format!("{day}T00:00")), Lang::FR), hours, "{day}");
        }
    }
    // Into the words that customers read, and into promised times.
    let desk = Calendar::open(with_file(&path, ""), zone, now).unwrap();
    assert_eq!(desk.reopens_text(at("2026-12-24T12:30"), Lang::FR).as_deref(), Some("samedi à 7h00"));
    assert_eq!(desk.after(at("2026-12-24T11:30"), Duration::from_secs(3600)), Some(at("2026-12-26T07:30")));
    assert_eq!(
        desk.business_time(at("2026-12-24T00:00"), at("2026-12-26T00:00")),
        Duration::from_secs(4 * 3600)
    );
}

#[test]
fn a_saved_file_is_followed_and_a_bad_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("days.ics");
    let zone = TimeZone::get("Europe/Paris").unwrap();
    let (now, christmas) = (at("2026-12-20T12:00"), at("2026-12-25T12:00"));
    let missing = Calendar::open(with_file(&path, ""), zone.clone(), now).unwrap_err();
    assert!(
        missing.contains("days.ics: it cannot be read")
            && missing.contains("Cure: correct desk.hours.calendar"),
        "{missing}"
    );
    write(&path, CHRISTMAS);
    let desk = Calendar::open(with_file(&path, ""), zone, now).unwrap();
    let clone = desk.clone();
    assert!(!desk.refresh(now), "nothing was saved");
    write(&path, &CHRISTMAS.replace("VALUE=DATE:20261225", "VALUE=DATE:soon"));
    assert!(!desk.refresh(now));
    let problem = clone.problem().unwrap();
    assert!(
        problem
            .ends_with("days.ics: line 2: DTSTART is no date. Cure: write it as DTSTART;VALUE=DATE:20261225"),
        "{problem}"
    );
    assert!(!clone.is_open(christmas), "the last good one stays");
    write(&path, "BEGIN:VCALENDAR\nEND:VCALENDAR\n");
    assert!(desk.refresh(now));
    assert_eq!((clone.problem(), clone.is_open(christmas)), (None, true));
    // Rules that repeat are worked out anew when the day changes.
    assert!(desk.refresh(at("2026-12-21T00:00")));
}

#[test]
fn the_shift_to_tell_of() {
    for (now, since) in [
        // In its first hour, who comes reads of the shift before.
        ("2026-11-24T07:30", "2026-11-23T14:00"),
        ("2026-11-24T08:00", "2026-11-24T07:00"),
        ("2026-11-24T13:00", "2026-11-24T07:00"),
        ("2026-11-24T14:30", "2026-11-24T07:00"),
        ("2026-11-24T21:55", "2026-11-24T14:00"),
        ("2026-11-29T12:00", "2026-11-28T20:00"),
    ] {
        assert_eq!(desk().shift_to_tell_of(at(now)), Some(at(since)), "{now}");
    }
}
