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
